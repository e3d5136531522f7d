// SPDX-License-Identifier: Apache-2.0
const { needs, outOfRange, wrongType } = require('internal/errors');

// ---- Histograms, which record every value ----

class Histogram {
	_values = new Map();
	_exceeds = 0;
	_sorted;
	constructor({ lowest = 1, highest = Number.MAX_SAFE_INTEGER } = {}) { Object.defineProperties(this, { _lowest: { value: lowest }, _highest: { value: highest }, _values: { enumerable: false }, _exceeds: { enumerable: false }, _sorted: { enumerable: false } }); }
	#all() { return this._sorted ??= [...this._values].sort(([a], [b]) => a - b); }
	get _count() { return this.#all().reduce((sum, [, count]) => sum + count, 0); }
	get count() { return this._count; }
	get countBigInt() { return BigInt(this._count); }
	get exceeds() { return this._exceeds; }
	get exceedsBigInt() { return BigInt(this._exceeds); }
	get min() { return this.#all()[0]?.[0] ?? 9223372036854776000; }
	get minBigInt() { return this._count === 0 ? 9223372036854775807n : BigInt(this.min); }
	get max() { return this.#all().at(-1)?.[0] ?? 0; }
	get maxBigInt() { return BigInt(this.max); }
	get mean() { return this._count === 0 ? NaN : this.#all().reduce((sum, [value, count]) => sum + value * count, 0) / this._count; }
	get stddev() {
		const { mean, _count: all } = this;
		return all === 0 ? NaN : Math.sqrt(this.#all().reduce((sum, [value, count]) => sum + (value - mean) ** 2 * count, 0) / all);
	}
	percentile(percent) {
		if (typeof percent !== 'number')
			wrongType('percentile', 'of type number', percent);
		if (!(percent > 0 && percent <= 100))
			outOfRange('percentile', '> 0 && <= 100', percent);
		const wanted = Math.max(1, Math.ceil(percent / 100 * this._count));
		let seen = 0;
		for (const [value, count] of this.#all()) {
			seen += count;
			if (seen >= wanted)
				return value;
		}
		return 0;
	}
	percentileBigInt(percent) { return BigInt(this.percentile(percent)); }
	// Halves the distance to 100 % each time.
	get percentiles() {
		const result = new Map();
		for (let percent = 0; percent < 100 && this._count > 0; percent += (100 - percent) / 2) {
			result.set(percent, percent === 0 ? this.min : this.percentile(percent));
			if (result.get(percent) === this.max)
				break;
		}
		return result.set(100, this.max);
	}
	get percentilesBigInt() { return new Map([...this.percentiles].map(([percent, value]) => [percent, BigInt(value)])); }
	reset() {
		this._values.clear();
		this._exceeds = 0;
		this._sorted = undefined;
	}
	toJSON() {
		const { count, min, max, mean, exceeds, stddev, percentiles } = this;
		return { count, min, max, mean, exceeds, stddev, percentiles: Object.fromEntries(percentiles) };
	}
}
class RecordableHistogram extends Histogram {
	#last;
	record(value) {
		const number = Number(value);
		if (typeof value !== 'bigint')
			needs.integer(value, 'val', 1);
		if (number < this._lowest || number > this._highest) {
			this._exceeds++;
			return;
		}
		this._values.set(number, (this._values.get(number) ?? 0) + 1);
		this._sorted = undefined;
	}
	recordDelta() {
		const now = Math.floor(performance.now() * 1e6);
		if (this.#last !== undefined && now > this.#last)
			this.record(now - this.#last);
		this.#last = now;
	}
	add(other) {
		if (!(other instanceof Histogram))
			wrongType('other', 'an instance of RecordableHistogram', other);
		for (const [value, count] of other._values)
			this._values.set(value, (this._values.get(value) ?? 0) + count);
		this._exceeds += other._exceeds;
		this._sorted = undefined;
	}
}
const createHistogram = (options = {}) => {
	needs.object(options, 'options');
	const { lowest = 1, highest = Number.MAX_SAFE_INTEGER, figures = 3 } = options;
	if (typeof lowest !== 'bigint')
		needs.integer(lowest, 'options.lowest', 1);
	if (typeof highest !== 'bigint')
		needs.integer(highest, 'options.highest', 2 * Number(lowest));
	needs.integer(figures, 'options.figures', 1, 5);
	return new RecordableHistogram({ lowest: Number(lowest), highest: Number(highest) });
};
class IntervalHistogram extends Histogram {
	#timer;
	#resolution;
	constructor(resolution) {
		super();
		this.#resolution = resolution;
	}
	enable() {
		if (this.#timer)
			return false;
		let last = performance.now();
		this.#timer = binding.timers.setInterval(() => {
			const now = performance.now(), late = Math.max(1, Math.floor((now - last) * 1e6));
			this._values.set(late, (this._values.get(late) ?? 0) + 1);
			this._sorted = undefined;
			last = now;
		}, this.#resolution);
		this.#timer.unref?.();
		return true;
	}
	disable() {
		const was = this.#timer !== undefined;
		binding.timers.clearInterval(this.#timer);
		this.#timer = undefined;
		return was;
	}
}
const monitorEventLoopDelay = ({ resolution = 10 } = {}) => {
	needs.integer(resolution, 'options.resolution', 1);
	return new IntervalHistogram(resolution);
};

// ---- Entries ----

const observers = new Set();
class PerformanceObserverEntryList {
	#entries;
	constructor(entries) { this.#entries = entries.toSorted((a, b) => a.startTime - b.startTime); }
	getEntries() { return [...this.#entries]; }
	getEntriesByType(type) { return this.#entries.filter(({ entryType }) => entryType === `${type}`); }
	getEntriesByName(name, type) { return this.#entries.filter((entry) => entry.name === `${name}` && (type === undefined || entry.entryType === type)); }
}
// What the platform's own timeline has is not told to observers; so mark and measure of this module's performance tell them.
class PerformanceObserver {
	#callback;
	#types = new Set();
	#pending = [];
	constructor(callback) {
		needs.callable(callback, 'callback');
		this.#callback = callback;
	}
	static get supportedEntryTypes() { return ['function', 'mark', 'measure']; }
	observe(options = {}) {
		needs.object(options, 'options');
		const types = options.entryTypes ?? [options.type];
		if (options.entryTypes === undefined && options.type === undefined)
			throw Object.assign(new TypeError('The "options.entryTypes" or "options.type" argument must be specified'), { code: 'ERR_MISSING_ARGS' });
		if (options.entryTypes)
			this.#types.clear();
		types.forEach((type) => this.#types.add(type));
		if (options.buffered)
			types.forEach((type) => performance.getEntriesByType(type).forEach((entry) => this._take(entry)));
		observers.add(this);
	}
	disconnect() {
		observers.delete(this);
		this.#types.clear();
		this.#pending = [];
	}
	takeRecords() { return this.#pending.splice(0); }
	_take(entry) {
		if (!this.#types.has(entry.entryType))
			return;
		this.#pending.push(entry);
		if (this.#pending.length > 1)
			return;
		binding.timers.setImmediate(() => {
			if (this.#pending.length > 0)
				this.#callback(new PerformanceObserverEntryList(this.takeRecords()), this);
		});
	}
}
const tell = (entry) => {
	observers.forEach((observer) => observer._take(entry));
	return entry;
};

const nodeTiming = { name: 'node', entryType: 'node', startTime: 0, get duration() { return performance.now(); }, nodeStart: 0, v8Start: 0, environment: 0, bootstrapComplete: 0, loopStart: 0, loopExit: -1, idleTime: 0,
	uvMetricsInfo: { loopCount: 0, events: 0, eventsWaiting: 0 } };
const eventLoopUtilization = () => ({ idle: 0, active: 0, utilization: 0 });
function timerify(action, { histogram } = {}) {
	needs.callable(action, 'fn');
	const timed = function (...args) {
		const start = performance.now(), result = new.target ? Reflect.construct(action, args, action) : Reflect.apply(action, this, args);
		const end = () => {
			const duration = performance.now() - start;
			histogram?.record(Math.max(1, Math.ceil(duration * 1e6)));
			tell(Object.assign(Object.create(PerformanceEntry.prototype, Object.fromEntries(Object.entries({ name: action.name, entryType: 'function', startTime: start, duration, detail: args }).map(([key, value]) => [key, { value, enumerable: true }])))));
		};
		if (typeof result?.finally === 'function')
			return result.finally(end);
		end();
		return result;
	};
	return Object.defineProperties(timed, { length: { configurable: true, value: action.length }, name: { configurable: true, value: 'timerified ' + action.name } });
}
// The platform's own object, with what Node adds to it.
const { mark, measure } = Performance.prototype;
const additions = { nodeTiming, eventLoopUtilization, timerify, mark(...args) { return tell(Reflect.apply(mark, this, args)); }, measure(...args) { return tell(Reflect.apply(measure, this, args)); } };
for (const [name, value] of Object.entries(additions))
	Object.defineProperty(performance, name, { value, writable: true, enumerable: false, configurable: true });

const illegal = () => { throw Object.assign(new TypeError('Illegal constructor'), { code: 'ERR_ILLEGAL_CONSTRUCTOR' }); };
const constants = { NODE_PERFORMANCE_GC_MAJOR: 4, NODE_PERFORMANCE_GC_MINOR: 1, NODE_PERFORMANCE_GC_INCREMENTAL: 8, NODE_PERFORMANCE_GC_WEAKCB: 16, NODE_PERFORMANCE_GC_FLAGS_NO: 0,
	NODE_PERFORMANCE_GC_FLAGS_CONSTRUCT_RETAINED: 2, NODE_PERFORMANCE_GC_FLAGS_FORCED: 4, NODE_PERFORMANCE_GC_FLAGS_SYNCHRONOUS_PHANTOM_PROCESSING: 8,
	NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE: 16, NODE_PERFORMANCE_GC_FLAGS_ALL_EXTERNAL_MEMORY: 32, NODE_PERFORMANCE_GC_FLAGS_SCHEDULE_IDLE: 64 };
module.exports = { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, constants, createHistogram, monitorEventLoopDelay, eventLoopUtilization, timerify,
	PerformanceObserver, PerformanceObserverEntryList, PerformanceNodeTiming: class PerformanceNodeTiming extends PerformanceEntry { constructor() { illegal(); } },
	PerformanceResourceTiming: class PerformanceResourceTiming extends PerformanceEntry { constructor() { illegal(); } } };
