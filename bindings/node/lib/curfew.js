// SPDX-License-Identifier: Apache-2.0
// The public API of the package. native/curfew.node handles only handles, text and numbers.
'use strict';

const {
	readFileSync,
	realpathSync,
	openSync,
	writeSync,
	closeSync,
	unlinkSync,
	mkdtempSync,
	rmSync,
} = require('node:fs');
const { basename, dirname, extname, join, relative } = require('node:path');
const { tmpdir } = require('node:os');
const { fileURLToPath } = require('node:url');
const native = require('../native/curfew.node');
const { Client, Problem } = require('./client.js');

const LANGUAGES = { js: 0, mjs: 1, wasm: 2, wat: 3, ts: 4, mts: 5, tar: 6 };
const SOURCE_OPTIONS = ['language', 'name', 'importDir', 'importMap', 'node', 'functions'];
const EVENTS = ['stdout', 'stderr', 'progress', 'checkpoint'];
const SOURCE_ONCE = 1;
const SOURCE_PATH = 2;
const SOURCE_NODE = 4;
/** How often, in milliseconds, the cancel of a call that has not begun yet is tried again. */
const CANCEL_AGAIN = 5;

/**
 * A call of the library failed. What a program did is never an exception, but a Report. `code` is the library's status.
 */
class CurfewError extends Error {
	constructor(message, code) {
		super(message);
		this.name = 'CurfewError';
		this.code = code;
	}
}

/** Thrown only by Report.orThrow. `report` says what the program did. */
class ProgramFailed extends Error {
	constructor(report) {
		const error = report.error;
		super(
			error === null ? report.outcome : `${report.outcome}: ${[error.name, error.message].filter(Boolean).join(': ')}`,
		);
		this.name = 'ProgramFailed';
		this.report = report;
	}
}

function invalid(message) {
	return new CurfewError(message, 'INVALID');
}

/** Runs a native function; its errors become CurfewError. */
function call(name, ...values) {
	try {
		return native[name](...values);
	} catch (error) {
		throw error.code === undefined ? error : new CurfewError(error.message, error.code);
	}
}

// ---- Messages of the engine's threads -------------------------------------------------------------------------------

let nextId = 1;
const runs = new Map(); // the runs in progress
const jobs = new Map();
const functions = new Map(); // host functions, by id; they live as long as their program, which its runs and sessions refer to
const forgetFunctions = new FinalizationRegistry(ids => ids.forEach(id => functions.delete(id)));

function takeId() {
	const id = nextId;
	nextId = nextId === 0xffffffff ? 1 : nextId + 1;
	return id;
}

native.setDispatcher((kind, id, first, second) => {
	switch (kind) {
		case 0:
			return runs.get(id)._end(first);
		case 1:
			return runs.get(id)?._take(first, second);
		case 2:
			return carryOutLater(functions.get(id), first, second);
		case 3:
			return endJob(id, first, second);
		case 4:
			return carryOut(functions.get(id), first);
	}
});

function startJob(name, ...values) {
	const id = takeId();
	return new Promise((resolve, reject) => {
		jobs.set(id, { resolve, reject });
		try {
			call(name, id, ...values);
		} catch (error) {
			jobs.delete(id);
			reject(error);
		}
	});
}

function endJob(id, error, result) {
	const { resolve, reject } = jobs.get(id);
	jobs.delete(id);
	if (error === null) return resolve(result);
	const thrown = new CurfewError(error.message, error.code);
	if (result !== null && typeof result === 'object') thrown.report = new Report(result);
	reject(thrown);
}

// ---- Host functions -------------------------------------------------------------------------------------------------

/** The answer to a call in the form of the native half: JSON, undefined or an array of numbers. */
function answerOf(entry, value) {
	if (entry.type === null) return value === undefined ? undefined : jsonOf(value, `the answer of ${entry.name}`);
	const count = entry.type.length - entry.type.indexOf('->') - 2;
	const values = count === 0 ? [] : Array.isArray(value) ? value : [value];
	if (values.length !== count || !values.every(item => typeof item === 'number' || typeof item === 'bigint'))
		throw new TypeError(`${entry.name} has to answer ${count} numbers`);
	return values;
}

