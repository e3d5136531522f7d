// SPDX-License-Identifier: Apache-2.0
// structuredClone of the HTML Standard, in two passes without recursion. The first turns the value into a list of
// records, in the order in which the standard visits it. The second makes new objects from the records. Plain data needs
// neither.

const notCloneable = what => new DOMException(what + ' could not be cloned.', 'DataCloneError');

const typedArrayConstructors = { __proto__: null };
for (const name of [
	'Int8Array',
	'Uint8Array',
	'Uint8ClampedArray',
	'Int16Array',
	'Uint16Array',
	'Int32Array',
	'Uint32Array',
	'BigInt64Array',
	'BigUint64Array',
	'Float16Array',
	'Float32Array',
	'Float64Array',
]) {
	if (globalThis[name]) typedArrayConstructors[name] = globalThis[name];
}

const errorConstructors = { __proto__: null };
for (const name of ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'])
	errorConstructors[name] = globalThis[name];

const boxReaders = {
	__proto__: null,
	Boolean: booleanValue,
	Number: numberValue,
	String: stringValue,
	BigInt: bigintValue,
};

const regexpFlags = [
	['d', 'hasIndices'],
	['g', 'global'],
	['i', 'ignoreCase'],
	['m', 'multiline'],
	['s', 'dotAll'],
	['u', 'unicode'],
	['v', 'unicodeSets'],
	['y', 'sticky'],
].map(([letter, key]) => ({ __proto__: null, letter, read: getterOf(RegExp.prototype, key) }));
function flagsOf(regexp) {
	let flags = '';
	for (let i = 0; i < regexpFlags.length; i++) flags += regexpFlags[i].read(regexp) ? regexpFlags[i].letter : '';
	return flags;
}

const isPlatformObject = value =>
	isEventTarget(value) ||
	isEvent(value) ||
	isUrl(value) ||
	isUrlPattern(value) ||
	isSearchParams(value) ||
	isAbortController(value) ||
	isHeaders(value) ||
	isRequest(value) ||
	isResponse(value) ||
	isStream(value) ||
	isWritable(value) ||
	isTransform(value) ||
	isPacking(value) ||
	isFormData(value) ||
	isTextDecoder(value);

// Makes the record of one object. Its contents are read later: `todo` lists the objects that are left to read.
function recordOf(value, kind, memory, todo) {
	const record = { __proto__: null, kind, source: value, entries: undefined };
	switch (kind) {
		case 'Boolean':
		case 'Number':
		case 'String':
		case 'BigInt':
			record.value = boxReaders[kind](value);
			break;
		case 'Date':
			record.value = dateValue(value);
			break;
		case 'RegExp':
			record.value = regexpSource(value);
			record.flags = flagsOf(value);
			break;
		case 'ArrayBuffer':
			if (bufferDetached(value)) throw notCloneable('A detached ArrayBuffer');
			record.value = copyBuffer(value);
			break;
		case 'DataView':
			readView(record, dataViewBuffer(value), dataViewOffset, dataViewBytes, memory);
			break;
		case 'DOMException':
			record.value = { __proto__: null, name: value.name, message: value.message, stack: value.stack };
			break;
		case 'Error':
			readError(record);
			if (hasOwn(value, 'cause')) push(todo, record);
			break;
		case 'Map':
		case 'Set':
		case 'Array':
		case 'Object':
		case 'Arguments':
			push(todo, record);
			break;
		default:
			if (typedArrayTag(value) === undefined) throw notCloneable('#<' + kind + '>');
			record.kind = 'TypedArray';
			record.Constructor = typedArrayConstructors[kind];
			readView(record, typedArrayBuffer(value), typedArrayOffset, typedArrayLength, memory);
	}
	return record;
}

function copyBuffer(buffer) {
	const options = bufferResizable(buffer) ? { __proto__: null, maxByteLength: bufferMaxBytes(buffer) } : undefined;
	const copy = new ArrayBuffer(bufferBytes(buffer), options);
	typedArraySet(new Uint8Array(copy), new Uint8Array(buffer));
	return copy;
}

// A view is cloned with its whole buffer, which other views may share.
function readView(record, buffer, offsetOf, lengthOf, memory) {
	if (bufferDetached(buffer)) throw notCloneable('A view of a detached ArrayBuffer');
	record.buffer = mapGet(memory.seen, buffer);
	if (!record.buffer) {
		record.buffer = recordOf(buffer, 'ArrayBuffer', memory);
		mapSet(memory.seen, buffer, record.buffer);
		push(memory.records, record.buffer);
	}
	record.offset = offsetOf(record.source);
	record.length = lengthOf(record.source);
}

function readError(record) {
	const { source } = record;
	const { name } = source;
	const message = getOwnPropertyDescriptor(source, 'message');
	const { stack } = source;
	record.Constructor = errorConstructors[toText(name)] || errorConstructors.Error;
	if (message && hasOwn(message, 'value')) record.message = toText(message.value);
	if (typeof stack === 'string') record.stack = stack;
}

// A primitive is its own record. An object has a new record, or the one that was made before.
function serialize(value, memory, todo) {
	if (!isObject(value)) {
		if (typeof value === 'symbol') throw notCloneable(symbolText(value));
		return { __proto__: null, kind: undefined, value };
	}
	const known = mapGet(memory.seen, value);
	if (known) return known;
	if (typeof value === 'function') throw notCloneable(functionText(value));
	const kind = classOf(value);
	if (kind === 'Object' && isPlatformObject(value)) throw notCloneable('#<' + classOf(value) + '>');
	const record =
		isBlob(value) || isCryptoKey(value)
			? { __proto__: null, kind: isBlob(value) ? 'Blob' : 'CryptoKey', source: value, entries: undefined }
			: recordOf(value, kind, memory, todo);
	mapSet(memory.seen, value, record);
	push(memory.records, record);
	return record;
}

// The contents of an object: a list of keys, and a function that reads one of them. Maps and sets are read at once.
function openContents(record) {
	const { source, kind } = record;
	record.entries = [];
	const keys = [];
	if (kind === 'Map') {
		mapForEach(source, (value, key) => {
			push(keys, key);
			push(keys, value);
		});
	} else if (kind === 'Set') {
		setForEach(source, value => push(keys, value));
	} else if (kind === 'Error') {
		push(keys, 'cause');
	} else {
		if (kind === 'Array') record.length = source.length;
		return { __proto__: null, record, keys: objectKeys(source), next: 0 };
	}
	return { __proto__: null, record, keys, next: 0 };
}

const holdsValues = kind => kind === 'Map' || kind === 'Set';

// Reads depth first, so that getters run in the order that the standard requires.
function readAll(value, memory) {
	const todo = [];
	const root = serialize(value, memory, todo);
	const open = [];
	let depth = 0;
	const enter = () => {
		for (; todo.length > 0; todo.length--) put(open, depth++, openContents(todo[todo.length - 1]));
	};
	enter();
	while (depth > 0) {
		const frame = open[depth - 1];
		if (frame.next === frame.keys.length) {
			open.length = --depth;
			continue;
		}
		const key = frame.keys[frame.next++];
		const { record } = frame;
		if (holdsValues(record.kind)) {
			push(record.entries, serialize(key, memory, todo));
		} else if (hasOwn(record.source, key)) {
			push(record.entries, key);
			push(record.entries, serialize(record.source[key], memory, todo));
		}
		enter();
	}
	return root;
}

function makeShell(record) {
	const { kind, value } = record;
	switch (kind) {
		case 'Boolean':
		case 'Number':
		case 'String':
		case 'BigInt':
			return Object(value);
		case 'Date':
			return new Date(value);
		case 'RegExp':
			return new RegExp(value, record.flags);
		case 'ArrayBuffer':
			return value;
		case 'CryptoKey':
			return newCryptoKey(keyRecord(record.source));
		case 'Blob':
			return copyBlob(record.source);
		case 'DataView':
			return new DataView(record.buffer.copy, record.offset, record.length);
		case 'TypedArray':
			return new record.Constructor(record.buffer.copy, record.offset, record.length);
		case 'DOMException':
			return withStack(new DOMException(value.message, value.name), value.stack);
		case 'Error':
			return makeError(record);
		case 'Map':
			return new Map();
		case 'Set':
			return new Set();
		case 'Array':
			return new Array(record.length);
		default:
			return {};
	}
}

const copyBlob = blob =>
	isFile(blob)
		? newFile(blobBytes(blob), blobType(blob), fileName(blob), fileDate(blob))
		: newBlob(blobBytes(blob), blobType(blob));

function withStack(error, stack) {
	defineProperty(error, 'stack', { __proto__: null, value: stack, writable: true, configurable: true });
	return error;
}

function makeError(record) {
	const error = new record.Constructor();
	if (record.message !== undefined) {
		defineProperty(error, 'message', { __proto__: null, value: record.message, writable: true, configurable: true });
	}
	return withStack(error, record.stack);
}

function fill({ kind, copy, entries }) {
	const at = i => (entries[i].kind === undefined ? entries[i].value : entries[i].copy);
	if (kind === 'Map') {
		for (let i = 0; i < entries.length; i += 2) mapSet(copy, at(i), at(i + 1));
	} else if (kind === 'Set') {
		for (let i = 0; i < entries.length; i++) setAdd(copy, at(i));
	} else if (kind === 'Error') {
		if (entries.length)
			defineProperty(copy, 'cause', { __proto__: null, value: at(1), writable: true, configurable: true });
	} else {
		for (let i = 0; i < entries.length; i += 2) put(copy, entries[i], at(i + 1));
	}
}

// The buffers to transfer. Their records exist from the start, and are filled after everything else was read.
function readTransferList(transfer, memory) {
	const list = [];
	if (transfer === undefined) return list;
	if (!isObject(transfer)) throw new TypeError('The option transfer is not iterable');
	const given = [];
	for (const item of transfer) {
		if (!isObject(item)) throw new TypeError('The option transfer holds something that is not an object');
		push(given, item);
	}
	for (let i = 0; i < given.length; i++) {
		const kind = classOf(given[i]) === 'ArrayBuffer' ? 'ArrayBuffer' : isPort(given[i]) ? 'MessagePort' : undefined;
		if (kind === undefined) throw notCloneable('An object that is not transferable');
		if (mapHas(memory.seen, given[i])) throw notCloneable('An object listed twice for transfer');
		if (kind === 'MessagePort' && portState(given[i]).moved) throw notCloneable('A port that was transferred already');
		const record = { __proto__: null, kind, source: given[i], value: undefined, entries: undefined };
		mapSet(memory.seen, given[i], record);
		push(list, record);
	}
	return list;
}

const cloneValue = (value, transfer = undefined) => cloneWithPorts(value, transfer, undefined).value;

// { value, ports }. ports: the transferred ports, as the receiver gets them. None of them may be `sender`.
function cloneWithPorts(value, transfer, sender) {
	const memory = { __proto__: null, seen: new Map(), records: [] };
	const moved = readTransferList(transfer, memory),
		ports = [];
	for (let i = 0; i < moved.length; i++) {
		if (moved[i].source === sender) throw notCloneable('The port that a message is sent from');
	}
	// Most data is plain: C code clones it all, or none of it.
	const quick = moved.length === 0 ? clonePlain(value) : undefined;
	if (quick !== undefined) return { __proto__: null, value: quick, ports };
	const root = readAll(value, memory);
	for (let i = 0; i < moved.length; i++) {
		if (moved[i].kind === 'ArrayBuffer' && bufferDetached(moved[i].source))
			throw notCloneable('A detached ArrayBuffer');
	}
	for (let i = 0; i < moved.length; i++) {
		const isBuffer = moved[i].kind === 'ArrayBuffer';
		moved[i].copy = isBuffer ? bufferTransfer(moved[i].source) : movePort(moved[i].source);
		if (!isBuffer) push(ports, moved[i].copy);
	}
	if (root.kind === undefined) return { __proto__: null, value: root.value, ports };
	const { records } = memory;
	for (let i = 0; i < records.length; i++) records[i].copy = makeShell(records[i]);
	for (let i = 0; i < records.length; i++) {
		if (records[i].entries) fill(records[i]);
	}
	return { __proto__: null, value: root.copy, ports };
}

const cloneFunctions = {
	structuredClone(value, options = undefined) {
		needArguments('structuredClone', 1, arguments.length);
		return cloneValue(value, toDictionary(options, 'The second argument of structuredClone').transfer);
	},
};
