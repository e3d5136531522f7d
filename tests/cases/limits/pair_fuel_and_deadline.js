// SPDX-License-Identifier: Apache-2.0
// args: --fuel 10M --timeout 10s
// outcome: fuel
// tripped: fuel
// limits.timeout_us: 10000000
for (;;);