function textOf(error) {
	try {
		return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
	} catch {
		return 'what the function threw has no text';
	}
}

function isThenable(value) {
	return value !== null && typeof value === 'object' && typeof value.then === 'function';
}

function invoke(entry, parameters) {
	return entry.call(...(entry.type === null ? JSON.parse(parameters) : parameters));
}

function answerWhenSettled(entry, handle, promise) {
	const fail = error => native.answer(handle, textOf(error), undefined);
	promise.then(value => {
		let answer;
		try {
			answer = answerOf(entry, value);
		} catch (error) {
			return fail(error);
		}
		native.answer(handle, null, answer);
	}, fail);
}

/** Executes a call of an asynchronous function. */
function carryOutLater(entry, handle, parameters) {
	if (parameters === undefined) return; // the run was stopped
	try {
		answerWhenSettled(entry, handle, Promise.resolve(invoke(entry, parameters)));
	} catch (error) {
		native.answer(handle, textOf(error), undefined);
	}
}

/**
 * Executes a synchronous call, whose thread waits. Returns its answer; { error }; or for a promise a function that
 * receives the handle.
 */
function carryOut(entry, parameters) {
	try {
		const value = invoke(entry, parameters);
		return isThenable(value)
			? handle => answerWhenSettled(entry, handle, Promise.resolve(value))
			: answerOf(entry, value);
	} catch (error) {
		return { error: textOf(error) };
	}
}

const AsyncFunction = (async () => {}).constructor;

function describeFunctions(given) {
	return Object.entries(given).map(([name, value]) => {
		const options = typeof value === 'function' ? { call: value } : value;
		if (options === null || typeof options !== 'object' || typeof options.call !== 'function')
			throw new TypeError(`host function ${name} must be a function, or an object with one as call`);
		const { fuel = 0, type = null, module = null } = options;
		if (!Number.isSafeInteger(fuel) || fuel < 0)
			throw invalid(`fuel of host function ${name} must be a whole number, not ${fuel}`);
		const isAsync = options.async ?? options.call instanceof AsyncFunction;
		return { id: takeId(), name, module, type, fuel, isAsync, call: options.call };
	});
}

/** The program of a handle, with these functions. */
function programOf(handle, engine, given) {
	const program = new Program(handle, engine);
	if (given === undefined) return program;
	const rows = describeFunctions(given);
	call('programSetFunctions', handle, rows);
	for (const row of rows) functions.set(row.id, row);
	forgetFunctions.register(
		program,
		rows.map(row => row.id),
	);
	return program;
}

// ---- Values ---------------------------------------------------------------------------------------------------------

function jsonOf(value, what) {
	let text;
	try {
		text = JSON.stringify(value);
	} catch (error) {
		throw new TypeError(`${what} has no JSON: ${error.message}`);
	}
	if (text === undefined) throw new TypeError(`${what} has no JSON`);
	return text;
}

function text(value, what) {
	if (typeof value !== 'string') throw new TypeError(`${what} must be a string, not ${typeof value}`);
	if (value.includes('\0')) throw invalid(`${what} holds a NUL`);
	return value;
}

function texts(values, what) {
	if (!Array.isArray(values)) throw new TypeError(`${what} must be an array of strings`);
	return values.map(value => text(value, what));
}

const flagOf = name => name.replace(/[A-Z]/g, letter => '-' + letter.toLowerCase());
const nameOf = flag => flag.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
const UNITS = new Map(native.limitTable.map(row => [row.name, row.unit]));
/** The library's table of limits, by the names of options.limits. */
const LIMITS = Object.freeze(Object.fromEntries(native.limitTable.map(row => [nameOf(row.name), Object.freeze(row)])));

