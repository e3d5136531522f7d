// SPDX-License-Identifier: Apache-2.0
const stream = require('../node_modules/readable-stream/lib/stream.js');
const { Readable, Writable, Duplex, finished } = stream;

// ---- Streams of the web platform ----

const plain = (chunk) => ArrayBuffer.isView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : chunk;
const settled = (promise, done) => promise.then(() => done(), (error) => done(error ?? new Error('The stream was given up')));

Readable.toWeb = (readable, { strategy } = {}) => {
	const { readableObjectMode, readableHighWaterMark: highWaterMark } = readable;
	let over = false;
	return new ReadableStream({
		start(controller) {
			readable.pause();
			readable.on('data', (chunk) => {
				controller.enqueue(readableObjectMode ? chunk : plain(chunk));
				if (controller.desiredSize <= 0)
					readable.pause();
			});
			finished(readable, { writable: false }, (error) => {
				if (over)
					return;
				over = true;
				error ? controller.error(error) : controller.close();
			});
		},
		pull() { readable.resume(); },
		cancel(reason) {
			over = true;
			readable.destroy(reason);
		},
	}, strategy ?? { highWaterMark, size: (chunk) => readableObjectMode ? 1 : chunk.byteLength ?? chunk.length });
};

const readPart = (web) => {
	const reader = web.getReader();
	return {
		read() {
			reader.read().then(({ value, done }) => this.push(done ? null : value), (error) => this.destroy(error));
		},
		// A stream that has ended cannot be cancelled. That error is ignored.
		giveUp: (error) => reader.cancel(error ?? undefined).catch(() => {}),
	};
};
Readable.fromWeb = (web, { objectMode = false, ...options } = {}) => {
	const { read, giveUp } = readPart(web);
	return new Readable({ ...options, objectMode, read, destroy(error, done) { giveUp(error).then(() => done(error)); } });
};

Writable.toWeb = (writable) => new WritableStream({
	start(controller) {
		finished(writable, { readable: false }, (error) => error && controller.error(error));
		writable.on('error', () => {}); // the write itself reports the error
	},
	write: (chunk) => new Promise((resolve, reject) => writable.write(chunk, (error) => error ? reject(error) : resolve())),
	close: () => new Promise((resolve, reject) => writable.end((error) => error ? reject(error) : resolve())),
	abort(reason) { writable.destroy(reason); },
}, { highWaterMark: 1 });

const writePart = (web) => {
	const writer = web.getWriter();
	writer.closed.catch(() => {});
	return {
		write(chunk, encoding, done) { settled(writer.ready.then(() => writer.write(plain(chunk))), done); },
		final(done) { settled(writer.close(), done); },
		giveUp: (error) => error ? writer.abort(error).catch(() => {}) : Promise.resolve(),
	};
};
Writable.fromWeb = (web, options) => {
	const { write, final, giveUp } = writePart(web);
	return new Writable({ ...options, write, final, destroy(error, done) { giveUp(error).then(() => done(error)); } });
};

Duplex.toWeb = (duplex) => ({ readable: Readable.toWeb(duplex), writable: Writable.toWeb(duplex) });
Duplex.fromWeb = ({ readable, writable }, options) => {
	const input = readPart(readable), output = writePart(writable);
	return new Duplex({ ...options, read: input.read, write: output.write, final: output.final,
		destroy(error, done) { Promise.all([input.giveUp(error), output.giveUp(error)]).then(() => done(error)); } });
};
// Two streams, each of which reads what is written to the other.
stream.duplexPair = function duplexPair(options) {
	class Side extends Duplex {
		#other;
		#taken;
		join(other) { this.#other = other; }
		_read() {
			const taken = this.#taken;
			this.#taken = undefined;
			taken?.();
		}
		_write(chunk, encoding, done) {
			if (chunk.length === 0) {
				process.nextTick(done);
				return;
			}
			this.#other.push(chunk);
			this.#other.#taken = done;
		}
		_final(done) {
			this.#other.on('end', done);
			this.#other.push(null);
		}
	}
	const sides = [new Side(options), new Side(options)];
	sides[0].join(sides[1]);
	sides[1].join(sides[0]);
	return sides;
};
for (const name of ['Readable', 'Writable', 'Duplex', 'Transform', 'PassThrough'])
	Object.defineProperty(stream[name], 'name', { value: name, configurable: true });
Object.defineProperty(stream, 'consumers', { configurable: true, enumerable: false, get: () => require('stream/consumers') });
module.exports = stream;
