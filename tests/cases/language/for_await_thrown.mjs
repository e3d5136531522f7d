// SPDX-License-Identifier: Apache-2.0
// If an error leaves the loop, whether the return method rejects, throws or gives nothing does not matter.
// outcome: ok
// value: ["body: later","body: at once","body: throws","body: gives nothing","body: in a function","unhandled: sync"]
const seen = [];
const kinds = {
	later: async () => { await 0; throw new Error('closing'); },
	'at once': async () => { throw new Error('closing'); },
	throws: () => { throw new Error('closing'); },
	'gives nothing': () => 5,
};
const iterator = (close) => ({ next: async () => ({ value: 1, done: false }), return: close, [Symbol.asyncIterator]() { return this; } });
for (const [name, close] of Object.entries(kinds)) {
	try { for await (const value of iterator(close)) throw new Error('body'); } catch (error) { seen.push(error.message + ': ' + name); }
}
const inner = async () => { for await (const value of iterator(kinds.later)) throw new Error('body'); };
await inner().catch((error) => seen.push(error.message + ': in a function'));
// The loop without await waits for nothing, so a rejection there is nobody's.
const sync = { next: () => ({ value: 1, done: false }), return: () => Promise.reject(new Error('sync')), [Symbol.iterator]() { return this; } };
addEventListener('unhandledrejection', (event) => { event.preventDefault(); seen.push('unhandled: ' + event.reason.message); });
try { for (const value of sync) throw new Error('body'); } catch { /* that of the body */ }
await new Promise((go) => setTimeout(go, 20));
export default seen;
