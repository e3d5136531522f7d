// SPDX-License-Identifier: Apache-2.0
// An error in a listener for errors is not passed to it again.
// outcome: threw
// error.message: second
addEventListener('error', (event) => { event.preventDefault(); throw new RangeError('second'); });
setTimeout(() => { throw new RangeError('first'); }, 0);
