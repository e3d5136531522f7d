// expect: deadline
// SPDX-License-Identifier: Apache-2.0
new Uint32Array(2 ** 20).sort(() => { for (;;); })
