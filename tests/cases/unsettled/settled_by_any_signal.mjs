// SPDX-License-Identifier: Apache-2.0
// Signals that follow the run's signal count as well.
// args: --timeout 400ms --grace 10s
// outcome: deadline
// stop.mode: cooperative
// value: "TimeoutError"
const both = AbortSignal.any([new AbortController().signal, curfew.signal]);
export default await new Promise((done) => { both.onabort = () => done(both.reason.name); });
