// SPDX-License-Identifier: Apache-2.0
// Errors go to the domain in which they were thrown, or in which the emitter was made, as in Node.
// args: --node
// outcome: threw
// error.message: unheard
// stdout: true true true
// stdout: undefined undefined
// stdout: fine 7
// stdout: caught intercepted true false false true
// stdout: 3 true function function true
// stdout: caught tick true true false true
// stdout: caught timer true true false true
// stdout: caught emitter true false true true
// stdout: caught bound 4 true true false true
// stdout: caught added true false false true
// stdout: 0 null
// stdout: thrown plain
// stdout: caught sync in timer true true false true
// stdout: exit 1
const domain = require('domain'), EventEmitter = require('events');
const d = domain.create();
d.on('error', (e) => console.log('caught', e.message, e.domain === d, e.domainThrown, e.domainEmitter === em, process.domain == null));
let em;
d.run(() => { em = new EventEmitter(); console.log(process.domain === d, domain.active === d, em.domain === d); setTimeout(() => { throw new Error('timer'); }, 1); process.nextTick(() => { throw new Error('tick'); }); setTimeout(() => em.emit('error', new Error('emitter')), 5); });
console.log(process.domain, domain.active);
const b = d.bind((x) => { throw new Error('bound ' + x); });
setTimeout(() => b(4), 8);
d.intercept((x) => console.log('fine', x))(null, 7); d.intercept(() => {})(new Error('intercepted'));
const outer = new EventEmitter(); d.add(outer); setTimeout(() => outer.emit('error', new Error('added')), 12);
setTimeout(() => { d.remove(outer); console.log(d.members.length, outer.domain); try { outer.emit('error', new Error('plain')); } catch (e) { console.log('thrown', e.message); } }, 15);
console.log(d.run((a, c) => a + c, 1, 2), d instanceof EventEmitter, typeof d.enter, typeof domain.Domain, domain.createDomain === domain.create);
setTimeout(() => { d.run(() => { throw new Error('sync in timer'); }); }, 20);
setTimeout(() => { const n = domain.create(); n.run(() => setTimeout(() => { throw new Error('unheard'); }, 1)); }, 25);
process.on('exit', (c) => console.log('exit', c));
