// SPDX-License-Identifier: Apache-2.0
// Formats a value as text, as Node does: nested to a depth, and broken into lines where it gets long. It reads
// properties through their descriptors, so that it calls no getter.

const DEFAULT_DEPTH = 2;
const MAX_DEPTH = 100; // also if all levels are requested, because the function is recursive
const MAX_ITEMS = 100; // of an array, map or set
const MAX_TEXT = 10000; // characters of a string within another value
const MAX_LENGTH_WITH_EXTRA_KEYS = 10000; // a longer array is not searched for keys other than indexes
const LINE_WIDTH = 80;
const COMPACT_LEVELS = 3; // how many inner levels may share a line
const MIN_GROUPED = 7; // arrays from this length on are formatted in columns
const MAX_COLUMNS = 15;
const MAX_CHAIN = 1000; // how many prototypes are examined; a proxy can make the chain endless

const isIdentifierUnit = (c, first) =>
	(c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || (!first && c >= 48 && c <= 57);
function isIdentifier(text) {
	for (let i = 0; i < text.length; i++) {
		if (!isIdentifierUnit(codeUnit(text, i), i === 0)) return false;
	}
	return text.length > 0;
}

// An array index: "0", "1", ... without leading zeros.
function isIndex(key) {
	if (typeof key !== 'string' || key.length === 0 || key.length > 10) return false;
	for (let i = 0; i < key.length; i++) {
		const c = codeUnit(key, i);
		if (c < 48 || c > 57) return false;
	}
	return key.length === 1 || key[0] !== '0';
}

function splitLines(text) {
	const lines = [];
	let start = 0;
	for (let end; (end = indexOf(text, '\n', start)) >= 0; start = end + 1) push(lines, slice(text, start, end));
	push(lines, slice(text, start));
	return lines;
}

function replaceAll(text, old, replacement) {
	let result = '';
	let start = 0;
	for (let at; (at = indexOf(text, old, start)) >= 0; start = at + old.length)
		result += slice(text, start, at) + replacement;
	return start === 0 ? text : result + slice(text, start);
}

// The escape sequences of colours and other styles: [on, off].
const inkOf = {
	__proto__: null,
	special: [36, 39],
	number: [33, 39],
	bigint: [33, 39],
	boolean: [33, 39],
	undefined: [90, 39],
	null: [1, 22],
	string: [32, 39],
	symbol: [32, 39],
	date: [35, 39],
	regexp: [31, 39],
};
const usualStyle = (text, style) =>
	inkOf[style] ? '\x1b[' + inkOf[style][0] + 'm' + text + '\x1b[' + inkOf[style][1] + 'm' : text;
const paint = (text, style, state) => (state.style === undefined ? text : state.style(text, style));

// How many units a text has without escape sequences of styles.
function lengthOf(text, state) {
	let { length } = text;
	if (state.style === undefined) return length;
	for (let at = indexOf(text, '\x1b['); at >= 0; at = indexOf(text, '\x1b[', at + 2)) {
		const end = indexOf(text, 'm', at);
		if (end > at + 2 && end <= at + 4) length -= end + 1 - at;
	}
	return length;
}

const shortEscapes = { __proto__: null, 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 92: '\\\\' };
const hexUnit = (c, width) => padStart(numberText(c, 16), width, '0');

function escapeUnit(c, quote) {
	if (c === quote) return '\\' + (quote === 39 ? "'" : quote === 34 ? '"' : '`');
	if (shortEscapes[c]) return shortEscapes[c];
	if (c < 32 || (c >= 127 && c < 160)) return '\\x' + upperHex(hexUnit(c, 2));
	return undefined;
}
const upperHex = uncurry(String.prototype.toUpperCase);

// Quotes a string with the quotation mark that needs the fewest escapes.
function quoteText(text) {
	let mark = "'";
	if (includes(text, "'"))
		mark = !includes(text, '"') ? '"' : !includes(text, '`') && !includes(text, '${') ? '`' : "'";
	const quote = codeUnit(mark, 0);
	let result = mark;
	let start = 0;
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		let escaped = escapeUnit(c, quote);
		if (c >= 0xd800 && c <= 0xdfff) {
			const next = i + 1 < text.length ? codeUnit(text, i + 1) : 0;
			if (c < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) i++;
			else escaped = '\\u' + hexUnit(c, 4);
		}
		if (escaped !== undefined) {
			result += slice(text, start, i) + escaped;
			start = i + 1;
		}
	}
	return result + slice(text, start) + mark;
}

function showText(text, state) {
	let more = '';
	if (text.length > state.maxText) {
		const rest = text.length - state.maxText;
		text = slice(text, 0, state.maxText);
		more = '... ' + rest + ' more character' + (rest > 1 ? 's' : '');
	}
	if (text.length > 16 && text.length > state.lineWidth - state.indent - 4 && includes(text, '\n')) {
		const lines = splitLines(text);
		const parts = [];
		for (let i = 0; i < lines.length; i++) {
			const last = i === lines.length - 1;
			if (!last || lines[i] !== '') push(parts, paint(quoteText(last ? lines[i] : lines[i] + '\n'), 'string', state));
		}
		return join(parts, ' +\n' + repeat(' ', state.indent + 2)) + more;
	}
	return paint(quoteText(text), 'string', state) + more;
}

