// expect: deadline
// SPDX-License-Identifier: Apache-2.0
setTimeout(() => {}, { valueOf() { for (;;); } })
