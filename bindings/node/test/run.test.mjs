// SPDX-License-Identifier: Apache-2.0
// Tests runs, reports, host functions and sessions through the public API.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as curfew from 'curfew';

const FOREVER = { timeout: '10m' };
const SHORT = { timeout: 100 };
const ADD = '(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))';

test('the first line of the README', async () => {
	assert.equal((await curfew.run('6 * 7')).value, 42);
	assert.equal(curfew.runSync('6 * 7').value, 42);
});

test('require and import are the same package', () => {
	assert.equal(createRequire(import.meta.url)('curfew').Engine, curfew.Engine);
});

test('a report has all that the JSON has', async () => {
	const report = await curfew.run("console.log('hi'); console.error('oh'); curfew.checkpoint({ done: 1 }); null.x");
	assert.deepEqual([report.outcome, report.ok, report.exitCode], ['threw', false, 1]);
	assert.deepEqual([report.stdout, report.stderr, report.partial], ['hi\n', 'oh\n', { done: 1 }]);
	assert.equal(report.error.name, 'TypeError');
	assert.equal(report.error.stack[0].line, 1);
	assert.equal(report.schema, 'curfew.report/1');
	assert.throws(
		() => report.orThrow(),
		error => error instanceof curfew.ProgramFailed && error.report === report,
	);
});

test('a deadline stops what never ends', async () => {
	for (const timeout of ['100ms', 100]) {
		const report = await curfew.run('for (;;);', { limits: { timeout } });
		assert.deepEqual([report.outcome, report.tripped, report.exitCode], ['deadline', ['deadline'], 124]);
		assert.equal(report.limits.timeout_us, 100000);
	}
	assert.equal(curfew.runSync('for (;;);', { limits: SHORT }).outcome, 'deadline');
});

test('every limit of the library has a name here', async () => {
	for (const [name, { unit, reportKey }] of Object.entries(curfew.LIMITS)) {
		const value = unit === 'duration' ? 60000 : unit === 'bytes' ? 2 ** 22 : 12345;
		const report = await curfew.run('1', { limits: { [name]: value } });
		assert.equal(report.limits[reportKey], unit === 'duration' ? 60000000 : value, name);
	}
	assert.equal((await curfew.run('1', { limits: { hostCalls: Infinity } })).limits.host_calls, null);
	assert.equal(curfew.OUTCOMES.deadline, 124);
});

test('what is wrong is an exception that names it', async () => {
	const cases = [
		[{ limits: { timeout: 0 } }, /timeout/],
		[{ limits: { timeout: '10' } }, /timeout/],
		[{ limits: { memory: 1.5 } }, /memory/],
		[{ limits: { fuel: -1 } }, /fuel/],
		[{ limits: { timeout: NaN } }, /timeout/],
		[{ limits: { tiemout: 1 } }, /no limit tiemout/],
		[{ limits: 7 }, /limits/],
		[{ params: '[1]' }, /params/],
		[{ params: [1n] }, /params/],
		[{ call: 7 }, /call/],
		[{ call: 'a\0b' }, /NUL/],
		[{ allowFetch: 'example.com' }, /allowFetch/],
		[{ allowFetch: ['http://example.com'] }, /http/],
		[{ secretFor: ['example.com:X-Key={A}'] }, /no secret A/],
		[{ secrets: { 'not a name': 'x' } }, /name/],
		[{ language: 'python' }, /language/],
		[{ unknown: 1 }, /no option unknown/],
		[{ name: 3 }, /name/],
		[{ functions: { f: 3 } }, /host function f/],
		[{ functions: { 'not a name': () => 1 } }, /name/],
		[{ functions: { f: { call: () => 1, type: 'x->' } } }, /type/],
		[{ stdin: {} }, /stdin/],
		[{ files: { a: 1 } }, /files/],
		[{ files: { '../a': '' } }, /relative path/],
		[{ timezone: 'Mars/Olympus' }, /time zone/],
		[{ onEvent: 1 }, /onEvent/],
	];
	for (const [options, words] of cases)
		await assert.rejects(
			curfew.run('export default () => 1', options),
			error => words.test(error.message) && (error instanceof TypeError || error.code === 'INVALID'),
			JSON.stringify(String(words)),
		);
	assert.throws(() => curfew.program(7), TypeError);
	assert.throws(() => curfew.runSync('1', { events: true }), /events/);
	assert.throws(() => new curfew.Engine({ threads: -1 }), /threads/);
});