// "1234567" -> "1_234_567"
function separate(digits) {
	const first = digits[0] === '-' ? 1 : 0;
	let result = '';
	let end = digits.length;
	for (; end >= first + 4; end -= 3) result = '_' + slice(digits, end - 3, end) + result;
	return slice(digits, 0, end) + result;
}

// "1234567" -> "123_456_7"
function separateFraction(digits) {
	let result = '';
	let start = 0;
	for (; start < digits.length - 3; start += 3) result += slice(digits, start, start + 3) + '_';
	return result + slice(digits, start);
}

const plainNumber = value => (value === 0 && 1 / value < 0 ? '-0' : toText(value));

function numberDigits(value, state) {
	const text = plainNumber(value);
	if (!state.separated || includes(text, 'e') || includes(text, 'n') || includes(text, 'N')) return text;
	const point = indexOf(text, '.');
	return point < 0 ? separate(text) : separate(slice(text, 0, point)) + '.' + separateFraction(slice(text, point + 1));
}
const showNumber = (value, state) => paint(numberDigits(value, state), 'number', state);
const showBigInt = (value, state) => paint((state.separated ? separate(toText(value)) : value) + 'n', 'bigint', state);

function showPrimitive(value, state) {
	switch (typeof value) {
		case 'string':
			return showText(value, state);
		case 'number':
			return showNumber(value, state);
		case 'bigint':
			return showBigInt(value, state);
		case 'symbol':
			return paint(symbolText(value), 'symbol', state);
		default:
			return paint(toText(value), value === null ? 'null' : typeof value, state);
	}
}

// Whether a constructor made the object. It reads only plain data, because a program can redefine `instanceof`.
function isMadeBy(object, constructor) {
	const prototype = getOwnPropertyDescriptor(constructor, 'prototype')?.value;
	let holder = getPrototypeOf(object);
	for (let level = 0; holder !== null && level < MAX_CHAIN; level++) {
		if (holder === prototype) return true;
		holder = getPrototypeOf(holder);
	}
	return false;
}

// The name of the nearest constructor. null: the object has none.
function constructorName(object) {
	for (let level = 0, holder = object; holder !== null && level < MAX_CHAIN; level++) {
		const { value } = getOwnPropertyDescriptor(holder, 'constructor') ?? nothing;
		if (typeof value === 'function') {
			const { value: name } = getOwnPropertyDescriptor(value, 'name') ?? nothing;
			if (typeof name === 'string' && name !== '' && isMadeBy(object, value)) return name;
		}
		holder = getPrototypeOf(holder);
	}
	return null;
}
const nothing = freeze({ __proto__: null });

// Symbol.toStringTag, if it differs from the name and is not among the properties that are listed.
function tagOf(object, name, state) {
	const tag = safeGet(object, Symbol.toStringTag);
	if (typeof tag !== 'string' || tag === '' || tag === name) return '';
	const listed = state.showHidden ? hasOwn : isEnumerable;
	return listed(object, Symbol.toStringTag) ? '' : tag;
}

function prefixOf(name, tag, fallback, size = '') {
	const shownTag = tag === '' || (name === null && tag === fallback) ? '' : '[' + tag + '] ';
	if (name === null) return '[' + fallback + size + ': null prototype] ' + shownTag;
	return name + size + ' ' + shownTag;
}

function shownKeys(object, state, isList) {
	const all = isList > MAX_LENGTH_WITH_EXTRA_KEYS ? [] : ownKeys(object);
	const keys = [];
	for (let i = 0; i < all.length; i++) {
		const key = all[i];
		if (isList !== false && isIndex(key)) continue;
		if (state.showHidden || isEnumerable(object, key)) push(keys, key);
	}
	return keys;
}

function showKey(key, enumerable, state) {
	if (typeof key === 'symbol') return '[' + paint(symbolText(key), 'symbol', state) + ']';
	if (!enumerable) return '[' + key + ']';
	return key === '__proto__' ? "['__proto__']" : isIdentifier(key) ? key : paint(quoteText(key), 'string', state);
}

// An accessor, and what its getter returns if that is asked for.
function showAccessor(object, { get, set }, state, level) {
	if (!get) return set ? paint('[Setter]', 'special', state) : paint('undefined', 'undefined', state);
	const label = set ? 'Getter/Setter' : 'Getter';
	const called = state.getters === true || (state.getters === 'get' && !set) || (state.getters === 'set' && set);
	if (!called) return paint('[' + label + ']', 'special', state);
	let shown;
	state.indent += 2;
	try {
		const value = apply(get, object, []);
		if (isObject(value)) {
			const text = paint('[' + label + ']', 'special', state) + ' ' + showValue(value, state, level);
			state.indent -= 2;
			return text;
		}
		shown = showPrimitive(value, state);
	} catch (error) {
		shown = '<Inspection threw (' + safeText(() => toText(error.message)) + ')>';
	}
	state.indent -= 2;
	return paint('[' + label + ':', 'special', state) + ' ' + shown + paint(']', 'special', state);
}

