// SPDX-License-Identifier: Apache-2.0
// Node's modules for what a program has no way to do here. They can be imported; what they offer fails when it is called.
const stream = 'createServer connect createConnection';
export const absent = {
	net: { why: 'there are no sockets here: use fetch', functions: `${stream} getDefaultAutoSelectFamily setDefaultAutoSelectFamily`, classes: 'Socket Server Stream BlockList SocketAddress',
		more: `isIP: (text) => /^(\\d{1,3}\\.){3}\\d{1,3}$/.test(text) && text.split('.').every((part) => part < 256) ? 4 : URL.canParse('http://[' + text + ']/') ? 6 : 0,
		isIPv4(text) { return this.isIP(text) === 4; }, isIPv6(text) { return this.isIP(text) === 6; }` },
	tls: { why: 'there are no sockets here: use fetch', functions: `${stream} createSecureContext getCiphers checkServerIdentity`, classes: 'TLSSocket Server SecureContext', more: 'rootCertificates: []' },
	dgram: { why: 'there are no sockets here', functions: 'createSocket', classes: 'Socket' },
	dns: { why: 'a program cannot look names up here: fetch does', functions: 'lookup lookupService resolve resolve4 resolve6 resolveAny resolveMx resolveNs resolveTxt resolveSrv reverse setServers getServers setDefaultResultOrder', classes: 'Resolver',
		more: `get promises() { return require('dns/promises'); }` },
	'dns/promises': { why: 'a program cannot look names up here: fetch does', rejects: true, functions: 'lookup lookupService resolve resolve4 resolve6 resolveAny resolveMx resolveNs resolveTxt resolveSrv reverse setServers getServers', classes: 'Resolver' },
	http: { why: 'there are no sockets here: use fetch', functions: 'createServer request get validateHeaderName validateHeaderValue setMaxIdleHTTPParsers', classes: 'Server ServerResponse IncomingMessage OutgoingMessage ClientRequest',
		more: 'Agent: class Agent {}, globalAgent: {}, maxHeaderSize: 16384, METHODS: methods, STATUS_CODES: codes' },
	https: { why: 'there are no sockets here: use fetch', functions: 'createServer request get', classes: 'Server', more: 'Agent: class Agent {}, globalAgent: {}' },
	http2: { why: 'there are no sockets here: use fetch', functions: 'connect createServer createSecureServer getDefaultSettings', more: 'constants: {}, sensitiveHeaders: Symbol("sensitiveHeaders")' },
	child_process: { why: 'a program cannot start others here', functions: 'exec execFile execFileSync execSync fork spawn spawnSync', classes: 'ChildProcess' },
	cluster: { why: 'a program is one process here', functions: 'fork setupPrimary setupMaster disconnect', more: 'isMaster: true, isPrimary: true, isWorker: false, workers: {}, settings: {}' },
	worker_threads: { why: 'a program has one thread here', functions: 'moveMessagePortToContext receiveMessageOnPort postMessageToThread', classes: 'Worker BroadcastChannel',
		more: 'isMainThread: true, parentPort: null, workerData: null, threadId: 0, resourceLimits: {}, MessageChannel, MessagePort, getEnvironmentData() {}, setEnvironmentData() {}, markAsUntransferable() {}, SHARE_ENV: Symbol("SHARE_ENV")' },
	vm: { why: 'a program has one realm here', functions: 'createContext runInContext runInNewContext compileFunction measureMemory', classes: 'Script SourceTextModule SyntheticModule',
		more: 'isContext: () => false, runInThisContext: (code) => (0, eval)(code), constants: {}' },
	v8: { why: 'the engine is QuickJS here', functions: 'getHeapSnapshot writeHeapSnapshot setFlagsFromString takeCoverage stopCoverage', classes: 'Serializer Deserializer',
		more: 'getHeapStatistics: () => ({ total_heap_size: 0, used_heap_size: 0, heap_size_limit: curfew.limits.memory_bytes }), getHeapSpaceStatistics: () => [], cachedDataVersionTag: () => 0' },
	readline: { why: 'there is no terminal here: read curfew.stdin', functions: 'createInterface clearLine clearScreenDown cursorTo moveCursor emitKeypressEvents', classes: 'Interface' },
	'readline/promises': { why: 'there is no terminal here: read curfew.stdin', functions: 'createInterface', classes: 'Interface Readline' },
	repl: { why: 'there is no terminal here', functions: 'start', classes: 'REPLServer' },
	inspector: { why: 'nothing can look into a program here', functions: 'open close url waitForDebugger', classes: 'Session' },
};
export const statusCodes = { 100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content',
	205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified',
	305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
	406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long',
	415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: 'I\'m a Teapot', 421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency',
	425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error',
	501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage', 508: 'Loop Detected',
	509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required' };
export const methods = ['ACL', 'BIND', 'CHECKOUT', 'CONNECT', 'COPY', 'DELETE', 'GET', 'HEAD', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE', 'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MOVE', 'NOTIFY', 'OPTIONS', 'PATCH', 'POST',
	'PROPFIND', 'PROPPATCH', 'PURGE', 'PUT', 'QUERY', 'REBIND', 'REPORT', 'SEARCH', 'SOURCE', 'SUBSCRIBE', 'TRACE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE'];

export function textOf(name) {
	const module = absent[name], words = (text) => text?.split(/\s+/).filter(Boolean) ?? [];
	return `${module.head ?? ''}
const codes = ${name === 'http' ? JSON.stringify(statusCodes) : '{}'}, methods = ${name === 'http' ? JSON.stringify(methods) : '[]'};
const fail = (what) => Object.assign(new Error('${name}.' + what + ' is not here: ${module.why}'), { code: '${module.code ?? 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'}' });
module.exports = { ${module.more ?? ''}${module.more ? ',' : ''} ${module.extra ?? ''} };
for (const what of ${JSON.stringify(words(module.functions))})
	module.exports[what] = ${module.rejects ? '() => Promise.reject(fail(what))' : '() => { throw fail(what); }'};
for (const what of ${JSON.stringify(words(module.classes))})
	module.exports[what] = class { constructor() { if (new.target.name === '' || new.target === module.exports[what]) throw fail(what); } };
`;
}
