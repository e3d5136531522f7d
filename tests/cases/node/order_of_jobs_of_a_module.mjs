// SPDX-License-Identifier: Apache-2.0
// A module's text is a job, so its ticks come after the jobs that it queued. A tick keeps its asynchronous context.
// args: --node
// outcome: ok
// value: ["p1","p2","n1","of n1","n2","awaited","again","later","store"]
import { AsyncLocalStorage } from 'node:async_hooks';
const seen = [], store = new AsyncLocalStorage();
process.nextTick(() => {
	seen.push('n1');
	Promise.resolve().then(() => seen.push('later'));
	process.nextTick(() => seen.push('again'));
});
Promise.resolve().then(() => seen.push('p1')).then(() => seen.push('p2'));
store.run('of n1', () => process.nextTick(() => seen.push(store.getStore())));
process.nextTick(() => seen.push('n2'));
globalThis.queueMicrotask = () => {}; // ticks do not depend on it
await new Promise((resolve) => process.nextTick(() => {
	resolve();
	seen.push('awaited');
}));
await new Promise((resolve) => setTimeout(resolve, 1));
await new Promise((resolve) => store.run('store', () => process.nextTick(() => resolve(seen.push(store.getStore())))));
export default seen;