test('parameters and calls', async () => {
	const program = curfew.program('export default (a, b) => a + b; export const twice = (x) => x * 2;');
	assert.equal((await program.run({ params: ['ü', '☃'] })).value, 'ü☃');
	assert.equal((await program.run({ params: [21], call: 'twice' })).value, 42);
	assert.equal((await program.run({ call: 'nothing' })).outcome, 'bad_program');
});

test('WebAssembly, images, files', async context => {
	const engine = new curfew.Engine();
	const program = engine.program(ADD, { language: 'wat' });
	await program.compile();
	assert.equal(program.kind, 'module');
	assert.equal((await engine.load(program.save()).run({ call: 'add', params: [40, 2] })).value, 42);
	assert.equal((await program.inspect()).exports[0].name, 'add');
	await assert.rejects(
		engine.program(Buffer.from('\0asm\x01\0\0\0\xff', 'latin1')).compile(),
		error => error.code === 'BAD_PROGRAM' && error.report.outcome === 'bad_program',
	);
	assert.throws(() => engine.load(Buffer.from('no image')), { code: 'BAD_IMAGE' });

	const directory = mkdtempSync(join(tmpdir(), 'curfew-test-'));
	context.after(() => rmSync(directory, { recursive: true }));
	writeFileSync(join(directory, 'lib.mjs'), 'export const answer = 42;');
	writeFileSync(join(directory, 'main.mjs'), "import { answer } from './lib.mjs'; export default () => answer;");
	assert.equal((await curfew.run(pathToFileURL(join(directory, 'main.mjs')))).value, 42);
	await assert.rejects(curfew.run(pathToFileURL(join(directory, 'gone.mjs'))), { code: 'ENOENT' });
});

test('a secret for requests is a placeholder', async () => {
	const secrets = { TOKEN: 'hunter2-hunter2' };
	const report = await curfew.run("secrets.get('TOKEN')", { secrets, secretFor: ['example.com:X-Key={TOKEN}'] });
	assert.equal(report.value, '[secret TOKEN]');
});

test('secrets are given and taken out', async () => {
	const report = await curfew.run("console.log(secrets.get('TOKEN')); secrets.get('TOKEN').length", {
		secrets: { TOKEN: 'hunter2-hunter2' },
	});
	assert.equal(report.value, 15);
	assert.ok(!report.stdout.includes('hunter2'));
});

test('standard input reaches WASI', async () => {
	const echo = `(module
	  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
	  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
	  (memory (export "memory") 1)
	  (func (export "_start")
	    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
	    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
	    (i32.store (i32.const 4) (i32.load (i32.const 16)))
	    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))`;
	assert.equal(
		(
			await curfew.run(echo, {
				language: 'wat',
				stdin: 'from Node',
				env: { A: 'b' },
				args: ['c'],
				dirs: [{ host: tmpdir(), guest: '/tmp' }],
			})
		).stdout,
		'from Node',
	);
});

test('import maps, languages, and the globals of Node', async () => {
	const importDir = mkdtempSync(join(tmpdir(), 'curfew-node-'));
	try {
		writeFileSync(join(importDir, 'lib.mjs'), 'export const answer = 42;');
		const source = "import { answer } from '#lib'; export default answer;";
		for (const importMap of [{ imports: { '#lib': './lib.mjs' } }, '{"imports": {"#lib": "/lib.mjs"}}'])
			assert.equal((await curfew.run(source, { importDir, importMap })).value, 42);
		await assert.rejects(curfew.run(source, { importDir, importMap: { imports: [] } }), /imports: must be an object/);
		await assert.rejects(curfew.run(source, { importMap: 1 }), TypeError);
	} finally {
		rmSync(importDir, { recursive: true });
	}
	assert.equal((await curfew.run('enum A { B = 6 } const x: number = A.B; x', { language: 'ts' })).value, 6);
	const globals = 'typeof Buffer + typeof process';
	assert.equal((await curfew.run(globals, { node: true })).value, 'functionobject');
	assert.equal(curfew.runSync(globals).value, 'undefinedundefined');
});

