// SPDX-License-Identifier: Apache-2.0
// A waiting program receives the event, once.
// args: --timeout 400ms --grace 5s
// outcome: deadline
// stop.mode: cooperative
// stdout: abort TimeoutError true
// stdout: follower TimeoutError
// value: "saved"
const forever = setInterval(() => { }, 1000);
AbortSignal.any([curfew.signal]).onabort = (event) => console.log('follower', event.target.reason.name);
const ended = new Promise((resolve) => {
	curfew.signal.addEventListener('abort', (event) => {
		console.log(event.type, curfew.signal.reason.name, event.isTrusted);
		clearInterval(forever);
		resolve('saved');
	});
});
ended;
