// SPDX-License-Identifier: Apache-2.0
// A listener that does not prevent it leaves an error what it is.
// outcome: threw
// error.message: mine
// stdout: Uncaught RangeError: mine
addEventListener('error', (event) => console.log(event.message));
setTimeout(() => { throw new RangeError('mine'); }, 0);
