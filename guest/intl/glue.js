// SPDX-License-Identifier: Apache-2.0
// Makes Intl of the FormatJS packages. It is evaluated at a program's first use of Intl or of a method that depends on
// a locale. A constructor is evaluated at its first use, and a locale's data is loaded at the first use of that locale.
(function (native) {
	'use strict';

	const { script, text, zoneAt, defaultZone, lazy, whole } = native;
	const { defineProperty, ownKeys } = Reflect;
	const DEFAULT_LOCALE = 'en-US';

	// ---- Data ----------------------------------------------------------------------------------------------

	const parsed = new Map();
	function data(name) {
		if (!parsed.has(name))
			parsed.set(name, JSON.parse(text('intl/' + name)));
		return parsed.get(name);
	}

	const isPlain = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
	// The inverse of `difference` in make.mjs.
	function lay(base, change) {
		if (!isPlain(change))
			return change;
		if (change['='] !== undefined)
			return change['='];
		const result = { ...base };
		for (const key of change['-'] ?? [])
			delete result[key];
		for (const key of Object.keys(change)) {
			if (key !== '-' && key !== '^')
				result[key] = lay(isPlain(result[key]) ? result[key] : undefined, change[key]);
		}
		return result;
	}
	function localeData(kind, locale) {
		const name = kind + '/' + locale;
		const value = data(name);
		if (value['^'] !== undefined)
			parsed.set(name, lay(localeData(kind, value['^']), value));
		return parsed.get(name);
	}
	// An object whose properties come from data that is parsed at the first access.
	const later = (read) => {
		let kept;
		return new Proxy({ __proto__: null }, {
			get: (_, key) => (kept ??= read())[key],
			has: (_, key) => key in (kept ??= read()),
			ownKeys: () => Reflect.ownKeys(kept ??= read()),
			getOwnPropertyDescriptor: (_, key) => {
				const found = Reflect.getOwnPropertyDescriptor(kept ??= read(), key);
				return found && { ...found, configurable: true };
			},
		});
	};

	// ---- The environment of the scripts --------------------------------------------------------------------

	const segments = new Map();
	const inner = {}; // Intl as the packages see it, whatever a program does to its own Intl
	let zones;
	function zoneName(name) {
		if (zones === undefined) {
			const all = new Map();
			for (const line of text('intl/zones').split('\n')) {
				const [own, target] = line.split('=');
				all.set(own.toUpperCase(), target ?? own);
			}
			zones = all;
		}
		return zones.get(String(name).toUpperCase());
	}

	let derived; // see derive.js
	const derive = () => derived ??= script('intl/derive')();
	const connectorsOf = (table) => [...new Set(Object.values(table))];
	const letters = { weekday: 'E', era: 'G', year: 'y', month: 'M', day: 'd', dayPeriod: 'B', hour: 'h', minute: 'm', second: 's', timeZoneName: 'z' };
	class Formats {
		#patterns;
		#connectors;
		#short;
		#fields;
		#parse;
		#made = new Map();
		#all;
		constructor(patterns, connectors, fields, parse) {
			this.#patterns = patterns;
			this.#connectors = connectorsOf(connectors);
			this.#short = connectors.short;
			this.#fields = fields;
			this.#parse = parse;
		}
		#format(skeleton) {
			if (!this.#made.has(skeleton))
				this.#made.set(skeleton, this.#parse(skeleton));
			return this.#made.get(skeleton);
		}
		// A date without a time has the zone's name after it. The requested kind of name replaces the short one.
		#withZone(format) {
			const join = (date, zone) => this.#short.replace(/\{([01])\}/g, (_, part) => part === '1' ? date : zone);
			const { pattern, pattern12, rawPattern } = format;
			return { ...format, timeZoneName: 'short', pattern: join(pattern, '{timeZoneName}'), pattern12: join(pattern12, '{timeZoneName}'), rawPattern: join(rawPattern, 'z') };
		}
		*[Symbol.iterator]() {
			for (const skeleton of Object.keys(this.#patterns))
				yield this.#format(skeleton);
		}
		// The format with the highest score. If some formats have exactly the requested fields, only these are
		// considered.
		best(options, score) {
			let key = '';
			for (const field of ['weekday', 'era', 'year', 'month', 'day', 'dayPeriod', 'hour', 'minute', 'second', 'timeZoneName']) {
				if (options[field] !== undefined || (field === 'second' && options.fractionalSecondDigits !== undefined))
					key += letters[field];
			}
			let among = (text('intl/s/' + key) ?? '').split('|').filter((skeleton) => derive().format(this.#patterns, this.#connectors, skeleton) !== undefined);
			if (among.length === 0 && key.endsWith('z') && !/[hms]/.test(key))
				return this.#withZone(this.best({ ...options, timeZoneName: undefined }, score));
			if (among.length === 0)
				among = this.#all ??= Object.keys(this.#patterns);
			let bestScore = -Infinity, best;
			for (const skeleton of among) {
				const points = score(options, this.#fields(skeleton));
				if (points > bestScore) {
					bestScore = points;
					best = skeleton;
				}
			}
			return this.#format(best);
		}
	}

	class LazyRanges {
		#make;
		#made;
		constructor(make) {
			this.#make = make;
		}
		static {
			for (const key of ['era', 'year', 'month', 'day', 'ampm', 'dayPeriod', 'hour', 'minute', 'second', 'default'])
				defineProperty(LazyRanges.prototype, key, { get() { return (this.#made ??= this.#make())[key]; } });
		}
	}

	// The rules of one kind of segments. Their expressions are applied to the text around a position only, so that the time
	// grows with the length of the text, not with its square.
	const BEFORE = 64, BEHIND = 128, AHEAD = 1024;
	const isLetterOrDigit = (c) => c >= 48 && c <= 57 || c >= 65 && c <= 90 || c >= 97 && c <= 122;
	const isLow = (c) => c >= 0xdc00 && c < 0xe000;
	const isSurrogate = (c) => c >= 0xd800 && c < 0xe000;
	class Rules {
		#granularity;
		#rules;
		#enders; // of sentences: without one of them, nothing ends one
		constructor(granularity, rules) {
			this.#granularity = granularity;
			const made = (key) => ({ breaks: rules[key].breaks, make: rules[key].at, at: undefined });
			this.#rules = Object.keys(rules).sort((a, b) => a - b).map(made);
			this.#enders = granularity === 'sentence' ? this.#rules.filter((rule) => rule.breaks) : undefined;
		}

		// The end of the segment that begins at `start`.
		endOf(input, start) {
			const seen = { base: start, text: undefined };
			for (let position = start + 1; position < input.length; position++) {
				if (this.#breaks(input, position, start, seen))
					return position;
			}
			return input.length;
		}

		// The start of the segment that contains a position. Between surrogates a break depends on what was before them (two
		// regional indicators are a flag), so the search begins at a break elsewhere.
		startOf(input, position) {
			const seen = { base: 0, text: undefined };
			let start = position;
			while (start > 0 && (isSurrogate(input.charCodeAt(start - 1)) || isSurrogate(input.charCodeAt(start)) || !this.#breaks(input, start, 0, seen)))
				start--;
			for (let end = this.endOf(input, start); end <= position; end = this.endOf(input, start))
				start = end;
			return start;
		}

		// seen: the text that was cut out last, and where it begins. Nothing before `least` is looked at.
		#breaks(input, position, least, seen) {
			const before = input.charCodeAt(position - 1), after = input.charCodeAt(position);
			if (before >= 0xd800 && before < 0xdc00 && isLow(after))
				return false;
			const plain = this.#plainBreak(before, after);
			if (plain !== undefined)
				return plain;
			const distance = position - seen.base;
			if (seen.text === undefined || distance > BEHIND || (distance < BEFORE && seen.base > least)) {
				seen.base = this.#contextOf(input, position, least);
				seen.text = input.slice(seen.base, position + AHEAD);
			}
			const { base, text } = seen;
			if (this.#enders && !this.#enders.some((rule) => this.#applies(rule, text, position - base)))
				return false;
			for (const rule of this.#rules) {
				if (this.#applies(rule, text, position - base))
					return rule.breaks;
			}
			return true;
		}

		// Between the end of a sentence and the next one are any number of spaces. No pair of surrogates is split.
		#contextOf(input, position, least) {
			let from = Math.max(least, position - BEFORE);
			while (this.#enders && from > least && input.charCodeAt(from) === 32)
				from--;
			return from > least && isLow(input.charCodeAt(from)) ? from - 1 : from;
		}

		// What the rules say of most characters. Below the first combining mark, only CR LF is one grapheme.
		#plainBreak(before, after) {
			if (this.#granularity === 'grapheme')
				return before < 0x300 && after < 0x300 && !(before === 13 && after === 10) ? true : undefined;
			const isInner = isLetterOrDigit(before);
			if (this.#granularity === 'sentence')
				return isInner || (before === 32 && after === 32) ? false : undefined;
			const isNext = isLetterOrDigit(after);
			if (isInner && isNext)
				return false;
			return (isInner && after === 32) || (before === 32 && isNext) ? true : undefined;
		}

		// The expression is made when the rule is first applied.
		#applies(rule, text, position) {
			const at = rule.at ??= rule.make();
			at.lastIndex = position;
			return at.test(text);
		}
	}

	const host = {
		zoneName,
		segmentation(locale, granularity) {
			const name = locale + '.' + granularity;
			if (!segments.has(name))
				segments.set(name, data('x/segments').includes(name) ? script('intl/x/segments/' + name)() : undefined);
			return segments.get(name);
		},
		rules: (granularity, rules) => new Rules(granularity, rules),
		// pattern -> [the parts before {1}, those behind it from the last to the first], of the few patterns of a list
		templates(partition) {
			const known = new Map();
			return (pattern) => {
				if (!known.has(pattern)) {
					const parts = partition(pattern), at = parts.findIndex((part) => part.type === '1');
					known.set(pattern, [parts.slice(0, at), parts.slice(at + 1).reverse()]);
				}
				return known.get(pattern);
			};
		},
		hasLocales: () => loaded.has('intl-locale'),
		// [the offset in ms, whether that is summer time]
		zoneAt(name, time) {
			return zoneAt(name, time) ?? [0, false];
		},
		formats: (patterns, connectors, fields, parse) => new Formats(patterns, connectors, fields, parse),
		pattern: (patterns, connectors, skeleton) => derive().format(patterns, connectorsOf(connectors), skeleton),
		lazyRanges: (make) => new LazyRanges(make),
		collapseRange, rangeSlots, timeInterval, withHour,
		// Formats plain digits itself, and creates a NumberFormat only for other numbers.
		digits(locale, options) {
			let made;
			const whole = () => made ??= new inner.NumberFormat(locale, options);
			if (options.numberingSystem !== 'latn' || options.useGrouping !== false)
				return whole();
			const { minimumIntegerDigits = 1 } = options;
			return {
				format: (value) => Number.isInteger(value) && value >= 0 && value < 1e15 ? String(value).padStart(minimumIntegerDigits, '0') : whole().format(value),
				formatToParts: (value) => whole().formatToParts(value),
			};
		},
	};

	// ---- Ranges ---------------------------------------------------------------------------------------------

	const DIGITS = new Set(['integer', 'group', 'decimal', 'fraction', 'infinity', 'nan', 'exponentSeparator', 'exponentMinusSign', 'exponentPlusSign', 'exponentInteger']);
	const isUnit = (part) => part.type === 'unit' || part.type === 'currency';
	const valueOf = (parts) => parts.map((part) => part.value).join('');

	// Takes a formatted number apart: its sign and the like on both sides, and around them the name of its unit.
	function layers(parts, hasUnit) {
		const first = parts.findIndex((part) => DIGITS.has(part.type)), last = parts.findLastIndex((part) => DIGITS.has(part.type));
		const before = parts.slice(0, first), after = parts.slice(last + 1);
		let from = 0, to = after.length;
		if (hasUnit) {
			while (from < before.length && isUnit(before[from]))
				from++;
			while (from > 0 && from < before.length && before[from].type === 'literal')
				from++;
			while (to > 0 && isUnit(after[to - 1]))
				to--;
			while (to > 0 && to < after.length && after[to - 1].type === 'literal')
				to--;
		}
		return { unitBefore: before.slice(0, from), before: before.slice(from), digits: parts.slice(first, last + 1), after: after.slice(0, to), unitAfter: after.slice(to) };
	}

	// Both numbers have the same unit, which is written once. Signs and symbols are written once if they are equal and
	// longer than one character. If some stand between the numbers, spaces are around the separator.
	function collapseRange(parts, hasUnit) {
		const at = parts.findIndex((part) => part.source === 'shared');
		const start = layers(parts.slice(0, at), hasUnit), end = layers(parts.slice(at + 1), hasUnit), separator = { ...parts[at] };
		const length = [...valueOf(start.before) + valueOf(start.after)].length;
		const isShared = length > 1 && valueOf(start.before) === valueOf(end.before) && valueOf(start.after) === valueOf(end.after);
		if ((!isShared && length > 0) || start.digits.some((part) => part.type === 'exponentSeparator'))
			separator.value = separator.value.replace(/^(?!\s)/, ' ').replace(/(?<!\s)$/, ' ');
		const shared = (list) => list.map((part) => ({ ...part, source: 'shared' }));
		return [...shared(start.unitBefore), ...(isShared ? shared(start.before) : start.before), ...start.digits, ...(isShared ? [] : start.after), separator,
			...(isShared ? [] : end.before), ...end.digits, ...(isShared ? shared(end.after) : end.after), ...shared(end.unitAfter)];
	}

	// The digits of months, days and hours in a range are those of the range's own pattern.
	function rangeSlots(slots, pattern) {
		const isNumeric = (width) => width === 'numeric' || width === '2-digit';
		const changed = { ...slots };
		for (const name of ['month', 'day', 'hour']) {
			const own = pattern[name];
			if (own !== undefined && slots[name] !== undefined && (isNumeric(own) || isNumeric(slots[name])))
				changed[name] = own;
		}
		return changed;
	}

	// The ranges of a time: those of "h:mm a" are stored as "hm".
	function timeInterval(intervals, pattern) {
		const letters = pattern.replace(/'[^']*'|[abB]|[^A-Za-z]/g, '').replace(/(.)\1+/g, '$1');
		return typeof intervals[letters] === 'object' ? intervals[letters] : undefined;
	}

	// The locales' formats of hours and minutes have hours of two digits, and are found by exactly such fields. If only the
	// minutes are requested with two digits, ICU takes that format, with the hours as they are requested.
	function withHour(options, format) {
		const { hour, minute, second } = options;
		const isOther = options.timeZoneName !== undefined || (options.weekday !== undefined && options.year === undefined && options.month === undefined && options.day === undefined);
		if (hour === 'numeric' && minute === '2-digit' && (second === undefined || second === '2-digit') && !isOther && format.hour === '2-digit')
			format.hour = 'numeric';
		return format;
	}

	// A range of times on different days has the dates, and one of days in different years the years.
	function withRanges(DateTimeFormat) {
		const { resolvedOptions } = DateTimeFormat.prototype;
		const fields = ['locale', 'calendar', 'numberingSystem', 'timeZone', 'weekday', 'era', 'year', 'month', 'day', 'dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits', 'timeZoneName', 'hourCycle'];
		const styles = { short: {}, medium: { second: 'numeric' }, long: { second: 'numeric', timeZoneName: 'short' }, full: { second: 'numeric', timeZoneName: 'long' } };
		const made = new WeakMap();
		function widen(format, options, added) {
			const wider = {};
			for (const name of fields) {
				if (options[name] !== undefined)
					wider[name] = options[name];
			}
			if (options.timeStyle !== undefined)
				Object.assign(wider, { hour: 'numeric', minute: 'numeric' }, styles[options.timeStyle]);
			// Of hours and minutes that are numeric the locale decides how many digits they have.
			for (const name of ['minute', 'second']) {
				if (wider[name] !== undefined)
					wider[name] = wider.timeZoneName === undefined ? 'numeric' : '2-digit';
			}
			const result = new DateTimeFormat(options.locale, Object.assign(wider, added));
			made.set(format, result);
			return result;
		}
		function formatFor(format, start, end) {
			const options = resolvedOptions.call(format);
			const isTime = ['dateStyle', 'weekday', 'year', 'month', 'day'].every((name) => options[name] === undefined);
			if (!isTime && (options.dateStyle !== undefined || options.year !== undefined || (options.month === undefined && options.day === undefined)))
				return format;
			const local = (time) => new Date(time + host.zoneAt(options.timeZone, time)[0]);
			const [first, last] = [local(start), local(end)];
			if (isTime ? Math.floor(first / 864e5) === Math.floor(last / 864e5) : first.getUTCFullYear() === last.getUTCFullYear())
				return format;
			return made.get(format) ?? widen(format, options, isTime ? { year: 'numeric', month: 'numeric', day: 'numeric' } : { year: 'numeric' });
		}
		const isTime = (value) => typeof value === 'number' || value instanceof Date;
		for (const name of ['formatRange', 'formatRangeToParts']) {
			const original = DateTimeFormat.prototype[name];
			const method = { [name](startDate, endDate) {
				const known = isTime(startDate) && isTime(endDate) && Number.isFinite(+startDate - endDate);
				return original.call(known ? formatFor(this, +startDate, +endDate) : this, startDate, endDate);
			} };
			defineProperty(DateTimeFormat.prototype, name, { value: method[name], writable: true, configurable: true });
		}
		return DateTimeFormat;
	}

	const loaded = new Map();
	function load(name) {
		return (loaded.get(name) ?? whole(() => evaluate(name))).exports;
	}
	// A module is registered before it is evaluated, because some modules require each other.
	function evaluate(name) {
		const module = { exports: {} };
		loaded.set(name, module);
		try {
			script('intl/' + name)(inner, (wanted) => load(wanted.slice('@formatjs/'.length)), data, host, module);
		} catch (error) {
			loaded.delete(name);
			throw error;
		}
		return module;
	}

	// ---- Constructors --------------------------------------------------------------------------------------

	const isSpecified = new Set(['length', 'name', 'prototype', 'supportedLocalesOf']);
	// Gives a constructor the name, length and members that the standard requires.
	function tidy(Constructor, name) {
		defineProperty(Constructor, 'name', { value: name, configurable: true });
		defineProperty(Constructor, 'length', { value: name === 'DisplayNames' ? 2 : name === 'Locale' ? 1 : 0, configurable: true });
		for (const holder of [Constructor, Constructor.prototype]) {
			for (const key of ownKeys(holder)) {
				if (typeof key === 'string' && !(holder === Constructor && isSpecified.has(key) && key !== 'supportedLocalesOf'))
					defineProperty(holder, key, { enumerable: false });
			}
		}
		return Constructor;
	}

	// The locales that have data of a kind.
	function tagsOf(kind) {
		const lines = text('intl/tags/' + kind);
		const has = (tag) => lines.includes('\n' + tag + '\n') || lines.includes('\n' + tag + '=');
		return {
			has,
			owner(tag) {
				const at = lines.indexOf('\n' + tag + '=');
				if (at < 0)
					return has(tag) ? tag : undefined;
				const from = at + tag.length + 2;
				return lines.slice(from, lines.indexOf('\n', from));
			},
			list: () => lines.trim().split('\n').map((line) => line.split('=')[0]),
		};
	}

	// kind: of the data; read(locale) -> the argument of __addLocaleData.
	function withLocales(Constructor, kind, read) {
		const tags = tagsOf(kind);
		const made = {};
		function dataOf(tag) {
			const owner = tags.owner(tag);
			return owner === undefined || Object.hasOwn(made, owner) ? made[owner] : whole(() => make(owner));
		}
		function make(owner) {
			Constructor.localeData = {};
			try {
				Constructor.__addLocaleData({ data: read(owner), locale: owner });
				made[owner] = Constructor.localeData[owner];
			} finally {
				Constructor.localeData = table;
			}
			return made[owner];
		}
		const table = new Proxy({}, {
			get: (_, tag) => typeof tag === 'string' ? dataOf(tag) : undefined,
			has: (_, tag) => typeof tag === 'string' && tags.has(tag),
			ownKeys: () => tags.list(),
			getOwnPropertyDescriptor: (_, tag) => tags.has(tag) ? { value: dataOf(tag), enumerable: true, configurable: true } : undefined,
		});
		Constructor.localeData = table;
		Constructor.availableLocales = { isOurs: true, has: tags.has, add() {}, [Symbol.iterator]: () => tags.list()[Symbol.iterator]() };
		Constructor.__defaultLocale = DEFAULT_LOCALE;
		Constructor.getDefaultLocale = () => DEFAULT_LOCALE;
		return Constructor;
	}

	function intervals(locale) {
		const table = () => localeData('d.intervalFormats', locale);
		let connectors;
		return new Proxy({ __proto__: null }, {
			get(_, key) {
				if (typeof key !== 'string' || key === 'intervalFormatFallback')
					return table()[key];
				const { formats, dateTimeFormat } = localeData('d', locale);
				return derive().interval(table(), table().intervalFormatFallback, formats.gregory, connectors ??= connectorsOf(dateTimeFormat), key);
			},
			ownKeys: () => Reflect.ownKeys(table()),
			getOwnPropertyDescriptor: (_, key) => ({ ...Reflect.getOwnPropertyDescriptor(table(), key), configurable: true }),
		});
	}

	// The names of a zone may be stored under an older name of the zone.
	function zoneNames(locale) {
		return new Proxy({ __proto__: null }, {
			get(_, zone) {
				const table = localeData('d.timeZoneName', locale);
				if (Object.hasOwn(table, zone) || typeof zone !== 'string')
					return table[zone];
				const older = text('intl/zones').split('\n').map((line) => line.split('=')).find(([name, target]) => target === zone && Object.hasOwn(table, name));
				return older && table[older[0]];
			},
		});
	}

	const plurals = (Constructor) => (locale) => {
		let taken;
		script('intl/p/' + locale)({ PluralRules: { __addLocaleData(entry) { taken = entry.data; } } });
		return taken;
	};

	const makers = {
		Locale: () => load('intl-locale').Locale,
		PluralRules: () => withLocales(load('intl-pluralrules').PluralRules, 'p', plurals()),
		NumberFormat: () => withLocales(load('intl-numberformat').NumberFormat, 'n', (locale) => ({
			...localeData('n', locale),
			currencies: later(() => localeData('n.currencies', locale)),
			units: later(() => localeData('n.units', locale)),
		})),
		DateTimeFormat() {
			const { DateTimeFormat } = load('intl-datetimeformat');
			withLocales(DateTimeFormat, 'd', (locale) => ({
				...localeData('d', locale),
				intervalFormats: intervals(locale),
				timeZoneName: zoneNames(locale),
			}));
			DateTimeFormat.getDefaultTimeZone = () => zoneName(defaultZone()) ?? 'UTC';
			return withRanges(DateTimeFormat);
		},
		RelativeTimeFormat: () => withLocales(load('intl-relativetimeformat').default, 'r', (locale) => localeData('r', locale)),
		ListFormat: () => withLocales(load('intl-listformat').default, 'l', (locale) => localeData('l', locale)),
		DisplayNames: () => withLocales(load('intl-displaynames').DisplayNames, 'dn', (locale) => {
			const found = { ...localeData('dn', locale) };
			const types = {};
			for (const type of found.types)
				defineProperty(types, type, { enumerable: true, get: () => localeData('dn.' + type, locale) });
			return { ...found, types };
		}),
		Segmenter: () => load('intl-segmenter').Segmenter,
		Collator: () => script('intl/collator')({
			canonicalize: getCanonicalLocales, hide, getOption,
			// The locale to use, and its Unicode keywords.
			resolve(requested) {
				for (const tag of requested) {
					const plain = tag.replace(/-u(-[a-z0-9]{2,8})+/i, '');
					const found = bestAvailable(plain);
					if (found !== undefined)
						return { locale: found, extension: keywords(tag) };
				}
				return { locale: DEFAULT_LOCALE, extension: {} };
			},
			supported: (requested) => requested.filter((tag) => bestAvailable(tag.replace(/-u(-[a-z0-9]{2,8})+/i, '')) !== undefined),
		}),
	};

	function bestAvailable(tag) {
		const tags = tagsOf('n');
		for (let at = tag; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('-'), 0))) {
			if (tags.has(at))
				return at;
		}
		return undefined;
	}

	function keywords(tag) {
		const found = {};
		const parts = (/-u((?:-[a-z0-9]{2,8})+)/i.exec(tag)?.[1] ?? '').split('-').slice(1);
		let key;
		for (const part of parts) {
			if (part.length === 2)
				found[key = part] = '';
			else if (key !== undefined)
				found[key] += (found[key] === '' ? '' : '-') + part;
		}
		return found;
	}

	function getOption(options, name, values, fallback) {
		const value = options[name];
		if (value === undefined)
			return fallback;
		const chosen = String(value);
		if (!values.includes(chosen))
			throw new RangeError('Value ' + chosen + ' out of range for Intl options property ' + name);
		return chosen;
	}

	function hide(holder, methods) {
		for (const name of Object.keys(methods))
			defineProperty(holder, name, { value: methods[name], writable: true, configurable: true });
	}

	function getCanonicalLocales(locales) {
		const { getCanonicalLocales: canonicalize } = load('intl-getcanonicallocales');
		try {
			return canonicalize(locales);
		} catch (error) {
			throw error instanceof RangeError ? new RangeError('Incorrect locale information provided') : error;
		}
	}
	inner.getCanonicalLocales = getCanonicalLocales;

	// ---- Intl ----------------------------------------------------------------------------------------------

	const Intl = {};
	for (const name of Object.keys(makers)) {
		lazy(inner, name, () => tidy(makers[name](), name));
		lazy(Intl, name, () => inner[name]);
	}
	const sortedZones = () => {
		zoneName('UTC');
		return [...new Set(zones.values())].sort();
	};
	const values = {
		timeZone: sortedZones,
		calendar: () => ['gregory', 'iso8601'],
		collation: () => ['default'],
	};
	inner.supportedValuesOf = (key) => {
		const wanted = String(key);
		return Object.hasOwn(values, wanted) ? values[wanted]() : load('intl-supportedvaluesof').supportedValuesOf(wanted);
	};
	hide(Intl, { getCanonicalLocales(locales) { return getCanonicalLocales(locales); },
		supportedValuesOf(key) { return inner.supportedValuesOf(key); } });
	defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });

	// ---- Methods of other objects ----------------------------------------------------------------------------

	// The last few objects of each kind, because programs call these methods in loops with the same arguments.
	const kept = { __proto__: null };
	function keep(name, locales, options) {
		const simple = (locales === undefined || typeof locales === 'string') && options === undefined;
		if (!simple)
			return new inner[name](locales, options);
		const key = name + '|' + (locales ?? '') + '|' + defaultZone();
		return kept[key] ??= new inner[name](locales);
	}

	const DATE = ['weekday', 'year', 'month', 'day'];
	const TIME = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
	// ECMA-402's CreateDateTimeFormat: the fields that a method of Date shows by default.
	function dateOptions(given, required, defaults) {
		const options = given === undefined ? Object.create(null) : Object.create(Object(given));
		const has = (names) => names.some((name) => options[name] !== undefined);
		const styled = options.dateStyle !== undefined || options.timeStyle !== undefined;
		if (required === 'date' && options.timeStyle !== undefined)
			throw new TypeError('Invalid option : timeStyle');
		if (required === 'time' && options.dateStyle !== undefined)
			throw new TypeError('Invalid option : dateStyle');
		if (!styled && !(required !== 'time' && has(DATE)) && !(required !== 'date' && has(TIME))) {
			for (const name of defaults === 'date' ? DATE.slice(1) : defaults === 'time' ? TIME.slice(1, 4) : [...DATE.slice(1), ...TIME.slice(1, 4)])
				defineProperty(options, name, { value: 'numeric', enumerable: true, writable: true, configurable: true });
		}
		return options;
	}
	const dateFormats = new Map();
	function formatDate(time, locales, options, required, defaults) {
		const simple = options === undefined && (locales === undefined || typeof locales === 'string');
		const key = simple ? required + defaults + '|' + (locales ?? '') + '|' + defaultZone() : undefined;
		let format = simple ? dateFormats.get(key) : undefined;
		if (format === undefined) {
			format = new inner.DateTimeFormat(locales, dateOptions(options, required, defaults));
			if (simple)
				dateFormats.set(key, format);
		}
		return Number.isNaN(time) ? 'Invalid Date' : format.format(time);
	}

	// Languages with their own rules for changing case.
	function caseLanguage(locales) {
		const [tag] = getCanonicalLocales(locales);
		return tag === undefined ? '' : tag.split('-')[0];
	}
	const turkic = (language) => language === 'tr' || language === 'az';
	const lower = String.prototype.toLowerCase, upper = String.prototype.toUpperCase;

	return { __proto__: null, Intl,
		formatNumber: (value, locales, options) => keep('NumberFormat', locales, options).format(value),
		formatDate,
		compare: (x, y, locales, options) => keep('Collator', locales, options).compare(x, y),
		lower(value, locales) {
			if (turkic(caseLanguage(locales)))
				value = value.replace(/İ/g, 'i').replace(/I\u0307/g, 'i').replace(/I/g, 'ı');
			return lower.call(value);
		},
		upper(value, locales) {
			if (turkic(caseLanguage(locales)))
				value = value.replace(/i/g, 'İ');
			return upper.call(value);
		},
	};
})
