// SPDX-License-Identifier: Apache-2.0
// The `curfew` object: what a program can read about its run, and report about itself.

function toJsonText(value, what) {
	const text = stringify(value);
	if (text === undefined) throw new TypeError('The argument of ' + what + ' has no JSON');
	return text;
}

const tooLarge = what => new RangeError('The argument of ' + what + ' is larger than the output limit');

// Freezes a tree of plain data. JSON may be deeply nested, so this uses its own stack.
function deepFreeze(root) {
	const open = [root];
	while (open.length > 0) {
		const value = open[open.length - 1];
		open.length--;
		if (!isObject(value)) continue;
		freeze(value);
		const keys = ownKeys(value);
		for (let i = 0; i < keys.length; i++) push(open, getOwnPropertyDescriptor(value, keys[i]).value);
	}
	return root;
}

const limitNames = [
	'timeout_us',
	'grace_us',
	'cpu_us',
	'fuel',
	'loops',
	'memory_bytes',
	'stack_bytes',
	'output_bytes',
	'host_calls',
	'timers',
];

// Read at first use, because an image is made before there is a run.
let runLimits,
	runParams,
	runEnv,
	runFiles,
	runStreams = {};

function readLimits() {
	const values = limits();
	const result = {};
	for (let i = 0; i < limitNames.length; i++) put(result, limitNames[i], values[i] ?? null);
	return freeze(result);
}

function readFiles() {
	const given = givenFiles(),
		names = given === undefined ? [] : objectKeys(given),
		files = { __proto__: null };
	for (let i = 0; i < names.length; i++) {
		const content = given[names[i]];
		const bytes = typeof content === 'string' ? utf8Encode(content) : apply(fromBase64, Uint8Array, [content.base64]);
		defineProperty(files, names[i], { __proto__: null, value: newFile(bytes, '', names[i], 0), enumerable: true });
	}
	return freeze(files);
}

const curfew = {
	// In a session each call has its own signal: see 99-tail.js.
	signal: runSignal,
	get limits() {
		return (runLimits ??= readLimits());
	},
	get params() {
		return (runParams ??= deepFreeze(params()));
	},
	get user() {
		return user() ?? null;
	},
	get env() {
		return (runEnv ??= freeze(env()));
	},
	get files() {
		return (runFiles ??= readFiles());
	},
	get stdin() {
		return (runStreams.stdin ??= openInput());
	},
	get stdout() {
		return (runStreams.stdout ??= openOutput(1, 'stdout'));
	},
	get stderr() {
		return (runStreams.stderr ??= openOutput(2, 'stderr'));
	},
	exit(code = 0) {
		if (typeof code !== 'number' || !(code >= 0 && code <= 255) || code !== trunc(code))
			throw new RangeError('The exit code is not a whole number from 0 to 255');
		exit(code);
	},
	remaining() {
		return remaining();
	},
	checkpoint(value) {
		if (!checkpoint(toJsonText(value, 'checkpoint'))) throw tooLarge('checkpoint');
	},
	progress(value) {
		if (!progress(toJsonText(value, 'progress'))) throw tooLarge('progress');
	},
};
defineProperty(curfew, Symbol.toStringTag, { __proto__: null, value: 'curfew' });
freeze(curfew);
