// expect: memory deadline
// SPDX-License-Identifier: Apache-2.0
[...new Array(2 ** 32 - 1)]
