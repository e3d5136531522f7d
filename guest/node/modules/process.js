// SPDX-License-Identifier: Apache-2.0
// What a program can read about its process, and do with it. Values that belong to a run are read at their use.
const EventEmitter = require('events');

const process = Object.create(EventEmitter.prototype);
EventEmitter.call(process);
const { params, exit } = binding;
const lazy = (name, make) => Object.defineProperty(process, name, { configurable: true, enumerable: true,
	get() {
		const value = make();
		Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true });
		return value;
	},
	set(value) { Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true }); } });

// As in Node, a variable is a string, whatever it is set to.
lazy('env', () => new Proxy({ ...curfew.env }, {
	set: (env, name, value) => Reflect.set(env, name, String(value)),
	defineProperty: (env, name, property) => Reflect.defineProperty(env, name, 'value' in property ? { ...property, value: String(property.value) } : property),
}));
// Code of the command line has no path.
lazy('argv', () => [process.execPath, ...[binding.mainPath()].filter((path) => path !== '/[eval]'), ...params().filter((word) => typeof word === 'string')]);
// An output is written at once. It is never destroyed, and its end is that of the run.
function makeOutput(fd) {
	const { Writable } = require('stream');
	class SyncWriteStream extends Writable {
		constructor() {
			super({ autoDestroy: false, decodeStrings: false, emitClose: false });
			Object.assign(this, { fd, _type: 'fs', _isStdio: true });
		}
		_write(chunk, encoding, done) {
			writeTo(fd, chunk, encoding);
			done();
		}
		_destroy(error, done) {
			done(error);
			this.destroyed = false;
			process.nextTick(() => this.emit('close'));
		}
		destroySoon() { this.end(); }
		hasColors() { return false; }
		getColorDepth() { return 1; }
		getWindowSize() { return [80, 24]; }
	}
	return new SyncWriteStream();
}
function writeTo(fd, chunk, encoding) {
	const isText = typeof chunk === 'string' && (encoding === undefined || encoding === null || /^utf-?8$|^buffer$/i.test(encoding));
	binding.write(fd, isText || typeof chunk !== 'string' ? chunk : require('buffer').Buffer.from(chunk, encoding));
}
// With a high-water mark of 0 nothing is read in advance: a program that pauses the stream does not wait for input.
function makeInput() {
	let reader;
	const input = new (require('stream').Readable)({
		highWaterMark: 0,
		read() {
			reader ??= curfew.stdin.getReader();
			reader.read().then(({ value, done }) => this.push(done ? null : require('buffer').Buffer.from(value.buffer, value.byteOffset, value.byteLength)),
				(error) => this.destroy(error));
		},
		destroy(error, done) {
			reader?.cancel().catch(() => {});
			done(error);
		},
	});
	const self = () => input;
	return Object.assign(input, { fd: 0, ref: self, unref: self, setRawMode: self });
}
// An import of this module reads each of its names, and the module of streams is large: it is loaded at the first use.
// Texts are written without it.
function lazyStream(make, first = {}) {
	let stream;
	const target = new Proxy({}, { get: (_, trap) => trap === 'get' ?
		(self, key, ...rest) => stream === undefined && Object.hasOwn(first, key) ? first[key] : Reflect.get(stream ??= make(), key, ...rest) :
		(self, ...args) => Reflect[trap](stream ??= make(), ...args) });
	const lazily = new Proxy({}, target);
	return [lazily, () => stream];
}
lazy('stdin', () => lazyStream(makeInput)[0]);
for (const [name, fd] of [['stdout', 1], ['stderr', 2]])
	lazy(name, () => {
		const [output, made] = lazyStream(() => makeOutput(fd), { fd, isTTY: undefined, columns: undefined, writable: true, write(chunk, encoding, done) {
			if (made() || typeof chunk !== 'string' || typeof encoding === 'function' || done !== undefined)
				return Reflect.apply(require('stream').Writable.prototype.write, output, arguments);
			writeTo(fd, chunk, encoding);
			return true;
		} });
		return output;
	});

const hrtime = (before) => {
	const ms = performance.now(), seconds = Math.floor(ms / 1000), nanoseconds = Math.floor(ms % 1000 * 1e6);
	if (before === undefined)
		return [seconds, nanoseconds];
	const less = nanoseconds < before[1] ? 1 : 0;
	return [seconds - before[0] - less, nanoseconds - before[1] + less * 1e9];
};
hrtime.bigint = () => BigInt(Math.floor(performance.now() * 1e6));

