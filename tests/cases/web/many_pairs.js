// SPDX-License-Identifier: Apache-2.0
// Setting, reading and deleting many parameters and entries of forms is searching by the engine, not by the prelude.
// args: --cpu 30s --timeout 3m
// outcome: ok
// value: [[8000,"v",8000,0],[8000,"v",8000,0],["a=a&b=3&a=b","a=4&b=3","b=3","x=2&y=1",["a","b"],"b",true,false]]
// limit: 200
const count = 8000;
const results = [new URLSearchParams(), new FormData()].map(list => {
	for (let i = 0; i < count; i++) list.set('k' + i, 'v');
	for (let i = 0; i < count; i++) list.set('k' + (count - 1 - i), 'v');
	const size = [...list].length;
	let found = 0;
	for (let i = 0; i < count; i++) if (list.has('k' + i) && list.getAll('k' + i).length === 1) found++;
	const last = list.get('k' + (count - 1));
	for (let i = 0; i < count; i++) list.delete('k' + i);
	return [size, last, found, [...list].length];
});
// A value may be equal to a name.
const params = new URLSearchParams('a=a&b=1&a=b&b=b');
const has = [params.has('b', 'b'), params.has('b', 'a')];
params.set('b', '3');
const texts = [String(params)];
const all = params.getAll('a'), kept = new URLSearchParams(params);
kept.delete('a', 'a');
params.set('a', 4);
texts.push(String(params));
params.delete('a');
texts.push(String(params));
const sorted = new URLSearchParams('y=1&x=2');
sorted.sort();
[...results, [...texts, String(sorted), all, kept.get('a'), ...has]];
