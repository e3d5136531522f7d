// SPDX-License-Identifier: Apache-2.0
// Finds the file that an import or require means, as Node's documentation defines it ("Resolution Algorithm" of
// ECMAScript and of CommonJS modules). Paths are relative to the directory of imports, without a leading slash. The
// host opens no other files.

const NO_FILE = -1, OUTSIDE = -2, TOO_LARGE = -3, NO_MODULE = -4, IS_DIRECTORY = -5, NO_DIRECTORY = -6;
const OF_MODULE = 1, OF_COMMON = 2, OF_JSON = 3, OF_BUILTIN = 4, OF_EITHER = 0;
const { SyntaxError } = globalThis;
const packages = new Map(); // directory -> the content of its package.json, or null
const opened = new Map(); // requested path -> the path with every link resolved, for the files that exist
const queried = new Map(); // name of a module that was imported with a query or fragment -> the path of its file
const fileOf = (name) => mapGet(queried, name) ?? name;

const endsWith = (text, end) => text.length >= end.length && slice(text, text.length - end.length) === end;
const directoryOf = (path) => slice(path, 0, max(0, lastIndexOf(path, '/')));
const below = (directory, name) => directory === '' ? name : directory + '/' + name;
const quote = (text) => '\'' + (text.length > 200 ? slice(text, 0, 200) + '...' : text) + '\'';

// The resolved path, or a negative number.
function openFile(path) {
	const known = mapGet(opened, path);
	if (known !== undefined)
		return known;
	const place = openModule(path);
	if (typeof place === 'string') {
		mapSet(opened, path, place);
		mapSet(opened, place, place);
	}
	return place;
}

// ---- Errors ----

function failImport(use, why, code = 'ERR_MODULE_NOT_FOUND') {
	if (openModule('') === NO_DIRECTORY) // which asks the host for nothing
		why = 'this program has no directory to import from';
	// As in Node, whose words programs look for.
	const noPackage = startsWith(why, 'there is no package'), isAbsent = noPackage || startsWith(why, 'no such file') || startsWith(why, 'this program has no directory');
	const head = !isAbsent ? use.common ? 'cannot require ' : 'cannot import ' : noPackage && !use.common ? 'Cannot find package ' : 'Cannot find module ';
	const message = head + quote(use.specifier) + ': ' + why;
	const error = use.common ? new Error(message) : new ReferenceError(message);
	define(error, 'code', use.common && code === 'ERR_MODULE_NOT_FOUND' ? 'MODULE_NOT_FOUND' : code);
	if (!use.common)
		placeError(error, use);
	return error;
}

// Gives the error the position of the import, in the file that contains it.
function placeError(error, use) {
	const place = use === undefined ? undefined : placeOfImport(use.base, use.specifier);
	if (place !== undefined)
		setTrace(error, '    at ' + use.base + ':' + place[0] + ':' + place[1] + '\n');
}
const define = (object, key, value) =>
	defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });

const refusals = {
	__proto__: null,
	[NO_FILE]: 'no such file',
	[OUTSIDE]: 'it lies outside the program\'s directory (--import-dir names a directory above it)',
	[TOO_LARGE]: 'it is too large',
	[NO_MODULE]: 'it is not a JavaScript file (.js, .mjs, .cjs, .ts, .mts, .cts, .json) that can be read',
	[IS_DIRECTORY]: 'it is a directory, not a JavaScript file',
};

// In TypeScript a name without an ending, or with the ending of the compiled file, may mean a file with types.
const hasTypes = (path) => endsWith(path, '.ts') || endsWith(path, '.mts') || endsWith(path, '.cts');
const typedEnds = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.mts', '/index.js', '/index.mjs'];
function findTyped(path) {
	for (let i = 0; i < 3; i++) {
		const end = typedEnds[i + 3], place = endsWith(path, end) ? openFile(slice(path, 0, path.length - end.length) + typedEnds[i]) : NO_FILE;
		if (typeof place === 'string')
			return place;
	}
	for (let i = 0; i < typedEnds.length; i++) {
		const place = openFile(path + typedEnds[i]);
		if (typeof place === 'string')
			return place;
	}
	return undefined;
}

// Suggests an existing file if the requested one does not exist.
function guess(path, number) {
	const stem = endsWith(path, '.js') || endsWith(path, '.ts') ? slice(path, 0, path.length - 3) : undefined;
	const tries = number === IS_DIRECTORY ? [path + '/index.js', path + '/index.mjs', path + '/index.ts']
		: [path + '.js', path + '.mjs', path + '.ts', path + '.cjs', path + '.json'];
	if (stem !== undefined)
		push(tries, stem + '.mjs'), push(tries, stem + '.ts'), push(tries, stem + '.js');
	for (let i = 0; i < tries.length; i++) {
		if (tries[i] !== path && typeof openFile(tries[i]) === 'string')
			return tries[i];
	}
	return undefined;
}

function relativeTo(base, path) {
	const directory = directoryOf(base);
	if (directory === '')
		return './' + path;
	return startsWith(path, directory + '/') ? './' + slice(path, directory.length + 1) : '/' + path;
}

