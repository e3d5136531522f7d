// SPDX-License-Identifier: Apache-2.0
// The function once waits for an event, an error or a signal, of emitters and of targets, and leaves no listener behind.
// args: --node
// outcome: ok
// value: [[1,2],"bad",["AbortError","ABORT_ERR"],["AbortError","ABORT_ERR"],"ping",["error itself"],[0,0,0]]
import { EventEmitter, once } from 'node:events';
const emitter = new EventEmitter(), target = new EventTarget(), seen = [];
const failure = (promise) => promise.then(() => 'no failure', (error) => error.code ? [error.name, error.code] : error.message);
setTimeout(() => emitter.emit('x', 1, 2), 1);
seen.push(await once(emitter, 'x'));
setTimeout(() => emitter.emit('error', new Error('bad')), 1);
seen.push(await failure(once(emitter, 'x')));
const control = new AbortController();
setTimeout(() => control.abort(), 1);
seen.push(await failure(once(emitter, 'x', { signal: control.signal })));
seen.push(await failure(once(emitter, 'x', { signal: control.signal })));
setTimeout(() => target.dispatchEvent(new Event('ping')), 1);
seen.push((await once(target, 'ping'))[0].type);
setTimeout(() => emitter.emit('error', 'error itself'), 1);
seen.push(await once(emitter, 'error'), [emitter.listenerCount('x'), emitter.listenerCount('error'), control.signal.aborted ? 0 : 1]);
export default seen;
