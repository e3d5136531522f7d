// SPDX-License-Identifier: Apache-2.0
// Intl, and the methods that depend on a locale. Their code (guest/intl) is no part of the image: it is loaded and
// evaluated at a program's first use of one of them.

let intlParts;
function localized() {
	if (intlParts === undefined) {
		const glue = assetScript('intl/glue');
		// A build without it has the engine's own methods, which ignore the locale.
		intlParts =
			glue === undefined
				? {
						__proto__: null,
						formatNumber: plainText,
						formatDate: dateTextOf,
						compare: plainCompare,
						lower: lowerCase,
						upper: upperCase,
					}
				: glue({ __proto__: null, script: assetScript, text: assetText, zoneAt, defaultZone, lazy, whole });
	}
	return intlParts;
}
const plainCompare = uncurry(String.prototype.localeCompare);
const plainText = value => String(value);
const dateTextOf = time => String(new Date(time));

const toThisText = (value, what) => {
	if (value === undefined || value === null) throw new TypeError(what + ' called on null or undefined');
	return toText(value);
};
const usesNoLocale = locales => locales === undefined || locales === 'en-US' || locales === 'en';

const localeMethods = [
	[
		Number.prototype,
		{
			toLocaleString(locales = undefined, options = undefined) {
				return localized().formatNumber(numberValue(this), locales, options);
			},
		},
	],
	[
		BigInt.prototype,
		{
			toLocaleString(locales = undefined, options = undefined) {
				return localized().formatNumber(bigintValue(this), locales, options);
			},
		},
	],
	[
		Date.prototype,
		{
			toLocaleString(locales = undefined, options = undefined) {
				return localized().formatDate(dateValue(this), locales, options, 'any', 'all');
			},
			toLocaleDateString(locales = undefined, options = undefined) {
				return localized().formatDate(dateValue(this), locales, options, 'date', 'date');
			},
			toLocaleTimeString(locales = undefined, options = undefined) {
				return localized().formatDate(dateValue(this), locales, options, 'time', 'time');
			},
		},
	],
	[
		String.prototype,
		{
			localeCompare(that, locales = undefined, options = undefined) {
				const text = toThisText(this, 'String.prototype.localeCompare');
				return localized().compare(text, toText(that), locales, options);
			},
			toLocaleLowerCase(locales = undefined) {
				const text = toThisText(this, 'String.prototype.toLocaleLowerCase');
				return usesNoLocale(locales) ? lowerCase(text) : localized().lower(text, locales);
			},
			toLocaleUpperCase(locales = undefined) {
				const text = toThisText(this, 'String.prototype.toLocaleUpperCase');
				return usesNoLocale(locales) ? upperCase(text) : localized().upper(text, locales);
			},
		},
	],
];
const itemText = (item, locales, options) =>
	item === undefined || item === null ? '' : toText(item.toLocaleString(locales, options));
const arrayMethods = {
	toLocaleString(locales = undefined, options = undefined) {
		if (this === undefined || this === null)
			throw new TypeError('Array.prototype.toLocaleString called on null or undefined');
		const list = Object(this);
		if (isListed(list)) return '';
		push(listing, list);
		try {
			const texts = [];
			const length = min(max(trunc(+list.length) || 0, 0), 9007199254740991);
			for (let i = 0; i < length; i++) push(texts, itemText(list[i], locales, options));
			return join(texts, ',');
		} finally {
			listing.length--;
		}
	},
};
// A list within itself is left out there.
const listing = [];
function isListed(list) {
	for (let i = 0; i < listing.length; i++) {
		if (listing[i] === list) return true;
	}
	return false;
}
localeMethods.push([Array.prototype, arrayMethods]);
localeMethods.push([
	typedArrayPrototype,
	{
		toLocaleString(locales = undefined, options = undefined) {
			typedArrayAt(this, 0); // throws if its buffer is detached, or too short by now
			const length = typedArrayLength(this),
				texts = [];
			for (let i = 0; i < length; i++) push(texts, itemText(this[i], locales, options));
			return join(texts, ',');
		},
	},
]);
for (const [holder, methods] of localeMethods) {
	for (const name of objectKeys(methods))
		defineProperty(holder, name, {
			__proto__: null,
			value: methods[name],
			writable: true,
			enumerable: false,
			configurable: true,
		});
}
defineProperty(String.prototype.localeCompare, 'length', { __proto__: null, value: 1, configurable: true });