function failFile(use, path, number) {
	const meant = number === NO_FILE || number === IS_DIRECTORY ? guess(path, number) : undefined;
	const hint = meant === undefined ? '' : '; did you mean ' + quote(relativeTo(use.base, meant)) + '?';
	const where = use.mapped === undefined ? '' : 'the import map sends it to ' + quote('/' + use.mapped) + ': ';
	return failImport(use, where + (refusals[number] ?? 'it cannot be read') + hint,
		number === IS_DIRECTORY ? 'ERR_UNSUPPORTED_DIR_IMPORT' : undefined);
}

// ---- Paths and URLs ----

// Resolves "." and "..". undefined: the path leaves the top directory.
function joinPath(directory, path) {
	const parts = directory === '' ? [] : splitText(directory, '/'), added = splitText(path, '/');
	for (let i = 0; i < added.length; i++) {
		const part = added[i];
		if (part === '..') {
			if (parts.length === 0)
				return undefined;
			parts.length--;
		} else if (part !== '' && part !== '.') {
			push(parts, part);
		}
	}
	return join(parts, '/');
}

function splitText(text, separator) {
	const parts = [];
	for (let at = 0; ;) {
		const end = indexOf(text, separator, at);
		if (end < 0) {
			push(parts, slice(text, at));
			return parts;
		}
		push(parts, slice(text, at, end));
		at = end + separator.length;
	}
}

// The offset at which the query or fragment of a URL begins.
function endOfPath(text) {
	const query = indexOf(text, '?'), hash = indexOf(text, '#');
	return query < 0 && hash < 0 ? text.length : query < 0 ? hash : hash < 0 ? query : min(query, hash);
}

// A specifier of an ECMAScript module is a URL, so percent escapes are decoded, but an escaped separator is refused.
function decodeSpecifier(use, text) {
	text = slice(text, 0, endOfPath(text));
	if (indexOf(text, '%') < 0)
		return text;
	const bytes = percentDecode(text);
	const decoded = textOf(bytes);
	for (let i = 0; i < text.length - 2; i++) {
		const escape = text[i] === '%' ? lowerCase(slice(text, i + 1, i + 3)) : '';
		if (escape === '2f' || escape === '5c' || escape === '00')
			throw failImport(use, 'it must not hold an encoded slash or NUL', 'ERR_INVALID_MODULE_SPECIFIER');
	}
	return decoded;
}

const isRelative = (text) => text === '.' || text === '..' || startsWith(text, './') || startsWith(text, '../');

function findScheme(text) {
	const colon = indexOf(text, ':');
	if (colon < 2)
		return '';
	for (let i = 0; i < colon; i++) {
		const c = codeUnit(text, i) | 32;
		if (!((c >= 97 && c <= 122) || (i > 0 && ((c >= 48 && c <= 57) || c === 43 || c === 45 || c === 46))))
			return '';
	}
	return lowerCase(slice(text, 0, colon));
}

// ---- package.json ----

function readPackage(directory) {
	const known = mapGet(packages, directory);
	if (known !== undefined)
		return known;
	const path = below(directory, 'package.json'), place = openModule(path);
	let found = null;
	if (typeof place === 'string') {
		let json;
		try {
			json = readJson(place);
		} finally {
			dropModule(place);
		}
		found = { __proto__: null, directory, json: isObject(json) && !isArray(json) ? json : { __proto__: null } };
	} else if (place === TOO_LARGE) {
		throw new RangeError('/' + path + ' is larger than 1 MiB');
	}
	mapSet(packages, directory, found);
	return found;
}
const own = (object, key) => hasOwn(object, key) ? object[key] : undefined;

// The package that a file belongs to. null: there is none.
function packageOf(path) {
	for (let directory = directoryOf(path); ; directory = directoryOf(directory)) {
		if (endsWith(directory, 'node_modules'))
			return null;
		const found = readPackage(directory);
		if (found || directory === '')
			return found;
	}
}

function formatOf(path) {
	if (endsWith(path, '.json'))
		return OF_JSON;
	if (endsWith(path, '.mjs') || endsWith(path, '.mts'))
		return OF_MODULE;
	if (endsWith(path, '.cjs') || endsWith(path, '.cts'))
		return OF_COMMON;
	const found = packageOf(path), type = found ? own(found.json, 'type') : undefined;
	return type === 'module' ? OF_MODULE : type === 'commonjs' ? OF_COMMON : OF_EITHER;
}
const isInPackages = (path) => startsWith(path, 'node_modules/') || includes(path, '/node_modules/');

// ---- exports and imports of a package ----

const conditionsOf = (use) => use.common ? ['node', 'require', 'module-sync', 'default'] : ['node', 'import', 'module-sync', 'default'];
const isOneOf = (list, item) => {
	for (let i = 0; i < list.length; i++) {
		if (list[i] === item)
			return true;
	}
	return false;
};

const badTarget = (use, found, target) => failImport(use, 'the package.json of /' + found.directory + ' sends it to ' +
	quote(toText(target)) + ', which is not within the package', 'ERR_INVALID_PACKAGE_TARGET');

