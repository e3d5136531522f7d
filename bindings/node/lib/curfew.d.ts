// SPDX-License-Identifier: Apache-2.0

/** Milliseconds, or text with a unit: "250ms", "10s", "unlimited". */
export type Duration = number | string;
/** Bytes, or text with a unit: "64MiB". */
export type Size = number | bigint | string;
/** A whole number, or text: "10M", "unlimited". */
export type Count = number | bigint | string;

/** The limits of a run. A missing field takes the library's default. Infinity or "unlimited" means no limit. */
export interface Limits {
	/** Wall-clock deadline for everything: load, compile, start, run, waiting, jobs. */
	timeout?: Duration;
	/** After the deadline or a cancel, how long the program may continue to end by itself. */
	grace?: Duration;
	/** CPU time of the run, waiting excluded. */
	cpu?: Duration;
	/** Deterministic instruction budget. */
	fuel?: Count;
	/** JavaScript loop iterations plus calls. */
	loops?: Count;
	/** Guest memory, all of it. */
	memory?: Size;
	/** Guest stack. */
	stack?: Size;
	/** Captured stdout + stderr + value. */
	output?: Size;
	/** Calls out of the sandbox. */
	hostCalls?: Count;
	/** Timers pending at once. */
	timers?: Count;
}

export type Outcome = string;

export interface Frame {
	function: string;
	file: string | null;
	line: number | null;
	column: number | null;
	native: boolean;
	wasm_offset: number | null;
}

export interface Event {
	kind: 'stdout' | 'stderr' | 'progress' | 'checkpoint';
	/** A Buffer of output, or the value that the program passed. */
	data: any;
}

/** A directory that a WASI program may open, with everything in it and nothing above it. */
export interface Dir {
	host: string;
	guest: string;
	/** Files may be written, made and removed. */
	write?: boolean;
}

export interface HostFunctionOptions {
	call: (...values: any[]) => any;
	/** The module that WebAssembly imports it from, or a component's interface. Default: "host". */
	module?: string;
	/** "ii->i" and the like, of i (i32), I (i64, a bigint), f (f32), F (f64). Default: JSON. */
	type?: string;
	/** The cost of a call if fuel is limited. */
	fuel?: number;
	/** The program gets a promise for the answer. Default: true for async functions. */
	async?: boolean;
}

export type HostFunctions = Record<string, ((...values: any[]) => any) | HostFunctionOptions>;

export interface SourceOptions {
	/** Default: by a file's suffix or the bytes' header, else "js". */
	language?: 'js' | 'mjs' | 'wasm' | 'wat' | 'ts' | 'mts' | 'tar';
	/** Shown in stacks and reports. */
	name?: string;
	/**
	 * The directory that imports may read, and nothing above it. Default: the directory of a file. It must hold the file,
	 * and relative imports are relative to the file. Those of other sources are relative to importDir.
	 */
	importDir?: string;
	/** An import map, as an object or as JSON. Its addresses begin at the top of importDir. */
	importMap?: string | { imports?: Record<string, string | null>; scopes?: Record<string, Record<string, string | null>> };
	/** The program has Node's globals from the beginning: process, Buffer, global, setImmediate. */
	node?: boolean;
	/** Functions that the program may call as host.NAME, or import. */
	functions?: HostFunctions;
}

export interface SessionOptions {
	limits?: Limits;
	/** Seen as curfew.user. */
	user?: string;
	/** Values of secrets.get(NAME); removed from everything that the run prints or returns. */
	secrets?: Record<string, string>;
	/** Hosts that fetch may reach: "HOST", "HOST:PORT", "*.DOMAIN". */
	allowFetch?: string[];
	/** Headers with secrets that the host puts into requests: "HOST:HEADER=TEMPLATE", with {NAME} in TEMPLATE. */
	secretFor?: string[];
	/** WASI: the program's arguments, its name left out. */
	args?: string[];
	/** The environment: curfew.env, or a WASI program's. */
	env?: Record<string, string>;
	/** WASI: directories that it may open. */
	dirs?: Dir[];
	/** Standard input (curfew.stdin, or WASI's): text, bytes, or a descriptor, which must stay open until the end. */
	stdin?: string | Uint8Array | number;
	/** The time zone of Date and Intl, an IANA name: "Europe/Berlin". */
	timezone?: string;
	/** curfew.files of a JavaScript program: names with their text or bytes. */
	files?: Record<string, string | Uint8Array>;
	/** Fixed clock, seeded random. */
	deterministic?: boolean;
}

export interface SyncOptions extends SessionOptions {
	/** Exported or global function to call. */
	call?: string;
	/** The call's arguments; JSON. */
	params?: readonly any[];
}

export interface RunOptions extends SyncOptions {
	/** When it is aborted, the run is cancelled. */
	signal?: AbortSignal;
	/** Called with each event. If it throws, the run is cancelled, and the promise rejects with that error. */
	onEvent?: (event: Event) => void;
	/** Keeps events for Run.events(). */
	events?: boolean;
}

/** The result of one run. Its keys are those of docs/report.schema.json. */
export class Report {
	readonly schema: string;
	readonly id: string;
	readonly outcome: Outcome;
	readonly tripped: Outcome[];
	readonly stop: { cause: Outcome; mode: 'cooperative' | 'soft' | 'hard' | 'process'; latency_us: number } | null;
	readonly value: any;
	readonly partial: any;
	readonly error: { name: string | null; message: string | null; stack: Frame[] } | null;
	readonly limits: Record<string, number | null>;
	readonly used: Record<string, number | null>;
	readonly stdout: string;
	readonly stderr: string;
	readonly output_truncated: boolean;
	readonly program: { name: string | null; kind: string; sha256: string | null };
	readonly engine: Record<string, string>;
	/** The exit code of `curfew run`. */
	readonly exitCode: number;
	readonly ok: boolean;
	/** Returns the report itself if the program finished. Otherwise throws ProgramFailed. */
	orThrow(): this;
}

