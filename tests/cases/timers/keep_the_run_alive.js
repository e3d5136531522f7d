// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: "value"
// stdout: later
// used.wall_us: >= 39000
setTimeout(() => console.log('later'), 40);
'value';