test('imports of a file are relative to it', async () => {
	const importDir = mkdtempSync(join(tmpdir(), 'curfew-node-'));
	try {
		mkdirSync(join(importDir, 'app'));
		writeFileSync(join(importDir, 'lib.mjs'), 'export const answer = 42;');
		const path = join(importDir, 'app', 'main.mjs');
		writeFileSync(path, "import { answer } from '../lib.mjs'; export default answer;");
		const program = pathToFileURL(path);
		for (const directory of [importDir, join(importDir, 'app', '..'), `${importDir}/`]) {
			const report = await curfew.run(program, { importDir: directory });
			assert.equal(report.value, 42);
			assert.equal(report.program.name, 'app/main.mjs');
		}
		assert.equal((await curfew.run(program)).outcome, 'bad_program');
		await assert.rejects(curfew.run(pathToFileURL(join(importDir, 'lib.mjs')), { importDir: join(importDir, 'app') }), {
			code: 'INVALID',
			message: /it must hold/,
		});
	} finally {
		rmSync(importDir, { recursive: true });
	}
});

test('files, environment and time zone', async () => {
	const source = `export default [await curfew.files['a.txt'].text(), (await curfew.files['b/c'].bytes())[1], curfew.env.A,
		new Date(0).getHours(), await new Response(curfew.stdin).text()]`;
	const options = {
		files: { 'a.txt': 'ä', 'b/c': new Uint8Array([0, 255]) },
		env: { A: 'b' },
		timezone: 'Asia/Kolkata',
		stdin: 'in',
	};
	assert.deepEqual((await curfew.run(source, options)).value, ['ä', 255, 'b', 5, 'in']);
});

test('an AbortSignal cancels the run', async () => {
	const aborting = new AbortController();
	setTimeout(() => aborting.abort(), 50);
	assert.equal((await curfew.run('for (;;);', { limits: FOREVER, signal: aborting.signal })).outcome, 'cancelled');
	assert.equal((await curfew.run('for (;;);', { limits: FOREVER, signal: aborting.signal })).outcome, 'cancelled');
	const run = curfew.program('for (;;);').start({ limits: FOREVER });
	assert.ok(run.usage().wallNs >= 0);
	run.cancel();
	assert.equal((await run.done).outcome, 'cancelled');
	run.cancel();
});

test('events as they come', async () => {
	const program = curfew.program(
		"console.log('one'); curfew.progress({ at: 1 }); curfew.checkpoint([2]); console.error('two');",
	);
	const seen = [];
	await program.run({ onEvent: event => seen.push(event) });
	const expected = [
		['stdout', 'one\n'],
		['progress', { at: 1 }],
		['checkpoint', [2]],
		['stderr', 'two\n'],
	];
	const shown = events => events.map(({ kind, data }) => [kind, Buffer.isBuffer(data) ? data.toString() : data]);
	assert.deepEqual(shown(seen), expected);
	const streamed = [];
	for await (const event of program.start({ events: true }).events()) streamed.push(event);
	assert.deepEqual(shown(streamed), expected);
	await assert.rejects(
		curfew.run('curfew.progress(1); for (;;);', {
			limits: FOREVER,
			onEvent() {
				throw new RangeError('not this one');
			},
		}),
		RangeError,
	);
});

test('one run too many is refused', async () => {
	const engine = new curfew.Engine({ maxRuns: 1 });
	const program = engine.program('new Promise((resolve) => setTimeout(resolve, 1e6))');
	const run = program.start({ limits: FOREVER });
	await assert.rejects(program.run(), { code: 'OVERLOADED' });
	run.cancel();
	await run.done;
});

test('host functions, by JSON', async () => {
	const functions = {
		keep: (...values) => ({ got: values }),
		nothing() {},
		fail() {
			throw new RangeError('no such row');
		},
		odd: () => 1n,
		later: async x => x * 2,
		lateFailure: async () => {
			throw new Error('not today');
		},
		promised: x => new Promise(resolve => setTimeout(() => resolve(x + 1), 5)),
	};
	const source = `export default async () => [
		host.keep(1, 'ü', [null]), typeof host.nothing(), (() => { try { host.fail() } catch (e) { return e.message } })(),
		(() => { try { host.odd() } catch (e) { return 'refused' } })(), await host.later(21), await host.lateFailure().catch((e) => e.message), host.promised(1)]`;
	assert.deepEqual((await curfew.run(source, { functions })).orThrow().value, [
		{ got: [1, 'ü', [null]] },
		'undefined',
		'RangeError: no such row',
		'refused',
		42,
		'Error: not today',
		2,
	]);
});

