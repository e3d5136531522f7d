// SPDX-License-Identifier: Apache-2.0
// Files of the directories that the run was given. Each operation is one host call, which is complete when it returns.
// Callbacks and promises are only notified later.
const { Buffer } = require('buffer');
const { file: call, fileStatus } = binding.natives;

// ---- The host's operations (guest/abi.h), and their errors ----

const OPEN = 1, CLOSE = 2, READ = 3, WRITE = 4, STATUS_OF_OPEN = 5, STATUS = 6, READ_DIRECTORY = 7, TRUNCATE = 8, SYNC = 9, ACCESS = 10, REAL_PATH = 11, READ_LINK = 12, MAKE_DIRECTORY = 13,
	REMOVE = 14, SET_TIMES = 15, MAKE_LINK = 16, RENAME = 17, LINK = 18, DIRECTORIES = 19;
const CREATE = 4, EXCLUSIVE = 8, EMPTY = 16, APPEND = 32, DIRECTORY = 64, NO_FOLLOW = 128;
const PIECE = 262144;

const constants = {
	UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, UV_DIRENT_UNKNOWN: 0, UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3, UV_DIRENT_FIFO: 4, UV_DIRENT_SOCKET: 5,
	UV_DIRENT_CHAR: 6, UV_DIRENT_BLOCK: 7, EXTENSIONLESS_FORMAT_JAVASCRIPT: 0, EXTENSIONLESS_FORMAT_WASM: 1, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFBLK: 24576, S_IFIFO: 4096,
	S_IFLNK: 40960, S_IFSOCK: 49152, O_CREAT: 64, O_EXCL: 128, UV_FS_O_FILEMAP: 0, O_NOCTTY: 256, O_TRUNC: 512, O_APPEND: 1024, O_DIRECTORY: 65536, O_NOATIME: 262144, O_NOFOLLOW: 131072, O_SYNC: 1052672,
	O_DSYNC: 4096, O_DIRECT: 16384, O_NONBLOCK: 2048, S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64, S_IRWXG: 56, S_IRGRP: 32, S_IWGRP: 16, S_IXGRP: 8, S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1,
	F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, UV_FS_COPYFILE_EXCL: 1, COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, COPYFILE_FICLONE: 2, UV_FS_COPYFILE_FICLONE_FORCE: 4, COPYFILE_FICLONE_FORCE: 4,
};
const { S_IFMT, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFLNK, S_IFSOCK } = constants;

const errors = { 1: ['EPERM', 'operation not permitted'], 2: ['ENOENT', 'no such file or directory'], 5: ['EIO', 'i/o error'], 6: ['ENXIO', 'no such device or address'], 9: ['EBADF', 'bad file descriptor'],
	12: ['ENOMEM', 'not enough memory'], 13: ['EACCES', 'permission denied'], 16: ['EBUSY', 'resource busy or locked'], 17: ['EEXIST', 'file already exists'], 18: ['EXDEV', 'cross-device link not permitted'],
	20: ['ENOTDIR', 'not a directory'], 21: ['EISDIR', 'illegal operation on a directory'], 22: ['EINVAL', 'invalid argument'], 23: ['ENFILE', 'file table overflow'], 24: ['EMFILE', 'too many open files'],
	26: ['ETXTBSY', 'text file is busy'], 27: ['EFBIG', 'file too large'], 28: ['ENOSPC', 'no space left on device'], 30: ['EROFS', 'read-only file system'], 31: ['EMLINK', 'too many links'],
	36: ['ENAMETOOLONG', 'name too long'], 38: ['ENOSYS', 'function not implemented'], 39: ['ENOTEMPTY', 'directory not empty'], 40: ['ELOOP', 'too many symbolic links encountered'], 122: ['EDQUOT', 'disk quota exceeded'] };

