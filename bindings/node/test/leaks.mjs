// SPDX-License-Identifier: Apache-2.0
// leaks.mjs COUNT: does everything COUNT times, well and badly. tests/integration/bindings.py runs it under valgrind, and
// expects that nothing is left COUNT times.
import assert from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import * as curfew from 'curfew';

const limits = { timeout: '5m', grace: '10ms' };
const WAITS = 'new Promise((resolve) => setTimeout(resolve, 1e9))';
const outcomeOf = async running => (await running).outcome;

async function runAll(engine) {
	const program = engine.program('export default (x) => { console.log(x); curfew.progress(x); return { x } }');
	const events = [];
	const report = await program.run({
		params: [1],
		onEvent: event => events.push(event),
		limits,
		user: 'me',
		secrets: { key: 'a secret value' },
		env: { A: 'b' },
		files: { a: 'text', 'b/c': Buffer.from('bytes') },
		timezone: 'Europe/Berlin',
		stdin: 'text',
	});
	assert.deepEqual([report.value, events.length], [{ x: 1 }, 2]);
	const raising = () => {
		throw new Error('raised');
	};
	await assert.rejects(program.run({ params: [1], onEvent: raising, limits }), /raised/);
	await assert.rejects(program.run({ limits: { tiemout: '1s' } }), { code: 'INVALID' });
	await assert.rejects(program.run({ params: [1n] }), TypeError);
	await assert.rejects(program.run({ timezone: 'Nowhere' }), { code: 'INVALID' });
	assert.equal(await outcomeOf(engine.program('null.x').run({ limits })), 'threw');
	await assert.rejects(engine.program('(').compile(), { code: 'BAD_PROGRAM' });
	assert.throws(() => engine.load(Buffer.from('no image')), { code: 'BAD_IMAGE' });
	assert.equal(await outcomeOf(engine.load(program.save()).run({ params: [2], limits })), 'ok');
	assert.equal((await program.inspect()).kind, 'js');
	assert.deepEqual(program.runSync({ params: [2], limits }).value, { x: 2 });

	const functions = {
		next: x => x + 1,
		fail: raising,
		wrong: () => 1n,
		promised: async x => x,
		later: { call: x => setImmediate(x), async: true },
		never: { call: () => new Promise(() => called()), async: true },
	};
	let called;
	const isCalled = new Promise(resolve => {
		called = resolve;
	});
	// The add-on keeps what its open calls used, for further ones. So here only one is open at once.
	const answers = {
		"let n = host.next(1); for (const name of ['fail', 'wrong']) try { host[name]() } catch { n++ }; return n": 4,
		'return await host.promised(1)': 1,
		'return await host.later(3)': 3,
	};
	for (const [body, answer] of Object.entries(answers)) {
		const calls = engine.program(`export default async () => { ${body} }`, { functions });
		assert.equal((await calls.run({ limits })).value, answer);
		await collect();
	}
	assert.throws(() => engine.program('1', { functions: { 'not a name': raising } }), { code: 'INVALID' });
	const forever = engine.program('host.never()', { functions }).start({ limits });
	await isCalled;
	forever.cancel();
	assert.equal(await outcomeOf(forever.done), 'cancelled');

	const run = engine.program('for (;;);').start({ limits }); // its program is collected
	globalThis.gc();
	assert(run.usage().wallNs >= 0);
	run.cancel();
	assert.equal(await outcomeOf(run.done), 'cancelled');
	const controller = new AbortController();
	const waiting = engine.program(WAITS).run({ limits, signal: controller.signal });
	controller.abort();
	assert.equal(await outcomeOf(waiting), 'cancelled');
	const seen = program.start({ params: [5], limits, events: true });
	for await (const event of seen.events()) events.push(event);
	assert.equal(events.length, 4);

	const session = program.session({ limits });
	assert.deepEqual((await session.call(null, [3])).value, { x: 3 });
	session.reset();
	assert.equal(await outcomeOf(session.eval('null.x')), 'threw');
	await assert.rejects(session.call(null, [3n]), TypeError);
	session.totals();
}

/** Collects what is not in use any more, and lets its finalizers run. */
async function collect() {
	for (let i = 0; i < 4; i++) {
		globalThis.gc();
		await setImmediate();
	}
}

if (isMainThread) {
	for (let i = Number(process.argv[2]); i > 0; i--) {
		await runAll(new curfew.Engine({ threads: 1 }));
		// An environment of its own, which ends with a run in progress.
		const worker = new Worker(new URL(import.meta.url));
		await new Promise(resolve => worker.once('message', resolve));
		await worker.terminate();
		await collect();
	}
	await collect();
} else {
	new curfew.Engine({ threads: 1 }).program('for (;;);').start({ limits });
	parentPort.postMessage('runs');
	await new Promise(() => {});
}
