// SPDX-License-Identifier: Apache-2.0
// Keeps the results that a program had when its time was up, and follows its progress.
import * as curfew from 'curfew';

const program = curfew.program(`
	let done = 0;
	while (!curfew.signal.aborted) {
		done += 1;
		if (done % 1000 === 0) curfew.checkpoint({ done });
		if (done === 1000) curfew.progress('begun');
	}
	({ done: done > 0, finished: false })
`);
const limits = { timeout: '1s', grace: '1s', hostCalls: Infinity };
const report = await program.run({ limits, onEvent: ({ kind, data }) => kind === 'progress' && console.log(data) });
console.log(report.outcome, report.stop.mode, report.value, report.partial.done >= 1000);