function hasBadPart(path) {
	const parts = splitText(path, '/');
	for (let i = 0; i < parts.length; i++) {
		const part = lowerCase(parts[i]);
		if (part === '..' || part === '.' || part === 'node_modules' || includes(part, '%2e') || includes(part, '%2f') ||
			includes(part, '%5c') || includes(part, '\\'))
			return true;
	}
	return false;
}

// A path; null: it is not accessible; undefined: this target does not apply.
function resolveTarget(use, found, target, match, isImports) {
	if (typeof target === 'string') {
		if (!startsWith(target, './')) {
			if (!isImports || startsWith(target, '../') || startsWith(target, '/'))
				throw badTarget(use, found, target);
			const inner = { __proto__: null, specifier: match === undefined ? target : replaceStars(target, match), base: below(found.directory, 'package.json'), common: use.common };
			return resolveBare(inner);
		}
		const path = match === undefined ? target : replaceStars(target, match);
		if (hasBadPart(slice(path, 2)))
			throw badTarget(use, found, path);
		return below(found.directory, slice(path, 2));
	}
	if (isArray(target)) {
		let last = target.length === 0 ? null : undefined;
		for (let i = 0; i < target.length; i++) {
			try {
				last = resolveTarget(use, found, target[i], match, isImports);
			} catch (error) {
				if (i === target.length - 1)
					throw error;
				continue;
			}
			if (typeof last === 'string')
				return last;
		}
		return last;
	}
	if (target === null)
		return null;
	if (!isObject(target))
		throw badTarget(use, found, target);
	const conditions = conditionsOf(use), keys = objectKeys(target);
	for (let i = 0; i < keys.length; i++) {
		if (!isOneOf(conditions, keys[i]))
			continue;
		const path = resolveTarget(use, found, target[keys[i]], match, isImports);
		if (path !== undefined)
			return path;
	}
	return undefined;
}
const replaceStars = (text, match) => join(splitText(text, '*'), match);

// The best matching entry of a map of exports or imports.
function resolveEntry(use, found, map, key, isImports) {
	if (hasOwn(map, key) && indexOf(key, '*') < 0)
		return resolveTarget(use, found, map[key], undefined, isImports);
	const keys = objectKeys(map);
	let best, match;
	for (let i = 0; i < keys.length; i++) {
		const star = indexOf(keys[i], '*');
		if (star < 0 || indexOf(keys[i], '*', star + 1) >= 0)
			continue;
		const start = slice(keys[i], 0, star), end = slice(keys[i], star + 1);
		if (startsWith(key, start) && key !== start && endsWith(key, end) && key.length >= keys[i].length &&
			(best === undefined || start.length > indexOf(best, '*'))) {
			best = keys[i];
			match = slice(key, star, key.length - end.length);
		}
	}
	return best === undefined ? undefined : resolveTarget(use, found, map[best], match, isImports);
}

function resolveExports(use, found, subpath) {
	let map = own(found.json, 'exports');
	const isMap = isObject(map) && !isArray(map), keys = isMap ? objectKeys(map) : [];
	if (!isMap || keys.length === 0 || keys[0][0] !== '.')
		map = { '.': map };
	const path = resolveEntry(use, found, map, subpath, false);
	if (typeof path === 'string')
		return path;
	throw failImport(use, 'the package.json of /' + found.directory + ' exports no ' + quote(subpath), 'ERR_PACKAGE_PATH_NOT_EXPORTED');
}

function resolveImports(use) {
	const { specifier } = use, found = packageOf(use.base);
	const map = found ? own(found.json, 'imports') : undefined;
	const path = isObject(map) && specifier !== '#' && !startsWith(specifier, '#/') ? resolveEntry(use, found, map, specifier, true) : undefined;
	if (typeof path === 'string')
		return path;
	throw failImport(use, 'no package.json above has it among its imports', 'ERR_PACKAGE_IMPORT_NOT_DEFINED');
}

// ---- Packages ----

function splitBare(use) {
	const { specifier } = use;
	let slash = indexOf(specifier, '/');
	if (specifier[0] === '@' && slash > 0)
		slash = indexOf(specifier, '/', slash + 1);
	const name = slash < 0 ? specifier : slice(specifier, 0, slash);
	if (name === '' || name[0] === '.' || includes(name, '\\') || includes(name, '%') || (name[0] === '@' && indexOf(name, '/') < 0))
		throw failImport(use, 'it is neither a path nor the name of a package', 'ERR_INVALID_MODULE_SPECIFIER');
	return { __proto__: null, name, subpath: slash < 0 ? '.' : '.' + slice(specifier, slash) };
}

function legacyMain(use, found) {
	const main = own(found.json, 'main'), ends = ['', '.js', '.json', '.node', '/index.js', '/index.json'];
	for (let i = 0; typeof main === 'string' && i < ends.length; i++) {
		const path = joinPath(found.directory, main + ends[i]);
		const place = path === undefined ? OUTSIDE : openFile(path);
		if (typeof place === 'string')
			return place;
	}
	for (let i = 0; i < 2; i++) {
		const place = openFile(below(found.directory, i === 0 ? 'index.js' : 'index.json'));
		if (typeof place === 'string')
			return place;
	}
	throw failImport(use, 'its package.json names no main file that is there');
}

