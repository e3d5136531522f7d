// SPDX-License-Identifier: Apache-2.0
// mock.timers of node:test: timers and dates that the test moves, as in Node.
// args: --node
// outcome: ok
// stdout: [
// stdout:   'imm',
// stdout:   '|',
// stdout:   't10',
// stdout:   1,
// stdout:   2,
// stdout:   '|',
// stdout:   'mod',
// stdout:   'i20',
// stdout:   1035,
// stdout:   'promise v',
// stdout:   '|',
// stdout:   'i20',
// stdout:   1050,
// stdout:   't50',
// stdout:   1050,
// stdout:   '1970-01-01T00:00:01.050Z',
// stdout:   'string',
// stdout:   5,
// stdout:   true,
// stdout:   true,
// stdout:   0,
// stdout:   5000
// stdout: ]
// stdout: ERR_INVALID_STATE Invalid state: MockTimers is already enabled!
// stdout: true true
// stdout: ERR_INVALID_STATE Invalid state: You should enable MockTimers first by calling the .enable function
// stdout: ERR_INVALID_ARG_VALUE The property 'options.apis' option nope is not supported. Received 'nope'
// stdout: ERR_INVALID_ARG_VALUE The argument 'now' epoch must be a positive integer received NaN. Received NaN
// stdout: ERR_INVALID_ARG_VALUE The argument 'time' -1. Received 'positive integer'
// stdout: nested
// stdout: AbortError ABORT_ERR
// stdout: iv
// stdout: iv
import { mock, test } from 'node:test';
import timers from 'node:timers'; import tp from 'node:timers/promises';
const out = [];
const real = setTimeout;
mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: 1000 });
let n = 0;
setTimeout(() => out.push('t50'), 50); setTimeout((a, b) => out.push('t10', a, b), 10, 1, 2); const iv = setInterval(() => { out.push('i20', Date.now()); if (++n === 3) clearInterval(iv); }, 20);
setImmediate(() => out.push('imm')); const c = setTimeout(() => out.push('never'), 5); clearTimeout(c); timers.setTimeout(() => out.push('mod'), 15);
tp.setTimeout(30, 'v').then((v) => out.push('promise ' + v));
mock.timers.tick(9); out.push('|'); mock.timers.tick(1); out.push('|'); mock.timers.tick(25); await null; await null; out.push('|'); mock.timers.runAll(); await null;
out.push(Date.now(), new Date().toISOString(), typeof Date(), new Date(5).getTime(), Date.isMock, new Date() instanceof Date, Date.UTC(1970, 0, 1));
mock.timers.setTime(5000); out.push(Date.now());
console.log(out);
try { mock.timers.enable(); } catch (e) { console.log(e.code, e.message); }
mock.timers.reset(); console.log(setTimeout === real, Date.now() > 1e12);
try { mock.timers.tick(1); } catch (e) { console.log(e.code, e.message); }
try { mock.timers.enable({ apis: ['nope'] }); } catch (e) { console.log(e.code, e.message); }
try { mock.timers.enable({ now: NaN }); } catch (e) { console.log(e.code, e.message); }
mock.timers.enable({ apis: ['setTimeout'] }); try { mock.timers.tick(-1); } catch (e) { console.log(e.code, e.message); } mock.timers.tick(); setTimeout(() => { console.log('nested'); setTimeout(() => console.log('inner'), 1); }, 1); mock.timers.tick(5); mock.reset();
const ac = new AbortController(); mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }); const pr = tp.setTimeout(10, 1, { signal: ac.signal }).catch((e) => console.log(e.name, e.code)); ac.abort(); await pr;
(async () => { let k = 0; for await (const v of tp.setInterval(10, 'iv')) { console.log(v); if (++k === 2) break; } })(); await null; mock.timers.tick(10); await new Promise((r) => setImmediate(r)); mock.timers.tick(10); await new Promise((r) => setImmediate(r)); mock.timers.reset();
