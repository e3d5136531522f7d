// SPDX-License-Identifier: Apache-2.0
// Runner for Node's vm, only for fresh runs: reads "fresh COUNT" lines and answers each with one line of JSON. Every
// run has a new context. The script is compiled once.
import { createInterface } from 'node:readline';
import vm from 'node:vm';

const script = new vm.Script('(x => x + 1)');

function fresh(count) {
	const samples = [];
	for (let i = 0; i < count; i++) {
		const start = process.hrtime.bigint();
		const value = script.runInContext(vm.createContext({}), { timeout: 60000 })(i);
		samples.push(Number(process.hrtime.bigint() - start));
		if (value !== i + 1) throw new Error(`${i} + 1 gave ${value}`);
	}
	return { samples_ns: samples };
}

for await (const line of createInterface({ input: process.stdin })) {
	const [verb, argument] = line.split(' ');
	console.log(JSON.stringify(verb === 'fresh' ? fresh(Number(argument)) : { error: 'unknown command' }));
}