test('what a function throws may be anything', async () => {
	const functions = {
		bare() {
			throw Object.create(null);
		},
		symbol() {
			throw Symbol('s');
		},
		nothing() {
			throw undefined;
		},
		async later() {
			throw Object.create(null);
		},
		then: () => ({
			then() {
				throw new RangeError('no promise');
			},
		}),
	};
	const source = `const caught = f => { try { return f() } catch (e) { return e.message } };
		export default [caught(() => host.bare()), caught(() => host.symbol()), caught(() => host.nothing()),
			await host.later().catch(e => e.message), caught(() => host.then())]`;
	const report = await curfew.run(source, { functions });
	const bare = 'what the function threw has no text';
	assert.deepEqual(report.orThrow().value, [bare, 'Symbol(s)', 'undefined', bare, 'RangeError: no promise']);
});

test('values that are deep, large, empty or no Unicode go there and back', async () => {
	const deep = 'const deep = n => { let a = 1; while (n-- > 0) a = [a]; return a; };';
	const report = await curfew.run(`${deep} curfew.checkpoint(deep(2000)); deep(2000)`);
	assert.ok(JSON.stringify(report.value) === JSON.stringify(report.partial) && report.value[0][0][0] !== undefined);
	const same = curfew.program('export default (...values) => values');
	const values = [2 ** 53, 1e308, -0.5, '', '\ud800', '\0', [], {}, null];
	assert.deepEqual((await same.run({ params: values })).value, values);
	const cycle = {};
	cycle.self = cycle;
	await assert.rejects(same.run({ params: [cycle] }), /params has no JSON/);
	const add = curfew.program('(module (func (export "f") (param i64) (result i64) local.get 0 i64.const 1 i64.add))', {
		language: 'wat',
	});
	assert.match((await add.run({ call: 'f', params: [2 ** 53] })).orThrow().id, /^\w{26}$/);
	assert.equal((await curfew.run('curfew.files.a.size', { files: { a: new Uint8Array(0) } })).outcome, 'ok');
});

test('brief runs that are awaited one after the other leave the event loop its turns', async () => {
	const program = await curfew.program('export default x => x + 1').compile();
	let fired = false;
	setTimeout(() => (fired = true), 20);
	let runs = 0;
	for (; !fired && runs < 1e6; runs++) assert.equal((await program.run({ params: [runs] })).value, runs + 1);
	assert.ok(fired && runs > 0, `${runs} runs`);
	const run = program.start({ params: [1] });
	assert.equal((await run.done).value, 2);
	assert.ok(run.usage().wallNs > 0);
	run.cancel();
});

test('a function that answers a promise lets others have their turn', async () => {
	const seen = [];
	const functions = {
		later: x => new Promise(resolve => setTimeout(() => resolve(x * 2), 5)),
		now: x => (seen.push(x), x),
		fails: () => Promise.reject(new RangeError('not today')),
	};
	const text =
		"let s = 0; for (let i = 0; i < 5; i++) s += host.later(i) + host.now(i); try { host.fails() } catch (e) { s + ' ' + e.message }";
	const reports = await Promise.all([1, 2, 3].map(() => curfew.run(text, { functions })));
	for (const report of reports) assert.equal(report.orThrow().value, '30 RangeError: not today');
	assert.equal(seen.length, 15);
});

test('host functions, typed', async () => {
	const source = `(module (import "env" "mix" (func $mix (param i32 i64 f64) (result f64)))
	  (func (export "f") (result f64) (call $mix (i32.const -1) (i64.const 9007199254740993) (f64.const 0.5))))`;
	const seen = [];
	const mix = { module: 'env', type: 'iIF->F', call: (...values) => (seen.push(values), values[2] * 2) };
	assert.equal((await curfew.run(source, { language: 'wat', call: 'f', functions: { mix } })).value, 1);
	assert.deepEqual(seen, [[-1, 9007199254740993n, 0.5]]);
	assert.equal(
		(await curfew.run(source, { language: 'wat', call: 'f', functions: { mix: { ...mix, call: () => 'x' } } })).outcome,
		'trapped',
	);
});

