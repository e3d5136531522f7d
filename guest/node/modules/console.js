// SPDX-License-Identifier: Apache-2.0
// The platform's console, and consoles that write to streams.
const { coded, needs } = require('internal/errors');

class Console {
	#out;
	#err;
	#inspectOptions;
	#groups = '';
	#indentation;
	#counts = new Map();
	#timers = new Map();
	constructor(options, stderr, ignoreErrors) {
		const { stdout, stderr: err = stdout, inspectOptions, groupIndentation = 2 } = options && typeof options.write !== 'function' ? options : { stdout: options, stderr: stderr ?? options, ignoreErrors };
		for (const [stream, name] of [[stdout, 'stdout'], [err, 'stderr']]) {
			if (typeof stream?.write !== 'function')
				throw coded(TypeError, 'ERR_CONSOLE_WRITABLE_STREAM', `Console expects a writable stream instance for ${name}`);
		}
		needs.integer(groupIndentation, 'groupIndentation', 0, 1000);
		this.#out = stdout;
		this.#err = err;
		this.#inspectOptions = inspectOptions ?? {};
		this.#indentation = ' '.repeat(groupIndentation);
		// Each method can be taken out of the object.
		for (const name of Object.getOwnPropertyNames(Console.prototype)) {
			if (name !== 'constructor')
				Object.defineProperty(this, name, { value: this[name].bind(this), writable: true, enumerable: true, configurable: true });
		}
	}
	#write(stream, args) {
		const text = require('util').formatWithOptions(this.#inspectOptions, ...args);
		stream.write((this.#groups === '' ? text : this.#groups + text.replace(/\n/g, '\n' + this.#groups)) + '\n');
	}
	log(...args) { this.#write(this.#out, args); }
	info(...args) { this.#write(this.#out, args); }
	debug(...args) { this.#write(this.#out, args); }
	warn(...args) { this.#write(this.#err, args); }
	error(...args) { this.#write(this.#err, args); }
	dirxml(...args) { this.#write(this.#out, args); }
	dir(value, options) { this.#write(this.#out, [require('util').inspect(value, { customInspect: false, ...this.#inspectOptions, ...options })]); }
	trace(...args) {
		const { stack } = new Error();
		this.#write(this.#err, ['Trace' + (args.length > 0 ? ': ' + require('util').formatWithOptions(this.#inspectOptions, ...args) : '') + '\n' + stack.trimEnd().split('\n').slice(1).join('\n')]);
	}
	assert(value, ...args) {
		if (value)
			return;
		args[0] = args.length > 0 ? `Assertion failed: ${args[0]}` : 'Assertion failed';
		this.warn(...args);
	}
	count(label = 'default') {
		const count = (this.#counts.get(`${label}`) ?? 0) + 1;
		this.#counts.set(`${label}`, count);
		this.log(`${label}: ${count}`);
	}
	countReset(label = 'default') { this.#counts.delete(`${label}`); }
	group(...args) {
		if (args.length > 0)
			this.log(...args);
		this.#groups += this.#indentation;
	}
	groupCollapsed(...args) { this.group(...args); }
	groupEnd() { this.#groups = this.#groups.slice(0, this.#groups.length - this.#indentation.length); }
	time(label = 'default') { this.#timers.set(`${label}`, performance.now()); }
	timeLog(label = 'default', ...args) {
		const start = this.#timers.get(`${label}`), spent = performance.now() - start;
		if (start !== undefined)
			this.log(`${label}: ${spent >= 1000 ? (spent / 1000).toFixed(3) + 's' : Number(spent.toFixed(3)) + 'ms'}`, ...args);
	}
	timeEnd(label = 'default') {
		this.timeLog(label);
		this.#timers.delete(`${label}`);
	}
	table(data, properties) {
		if (data === null || typeof data !== 'object')
			return this.log(data);
		const show = (value) => require('util').inspect(value, { ...this.#inspectOptions, maxArrayLength: 3, breakLength: Infinity, depth: value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0 });
		const isMap = data instanceof Map, isSet = data instanceof Set, columns = new Map(), rows = [];
		const entries = isMap ? [...data].map(([key, value], i) => [String(i), value, key]) : isSet ? [...data].map((value, i) => [String(i), value]) : Object.entries(data);
		let hasValues = false;
		for (const [index, value, key] of entries) {
			const row = { index, cells: {}, key: key === undefined ? undefined : show(key) };
			rows.push(row);
			if (value === null || typeof value !== 'object' || isMap) {
				row.value = show(value);
				hasValues = true;
				continue;
			}
			for (const name of properties ?? Object.keys(value)) {
				columns.set(name, true);
				if (Object.hasOwn(value, name))
					row.cells[name] = show(value[name]);
			}
		}
		const head = [isMap || isSet ? '(iteration index)' : '(index)', ...(isMap ? ['Key'] : []), ...columns.keys(), ...(hasValues ? ['Values'] : [])];
		const body = rows.map(({ index, cells, value, key }) => [index, ...(isMap ? [key] : []), ...[...columns.keys()].map((name) => cells[name] ?? ''), ...(hasValues ? [value ?? ''] : [])]);
		const widths = head.map((title, i) => Math.max(title.length, ...body.map((row) => row[i].length)) + 2);
		const line = (left, middle, right) => left + widths.map((width) => '─'.repeat(width)).join(middle) + right;
		const cells = (row) => '│' + row.map((text, i) => ` ${text}`.padEnd(widths[i])).join('│') + '│';
		return this.log([line('┌', '┬', '┐'), cells(head), line('├', '┼', '┤'), ...body.map(cells), line('└', '┴', '┘')].join('\n'));
	}
}
// As in Node, these exist, and do nothing without an inspector.
const inspected = { clear() {}, profile() {}, profileEnd() {}, timeStamp() {} };
module.exports = Object.assign(Object.create(console), inspected, console, { Console });
