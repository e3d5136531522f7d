// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: ["std ReferenceError","os ReferenceError","qjs:std ReferenceError","node:fs ReferenceError","data:text/javascript,1 ReferenceError"]
const seen = [];
for (const name of ['std', 'os', 'qjs:std', 'node:fs', 'data:text/javascript,1'])
	await import(name).then(() => seen.push(name), (error) => seen.push(`${name} ${error.name}`));
export default seen;