function showProperty(object, key, state, level, isItem) {
	const descriptor = getOwnPropertyDescriptor(object, key) || { __proto__: null, value: undefined, enumerable: true };
	let text;
	if (hasOwn(descriptor, 'value')) {
		state.indent += 2;
		text = showValue(descriptor.value, state, level);
		state.indent -= 2;
	} else {
		text = showAccessor(object, descriptor, state, level);
	}
	return isItem ? text : showKey(key, descriptor.enumerable, state) + ': ' + text;
}

const moreItems = count => '... ' + count + ' more item' + (count > 1 ? 's' : '');

// The items of an array. Runs of holes are counted.
function showItems(array, length, state, level, output) {
	let shown = 0;
	let i = 0;
	while (i < length && shown < state.maxItems) {
		if (hasOwn(array, i)) {
			push(output, showProperty(array, i, state, level, true));
			i++;
		} else {
			const start = i;
			i = nextIndex(array, i, length);
			const text = '<' + (i - start) + ' empty item' + (i - start > 1 ? 's' : '') + '>';
			push(output, paint(text, 'undefined', state));
		}
		shown++;
	}
	if (i < length) push(output, moreItems(length - i));
}

// The index of the next item of an array with holes. A long hole is not scanned: its end is found among the keys.
function nextIndex(array, from, length) {
	for (let i = from; i < length && i < from + 1000; i++) {
		if (hasOwn(array, i)) return i;
	}
	const keys = objectKeys(array);
	let nearest = length;
	for (let i = 0; i < keys.length; i++) {
		if (!isIndex(keys[i])) break;
		const index = +keys[i];
		if (index >= from && index < nearest) nearest = index;
	}
	return nearest;
}

function showTypedItems(array, length, state, output) {
	const shown = min(length, state.maxItems);
	for (let i = 0; i < shown; i++)
		push(output, typeof array[i] === 'bigint' ? showBigInt(array[i], state) : showNumber(array[i], state));
	if (shown < length) push(output, moreItems(length - shown));
}

function showSetItems(set, state, level, output) {
	let count = 0;
	state.indent += 2;
	setForEach(set, value => {
		if (count++ < state.maxItems) push(output, showValue(value, state, level));
	});
	state.indent -= 2;
	if (count > state.maxItems) push(output, moreItems(count - state.maxItems));
}

function showMapItems(map, state, level, output) {
	let count = 0;
	state.indent += 2;
	mapForEach(map, (value, key) => {
		if (count++ < state.maxItems) push(output, showValue(key, state, level) + ' => ' + showValue(value, state, level));
	});
	state.indent -= 2;
	if (count > state.maxItems) push(output, moreItems(count - state.maxItems));
}

function showBuffer(buffer, state, output) {
	if (bufferDetached(buffer)) {
		push(output, '(detached)');
		push(output, 'byteLength: ' + showNumber(0, state));
		return;
	}
	const bytes = new Uint8Array(buffer);
	const length = typedArrayLength(bytes);
	let text = '';
	for (let i = 0; i < length && i < 50; i++) text += (i ? ' ' : '') + hexPairs[bytes[i]];
	if (length > 50) text += ' ... ' + (length - 50) + ' more byte' + (length > 51 ? 's' : '');
	push(output, paint('[Uint8Contents]', 'special', state) + ': <' + text + '>');
	push(output, 'byteLength: ' + showNumber(length, state));
}

function showFields(fields, state, level, output) {
	state.indent += 2;
	for (let i = 0; i < fields.length; i += 2) push(output, fields[i] + ': ' + showValue(fields[i + 1], state, level));
	state.indent -= 2;
}

function showPromise(promise, state, level, output) {
	const settled = promiseState(promise);
	if (settled === 0) {
		push(output, paint('<pending>', 'special', state));
		return;
	}
	state.indent += 2;
	const text = showValue(promiseResult(promise), state, level);
	state.indent -= 2;
	push(output, settled === 2 ? paint('<rejected>', 'special', state) + ' ' + text : text);
}

// "[class B extends A]", "[Function: f]", ...
function functionBase(value, kind, name, tag) {
	const text = functionText(value);
	const own = getOwnPropertyDescriptor(value, 'name');
	const label = own && typeof own.value === 'string' ? own.value : '';
	if (startsWith(text, 'class') && !isIdentifierUnit(codeUnit(text, 5) || 0, false)) {
		const parent = getPrototypeOf(value);
		const parentName = typeof parent === 'function' && getOwnPropertyDescriptor(parent, 'name');
		let base = '[class ' + (label === '' ? '(anonymous)' : label);
		if (parentName && typeof parentName.value === 'string' && parentName.value !== '')
			base += ' extends ' + parentName.value;
		else if (parent === null) base += ' extends null';
		return base + ']';
	}
	const type =
		kind === 'AsyncFunction' || kind === 'GeneratorFunction' || kind === 'AsyncGeneratorFunction' ? kind : 'Function';
	let base =
		'[' + type + (name === null ? ' (null prototype)' : '') + (label === '' ? ' (anonymous)' : ': ' + label) + ']';
	if (tag !== '' && tag !== type) base += ' [' + tag + ']';
	return base;
}

const hidePrelude = line => {
	const at = indexOf(line, '(curfew:prelude');
	return at < 0 ? line : slice(line, 0, at) + '(native)';
};

