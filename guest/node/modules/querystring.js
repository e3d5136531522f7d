// SPDX-License-Identifier: Apache-2.0
function escape(value) {
	const text = typeof value === 'string' ? value : typeof value === 'object' ? String(value) : value + '';
	try {
		return encodeURIComponent(text);
	} catch {
		throw Object.assign(new URIError('URI malformed'), { code: 'ERR_INVALID_URI' });
	}
}
// The bytes of a text; what is no escape stays as it is.
function unescapeBuffer(text, decodeSpaces) {
	const source = decodeSpaces ? text.replace(/\+/g, ' ') : text;
	return require('buffer').Buffer.from(source.replace(/%([\da-f]{2})|[\s\S]/gi, (one, hex) => String.fromCharCode(hex === undefined ? one.charCodeAt(0) & 255 : parseInt(hex, 16))), 'latin1');
}
function unescape(text, decodeSpaces) {
	try {
		return decodeURIComponent(text);
	} catch {
		return querystring.unescapeBuffer(text, decodeSpaces).toString();
	}
}
const plain = (value) => typeof value === 'string' ? value : (typeof value === 'number' && isFinite(value)) || typeof value === 'bigint' || typeof value === 'boolean' ? '' + value : '';
function stringify(object, separator, equals, options) {
	const encode = typeof options?.encodeURIComponent === 'function' ? options.encodeURIComponent : querystring.escape;
	if (object === null || typeof object !== 'object')
		return '';
	const encoded = (value) => {
		const text = plain(value);
		return text === '' ? '' : encode(text);
	};
	return Object.keys(object).flatMap((key) => {
		const name = encoded(key) + (equals || '='), value = object[key];
		return Array.isArray(value) ? value.map((item) => name + encoded(item)) : [name + encoded(value)];
	}).join(separator || '&');
}
function parse(text, separator, equals, options) {
	const result = Object.create(null), { decodeURIComponent: given, maxKeys } = options ?? {};
	if (typeof text !== 'string' || text.length === 0)
		return result;
	const sep = separator ? separator + '' : '&', eq = equals ? equals + '' : '=', isCustom = typeof given === 'function' && given !== querystring.unescape;
	const decode = isCustom ? given : querystring.unescape, space = isCustom ? '%20' : ' ';
	const limit = typeof maxKeys === 'number' ? maxKeys > 0 ? maxKeys : Infinity : 1000;
	const read = (part) => {
		if (part === '')
			return '';
		const spaced = part.replace(/\+/g, space);
		if (!isCustom && !/%[\da-f]{2}/i.test(spaced))
			return spaced;
		try {
			return decode(spaced);
		} catch {
			return querystring.unescape(spaced, true);
		}
	};
	let count = 0;
	for (let start = 0; start <= text.length && count < limit;) {
		const found = text.indexOf(sep, start), end = found < 0 ? text.length : found, piece = text.slice(start, end), at = piece.indexOf(eq);
		start = end + sep.length;
		count++;
		if (piece === '')
			continue;
		const key = read(at < 0 ? piece : piece.slice(0, at)), value = at < 0 ? '' : read(piece.slice(at + eq.length));
		if (!(key in result))
			result[key] = value;
		else if (Array.isArray(result[key]))
			result[key].push(value);
		else
			result[key] = [result[key], value];
	}
	return result;
}
const querystring = module.exports = { unescapeBuffer, unescape, escape, stringify, encode: stringify, parse, decode: parse };
