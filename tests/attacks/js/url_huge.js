// expect: deadline memory threw
// SPDX-License-Identifier: Apache-2.0
for (;;) { new URL('http://h/' + '../é?'.repeat(2 ** 18)); new URLSearchParams('&é=%ff'.repeat(2 ** 17)).sort() }
