// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: ["std ReferenceError","qjs:std ReferenceError","qjs:os ReferenceError","node:std ReferenceError","data:text/javascript,1 ReferenceError"]
const seen = [];
for (const name of ['std', 'qjs:std', 'qjs:os', 'node:std', 'data:text/javascript,1'])
	await import(name).then(() => seen.push(name), (error) => seen.push(`${name} ${error.name}`));
export default seen;
