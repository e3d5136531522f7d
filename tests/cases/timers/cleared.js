// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// stdout: only this
const id = setTimeout(() => console.log('never'), 1);
setTimeout(() => { clearTimeout(other); console.log('only this') }, 2);
const other = setTimeout(() => console.log('never'), 20);
clearTimeout(id);
clearTimeout(id);
clearTimeout(undefined);
clearTimeout(12345);
undefined;
