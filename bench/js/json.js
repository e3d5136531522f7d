// SPDX-License-Identifier: Apache-2.0
// Writing and reading JSON, and array methods on the result.
function run() {
	let data = [];
	for (let i = 0; i < 20000; i++) data.push({ id: i, name: 'user' + i, tags: ['a', 'b', 'c'], v: i / 3 });
	let text = JSON.stringify(data);
	let parsed = JSON.parse(text);
	return parsed.filter(x => x.id % 3 == 0).map(x => x.v).reduce((a, b) => a + b, 0);
}
run();
