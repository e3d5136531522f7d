// SPDX-License-Identifier: Apache-2.0
const legacy = require('../node_modules/url/url.js');

const { needs, wrongType } = require('internal/errors');
const fail = (message, code) => { throw Object.assign(new TypeError(message), { code }); };
function fileURLToPath(url) {
	if (typeof url !== 'string' && !(typeof url?.href === 'string' && typeof url.protocol === 'string'))
		wrongType('path', 'of type string or an instance of URL', url);
	const parsed = typeof url === 'string' ? new URL(url) : url;
	if (parsed.protocol !== 'file:')
		fail('The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME');
	if (parsed.hostname !== '')
		fail('File URL host must be "localhost" or empty on linux', 'ERR_INVALID_FILE_URL_HOST');
	if (/%2f/i.test(parsed.pathname))
		fail('File URL path must not include encoded / characters', 'ERR_INVALID_FILE_URL_PATH');
	return decodeURIComponent(parsed.pathname);
}
const pathToFileURL = (path) => needs.text(path, 'path') ?? new URL('file://' + encodeURI(require('path').resolve(path) + (/.\/$/.test(path) ? '/' : '')).replace(/%5B/g, '[').replace(/%5D/g, ']').replace(/\\/g, '%5C').replace(/[?#]/g, encodeURIComponent));
const domain = (name) => {
	try {
		return new URL('http://' + name).hostname;
	} catch {
		return '';
	}
};
function urlToHttpOptions(url) {
	return { __proto__: null, protocol: url.protocol, hostname: url.hostname.replace(/^\[|\]$/g, ''), hash: url.hash, search: url.search, pathname: url.pathname,
		path: url.pathname + url.search, href: url.href, ...(url.port !== '' ? { port: Number(url.port) } : {}),
		...(url.username || url.password ? { auth: decodeURIComponent(url.username) + ':' + decodeURIComponent(url.password) } : {}) };
}
const format = (value, options) => {
	if (typeof value !== 'string' && (value === null || typeof value !== 'object'))
		wrongType('urlObject', 'one of type object or string', value);
	if (!(value instanceof URL)) {
		// The package would encode a query with the functions of another one.
		const { query } = value, isObject = query !== null && typeof query === 'object' && !value.search;
		return legacy.format(isObject ? { ...value, search: '?' + require('querystring').stringify(query) } : value);
	}
	const copy = new URL(value);
	if (options?.fragment === false)
		copy.hash = '';
	if (options?.search === false)
		copy.search = '';
	if (options?.auth === false)
		copy.username = copy.password = '';
	return options?.unicode && copy.hostname ? copy.href.replace(copy.hostname, require('punycode').toUnicode(copy.hostname)) : copy.href;
};
const parse = (url, ...rest) => needs.text(url, 'url') ?? legacy.parse(url, ...rest);
module.exports = { ...legacy, parse, format, URL, URLSearchParams, fileURLToPath, pathToFileURL, domainToASCII: domain, domainToUnicode: (name) =>
	require('punycode').toUnicode(domain(name)), urlToHttpOptions };
