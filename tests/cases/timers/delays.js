// SPDX-License-Identifier: Apache-2.0
// Invalid delays count as short ones.
// outcome: ok
// stdout: 0
// stdout: negative
// stdout: not a number
// stdout: none
// stdout: text
setTimeout(() => console.log(0), 0);
setTimeout(() => console.log('negative'), -5);
setTimeout(() => console.log('not a number'), NaN);
setTimeout(() => console.log('none'));
setTimeout(() => console.log('text'), '1');
undefined;