// The name of an error's class. If a subclass sets no name, that is its constructor's.
function errorName(error, constructor) {
	const name = safeGet(error, 'name');
	if (typeof name !== 'string' || name === '') return constructor ?? 'Error';
	return constructor !== null && (errorConstructors[name] || name === 'AggregateError') && !hasOwn(error, 'name')
		? constructor
		: name;
}

function errorHeader(error, state, constructor) {
	const name = errorName(error, constructor);
	let message = safeGet(error, 'message');
	message = typeof message === 'string' ? message : isObject(message) ? '' : showPrimitive(message, state);
	return message === '' ? name : name + ': ' + message;
}

// The offset of the first frame. -1: the stack has none.
function firstFrame(stack) {
	if (startsWith(stack, '    at ')) return 0;
	const at = indexOf(stack, '\n    at ');
	return at < 0 ? -1 : at + 1;
}

// The text before the frames of a stack, with the name that the error has now, and with its class, as in Node.
function betterHeader(own, header, error, constructor) {
	if (own === '') return header;
	const given = safeGet(error, 'name'),
		name = typeof given === 'string' ? given : 'Error';
	let text = own;
	if (name !== 'Error' && !includes(own, name)) {
		// The first word is the name that it had. It ends with the header or before a colon.
		const colon = indexOf(own, ':'),
			first = codeUnit(own, 0);
		if (first >= 65 && first <= 90) text = name + slice(own, colon < 0 ? own.length : colon);
		else text = name + own;
	}
	const next = text[name.length];
	if (constructor === null || constructor === name || slice(name, -5) !== 'Error' || !startsWith(text, name))
		return text;
	if (next !== undefined && next !== ':' && next !== '\n') return text;
	return (includes(constructor, name) ? constructor : constructor + ' [' + name + ']') + slice(text, name.length);
}

function errorBase(error, state, constructor) {
	const header = errorHeader(error, state, constructor);
	const stack = safeGet(error, 'stack');
	if (typeof stack !== 'string' || trim(stack) === '') return '[' + indentLines(header, state) + ']';
	const at = firstFrame(stack);
	if (at < 0) return '[' + indentLines(stack, state) + ']';
	let text = betterHeader(trim(slice(stack, 0, at)), header, error, constructor);
	const lines = splitLines(slice(stack, at));
	for (let i = 0; i < lines.length; i++) {
		if (lines[i] !== '') text += '\n' + hidePrelude(lines[i]);
	}
	return indentLines(text, state);
}

const indentLines = (text, state) => (state.indent ? replaceAll(text, '\n', '\n' + repeat(' ', state.indent)) : text);

// Reads a property of an error. An exception is ignored.
function safeGet(object, key) {
	try {
		return object[key];
	} catch {
		return undefined;
	}
}

// The fields to show of the platform's objects, whose state is not in properties.
function platformFields(value) {
	if (isUrl(value)) {
		return [
			'href',
			value.href,
			'origin',
			value.origin,
			'protocol',
			value.protocol,
			'username',
			value.username,
			'password',
			value.password,
			'host',
			value.host,
			'hostname',
			value.hostname,
			'port',
			value.port,
			'pathname',
			value.pathname,
			'search',
			value.search,
			'searchParams',
			value.searchParams,
			'hash',
			value.hash,
		];
	}
	if (isUrlPattern(value)) {
		return [
			'protocol',
			value.protocol,
			'username',
			value.username,
			'password',
			value.password,
			'hostname',
			value.hostname,
			'port',
			value.port,
			'pathname',
			value.pathname,
			'search',
			value.search,
			'hash',
			value.hash,
		];
	}
	if (isAbortSignal(value)) return ['aborted', isAborted(value)];
	if (isAbortController(value)) return ['signal', value.signal];
	if (isEvent(value)) return eventFields(value);
	if (isHeaders(value)) return namedFields(headersAsGiven(value));
	return bodyFields(value);
}

function eventFields(value) {
	const fields = [
		'type',
		value.type,
		'defaultPrevented',
		value.defaultPrevented,
		'cancelable',
		value.cancelable,
		'timeStamp',
		value.timeStamp,
	];
	const own = isErrorEvent(value) ? ['message', 'error'] : isCloseEvent(value) ? ['code', 'reason', 'wasClean'] : [];
	for (let i = 0; i < own.length; i++) {
		push(fields, own[i]);
		push(fields, value[own[i]]);
	}
	return fields;
}