test('a call that is never answered outlives no deadline', async () => {
	const functions = {
		hang: () => new Promise(() => {}),
		hangAsync: { async: true, call: () => new Promise(() => {}) },
	};
	for (const source of ['host.hang()', 'host.hangAsync()']) {
		const began = Date.now();
		assert.equal((await curfew.run(source, { functions, limits: SHORT })).outcome, 'deadline');
		assert.ok(Date.now() - began < 20000);
	}
});

test('calls of many runs at once', async () => {
	const program = curfew.program(
		'export default (x) => { let s = 0; for (let i = 0; i < 50; i++) s = host.add(s, x); return s; }',
		{ functions: { add: (a, b) => a + b } },
	);
	const reports = await Promise.all(Array.from({ length: 20 }, (_, x) => program.run({ params: [x] })));
	assert.deepEqual(
		reports.map(report => report.value),
		Array.from({ length: 20 }, (_, x) => 50 * x),
	);
});

test('many wait at once and are all cancelled', async () => {
	const engine = new curfew.Engine();
	const program = engine.program('new Promise((resolve) => setTimeout(resolve, 1e6))');
	const aborting = new AbortController();
	const running = Array.from({ length: 500 }, () => program.run({ limits: FOREVER, signal: aborting.signal }));
	aborting.abort();
	assert.ok((await Promise.all(running)).every(report => report.outcome === 'cancelled'));
	assert.equal(engine.stats().runsActive, 0);
});

test('sessions', async () => {
	const session = curfew
		.program('let n = 0; function inc(by) { n += by; return n; } function spin() { for (;;); }')
		.session({ limits: { loops: '100M' } });
	assert.equal((await session.call('inc', [2])).value, 2);
	assert.equal((await session.call('inc', [3])).value, 5);
	assert.equal((await session.eval('const twice = n * 2; twice', { name: 'cell' })).value, 10);
	assert.equal(session.totals().calls, 3);
	const spinning = session.call('spin', [], { limits: FOREVER, signal: AbortSignal.timeout(50) });
	await assert.rejects(session.call('inc', [1]), { code: 'IN_USE' });
	assert.equal((await spinning).outcome, 'cancelled');
	session.reset();
	assert.equal((await session.call('inc', [1])).value, 1);
	for (let i = 0; i < 20; i++) {
		// also if it is aborted before a thread has begun the call
		const aborting = new AbortController();
		const aborted = session.call('spin', [], { limits: FOREVER, signal: aborting.signal });
		aborting.abort();
		assert.equal((await aborted).outcome, 'cancelled');
		session.reset();
	}

	const cancelled = session.call('spin', [], { limits: FOREVER });
	session.cancel();
	assert.equal((await cancelled).outcome, 'cancelled');

	const module = curfew.program('(module (func (export "trap") unreachable))', { language: 'wat' }).session();
	assert.equal((await module.call('trap')).outcome, 'trapped');
	assert.equal(module.usable, false);
	await assert.rejects(module.call('trap'), { code: 'UNUSABLE' });
});

test('a cancelled call of a session has its grace', async () => {
	// Longer than the time after which the cancel of a call that has not begun yet is tried again.
	const text = `export const f = async () => {
		host.begun();
		const signal = curfew.signal;
		if (!signal.aborted) await new Promise((end) => signal.addEventListener('abort', end));
		await new Promise((end) => setTimeout(end, 50));
		return 'ended well';
	}`;
	let begin;
	const session = curfew.program(text, { language: 'mjs', functions: { begun: () => begin() } }).session();
	for (let i = 0; i < 5; i++) {
		const begun = new Promise(resolve => {
			begin = resolve;
		});
		const aborting = new AbortController();
		const waiting = session.call('f', [], { limits: { timeout: '10m', grace: '10m' }, signal: aborting.signal });
		await begun;
		aborting.abort();
		const report = await waiting;
		assert.deepEqual([report.outcome, report.value], ['cancelled', 'ended well']);
	}
});

test('a session is in use from the moment of the call', async () => {
	const session = curfew.program('let n = 0; function inc() { return ++n; }').session();
	// Parsing this text takes longer than another call, which would otherwise end first.
	const first = session.eval(`/*${'x'.repeat(2 ** 24 - 100)}*/ inc()`);
	await assert.rejects(session.call('inc'), { code: 'IN_USE' });
	assert.throws(() => session.reset(), { code: 'IN_USE' });
	assert.equal((await first).outcome, 'ok');
	assert.equal((await session.call('inc')).value, 2);
});

