// SPDX-License-Identifier: Apache-2.0
// The clock of the run, and the marks and measures of User Timing.

let timeOrigin; // computed at its first use, because an image is made before the run starts

let newEntry, isPerformanceEntry;
class PerformanceEntry {
	#e;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#e = arguments[1];
	}

	get name() {
		return this.#e.name;
	}
	get entryType() {
		return this.#e.type;
	}
	get startTime() {
		return this.#e.start;
	}
	get duration() {
		return this.#e.duration;
	}
	toJSON() {
		const { name, type, start, duration, detail } = this.#e;
		return { name, entryType: type, startTime: start, duration, detail };
	}

	static {
		newEntry = (Interface, entry) => new Interface(construct, entry);
		isPerformanceEntry = value => isObject(value) && #e in value;
	}
}
finishInterface(PerformanceEntry, 'PerformanceEntry');

const toDetail = detail => (detail === undefined || detail === null ? null : cloneValue(detail));

class PerformanceMark extends PerformanceEntry {
	#detail;

	constructor(markName, markOptions = undefined) {
		if (markName === construct) {
			super(construct, markOptions);
			this.#detail = markOptions.detail;
			return;
		}
		needArguments('PerformanceMark', 1, arguments.length);
		const entry = readMark(markName, markOptions);
		super(construct, entry);
		this.#detail = entry.detail;
	}

	get detail() {
		return this.#detail;
	}
}
finishInterface(PerformanceMark, 'PerformanceMark');

class PerformanceMeasure extends PerformanceEntry {
	#detail;

	constructor() {
		super(...arguments);
		this.#detail = arguments[1].detail;
	}

	get detail() {
		return this.#detail;
	}
}
finishInterface(PerformanceMeasure, 'PerformanceMeasure');

function toTimestamp(value) {
	const time = +value;
	if (!(time > -Infinity && time < Infinity)) throw new TypeError('A time is not a finite number');
	return time;
}

function readMark(name, options) {
	name = toText(name);
	options = toDictionary(options, 'The second argument of mark');
	const { detail, startTime } = options;
	const start = startTime === undefined ? clock() : toTimestamp(startTime);
	if (start < 0) throw new TypeError('The startTime is negative');
	return { __proto__: null, name, type: 'mark', start, duration: 0, detail: toDetail(detail) };
}

let performanceEntries = []; // { entry, object }, in the order in which they were created

function keepEntry(Interface, entry) {
	const object = newEntry(Interface, entry);
	push(performanceEntries, { __proto__: null, entry, object });
	return object;
}

// A time: the given number, or that of the newest mark with the given name.
function toMarkTime(mark) {
	if (typeof mark === 'number') {
		const time = toTimestamp(mark);
		if (time < 0) throw new TypeError('A time is negative');
		return time;
	}
	const name = toText(mark);
	for (let i = performanceEntries.length - 1; i >= 0; i--) {
		const { entry } = performanceEntries[i];
		if (entry.type === 'mark' && entry.name === name) return entry.start;
	}
	throw new DOMException('There is no mark with the name ' + slice(name, 0, 100), 'SyntaxError');
}

function readMeasure(name, startOrOptions, endMark) {
	name = toText(name);
	const options = isObject(startOrOptions) ? startOrOptions : undefined;
	const { detail, duration, end, start } = options ?? nothing;
	const isEmpty =
		!options || (detail === undefined && duration === undefined && end === undefined && start === undefined);
	if (!isEmpty) {
		if (endMark !== undefined) throw new TypeError('An end mark is given beside the options');
		if (start === undefined && end === undefined) throw new TypeError('The options have neither start nor end');
		if (start !== undefined && duration !== undefined && end !== undefined)
			throw new TypeError('The options have all of start, duration and end');
	}
	const length = duration === undefined ? undefined : toTimestamp(duration);
	let to;
	if (endMark !== undefined) to = toMarkTime(endMark);
	else if (end !== undefined) to = toMarkTime(end);
	else if (start !== undefined && length !== undefined) to = toMarkTime(start) + length;
	else to = clock();
	let from = 0;
	if (start !== undefined) from = toMarkTime(start);
	else if (length !== undefined && end !== undefined) from = toMarkTime(end) - length;
	else if (!options && startOrOptions !== undefined) from = toMarkTime(toText(startOrOptions));
	return { __proto__: null, name, type: 'measure', start: from, duration: to - from, detail: toDetail(detail) };
}

function selectEntries(name, type) {
	const found = [];
	for (let i = 0; i < performanceEntries.length; i++) {
		const { entry } = performanceEntries[i];
		if ((name === undefined || entry.name === name) && (type === undefined || entry.type === type))
			push(found, performanceEntries[i]);
	}
	sortArray(found, (a, b) => a.entry.start - b.entry.start);
	for (let i = 0; i < found.length; i++) found[i] = found[i].object;
	return found;
}

function clearEntries(type, name) {
	const rest = [];
	for (let i = 0; i < performanceEntries.length; i++) {
		const { entry } = performanceEntries[i];
		if (entry.type !== type || (name !== undefined && entry.name !== name)) push(rest, performanceEntries[i]);
	}
	performanceEntries = rest;
}

const orText = value => (value === undefined ? undefined : toText(value));

class Performance extends EventTarget {
	#performance = true;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		super();
	}

	now() {
		this.#performance;
		return clock();
	}

	get timeOrigin() {
		this.#performance;
		return (timeOrigin ??= dateNow() - clock());
	}

	mark(markName, markOptions = undefined) {
		this.#performance;
		needArguments('mark', 1, arguments.length);
		return keepEntry(PerformanceMark, readMark(markName, markOptions));
	}

	measure(measureName, startOrMeasureOptions = undefined, endMark = undefined) {
		this.#performance;
		needArguments('measure', 1, arguments.length);
		return keepEntry(PerformanceMeasure, readMeasure(measureName, startOrMeasureOptions, endMark));
	}

	clearMarks(markName = undefined) {
		this.#performance;
		clearEntries('mark', orText(markName));
	}

	clearMeasures(measureName = undefined) {
		this.#performance;
		clearEntries('measure', orText(measureName));
	}

	getEntries() {
		this.#performance;
		return selectEntries(undefined, undefined);
	}

	getEntriesByType(type) {
		this.#performance;
		needArguments('getEntriesByType', 1, arguments.length);
		return selectEntries(undefined, toText(type));
	}

	getEntriesByName(name, type = undefined) {
		this.#performance;
		needArguments('getEntriesByName', 1, arguments.length);
		return selectEntries(toText(name), orText(type));
	}

	toJSON() {
		this.#performance;
		return { timeOrigin: this.timeOrigin };
	}
}
finishInterface(Performance, 'Performance');
