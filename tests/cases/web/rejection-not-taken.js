// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: mine
// stdout: true
addEventListener('unhandledrejection', (event) => console.log(event.cancelable));
Promise.reject(new RangeError('mine'));
0;
