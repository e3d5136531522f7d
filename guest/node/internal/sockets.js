// SPDX-License-Identifier: Apache-2.0
// Sockets and servers of node:net that are made, but can neither connect nor listen.
const { Duplex } = require('stream');
const EventEmitter = require('events');

const absent = (what) => Object.assign(new Error(`net.${what} is not here: there are no sockets here: use fetch`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });

class Socket extends Duplex {
	constructor(options) {
		super({ allowHalfOpen: Boolean(options?.allowHalfOpen), emitClose: true });
		Object.assign(this, { connecting: false, pending: true, bytesRead: 0, bytesWritten: 0, timeout: 0, remoteAddress: undefined, remotePort: undefined, remoteFamily: undefined, localAddress: undefined, localPort: undefined });
	}
	get readyState() { return this.destroyed ? 'closed' : 'open'; }
	connect() { throw absent('Socket.connect'); }
	_read() {}
	_write(chunk, encoding, done) { done(absent('Socket.write')); }
	setTimeout(timeout) {
		this.timeout = timeout;
		return this;
	}
	setNoDelay() { return this; }
	setKeepAlive() { return this; }
	ref() { return this; }
	unref() { return this; }
	address() { return {}; }
	resetAndDestroy() { return this.destroy(); }
	destroySoon() { this.destroy(); }
}
class Server extends EventEmitter {
	listening = false;
	constructor(options, listener) {
		super();
		const action = typeof options === 'function' ? options : listener;
		if (action)
			this.on('connection', action);
	}
	listen() { throw absent('Server.listen'); }
	close(done) {
		done?.(Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' }));
		return this;
	}
	address() { return null; }
	getConnections(done) { queueMicrotask(() => done(null, 0)); }
	ref() { return this; }
	unref() { return this; }
}
module.exports = { Socket, Server };
