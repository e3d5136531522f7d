// expect: memory threw deadline
// SPDX-License-Identifier: Apache-2.0
for (const kept = []; ; ) kept.push('x'.padStart(2 ** 29, 'abc'), 'y'.repeat(2 ** 29))
