// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Mine
// error.message: of my own
// frames: here own_error_class.js:8:8 | <anonymous> own_error_class.js:9:1
class Mine extends TypeError { get name() { return 'Mine' } }
function here() {
	throw new Mine('of my own'); }
here();