function bodyFields(value) {
	if (isResponse(value)) {
		return [
			'status',
			value.status,
			'statusText',
			value.statusText,
			'headers',
			value.headers,
			'body',
			value.body,
			'bodyUsed',
			value.bodyUsed,
			'ok',
			value.ok,
			'redirected',
			value.redirected,
			'type',
			value.type,
			'url',
			value.url,
		];
	}
	if (isRequest(value)) {
		return [
			'method',
			value.method,
			'url',
			value.url,
			'headers',
			value.headers,
			'destination',
			value.destination,
			'referrer',
			value.referrer,
			'referrerPolicy',
			value.referrerPolicy,
			'mode',
			value.mode,
			'credentials',
			value.credentials,
			'cache',
			value.cache,
			'redirect',
			value.redirect,
			'integrity',
			value.integrity,
			'keepalive',
			value.keepalive,
			'signal',
			value.signal,
		];
	}
	if (isStream(value))
		return [
			'locked',
			value.locked,
			'state',
			streamStateName(value),
			'supportsBYOB',
			streamState(value).controller?.isByte ?? false,
		];
	if (isWritable(value)) return ['locked', value.locked, 'state', writableStateName(value)];
	if (isTransform(value))
		return ['readable', value.readable, 'writable', value.writable, 'backpressure', isHeldBack(value)];
	if (isPacking(value)) return ['readable', value.readable, 'writable', value.writable];
	if (isEncoderStream(value))
		return ['encoding', value.encoding, 'readable', value.readable, 'writable', value.writable];
	if (isDecoderStream(value))
		return [
			'encoding',
			value.encoding,
			'fatal',
			value.fatal,
			'ignoreBOM',
			value.ignoreBOM,
			'readable',
			value.readable,
			'writable',
			value.writable,
		];
	if (isFile(value))
		return ['size', value.size, 'type', value.type, 'name', value.name, 'lastModified', value.lastModified];
	if (isBlob(value)) return ['size', value.size, 'type', value.type];
	if (isFormData(value)) return namedFields(formEntries(value));
	if (isByteLengthStrategy(value) || isCountStrategy(value)) return ['highWaterMark', value.highWaterMark];
	if (isPerformanceEntry(value)) return entryFields(value);
	if (isTextDecoder(value)) return ['encoding', value.encoding, 'fatal', value.fatal, 'ignoreBOM', value.ignoreBOM];
	if (isCryptoKey(value))
		return ['type', value.type, 'extractable', value.extractable, 'algorithm', value.algorithm, 'usages', value.usages];
	return lockFields(value);
}

function entryFields(entry) {
	const { name, entryType, startTime, duration, detail } = entry;
	const fields = ['name', name, 'entryType', entryType, 'startTime', startTime, 'duration', duration];
	return detail === undefined ? fields : [...fields, 'detail', detail];
}

// Of a reader or a writer.
function lockFields(value) {
	const reader = defaultReaderOf(value) ?? byobReaderOf(value);
	if (reader) {
		return [
			'stream',
			reader.s ? streamOf(reader.s) : undefined,
			reader.isByob ? 'readIntoRequests' : 'readRequests',
			queueLength(reader.requests),
			'close',
			reader.closed.promise,
		];
	}
	const writer = writerOf(value);
	if (!writer) return undefined;
	return [
		'stream',
		writer.w ? writableOf(writer.w) : undefined,
		'close',
		writer.closed.promise,
		'ready',
		writer.ready.promise,
		'desiredSize',
		writer.w ? value.desiredSize : undefined,
	];
}

function namedFields(list) {
	const fields = [];
	for (let i = 0; i < list.length; i += 2) {
		push(fields, isIdentifier(list[i]) ? list[i] : quoteText(list[i]));
		push(fields, list[i + 1]);
	}
	return fields;
}

// The remaining items of an iterator of a Map, Set, URLSearchParams or Headers. The iterator does not advance.
function describeIterator(look, value, kind) {
	const items = iteratorItems(value) ?? pairIteratorItems(value);
	if (!items) return false;
	const name =
		kind === 'Object'
			? safeGet(value, Symbol.toStringTag) + ' '
			: '[' + (items[0] ? replaceAll(kind, 'Iterator', 'Entries') : kind) + '] ';
	look.open = name + '{';
	look.empty = name + '{  }';
	look.items = (level, output, state) => {
		state.indent += 2;
		for (let i = 1; i < items.length; i += items[0] ? 2 : 1)
			push(output, showValue(items[0] ? [items[i], items[i + 1]] : items[i], state, level));
		state.indent -= 2;
	};
	return true;
}

function showParams(params, state, output) {
	const list = paramsList(params);
	for (let i = 0; i < list.length; i += 2)
		push(output, showText(list[i], state) + ' => ' + showText(list[i + 1], state));
}

const isBox = kind =>
	kind === 'Number' || kind === 'String' || kind === 'Boolean' || kind === 'BigInt' || kind === 'Symbol';
function boxBase(value, kind, name, tag) {
	const inner = kind === 'Symbol' ? symbolValue(value) : boxReaders[kind](value);
	let base = '[' + kind;
	if (name !== kind) base += name === null ? ' (null prototype)' : ' (' + name + ')';
	base += ': ' + showPrimitive(inner, { __proto__: null, indent: 0 }) + ']';
	return tag === '' ? base : base + ' [' + tag + ']';
}

