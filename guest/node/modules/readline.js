// SPDX-License-Identifier: Apache-2.0
// Reads the lines of a stream. There is no terminal: no line is edited, and no cursor moves.
const EventEmitter = require('events');
const { StringDecoder } = require('string_decoder');

const MANY = 1024; // the maximum number of lines that wait for an iterator

const failure = (message, code) => Object.assign(new Error(message), { code });

class Interface extends EventEmitter {
	#decoder = new StringDecoder('utf8');
	#rest = '';
	#endsInReturn = false;
	#prompt = '> ';
	#question;
	#onData = (chunk) => this.#take(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk));
	#onEnd = () => {
		const last = this.#rest + this.#decoder.end();
		this.#rest = '';
		if (last !== '')
			this.#tell(last);
		this.close();
	};
	#onError = (error) => {
		this.emit('error', error);
		this.close();
	};

	constructor(options, output) {
		super();
		const { input, signal, prompt, ...rest } = typeof options?.on === 'function' ? { input: options, output } : options ?? {};
		if (typeof input?.on !== 'function')
			throw Object.assign(new TypeError('The "options.input" argument must be a stream to read'), { code: 'ERR_INVALID_ARG_TYPE' });
		Object.assign(this, { input, output: rest.output, terminal: false, line: '', cursor: 0, closed: false });
		this.#prompt = prompt ?? this.#prompt;
		input.on('data', this.#onData);
		input.on('end', this.#onEnd);
		input.on('error', this.#onError);
		if (signal?.aborted)
			queueMicrotask(() => this.close());
		else
			signal?.addEventListener('abort', () => this.close(), { once: true });
	}

	#take(text) {
		if (text === '')
			return;
		if (this.#endsInReturn && text[0] === '\n')
			text = text.slice(1);
		this.#endsInReturn = text.endsWith('\r');
		const lines = text.split(/\r\n|\n|\r/);
		lines[0] = this.#rest + lines[0];
		this.#rest = lines.pop();
		for (const line of lines)
			this.#tell(line);
	}

	#tell(line) {
		if (this.closed)
			return;
		const question = this.#question;
		this.#question = undefined;
		if (question)
			question(line);
		else
			this.emit('line', line);
	}

	getPrompt() { return this.#prompt; }
	setPrompt(prompt) { this.#prompt = String(prompt); }
	prompt() {
		this.output?.write(this.#prompt);
		this.resume();
	}
	question(query, options, done) {
		if (typeof options === 'function')
			[options, done] = [undefined, options];
		if (this.closed)
			throw failure('readline was closed', 'ERR_USE_AFTER_CLOSE');
		if (typeof done !== 'function')
			return;
		this.output?.write(String(query));
		this.#question = done;
		options?.signal?.addEventListener('abort', () => this.#question === done && (this.#question = undefined), { once: true });
		this.resume();
	}
	write(text) {
		if (this.closed)
			throw failure('readline was closed', 'ERR_USE_AFTER_CLOSE');
		if (typeof text === 'string')
			this.#take(text);
	}
	pause() {
		this.input.pause();
		this.emit('pause');
		return this;
	}
	resume() {
		this.input.resume();
		this.emit('resume');
		return this;
	}
	close() {
		if (this.closed)
			return;
		this.closed = true;
		this.input.removeListener('data', this.#onData);
		this.input.removeListener('end', this.#onEnd);
		this.input.removeListener('error', this.#onError);
		this.input.pause();
		this.emit('close');
	}
	getCursorPos() { return { rows: 0, cols: 0 }; }
	[Symbol.dispose ?? Symbol.for('Symbol.dispose')]() { this.close(); }

	#iterator;
	[Symbol.asyncIterator]() { return this.#iterator ??= this.#iterate(); }
	#iterate() {
		const lines = [];
		let waiting, error, held = false;
		const wake = () => {
			waiting?.();
			waiting = undefined;
		};
		this.on('line', (line) => {
			lines.push(line);
			if (lines.length > MANY && !held) {
				held = true;
				this.pause();
			}
			wake();
		});
		this.on('error', (reason) => {
			error = { reason };
			wake();
		});
		this.on('close', wake);
		return this.#lines(lines, () => error, (wakes) => waiting = wakes, () => {
			if (held && !this.closed)
				this.resume();
			held = false;
		});
	}
	// Takes lines from an array whose beginning is removed only now and then.
	async* #lines(lines, failed, wait, more) {
		try {
			for (;;) {
				for (let i = 0; i < lines.length; i++)
					yield lines[i];
				lines.length = 0;
				more();
				if (failed())
					throw failed().reason;
				if (this.closed)
					return;
				await new Promise(wait);
			}
		} finally {
			this.close();
		}
	}
}

const cursor = (stream, done) => {
	if (typeof done === 'function')
		queueMicrotask(() => done(null));
	return true;
};
module.exports = {
	Interface, createInterface: (options, output) => new Interface(options, output),
	clearLine: (stream, direction, done) => cursor(stream, done), clearScreenDown: cursor, cursorTo: (stream, x, y, done) => cursor(stream, typeof y === 'function' ? y : done),
	moveCursor: (stream, x, y, done) => cursor(stream, done), emitKeypressEvents() {},
	get promises() { return require('readline/promises'); },
};
