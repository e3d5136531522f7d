// SPDX-License-Identifier: Apache-2.0
// The class of an object that is thrown and is no Error is reported, as in Node.
// outcome: threw
// error.name: Refusal
// error.message: not today
function Refusal(message) {
	this.message = message;
}
throw new Refusal('not today');
