// SPDX-License-Identifier: Apache-2.0
// An error stays uncaught if the listener does not call preventDefault().
// outcome: threw
// error.message: mine
// stdout: Uncaught RangeError: mine
addEventListener('error', (event) => console.log(event.message));
setTimeout(() => { throw new RangeError('mine'); }, 0);
