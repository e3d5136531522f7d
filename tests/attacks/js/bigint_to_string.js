// expect: deadline
// SPDX-License-Identifier: Apache-2.0
for (;;) ((1n << 900000n) - 1n).toString()