function inPackage(use, found, subpath) {
	const map = own(found.json, 'exports');
	if (map !== undefined && map !== null)
		return resolveExports(use, found, subpath);
	if (subpath === '.')
		return legacyMain(use, found);
	const path = joinPath(found.directory, use.common ? subpath : decodeSpecifier(use, subpath));
	return use.common ? asFileOrDirectory(path) ?? path : path;
}

const noPackage = (use, name) => failImport(use, isBuiltin(name) ? noBuiltin() : 'there is no package ' + quote(name) + ' in node_modules (npm install ' + name +
	', or --import-dir where it is above); without packages only relative imports (\'./name.js\') are possible');

function resolveBare(use) {
	const { name, subpath } = splitBare(use);
	const self = packageOf(use.base);
	if (self && own(self.json, 'name') === name && own(self.json, 'exports') !== undefined)
		return resolveExports(use, self, subpath);
	for (let directory = directoryOf(use.base); ; directory = directoryOf(directory)) {
		const isPackages = directory === 'node_modules' || endsWith(directory, '/node_modules');
		const found = isPackages ? null : readPackage(below(directory, 'node_modules/' + name));
		if (found)
			return inPackage(use, found, subpath);
		const place = isPackages ? undefined : withoutPackage(use, below(directory, 'node_modules/' + name), subpath);
		if (place !== undefined)
			return place;
		if (directory === '')
			throw noPackage(use, name);
	}
}

// Resolves in a directory that has no package.json.
function withoutPackage(use, directory, subpath) {
	if (use.common)
		return asFileOrDirectory(directory + slice(subpath, 1));
	const place = subpath === '.' ? openFile(directory + '/index.js') : openFile(directory + '/' + decodeSpecifier(use, slice(subpath, 2)));
	return typeof place === 'string' ? place : undefined;
}

// The file that require finds for a path. undefined: there is none.
function asFileOrDirectory(path) {
	const ends = ['', '.js', '.json', '.cjs'];
	for (let i = 0; i < ends.length && path !== ''; i++) {
		const place = openFile(path + ends[i]);
		if (typeof place === 'string')
			return place;
	}
	return asDirectory(path);
}

function asDirectory(path) {
	const found = readPackage(path), main = found ? own(found.json, 'main') : undefined;
	const inner = typeof main === 'string' ? joinPath(path, main) : undefined;
	const place = inner === undefined || inner === path ? undefined : asFileOrDirectory(inner);
	if (place !== undefined)
		return place;
	for (let i = 0; i < 2; i++) {
		const index = openFile(below(path, i === 0 ? 'index.js' : 'index.json'));
		if (typeof index === 'string')
			return index;
	}
	return undefined;
}

// ---- Specifiers ----

function resolvePath(use, directory, text) {
	const path = joinPath(directory, text);
	if (path === undefined)
		throw failFile(use, '', OUTSIDE);
	if (!use.common)
		return path;
	const isDirectory = endsWith(text, '/') || text === '.' || text === '..' || endsWith(text, '/..') || endsWith(text, '/.');
	const place = isDirectory ? asDirectory(path) : asFileOrDirectory(path);
	if (place === undefined) {
		const typed = hasTypes(use.base) ? findTyped(path) : undefined;
		if (typed !== undefined)
			return typed;
		const why = openFile(path);
		throw failFile(use, path, why === OUTSIDE || why === TOO_LARGE || why === NO_MODULE ? why : NO_FILE);
	}
	return place;
}

function resolveUrl(use, scheme, specifier) {
	if (scheme === 'file' && startsWith(specifier, 'file:///')) {
		const path = resolvePath(use, '', decodeSpecifier(use, slice(specifier, 8)));
		if (typeof openFile(path) === 'string')
			return path;
		throw failImport(use, 'no such file: file: URLs begin at the directory of imports, and only relative imports (\'./name.js\') or packages are usual');
	}
	throw failImport(use, 'nothing is imported from ' + scheme + ': only relative imports (\'./name.js\') and packages are possible', 'ERR_UNSUPPORTED_ESM_URL_SCHEME');
}

function resolveSpecifier(use) {
	const { specifier } = use;
	if (specifier === '')
		throw failImport(use, 'it is empty', 'ERR_INVALID_MODULE_SPECIFIER');
	const mapped = importMap !== undefined && !use.common ? resolveMapped(use) : undefined;
	if (mapped !== undefined)
		return resolveMappedUrl(use, mapped);
	if (isRelative(specifier))
		return resolvePath(use, directoryOf(use.base), use.common ? specifier : decodeSpecifier(use, specifier));
	if (specifier[0] === '/')
		throw failImport(use, 'only relative imports (\'./name.js\') and packages are possible');
	if (specifier[0] === '#')
		return resolveImports(use);
	const scheme = findScheme(specifier);
	if (scheme === 'node') {
		if (isBuiltin(specifier))
			return specifier;
		throw failImport(use, noBuiltin(), 'ERR_UNKNOWN_BUILTIN_MODULE');
	}
	if (scheme === '' && isBuiltin(specifier))
		return 'node:' + specifier;
	return scheme !== '' ? resolveUrl(use, scheme, specifier) : resolveBare(use);
}

