// expect: threw stack deadline memory
// SPDX-License-Identifier: Apache-2.0
new RegExp('('.repeat(1e6) + ')'.repeat(1e6)).test('a')
