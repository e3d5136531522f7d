// SPDX-License-Identifier: Apache-2.0
// Cancels a run by an AbortSignal.
import * as curfew from 'curfew';

const report = await curfew.run('for (;;);', { limits: { timeout: '30s' }, signal: AbortSignal.timeout(100) });
console.log(report.outcome);
