// SPDX-License-Identifier: Apache-2.0
// A thousand runs that wait, in one event loop.
import * as curfew from 'curfew';

const program = curfew.program(
	'export default async (n) => { await new Promise((done) => setTimeout(done, 50)); return n; }',
);
const reports = await Promise.all(Array.from({ length: 1000 }, (_, n) => program.run({ params: [n] })));
console.log(reports.reduce((sum, report) => sum + report.value, 0));