// The parts of an object's text: the text before the braces, the braces, and the items that come before the properties.
// An empty object is shown as `empty`, or as its base.
function describe(value, kind, state) {
	const name = constructorName(value);
	const tag = tagOf(value, name, state);
	const look = { __proto__: null, base: '', open: '{', close: '}', empty: undefined, isList: false, items: undefined };
	look.style = undefined; // of the base, if no property follows
	const braces = prefix => {
		look.open = prefix + '{';
	};
	if (kind === 'Array') {
		const { length } = value;
		const plain = name === 'Array' && tag === '';
		look.open = (plain ? '' : prefixOf(name, tag, 'Array', '(' + length + ')')) + '[';
		look.close = ']';
		look.empty = look.open + ']';
		look.isList = length;
		look.items = (level, output) => showItems(value, length, state, level, output);
	} else if (kind === 'Set') {
		braces(prefixOf(name, tag, 'Set', '(' + setSize(value) + ')'));
		look.items = (level, output) => showSetItems(value, state, level, output);
	} else if (kind === 'Map') {
		braces(prefixOf(name, tag, 'Map', '(' + mapSize(value) + ')'));
		look.items = (level, output) => showMapItems(value, state, level, output);
	} else if (typedArrayTag(value) !== undefined) {
		const length = typedArrayLength(value);
		look.open = prefixOf(name, tag, typedArrayTag(value), '(' + length + ')') + '[';
		look.close = ']';
		look.empty = look.open + ']';
		look.isList = length;
		look.items = (level, output) => showTypedItems(value, length, state, output);
	} else if (typeof value === 'function') {
		look.base = functionBase(value, kind, name, tag);
		look.style = 'special';
	} else if (kind === 'RegExp') {
		look.base = safeText(() => regexpText(value)) ?? '[RegExp]';
		if (name !== 'RegExp') look.base = prefixOf(name, tag, 'RegExp') + look.base;
		look.style = 'regexp';
	} else if (kind === 'Date') {
		const time = dateValue(value);
		look.base = isNotANumber(time) ? 'Invalid Date' : dateText(value);
		if (name !== 'Date') look.base = prefixOf(name, tag, 'Date') + look.base;
		look.style = 'date';
	} else if (kind === 'Error' || kind === 'DOMException') {
		look.base = errorBase(value, state, name);
	} else if (isBox(kind)) {
		look.base = boxBase(value, kind, name, tag);
		look.style = lowerCase(kind);
		look.isList = kind === 'String' ? stringValue(value).length : false;
	} else if (kind === 'ArrayBuffer') {
		braces(prefixOf(name, tag, 'ArrayBuffer'));
		look.items = (level, output) => showBuffer(value, state, output);
	} else if (kind === 'DataView') {
		braces(prefixOf(name, tag, 'DataView'));
		look.items = (level, output) =>
			bufferDetached(dataViewBuffer(value))
				? push(output, '(detached)')
				: showFields(
						['byteLength', dataViewBytes(value), 'byteOffset', dataViewOffset(value), 'buffer', dataViewBuffer(value)],
						state,
						level,
						output,
					);
	} else if (kind === 'Promise') {
		braces(prefixOf(name, tag, 'Promise'));
		look.items = (level, output) => showPromise(value, state, level, output);
	} else if (kind === 'WeakMap' || kind === 'WeakSet') {
		braces(prefixOf(name, tag, kind));
		look.items = (level, output) => push(output, paint('<items unknown>', 'special', state));
	} else if (isSearchParams(value)) {
		braces(prefixOf(name, tag, 'URLSearchParams'));
		look.items = (level, output) => showParams(value, state, output);
	} else {
		describeObject(look, value, kind, name, tag, state);
	}
	return look;
}

function safeText(read) {
	try {
		return read();
	} catch {
		return undefined;
	}
}

function describeObject(look, value, kind, name, tag, state) {
	if (describeIterator(look, value, kind)) return;
	const fields = platformFields(value);
	if (kind === 'Arguments') look.open = '[Arguments] {';
	else if (kind === 'Module') look.open = '[Module: null prototype] {';
	else if (name === null && tag === '' && getPrototypeOf(value) !== null)
		look.open = 'Object <[Object: null prototype] {}> {';
	else if (name !== 'Object' || tag !== '') look.open = prefixOf(name, tag, 'Object') + '{';
	look.empty = look.open + '}';
	if (!fields) return;
	look.isOurs = true; // Node's own objects format themselves: their name does not count for the line's width
	look.items = (level, output) => showFields(fields, state, level, output);
}

// The result of the program's own method for formatting (the one that Node calls). undefined: there is none.
const customInspect = Symbol.for('nodejs.util.inspect.custom');
const asText = text => toText(text);
function showAsItSays(value, state, level) {
	const method = safeGet(value, customInspect);
	if (typeof method !== 'function' || safeGet(safeGet(value, 'constructor'), 'prototype') === value) return undefined;
	const depth = state.depth === MAX_DEPTH ? null : state.depth - level;
	const layout = { depth, showHidden: state.showHidden, breakLength: state.lineWidth, compact: state.compact };
	const options = { ...state.given, ...layout, stylize: state.style ?? asText };
	const shown = apply(method, value, [depth, options, state.again]);
	if (shown === value) return undefined;
	if (isObject(shown)) return showValue(shown, state, level);
	return typeof shown === 'symbol' ? showPrimitive(shown, state) : indentLines('' + shown, state);
}

function showObject(value, state, level) {
	const kind = classOf(value);
	if (kind === 'Proxy') {
		const target = proxyTarget(value);
		if (target !== null && state.showsProxies) return showProxy(proxyParts(value), state, level);
		return target === null ? paint('<Revoked Proxy>', 'special', state) : showValue(target, state, level);
	}
	if (state.asItSays) {
		const shown = showAsItSays(value, state, level);
		if (shown !== undefined) return shown;
	}
	for (let i = 0; i < state.parents.length; i++) {
		if (state.parents[i] === value) {
			let number = mapGet(state.circular, value);
			if (number === undefined) mapSet(state.circular, value, (number = mapSize(state.circular) + 1));
			return paint('[Circular *' + number + ']', 'special', state);
		}
	}
	state.level = level;
	return showContents(value, kind, state, level);
}

