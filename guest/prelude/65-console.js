// SPDX-License-Identifier: Apache-2.0
// The console of the Console Standard, which formats as Node does. Every call is one write to the host.

const STDOUT = 1,
	STDERR = 2;
const GROUP_INDENT = 2;
let groupIndent = 0;

function print(stream, text) {
	if (groupIndent > 0) {
		const indent = repeat(' ', groupIndent);
		text = indent + replaceAll(text, '\n', '\n' + indent);
	}
	write(stream, wellFormed(text) + '\n');
}

// %s: an object's own toString is used if the program gave it one.
function formatString(value, show) {
	if (typeof value === 'number') return plainNumber(value);
	if (typeof value === 'bigint') return value + 'n';
	if (typeof value === 'symbol') return symbolText(value);
	if (!isObject(value)) return toText(value);
	if (typeof value === 'function' || hasOwnToString(value)) return toText(value);
	return show(value, { __proto__: null, depth: 0, colors: false, compact: COMPACT_LEVELS });
}

function hasOwnToString(value) {
	const kind = classOf(value);
	if (kind === 'Proxy') return false;
	for (let level = 0, holder = value; holder !== null && level < 1000; level++) {
		const descriptor = getOwnPropertyDescriptor(holder, 'toString');
		if (descriptor)
			return typeof descriptor.value === 'function' && !includes(functionText(descriptor.value), '[native code]');
		holder = getPrototypeOf(holder);
	}
	return false;
}

function formatNumber(value, convert) {
	if (typeof value === 'bigint') return value + 'n';
	return typeof value === 'symbol' || (isObject(value) && convert !== toFloat && convert !== toInteger)
		? 'NaN'
		: plainNumber(convert(value));
}

function formatJson(value) {
	try {
		return toText(stringify(value));
	} catch (error) {
		if (classOf(error) === 'Error' && includes(toText(safeGet(error, 'message')), 'circular')) return '[Circular]';
		throw error;
	}
}

const toNumber = value => +value;
const formats = {
	__proto__: null,
	s: formatString,
	d: value => formatNumber(value, toNumber),
	i: value => formatNumber(value, toInteger),
	f: value => (typeof value === 'symbol' ? 'NaN' : plainNumber(toFloat(value))),
	j: formatJson,
	o: (value, show) => show(value, { __proto__: null, showHidden: true, showProxy: true, depth: 4 }),
	O: (value, show) => show(value),
	c: () => '',
};

// Replaces the first argument's specifiers by the arguments after it. The remaining arguments follow, separated by
// spaces. show(value, options) formats what is no text.
function format(args, show = inspectUsually) {
	const first = args[0];
	let used = 0;
	let text = '';
	if (typeof first === 'string' && args.length > 1) {
		used = 1;
		let start = 0;
		for (let at; (at = indexOf(first, '%', start)) >= 0 && at + 1 < first.length; start = at + 2) {
			const letter = first[at + 1];
			text += slice(first, start, at);
			if (letter === '%') text += '%';
			else if (formats[letter] && used < args.length) text += formats[letter](args[used++], show);
			else text += '%' + letter;
		}
		text += slice(first, start);
	}
	for (let i = used; i < args.length; i++)
		text += (i > 0 ? ' ' : '') + (typeof args[i] === 'string' ? args[i] : show(args[i]));
	return text;
}

const counts = new Map();
const timers = new Map();
const toLabel = label => (label === undefined ? 'default' : toText(label));

function showDuration(ms) {
	if (ms >= 1000) return fixedText(ms / 1000, 3) + 's';
	return +fixedText(ms, 3) + 'ms';
}

function printTimer(label, args) {
	const start = mapGet(timers, label);
	if (start === undefined) {
		print(STDERR, "Warning: No such label '" + label + "' for console.time()");
		return false;
	}
	const more = args.length ? ' ' + format(args) : '';
	print(STDOUT, label + ': ' + showDuration(clock() - start) + more);
	return true;
}

// The caller's stack, without the console's own frames.
function callerStack() {
	const lines = splitLines(toText(new Error().stack));
	let text = '';
	for (let i = 0; i < lines.length; i++) {
		if (startsWith(lines[i], '    at ') && !includes(lines[i], '(curfew:prelude')) text += '\n' + lines[i];
	}
	return text;
}

// ---- Tables ----

function tableRow(cells, widths) {
	let text = '│';
	for (let i = 0; i < cells.length; i++)
		text += ' ' + cells[i] + repeat(' ', widths[i] - textWidth(cells[i]) - 1) + '│';
	return text + '\n';
}

function tableRule(widths, left, middle, right) {
	let text = left;
	for (let i = 0; i < widths.length; i++) text += repeat('─', widths[i]) + (i < widths.length - 1 ? middle : '');
	return text + right;
}

// rows: lists with as many cells as there are heads. A missing cell is ''.
function drawTable(heads, rows) {
	const widths = [];
	for (let i = 0; i < heads.length; i++) push(widths, textWidth(heads[i]) + 2);
	for (let i = 0; i < rows.length; i++) {
		for (let j = 0; j < heads.length; j++) widths[j] = max(widths[j], textWidth(rows[i][j]) + 2);
	}
	let text =
		tableRule(widths, '┌', '┬', '┐') + '\n' + tableRow(heads, widths) + tableRule(widths, '├', '┼', '┤') + '\n';
	for (let i = 0; i < rows.length; i++) text += tableRow(rows[i], widths);
	return text + tableRule(widths, '└', '┴', '┘');
}

const showCell = value => (isObject(value) ? inspect(value, { __proto__: null, depth: 0 }) : inspect(value));