// ---- Import maps ----

// Implements the HTML Standard ("resolve a module specifier"). Its URLs are files below the directory of imports. Lists
// are sorted, so that the first match is the longest.
let importMap;

function urlLike(text, base) {
	if (!isRelative(text) && text[0] !== '/' && findScheme(text) === '')
		return null;
	const parts = urlParse(text, base);
	return parts === null ? null : parts[HREF];
}

function sortedEntries(object, base, mapKey, mapValue) {
	const entries = [], keys = objectKeys(object);
	for (let i = 0; i < keys.length; i++)
		push(entries, [mapKey(keys[i], base), mapValue(object[keys[i]], base)]);
	sortArray(entries, (a, b) => (a[0] < b[0] ? 1 : a[0] > b[0] ? -1 : 0));
	return entries;
}

const mapImports = (object, base) => sortedEntries(object, base, (key) => urlLike(key, base) ?? key, (address) => urlLike(address, base));
const mapScopes = (object, base) => sortedEntries(object, base, (prefix) => urlParse(prefix, base)?.[HREF] ?? prefix, mapImports);

// Reads the import map. The host has checked its syntax.
function loadImportMap() {
	const [place, text] = importMapText();
	const base = urlOf(place), map = parseJson(text);
	importMap = { __proto__: null, imports: mapImports(own(map, 'imports') ?? {}, base), scopes: mapScopes(own(map, 'scopes') ?? {}, base) };
}

function findMapped(use, entries, specifier, isUrl) {
	for (let i = 0; i < entries.length; i++) {
		const key = entries[i][0], address = entries[i][1];
		const isPrefix = endsWith(key, '/') && startsWith(specifier, key);
		if (key !== specifier && (!isPrefix || (isUrl && findScheme(specifier) !== 'file')))
			continue;
		if (address === null)
			throw failImport(use, 'the import map sends ' + quote(key) + ' to what is no URL');
		if (key === specifier)
			return address;
		const url = urlParse(slice(specifier, key.length), address);
		if (url === null || !startsWith(url[HREF], address))
			throw failImport(use, 'the import map sends ' + quote(key) + ' to ' + quote(address) + ', and it leads out of that');
		return url[HREF];
	}
	return undefined;
}

// The URL that the map gives for the specifier, or undefined.
function resolveMapped(use) {
	const base = urlOf(use.base), url = urlLike(use.specifier, base), specifier = url ?? use.specifier;
	for (let i = 0; i < importMap.scopes.length; i++) {
		const prefix = importMap.scopes[i][0];
		if (prefix !== base && !(endsWith(prefix, '/') && startsWith(base, prefix)))
			continue;
		const found = findMapped(use, importMap.scopes[i][1], specifier, url !== null);
		if (found !== undefined)
			return found;
	}
	return findMapped(use, importMap.imports, specifier, url !== null);
}

function resolveMappedUrl(use, url) {
	const scheme = findScheme(url);
	if (startsWith(url, 'file:///')) {
		use.query = slice(url, endOfPath(url));
		return use.mapped = decodeSpecifier(use, slice(url, 8));
	}
	if (scheme !== 'node')
		return resolveUrl(use, scheme, url);
	if (isBuiltin(url))
		return url;
	throw failImport(use, 'the import map sends it to ' + quote(url) + ': ' + noBuiltin(), 'ERR_UNKNOWN_BUILTIN_MODULE');
}

// The file that is meant, with links resolved. base: the path of the importing file.
function resolveModule(base, specifier, common) {
	const use = lastUse = { __proto__: null, base: fileOf(base), specifier, common, query: '' };
	if (!common && (isRelative(specifier) || startsWith(specifier, 'file:')))
		use.query = slice(specifier, endOfPath(specifier));
	const path = resolveSpecifier(use);
	if (startsWith(path, 'node:'))
		return path;
	let place = openFile(path);
	if ((place === NO_FILE || place === IS_DIRECTORY) && hasTypes(use.base))
		place = findTyped(path) ?? place;
	if (typeof place !== 'string')
		throw failFile(use, path, place);
	use.place = place;
	return use.query.length > 1 ? withQuery(place, use.query) : place;
}

// The URL of a specifier. As in Node, a relative one need not lead to an existing file.
function placeOf(base, specifier) {
	if (!isRelative(specifier) || importMap !== undefined)
		return urlOf(resolveModule(base, specifier, false));
	const use = lastUse = { __proto__: null, base: fileOf(base), specifier, common: false, query: '' };
	const path = resolvePath(use, directoryOf(use.base), decodeSpecifier(use, specifier));
	return urlOf(path) + slice(specifier, endOfPath(specifier));
}

// As in Node, a file becomes a separate module for each query that it is imported with.
function withQuery(place, query) {
	mapSet(queried, place + query, place);
	return place + query;
}

// ---- Patterns. They are compiled at their first use, because many programs need none. ----

const regexpExec = uncurry(RegExp.prototype.exec);
const sticky = (source) => ({ __proto__: null, source, flags: 'y', compiled: undefined });
const anywhere = (source) => ({ __proto__: null, source, flags: '', compiled: undefined });

