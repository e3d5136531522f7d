// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: hot hooks_of_errors.js:9:* | <anonymous> hooks_of_errors.js:10:1
Error.stackTraceLimit = 0;
Error.prepareStackTrace = () => 'forged';
Object.defineProperty(Error.prototype, 'stack', { get: () => 'forged' });
Function.prototype.toString = () => 'forged';
function hot() { for (;;); }
hot();
