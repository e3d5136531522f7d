// expect: memory threw
// SPDX-License-Identifier: Apache-2.0
const kept = []; for (;;) kept.push(new ArrayBuffer(2 ** 20, { maxByteLength: 2 ** 21 }).transfer(2 ** 20))
