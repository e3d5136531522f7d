// SPDX-License-Identifier: Apache-2.0
// Paths of Windows. The drive and the device of a path are split off by patterns; the rest is a list of segments.
const { wrongType } = require('internal/errors');
const needText = (value, name) => typeof value === 'string' || wrongType(name, 'of type string', value);
const needObject = (value, name) => (value !== null && typeof value === 'object') || wrongType(name, 'of type object', value);

// Checks the arguments of a function as Node does, and then calls it.
const names = ['resolve', 'normalize', 'isAbsolute', 'join', 'relative', 'toNamespacedPath', 'dirname', 'basename', 'extname', 'format', 'parse'];
function wrap(action, name) {
	const checks = {
		resolve: (args) => args.forEach((arg, i) => needText(arg, `paths[${i}]`)), join: (args) => args.forEach((arg) => needText(arg, 'path')),
		relative: ([from, to]) => needText(from, 'from') && needText(to, 'to'), basename: ([path, suffix]) => (suffix === undefined || needText(suffix, 'suffix')) && needText(path, 'path'),
		format: ([object]) => needObject(object, 'pathObject'), toNamespacedPath() {},
	};
	const check = checks[name] ?? (([path]) => needText(path, 'path'));
	const made = { [name](...args) {
		check(args);
		return action(...args);
	} }[name];
	return Object.defineProperty(made, 'length', { value: action.length, configurable: true });
}

const isSeparator = (c) => c === '\\' || c === '/';
const segmentsOf = (text) => text.split(/[\\/]+/);

// The segments without "." and "..". Leading ".." remain in a path that is not absolute.
function reduce(segments, isAbsolute) {
	const kept = [];
	for (const segment of segments) {
		if (segment === '' || segment === '.')
			continue;
		if (segment !== '..')
			kept.push(segment);
		else if (kept.length > 0 && kept.at(-1) !== '..')
			kept.pop();
		else if (!isAbsolute)
			kept.push('..');
	}
	return kept.join('\\');
}

// device: "C:" or "\\server\share". isAbsolute: whether a separator follows, or belongs to it. rootEnd: where the rest begins.
function split(path, hasDevices = false) {
	const unc = /^[\\/]{2}([^\\/]+)[\\/]+([^\\/]+)(?:$|(?=[\\/]))/.exec(path);
	if (unc) {
		// "\\\\.\\x" and "\\\\?\\x" name devices.
		if (hasDevices && (unc[1] === '.' || unc[1] === '?'))
			return { device: '\\\\' + unc[1], isAbsolute: true, rootEnd: 4, isUnc: true };
		const isWhole = unc[0].length === path.length;
		return { device: `\\\\${unc[1]}\\${unc[2]}`, isAbsolute: true, rootEnd: unc[0].length + (isWhole ? 0 : 1), isUnc: true, isWhole };
	}
	if (isSeparator(path[0]))
		return { device: '', isAbsolute: true, rootEnd: 1 };
	const drive = /^[A-Za-z]:/.exec(path);
	if (!drive)
		return { device: '', isAbsolute: false, rootEnd: 0 };
	const isAbsolute = isSeparator(path[2]);
	return { device: drive[0], isAbsolute, rootEnd: isAbsolute ? 3 : 2 };
}

