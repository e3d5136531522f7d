// SPDX-License-Identifier: Apache-2.0
// URLPattern. Ada parses and matches, with the engine's regular expressions (guest/url_pattern.cpp).

const patternParts = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
// The members that are read from a dictionary, in the order of Web IDL.
const patternMembers = [
	'baseURL',
	'hash',
	'hostname',
	'password',
	'pathname',
	'port',
	'protocol',
	'search',
	'username',
];

// A string, or [given parts in the order above..., base]; and the form in which a result shows it to the program.
function toPatternInput(value, what) {
	if (value !== undefined && value !== null && !isObject(value)) {
		const text = toScalarString(value);
		return { __proto__: null, given: text, shown: text };
	}
	const dictionary = toDictionary(value, what),
		shown = {},
		members = { __proto__: null };
	for (let i = 0; i < patternMembers.length; i++) {
		const member = dictionary[patternMembers[i]];
		if (member === undefined) continue;
		members[patternMembers[i]] = toScalarString(member);
		put(shown, patternMembers[i], members[patternMembers[i]]);
	}
	const given = [];
	for (let i = 0; i < patternParts.length; i++) push(given, members[patternParts[i]]);
	push(given, members.baseURL);
	return { __proto__: null, given, shown };
}

let isUrlPattern;
class URLPattern {
	#parts;
	#ignoresCase;

	constructor(input = undefined, baseOrOptions = undefined, options = undefined) {
		const what = 'URLPattern';
		// The second argument is the base if it cannot be a dictionary, or if there is a third argument.
		const hasBase =
			arguments.length > 2 || !(baseOrOptions === undefined || baseOrOptions === null || isObject(baseOrOptions));
		const { given } = toPatternInput(input, 'The first argument of ' + what);
		const base = hasBase ? toScalarString(baseOrOptions) : undefined;
		const { ignoreCase } = toDictionary(hasBase ? options : baseOrOptions, 'The options of ' + what);
		if (base !== undefined && typeof given !== 'string')
			throw new TypeError('A base belongs to a pattern that is a string; an object has its own baseURL');
		this.#ignoresCase = !!ignoreCase;
		this.#parts = urlPattern(given, base, this.#ignoresCase);
		if (this.#parts === null)
			throw new TypeError('The pattern is not valid' + (typeof given === 'string' ? ': ' + slice(given, 0, 200) : ''));
	}

	get protocol() {
		return this.#parts[1];
	}
	get username() {
		return this.#parts[2];
	}
	get password() {
		return this.#parts[3];
	}
	get hostname() {
		return this.#parts[4];
	}
	get port() {
		return this.#parts[5];
	}
	get pathname() {
		return this.#parts[6];
	}
	get search() {
		return this.#parts[7];
	}
	get hash() {
		return this.#parts[8];
	}
	get hasRegExpGroups() {
		return this.#parts[9];
	}

	#match(input, base, inputs) {
		const { given, shown } = toPatternInput(input, 'The first argument');
		push(inputs, shown);
		if (base !== undefined) {
			base = toScalarString(base);
			if (typeof given !== 'string')
				throw new TypeError('A base belongs to an input that is a string; an object has its own baseURL');
			push(inputs, base);
		}
		return matchUrlPattern(this.#parts[0], given, base) || null;
	}

	test(input = undefined, baseURL = undefined) {
		return this.#match(input, baseURL, []) !== null;
	}

	exec(input = undefined, baseURL = undefined) {
		const inputs = [],
			found = this.#match(input, baseURL, inputs);
		if (found === null) return null;
		const result = { inputs };
		for (let i = 0; i < patternParts.length; i++) {
			const groups = {},
				pairs = found[i][1];
			for (let j = 0; j < pairs.length; j += 2) put(groups, pairs[j], pairs[j + 1]);
			put(result, patternParts[i], { input: found[i][0], groups });
		}
		return result;
	}

	static {
		isUrlPattern = value => isObject(value) && #parts in value;
	}
}
finishInterface(URLPattern, 'URLPattern');
