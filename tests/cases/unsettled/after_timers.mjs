// SPDX-License-Identifier: Apache-2.0
// Timers are awaited, even unreferenced ones, because they may settle something.
// outcome: unsettled
// stdout: timer
// stdout: signal
// frames: <anonymous> after_timers.mjs:9:*
setTimeout(() => console.log("timer"), 20);
AbortSignal.timeout(40).addEventListener("abort", () => console.log("signal"));
await new Promise(() => {});
