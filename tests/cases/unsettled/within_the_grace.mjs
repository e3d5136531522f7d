// SPDX-License-Identifier: Apache-2.0
// After the deadline's event the program waits for nothing, so the run does not wait for the rest of the grace.
// args: --timeout 400ms --grace 1h
// outcome: deadline
// stop.cause: deadline
// frames: <anonymous> within_the_grace.mjs:8:*
await new Promise((done) => { curfew.signal.onabort = done; });
await new Promise(() => {});