const absent = (what, why) => Object.assign(new Error(`process.${what} is not here: ${why}`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
Object.assign(process, {
	title: 'curfew', pid: 1, ppid: 0, platform: 'linux', arch: 'x64', execPath: '/usr/bin/node', execArgv: [], exitCode: undefined, argv0: 'node',
	version: 'v22.12.0', versions: { node: '22.12.0', curfew: navigator.userAgent }, release: { name: 'node', lts: 'Jod' },
	features: { inspector: false, debug: false, uv: true, ipv6: true, tls_alpn: true, tls_sni: true, tls_ocsp: true, tls: true, cached_builtins: true, require_module: true, typescript: 'strip' }, debugPort: 9229, config: { variables: {} }, allowedNodeEnvironmentFlags: new Set(),
	cwd: () => '/', umask: () => 0o22, hrtime, uptime: () => performance.now() / 1000,
	nextTick(callback, ...args) {
		if (typeof callback !== 'function')
			require('internal/errors').needs.callable(callback, 'callback');
		binding.natives.queueTick(() => callback(...args));
	},
	exit(given) {
		if (given !== undefined && given !== null && !Number.isInteger(typeof given === 'string' && given.trim() !== '' ? Number(given) : given))
			require('internal/errors').needs.number(given, 'code') ?? require('internal/errors').outOfRange('code', 'an integer', given);
		const code = given ?? process.exitCode ?? 0;
		if (!process._exiting) {
			process._exiting = true;
			process.exitCode = code;
			process.emit('exit', Number(code));
		}
		exit(Number(process.exitCode ?? code) & 255);
	},
	abort() { exit(134); },
	reallyExit: (code) => exit(code & 255),
	memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), { rss: () => 0 }),
	cpuUsage: () => ({ user: Math.floor(performance.now() * 1000), system: 0 }), resourceUsage: () => ({}),
	emitWarning(warning, type, code) {
		const options = type !== null && typeof type === 'object' ? type : { type, code };
		const made = warning instanceof Error ? warning : Object.assign(new Error(warning), { name: String(options.type ?? 'Warning') });
		if (options.code !== undefined)
			made.code = options.code;
		if (options.detail !== undefined)
			made.detail = options.detail;
		process.nextTick(() => {
			console.warn(`(node:${process.pid}) ${made.code === undefined ? '' : `[${made.code}] `}${made.name}: ${made.message}${made.detail === undefined ? '' : '\n' + made.detail}`);
			process.emit('warning', made);
		});
	},
	getuid: () => 0, geteuid: () => 0, getgid: () => 0, getegid: () => 0, getgroups: () => [0],
	chdir() { throw Object.assign(new Error('there is no directory to change to'), { code: 'ENOENT' }); },
	kill() { throw Object.assign(new Error('a program cannot send signals here'), { code: 'EPERM' }); },
	binding() { throw new Error('process.binding is not here'); },
	getBuiltinModule: (name) => require('module').isBuiltin(name) ? binding.builtin(name.replace(/^node:/, '')) : undefined,
	hasUncaughtExceptionCaptureCallback: () => false, setUncaughtExceptionCaptureCallback() {}, setSourceMapsEnabled() {}, sourceMapsEnabled: false,
	availableMemory: () => curfew.limits.memory_bytes, constrainedMemory: () => curfew.limits.memory_bytes, getActiveResourcesInfo: () => [], connected: false, throwDeprecation: false, traceDeprecation: false,
	channel: undefined, send: undefined, disconnect: undefined, mainModule: undefined, permission: undefined, domain: null, moduleLoadList: [],
	openStdin() { return process.stdin.resume(); },
	assert(value, message) { require('assert')(value, message); },
	// Variables that are set already are kept.
	loadEnvFile(path = '.env') {
		const { errno } = require('internal/system_errors'), name = path instanceof URL ? require('url').fileURLToPath(path) : path;
		let text;
		try {
			text = require('fs').readFileSync(name, 'utf8');
		} catch (error) {
			throw errno[error.code] === errno.ENOENT ? Object.assign(new Error(`ENOENT: no such file or directory, open '${name}'`), { errno: -errno.ENOENT, code: 'ENOENT', syscall: 'open', path: name }) : error;
		}
		for (const [key, value] of Object.entries(require('internal/parse_env')(text)))
			process.env[key] ??= value;
	},
	finalization: { register() {}, registerBeforeExit() {}, unregister() {} },
	report: { directory: '', filename: '', compact: false, excludeNetwork: false, signal: 'SIGUSR2', reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false,
		getReport() { throw absent('report.getReport', 'curfew makes the report of a run'); }, writeReport() { throw absent('report.writeReport', 'curfew makes the report of a run'); } },
});
for (const name of ['setuid', 'seteuid', 'setgid', 'setegid', 'setgroups', 'initgroups'])
	process[name] = () => { throw Object.assign(new Error(`EPERM: operation not permitted, ${name}`), { code: 'EPERM', errno: -1, syscall: name }); };
process.dlopen = () => { throw absent('dlopen', 'a program cannot load native code'); };

// Uncaught errors are events of the platform. If a program listens, they are passed on as events of Node's.
const tells = {
	uncaughtException(listen) {
		listen('error', ({ error }) => process.emit('uncaughtException', error, 'uncaughtException'));
		tells.unhandledRejection(listen);
	},
	unhandledRejection(listen) {
		listen('unhandledrejection', ({ reason, promise }) => process.emit('unhandledRejection', reason, promise) ||
			process.emit('uncaughtException', reason, 'unhandledRejection'));
	},
	rejectionHandled(listen) { listen('rejectionhandled', ({ promise }) => process.emit('rejectionHandled', promise)); },
};
const { addEventListener } = globalThis, told = new Set();
const listen = (type, tell) => {
	if (!told.has(type))
		addEventListener(type, (event) => tell(event) && event.preventDefault());
	told.add(type);
};
EventEmitter.prototype.on.call(process, 'newListener', (name) => Object.hasOwn(tells, name) && tells[name](listen));

Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
module.exports = process;
