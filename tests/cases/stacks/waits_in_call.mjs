// SPDX-License-Identifier: Apache-2.0
// The called function is the outermost frame.
// args: --timeout 400ms --call sync
// outcome: deadline
// frames: step waits_in_call.mjs:7:* | sync waits_in_call.mjs:10:*
async function step() {
	await new Promise((done) => setInterval(() => done === 0, 10));
}
export async function sync() {
	await step();
}
