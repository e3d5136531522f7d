// SPDX-License-Identifier: Apache-2.0
// args: --fuel 5M
// outcome: fuel
// tripped: fuel
// limits.fuel: 5000000
// used.fuel: >= 4000000
// frames: <anonymous> fuel.js:8:*
for (;;);
