// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// stdout: 1 'two' [ 3 ]
// stdout: info
// stderr: error
// stderr: warn
console.log(1, `'two'`, [3]);
console.info('info');
console.error('error');
console.warn('warn');
