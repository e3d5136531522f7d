// SPDX-License-Identifier: Apache-2.0
// make.mjs MODULES OUT LOCALES: writes the pack that src/js/build_image.c puts into the library. It has the FormatJS
// packages in MODULES as scripts, and as data that is read on demand what they contain about LOCALES (names separated
// by commas, or "all") and time zones. A pack is a sequence of entries: "KIND NAME BYTES\n" and the bytes. KIND is
// "script" (one function expression) or "data".
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, out, wanted] = process.argv.slice(2);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const esbuild = createRequire(path.join(modules, 'x.js'))('esbuild');
const formatjs = path.join(modules, '@formatjs');
const fail = (message) => { console.error('curfew: guest/intl: ' + message); process.exit(1); };

const entries = new Map();
function add(kind, name, text) {
	if (entries.has(name))
		fail(name + ' is made twice');
	entries.set(name, { kind, bytes: Buffer.from(text) });
}
const addJson = (name, value) => add('data', name, JSON.stringify(value));

// ---- Scripts: each package becomes a function (Intl, require, data, host, module) ---------------------------

// Large tables are moved out of the code, and parsed at their first use.
const tables = {
	'intl-getcanonicallocales': ['extensionAlias', 'territoryAlias', 'likelySubtags'],
	'intl-localematcher': ['data', 'regions', 'subdivisionAlias', 'extensionAlias'],
	'intl-locale': ['characterOrders', 'numberingSystems', 'timezones', 'hourCycles', 'calendars', 'weekData'],
	'intl-numberformat': ['digitMapping'],
	'intl-datetimeformat': [],
	'intl-segmenter': ['SegmentationRules'],
	'intl-supportedvaluesof': ['currencies', 'timezones'],
	'intl-pluralrules': [], 'intl-relativetimeformat': [], 'intl-listformat': [], 'intl-displaynames': [],
	bigdecimal: [], 'fast-memoize': [],
};

