// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: 2
for (const i of [0, 1, 2]) i;
