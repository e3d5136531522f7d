// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s
// outcome: deadline
// stop.mode: cooperative
// stdout: 1 TimeoutError
// stdout: 2
// value: null
const waiting = setInterval(() => {}, 10);
curfew.signal.addEventListener('abort', () => { console.log(1, curfew.signal.reason.name); clearInterval(waiting); });
curfew.signal.addEventListener('abort', () => console.log(2));
undefined;
