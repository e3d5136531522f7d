// SPDX-License-Identifier: Apache-2.0
// A program that never yields reads the signal, and ends by itself within the grace.
// args: --timeout 400ms --grace 5s
// outcome: deadline
// value: ["TimeoutError",23,true,true]
// stop.mode: cooperative
const follower = AbortSignal.any([new AbortController().signal, curfew.signal]);
while (!curfew.signal.aborted);
let thrown;
try {
	curfew.signal.throwIfAborted();
} catch (error) {
	thrown = error;
}
[thrown.name, thrown.code, thrown === curfew.signal.reason, follower.aborted];
