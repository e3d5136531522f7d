// SPDX-License-Identifier: Apache-2.0
// The deadline also works with a fuel limit.
// args: --fuel 1000G --timeout 400ms
// outcome: deadline
// tripped: deadline
// used.fuel: > 1000000
for (;;);
