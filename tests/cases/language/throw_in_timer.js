// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: in a timer
// frames: late throw_in_timer.js:6:*
setTimeout(function late() {
	throw new Error('in a timer');
}, 1);
setTimeout(() => console.log('not reached'), 50);
