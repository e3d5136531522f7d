// SPDX-License-Identifier: Apache-2.0
// With a fuel limit the deadline holds as well.
// args: --fuel 1000G --timeout 100ms
// outcome: deadline
// tripped: deadline
// used.fuel: > 1000000
for (;;);
