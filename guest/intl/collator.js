// SPDX-License-Identifier: Apache-2.0
// Intl.Collator. There is no well-maintained package for it, and the full tables of Unicode's collation are larger than
// everything else here. As in Unicode's root order, letters are ordered by their decomposition, then by accents, then
// by case. Scripts and other characters are ordered by the tables below, and characters that are in no table by their
// code points. So Chinese characters are not ordered by pronunciation. docs/COMPATIBILITY.md lists the differences.
(function (tools) {
	'use strict';

	const { canonicalize, resolve, getOption, hide } = tools;

	// Spaces, punctuation and symbols in the order of Unicode's root collation, followed by the currencies.
	const variable = '\t\n\v\f\r\u0085\u2028\u2029 ‾_‗-‐‑‒–—―,;:!‼¡?¿‽.․‥…·\'‘’‚‛‹›"“”„‟«»()[]{}‖§¶@*/\\&#%‰‱†‡•‣‧′″‴‵‶‷‸※‿';
	const symbols = '`´^¯¨¸°©®→+±÷×<=≠>¬|¦~∞≤≥●★♥';
	const currencies = '¤¢$£¥₩€₹₺₽';
	const CLASS = 0x200000;
	const SPACE = 0, VARIABLE = 1, SYMBOL = 2, CURRENCY = 3, DIGIT = 4, LETTER = 5;

	// Characters that do not decompose, but sort as if they did: [letters, mark].
	const like = { 'đ': 'd\u0335', 'ð': 'd\u0336', 'ħ': 'h\u0335', 'ł': 'l\u0335', 'ø': 'o\u0338', 'æ': 'ae', 'œ': 'oe', 'ß': 'ss', 'ſ': 's' };
	// Letters that sort directly after another one, although they decompose or have a distant code point.
	const behind = { 'ı': 'i', 'ŋ': 'n', 'þ': 'z', 'ĸ': 'q', 'ŧ': 't', 'ə': 'e', 'й': 'и' };
	const tailored = {
		es: ['nñ'], pl: ['aą', 'cć', 'eę', 'lł', 'nń', 'oó', 'sś', 'zźż'], tr: ['cç', 'gğ', 'hı', 'oö', 'sş', 'uü'], az: ['cç', 'eə', 'gğ', 'hı', 'oö', 'sş', 'uü'],
		sv: ['zåäö'], fi: ['zåäö'], da: ['zæøå'], nb: ['zæøå'], no: ['zæøå'], nn: ['zæøå'], cs: ['cč', 'rř', 'sš', 'zž'], sk: ['aä', 'cč', 'oô', 'sš', 'zž'],
		hr: ['cčć', 'dđ', 'sš', 'zž'], sr: ['cčć', 'dđ', 'sš', 'zž'], sl: ['cč', 'sš', 'zž'], hu: ['oö', 'uü'], ro: ['aăâ', 'iî', 'sș', 'tț'], et: ['sšzž', 'wõäöü'],
		lt: ['cč', 'sš', 'zž'], lv: ['cč', 'gģ', 'kķ', 'lļ', 'nņ', 'sš', 'zž'], vi: ['aăâ', 'dđ', 'eê', 'oôơ', 'uư'], uk: ['гґ'], de: [], en: [],
	};
	const ignored = /^[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u0000-\u0008\u000e-\u001f\u007f]$/u;
	const isMark = /^\p{M}$/u, isSpace = /^\s$/u, isPunctuation = /^\p{P}$/u, isSymbol = /^\p{S}$/u, isCurrency = /^\p{Sc}$/u, isDigit = /^\p{Nd}$/u;

	// The weights after a letter: 16 for each code point.
	const letterPlace = (letter, after) => LETTER * CLASS * 16 + letter.codePointAt(0) * 16 + after;

	function makeOwn(language) {
		const own = new Map();
		for (const letter of Object.keys(behind))
			own.set(letter, letterPlace(behind[letter], 1));
		for (const list of tailored[language] ?? []) {
			const [first, ...others] = list;
			others.forEach((letter, i) => own.set(letter, letterPlace(first, i + 2)));
		}
		return own;
	}

	function listed(text, kind, at) {
		const place = text.indexOf(at);
		return place < 0 ? undefined : kind * CLASS * 16 + place;
	}

	// The primary weight of a lower-case character that does not decompose. 0: it has none.
	function weigh(character) {
		if (ignored.test(character))
			return 0;
		const code = character.codePointAt(0);
		const known = listed(variable, VARIABLE, character) ?? listed(symbols, SYMBOL, character) ?? listed(currencies, CURRENCY, character);
		if (known !== undefined)
			return known;
		if (isSpace.test(character))
			return SPACE * CLASS * 16 + code + 1;
		if (isPunctuation.test(character))
			return VARIABLE * CLASS * 16 + 4096 + code;
		if (isCurrency.test(character))
			return CURRENCY * CLASS * 16 + 4096 + code;
		if (isSymbol.test(character))
			return SYMBOL * CLASS * 16 + 4096 + code;
		if (code >= 0x30a1 && code <= 0x30f6)
			return letterPlace(String.fromCodePoint(code - 0x60), 0); // katakana as hiragana
		return letterPlace(character, 0);
	}

	const digitValue = (character) => {
		const code = character.codePointAt(0);
		let zero = code; // digits have ten consecutive code points
		while (isDigit.test(String.fromCodePoint(zero - 1)) && code - zero < 9)
			zero--;
		return code - zero;
	};

	// The elements of one character: the primary, secondary and tertiary weight of each, one element after the other.
	function elementsOf(character, own) {
		const lower = character.toLowerCase();
		const upper = lower !== character ? 1 : 0;
		const composed = own.get(lower);
		if (composed !== undefined)
			return [composed, 0, upper];
		const result = [];
		const decomposed = lower.normalize('NFKD');
		const compatible = lower.normalize('NFD') !== decomposed ? 2 : 0;
		for (const part of decomposed.toLowerCase()) {
			const second = like[part] ?? part;
			let tertiary = upper + compatible + (second !== part && !isMark.test([...second].at(-1)) ? 2 : 0);
			for (const piece of second) {
				if (isMark.test(piece)) {
					result.push(0, piece.codePointAt(0), 0);
				} else if (isDigit.test(piece)) {
					result.push(DIGIT * CLASS * 16 + digitValue(piece), 0, tertiary);
				} else {
					const place = own.get(piece) ?? weigh(piece);
					if (place !== 0)
						result.push(place, 0, tertiary + (piece >= '\u30a1' && piece <= '\u30f6' ? 1 : 0));
				}
			}
		}
		return result;
	}

	class Order {
		#own;
		#numeric;
		#ignorePunctuation;
		#known = new Map();
		constructor(language, numeric, ignorePunctuation) {
			this.#own = makeOwn(language);
			this.#numeric = numeric;
			this.#ignorePunctuation = ignorePunctuation;
		}
		#elements(character) {
			let elements = this.#known.get(character);
			if (elements === undefined)
				this.#known.set(character, elements = elementsOf(character, this.#own));
			return elements;
		}
		// [primary weights, secondary, tertiary]. The second and third have one entry for each primary weight.
		key(text) {
			const first = [], second = [], third = [];
			const digits = this.#numeric ? /\p{Nd}+/uy : null;
			for (let i = 0; i < text.length;) {
				if (digits !== null) {
					digits.lastIndex = i;
					const found = digits.exec(text);
					if (found !== null) {
						this.#addNumber(found[0], first, second, third);
						i += found[0].length;
						continue;
					}
				}
				const character = String.fromCodePoint(text.codePointAt(i));
				i += character.length;
				const elements = this.#elements(character);
				for (let j = 0; j < elements.length; j += 3) {
					if (elements[j] === 0) {
						if (second.length > 0)
							second[second.length - 1] = second[second.length - 1] * 65536 + elements[j + 1];
						continue;
					}
					if (this.#ignorePunctuation && elements[j] < SYMBOL * CLASS * 16)
						continue;
					first.push(elements[j]);
					second.push(0);
					third.push(elements[j + 2]);
				}
			}
			return [first, second, third];
		}
		// A number sorts after a shorter one, and then by its digits.
		#addNumber(text, first, second, third) {
			const values = Array.from(text, digitValue);
			while (values.length > 1 && values[0] === 0)
				values.shift();
			first.push(DIGIT * CLASS * 16 + 16 + values.length);
			second.push(0);
			third.push(0);
			for (const value of values) {
				first.push(DIGIT * CLASS * 16 + value);
				second.push(0);
				third.push(0);
			}
		}
	}

	function compareLists(a, b) {
		const length = a.length < b.length ? a.length : b.length;
		for (let i = 0; i < length; i++) {
			if (a[i] !== b[i])
				return a[i] < b[i] ? -1 : 1;
		}
		return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
	}

	function compareKeys(slots, a, b) {
		const first = compareLists(a[0], b[0]);
		const { sensitivity, caseFirst } = slots;
		if (first !== 0 || sensitivity === 'base')
			return first;
		if (sensitivity !== 'case') {
			const second = compareLists(a[1], b[1]);
			if (second !== 0 || sensitivity === 'accent')
				return second;
		}
		const third = compareLists(a[2], b[2]);
		return caseFirst === 'upper' ? -third : third;
	}

	function compareTexts(slots, x, y) {
		if (x === y)
			return 0;
		const a = slots.order.key(x.normalize('NFC')), b = slots.order.key(y.normalize('NFC'));
		return compareKeys(slots, a, b) + 0;
	}

	const slotsOf = new WeakMap();
	function slots(collator) {
		const found = slotsOf.get(collator);
		if (found === undefined)
			throw new TypeError('Method Intl.Collator called on incompatible receiver');
		return found;
	}

	function make(locales, options) {
		const requested = canonicalize(locales);
		const given = options === undefined ? { __proto__: null } : Object(options);
		const usage = getOption(given, 'usage', ['sort', 'search'], 'sort');
		getOption(given, 'localeMatcher', ['lookup', 'best fit'], 'best fit');
		const collation = given.collation;
		if (collation !== undefined && !/^[a-z0-9]{3,8}(-[a-z0-9]{3,8})*$/i.test(String(collation)))
			throw new RangeError('Value ' + String(collation) + ' out of range for Intl.Collator options property collation');
		let numeric = given.numeric === undefined ? undefined : Boolean(given.numeric);
		let caseFirst = getOption(given, 'caseFirst', ['upper', 'lower', 'false'], undefined);
		const { locale, extension } = resolve(requested);
		const keywords = extension;
		let tag = locale;
		const kept = [];
		if (keywords.kf !== undefined && ['upper', 'lower', 'false'].includes(keywords.kf) && (caseFirst === undefined || caseFirst === keywords.kf)) {
			caseFirst = keywords.kf;
			kept.push('kf-' + keywords.kf);
		}
		if (keywords.kn !== undefined && ['', 'true', 'false'].includes(keywords.kn) && (numeric === undefined || numeric === (keywords.kn !== 'false'))) {
			numeric = keywords.kn !== 'false';
			kept.push(numeric ? 'kn' : 'kn-false');
		}
		if (kept.length > 0)
			tag += '-u-' + kept.join('-');
		const sensitivity = getOption(given, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant');
		const language = locale.split('-')[0];
		const ignorePunctuation = given.ignorePunctuation === undefined ? language === 'th' : Boolean(given.ignorePunctuation);
		return { locale: tag, usage, sensitivity, ignorePunctuation, collation: 'default', numeric: numeric ?? false, caseFirst: caseFirst ?? 'false',
			order: new Order(language, numeric ?? false, ignorePunctuation), bound: undefined };
	}

	function Collator(locales, options) {
		const made = make(locales, options);
		const collator = new.target === undefined ? Object.create(Collator.prototype) : this;
		slotsOf.set(collator, made);
		return collator;
	}
	Object.defineProperty(Collator, 'length', { value: 0, configurable: true });
	Object.defineProperty(Collator, 'prototype', { writable: false });
	hide(Collator, {
		supportedLocalesOf(locales, options) {
			const given = options === undefined ? { __proto__: null } : Object(options);
			getOption(given, 'localeMatcher', ['lookup', 'best fit'], 'best fit');
			return tools.supported(canonicalize(locales));
		},
	});
	hide(Collator.prototype, {
		resolvedOptions() {
			const { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst } = slots(this);
			return { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst };
		},
	});
	Object.defineProperty(Collator.prototype, 'compare', { configurable: true, get: Object.getOwnPropertyDescriptor({
		get compare() {
			const own = slots(this);
			if (own.bound === undefined) {
				own.bound = (x, y) => compareTexts(own, String(x), String(y));
				Object.defineProperty(own.bound, 'name', { value: '', configurable: true });
			}
			return own.bound;
		} }, 'compare').get });
	Object.defineProperty(Collator.prototype, Symbol.toStringTag, { value: 'Intl.Collator', configurable: true });
	return Collator;
})