/** A call of the library failed. What a program did is never an exception, but a Report. */
export class CurfewError extends Error {
	/** Name of the library's status: "INVALID", "OVERLOADED", "BAD_PROGRAM"... */
	code: string;
	/** Set by compile and inspect: the reason why the program does not load. */
	report?: Report;
}

export class ProgramFailed extends Error {
	report: Report;
}

export interface EngineOptions {
	/** How many runs compute at once. Default: one for each core. */
	threads?: number;
	/** Directory for compiled code, made if missing; must belong to this user. */
	cacheDir?: string;
	/** Memory kept ready for reuse. */
	residentBytes?: number;
	/** The maximum number of runs in progress. One more is refused (OVERLOADED). */
	maxRuns?: number;
}

export type Source = string | Uint8Array | URL;

export class Engine {
	constructor(options?: EngineOptions);
	program(source: Source, options?: SourceOptions & { once?: boolean }): Program;
	load(image: Uint8Array, options?: { functions?: HostFunctions }): Program;
	run(source: Source, options?: SourceOptions & RunOptions): Promise<Report>;
	runSync(source: Source, options?: Omit<SourceOptions, 'functions'> & SyncOptions): Report;
	stats(): { runsActive: number; regionsInUse: number; regionsPooled: number; runsTotal: number; residentBytes: number };
}

export class Program {
	private constructor();
	readonly engine: Engine;
	readonly kind: string;
	compile(options?: { limits?: Limits }): Promise<this>;
	inspect(options?: { limits?: Limits }): Promise<any>;
	save(): Uint8Array;
	run(options?: RunOptions): Promise<Report>;
	runSync(options?: SyncOptions): Report;
	start(options?: RunOptions): Run;
	session(options?: SessionOptions): Session;
}

export class Run {
	private constructor();
	readonly done: Promise<Report>;
	cancel(): void;
	usage(): { wallNs: number; cpuNs: number; memoryBytes: number; outputBytes: number };
	events(): AsyncGenerator<Event, void, void>;
}

export class Session {
	private constructor();
	call(name: string | null, params?: readonly any[], options?: { limits?: Limits; signal?: AbortSignal }): Promise<Report>;
	eval(source: string, options?: { name?: string; limits?: Limits; signal?: AbortSignal }): Promise<Report>;
	cancel(): void;
	reset(): void;
	readonly usable: boolean;
	totals(): { calls: number; wallNs: number; cpuNs: number; fuel: number | null; loops: number; outputBytes: number; hostCalls: number; memoryBytes: number };
}

export interface LimitInfo {
	name: string;
	reportKey: string;
	meaning: string;
	unit: 'duration' | 'bytes' | 'count';
}

/** The library's table of limits. */
export const LIMITS: Readonly<Record<keyof Limits, LimitInfo>>;
/** Names of all outcomes, with the exit code that `curfew run` gives each. */
export const OUTCOMES: Readonly<Record<Outcome, number>>;
export const version: string;
export function defaultEngine(): Engine;
export function run(source: Source, options?: SourceOptions & RunOptions): Promise<Report>;
export function runSync(source: Source, options?: Omit<SourceOptions, 'functions'> & SyncOptions): Report;
export function program(source: Source, options?: SourceOptions): Program;

/** A request that the server refused, with the fields of problem+json. */
export class Problem extends Error {
	/** The HTTP status. */
	readonly status: number;
	readonly problem: Record<string, unknown>;
	/** JSON pointer of the invalid field. */
	readonly pointer?: string;
}

/**
 * A run for a server. Set either source or program. Further fields are those of the API: user, delay, priority,
 * allow_fetch...
 */
export interface Submission {
	source?: string | Uint8Array;
	lang?: string;
	program?: string;
	call?: string;
	params?: readonly any[];
	/** By the names of the command line: { timeout: '1s' }. */
	limits?: Record<string, string | number>;
	[field: string]: unknown;
}

export interface ServerEvent {
	id?: string;
	kind: 'state' | 'progress' | 'checkpoint' | 'output' | 'report';
	data: any;
}

export interface ServerProgram {
	name: string;
	sha256: string;
	kind: string;
	exports: any;
}

/** One of the servers that share a database. A single server is one too. */
export interface ServerNode {
	node: number;
	name: string;
	version: string;
	address: string;
	state: 'active' | 'draining' | 'over';
	capacity: number;
	running: number;
	started_ms: number;
	lease_ms: number;
}

/** A client of curfew serve. */
export class Client {
	/** timeout: the maximum silence of the server in milliseconds; retries: of requests that are safe to repeat. */
	constructor(url?: string, options?: { token?: string; timeout?: number; retries?: number });
	submit(submission: string | Submission, options?: { idempotencyKey?: string }): Promise<string>;
	run(submission: string | Submission, options?: { idempotencyKey?: string }): Promise<any>;
	get(id: string): Promise<any>;
	runs(filters?: Record<string, string | number>): AsyncGenerator<any, void, void>;
	wait(id: string): Promise<any>;
	cancel(id: string): Promise<any>;
	events(id: string, options?: { lastEventId?: string }): AsyncGenerator<ServerEvent, void, void>;
	putProgram(name: string, source: string | Uint8Array, options?: { language?: string }): Promise<ServerProgram>;
	programs(): Promise<ServerProgram[]>;
	getProgram(name: string): Promise<ServerProgram>;
	deleteProgram(name: string): Promise<void>;
	nodes(): Promise<ServerNode[]>;
	stats(): Promise<any>;
}
