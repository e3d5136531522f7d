// SPDX-License-Identifier: Apache-2.0
// A builtin that iterates over elements and polls meanwhile.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: ...
// used.loops: > 1000
const huge = { length: 2 ** 53 - 1 };
[].forEach.call(huge, () => {});
