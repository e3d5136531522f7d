// SPDX-License-Identifier: Apache-2.0
// Measures the Node package. The commands are those of bench.py.
import { createInterface } from 'node:readline';
import * as curfew from 'curfew';

const program = await curfew.program('export default x => x + 1').compile();
const calls = await curfew
	.program('export default n => { for (let i = 0; i < n; i++) host.next(i) }', { functions: { next: i => i + 1 } })
	.compile();
const waits = await curfew.program('new Promise((resolve) => setTimeout(resolve, 1e9))').compile();
const limits = { timeout: '10m', hostCalls: Infinity };
const now = () => Number(process.hrtime.bigint());

const commands = {
	async fresh(count) {
		const samples = [];
		for (let i = 0; i < count; i++) {
			const began = now();
			await program.run({ params: [i] });
			samples.push(now() - began);
		}
		return { samples_ns: samples };
	},
	async call(count) {
		const began = now();
		(await calls.run({ params: [count], limits })).orThrow();
		return { ns: (now() - began) / count };
	},
	async waiting(count) {
		const began = now();
		const runs = Array.from({ length: count }, () => waits.start({ limits }));
		while (curfew.defaultEngine().stats().runsActive < count) await new Promise(resolve => setTimeout(resolve, 10));
		const begun = now();
		for (const run of runs) run.cancel();
		await Promise.all(runs.map(run => run.done));
		return {
			start_s: (begun - began) / 1e9,
			cancel_s: (now() - begun) / 1e9,
			rss_bytes: process.resourceUsage().maxRSS * 1024,
		};
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const [name, count] = line.split(' ');
	console.log(JSON.stringify(await commands[name](Number(count))));
}
