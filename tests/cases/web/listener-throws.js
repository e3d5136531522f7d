// SPDX-License-Identifier: Apache-2.0
// An exception of a listener does not end the dispatch. It ends the program afterwards, because nothing catches it.
// outcome: threw
// error.name: RangeError
// error.message: from a listener
// stdout: second
// stdout: after
const target = new EventTarget();
target.addEventListener('x', () => { throw new RangeError('from a listener'); });
target.addEventListener('x', () => console.log('second'));
target.dispatchEvent(new Event('x'));
console.log('after');