function matchAt(pattern, text, at) {
	pattern.compiled ??= new RegExp(pattern.source, pattern.flags);
	pattern.compiled.lastIndex = at;
	return regexpExec(pattern.compiled, text);
}
const endOf = (pattern) => pattern.compiled.lastIndex; // of its last match

// ---- The kind of a module ----

const prepared = new Map(); // path -> the function of a CommonJS file that was parsed
const kinds = new Map(); // path -> whether it is CommonJS, for files whose name and package do not decide that
const commonWords = anywhere('(?:^|[^.\\w$])(?:module|exports|require|__filename|__dirname)(?![\\w$])');

// As in Node, a file that parses as CommonJS is CommonJS. Outside of packages it must also mention CommonJS's
// variables.
function detectCommon(path) {
	if (!isInPackages(path) && !matchAt(commonWords, moduleText(path), 0))
		return false;
	try {
		mapSet(prepared, path, compileText(path));
		return true;
	} catch (error) {
		if (!isSyntaxError(error))
			throw error;
		return false;
	}
}
const isSyntaxError = (error) => isObject(error) && getPrototypeOf(error) === syntaxErrorPrototype;
const syntaxErrorPrototype = SyntaxError.prototype;

function isCommon(path) {
	const format = formatOf(path);
	if (format !== OF_EITHER)
		return format === OF_COMMON;
	let common = mapGet(kinds, path);
	if (common === undefined)
		mapSet(kinds, path, common = detectCommon(path));
	return common;
}

// Errors of an import that has this type among its attributes.
let lastUse;
function failType(path, why, code) {
	const error = new TypeError('cannot import ' + quote(lastUse?.specifier ?? '/' + path) + ': ' + why);
	define(error, 'code', code);
	placeError(error, lastUse);
	return error;
}
function kindOf(name, type) {
	const path = fileOf(name), isJson = endsWith(path, '.json');
	if (type === undefined && startsWith(path, 'node:'))
		return OF_BUILTIN;
	if (type !== undefined && type !== 'json')
		throw failType(path, 'there is no type of modules ' + quote(type), 'ERR_IMPORT_ATTRIBUTE_UNSUPPORTED');
	if (isJson !== (type === 'json'))
		throw failType(path, isJson ? 'JSON is imported with { type: \'json\' }' : 'it is no JSON file, as with { type: \'json\' } says',
			'ERR_IMPORT_ATTRIBUTE_' + (isJson ? 'MISSING' : 'TYPE_INCOMPATIBLE'));
	if (isInPackages(path))
		addNodeGlobals();
	return isJson ? OF_JSON : isCommon(path) ? OF_COMMON : OF_MODULE;
}

// ---- import.meta ----

function fillMeta(meta, name) {
	const path = fileOf(name), url = urlOf(path) + slice(name, path.length);
	define(meta, 'dirname', '/' + directoryOf(path));
	define(meta, 'filename', '/' + path);
	define(meta, 'main', name === entryPath());
	define(meta, 'url', url);
	define(meta, 'resolve', { resolve(specifier) { return placeOf(path, toText(specifier)); } }.resolve);
}
const urlOf = (path) => startsWith(path, 'node:') ? path : urlParse('file:///' + escapeForUrl(path))[HREF];
function escapeForUrl(path) {
	let text = '';
	for (let i = 0; i < path.length; i++) {
		const c = path[i];
		text += c === '%' ? '%25' : c === '?' ? '%3F' : c === '#' ? '%23' : c === '\\' ? '%5C' : c;
	}
	return text;
}

// ---- CommonJS ----

let mainModule;
const commonModules = { __proto__: null }; // by file name, like require.cache

class CommonModule {
	constructor(path) {
		this.id = this.filename = '/' + path;
		this.path = '/' + directoryOf(path);
		this.exports = {};
		this.loaded = false;
		this.children = [];
		this.paths = [];
	}
}

// Each specifier that a file requires is resolved once: while the file is loaded, or at the first call.
const requires = new Map(); // path of the file -> specifier -> path
function resolveRequire(base, specifier) {
	let places = mapGet(requires, base);
	if (places === undefined)
		mapSet(requires, base, places = new Map());
	let place = mapGet(places, specifier);
	if (place === undefined)
		mapSet(places, specifier, place = resolveModule(base, specifier, true));
	return place;
}

function makeRequire(path) {
	function require(specifier) {
		if (typeof specifier !== 'string')
			throw new TypeError('The argument of require is not a string');
		const found = resolveRequire(path, specifier);
		return startsWith(found, 'node:') ? loadBuiltin(slice(found, 5)) : loadCommon(found).exports;
	}
	require.resolve = (specifier) => {
		const found = resolveRequire(path, toText(specifier));
		return startsWith(found, 'node:') ? toText(specifier) : '/' + found;
	};
	require.cache = commonModules;
	require.main = mainModule;
	return require;
}

function runCommon(module, path) {
	if (endsWith(path, '.json')) {
		module.exports = readJson(path);
		return;
	}
	if (!isCommon(path)) {
		module.exports = requireModule(path);
		return;
	}
	const run = mapGet(prepared, path) ?? compileText(path);
	dropModule(path);
	apply(run, module.exports, [module.exports, makeRequire(path), module, '/' + path, '/' + directoryOf(path)]);
}

