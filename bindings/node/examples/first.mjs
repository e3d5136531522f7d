// SPDX-License-Identifier: Apache-2.0
// Runs a program, and shows the report of one that never ends.
import * as curfew from 'curfew';

console.log((await curfew.run('6 * 7')).value);
const report = await curfew.run('for (;;);', { limits: { timeout: '500ms' } });
console.log(report.outcome, 'at line', report.error.stack[0].line);
