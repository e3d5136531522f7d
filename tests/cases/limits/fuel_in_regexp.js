// SPDX-License-Identifier: Apache-2.0
// args: --fuel 20M
// outcome: fuel
// frames: exec native | test native | <anonymous> fuel_in_regexp.js:5:*
/^(a+)+$/.test('a'.repeat(60) + '!');
