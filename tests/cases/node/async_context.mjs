// SPDX-License-Identifier: Apache-2.0
// The context of AsyncLocalStorage follows promises, jobs, timers, tasks, listeners and streams as in Node.
// args: --node --timeout 60s
// outcome: ok
// value: {"a await":["a",null],"a before":["a",null],"a gate":["a",null],"a timer":["a",null],"after a throw":[null,null],"after nested":["x",null],"after thenable":["x",null],"b await":["b",null],"b before":["b",null],"b gate":["b",null],"b timer":["b",null],"bound":["bound",null],"catch":["x",null],"disabled":[null,null],"entered":["entered",null],"entered, after await":["entered",null],"event":["emitter",null],"exit":[null,1],"finally":["x",null],"generator":["x",null],"ids":["number",true,"function"],"immediate":["x",null],"interval":["x",null],"microtask":["x",null],"nested":["x",1],"next 1":["x",null],"nextTick":["x",null],"outside":[null,null],"promisify":"p","resource":["resource",null],"snapshot":["snap",5],"stream":["pentered"],"then of another":["x",null],"thenable":["x",null],"timeout":["x",null]}
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { promisify } from 'node:util';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
const storage = new AsyncLocalStorage(), other = new AsyncLocalStorage(), seen = {};
const note = (key) => { seen[key] = [storage.getStore() ?? null, other.getStore() ?? null]; };
let release; const gate = new Promise((resolve) => { release = resolve; });
async function deep(key) { note(key + ' before'); await null; note(key + ' await'); await sleep(1); note(key + ' timer'); await gate; note(key + ' gate'); }
const runs = ['a', 'b'].map((name) => storage.run(name, () => deep(name)));
note('outside');
storage.run('x', () => {
	setTimeout(() => note('timeout'), 1);
	const t = setInterval(() => { note('interval'); clearInterval(t); }, 1);
	setImmediate(() => note('immediate'));
	queueMicrotask(() => note('microtask'));
	process.nextTick(() => note('nextTick'));
	Promise.reject(1).catch(() => note('catch')).finally(() => note('finally'));
	gate.then(() => note('then of another'));
	other.run(1, () => { note('nested'); storage.exit(() => note('exit')); });
	note('after nested');
	(async function* () { note('generator'); yield 1; note('generator again'); })().next().then(({ value }) => note('next ' + value));
	({ then(done) { note('thenable'); done(); } });
	(async () => { await { then(done) { note('thenable'); done(); } }; note('after thenable'); })();
});
const emitter = new EventEmitter();
storage.run('listener', () => emitter.on('x', () => note('event')));
storage.run('emitter', () => emitter.emit('x'));
const resource = storage.run('resource', () => new AsyncResource('R'));
resource.runInAsyncScope(() => note('resource'));
const bound = storage.run('bound', () => AsyncLocalStorage.bind(() => note('bound')));
bound();
const snapshot = storage.run('snap', () => AsyncLocalStorage.snapshot());
seen.snapshot = snapshot((a) => [storage.getStore(), a], 5);
try { storage.run('throws', () => { throw 1; }); } catch { note('after a throw'); }
setTimeout(() => storage.run('release', release), 5);
await Promise.all(runs);
await new Promise((done) => setTimeout(done, 10));
storage.enterWith('entered');
note('entered');
await null;
note('entered, after await');
const parts = []; for await (const part of Readable.from(['p'])) parts.push(part + storage.getStore());
seen.stream = parts;
storage.disable();
note('disabled');
seen.ids = [typeof executionAsyncId(), resource.asyncId() > 0, typeof AsyncResource.bind(() => 1)];
seen.promisify = await storage.run('p', () => promisify((done) => setTimeout(() => done(null, storage.getStore()), 1))());
const sorted = (value) => value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)])) : Array.isArray(value) ? value.map(sorted) : value;
export default sorted(seen);