// The rows of a table as [index, value] pairs, and the name of the index column.
function tableEntries(data, kind) {
	const entries = [];
	if (kind === 'Map') {
		let i = 0;
		mapForEach(data, (value, key) => push(entries, { __proto__: null, index: toText(i++), key, value }));
	} else if (kind === 'Set') {
		let i = 0;
		setForEach(data, value => push(entries, { __proto__: null, index: toText(i++), value }));
	} else {
		const keys = objectKeys(data);
		for (let i = 0; i < keys.length; i++) push(entries, { __proto__: null, index: keys[i], value: data[keys[i]] });
	}
	return entries;
}

function makeTable(data, wanted) {
	const kind = classOf(data);
	const entries = tableEntries(data, kind);
	const heads = [kind === 'Map' || kind === 'Set' ? '(iteration index)' : '(index)'];
	const columns = new Map(); // name of a column -> its index
	const addColumn = name => {
		if (!mapHas(columns, name)) {
			mapSet(columns, name, heads.length);
			push(heads, name);
		}
	};
	if (kind === 'Map') push(heads, 'Key');
	const fixed = heads.length;
	for (let i = 0; wanted && i < wanted.length; i++) addColumn(wanted[i]);
	let hasValues = false;
	for (let i = 0; i < entries.length; i++) {
		const { value } = entries[i];
		if (isWholeCell(value, kind)) {
			hasValues = true;
		} else if (!wanted) {
			const keys = objectKeys(value);
			for (let j = 0; j < keys.length; j++) addColumn(keys[j]);
		}
	}
	if (hasValues) push(heads, 'Values');
	const rows = [];
	for (let i = 0; i < entries.length; i++) push(rows, makeRow(entries[i], kind, heads, columns, fixed));
	return drawTable(heads, rows);
}

// Whether a value is shown in one cell instead of one column for each of its properties.
const isWholeCell = (value, kind) =>
	!isObject(value) || typeof value === 'function' || kind === 'Map' || kind === 'Set';

function makeRow({ index, key, value }, kind, heads, columns, fixed) {
	const row = [index];
	if (fixed === 2) push(row, showCell(key));
	for (let i = fixed; i < heads.length; i++) push(row, '');
	if (isWholeCell(value, kind)) {
		row[heads.length - 1] = showCell(value);
		return row;
	}
	const keys = objectKeys(value);
	for (let i = 0; i < keys.length; i++) {
		const place = mapGet(columns, keys[i]);
		if (place !== undefined) row[place] = showCell(value[keys[i]]);
	}
	return row;
}

// ---- The namespace ----

const consoleMethods = {
	log(...args) {
		print(STDOUT, format(args));
	},
	info(...args) {
		print(STDOUT, format(args));
	},
	debug(...args) {
		print(STDOUT, format(args));
	},
	error(...args) {
		print(STDERR, format(args));
	},
	warn(...args) {
		print(STDERR, format(args));
	},
	trace(...args) {
		const text = format(args);
		print(STDERR, 'Trace' + (text === '' ? '' : ': ' + text) + callerStack());
	},
	assert(condition = false, ...args) {
		if (condition) return;
		if (typeof args[0] === 'string') args[0] = 'Assertion failed: ' + args[0];
		else args = args.length ? joinLists(['Assertion failed:'], args) : ['Assertion failed'];
		print(STDERR, format(args));
	},
	dir(value = undefined, options = undefined) {
		const given = isObject(options) ? options : { __proto__: null };
		print(STDOUT, inspectFor(value, { __proto__: null, ...given, customInspect: false }));
	},
	dirxml(...args) {
		print(STDOUT, format(args));
	},
	table(data = undefined, columns = undefined) {
		if (!isObject(data)) {
			print(STDOUT, format([data]));
			return;
		}
		let wanted;
		if (columns !== undefined) {
			if (!isArray(columns)) throw new TypeError('The second argument of console.table is not an array');
			wanted = [];
			for (let i = 0; i < columns.length; i++) push(wanted, toText(columns[i]));
		}
		print(STDOUT, makeTable(data, wanted));
	},
	group(...args) {
		if (args.length) print(STDOUT, format(args));
		groupIndent += GROUP_INDENT;
	},
	groupCollapsed(...args) {
		if (args.length) print(STDOUT, format(args));
		groupIndent += GROUP_INDENT;
	},
	groupEnd() {
		groupIndent = max(groupIndent - GROUP_INDENT, 0);
	},
	count(label = undefined) {
		label = toLabel(label);
		const count = (mapGet(counts, label) ?? 0) + 1;
		mapSet(counts, label, count);
		print(STDOUT, label + ': ' + count);
	},
	countReset(label = undefined) {
		label = toLabel(label);
		if (!mapDelete(counts, label)) print(STDERR, "Warning: Count for '" + label + "' does not exist");
	},
	time(label = undefined) {
		label = toLabel(label);
		if (mapHas(timers, label)) print(STDERR, "Warning: Label '" + label + "' already exists for console.time()");
		else mapSet(timers, label, clock());
	},
	timeLog(label = undefined, ...args) {
		printTimer(toLabel(label), args);
	},
	timeEnd(label = undefined) {
		label = toLabel(label);
		if (printTimer(label, [])) mapDelete(timers, label);
	},
};

function joinLists(list, more) {
	for (let i = 0; i < more.length; i++) push(list, more[i]);
	return list;
}

// A namespace object of Web IDL: its prototype is an empty object.
const console = Object.assign(createObject({}), consoleMethods);
defineProperty(console, Symbol.toStringTag, { __proto__: null, value: 'console', configurable: true });
