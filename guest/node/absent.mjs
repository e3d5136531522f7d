// SPDX-License-Identifier: Apache-2.0
// Node's modules for which a program has no means here. They can be imported, but their functions throw when called.
const stream = 'createServer connect createConnection';
const lookups = 'lookup lookupService resolve resolve4 resolve6 resolveAny resolveCaa resolveCname resolveMx resolveNaptr resolveNs resolvePtr resolveSoa resolveTxt resolveSrv reverse setServers getServers setDefaultResultOrder';
const dnsErrors = `NODATA: 'ENODATA', FORMERR: 'EFORMERR', SERVFAIL: 'ESERVFAIL', NOTFOUND: 'ENOTFOUND', NOTIMP: 'ENOTIMP', REFUSED: 'EREFUSED', BADQUERY: 'EBADQUERY', BADNAME: 'EBADNAME', BADFAMILY: 'EBADFAMILY',
	BADRESP: 'EBADRESP', CONNREFUSED: 'ECONNREFUSED', TIMEOUT: 'ETIMEOUT', EOF: 'EOF', FILE: 'EFILE', NOMEM: 'ENOMEM', DESTRUCTION: 'EDESTRUCTION', BADSTR: 'EBADSTR', BADFLAGS: 'EBADFLAGS', NONAME: 'ENONAME',
	BADHINTS: 'EBADHINTS', NOTINITIALIZED: 'ENOTINITIALIZED', LOADIPHLPAPI: 'ELOADIPHLPAPI', ADDRGETNETWORKPARAMS: 'EADDRGETNETWORKPARAMS', CANCELLED: 'ECANCELLED', getDefaultResultOrder: () => 'verbatim'`;
const inspects = { why: 'nothing can look into a program here', functions: 'open close waitForDebugger', classes: 'Session', more: 'url: () => undefined, console, Network: {}' };
export const absent = {
	// Sockets and servers can be made, because clients make theirs before they connect. To connect or to listen fails.
	net: { why: 'there are no sockets here: use fetch', functions: 'connect createConnection',
		more: `get Socket() { return sockets().Socket; }, get Stream() { return sockets().Socket; }, get Server() { return sockets().Server; }, createServer: (...args) => new (sockets().Server)(...args), ...require('internal/net_names'), getDefaultAutoSelectFamily: () => true, setDefaultAutoSelectFamily() {}, getDefaultAutoSelectFamilyAttemptTimeout: () => 250, setDefaultAutoSelectFamilyAttemptTimeout() {}` },
	tls: { why: 'there are no sockets here: use fetch', functions: `${stream} createSecureContext createSecurePair checkServerIdentity`, classes: 'Server SecureContext',
		// It can be constructed around a stream, because packages look up the class of its internals while they are loaded.
		more: `CLIENT_RENEG_LIMIT: 3, CLIENT_RENEG_WINDOW: 600, DEFAULT_ECDH_CURVE: 'auto', DEFAULT_MIN_VERSION: 'TLSv1.2', DEFAULT_MAX_VERSION: 'TLSv1.3', getCiphers: () => [],
		get DEFAULT_CIPHERS() { return require('crypto').constants.defaultCipherList; }, convertALPNProtocols(protocols, out) {
			const list = protocols.map((name) => Buffer.from(String.fromCharCode(Buffer.byteLength(name)) + name));
			out.ALPNProtocols = Buffer.concat(list);
		},
		rootCertificates: [], TLSSocket: class TLSSocket extends require('events') {
			constructor(stream) {
				if (typeof stream?.pipe !== 'function')
					throw fail('TLSSocket');
				super();
				this._handle = { _parentWrap: new (class JSStreamSocket extends require('stream').Duplex { constructor() { super(); this.stream = stream; } })() };
			}
		}` },
	dgram: { why: 'there are no sockets here', functions: 'createSocket', classes: 'Socket' },
	dns: { why: 'a program cannot look names up here: fetch does', functions: lookups, classes: 'Resolver', more: `get promises() { return require('dns/promises'); }, ADDRCONFIG: 32, V4MAPPED: 8, ALL: 16, ${dnsErrors}` },
	'dns/promises': { why: 'a program cannot look names up here: fetch does', rejects: true, functions: lookups, classes: 'Resolver', more: dnsErrors },
	http2: { why: 'there are no sockets here: use fetch', functions: 'connect createServer createSecureServer performServerHandshake', classes: 'Http2ServerRequest Http2ServerResponse', more: `...require('internal/http2_names')` },
	child_process: { why: 'a program cannot start others here', functions: 'exec execFile execFileSync execSync fork spawn spawnSync', classes: 'ChildProcess' },
	worker_threads: { why: 'a program has one thread here', functions: 'moveMessagePortToContext receiveMessageOnPort postMessageToThread', classes: 'Worker BroadcastChannel',
		more: `isMainThread: true, isInternalThread: false, parentPort: null, workerData: null, threadId: 0, resourceLimits: {}, MessageChannel, MessagePort, ...(() => {
			const environment = new Map(), marked = new WeakSet();
			return { getEnvironmentData: (key) => environment.get(key), setEnvironmentData: (key, value) => void (value === undefined ? environment.delete(key) : environment.set(key, value)),
				markAsUntransferable: (value) => void (Object(value) === value && marked.add(value)), isMarkedAsUntransferable: (value) => marked.has(value), markAsUncloneable() {} };
		})(), SHARE_ENV: Symbol.for("nodejs.worker_threads.SHARE_ENV")` },
	repl: { why: 'there is no terminal here', functions: 'start', classes: 'REPLServer',
		more: `REPL_MODE_SLOPPY: Symbol('repl-sloppy'), REPL_MODE_STRICT: Symbol('repl-strict'), get writer() { return require('util').inspect; }, get builtinModules() { return require('module').builtinModules.filter((name) => !name.startsWith('node:')); },
		Recoverable: class Recoverable extends SyntaxError { constructor(error) { super(); this.err = error; } }` },
	inspector: inspects, 'inspector/promises': inspects,
	trace_events: { why: 'nothing of a program is traced here', functions: 'createTracing', more: 'getEnabledCategories: () => undefined' },
	wasi: { why: 'JavaScript has no WebAssembly here: run the module itself', classes: 'WASI' },
	sqlite: { why: 'there is no database here', classes: 'DatabaseSync StatementSync', functions: 'backup', more: 'constants: { SQLITE_CHANGESET_OMIT: 0, SQLITE_CHANGESET_REPLACE: 1, SQLITE_CHANGESET_ABORT: 2 }, SQLITE_CHANGESET_OMIT: 0, SQLITE_CHANGESET_REPLACE: 1, SQLITE_CHANGESET_ABORT: 2' },
};

export function textOf(name) {
	const module = absent[name], words = (text) => text?.split(/\s+/).filter(Boolean) ?? [];
	return `
const fail = (what) => Object.assign(new Error('${name}.' + what + ' is not here: ${module.why}'), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
const sockets = () => require('internal/sockets');
module.exports = { ${module.more ?? ''} };
for (const what of ${JSON.stringify(words(module.functions))})
	module.exports[what] = ${module.rejects ? '() => Promise.reject(fail(what))' : '() => { throw fail(what); }'};
for (const what of ${JSON.stringify(words(module.classes))})
	module.exports[what] = class { constructor() { if (new.target.name === '' || new.target === module.exports[what]) throw fail(what); } };
`;
}
