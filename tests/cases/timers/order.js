// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// stdout: sync 1
// stdout: sync 2
// stdout: microtask
// stdout: promise
// stdout: 0
// stdout: 0 again
// stdout: microtask of a timer
// stdout: 5
// stdout: 15
setTimeout(() => console.log(15), 600);
setTimeout(() => console.log(5), 300);
console.log('sync 1');
setTimeout(() => console.log(0), 0);
setTimeout(() => { console.log('0 again'); queueMicrotask(() => console.log('microtask of a timer')) }, 0);
queueMicrotask(() => console.log('microtask'));
Promise.resolve().then(() => console.log('promise'));
console.log('sync 2');
