// SPDX-License-Identifier: Apache-2.0
// Sockets and servers of node:net can be made, as clients do before they connect. To connect or to listen fails.
// args: --node
// outcome: ok
// value: [true,"open","ERR_FEATURE_UNAVAILABLE_ON_PLATFORM","ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",true,"function",8,"undefined"]
import net from 'node:net';
import { Duplex } from 'node:stream';
const codeOf = (action) => { try { action(); } catch (error) { return error.code ?? error.name; } };
const socket = new net.Socket();
export default [socket instanceof Duplex, socket.setNoDelay().setTimeout(5).readyState, codeOf(() => socket.connect(1)), codeOf(() => net.createServer(() => {}).listen(1)),
	socket.destroy().destroyed, typeof SharedArrayBuffer, new SharedArrayBuffer(8).byteLength, typeof WebAssembly];