function loadCommon(path) {
	addNodeGlobals();
	const name = '/' + path, known = commonModules[name];
	if (known !== undefined)
		return known;
	const module = commonModules[name] = new CommonModule(path);
	let done = false;
	try {
		runCommon(module, path);
		done = true;
	} finally {
		if (!done)
			delete commonModules[name];
	}
	module.loaded = true;
	return module;
}

function readJson(path) {
	let text = moduleText(path);
	try {
		if (codeUnit(text, 0) === 0xfeff)
			text = slice(text, 1);
		return parseJson(text);
	} catch (error) {
		const told = new SyntaxError('/' + path + ' is not JSON: ' + error.message);
		if (lastUse !== undefined && !lastUse.common && lastUse.place === path)
			placeError(told, lastUse);
		throw told;
	}
}

// ---- The exports and requires of a CommonJS file, as far as its text shows them ----

// Texts are long, so words are searched first, and expressions are tried only where a word was found.
const namePattern = '[A-Za-z_$][\\w$]*', stringPattern = '([\'"])([^\'"\\\\\\n]+)';
const assigned = sticky('exports\\s*(?:\\.\\s*(' + namePattern + ')|\\[\\s*' + '([\'"])([^\'"\\\\\\n]+)\\2' + '\\s*\\])\\s*=(?!=)');
// Of getters, only those that return a variable or its property: reading them calls nothing else, as in Node.
const defined = sticky('defineProperty\\s*\\(\\s*(?:module\\s*\\.\\s*)?exports\\s*,\\s*' + stringPattern + '\\1\\s*,\\s*\\{\\s*(?:enumerable\\s*:\\s*(?:true|!0)\\s*,\\s*)?' +
	'(?:value\\s*:|get\\s*(?::\\s*(?:function\\s*[\\w$]*\\s*)?)?\\(\\s*\\)\\s*(?:=>\\s*[\\w$]+\\s*[.,}\\[]|\\{\\s*return\\s+[\\w$]+(?:\\s*\\.\\s*[\\w$]+|\\s*\\[[^\\]]*\\])?\\s*;?\\s*\\}))');
const objectStart = sticky('exports\\s*=\\s*\\{');
const objectItem = sticky('\\s*(?:\\.\\.\\.\\s*require\\s*\\(\\s*' + stringPattern + '\\1\\s*\\)|(?:(' + namePattern + ')|([\'"])([^\'"\\\\\\n]+)\\4)\\s*(?=[:,}(]))');
const objectValue = sticky('\\s*(?::\\s*(?:' + namePattern + '(?:\\s*\\.\\s*' + namePattern + ')*|[\'"][^\'"\\\\\\n]*[\'"]|-?[\\d.]+))?\\s*,');
const exportedRequire = sticky('exports\\s*=\\s*(?:' + namePattern + '\\s*\\(\\s*)?require\\s*\\(\\s*' + stringPattern + '\\1\\s*\\)');
const exportStar = sticky('__(?:exportStar|export|reExport)\\s*\\((?:[^,;()]*,)?\\s*(?:' + namePattern + '\\s*\\(\\s*)?require\\s*\\(\\s*' + stringPattern + '\\1\\s*\\)');
const keysOfName = sticky('keys\\s*\\(\\s*(' + namePattern + ')\\s*\\)\\s*\\.\\s*forEach');
const required = sticky('require\\s*\\(\\s*' + stringPattern + '\\1\\s*\\)');
const assignedRequire = anywhere('(' + namePattern + ')\\s*=\\s*(?:' + namePattern + '\\s*\\(\\s*)*$');

const isNameUnit = (c) => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 36;

// Calls the action for each place where this word occurs as a whole word.
function eachWord(text, word, action) {
	for (let at = indexOf(text, word); at >= 0; at = indexOf(text, word, at + word.length)) {
		if (at === 0 || !isNameUnit(codeUnit(text, at - 1)))
			action(at);
	}
}

// Whether it is a member of something, and whether that is the module.
const isMember = (text, at) => at > 0 && text[at - 1] === '.';
const isOfModule = (text, at) => at >= 7 && slice(text, at - 7, at) === 'module.';

function objectNames(text, at, add, follow) {
	for (;;) {
		const item = matchAt(objectItem, text, at);
		if (!item)
			return;
		if (item[2] !== undefined)
			follow(item[2]);
		else
			add(item[3] ?? item[5]);
		if (!matchAt(objectValue, text, endOf(objectItem)))
			return;
		at = endOf(objectValue);
	}
}

