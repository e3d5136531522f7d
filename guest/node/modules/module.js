// SPDX-License-Identifier: Apache-2.0
const names = binding.builtinNames();
const isBuiltin = (name) => names.includes(String(name).replace(/^node:/, ''));
const createRequire = (from) => {
	const text = String(from), path = text.startsWith('file:') ? require('url').fileURLToPath(text) : text;
	if (!path.startsWith('/'))
		throw Object.assign(new TypeError('The argument of createRequire is neither a file URL nor an absolute path: ' + text), { code: 'ERR_INVALID_ARG_VALUE' });
	return binding.makeRequire(path.slice(1));
};
class Module {}
module.exports = Object.assign(Module, { Module, builtinModules: names, isBuiltin, createRequire, _load: (name) => createRequire('/')(name), findPackageJSON: undefined,
	register() { throw new Error('hooks of module loading are not here'); }, syncBuiltinESMExports() {}, enableCompileCache: () => ({ status: 3 }) });
