// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const s = '('.repeat(1e6) + '1 Jan 2000'; for (;;) { Date.parse(s); new Date(8.64e15).toString() }