/** A limit in the form that the library parses. A number is milliseconds, bytes or a count. */
function limitText(name, unit, value) {
	if (typeof value === 'string') return value;
	if (value === Infinity) return 'unlimited';
	if (typeof value === 'bigint' && unit !== 'duration') return String(value);
	if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
		throw new TypeError(
			`limit ${name} must be a number or text like ${unit === 'duration' ? "'250ms'" : "'64MiB'"}, not ${String(value)}`,
		);
	if (unit === 'duration') return `${Math.round(value * 1e6)}ns`;
	if (!Number.isSafeInteger(value)) throw new TypeError(`limit ${name} must be a whole number, not ${value}`);
	return String(value);
}

function limitTexts(limits = {}) {
	if (limits === null || typeof limits !== 'object') throw new TypeError('limits must be an object');
	const list = [];
	for (const [name, value] of Object.entries(limits)) {
		const flag = flagOf(name.replace(/_/g, '-'));
		if (!UNITS.has(flag)) throw invalid(`there is no limit ${name}; there are ${Object.keys(LIMITS).join(', ')}`);
		if (value !== undefined && value !== null) list.push(flag, limitText(name, UNITS.get(flag), value));
	}
	return list;
}

const RUN_OPTIONS = [
	'limits',
	'call',
	'params',
	'user',
	'secrets',
	'allowFetch',
	'secretFor',
	'args',
	'env',
	'dirs',
	'stdin',
	'timezone',
	'files',
	'deterministic',
	'signal',
	'onEvent',
	'events',
];

function checkNames(options, known) {
	if (options === null || typeof options !== 'object') throw new TypeError('options must be an object');
	for (const name in options)
		if (!known.includes(name) && Object.hasOwn(options, name))
			throw invalid(`there is no option ${name}; there are ${known.join(', ')}`);
}

function paramsText(params) {
	if (!Array.isArray(params)) throw new TypeError('params must be an array of arguments');
	return jsonOf(params, 'params');
}

/** make(value), or undefined for undefined. */
function ifGiven(value, make) {
	return value === undefined ? undefined : make(value);
}

function secretTexts(secrets) {
	return Object.entries(secrets).flatMap(([name, value]) => [name, text(value, `secret ${name}`)]);
}

function envTexts(env) {
	return Object.entries(env).map(([name, value]) => text(`${name}=${value}`, 'env'));
}

function dirTexts(dirs) {
	return dirs.flatMap(dir => [text(dir.host, 'dirs[].host'), text(dir.guest, 'dirs[].guest'), dir.write ? 'w' : '']);
}

/** The options in the order of a native function's arguments. `close` releases the resources made for them. */
function nativeOptions(options) {
	checkNames(options, RUN_OPTIONS);
	const values = [
		ifGiven(options.limits, limitTexts),
		ifGiven(options.call, value => text(value, 'call')),
		ifGiven(options.params, paramsText),
		ifGiven(options.user, value => text(value, 'user')),
		Boolean(options.deterministic),
		-1,
		ifGiven(options.secrets ?? undefined, secretTexts),
		ifGiven(options.allowFetch ?? undefined, value => texts(value, 'allowFetch')),
		ifGiven(options.args ?? undefined, value => texts(value, 'args')),
		ifGiven(options.env ?? undefined, envTexts),
		ifGiven(options.dirs ?? undefined, dirTexts),
		ifGiven(options.secretFor ?? undefined, value => texts(value, 'secretFor')),
		ifGiven(options.timezone, value => text(value, 'timezone')),
		ifGiven(options.files ?? undefined, filesText),
	];
	const stdin = openStdin(options.stdin);
	values[5] = stdin.fd;
	return { values, close: stdin.close };
}

const NO_STDIN = { fd: -1, close() {} };

/** The files as JSON: text as it is, bytes in base64. */
function filesText(files) {
	const made = {};
	for (const [name, data] of Object.entries(files)) {
		if (typeof data !== 'string' && !(data instanceof Uint8Array))
			throw new TypeError(`files[${JSON.stringify(name)}] must be a string or a Uint8Array`);
		const value = typeof data === 'string' ? data : { base64: Buffer.from(data).toString('base64') };
		Object.defineProperty(made, name, { value, enumerable: true });
	}
	return JSON.stringify(made);
}

