// SPDX-License-Identifier: Apache-2.0
const posix = require('../node_modules/path-browserify/index.js');
const win32 = require('internal/path_win32');

// The functions of Node's name the argument that is not a string, by a code as well.
const { names, needText, wrap } = win32._shared;
posix.toNamespacedPath = (path) => path;
posix.format = ({ dir, root, base, name = '', ext = '' }) => {
	const top = dir || root, file = base || name + (ext === '' || ext.startsWith('.') ? ext : '.' + ext);
	return !top ? file : top === root ? top + file : top + '/' + file;
};
for (const name of names)
	posix[name] = wrap(posix[name], name);
delete win32._shared;
const matches = (windows) => (path, pattern) => {
	needText(path, 'path');
	needText(pattern, 'pattern');
	return require('internal/glob').matchesGlob(path, pattern, windows);
};
posix.matchesGlob = { matchesGlob: matches(false) }.matchesGlob;
win32.matchesGlob = { matchesGlob: matches(true) }.matchesGlob;
posix.posix = win32.posix = posix;
posix.win32 = win32.win32 = win32;
posix._makeLong = posix.toNamespacedPath;
win32._makeLong = win32.toNamespacedPath;
module.exports = posix;