function showProxy(parts, state, level) {
	if (level > state.depth) return paint('Proxy [Array]', 'special', state);
	state.indent += 2;
	const output = [showValue(parts[0], state, level + 1), showValue(parts[1], state, level + 1)];
	state.indent -= 2;
	state.current = level;
	return layOut({ __proto__: null, base: '', open: 'Proxy [', close: ']', isList: 2 }, output, parts, state, level);
}

function tooDeep(value, kind, state) {
	if (kind === 'Array') return paint('[Array]', 'special', state);
	const name = constructorName(value);
	const prefix = trim(prefixOf(name, tagOf(value, name, state), kind));
	return paint(name === null ? prefix : '[' + prefix + ']', 'special', state);
}

const extraErrorKeys = ['cause', 'errors'];

// Properties that the text before the braces already shows are not listed again.
function isInHeader(error, key, base) {
	if (key !== 'name' && key !== 'message' && key !== 'stack') return false;
	const text = safeGet(error, key);
	return typeof text === 'string' && (key === 'stack' || includes(base, text));
}

const isEmptyCollection = (value, kind) =>
	(kind === 'Map' && mapSize(value) === 0) || (kind === 'Set' && setSize(value) === 0);

function showContents(value, kind, state, level) {
	const look = describe(value, kind, state);
	let keys = shownKeys(value, state, look.isList);
	if (kind === 'Error') {
		const wanted = [];
		for (let i = 0; i < keys.length; i++) {
			if (!isInHeader(value, keys[i], look.base)) push(wanted, keys[i]);
		}
		for (let i = 0; i < extraErrorKeys.length; i++) {
			const name = extraErrorKeys[i];
			if (hasOwn(value, name) && !isEnumerable(value, name)) push(wanted, name);
		}
		keys = wanted;
	}
	if (keys.length === 0 && look.base !== '') return paint(look.base, look.style, state);
	if (keys.length === 0 && look.empty !== undefined && (look.isList === 0 || !look.items)) return look.empty;
	if (keys.length === 0 && isEmptyCollection(value, kind)) return look.open + '}';
	if (level > state.depth) return tooDeep(value, kind, state);
	const output = [];
	push(state.parents, value);
	state.current = level;
	if (look.items) look.items(level + 1, output, state);
	const own = [];
	for (let i = 0; i < keys.length; i++) push(own, showProperty(value, keys[i], state, level + 1, false));
	if (state.sorted) sortArray(own, state.sorted === true ? undefined : state.sorted);
	for (let i = 0; i < own.length; i++) push(output, own[i]);
	state.parents.length--;
	if (output.length === 0) return look.open + look.close;
	const number = mapGet(state.circular, value);
	if (number !== undefined) {
		const reference = paint('<ref *' + number + '>', 'special', state) + ' ';
		if (look.base === '') look.open = reference + look.open;
		else look.base = reference + look.base;
	}
	return layOut(look, output, value, state, level);
}

function layOut(look, output, value, state, level) {
	const entries = output.length;
	if (look.isList !== false && state.compact > 0 && entries >= MIN_GROUPED && look.close === ']')
		output = groupItems(output, value, state);
	const base = look.base === '' ? '' : look.base + ' ';
	if (state.current - level < state.compact && entries === output.length) {
		const start = output.length + state.indent + (look.isOurs ? 1 : look.open.length) + look.base.length + 10;
		if (fitsLine(output, start, state) && !includes(look.base, '\n')) {
			const line = join(output, ', ');
			if (!includes(line, '\n')) return base + look.open + ' ' + line + ' ' + look.close;
		}
	}
	const indent = '\n' + repeat(' ', state.indent);
	return base + look.open + indent + '  ' + join(output, ',' + indent + '  ') + indent + look.close;
}

function fitsLine(output, start, state) {
	let total = output.length + start;
	if (total + output.length > state.lineWidth) return false;
	for (let i = 0; i < output.length; i++) {
		total += lengthOf(output[i], state);
		if (total > state.lineWidth) return false;
	}
	return true;
}

// Arranges the items of a long array in columns, about two and a half times as wide as high.
function groupItems(output, value, state) {
	const hasMore = startsWith(output[output.length - 1], '... ');
	const count = hasMore ? output.length - 1 : output.length;
	let total = 0;
	let longest = 0;
	const widths = [];
	for (let i = 0; i < count; i++) {
		const width = textWidth(output[i]) - (output[i].length - lengthOf(output[i], state));
		push(widths, width);
		total += width + 2;
		longest = max(longest, width);
	}
	const cell = longest + 2;
	if (cell * 3 + state.indent >= state.lineWidth || !(total / cell > 5 || longest <= 6)) return output;
	const bias = max(cell - 3 - sqrt(max(cell - total / output.length, 0)), 1);
	const columns = min(
		round(sqrt(2.5 * bias * count) / bias),
		floor((state.lineWidth - state.indent) / cell),
		state.compact * 4,
		MAX_COLUMNS,
	);
	if (columns <= 1) return output;
	return makeRows(output, widths, count, columns, isNumeric(value, count) ? padStart : padEnd, hasMore);
}