/** A descriptor to read: the given one, or that of an unlinked file with the text. */
function openStdin(stdin) {
	if (stdin === undefined || stdin === null) return NO_STDIN;
	if (typeof stdin === 'number') return { fd: stdin, close() {} };
	if (typeof stdin !== 'string' && !(stdin instanceof Uint8Array))
		throw new TypeError('stdin must be a string, a Uint8Array or a descriptor');
	const directory = mkdtempSync(join(tmpdir(), 'curfew-'));
	const path = join(directory, 'stdin');
	try {
		const out = openSync(path, 'wx', 0o600);
		for (let data = Buffer.from(stdin); data.length > 0; ) data = data.subarray(writeSync(out, data));
		closeSync(out);
		const fd = openSync(path, 'r');
		unlinkSync(path);
		return { fd, close: () => closeSync(fd) };
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

// ---- Report ---------------------------------------------------------------------------------------------------------

/** The result of one run: the keys of docs/report.schema.json, and a few additions for JavaScript. */
class Report {
	#exitCode;

	constructor([json, exitCode]) {
		Object.assign(this, JSON.parse(json));
		this.#exitCode = exitCode;
	}

	get exitCode() {
		return this.#exitCode;
	}

	get ok() {
		return this.outcome === 'ok';
	}

	/** Returns the report itself if the program finished. Otherwise throws ProgramFailed with it. */
	orThrow() {
		if (!this.ok) throw new ProgramFailed(this);
		return this;
	}
}

// ---- Engine and program ---------------------------------------------------------------------------------------------

class Engine {
	#handle;

	/** Options: threads, cacheDir, residentBytes, maxRuns. */
	constructor(options = {}) {
		checkNames(options, ['threads', 'cacheDir', 'residentBytes', 'maxRuns']);
		for (const name of ['threads', 'residentBytes', 'maxRuns'])
			if (options[name] !== undefined && !(Number.isSafeInteger(options[name]) && options[name] > 0))
				throw invalid(`${name} must be a whole number above 0, not ${options[name]}`);
		const cacheDir = options.cacheDir === undefined ? null : text(options.cacheDir, 'cacheDir');
		this.#handle = call(
			'engineCreate',
			options.threads ?? 0,
			cacheDir,
			options.residentBytes ?? 0,
			options.maxRuns ?? 0,
		);
	}

	/** Makes a program of a source: text, bytes, or a file: URL. Options: those of SourceOptions, and once. */
	program(source, options = {}) {
		checkNames(options, [...SOURCE_OPTIONS, 'once']);
		const read = readSource(source, options);
		const handle = call(
			'programCreate',
			this.#handle,
			read.data,
			read.language,
			read.name,
			read.importDir,
			(options.once ? SOURCE_ONCE : 0) | (read.isPath ? SOURCE_PATH : 0) | (options.node ? SOURCE_NODE : 0),
			ifGiven(options.importMap, importMapText),
		);
		return programOf(handle, this, options.functions);
	}

	/** Makes a program of the bytes that Program.save returned. Options: functions. */
	load(image, options = {}) {
		checkNames(options, ['functions']);
		if (!(image instanceof Uint8Array)) throw new TypeError('an image is a Buffer or Uint8Array');
		const handle = call('programLoad', this.#handle, Buffer.from(image.buffer, image.byteOffset, image.byteLength));
		return programOf(handle, this, options.functions);
	}

	/** Runs a source once. Options: those of program, and those of Program.run. */
	run(source, options = {}) {
		const { own, others } = splitOptions(options);
		return attempt(() => this.program(source, { ...own, once: true }).run(others));
	}

	runSync(source, options = {}) {
		const { own, others } = splitOptions(options);
		if (own.functions !== undefined)
			throw invalid('runSync cannot have functions: nothing of this thread runs meanwhile');
		return this.program(source, { ...own, once: true }).runSync(others);
	}

	stats() {
		return call('engineStats', this.#handle);
	}
}

/** Splits options into those of a source, and those of its run. */
function splitOptions(options) {
	const own = {},
		others = {};
	for (const name of Object.keys(options)) (SOURCE_OPTIONS.includes(name) ? own : others)[name] = options[name];
	return { own, others };
}

/** An import map: an object, or its JSON. */
function importMapText(map) {
	if (typeof map === 'string') return map;
	if (typeof map !== 'object') throw new TypeError('importMap must be an object, or its JSON');
	return JSON.stringify(map);
}

/** Returns a rejected promise instead of throwing. */
function attempt(begin) {
	try {
		return Promise.resolve(begin());
	} catch (error) {
		return Promise.reject(error);
	}
}

function readSource(source, { language, name, importDir }) {
	let data = source,
		isPath = false;
	if (source instanceof URL) {
		const path = fileURLToPath(source);
		data = readFileSync(path);
		language ??= extname(path).slice(1) in LANGUAGES ? extname(path).slice(1) : undefined;
		isPath = importDir !== undefined && name === undefined;
		name ??= isPath ? pathBelow(path, text(importDir, 'importDir')) : basename(path);
		if (language !== 'tar') importDir ??= dirname(path);
	} else if (typeof source === 'string') {
		data = Buffer.from(source);
	} else if (!(source instanceof Uint8Array)) {
		throw new TypeError(`source must be a string, a Uint8Array or a file: URL, not ${typeof source}`);
	}
	data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	language ??= data.subarray(0, 4).equals(Buffer.from('\0asm')) ? 'wasm' : 'js';
	if (!(language in LANGUAGES))
		throw invalid(`language must be one of ${Object.keys(LANGUAGES).join(', ')}, not ${language}`);
	return {
		data,
		language: LANGUAGES[language],
		name: name === undefined ? `source.${language}` : text(name, 'name'),
		importDir: importDir === undefined ? null : text(importDir, 'importDir'),
		isPath,
	};
}

function pathBelow(file, directory) {
	const below = relative(realpathSync(directory), realpathSync(file));
	if (below === '..' || below.startsWith('../')) throw invalid(`importDir ${directory}: it must hold ${file}`);
	return below;
}

/**
 * A run is brief if it computes for less than this, in microseconds. The thread waits for a brief run, because waking
 * two threads takes longer.
 */
const BRIEF_US = 60;
/** The maximum time, in milliseconds, that this thread waits like that in one turn of its event loop. */
const WATCH_MS = 1;
/** The maximum number of runs that are not waited for after one that was waited for in vain. */
const MOST_PASSED = 63;
let turnBegan;

function mayWatch() {
	const now = performance.now();
	if (turnBegan === undefined) {
		turnBegan = now;
		setImmediate(() => (turnBegan = undefined));
	}
	return now - turnBegan < WATCH_MS;
}

/**
 * Decides which runs of a program this thread waits for: those that follow a brief one. The more often it waits in vain,
 * because the processors have other work, the fewer it waits for.
 */
class Watch {
	#isBrief = false;
	#passes = 0; // so many runs are passed over after the next one that is late
	#left = 0; // so many are passed over now

	isDue() {
		if (!this.#isBrief) return false;
		if (this.#left === 0) return mayWatch();
		this.#left--;
		return false;
	}

	/** How long a run had to wait for a thread does not count. */
	learn({ cpu_us, run_us, host_calls }) {
		this.#isBrief = cpu_us < BRIEF_US && run_us < BRIEF_US && host_calls === 0;
	}

	end(isLate) {
		this.#passes = isLate ? Math.min(2 * this.#passes + 1, MOST_PASSED) : Math.max(this.#passes - 1, 0);
		this.#left = isLate ? this.#passes : 0;
	}
}

class Program {
	#handle;
	_watch = new Watch();

	constructor(handle, engine) {
		this.#handle = handle;
		this.engine = engine;
	}

	/** "js", "module" or "component". For WebAssembly text it is known after the first run or compile. */
	get kind() {
		return call('programKind', this.#handle);
	}

	/** Parses and compiles now, under these limits. If the program does not load, the error has `report`. */
	async compile({ limits } = {}) {
		await startJob('programCompile', this.#handle, limitTexts(limits));
		return this;
	}

	/** Describes the program (docs/INSPECT.md). No code of it runs. */
	async inspect({ limits } = {}) {
		return JSON.parse(await startJob('programInspect', this.#handle, limitTexts(limits)));
	}

	/** The image of a compiled program, for Engine.load. */
	save() {
		return call('programSave', this.#handle);
	}

	/** Runs the program. Returns a promise of the report. */
	run(options = {}) {
		return attempt(() => this.start(options).done);
	}

	/** Starts the program, and returns the Run. */
	start(options = {}) {
		return new Run(this, this.#handle, options);
	}

	/** Runs the program on this thread, which does nothing else meanwhile: no host functions, no signal, no events. */
	runSync(options = {}) {
		for (const name of ['signal', 'onEvent', 'events'])
			if (options[name] !== undefined)
				throw invalid(`runSync cannot have ${name}: nothing of this thread runs meanwhile`);
		const passed = nativeOptions(options);
		try {
			return new Report(call('programRunSync', this.#handle, ...passed.values));
		} finally {
			passed.close();
		}
	}

	/**
	 * Creates a session, which keeps the program's state between calls. Options: those of run except call, params,
	 * signal and events.
	 */
	session(options = {}) {
		return new Session(this, this.#handle, options);
	}
}

// ---- Run ------------------------------------------------------------------------------------------------------------

class Run {
	#handle;
	#given;
	#listener;
	#queue = [];
	#waiters = [];
	#wantsEvents;
	#ended = false;
	#raised;
	#settle;
	#forget = () => {};

	constructor(program, handle, options) {
		this.#given = nativeOptions(options);
		this.#listener = options.onEvent;
		this.#wantsEvents = Boolean(options.events);
		if (this.#listener !== undefined && typeof this.#listener !== 'function')
			throw new TypeError('onEvent must be a function');
		/** A promise of the Report. It rejects only with an exception of onEvent. */
		this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
		const id = takeId();
		runs.set(id, this);
		this._end = result => {
			runs.delete(id);
			const report = new Report(result);
			program._watch.learn(report.used);
			this.#finish(report);
		};
		const tells = this.#wantsEvents || this.#listener !== undefined;
		const watches = !tells && !options.signal?.aborted && program._watch.isDue();
		try {
			this.#handle = call('runStart', handle, id, tells, watches, ...this.#given.values);
		} catch (error) {
			runs.delete(id);
			this.#given.close();
			throw error;
		}
		const result = watches ? native.runEnd(this.#handle) : undefined;
		if (watches) program._watch.end(result === undefined);
		if (result !== undefined) this._end(result);
		else this.#listen(options.signal);
	}

	/** Once the given AbortSignal is aborted, the run is cancelled. */
	#listen(signal) {
		if (signal === undefined || signal === null) return;
		const cancel = () => this.cancel();
		if (signal.aborted) return cancel();
		signal.addEventListener('abort', cancel, { once: true });
		this.#forget = () => signal.removeEventListener('abort', cancel);
	}

	_take(kind, data) {
		const event = { kind: EVENTS[kind], data: kind < 2 ? data : JSON.parse(data.toString()) };
		if (this.#listener !== undefined && this.#raised === undefined) {
			try {
				this.#listener(event);
			} catch (error) {
				this.#raised = { error };
				this.cancel();
			}
		}
		if (this.#wantsEvents) {
			this.#queue.push(event);
			this.#wake();
		}
	}

	#wake() {
		for (const wake of this.#waiters.splice(0)) wake();
	}

	#finish(report) {
		this.#ended = true;
		this.#forget();
		this.#given.close();
		if (this.#raised !== undefined) this.#settle.reject(this.#raised.error);
		else this.#settle.resolve(report);
		this.#wake();
	}

	/** Cancels the run. A second call skips the grace. */
	cancel() {
		if (!this.#ended) call('runCancel', this.#handle);
	}

	/** What the run has used so far: wallNs, cpuNs, memoryBytes, outputBytes. */
	usage() {
		return call('runUsage', this.#handle);
	}

	/** The run's events, each once, until it has ended. Start it with events: true. */
	async *events() {
		if (!this.#wantsEvents) throw invalid('the run was started without events: true');
		for (;;) {
			while (this.#queue.length > 0) yield this.#queue.shift();
			if (this.#ended) return;
			await new Promise(resolve => this.#waiters.push(resolve));
		}
	}
}

// ---- Session --------------------------------------------------------------------------------------------------------

class Session {
	#handle;
	#program; // keeps the host functions alive as well
	/** A call is in progress, from the moment it is made: its thread may not have begun it yet. */
	#inUse = false;
	#cancelAgain;

	constructor(program, handle, options) {
		this.#program = program;
		for (const name of ['call', 'params', 'signal', 'onEvent', 'events'])
			if (options[name] !== undefined) throw invalid(`a session cannot have ${name}: its calls do`);
		const passed = nativeOptions(options);
		try {
			this.#handle = call('sessionCreate', handle, ...passed.values);
		} finally {
			passed.close();
		}
	}

	/** Calls a function that the program exports. Returns a promise of the report. */
	call(name, params, { limits, signal } = {}) {
		return this.#do(signal, () =>
			startJob(
				'sessionCall',
				this.#handle,
				limitTexts(limits),
				name == null ? null : text(name, 'name'),
				ifGiven(params, paramsText),
			),
		);
	}

	/** Evaluates text as the session's next cell. JavaScript only. */
	eval(source, { name, limits, signal } = {}) {
		return this.#do(signal, () =>
			startJob(
				'sessionEval',
				this.#handle,
				limitTexts(limits),
				name === undefined ? null : text(name, 'name'),
				Buffer.from(text(source, 'source')),
			),
		);
	}

	async #do(signal, begin) {
		if (signal?.aborted) throw signal.reason;
		this.#refuseInUse();
		this.#inUse = true;
		const cancel = () => this.cancel();
		signal?.addEventListener('abort', cancel, { once: true });
		try {
			return new Report(await begin());
		} finally {
			this.#inUse = false;
			this.#stopCancels();
			signal?.removeEventListener('abort', cancel);
		}
	}

	#refuseInUse() {
		if (this.#inUse) throw new CurfewError('a call of this session is in progress', 'IN_USE');
	}

	/** Cancels the call in progress; a second time skips the grace. It has no effect if there is no call. */
	cancel() {
		if (call('sessionCancel', this.#handle) || !this.#inUse) return;
		// The library does not know a call before its thread has begun it.
		this.#cancelAgain ??= setInterval(() => {
			if (call('sessionCancel', this.#handle)) this.#stopCancels();
		}, CANCEL_AGAIN);
	}

	#stopCancels() {
		clearInterval(this.#cancelAgain);
		this.#cancelAgain = undefined;
	}

	/** Drops the state: the next call begins with the program's image. */
	reset() {
		this.#refuseInUse();
		call('sessionReset', this.#handle);
	}

	/** Whether the next call would find a state. */
	get usable() {
		return call('sessionUsable', this.#handle);
	}

	/** What all its calls have used. fuel is null if it was not metered. */
	totals() {
		const totals = call('sessionTotals', this.#handle);
		return { ...totals, fuel: totals.fuel < 0 ? null : totals.fuel };
	}
}

// ---- The default engine of the process
// --------------------------------------------------------------------------------

let engine;

/** The engine of run, runSync and program. It is created at its first use. */
function defaultEngine() {
	return (engine ??= new Engine());
}

module.exports = {
	Engine,
	Program,
	Run,
	Session,
	Report,
	CurfewError,
	ProgramFailed,
	LIMITS,
	Client,
	Problem,
	OUTCOMES: Object.freeze({ ...native.outcomes }),
	version: native.version,
	defaultEngine,
	run: (source, options) => attempt(() => defaultEngine().run(source, options)),
	runSync: (source, options) => defaultEngine().runSync(source, options),
	program: (source, options) => defaultEngine().program(source, options),
};
