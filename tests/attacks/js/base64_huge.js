// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const s = btoa('a'.repeat(2 ** 22)); for (;;) { atob(s); btoa(s) }
