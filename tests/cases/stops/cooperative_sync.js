// SPDX-License-Identifier: Apache-2.0
// Within the grace a program may end by itself, and then its value counts.
// args: --timeout 400ms --grace 10s
// outcome: deadline
// tripped: deadline
// stop.mode: cooperative
// value: {"reason":"TimeoutError","kept":true}
let n = 0;
while (!curfew.signal.aborted) n++;
({ reason: curfew.signal.reason.name, kept: n > 0 });
