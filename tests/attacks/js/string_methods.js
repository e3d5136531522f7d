// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const s = 'ab\u0301'.repeat(2 ** 20)
for (;;) { s.normalize('NFKD'); s.localeCompare(s + 'a'); s.split(''); s.toUpperCase(); s.replaceAll('b', '$&$&') }
