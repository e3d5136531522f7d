// SPDX-License-Identifier: Apache-2.0
// Most formats of a date and a time together, "D, T", are the two formats joined by the locale's connector. Such
// entries are not stored, but derived on demand. make.mjs uses this to find them, glue.js to derive them.
(function () {
	'use strict';

	const own = (table, key) => Object.prototype.hasOwnProperty.call(table, key) ? table[key] : undefined;

	// Each way to split "D, T" at the text that joins date and time in one of the connectors ("{1}, {0}"), the last
	// split first.
	function* cuts(key, connectors) {
		for (const connector of connectors) {
			const between = connector.slice(3, -3);
			if (between === '' || connector.slice(0, 3) !== '{1}')
				continue;
			for (let at = key.lastIndexOf(between); at > 0; at = key.lastIndexOf(between, at - 1))
				yield [key.slice(0, at), key.slice(at + between.length), connector];
		}
	}

	// "h:mm a" -> "hm"
	function fieldsOf(pattern) {
		let fields = '';
		for (const c of pattern) {
			if (/[A-Za-z]/.test(c) && !'abB'.includes(c) && fields[fields.length - 1] !== c)
				fields += c;
		}
		return fields;
	}

	const join = (connector, date, time) => connector.replace('{1}', () => date).replace('{0}', () => time);

	// formats: those that are stored
	function format(formats, connectors, key) {
		const kept = own(formats, key);
		if (kept !== undefined)
			return kept;
		for (const [date, time, connector] of cuts(key, connectors)) {
			const first = own(formats, date), second = own(formats, time);
			if (first !== undefined && second !== undefined)
				return join(connector, first, second);
		}
		return undefined;
	}

	// An interval whose two sides both contain the whole time.
	function writtenOut(fallback, time) {
		const both = fallback.replace('{0}', () => time).replace('{1}', () => time), made = {};
		const plain = time.replace(/'[^']*'/g, '');
		for (const [field, letters] of [['a', /a/], ['B', /B/], ['h', /[hHkK]/], ['m', /m/], ['s', /s/]]) {
			if (letters.test(plain))
				made[field] = both;
		}
		return made;
	}

	// intervals: those that are stored; fallback: "{0} – {1}"
	function interval(intervals, fallback, formats, connectors, key) {
		const kept = own(intervals, key);
		if (kept !== undefined)
			return kept;
		for (const [date, time, connector] of cuts(key, connectors)) {
			const first = format(formats, connectors, date);
			if (first === undefined)
				continue;
			const ranges = own(intervals, time) ?? own(intervals, fieldsOf(time)) ?? writtenOut(fallback, own(formats, time) ?? time);
			const made = {};
			for (const field of Object.keys(ranges))
				made[field] = join(connector, first, ranges[field]);
			if (Object.keys(made).length > 0)
				return made;
		}
		return undefined;
	}

	// Whether a date precedes the time, and both sides of every range contain the whole time.
	function isWrittenOut(formats, connectors, key, ranges) {
		const values = Object.keys(ranges).map((field) => ranges[field]);
		return values.every((value) => value === values[0]) && [...cuts(key, connectors)].some(([date]) => format(formats, connectors, date) !== undefined);
	}

	return { format, interval, isWrittenOut };
})
