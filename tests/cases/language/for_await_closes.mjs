// SPDX-License-Identifier: Apache-2.0
// An asynchronous iterator is closed when the loop is left, and not when the iterator itself failed.
// outcome: ok
// value: ["x rejects: seen by 1","y throws: seen by 0","value: seen by 0","done: seen by 0","none: seen by 0","broken: return","thrown: return","returned: return","continued: 3","in a generator: seen by 1","nested: return, outer return"]
const results = [];
let closed;
const iterator = (next, name = 'return') => ({
	next,
	async return() {
		closed.push(name);
		throw new Error('nobody waits for this');
	},
	[Symbol.asyncIterator]() { return this; },
});
async function over(what, next, loop) {
	closed = [];
	let seen = 0;
	try {
		for await (const value of iterator(next)) { seen++; await loop?.(value); }
	} catch (error) {
		if (closed.length) results.push(what + ' closed: ' + closed);
		else results.push(what + ': seen by ' + seen);
	}
}
let count = 0;
await over('x rejects', async () => { if (count++) throw new Error('x'); return { value: 1, done: false }; });
await over('y throws', () => { throw new Error('y'); });
await over('value', () => ({ done: false, get value() { throw new Error('value'); } }));
await over('done', () => ({ get done() { throw new Error('done'); } }));
await over('none', () => 5);
const one = async () => ({ value: 1, done: false });
const quiet = (next, name) => ({ ...iterator(next), async return() { closed.push(name ?? 'return'); return {}; } });
closed = [];
for await (const value of quiet(one)) break;
results.push('broken: ' + closed);
closed = [];
try { for await (const value of quiet(one)) throw value; } catch { results.push('thrown: ' + closed); }
closed = [];
await (async () => { for await (const value of quiet(one)) return value; })();
results.push('returned: ' + closed);
count = 0;
let rounds = 0;
for await (const value of quiet(async () => ({ value: count, done: count++ === 3 }))) { rounds++; continue; }
results.push('continued: ' + rounds);
count = 0;
closed = [];
let seen = 0;
const failing = iterator(async () => { if (count++) throw new Error('g'); return { value: 1, done: false }; });
try {
	for await (const value of (async function* () { for await (const inner of failing) yield inner; })()) seen++;
} catch { results.push('in a generator: seen by ' + (closed.length ? 'the return method' : seen)); }
closed = [];
outer: for await (const a of quiet(one, 'outer return')) {
	for await (const b of quiet(one)) break outer;
}
results.push('nested: ' + closed.join(', '));
export default results;