// The names of the exports, without "default".
function commonNames(path, names = new Set(), seen = new Set()) {
	if (setHas(seen, path) || endsWith(path, '.json'))
		return names;
	if (startsWith(path, 'node:')) {
		const list = builtinExports(path);
		for (let i = 0; i < list.length; i++)
			setAdd(names, list[i]);
		return names;
	}
	setAdd(seen, path);
	const text = moduleText(path);
	const add = (name) => name !== 'default' && setAdd(names, name);
	const follow = (specifier) => {
		try {
			commonNames(resolveRequire(path, specifier), names, seen);
		} catch {
			// An error is thrown when it is required, if it ever is.
		}
	};
	eachWord(text, 'exports', (at) => {
		const ofModule = isOfModule(text, at);
		if (isMember(text, at) && !ofModule)
			return;
		let match = matchAt(assigned, text, at);
		if (match)
			add(match[1] ?? match[3]);
		else if (ofModule && matchAt(objectStart, text, at))
			objectNames(text, endOf(objectStart), add, follow);
		else if (ofModule && (match = matchAt(exportedRequire, text, at)))
			follow(match[2]);
	});
	eachWord(text, 'defineProperty', (at) => {
		const match = matchAt(defined, text, at);
		if (match)
			add(match[2]);
	});
	eachWord(text, '__', (at) => {
		const match = matchAt(exportStar, text, at);
		if (match)
			follow(match[2]);
	});
	eachWord(text, 'keys', (at) => {
		const match = matchAt(keysOfName, text, at);
		if (match)
			followName(text, match[1], follow);
	});
	return names;
}

// The package that was required under this name: Object.keys(NAME).forEach(...) re-exports its exports.
function followName(text, name, follow) {
	let found;
	eachWord(text, 'require', (at) => {
		if (found !== undefined || isMember(text, at))
			return;
		const before = matchAt(assignedRequire, slice(text, max(0, at - 120), at), 0);
		if (before && before[1] === name)
			found = matchAt(required, text, at);
	});
	if (found)
		follow(found[2]);
}

function commonExports(path) {
	const list = [];
	setForEach(commonNames(path), (name) => push(list, name));
	return list;
}

// The files that a file requires are read and parsed with it, so that an image contains them too.
function prepareCommon(open) {
	while (open.length > 0) {
		const next = open[open.length - 1];
		open.length--;
		if (mapHas(visited, next) || startsWith(next, 'node:') || endsWith(next, '.json') || !isCommonOrBroken(next))
			continue;
		mapSet(visited, next, true);
		pushRequired(open, next, moduleText(next));
		prepareOne(next);
	}
}
const visited = new Map();

function pushRequired(open, path, text) {
	noteReached(path, text);
	eachWord(text, 'require', (at) => {
		const match = isMember(text, at) ? null : matchAt(required, text, at);
		try {
			if (match)
				push(open, resolveRequire(path, match[2]));
		} catch {
			// An error is thrown when it is required, if it ever is.
		}
	});
}

// Begins a program that is a script and uses the variables of CommonJS. They are globals for it.
function beginMain(path, text) {
	addNodeGlobals();
	const open = [];
	mainModule = commonModules['/' + path] = new CommonModule(path);
	const { exports } = mainModule;
	emptyExports = exports;
	const names = { __proto__: null, exports, module: mainModule, require: makeRequire(path), __filename: '/' + path, __dirname: '/' + directoryOf(path) };
	for (const name of objectKeys(names))
		expose(name, names[name], false);
	pushRequired(open, path, text);
	prepareCommon(open);
}
let emptyExports;

// The exports of that program, if it has any.
function mainExports() {
	if (mainModule === undefined)
		return undefined;
	const { exports } = mainModule;
	return exports !== emptyExports || objectKeys(exports).length > 0 ? exports : undefined;
}

function isCommonOrBroken(path) {
	try {
		return isCommon(path);
	} catch {
		return false;
	}
}

// A file that does not parse throws when it is required.
function prepareOne(path) {
	try {
		if (!mapHas(prepared, path))
			mapSet(prepared, path, compileText(path));
		dropModule(path);
	} catch (error) {
		if (!isSyntaxError(error))
			throw error;
	}
}

// ---- Modules that may be imported later ----

// Only for a bundle or an image: it includes the modules that import() names by a literal.
let reached;
const literalImport = sticky('import\\s*(?:\\.\\s*meta\\s*\\.\\s*resolve\\s*)?\\(\\s*' + '([\'"`])([^\'"`\\\\\\n$]+)\\1');

function noteReached(name, text) {
	if (reached === undefined)
		return;
	eachWord(text, 'import', (at) => {
		const match = isMember(text, at) ? null : matchAt(literalImport, text, at);
		if (match)
			push(reached, { __proto__: null, base: name, text: '\nimport ' + stringify(match[2]) +
				(endsWith(match[2], '.json') ? ' with { type: "json" }' : '') });
	});
}

// The next such module, or undefined. One that is missing is an error only when it is imported.
function nextReached() {
	if (reached.length === 0)
		return undefined;
	const next = reached[reached.length - 1];
	reached.length--;
	return [next.base, next.text];
}

const moduleHooks = { __proto__: null, resolve: (base, specifier) => resolveModule(base, specifier, false), kind: kindOf,
	meta: fillMeta, exports: (name) => commonExports(fileOf(name)), prepare: (name) => prepareCommon([fileOf(name)]), main: beginMain,
	mainExports, json: (name) => readJson(fileOf(name)), common: (name) => loadCommon(fileOf(name)).exports, fileOf, loadImportMap, noteReached, nextReached,
	place: (error, base, specifier) => placeError(error, { base: fileOf(base), specifier }),
	beginReaching() { reached = []; } };
