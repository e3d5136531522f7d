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
const waiting = [];
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
	async wait(count) {
		const began = now();
		for (let i = 0; i < count; i++) waiting.push(waits.start({ limits }));
		while (curfew.defaultEngine().stats().regionsInUse < count) await new Promise(resolve => setTimeout(resolve, 10));
		return { start_s: (now() - began) / 1e9 };
	},
	async cancel(count) {
		const began = now();
		for (const run of waiting) run.cancel();
		const reports = await Promise.all(waiting.map(run => run.done));
		while (curfew.defaultEngine().stats().regionsInUse > 0) await new Promise(resolve => setTimeout(resolve, 1));
		const taken = now() - began;
		if (reports.filter(report => report.outcome === 'cancelled').length !== count) throw new Error('other outcomes');
		return { cancel_s: taken / 1e9 };
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const [name, count] = line.split(' ');
	console.log(JSON.stringify(await commands[name](Number(count))));
}
