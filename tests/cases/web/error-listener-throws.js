// SPDX-License-Identifier: Apache-2.0
// An error of a listener for errors is not handed to it once more.
// outcome: threw
// error.message: second
addEventListener('error', (event) => { event.preventDefault(); throw new RangeError('second'); });
setTimeout(() => { throw new RangeError('first'); }, 0);
