// SPDX-License-Identifier: Apache-2.0
// args: --fuel 1G --loops 1000
// outcome: loops
// used.loops: 1000
// used.fuel: > 1000
for (;;);
