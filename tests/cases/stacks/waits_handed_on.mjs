// SPDX-License-Identifier: Apache-2.0
// `return promise` and then() pass a promise on: the function that awaits the outer one awaits the inner one.
// args: --timeout 400ms
// outcome: deadline
// frames: inner waits_handed_on.mjs:7:* | outer waits_handed_on.mjs:13:* | <anonymous> waits_handed_on.mjs:15:*
async function inner() {
	await new Promise((done) => setTimeout(done, 1e8));
}
async function middle() {
	return inner();
}
async function outer() {
	return 1 + await middle().then((value) => value * 2).finally(() => {});
}
await outer();
