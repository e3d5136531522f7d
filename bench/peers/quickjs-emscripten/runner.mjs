// SPDX-License-Identifier: Apache-2.0
// Runner for quickjs-emscripten, with an interrupt handler like that of an embedder. Reads one command per line and
// answers each with one line of JSON. "speed FILE" runs a program once in a new runtime. "fresh COUNT" makes that many
// runs of x => x + 1, each in a new runtime.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { getQuickJS, shouldInterruptAfterDeadline } from 'quickjs-emscripten';

const quickjs = await getQuickJS();
const now = () => process.hrtime.bigint();

function inFreshContext(use) {
	const runtime = quickjs.newRuntime();
	runtime.setMemoryLimit(1 << 30);
	runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + 60000));
	const context = runtime.newContext();
	try {
		return use(context);
	} finally {
		context.dispose();
		runtime.dispose();
	}
}

function speed(path) {
	const text = readFileSync(path, 'utf8');
	const start = now();
	return inFreshContext(context => {
		const value = context.unwrapResult(context.evalCode(text, path)).consume(context.dump);
		return { ns: Number(now() - start), value: String(value) };
	});
}

function fresh(count) {
	const samples = [];
	for (let i = 0; i < count; i++) {
		const start = now();
		const value = inFreshContext(context => {
			const add = context.unwrapResult(context.evalCode('(x => x + 1)'));
			const argument = context.newNumber(i);
			const result = context.unwrapResult(context.callFunction(add, context.undefined, argument));
			const number = context.getNumber(result);
			for (const handle of [result, argument, add]) handle.dispose();
			return number;
		});
		samples.push(Number(now() - start));
		if (value !== i + 1) throw new Error(`${i} + 1 gave ${value}`);
	}
	return { samples_ns: samples };
}

for await (const line of createInterface({ input: process.stdin })) {
	const [, verb, argument] = /^(\S+) (.*)$/.exec(line);
	let reply;
	try {
		reply = verb === 'speed' ? speed(argument) : fresh(Number(argument));
	} catch (error) {
		reply = { error: String(error.message) };
	}
	console.log(JSON.stringify(reply));
}