const win32 = {
	resolve(...paths) {
		let device = '', tail = '', isAbsolute = false;
		for (let i = paths.length - 1; i >= -1 && !(device !== '' && isAbsolute); i--) {
			const path = i >= 0 ? paths[i] : require('process').cwd();
			if (path === '')
				continue;
			const root = split(path, true);
			if (root.device !== '' && device !== '' && root.device.toLowerCase() !== device.toLowerCase())
				continue;
			device ||= root.device;
			if (isAbsolute)
				continue;
			tail = path.slice(root.rootEnd) + '\\' + tail;
			isAbsolute = root.isAbsolute;
		}
		return device + (isAbsolute ? '\\' : '') + reduce(segmentsOf(tail), isAbsolute) || '.';
	},
	normalize(path) {
		if (path === '')
			return '.';
		const { device, isAbsolute, rootEnd, isWhole } = split(path, true);
		if (path.length === 1)
			return isSeparator(path) ? '\\' : path;
		if (isWhole)
			return device + '\\';
		let tail = rootEnd < path.length ? reduce(segmentsOf(path.slice(rootEnd)), isAbsolute) : '';
		if (tail === '' && !isAbsolute)
			tail = '.';
		if (tail !== '' && isSeparator(path.at(-1)))
			tail += '\\';
		// A relative path must not become one with a drive.
		if (!isAbsolute && device === '' && path.includes(':') && (/^[A-Za-z]:/.test(tail) || /:(?:$|[\\/])/.test(path)))
			return '.\\' + tail;
		return device + (isAbsolute ? '\\' : '') + tail;
	},
	isAbsolute: (path) => isSeparator(path[0]) || /^[A-Za-z]:[\\/]/.test(path),
	join(...paths) {
		const given = paths.filter((path) => path !== '');
		if (given.length === 0)
			return '.';
		let joined = given.join('\\');
		const [first] = given;
		// Two separators at the beginning make a network path only if the first argument begins with one.
		const isNetwork = /^[\\/]{2}[^\\/]/.test(first) && (first.length > 2);
		if (!isNetwork)
			joined = joined.replace(/^[\\/]{2,}/, '\\');
		return win32.normalize(joined);
	},
	relative(from, to) {
		if (from === to)
			return '';
		const fromFull = win32.resolve(from), toFull = win32.resolve(to);
		if (fromFull === toFull || fromFull.toLowerCase() === toFull.toLowerCase())
			return '';
		const trim = (path) => path.replace(/^\\+/, '').replace(/\\+$/, '');
		const source = trim(fromFull), target = trim(toFull);
		const listOf = (text) => text === '' ? [] : text.split('\\');
		const a = listOf(source.toLowerCase()), b = listOf(target.toLowerCase());
		let same = 0;
		while (same < a.length && same < b.length && a[same] === b[same])
			same++;
		if (same === 0 && source !== '' && target !== '')
			return toFull;
		// The drives differ, or what is common ends within the name of a device.
		if (same === 1 && /^\\\\/.test(fromFull) && b.length > 1 && a.length > 1 && a[1] !== b[1])
			return toFull;
		const rest = listOf(target).slice(same);
		return [...new Array(a.length - same).fill('..'), ...rest].join('\\');
	},
	toNamespacedPath(path) {
		if (typeof path !== 'string' || path.length === 0)
			return path;
		const full = win32.resolve(path);
		if (full.length <= 2)
			return path;
		if (/^\\\\[^?.]/.test(full))
			return '\\\\?\\UNC\\' + full.slice(2);
		return /^[A-Za-z]:\\/.test(full) ? '\\\\?\\' + full : full;
	},
	dirname(path) {
		if (path === '')
			return '.';
		if (path.length === 1)
			return isSeparator(path) ? path : '.';
		const { device, rootEnd, isUnc, isWhole } = split(path);
		if (isWhole)
			return path;
		const start = isUnc || device !== '' || isSeparator(path[0]) ? rootEnd : 0;
		const rest = path.slice(start).replace(/[\\/]+$/, ''), cut = /[\\/]+[^\\/]*$/.exec(rest);
		if (!cut)
			return start === 0 ? '.' : path.slice(0, start);
		return path.slice(0, start + dropLast(rest));
	},
	basename(path, suffix) {
		const rest = (/^[A-Za-z]:/.test(path) ? path.slice(2) : path);
		if (suffix !== undefined && suffix.length > 0 && suffix.length <= path.length && suffix === path)
			return '';
		const { 1: base, index } = /([^\\/]*)[\\/]*$/.exec(rest);
		// Node's answer where the name is the end of the suffix.
		if (suffix !== undefined && suffix.length <= path.length && base.length < suffix.length && suffix.endsWith(base))
			return rest.slice(index);
		return suffix !== undefined && suffix !== '' && base.length > suffix.length && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
	},
	extname(path) {
		const base = /([^\\/]*)[\\/]*$/.exec(/^[A-Za-z]:/.test(path) ? path.slice(2) : path)[1];
		return extensionOf(base);
	},
	format({ dir, root = '', base, name = '', ext = '' }) {
		const file = base || name + (ext === '' || ext[0] === '.' ? ext : '.' + ext);
		const directory = dir || root;
		return !directory ? file : directory === root ? directory + file : directory + '\\' + file;
	},
	parse(path) {
		const parts = { root: '', dir: '', base: '', ext: '', name: '' };
		if (path === '')
			return parts;
		const { rootEnd } = path.length === 1 && !isSeparator(path) ? { rootEnd: 0 } : split(path);
		parts.root = path.slice(0, rootEnd);
		const rest = path.slice(rootEnd);
		const [, head, base] = /^([\s\S]*?)([^\\/]*)[\\/]*$/.exec(rest);
		parts.base = base;
		parts.ext = extensionOf(base);
		parts.name = parts.ext === '' ? base : base.slice(0, -parts.ext.length);
		parts.dir = head === '' || base === '' ? parts.root : path.slice(0, rootEnd + head.length - 1);
		return parts;
	},
};
// How long a path is without its last segment and the separators around it.
const dropLast = (rest) => rest.length - /[\\/][^\\/]*$/.exec(rest)[0].length;
function extensionOf(base) {
	const dot = base.lastIndexOf('.');
	return dot <= 0 || base === '..' ? '' : base.slice(dot);
}

for (const name of names)
	win32[name] = wrap(win32[name], name);
Object.assign(win32, { sep: '\\', delimiter: ';', _shared: { names, needText, wrap } });
module.exports = win32;