// [package, text to replace, how often it occurs, replacement]. They replace work at start-up by work on demand.
const patches = [
	['intl-getcanonicallocales', /languageAliasRules\[finalLangAst\.lang\]/, 1, 'rulesOf(finalLangAst.lang)'],
	['intl-getcanonicallocales', /languageAliasRules\.und/, 1, "rulesOf('und')"],
	['intl-getcanonicallocales', /var originalLocaleToString = [^;]*;/, 1, 'const originalLocaleToString = undefined;'],
	['intl-getcanonicallocales', /(?<=function localeString\(value\) \{)/, 1, 'if (!host.hasLocales()) return undefined;'],
	// The best fit is the result of a lookup, as in other engines. FormatJS's own way compares with every available
	// locale.
	['intl-localematcher', /(?<=function BestFitMatcher\(availableLocales, requestedLocales, getDefaultLocale\) \{)/, 1,
		'return LookupMatcher(availableLocales, requestedLocales, getDefaultLocale);'],
	['intl-localematcher', /Array\.from\(availableLocales\)/g, null, 'availableLocales'],
	['intl-localematcher', /new Set\(availableLocales\)/g, null, '(availableLocales.isOurs ? availableLocales : new Set(availableLocales))'],
	['intl-numberformat', /const digitReplacementTable = digitMapping\$get\(\)\[numberingSystem\];/, 1, "const digitReplacementTable = numberingSystem === 'latn' ? undefined : digitMapping$get()[numberingSystem];"],
	// A name without a narrow form has the short one.
	['intl-displaynames', /(?<=name = typesData\[style\]\[)canonicalCode\](?= \|\| typesData\.long\[canonicalCode\];)/g, 2,
		'canonicalCode] || (style === "narrow" && typesData.short[canonicalCode])'],
	['intl-displaynames', /Array\.from\((_?DisplayNames\d*\.availableLocales)\)/g, null, '$1'],
	['intl-datetimeformat', /var links_default = \{[\s\S]*?^\};/m, 1, ''],
	['intl-datetimeformat', /var UPPERCASED_LINKS = [\s\S]*?, \{\}\);/, 1, 'const UPPERCASED_LINKS = {};'],
	// The letter L requests the stand-alone names of months.
	['intl-datetimeformat', /const isMonthStandalone = hasMonth && !hasOtherDateFields;/, 1,
		'const isMonthStandalone = hasMonth && (!hasOtherDateFields || (internalSlots.format?.rawPattern ?? "").includes("LLL"));'],
	// The host has the time zones: one table for Date and Intl.
	['intl-datetimeformat', /function CanonicalizeTimeZoneName\([\s\S]*?^\}/m, 1,
		'function CanonicalizeTimeZoneName(tz) { return IsTimeZoneOffsetString$1(tz) ? ParseTimeZoneOffsetString$1(tz) : host.zoneName(tz); }'],
	['intl-datetimeformat', /function IsValidTimeZoneName\([\s\S]*?^\}/m, 1,
		'function IsValidTimeZoneName(tz) { return IsValidDateTimeFormatOffset(tz) || host.zoneName(tz) !== undefined; }'],
	['intl-datetimeformat', /zone(?:NamesFromData|Names): Object\.keys\([\w.]+\),?/g, null, ''],
	['intl-datetimeformat', /  const zoneData = tzData\[timeZone\];[\s\S]*?return \[offset \* 1e3, dst\];/, 1,
		'  return host.zoneAt(timeZone, t);'],
	['intl-datetimeformat', /new RangeError\("Invalid timeZoneName"\)/g, null, 'new RangeError("Invalid time zone specified: " + timeZone)'],
	// Years and hours are mostly plain digits, which need no NumberFormat.
	['intl-datetimeformat', /(?<=createMemoizedNumberFormat = [^;]{0,80}=> )new Intl\.NumberFormat\(\.\.\.args\)/, 1, 'host.digits(...args)'],
	// Each kind of segments is loaded separately. A break is looked for in the text around a position, by expressions that
	// match at this position alone: see `Rules` in glue.js.
	['intl-segmenter', /SegmentationRules\$get\(\)\.root\[granularity\]/, 1, "host.segmentation('root', granularity)"],
	['intl-segmenter', /SegmentationRules\$get\(\)\[r\.locale\] \|\| SegmentationRules\$get\(\)\[r\.locale\.split\("-"\)\[0\]\]/, 1,
		'[r.locale, r.locale.split("-")[0]].map((locale) => host.segmentation(locale, granularity)).filter(Boolean).map((rules) => ({ [granularity]: rules }))[0]'],
	['intl-segmenter', /this\.rules = prepareLocaleSegmentationRules\([^;]*;/, 1, 'this.rules = host.rules(granularity, this.mergedSegmentationTypeValue.segmentRules);'],
	['intl-segmenter', /this\.ruleSortedKeys = [^;]*;/, 1, ''],
	['intl-segmenter', /(?<=^  breaksAt\(position, input\) \{\n)[\s\S]*?(?=^  \}$)/m, 1, ''],
	['intl-segmenter', /let previousBreakPoint = 0;\n[\s\S]*?(?=^  \}$)/m, 1,
		'const { input, segmenter } = this, start = segmenter.rules.startOf(input, position); return createSegmentDataObject(segmenter, input.slice(start, segmenter.rules.endOf(input, start)), start, input);'],
	['intl-segmenter', /(?<=^  next\(\) \{\n)[\s\S]*?(?=^  \}$)/m, 1,
		'const { input, segmenter, lastSegmentIndex: start } = this; if (start >= input.length) return { done: true, value: void 0 };' +
		'this.lastSegmentIndex = segmenter.rules.endOf(input, start); return { done: false, value: createSegmentDataObject(segmenter, input.slice(start, this.lastSegmentIndex), start, input) };'],
	// A compact number is rounded before its plural is selected, has groups if its digits are many, and may be a word alone.
	['intl-numberformat', /minimumSignificantDigits: internalSlots\.minimumSignificantDigits,\s+maximumSignificantDigits: internalSlots\.maximumSignificantDigits(?=\s+\}\)\);)/, 1,
		`...(internalSlots.notation === 'compact' ? { maximumFractionDigits: Math.max(internalSlots.maximumFractionDigits ?? 0, 3) } : {
			minimumSignificantDigits: internalSlots.minimumSignificantDigits, maximumSignificantDigits: internalSlots.maximumSignificantDigits })`],
	['intl-numberformat', /!compactNumberPattern && \(options\.useGrouping \?\? true\), decimalNumberPattern/, 1,
		'options.useGrouping ?? true, compactNumberPattern ? (data.numbers.decimal[numberingSystem] || data.numbers.decimal[defaultNumberingSystem]).standard.split(";")[0] : decimalNumberPattern'],
	['intl-numberformat', /CLDR_NUMBER_PATTERN\.exec\(numberPattern\)\[0\]/, 1, '(CLDR_NUMBER_PATTERN.exec(numberPattern) ?? ["0"])[0]'],
	['intl-datetimeformat', /style === "long"(?=\) offsetStr)/, 1, 'style === "long" || style === "longOffset"'],
	['intl-datetimeformat', /else if \(mins \|\| hours\)/, 1, 'else if (mins || hours || secs || style === "shortOffset")'],
	// Before there was standard time, an offset could be anything, with seconds, and had no name.
	['intl-datetimeformat', /if \(tm\.inDST && names\.length >= 2 && names\[0\] === names\[1\]\)/, 1, 'if (tm.timeZoneOffset % 9e5 || tm.inDST && names.length >= 2 && names[0] === names[1])'],
	['intl-datetimeformat', /Math\.floor\(offsetInMs \/ 6e4\)/, 1, 'Math.trunc(offsetInMs / 6e4), secs = Math.abs(offsetInMs / 1e3) % 60'],
	['intl-datetimeformat', /(let pattern = offsetInMs < 0 \? negativePattern : positivePattern);/, 1,
		'$1; if (secs) pattern = pattern.replace(/(H+)([^m]*)(m+)/, (all, hour, by) => all + by + pad(secs));'],
	['intl-datetimeformat', /if \(!mins\) (?=pattern = )/, 1, 'if (!mins && !secs) '],
	// What makes a segment a word: a mark does not, nor a number in a circle.
	['intl-segmenter', /"\[\\\\p\{L\}\\\\p\{N\}\\\\p\{M\}\]"/, 1, '"(?!\\\\p{M})[\\\\p{L}\\\\p{Alphabetic}\\\\p{Nd}\\u066b\\u066c\\u06dd]"'],
	// The length of the result grows with each element: all of it was copied for each of them.
	['intl-listformat', /(?<=^  let parts = \{\n    type: "element",\n    value: list\[size - 1\]\n  \};\n)[\s\S]*?(?=^  return parts;$)/m, 1,
		`const before = [], after = [], split = host.templates(PartitionPattern);
		for (let i = 0; i < size - 1; i++) {
			const [left, right] = split(getInternalSlot(internalSlotMap, lf, i === 0 ? "templateStart" : i < size - 2 ? "templateMiddle" : "templateEnd"));
			for (const part of left) before.push(part.type === "0" ? { type: "element", value: list[i] } : { type: "literal", value: part.value });
			for (const part of right) after.push(part.type === "0" ? { type: "element", value: list[i] } : { type: "literal", value: part.value });
		}
		parts = before.concat(parts, after.reverse());
`],
	// Of some hundred formats, only those with the requested fields are parsed.
	['intl-datetimeformat', /return parsed \?\?= Object\.keys\(formats\[calendar\]\)\.map\(\(skeleton\) => parseDateTimeSkeleton\(skeleton, formats\[calendar\]\[skeleton\], calendarIntervals\[skeleton\] \|\| findIntervalFormat\(skeleton, calendarIntervals\), calendarIntervals\.intervalFormatFallback\)\);/, 1,
		'return parsed ??= host.formats(formats[calendar], dateTimeFormat, (skeleton) => { const fields = Object.create(null); replaceDateTimeTokens(skeleton, fields); return fields; }, (skeleton) => parseDateTimeSkeleton(skeleton, host.pattern(formats[calendar], dateTimeFormat, skeleton), () => calendarIntervals[skeleton] || findIntervalFormat(skeleton, calendarIntervals), () => calendarIntervals.intervalFormatFallback));'],
	['intl-datetimeformat', /const calendarIntervals = calendarData\?\.\[calendar\]\?\.intervalFormats \?\? intervalFormats;/, 1,
		'const calendarIntervals = intervalFormats;'],
	['intl-datetimeformat', /findIntervalFormat\(pattern, intervalFormats\), intervalFormats\.intervalFormatFallback\);/, 1,
		'() => findIntervalFormat(pattern, intervalFormats), () => intervalFormats.intervalFormatFallback);'],
	['intl-datetimeformat', /intervalFormatFallback: intervalFormats\.intervalFormatFallback,\n(\s+)formats: \{\}/, 1,
		'get intervalFormatFallback() { return intervalFormats.intervalFormatFallback; },\n$1formats: {}'],
	['intl-datetimeformat', /(?<=function BestFitFormatMatcher\(options, formats\) \{\n)[\s\S]*?(?=\s+const skeletonFormat = \{ \.\.\.bestFormat \};)/, 1,
		'const bestFormat = formats.best(options, bestFitFormatMatcherScore);'],
	// Ranges as in ICU: which signs and units are written once, and whether spaces are around the separator.
	['intl-numberformat', /function CollapseNumberRange\([\s\S]*?^\}/m, 1,
		`function CollapseNumberRange(numberFormat, result, { getInternalSlots }) {
			const { style, currencyDisplay } = getInternalSlots(numberFormat);
			return host.collapseRange(result, style === 'unit' || (style === 'currency' && currencyDisplay === 'name'));
		}`],
	['intl-datetimeformat', /(?<=const rangeImplDetails = \{\n\s+\.\.\.implDetails,)/, 1, ' getInternalSlots: () => host.rangeSlots(internalSlots, rangePattern),'],
	// Of two ranges with the fields of a date, the one whose month is as long as the date's.
	['intl-datetimeformat', /for \(const key of Object\.keys\(intervalFormats\)\) \{\n\s+if \(typeof intervalFormats\[key\] !== "object"\) continue;\n\s+const candidate = parseDateTimeSkeleton\(key\);/, 1,
		`for (const exact of [true, false]) for (const key of Object.keys(intervalFormats)) {
			if (typeof intervalFormats[key] !== "object") continue;
			const candidate = parseDateTimeSkeleton(key);
			if (exact && candidate.month !== target.month) continue;`],
	['intl-datetimeformat', /(?<=if \(target\.hour \|\| target\.minute \|\| target\.second \|\| target\.dayPeriod \|\| target\.timeZoneName\) return )void 0/, 1,
		'host.timeInterval(intervalFormats, skeleton)'],
	['intl-datetimeformat', /bestFormat = BestFitFormatMatcher\(opt, formats\);/, 1, 'bestFormat = host.withHour(opt, BestFitFormatMatcher(opt, formats));'],
	// Ranges are parsed only when one is formatted.
	['intl-datetimeformat', /function parseDateTimeSkeleton\(skeleton, rawPattern = skeleton, rangePatterns, intervalFormatFallback\) \{/, 1,
		`function parseDateTimeSkeleton(skeleton, rawPattern, ranges, fallback) {
			if (typeof ranges !== 'function') return parseWithRanges(skeleton, rawPattern, ranges, fallback);
			const result = parseWithRanges(skeleton, rawPattern);
			let whole;
			const make = () => whole ??= parseWithRanges(skeleton, rawPattern, ranges(), fallback());
			result.rangePatterns = host.lazyRanges(() => make().rangePatterns);
			result.rangePatterns12 = host.lazyRanges(() => make().rangePatterns12);
			return result;
		}
		function parseWithRanges(skeleton, rawPattern = skeleton, rangePatterns, intervalFormatFallback) {`],
];

// The rules for languages with other names are computed here, and at run time only looked up.
function takeOutLanguageRules(text) {
	const found = /^var languageAliasRules = (Object\.keys\(languageAlias\)[\s\S]*?\/\* @__PURE__ \*\/ Object\.create\(null\)\));/m.exec(text) ?? fail('no rules of languages');
	const module = { exports: {} };
	const rules = new Function('module', 'Intl', text + '; return languageAliasRules;')(module, {});
	const { und, ...others } = rules;
	addJson('intl/x/languages', others);
	const table = /^var languageAlias = \{[\s\S]*?^\};/m.exec(text)[0];
	return text.replace(table, '').replace(found[0], () => `
var undRules = ${JSON.stringify(und)}, ruled = ${JSON.stringify(' ' + Object.keys(others).join(' ') + ' ')};
function rulesOf(language) {
	return language === 'und' ? undRules : ruled.includes(' ' + language + ' ') ? data('x/languages')[language] : undefined;
}`);
}

// Marks may follow each character that a rule mentions but the end of a paragraph, not only the last one. In rule 8 of sentences, a set of
// characters became an expression that matches nothing.
function corrected(kind, number, rule) {
	if (kind === 'word' && ['7', '7.3', '11'].includes(number))
		return { ...rule, before: rule.before.replace(/^\$\w+/, (name) => name + '(?:$Extend|$Format|$ZWJ)*') };
	if (kind !== 'sentence')
		return rule;
	const marks = '(?:$Extend|$Format)*';
	// Only one of the repetitions may match a mark: two in a row would be tried in all their combinations.
	const before = rule.before?.replace(/\(\?:\$Extend\|\$Format\)\*$/, '')
		.replace(/\$S?ATerm/, (name) => name + marks).replace(/(\$Close|\$Sp)\*/g, (_, name) => '(?:' + name + marks + ')*');
	if (number !== '8')
		return { ...rule, before };
	const known = '(?:(?!$OLetter$Upper$Lower$ParaSep$SATerm))*$Lower', any = '(?:[\\0-\\uD7FF\\uE000-\\uFFFF]|[\\uD800-\\uDBFF][\\uDC00-\\uDFFF])';
	if (rule.after !== known)
		fail('rule 8 of sentences is not the one that is known');
	return { ...rule, before, after: '(?:(?!$OLetter|$Upper|$Lower|$ParaSep|$SATerm)' + any + ')*$Lower' };
}

// The rules of segments, of each kind and locale. Their expressions have 170,000 characters for words. As literals they
// are compiled here, with the script that contains them. Abbreviations ("Mr.") end a sentence, as the standard says:
// only the keyword "ss" of a locale would request otherwise.
async function addSegments(table) {
	const names = [];
	for (const [locale, kinds] of Object.entries(table)) {
		for (const [kind, own] of Object.entries(kinds)) {
			const base = table.root[kind], variables = { ...base.variables, ...own.variables };
			const expand = (rule) => rule.replaceAll(/\$\w+/g, (name) => variables[name] ?? fail('no variable ' + name));
			const isSame = Object.keys(own.variables).length === 0;
			const rules = Object.entries(isSame ? own.segmentRules : { ...base.segmentRules, ...own.segmentRules }).map(([number, rule]) => {
				const { before, after } = corrected(kind, number, rule);
				const literal = new RegExp((before ? '(?<=' + expand(before) + ')' : '') + (after ? '(?=' + expand(after) + ')' : ''), 'y');
				return JSON.stringify(number) + ': { breaks: ' + rule.breaks + ', at: () => ' + literal + ' }';
			});
			add('script', 'intl/x/segments/' + locale + '.' + kind, await shrink(
				'(function () { return { suppressions: [], variables: {}, segmentRules: { ' + rules.join(', ') + ' } }; })'));
			names.push(locale + '.' + kind);
		}
	}
	addJson('intl/x/segments', names);
}

async function takeOutTables(name, text) {
	for (const table of tables[name]) {
		const declaration = new RegExp('^(?:var|const|let) ' + table + ' = ((?:\\{|\\[)[\\s\\S]*?^[\\]}][ \\]}]*);$', 'm');
		const found = declaration.exec(text);
		if (!found)
			fail('no table ' + table + ' in ' + name);
		const value = new Function('return ' + found[1])();
		if (table === 'SegmentationRules') {
			await addSegments(value);
		} else {
			addJson('intl/x/' + name + '.' + table, value);
		}
		text = text.replace(found[0], '');
		const use = table === 'data' ? /(?<![\w$."'/])data(?=\.supplemental)/g
			: new RegExp('(?<![\\w$"\'/-])(?<!(?<!\\.\\.)\\.)' + table + '(?![\\w$"\'-]|\\.js|:)', 'g');
		text = text.replace(use, table + '$get()');
		text = text.replace(table + '$get: () =>', table + ': () =>');
		text = 'let ' + table + '$kept; const ' + table + '$get = () => ' + table + '$kept ??= data("x/' + name + '.' + table + '");\n' + text;
	}
	return text;
}

// The minifier would drop a function expression that is not used.
async function shrink(text) {
	const small = await esbuild.transform('made = ' + text.trim(), { minify: true, target: 'es2023', charset: 'utf8', legalComments: 'none' });
	return '(' + small.code.trim().replace(/^(?:\/\/[^\n]*\n)*made=/, '').replace(/;$/, '') + ')';
}

async function makeScript(name) {
	const entry = path.join(formatjs, name, 'index.js');
	const bundle = await esbuild.build({ entryPoints: [entry], bundle: true, format: 'cjs', write: false, charset: 'utf8',
		target: 'es2023', external: ['@formatjs/*'], legalComments: 'none', logLevel: 'error' });
	let text = bundle.outputFiles[0].text;
	text = text.replace(/__toESM\((require\("[^"]*"\)), 1\)/g, '__toESM($1)'); // import only the default export
	if (name === 'intl-getcanonicallocales')
		text = takeOutLanguageRules(text);
	text = await takeOutTables(name, text);
	for (const [where, what, times, instead] of patches) {
		if (where !== name)
			continue;
		const count = [...text.matchAll(what.global ? what : new RegExp(what, what.flags + 'g'))].length;
		if (times === null ? count === 0 : count !== times)
			fail(what + ' fits ' + count + ' times in ' + name + ': this version is not the one that is known');
		text = text.replace(what, instead);
	}
	const small = await shrink('(function (Intl, require, data, host, module) {' + text + '\n})');
	add('script', 'intl/' + name, small);
}

for (const name of Object.keys(tables))
	await makeScript(name);
for (const name of ['glue', 'collator', 'derive']) {
	const text = fs.readFileSync(path.join(here, name + '.js'), 'utf8');
	add('script', 'intl/' + name, await shrink(text));
}

// ---- Locales -----------------------------------------------------------------------------------------------

function readLocale(component, Name, locale) {
	let taken;
	const text = fs.readFileSync(path.join(formatjs, 'intl-' + component, 'locale-data', locale + '.js'), 'utf8');
	const take = { __addLocaleData(...data) { taken = data; } };
	new Function('Intl', text)({ [Name]: take });
	if (!taken || taken.length !== 1)
		fail(component + ' ' + locale + ': not as it was');
	return taken[0];
}

const isPlain = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// The change that turns `base` into `value`. undefined: there is none. "-" lists what is missing.
function difference(base, value) {
	if (!isPlain(base) || !isPlain(value))
		return JSON.stringify(base) === JSON.stringify(value) ? undefined : value;
	const result = {};
	for (const key of Object.keys(value)) {
		const inner = key in base ? difference(base[key], value[key]) : value[key];
		if (inner !== undefined)
			result[key] = isPlain(value[key]) && !(key in base && isPlain(base[key])) ? { '=': value[key] } : inner;
	}
	const missing = Object.keys(base).filter((key) => !(key in value));
	if (missing.length)
		result['-'] = missing;
	return Object.keys(result).length ? result : undefined;
}

const component = {
	n: ['numberformat', 'NumberFormat'], d: ['datetimeformat', 'DateTimeFormat'], dn: ['displaynames', 'DisplayNames'],
	r: ['relativetimeformat', 'RelativeTimeFormat'], l: ['listformat', 'ListFormat'], p: ['pluralrules', 'PluralRules'],
};

const available = {};
for (const key of Object.keys(component)) {
	available[key] = fs.readdirSync(path.join(formatjs, 'intl-' + component[key][0], 'locale-data'))
		.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -3));
}
function chosen(key) {
	if (wanted === 'all')
		return available[key];
	return available[key].filter((locale) => wanted.split(',').some((language) => locale === language || locale.startsWith(language + '-')));
}
for (const language of wanted === 'all' ? [] : wanted.split(',')) {
	if (!available.n.includes(language))
		fail('locale "' + language + '" is none; there are: ' + available.n.filter((locale) => !locale.includes('-')).join(' '));
}

const split = { n: ['currencies', 'units'], d: ['intervalFormats', 'timeZoneName'] };
const whole = new Map();
// A locale's data is stored as the difference from a similar locale's, if that is shorter.
const models = ['001', '419', 'GB', 'AU', 'IN', 'CA', 'PT', 'Hant', 'Hant-HK', 'AR', 'CO', 'CH'];
// The data has the names of this field under another key than the one that a program uses.
function withDayPeriod(styles) {
	return Object.fromEntries(Object.entries(styles).map(([style, { dayperiod, ...names }]) => [style, { ...names, dayPeriod: dayperiod }]));
}

function put(prefix, locale, value) {
	const language = locale.split('-')[0];
	let best = JSON.stringify(value);
	for (const model of locale === language ? [] : [language, ...models.map((region) => language + '-' + region)]) {
		const base = model === locale ? undefined : whole.get(prefix + '/' + model);
		const change = base && JSON.stringify({ '^': model, ...difference(base, value) });
		if (change && change.length < best.length)
			best = change;
	}
	whole.set(prefix + '/' + locale, value);
	add('data', 'intl/' + prefix + '/' + locale, best);
}

// The fields of a skeleton, one letter each.
const letters = { G: 'G', y: 'y', Y: 'y', u: 'y', U: 'y', r: 'y', M: 'M', L: 'M', d: 'd', D: 'd', F: 'd', g: 'd', E: 'E', e: 'E', c: 'E',
	B: 'B', h: 'h', H: 'h', K: 'h', k: 'h', m: 'm', s: 's', S: 's', A: 's', z: 'z', Z: 'z', O: 'z', v: 'z', V: 'z', X: 'z', x: 'z' };
const order = 'EGyMdBhmsz';
function fieldsOf(skeleton) {
	const plain = skeleton.replace(/'[^']*'/g, '');
	return [...order].filter((field) => [...plain].some((letter) => letters[letter] === field)).join('');
}

// Locales that others are compared with come first.
const rank = (locale) => (models.indexOf(locale.slice(locale.indexOf('-') + 1)) + models.length + 1) % (models.length + 1) + (locale.includes('-') ? 1 : 0);

// The connectors between a long date and a time. The packages contain only the connectors of lists.
const atTime = { ar: "{1} 'في' {0}", de: "{1} 'um' {0}", en: "{1} 'at' {0}", es: "{1} 'a' 'las' {0}", fr: "{1} 'à' {0}", hi: "{1} 'को' {0} 'बजे'",
	it: "{1} 'alle' 'ore' {0}", nl: "{1} 'om' {0}", pt: "{1} 'às' {0}", ru: "{1} 'в' {0}" };
// Narrow no-break spaces in dates become spaces, as in other engines: programs parse such texts.
function plainSpaces(data) {
	for (const part of ['formats', 'intervalFormats', 'dateFormat', 'timeFormat', 'dateTimeFormat'])
		data[part] = JSON.parse(JSON.stringify(data[part]).replaceAll('\u202f', ' '));
}

// Names of summer time that the packages leave out (CLDR, timeZoneNames/zone).
const summerNames = {
	'Europe/London': { ar: 'توقيت بريطانيا الصيفي', de: 'Britische Sommerzeit', en: 'British Summer Time', es: 'hora de verano británica', fr: 'heure d’été britannique',
		'fr-CA': 'heure avancée britannique', hi: 'ब्रिटिश ग्रीष्मकालीन समय', it: 'Ora legale del Regno Unito', ja: '英国夏時間', ko: '영국 하계 표준시', nl: 'Britse zomertijd', pl: 'Brytyjski czas letni',
		pt: 'Horário de Verão Britânico', 'pt-PT': 'Hora de verão Britânica', ru: 'Великобритания, летнее время', tr: 'İngiltere Yaz Saati', zh: '英国夏令时间', 'zh-Hant': '英國夏令時間' },
	'Europe/Dublin': { ar: 'توقيت أيرلندا الرسمي', de: 'Irische Sommerzeit', en: 'Irish Standard Time', es: 'hora de verano de Irlanda', fr: 'heure d’été irlandaise',
		'fr-CA': 'heure avancée irlandaise', hi: 'आइरिश मानक समय', it: 'Ora legale dell’Irlanda', ja: 'アイルランド標準時', ko: '아일랜드 표준시', nl: 'Ierse standaardtijd', pl: 'Irlandia (czas letni)',
		pt: 'Horário Padrão Irlandês', 'pt-PT': 'Hora de verão da Irlanda', ru: 'Ирландия, стандартное время', tr: 'İrlanda Standart Saati', zh: '爱尔兰标准时间', 'zh-Hant': '愛爾蘭標準時間' },
};
function addSummerNames(table, locale) {
	for (const [zone, names] of Object.entries(summerNames)) {
		const long = table?.[zone]?.long;
		const known = Object.keys(names).filter((tag) => locale === tag || locale.startsWith(tag + '-')).sort((a, b) => b.length - a.length)[0];
		if (long && long[0] === long[1] && known)
			long[1] = names[known];
	}
}

const derive = new Function('return (' + fs.readFileSync(path.join(here, 'derive.js'), 'utf8') + ')')()();
const byLength = (table) => Object.keys(table).sort((a, b) => a.length - b.length);
const sorted = (table) => table && JSON.stringify(Object.entries(table).sort());
function leaveOutDerived(data) {
	const connectors = [...new Set(Object.values(data.dateTimeFormat))], fallback = data.intervalFormats.intervalFormatFallback;
	const formats = {}, intervals = {};
	for (const key of byLength(data.formats.gregory)) {
		if (derive.format(formats, connectors, key) !== data.formats.gregory[key])
			formats[key] = data.formats.gregory[key];
	}
	for (const key of byLength(data.intervalFormats)) {
		const value = data.intervalFormats[key];
		if (typeof value === 'string' || !(sorted(derive.interval(intervals, fallback, formats, connectors, key)) === sorted(value) || derive.isWrittenOut(formats, connectors, key, value)))
			intervals[key] = value;
	}
	data.formats.gregory = formats;
	data.intervalFormats = intervals;
}

const groups = {};
const tags = {};
for (const key of Object.keys(component)) {
	const [name, Name] = component[key];
	const Class = await import(pathToFileURL(path.join(formatjs, 'intl-' + name, 'index.js')));
	const Constructor = Class[Name] ?? Class.default;
	const locales = chosen(key).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
	const missing = []; // files without data
	for (const locale of locales) {
		const { data } = readLocale(name, Name, locale);
		if (data === undefined) {
			missing.push(locale);
			continue;
		}
		Constructor.__addLocaleData(structuredCloneish({ data, locale }));
		if (key === 'p') {
			const text = fs.readFileSync(path.join(formatjs, 'intl-pluralrules', 'locale-data', locale + '.js'), 'utf8');
			add('script', 'intl/p/' + locale, await shrink('(function (Intl) {' + text + '\n})'));
			continue;
		}
		if (key === 'dn') {
			for (const type of Object.keys(data.types))
				put('dn.' + type, locale, type === 'dateTimeField' ? withDayPeriod(data.types[type]) : data.types[type]);
			put('dn', locale, { ...data, types: Object.keys(data.types) });
			continue;
		}
		if (key === 'd') {
			data.ca = data.ca.filter((calendar) => calendar === 'gregory' || calendar === 'iso8601');
			data.formats = { gregory: data.formats.gregory };
			data.hourCycle ||= /[hKB]/.test(data.timeFormat.short) ? 'h12' : 'h23';
			const at = atTime[locale.split('-')[0]];
			if (at)
				Object.assign(data.dateTimeFormat, locale.startsWith('es') ? { long: at } : { full: at, long: at });
			plainSpaces(data);
			addSummerNames(data.timeZoneName, locale);
			delete data.calendarData;
			for (const skeleton of Object.keys(data.formats.gregory))
				((groups[fieldsOf(skeleton)] ??= new Set()).add(skeleton));
			leaveOutDerived(data);
		}
		for (const part of split[key] ?? []) {
			put(key + '.' + part, locale, data[part]);
			delete data[part];
		}
		put(key, locale, data);
	}
	// The locale whose data each tag uses: "en-US" that of "en".
	const owner = {};
	const marks = new Map();
	for (const locale of locales.filter((locale) => !missing.includes(locale)))
		marks.set(Constructor.localeData[locale], locale);
	for (const tag of Constructor.availableLocales)
		owner[tag] = marks.get(Constructor.localeData[tag]) ?? fail('no data for ' + tag);
	tags[key] = owner;
}
function structuredCloneish({ data, locale }) {
	const copy = (value) => typeof value === 'function' ? value : Array.isArray(value) ? value.map(copy)
		: isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)])) : value;
	return { data: copy(data), locale };
}
// Lines of TAG=OWNER, or TAG alone if it has its own data, so that a lookup needs no parsing.
for (const [key, owners] of Object.entries(tags))
	add('data', 'intl/tags/' + key, '\n' + Object.entries(owners).map(([tag, owner]) => tag === owner ? tag : tag + '=' + owner).join('\n') + '\n');
for (const [fields, list] of Object.entries(groups))
	add('data', 'intl/s/' + fields, [...list].join('|'));

// ---- Time zones --------------------------------------------------------------------------------------------

const zones = readZones();
const links = readLinks();
const CYCLE = 28, LAST = 2037;
const yearOf = (seconds) => new Date(seconds * 1000).getUTCFullYear();
const newYear = (year) => Date.UTC(year, 0, 1) / 1000;

function readZones() {
	let packed;
	new Function('Intl', fs.readFileSync(path.join(formatjs, 'intl-datetimeformat', 'add-all-tz.js'), 'utf8'))(
		{ DateTimeFormat: { __addTZData(data) { packed = data; } } });
	const offsets = packed.offsets.split('|').map((text) => parseInt(text, 36));
	const result = {};
	for (const line of packed.zones) {
		const [name, ...rows] = line.split('|');
		const list = [];
		for (const row of rows) {
			const [time, , offset, summer] = row.split(',');
			if (time === 'NaN')
				continue;
			const entry = [time === '' ? -Infinity : parseInt(time, 36), offsets[+offset], summer === '1'];
			const last = list.at(-1);
			if (!last || last[1] !== entry[1] || last[2] !== entry[2])
				list.push(entry);
		}
		result[name] = name === 'Europe/Dublin' ? withPositiveSummer(list) : list;
	}
	return result;
}

// The summer time of Ireland is its standard time by law, and its winter time is an hour less. The names of CLDR are those
// of a standard time and of one that is an hour more.
function withPositiveSummer(list) {
	let isNegative = false;
	return list.map(([time, offset, summer], i) => {
		isNegative ||= summer && offset < list[i - 1][1];
		return [time, offset, summer !== isNegative];
	});
}

function readLinks() {
	const text = fs.readFileSync(path.join(formatjs, 'intl-datetimeformat', 'index.js'), 'utf8');
	const found = /^var links_default = (\{[\s\S]*?^\});/m.exec(text) ?? fail('no links of zones');
	return new Function('return ' + found[1])();
}

// Transitions after LAST are left out if they equal those of an equivalent year, up to 28 years earlier.
function cut(list) {
	const at = (seconds) => list.findLast((entry) => entry[0] <= seconds);
	const late = list.filter((entry) => yearOf(entry[0]) > LAST && yearOf(entry[0]) < 2098);
	const like = (year) => {
		for (let other = LAST; other > LAST - CYCLE; other--) {
			if ((newYear(year) - newYear(other)) % (7 * 86400) === 0 && (newYear(year + 1) - newYear(year)) === (newYear(other + 1) - newYear(other)))
				return other;
		}
	};
	const fits = late.every(([time, offset, summer]) => {
		const shifted = time - newYear(yearOf(time)) + newYear(like(yearOf(time)));
		const now = at(shifted), before = at(shifted - 1);
		return now[1] === offset && now[2] === summer && now !== before;
	});
	return fits ? list.filter((entry) => !(yearOf(entry[0]) > LAST)) : list;
}

function zoneText(name, list, names) {
	const rows = cut(list).map(([time, offset, summer]) => (time === -Infinity ? '' : time.toString(36)) + ':' + offset.toString(36) + (summer ? '+' : ''));
	return names.join('|') + '\n' + rows.join(',') + '\n';
}

const english = readLocale('datetimeformat', 'DateTimeFormat', 'en').data.timeZoneName;
addSummerNames(english, 'en');
const hasOwn = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
const fixed = (name) => { // a name that contains the offset: Etc/GMT+5 is five hours behind
	const found = /^Etc\/GMT([+-])(\d+)$/.exec(name);
	return found ? [[-Infinity, (found[1] === '+' ? -1 : 1) * +found[2] * 3600, false]] : undefined;
};
// The package leaves out zones that always equal UTC, and zones that are written as rules.
const also = { 'Africa/Abidjan': 'Africa/Accra', EST5EDT: 'America/New_York', CST6CDT: 'America/Chicago', MST7MDT: 'America/Denver', PST8PDT: 'America/Los_Angeles' };
for (const [name, like] of Object.entries(also))
	zones[name] ??= zones[like] ?? fail('no zone ' + like);
const isUtc = (name) => ['UTC', 'GMT', 'Etc/UTC', 'Etc/GMT'].includes(name);
// A zone with its own rules keeps its name, even if another zone has the same rules.
const names = { UTC: 'UTC', GMT: 'UTC', 'Etc/UTC': 'UTC', 'Etc/GMT': 'UTC' };
for (const name of Object.keys(zones))
	names[name] = name;
for (const name of Object.keys(links)) {
	if (/^[A-Za-z]/.test(name) && name !== 'USback')
		names[name] ??= isUtc(links[name]) ? 'UTC' : names[links[name]] ?? fail('no zone ' + links[name]);
}
for (const [name, target] of Object.entries(names)) {
	const list = target === 'UTC' ? [[-Infinity, 0, false]] : zones[target] ?? fixed(target) ?? fail('no rules for ' + target);
	const others = Object.keys(links).filter((link) => links[link] === target || links[name] === link);
	const long = target === 'UTC' ? ['Coordinated Universal Time'] : [target, name, ...others].map((known) => english[known]?.long).find(Boolean) ?? [];
	add('data', 'zone/' + name, zoneText(target, list, long));
}
add('data', 'intl/zones', Object.entries(names).map(([name, target]) => name === target ? name : name + '=' + target).sort().join('\n'));

// The licences are part of the pack.
add('data', 'intl/licences', Object.keys(tables).map((name) => {
	const file = fs.readdirSync(path.join(formatjs, name)).find((entry) => /^licen[cs]e/i.test(entry)) ?? fail('no licence in ' + name);
	return '@formatjs/' + name + '\n\n' + fs.readFileSync(path.join(formatjs, name, file), 'utf8');
}).join('\n'));

// ---- The pack ----------------------------------------------------------------------------------------------

const parts = [];
for (const name of [...entries.keys()].sort()) {
	const { kind, bytes } = entries.get(name);
	parts.push(Buffer.from(kind + ' ' + name + ' ' + bytes.length + '\n'), bytes);
}
fs.writeFileSync(out, Buffer.concat(parts));
