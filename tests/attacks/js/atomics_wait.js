// expect: threw
// SPDX-License-Identifier: Apache-2.0
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
