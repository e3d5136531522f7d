// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s
// outcome: deadline
// stop.mode: cooperative
// value: "TimeoutError"
new Promise(go => curfew.signal.addEventListener('abort', () => go(curfew.signal.reason.name)));
setTimeout(() => {}, 50);
const ended = new Promise(go => curfew.signal.addEventListener('abort', () => setTimeout(go, 5, curfew.signal.reason.name)));
ended;