function isNumeric(value, count) {
	for (let i = 0; i < count; i++) {
		const item = getOwnPropertyDescriptor(value, i)?.value;
		if (typeof item !== 'number' && typeof item !== 'bigint') return false;
	}
	return true;
}

function makeRows(output, widths, count, columns, pad, hasMore) {
	const columnWidths = [];
	for (let i = 0; i < columns; i++) {
		let width = 0;
		for (let j = i; j < count; j += columns) width = max(width, widths[j]);
		push(columnWidths, width + 2);
	}
	const rows = [];
	for (let i = 0; i < count; i += columns) {
		const end = min(i + columns, count);
		let row = '';
		let j = i;
		for (; j < end - 1; j++) row += pad(output[j] + ', ', columnWidths[j - i] + output[j].length - widths[j], ' ');
		row +=
			pad === padStart ? padStart(output[j], columnWidths[j - i] + output[j].length - widths[j] - 2, ' ') : output[j];
		push(rows, row);
	}
	if (hasMore) push(rows, output[count]);
	return rows;
}

// How many columns a text takes in a terminal: wide characters of East Asian scripts and emoji take two, combining
// marks none.
function textWidth(text) {
	let width = 0;
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		if (c < 0x300) {
			width++;
		} else if (c >= 0xd800 && c < 0xdc00) {
			width += 2;
			i++;
		} else if (!isZeroWidth(c)) {
			width += isWide(c) ? 2 : 1;
		}
	}
	return width;
}
const isZeroWidth = c =>
	c <= 0x36f ||
	(c >= 0x200b && c <= 0x200f) ||
	(c >= 0x20d0 && c <= 0x20ff) ||
	(c >= 0xfe00 && c <= 0xfe0f) ||
	(c >= 0xfe20 && c <= 0xfe2f);
const isWide = c =>
	(c >= 0x1100 && c <= 0x115f) ||
	(c >= 0x2e80 && c <= 0xa4cf && c !== 0x303f) ||
	(c >= 0xac00 && c <= 0xd7a3) ||
	(c >= 0xf900 && c <= 0xfaff) ||
	(c >= 0xfe30 && c <= 0xfe6f) ||
	(c >= 0xff00 && c <= 0xff60) ||
	(c >= 0xffe0 && c <= 0xffe6);

function showValue(value, state, level) {
	return isObject(value) ? showObject(value, state, level) : showPrimitive(value, state);
}

// The options that the program set for all calls (inspect.defaultOptions of node:util). undefined: none.
let usualOptions;
const setUsualOptions = options => {
	usualOptions = options;
};
const inspectUsually = (value, options) =>
	usualOptions === undefined && options === undefined ? inspect(value) : inspectFor(value, options);

// inspect with the options of a program. style(text, kind) paints, if the options have colours; again is inspect for it.
function inspectFor(value, options, style = usualStyle, again = inspectFor) {
	const given = { __proto__: null, ...usualOptions, ...(isObject(options) ? options : undefined) };
	const { depth, showHidden, customInspect: asItSays, breakLength, compact, maxArrayLength, maxStringLength } = given;
	const { sorted, colors, getters, showProxy: showsProxies, numericSeparator } = given;
	return inspect(value, {
		__proto__: null,
		depth,
		showHidden,
		customInspect: asItSays,
		lineWidth: breakLength === undefined ? LINE_WIDTH : +breakLength || 0,
		compact: typeof compact === 'number' ? compact : compact === false ? 0 : COMPACT_LEVELS,
		maxItems: toBound(maxArrayLength, MAX_ITEMS),
		maxText: toBound(maxStringLength, MAX_TEXT),
		sorted: typeof sorted === 'function' || sorted === true ? sorted : undefined,
		style: colors ? style : undefined,
		getters,
		showsProxies,
		separated: numericSeparator,
		given,
		again,
	});
}
const toBound = (value, usual) =>
	value === undefined ? usual : value === null ? Infinity : max(trunc(+value) || 0, 0);

const plain = freeze({ __proto__: null });

// options: depth (null: all levels), showHidden, customInspect (false: no function of the program is called), and the
// layout
function inspect(value, options = plain) {
	const { depth = DEFAULT_DEPTH, customInspect: asItSays = true } = options;
	const { lineWidth = LINE_WIDTH, compact = COMPACT_LEVELS, maxItems = MAX_ITEMS, maxText = MAX_TEXT } = options;
	const { sorted, style, getters, again = inspectFor } = options;
	const state = {
		__proto__: null,
		depth: depth === null ? MAX_DEPTH : min(+depth, MAX_DEPTH),
		showHidden: !!options.showHidden,
		asItSays: !!asItSays,
		lineWidth,
		compact, // how many inner levels may share a line
		maxItems,
		maxText,
		sorted,
		style, // paints a text; undefined: it remains as it is
		getters, // which are called: true, 'get', 'set'
		showsProxies: !!options.showsProxies,
		separated: !!options.separated, // digits in threes
		given: options.given, // what a function of the program for formatting gets
		again,
		parents: [], // the objects around the current one
		circular: new Map(), // object -> its number, for those that contain themselves
		indent: 0,
		level: 0,
		current: 0, // the level that was formatted last, which is the nesting of the current object
	};
	return showValue(value, state, 0);
}
