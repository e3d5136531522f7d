// SPDX-License-Identifier: Apache-2.0
// A grace without a listener has no effect.
// args: --timeout unlimited --grace 10s
// outcome: unsettled
// frames: <anonymous> grace_without_listener.mjs:9:*
const listener = () => {};
curfew.signal.addEventListener("abort", listener);
await null; curfew.signal.removeEventListener("abort", listener);
await new Promise(() => {});
