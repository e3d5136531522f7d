// SPDX-License-Identifier: Apache-2.0
const legacy = require('../node_modules/url/url.js');

const fail = (message, code) => { throw Object.assign(new TypeError(message), { code }); };
function fileURLToPath(url) {
	const parsed = typeof url === 'string' ? new URL(url) : url;
	if (parsed.protocol !== 'file:')
		fail('The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME');
	if (/%2f/i.test(parsed.pathname))
		fail('File URL path must not include encoded / characters', 'ERR_INVALID_FILE_URL_PATH');
	return decodeURIComponent(parsed.pathname);
}
const pathToFileURL = (path) => new URL('file://' + encodeURI(require('path').resolve(path)).replace(/[?#]/g, encodeURIComponent));
const domain = (name) => {
	try {
		return new URL('http://' + name).hostname;
	} catch {
		return '';
	}
};
function urlToHttpOptions(url) {
	return { protocol: url.protocol, hostname: url.hostname.replace(/^\[|\]$/g, ''), hash: url.hash, search: url.search, pathname: url.pathname,
		path: url.pathname + url.search, href: url.href, ...(url.port !== '' ? { port: Number(url.port) } : {}),
		...(url.username || url.password ? { auth: decodeURIComponent(url.username) + ':' + decodeURIComponent(url.password) } : {}) };
}
const format = (value, options) => {
	if (!(value instanceof URL))
		return legacy.format(value);
	const copy = new URL(value);
	if (options?.fragment === false)
		copy.hash = '';
	if (options?.search === false)
		copy.search = '';
	if (options?.auth === false)
		copy.username = copy.password = '';
	return copy.href;
};
module.exports = { ...legacy, format, URL, URLSearchParams, fileURLToPath, fileURLToPathBuffer: undefined, pathToFileURL, domainToASCII: domain, domainToUnicode: (name) =>
	require('punycode').toUnicode(domain(name)), urlToHttpOptions };
