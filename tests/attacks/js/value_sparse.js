// expect: deadline
// SPDX-License-Identifier: Apache-2.0
new Array(4e9)