test('a worker has an engine of its own, and ends with runs going on', async () => {
	const code = `const curfew = require('curfew'); const { parentPort } = require('worker_threads');
		curfew.run('6 * 7').then((report) => { curfew.program('host.tick(); for (;;) host.tick()', { functions: { tick() {} } }).start({ limits: { timeout: '10m', hostCalls: Infinity } }); parentPort.postMessage(report.value); setTimeout(() => process.exit(), 50); });`;
	const path = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, `worker-${process.pid}.cjs`);
	writeFileSync(path, code);
	const worker = new Worker(path);
	try {
		assert.equal(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)), 42);
		await new Promise(resolve => worker.once('exit', resolve));
	} finally {
		const { rmSync } = await import('node:fs');
		rmSync(path);
	}
});

function inNode(code) {
	return spawnSync(process.execPath, ['--input-type=module', '-e', code], {
		encoding: 'utf8',
		timeout: 300000,
		cwd: new URL('.', import.meta.url),
	});
}

test('the process ends with runs, sessions and calls going on', () => {
	const done = inNode(`import * as curfew from 'curfew';
		const limits = { timeout: '10m', hostCalls: Infinity };
		for (let i = 0; i < 4; i++) curfew.run('for (;;) host.tick();', { limits, functions: { tick() {} } });
		curfew.run('await host.hang()', { limits, functions: { hang: () => new Promise(() => {}) } });
		curfew.program('function f() { for (;;); }').session().call('f', [], { limits });
		await new Promise((resolve) => setTimeout(resolve, 100));
		console.log('end');
		process.exit(3);`);
	assert.deepEqual([done.status, done.stdout, done.stderr], [3, 'end\n', '']);
});

test('a run keeps the process alive, and nothing else does', () => {
	const done = inNode(
		`import * as curfew from 'curfew'; curfew.defaultEngine(); curfew.run('new Promise((r) => setTimeout(() => r(1), 100))').then((report) => console.log(report.value));`,
	);
	assert.deepEqual([done.status, done.stdout, done.stderr], [0, '1\n', '']);
});

test('handles are collected in any order', () => {
	const done = spawnSync(
		process.execPath,
		[
			'--expose-gc',
			'--input-type=module',
			'-e',
			`import * as curfew from 'curfew';
		for (let i = 0; i < 50; i++) { const engine = i % 10 ? undefined : new curfew.Engine(); (engine ?? curfew).run('for (;;);', { limits: { timeout: 20 } }); gc(); }
		await new Promise((resolve) => setTimeout(resolve, 200)); gc(); console.log('alive');`,
		],
		{ encoding: 'utf8', timeout: 300000, cwd: new URL('.', import.meta.url) },
	);
	assert.deepEqual([done.status, done.stdout], [0, 'alive\n'], done.stderr);
});

test('nothing is left of runs, calls and functions', () => {
	const done = spawnSync(
		process.execPath,
		[
			'--expose-gc',
			'--input-type=module',
			'-e',
			`import * as curfew from 'curfew';
		const functions = { add: (a, b) => a + b, later: async x => x };
		const program = curfew.program('export default async x => [host.add(x, 1), await host.later(x)]', { functions });
		async function some(count) {
			for (let i = 0; i < count; i++) {
				const { value } = await program.run({ params: [i] });
				if (value[0] !== i + 1 || value[1] !== i) throw new Error(String(value));
				await curfew.run('host.add(1, 2)', { functions: { add: functions.add, kept: Buffer.alloc(1).fill.bind(Buffer.alloc(8192)) } });
				if (i % 100 === 0) { gc(); await new Promise(resolve => setTimeout(resolve, 1)); }
			}
			for (let i = 0; i < 5; i++) { gc(); await new Promise(resolve => setTimeout(resolve, 10)); }
		}
		await some(500);
		const before = process.memoryUsage.rss();
		await some(2000);
		console.log(process.memoryUsage.rss() - before);`,
		],
		{ encoding: 'utf8', timeout: 300000, cwd: new URL('.', import.meta.url) },
	);
	assert.equal(done.status, 0, done.stderr);
	assert.ok(Number(done.stdout) < 16 << 20, `${done.stdout} bytes more`);
});
