// SPDX-License-Identifier: Apache-2.0
// Told of the deadline, it waits for nothing: what is left of the grace is not waited for.
// args: --timeout 100ms --grace 1h
// outcome: deadline
// stop.cause: deadline
// frames: <anonymous> within_the_grace.mjs:8:*
await new Promise((done) => { curfew.signal.onabort = done; });
await new Promise(() => {});