function failure(number, syscall, path, dest) {
	const [code, text] = errors[number] ?? ['E' + number, 'unknown error'];
	const error = new Error(`${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${path}'`}${dest === undefined ? '' : ` -> '${dest}'`}`);
	Object.assign(error, { errno: -number, code, syscall });
	if (path !== undefined)
		error.path = path;
	if (dest !== undefined)
		error.dest = dest;
	return error;
}
// The host's result, unless it is an error.
function done(answer, syscall, path, dest) {
	if (answer < 0)
		throw failure(-answer, syscall, path, dest);
	return answer;
}
const refuse = (message, code, Kind = TypeError) => { throw Object.assign(new Kind(message), { code }); };
const unavailable = (name) => refuse(`fs.${name} is not here`, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', Error);

// ---- Arguments ----

const described = (value) => value === null || value === undefined ? String(value) : typeof value === 'function' ? `function ${value.name}` :
	typeof value === 'object' ? value.constructor?.name ? `an instance of ${value.constructor.name}` : binding.inspect(value) : `type ${typeof value} (${binding.inspect(value)})`;

function pathOf(value, name = 'path') {
	if (value instanceof URL) {
		if (value.protocol !== 'file:')
			refuse('The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME');
		value = decodeURIComponent(value.pathname);
	} else if (ArrayBuffer.isView(value)) {
		value = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
	}
	if (typeof value !== 'string')
		refuse(`The "${name}" argument must be of type string or an instance of Buffer or URL. Received ${described(value)}`, 'ERR_INVALID_ARG_TYPE');
	if (value.includes('\0'))
		refuse(`The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${binding.inspect(value)}`, 'ERR_INVALID_ARG_VALUE');
	return value;
}
function fdOf(fd) {
	if (typeof fd !== 'number')
		refuse(`The "fd" argument must be of type number. Received ${described(fd)}`, 'ERR_INVALID_ARG_TYPE');
	if (!Number.isInteger(fd) || fd < 0 || fd > 2147483647)
		refuse(`The value of "fd" is out of range. It must be >= 0 && <= 2147483647. Received ${fd}`, 'ERR_OUT_OF_RANGE', RangeError);
	return fd - FIRST;
}
// Descriptors 0, 1 and 2 are the standard streams. The host's number for 0 is CURFEW_FILE_INPUT.
const FIRST = 3;
const streamNames = { '/dev/stdin': 0, '/dev/fd/0': 0, '/proc/self/fd/0': 0, '/dev/stdout': 1, '/dev/fd/1': 1, '/proc/self/fd/1': 1, '/dev/stderr': 2, '/dev/fd/2': 2, '/proc/self/fd/2': 2 };
// The descriptor of a standard stream that the path names. A file of a granted directory at the same path comes first.
const streamAt = (path) => typeof path === 'string' && Object.hasOwn(streamNames, path) && call(ACCESS, path, undefined, undefined, undefined, 0) < 0 ? streamNames[path] : path;
const optionsOf = (given, otherwise = {}) => {
	const options = typeof given === 'string' ? { ...otherwise, encoding: given } : { ...otherwise, ...given };
	const { encoding } = options;
	if (encoding !== undefined && encoding !== null && encoding !== 'buffer' && !Buffer.isEncoding(encoding))
		refuse(`The argument 'encoding' is invalid encoding. Received ${binding.inspect(encoding)}`, 'ERR_INVALID_ARG_VALUE');
	return options;
};
const told = (buffer, encoding) => encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
const toldName = (name, encoding) => encoding === 'buffer' ? Buffer.from(name) : encoding && !/^utf-?8$/i.test(encoding) ? Buffer.from(name).toString(encoding) : name;
const modeOf = (mode, otherwise) => mode === undefined || mode === null ? otherwise : typeof mode === 'string' ? parseInt(mode, 8) : mode;
function bytesOf(data, encoding = 'utf8') {
	if (typeof data === 'string')
		return Buffer.from(data, encoding);
	if (ArrayBuffer.isView(data))
		return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	return refuse(`The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${described(data)}`, 'ERR_INVALID_ARG_TYPE');
}

const words = { r: 0, rs: 0, sr: 0, 'r+': 2, 'rs+': 2, 'sr+': 2, w: 1 | CREATE | EMPTY, 'w+': 2 | CREATE | EMPTY, a: 1 | CREATE | APPEND, 'a+': 2 | CREATE | APPEND };
function flagsOf(flags) {
	if (typeof flags === 'number') {
		const bit = (theirs, ours) => flags & theirs ? ours : 0;
		return flags & 3 | bit(constants.O_CREAT, CREATE) | bit(constants.O_EXCL, EXCLUSIVE) | bit(constants.O_TRUNC, EMPTY) | bit(constants.O_APPEND, APPEND) |
			bit(constants.O_DIRECTORY, DIRECTORY) | bit(constants.O_NOFOLLOW, NO_FOLLOW);
	}
	const word = String(flags ?? 'r'), plain = word.replace(/[xs]/g, (c) => c === 's' && /^(rs|sr)/.test(word) ? 's' : '');
	const found = words[plain] ?? refuse(`The argument 'flags' is invalid. Received ${binding.inspect(flags)}`, 'ERR_INVALID_ARG_VALUE');
	return found | (word.includes('x') ? EXCLUSIVE : 0);
}

// ---- The status of a file ----

class Stats {
	constructor([dev, ino, size, blocks, mode, nlink, uid, gid, blksize, accessed, modified, changed], big) {
		const number = big ? (value) => BigInt(Math.round(value)) : (value) => value;
		for (const [key, value] of Object.entries({ dev, mode, nlink, uid, gid, rdev: 0, blksize, ino, size, blocks, atimeMs: accessed, mtimeMs: modified, ctimeMs: changed, birthtimeMs: changed }))
			this[key] = number(value);
		if (big) {
			for (const [key, value] of Object.entries({ atimeNs: accessed, mtimeNs: modified, ctimeNs: changed, birthtimeNs: changed }))
				this[key] = BigInt(Math.round(value * 1000)) * 1000n;
		}
		for (const [key, value] of Object.entries({ atime: accessed, mtime: modified, ctime: changed, birthtime: changed }))
			this[key] = new Date(value);
	}
	#is(kind) { return (Number(this.mode) & S_IFMT) === kind; }
	isFile() { return this.#is(S_IFREG); }
	isDirectory() { return this.#is(S_IFDIR); }
	isSymbolicLink() { return this.#is(S_IFLNK); }
	isFIFO() { return this.#is(S_IFIFO); }
	isSocket() { return this.#is(S_IFSOCK); }
	isCharacterDevice() { return this.#is(S_IFCHR); }
	isBlockDevice() { return this.#is(S_IFBLK); }
}
class Dirent {
	#kind;
	constructor(name, parentPath, kind) {
		Object.assign(this, { name, parentPath, path: parentPath });
		this.#kind = kind;
	}
	isFile() { return this.#kind === 8; }
	isDirectory() { return this.#kind === 4; }
	isSymbolicLink() { return this.#kind === 10; }
	isFIFO() { return this.#kind === 1; }
	isSocket() { return this.#kind === 12; }
	isCharacterDevice() { return this.#kind === 2; }
	isBlockDevice() { return this.#kind === 6; }
}

// The names below a directory that leads to a given directory, but is not itself given.
let given;
function namesBelow(path) {
	if (given === undefined) {
		const bytes = Buffer.alloc(65536), length = call(DIRECTORIES, undefined, undefined, undefined, undefined, undefined, bytes, 0, bytes.length);
		given = length > 0 ? bytes.toString('utf8', 0, length - 1).split('\0') : [];
	}
	const parts = path.split('/').filter((part) => part !== '' && part !== '.'), names = new Set();
	for (const directory of given) {
		const steps = directory.split('/');
		if (directory !== '' && steps.length > parts.length && parts.every((part, i) => part === steps[i]))
			names.add(steps[parts.length]);
	}
	return [...names];
}
const aboveStatus = () => [0, 1, 4096, 8, S_IFDIR | 0o555, 2, 0, 0, 4096, 0, 0, 0];

function statusAt(path, syscall, flags, { bigint, throwIfNoEntry = true } = {}) {
	const name = pathOf(path), answer = call(STATUS, name, undefined, undefined, flags);
	if (answer === -2 && namesBelow(name).length > 0)
		return new Stats(aboveStatus(), bigint);
	if (answer === -2 && streamNames[name] === 0)
		return sync.fstat(0, { bigint });
	if ((answer === -2 || answer === -20) && !throwIfNoEntry)
		return undefined;
	done(answer, syscall, name);
	return new Stats(fileStatus(), bigint);
}

// ---- Reading and writing ----

function openAt(path, flags, mode) {
	const name = pathOf(path);
	return done(call(OPEN, name, undefined, undefined, flagsOf(flags), modeOf(mode, 0o666)), 'open', name);
}
const closeFile = (file) => done(call(CLOSE, undefined, undefined, file), 'close');
function readInto(file, bytes, offset, length, position) {
	return done(call(READ, undefined, undefined, file, undefined, undefined, bytes, offset, Math.min(length, PIECE), position), 'read');
}
function writeAll(file, bytes, position) {
	for (let at = 0; at < bytes.length;) {
		const wrote = done(call(WRITE, undefined, undefined, file, undefined, undefined, bytes, at, Math.min(bytes.length - at, PIECE), position), 'write');
		at += wrote;
		if (position !== undefined)
			position += wrote;
	}
	return bytes.length;
}
// Reads from the current position to the end. size: the probable number of bytes.
function readRest(file, size) {
	const pieces = [];
	let length = 0, whole = size > 0 ? Buffer.allocUnsafe(size) : undefined;
	while (whole && length < size) {
		const got = readInto(file, whole, length, size - length);
		if (got === 0)
			return whole.subarray(0, length);
		length += got;
	}
	if (whole)
		return whole;
	for (;;) {
		const piece = Buffer.allocUnsafe(65536), got = readInto(file, piece, 0, piece.length);
		if (got === 0)
			return Buffer.concat(pieces, length);
		pieces.push(piece.subarray(0, got));
		length += got;
	}
}
// A path is opened and closed around the action. A descriptor is used as it is.
function withFile(path, flags, mode, action) {
	path = streamAt(path);
	if (typeof path === 'number')
		return action(fdOf(path), () => {
			done(call(STATUS_OF_OPEN, undefined, undefined, fdOf(path)), 'fstat');
			return fileStatus();
		});
	if (path instanceof FileHandle)
		return withFile(path.fd, flags, mode, action);
	const file = openAt(path, flags, mode);
	try {
		return action(file, fileStatus);
	} finally {
		call(CLOSE, undefined, undefined, file);
	}
}

function entriesOf(path, syscall = 'scandir') {
	const name = pathOf(path), answer = call(OPEN, name, undefined, undefined, DIRECTORY), entries = [];
	if (answer === -2) {
		const names = namesBelow(name);
		if (names.length > 0)
			return names.map((below) => [below, 4]);
	}
	const file = done(answer, syscall, name), bytes = Buffer.allocUnsafe(32768);
	try {
		for (let length; (length = done(call(READ_DIRECTORY, undefined, undefined, file, undefined, undefined, bytes, 0, bytes.length), syscall, name)) > 0;) {
			for (let at = 0; at < length;) {
				const end = bytes.indexOf(0, at + 1);
				entries.push([bytes.toString('utf8', at + 1, end), bytes[at]]);
				at = end + 1;
			}
		}
	} finally {
		call(CLOSE, undefined, undefined, file);
	}
	return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
const joined = (directory, name) => directory.endsWith('/') ? directory + name : directory + '/' + name;
function readDirectory(path, options) {
	const { encoding, withFileTypes, recursive } = optionsOf(options), found = [], directories = [[pathOf(path), '']];
	for (const [directory, prefix] of directories) {
		for (const [name, kind] of entriesOf(directory)) {
			found.push(withFileTypes ? new Dirent(toldName(name, encoding), directory, kind) : toldName(prefix + name, encoding));
			if (recursive && kind === 4)
				directories.push([joined(directory, name), prefix + name + '/']);
		}
	}
	return found;
}

function makeDirectory(path, options) {
	const { recursive, mode } = typeof options === 'object' && options !== null ? options : { mode: options }, name = pathOf(path);
	const make = (at) => call(MAKE_DIRECTORY, at, undefined, undefined, undefined, modeOf(mode, 0o777));
	if (!recursive)
		return done(make(name), 'mkdir', name), undefined;
	let first;
	const parts = name.split('/');
	for (let i = 1; i <= parts.length; i++) {
		const at = parts.slice(0, i).join('/');
		if (at === '' || at === '.' || parts[i - 1] === '')
			continue;
		const stats = statusAt(at, 'mkdir', 0, { throwIfNoEntry: false });
		if (stats?.isDirectory())
			continue;
		if (stats)
			throw failure(i === parts.length ? 17 : 20, 'mkdir', name);
		done(make(at), 'mkdir', name);
		first ??= at;
	}
	return first;
}
const removeAt = (name, flags, syscall) => done(call(REMOVE, name, undefined, undefined, flags), syscall, name);
function removeTree(path, { force, recursive } = {}) {
	const name = pathOf(path), stats = statusAt(name, 'lstat', NO_FOLLOW, { throwIfNoEntry: !force });
	if (!stats)
		return;
	if (!stats.isDirectory())
		return void removeAt(name, 0, 'rm');
	if (!recursive)
		throw Object.assign(new Error(`Path is a directory: rm returned EISDIR (is a directory) ${name}`), { name: 'SystemError', code: 'ERR_FS_EISDIR', errno: 21, syscall: 'rm', path: name });
	for (const [below] of entriesOf(name))
		removeTree(joined(name, below), { force: true, recursive: true });
	removeAt(name, DIRECTORY, 'rmdir');
}
function copyOne(from, to, mode = 0) {
	const source = pathOf(from, 'src'), dest = pathOf(to, 'dest');
	const input = done(call(OPEN, source, undefined, undefined, 0), 'copyfile', source, dest), bytes = Buffer.allocUnsafe(PIECE);
	try {
		const flags = 1 | CREATE | (mode & constants.COPYFILE_EXCL ? EXCLUSIVE : EMPTY);
		const output = done(call(OPEN, dest, undefined, undefined, flags, fileStatus()[4] & 0o777), 'copyfile', source, dest);
		try {
			for (let got; (got = readInto(input, bytes, 0, bytes.length)) > 0;)
				writeAll(output, bytes.subarray(0, got));
		} finally {
			call(CLOSE, undefined, undefined, output);
		}
	} finally {
		call(CLOSE, undefined, undefined, input);
	}
}
function copyTree(from, to, options = {}) {
	const source = pathOf(from, 'src'), dest = pathOf(to, 'dest'), stats = statusAt(source, 'cp', options.dereference ? 0 : NO_FOLLOW);
	if (options.filter && !options.filter(source, dest))
		return;
	if (stats.isSymbolicLink())
		return void fs.symlinkSync(fs.readlinkSync(source), dest);
	if (!stats.isDirectory()) {
		const there = options.force === false && fs.existsSync(dest);
		if (there && options.errorOnExist)
			throw failure(17, 'cp', source, dest);
		if (!there)
			copyOne(source, dest);
		return;
	}
	if (!options.recursive)
		throw Object.assign(new Error(`Recursive option not enabled, cannot copy a directory: cp returned EISDIR (${source} is a directory (not copied)) ${source}`), { code: 'ERR_FS_EISDIR', errno: 21, syscall: 'cp', path: source });
	makeDirectory(dest, { recursive: true });
	for (const [name] of entriesOf(source))
		copyTree(joined(source, name), joined(dest, name), options);
}
const seconds = (time) => time instanceof Date ? time.getTime() : typeof time === 'string' ? Number(time) * 1000 : time * 1000;
const setTimes = (name, accessed, modified, syscall) => void done(call(SET_TIMES, name, undefined, undefined, undefined, undefined, undefined, seconds(accessed), seconds(modified)), syscall, name);

function textAt(operation, path, syscall, options) {
	const name = pathOf(path), bytes = Buffer.allocUnsafe(4096);
	const length = done(call(operation, name, undefined, undefined, undefined, undefined, bytes, 0, bytes.length), syscall, name);
	return toldName(bytes.toString('utf8', 0, length), optionsOf(options).encoding);
}
// fs.read and fs.write take their arguments one by one or as an object.
function pieceOf(bytes, offset, length, position) {
	if (typeof offset === 'object' && offset !== null)
		({ offset, length, position } = offset);
	offset = offset ?? 0;
	length = length ?? bytes.byteLength - offset;
	if (offset < 0 || length < 0 || offset + length > bytes.byteLength)
		refuse(`The value of "length" is out of range. It must be <= ${bytes.byteLength - offset}. Received ${length}`, 'ERR_OUT_OF_RANGE', RangeError);
	return [offset, length, position === null || position === undefined || position < 0 ? undefined : Number(position)];
}

const sync = {
	access(path, mode = 0) {
		const name = pathOf(path), answer = call(ACCESS, name, undefined, undefined, undefined, mode);
		if (answer !== -2 || namesBelow(name).length === 0)
			done(answer, 'access', name);
	},
	appendFile: (path, data, options) => sync.writeFile(path, data, { flag: 'a', ...optionsOf(options) }),
	close(fd) {
		const file = fdOf(fd);
		if (file >= 0)
			closeFile(file);
	},
	copyFile: (from, to, mode) => copyOne(from, to, mode),
	cp: copyTree,
	fdatasync(fd) { done(call(SYNC, undefined, undefined, fdOf(fd)), 'fdatasync'); },
	fstat(fd, options) {
		done(call(STATUS_OF_OPEN, undefined, undefined, fdOf(fd)), 'fstat');
		return new Stats(fileStatus(), options?.bigint);
	},
	fsync(fd) { done(call(SYNC, undefined, undefined, fdOf(fd)), 'fsync'); },
	ftruncate(fd, length = 0) { done(call(TRUNCATE, undefined, undefined, fdOf(fd), undefined, undefined, undefined, undefined, undefined, length ?? 0), 'ftruncate'); },
	link(from, to) {
		const name = pathOf(from, 'existingPath'), dest = pathOf(to, 'newPath');
		done(call(LINK, name, dest), 'link', name, dest);
	},
	lstat: (path, options) => statusAt(path, 'lstat', NO_FOLLOW, options),
	lutimes: (path, accessed, modified) => setTimes(pathOf(path), accessed, modified, 'lutime'),
	mkdir: makeDirectory,
	mkdtemp(prefix, options) {
		const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', start = pathOf(prefix, 'prefix');
		for (;;) {
			const name = start + Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => letters[byte % letters.length]).join('');
			const answer = call(MAKE_DIRECTORY, name, undefined, undefined, undefined, 0o700);
			if (answer === -17)
				continue;
			done(answer, 'mkdtemp', start + 'XXXXXX');
			return toldName(name, optionsOf(options).encoding);
		}
	},
	open(path, flags, mode) {
		const stream = streamAt(path);
		return typeof stream === 'number' ? stream : openAt(path, flags, mode) + FIRST;
	},
	opendir(path, options) { return new Dir(pathOf(path), entriesOf(path, 'opendir'), options); },
	read(fd, bytes, ...rest) {
		if (bytes !== undefined && !ArrayBuffer.isView(bytes))
			({ buffer: bytes = Buffer.alloc(16384), ...rest[0] } = bytes);
		const [offset, length, position] = pieceOf(bytes ??= Buffer.alloc(16384), ...rest);
		return readInto(fdOf(fd), viewOf(bytes), offset, length, position);
	},
	readFile(path, options) {
		const { encoding, flag } = optionsOf(options);
		return told(withFile(path, flag ?? 'r', undefined, (file, status) => {
			const [, , size, , mode] = status();
			if ((mode & S_IFMT) === S_IFDIR)
				throw failure(21, 'read');
			return readRest(file, typeof path === 'number' ? 0 : size);
		}), encoding);
	},
	readdir: readDirectory,
	readlink: (path, options) => textAt(READ_LINK, path, 'readlink', options),
	readv(fd, views, position) {
		let read = 0;
		for (const view of views) {
			const got = sync.read(fd, view, 0, view.byteLength, position === null || position === undefined ? undefined : position + read);
			read += got;
			if (got < view.byteLength)
				break;
		}
		return read;
	},
	realpath: (path, options) => textAt(REAL_PATH, path, 'realpath', options),
	rename(from, to) {
		const name = pathOf(from, 'oldPath'), dest = pathOf(to, 'newPath');
		done(call(RENAME, name, dest), 'rename', name, dest);
	},
	rm: removeTree,
	rmdir(path, options) { options?.recursive ? removeTree(path, { recursive: true, force: true }) : removeAt(pathOf(path), DIRECTORY, 'rmdir'); },
	stat: (path, options) => statusAt(path, 'stat', 0, options),
	symlink(target, path) {
		const leads = pathOf(target, 'target'), name = pathOf(path);
		done(call(MAKE_LINK, name, leads), 'symlink', leads, name);
	},
	truncate(path, length = 0) { withFile(path, 'r+', undefined, (file) => done(call(TRUNCATE, undefined, undefined, file, undefined, undefined, undefined, undefined, undefined, length ?? 0), 'ftruncate')); },
	unlink(path) { removeAt(pathOf(path), 0, 'unlink'); },
	utimes: (path, accessed, modified) => setTimes(textAt(REAL_PATH, path, 'utime'), accessed, modified, 'utime'),
	write(fd, data, ...rest) {
		if (typeof data === 'string')
			return writeOut(fd, Buffer.from(data, rest[1] ?? 'utf8'), rest[0] ?? undefined);
		const bytes = bytesOf(data), [offset, length, position] = pieceOf(bytes, ...rest);
		return writeOut(fd, bytes.subarray(offset, offset + length), position);
	},
	writeFile(path, data, options) {
		const { encoding, flag = 'w', mode, flush } = optionsOf(options), bytes = bytesOf(data, encoding ?? 'utf8');
		path = streamAt(path);
		if (path === 1 || path === 2)
			return void binding.write(path, bytes);
		withFile(path, flag, mode, (file) => {
			writeAll(file, bytes);
			if (flush)
				done(call(SYNC, undefined, undefined, file), 'fsync');
		});
	},
	writev(fd, views, position) {
		return views.reduce((wrote, view) => wrote + sync.write(fd, view, 0, view.byteLength, position === null || position === undefined ? undefined : position + wrote), 0);
	},
};
const viewOf = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
function writeOut(fd, bytes, position) {
	if (fd === 1 || fd === 2) {
		binding.write(fd, bytes);
		return bytes.length;
	}
	return writeAll(fdOf(fd), bytes, position);
}
for (const name of ['chmod', 'chown', 'lchmod', 'lchown'])
	sync[name] = (path) => { throw failure(38, name, pathOf(path)); };
for (const name of ['fchmod', 'fchown'])
	sync[name] = () => { throw failure(38, name); };
sync.futimes = () => { throw failure(38, 'futime'); };
sync.statfs = () => unavailable('statfs');

class Dir {
	#entries;
	#at = 0;
	#closed = false;
	constructor(path, entries, options) {
		Object.defineProperty(this, 'path', { value: path, enumerable: true });
		this.#entries = entries.map(([name, kind]) => new Dirent(toldName(name, optionsOf(options).encoding), path, kind));
	}
	readSync() {
		if (this.#closed)
			refuse('Directory handle was closed', 'ERR_DIR_CLOSED', Error);
		return this.#entries[this.#at++] ?? null;
	}
	closeSync() {
		if (this.#closed)
			refuse('Directory handle was closed', 'ERR_DIR_CLOSED', Error);
		this.#closed = true;
	}
	read(callback) { return callback ? later(() => this.readSync(), callback) : promised(() => this.readSync()); }
	close(callback) { return callback ? later(() => this.closeSync(), callback) : promised(() => this.closeSync()); }
	async* entries() {
		try {
			for (let entry; (entry = await this.read()) !== null;)
				yield entry;
		} finally {
			this.#closed = true;
		}
	}
	[Symbol.asyncIterator]() { return this.entries(); }
}

// ---- Functions with callbacks and promises ----

const { setImmediate } = binding.timers;
function later(action, callback) {
	if (typeof callback !== 'function')
		refuse(`The "cb" argument must be of type function. Received ${described(callback)}`, 'ERR_INVALID_ARG_TYPE');
	let results;
	try {
		results = [null, action()];
	} catch (error) {
		// An error in the call's arguments is thrown.
		if (typeof error.errno !== 'number')
			throw error;
		results = [error];
	}
	setImmediate(() => callback(...results));
}
const promised = async (action) => action();

class FileHandle extends require('events') {
	#fd;
	constructor(fd) {
		super();
		this.#fd = fd;
	}
	get fd() { return this.#fd; }
	async close() {
		if (this.#fd === -1)
			return;
		const fd = this.#fd;
		this.#fd = -1;
		sync.close(fd);
		this.emit('close');
	}
	async read(bytes, ...rest) {
		if (bytes === undefined || !ArrayBuffer.isView(bytes)) {
			const { buffer = Buffer.alloc(16384), ...options } = bytes ?? {};
			return { bytesRead: sync.read(this.#fd, buffer, options), buffer };
		}
		return { bytesRead: sync.read(this.#fd, bytes, ...rest), buffer: bytes };
	}
	async readv(buffers, position) { return { bytesRead: sync.readv(this.#fd, buffers, position), buffers }; }
	async write(data, ...rest) { return { bytesWritten: sync.write(this.#fd, data, ...rest), buffer: data }; }
	async writev(buffers, position) { return { bytesWritten: sync.writev(this.#fd, buffers, position), buffers }; }
	async readFile(options) { return sync.readFile(this.#fd, options); }
	async writeFile(data, options) { sync.writeFile(this.#fd, data, options); }
	async appendFile(data, options) { sync.writeFile(this.#fd, data, options); }
	async stat(options) { return sync.fstat(this.#fd, options); }
	async truncate(length) { sync.ftruncate(this.#fd, length); }
	async sync() { sync.fsync(this.#fd); }
	async datasync() { sync.fdatasync(this.#fd); }
	async chmod() { sync.fchmod(); }
	async chown() { sync.fchown(); }
	async utimes() { sync.futimes(); }
	createReadStream(options) { return new ReadStream('', { ...options, fd: this }); }
	createWriteStream(options) { return new WriteStream('', { ...options, fd: this }); }
	async* readLines(options) { yield* linesOf(this.createReadStream({ encoding: 'utf8', ...options })); }
	async [Symbol.asyncDispose]() { await this.close(); }
}
async function* linesOf(stream) {
	let rest = '';
	for await (const chunk of stream) {
		const lines = (rest + chunk).split(/\r?\n/);
		rest = lines.pop();
		yield* lines;
	}
	if (rest !== '')
		yield rest;
}

// ---- Streams, whose module is loaded at the first use ----

let streams;
function makeStreams() {
	const { Readable, Writable } = require('stream');
	// Opens the file, unless it was given, and closes what it opened.
	const begin = (stream, path, options, flags) => {
		Object.assign(stream, { path: options.fd === undefined || options.fd === null ? pathOf(path) : path, flags: options.flags ?? flags, mode: options.mode ?? 0o666, fd: null, pending: true,
			_given: options.fd ?? undefined, _closes: options.autoClose ?? true, pos: options.start });
	};
	const open = (stream, ready) => {
		try {
			stream.fd = stream._given === undefined ? sync.open(stream.path, stream.flags, stream.mode) : stream._given instanceof FileHandle ? stream._given.fd : stream._given;
		} catch (error) {
			return ready(error);
		}
		stream.pending = false;
		ready();
		stream.emit('open', stream.fd);
		stream.emit('ready');
	};
	const close = (stream, error, ready) => {
		try {
			if (stream.fd !== null && stream._closes)
				stream._given instanceof FileHandle ? stream._given.close() : sync.close(stream.fd);
		} catch (failed) {
			error ??= failed;
		}
		stream.fd = null;
		ready(error);
	};
	class ReadStream extends Readable {
		constructor(path, options = {}) {
			options = optionsOf(options);
			super({ highWaterMark: options.highWaterMark ?? 65536, encoding: options.encoding ?? undefined, emitClose: options.emitClose ?? true, signal: options.signal });
			begin(this, path, options, 'r');
			this.start = options.start;
			this.end = options.end ?? Infinity;
			this.bytesRead = 0;
		}
		_construct(ready) { open(this, ready); }
		_read(size) {
			const start = this.start ?? 0, most = Math.min(size, this.end === Infinity ? size : this.end - start + 1 - this.bytesRead);
			if (most <= 0)
				return void this.push(null);
			try {
				const bytes = Buffer.allocUnsafe(Math.min(most, PIECE)), got = readInto(fdOf(this.fd), bytes, 0, bytes.length, this.start === undefined ? undefined : this.start + this.bytesRead);
				this.bytesRead += got;
				this.push(got > 0 ? bytes.subarray(0, got) : null);
			} catch (error) {
				this.destroy(error);
			}
		}
		_destroy(error, ready) { close(this, error, ready); }
		close(callback) {
			if (callback)
				this.once('close', callback);
			this.destroy();
		}
	}
	class WriteStream extends Writable {
		constructor(path, options = {}) {
			options = optionsOf(options);
			super({ highWaterMark: options.highWaterMark, decodeStrings: true, defaultEncoding: options.encoding ?? 'utf8', emitClose: options.emitClose ?? true, signal: options.signal });
			begin(this, path, options, options.start === undefined ? 'w' : 'r+');
			this.bytesWritten = 0;
		}
		_construct(ready) { open(this, ready); }
		_write(chunk, encoding, ready) {
			try {
				const wrote = writeOut(this.fd, viewOf(chunk), this.pos === undefined ? undefined : this.pos + this.bytesWritten);
				this.bytesWritten += wrote;
			} catch (error) {
				return ready(error);
			}
			ready();
		}
		_destroy(error, ready) { close(this, error, ready); }
		close(callback) {
			if (callback)
				this.once('close', callback);
			this.end();
		}
	}
	return { ReadStream, WriteStream };
}
// Both can be called without new, as in Node.
const streamClass = (name) => new Proxy(function () {}, {
	get: (_, key) => Reflect.get((streams ??= makeStreams())[name], key),
	has: (_, key) => key in (streams ??= makeStreams())[name],
	apply: (_, self, args) => new ((streams ??= makeStreams())[name])(...args),
	construct: (_, args, target) => Reflect.construct((streams ??= makeStreams())[name], args, target === exported[name] ? streams[name] : target),
});
const exported = { ReadStream: streamClass('ReadStream'), WriteStream: streamClass('WriteStream') };
const { ReadStream, WriteStream } = exported;

// ---- The module ----

const fs = { constants, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, Stats, Dirent, Dir, ReadStream, WriteStream, FileReadStream: ReadStream, FileWriteStream: WriteStream,
	createReadStream: (path, options) => new ReadStream(path, options), createWriteStream: (path, options) => new WriteStream(path, options) };
const promises = { constants };
for (const [name, action] of Object.entries(sync)) {
	const asked = { [name](...args) {
		const callback = args.pop();
		return later(() => action(...args), callback);
	} };
	fs[name + 'Sync'] = Object.defineProperty(action, 'name', { value: name + 'Sync' });
	fs[name] = asked[name];
	if (!/^f[cdsu]|^read$|^write$|^close$|v$|^fstat$|^ftruncate$/.test(name))
		promises[name] = { [name]: (...args) => promised(() => action(...args)) }[name];
}
// Callbacks with more than one result.
fs.read = (fd, bytes, ...rest) => {
	const callback = rest.pop() ?? refuse('The "cb" argument must be of type function.', 'ERR_INVALID_ARG_TYPE');
	if (!ArrayBuffer.isView(bytes)) {
		const { buffer = Buffer.alloc(16384), ...options } = typeof bytes === 'object' && bytes !== null ? bytes : {};
		[bytes, rest] = [buffer, [options]];
	}
	later(() => sync.read(fd, bytes, ...rest), (error, count) => callback(error, count ?? 0, bytes));
};
fs.write = (fd, data, ...rest) => {
	const callback = rest.pop();
	later(() => sync.write(fd, data, ...rest), (error, count) => callback(error, count ?? 0, data));
};
for (const name of ['readv', 'writev'])
	fs[name] = (fd, views, ...rest) => {
		const callback = rest.pop();
		later(() => sync[name](fd, views, ...rest), (error, count) => callback(error, count ?? 0, views));
	};
fs.existsSync = (path) => {
	try {
		return statusAt(path, 'access', 0, { throwIfNoEntry: false }) !== undefined;
	} catch {
		return false;
	}
};
fs.exists = (path, callback) => setImmediate(() => callback(fs.existsSync(path)));
const custom = Symbol.for('nodejs.util.promisify.custom');
fs.exists[custom] = async (path) => fs.existsSync(path);
fs.read[custom] = (fd, bytes, ...rest) => promised(() => ({ bytesRead: sync.read(fd, bytes, ...rest), buffer: bytes }));
fs.write[custom] = (fd, data, ...rest) => promised(() => ({ bytesWritten: sync.write(fd, data, ...rest), buffer: data }));
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;
// Files that fit a pattern.
const globbed = (pattern, options) => [...require('internal/glob').globSync(pattern, options)];
fs.globSync = globbed;
fs.glob = (pattern, options, callback) => typeof options === 'function' ? later(() => globbed(pattern), options) : later(() => globbed(pattern, options), callback);
promises.glob = async function* (pattern, options) { yield* require('internal/glob').globSync(pattern, options); };
fs.openAsBlob = (path, { type = '' } = {}) => promised(() => new Blob([sync.readFile(path)], { type }));
for (const name of ['watch', 'watchFile', 'unwatchFile'])
	fs[name] = () => unavailable(name);
promises.open = (path, flags, mode) => promised(() => new FileHandle(sync.open(path, flags, mode)));
promises.readFile = (path, options) => promised(() => sync.readFile(path instanceof FileHandle ? path.fd : path, options));
promises.writeFile = async (path, data, options) => {
	if (data !== null && typeof data === 'object' && !ArrayBuffer.isView(data)) {
		const pieces = [];
		for await (const piece of data)
			pieces.push(bytesOf(piece, optionsOf(options).encoding ?? 'utf8'));
		data = Buffer.concat(pieces);
	}
	sync.writeFile(path instanceof FileHandle ? path.fd : path, data, options);
};
promises.watch = () => unavailable('promises.watch');
fs.promises = promises;
module.exports = fs;
