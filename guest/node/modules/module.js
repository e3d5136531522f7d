// SPDX-License-Identifier: Apache-2.0
const names = binding.builtinNames();
const prefix = 'node:';
const isBuiltin = (name) => typeof name === 'string' && (names.includes(name) || (name.startsWith(prefix) && names.includes(name.slice(5))));
const createRequire = (from) => {
	const text = String(from), path = text.startsWith('file:') ? require('url').fileURLToPath(text) : text;
	if (!path.startsWith('/'))
		throw Object.assign(new TypeError(`The argument 'filename' must be a file URL object, file URL string, or absolute path string. Received ${binding.inspect(from)}`), { code: 'ERR_INVALID_ARG_VALUE' });
	return binding.makeRequire(path.slice(1));
};
const absent = (what, why) => () => { throw Object.assign(new Error(`module.${what} is not here: ${why}`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' }); };
class Module {}
const wrapper = ['(function (exports, require, module, __filename, __dirname) { ', '\n});'];
// The directories that a package is looked for in, from a directory upwards.
const nodeModulePaths = (from) => {
	const parts = require('path').resolve(from).split('/').filter(Boolean), paths = [];
	for (let count = parts.length; count >= 0; count--) {
		if (parts[count - 1] !== 'node_modules')
			paths.push('/' + [...parts.slice(0, count), 'node_modules'].join('/'));
	}
	return paths;
};
module.exports = Object.assign(Module, { Module, builtinModules: names, isBuiltin, createRequire, wrap: (code) => wrapper[0] + code + wrapper[1], wrapper, globalPaths: [], _load: (name) => createRequire('/')(name),
	_nodeModulePaths: nodeModulePaths, _cache: Object.create(null), _extensions: Object.create(null), _pathCache: Object.create(null),
	_resolveFilename: (name, parent) => isBuiltin(name) ? name : createRequire(parent?.filename ?? '/').resolve(name),
	register: absent('register', 'hooks of module loading are not here'), runMain: absent('runMain', 'the program runs already'), findSourceMap() {}, syncBuiltinESMExports() {},
	constants: { compileCacheStatus: { __proto__: null, FAILED: 0, ENABLED: 1, ALREADY_ENABLED: 2, DISABLED: 3 } }, enableCompileCache: () => ({ status: 3 }), getCompileCacheDir() {}, flushCompileCache() {} });
Object.defineProperty(Module, 'SourceMap', { configurable: true, enumerable: true, get: () => require('internal/source_map') });
