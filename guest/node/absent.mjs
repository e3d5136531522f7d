// SPDX-License-Identifier: Apache-2.0
// Node's modules for which a program has no means here. They can be imported, but their functions throw when called.
const stream = 'createServer connect createConnection';
export const absent = {
	net: { why: 'there are no sockets here: use fetch', functions: `${stream} getDefaultAutoSelectFamily setDefaultAutoSelectFamily`, classes: 'Socket Server Stream BlockList SocketAddress',
		more: `isIP: (text) => /^(\\d{1,3}\\.){3}\\d{1,3}$/.test(text) && text.split('.').every((part) => part < 256) ? 4 : URL.canParse('http://[' + text + ']/') ? 6 : 0,
		isIPv4(text) { return this.isIP(text) === 4; }, isIPv6(text) { return this.isIP(text) === 6; }` },
	tls: { why: 'there are no sockets here: use fetch', functions: `${stream} createSecureContext getCiphers checkServerIdentity`, classes: 'Server SecureContext',
		// It can be constructed around a stream, because packages look up the class of its internals while they are loaded.
		more: `rootCertificates: [], TLSSocket: class TLSSocket extends require('events') {
			constructor(stream) {
				if (typeof stream?.pipe !== 'function')
					throw fail('TLSSocket');
				super();
				this._handle = { _parentWrap: new (class JSStreamSocket extends require('stream').Duplex { constructor() { super(); this.stream = stream; } })() };
			}
		}` },
	dgram: { why: 'there are no sockets here', functions: 'createSocket', classes: 'Socket' },
	dns: { why: 'a program cannot look names up here: fetch does', functions: 'lookup lookupService resolve resolve4 resolve6 resolveAny resolveMx resolveNs resolveTxt resolveSrv reverse setServers getServers setDefaultResultOrder', classes: 'Resolver',
		more: `get promises() { return require('dns/promises'); }, ADDRCONFIG: 32, V4MAPPED: 8, ALL: 16, NODATA: 'ENODATA', NOTFOUND: 'ENOTFOUND', CANCELLED: 'ECANCELLED', TIMEOUT: 'ETIMEOUT'` },
	'dns/promises': { why: 'a program cannot look names up here: fetch does', rejects: true, functions: 'lookup lookupService resolve resolve4 resolve6 resolveAny resolveMx resolveNs resolveTxt resolveSrv reverse setServers getServers', classes: 'Resolver' },
	http2: { why: 'there are no sockets here: use fetch', functions: 'connect createServer createSecureServer getDefaultSettings', more: 'constants: {}, sensitiveHeaders: Symbol("sensitiveHeaders")' },
	child_process: { why: 'a program cannot start others here', functions: 'exec execFile execFileSync execSync fork spawn spawnSync', classes: 'ChildProcess' },
	cluster: { why: 'a program is one process here', functions: 'fork setupPrimary setupMaster disconnect', more: 'isMaster: true, isPrimary: true, isWorker: false, workers: {}, settings: {}' },
	worker_threads: { why: 'a program has one thread here', functions: 'moveMessagePortToContext receiveMessageOnPort postMessageToThread', classes: 'Worker BroadcastChannel',
		more: 'isMainThread: true, parentPort: null, workerData: null, threadId: 0, resourceLimits: {}, MessageChannel, MessagePort, getEnvironmentData() {}, setEnvironmentData() {}, markAsUntransferable() {}, SHARE_ENV: Symbol("SHARE_ENV")' },
	vm: { why: 'a program has one realm here', functions: 'createContext runInContext runInNewContext compileFunction measureMemory', classes: 'Script SourceTextModule SyntheticModule',
		more: 'isContext: () => false, runInThisContext: (code) => (0, eval)(code), constants: {}' },
	v8: { why: 'the engine is QuickJS here', functions: 'getHeapSnapshot writeHeapSnapshot setFlagsFromString takeCoverage stopCoverage', classes: 'Serializer Deserializer',
		more: 'getHeapStatistics: () => ({ total_heap_size: 0, used_heap_size: 0, heap_size_limit: curfew.limits.memory_bytes }), getHeapSpaceStatistics: () => [], cachedDataVersionTag: () => 0' },
	repl: { why: 'there is no terminal here', functions: 'start', classes: 'REPLServer' },
	inspector: { why: 'nothing can look into a program here', functions: 'open close url waitForDebugger', classes: 'Session' },
};

export function textOf(name) {
	const module = absent[name], words = (text) => text?.split(/\s+/).filter(Boolean) ?? [];
	return `${module.head ?? ''}
const fail = (what) => Object.assign(new Error('${name}.' + what + ' is not here: ${module.why}'), { code: '${module.code ?? 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'}' });
module.exports = { ${module.more ?? ''}${module.more ? ',' : ''} ${module.extra ?? ''} };
for (const what of ${JSON.stringify(words(module.functions))})
	module.exports[what] = ${module.rejects ? '() => Promise.reject(fail(what))' : '() => { throw fail(what); }'};
for (const what of ${JSON.stringify(words(module.classes))})
	module.exports[what] = class { constructor() { if (new.target.name === '' || new.target === module.exports[what]) throw fail(what); } };
`;
}
