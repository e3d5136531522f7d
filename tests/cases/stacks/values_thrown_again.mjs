// SPDX-License-Identifier: Apache-2.0
// A value that a finally or a for await lets go on is where it was thrown.
// outcome: threw
// frames: thrower values_thrown_again.mjs:9:22 | cleans values_thrown_again.mjs:20:10 | awaits values_thrown_again.mjs:28:15 | <anonymous> values_thrown_again.mjs:33:1
function thrower(really) {
	try {
		try {
			really.x;
			if (really) throw 'bad';
			thrower(false);
		} finally {
			really = 0;
		}
	} finally {
		really = 1;
	}
}
function cleans() {
	try {
		return thrower(true);
	} finally {
		try { thrower({ get x() { throw new Error('other'); } }); } catch { /* is another */ }
	}
}
async function awaits() {
	for await (const value of [1]) {
		try {
			if (value) cleans();
			cleans(value);
		} finally { await value; }
	}
}
await awaits();
