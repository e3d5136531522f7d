// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s
// outcome: deadline
// stop.mode: cooperative
// value: "TimeoutError"
export default await new Promise((done) => curfew.signal.addEventListener("abort", () => done(curfew.signal.reason.name)));
