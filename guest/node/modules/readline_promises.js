// SPDX-License-Identifier: Apache-2.0
const readline = require('readline');

class Interface extends readline.Interface {
	question(query, options) {
		return new Promise((resolve, reject) => {
			const { signal } = options ?? {};
			signal?.throwIfAborted();
			signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
			this.once('close', () => reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' })));
			super.question(query, options ?? {}, resolve);
		});
	}
}

// There is no cursor to move.
class Readline {
	clearLine() { return this; }
	clearScreenDown() { return this; }
	cursorTo() { return this; }
	moveCursor() { return this; }
	rollback() { return this; }
	async commit() {}
}
module.exports = { Interface, Readline, createInterface: (options, output) => new Interface(options, output) };
