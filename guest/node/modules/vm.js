// SPDX-License-Identifier: Apache-2.0
// A program has one realm: scripts run in this context, and no other context can be made. What a script declares with
// let, const or class stays inside it.
const { needs, wrongType } = require('internal/errors');

const absent = (what) => Object.assign(new Error(`vm.${what} is not here: a program has one realm here`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
const evaluate = (code, filename) => (0, eval)(filename === undefined ? code : `${code}\n//# sourceURL=${filename.replace(/\s/g, '%20')}`);
const filenameOf = (options) => typeof options === 'string' ? options : options?.filename;

class Script {
	#code;
	#filename;
	constructor(code, options) {
		this.#code = `${code}`;
		this.#filename = filenameOf(options);
		new Function(this.#code); // reports an error of its syntax now
	}
	runInThisContext() { return evaluate(this.#code, this.#filename); }
	runInContext() { throw absent('Script.runInContext'); }
	runInNewContext() { throw absent('Script.runInNewContext'); }
	createCachedData() { throw absent('Script.createCachedData'); }
	get sourceMapURL() { return /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(this.#code)?.[1]; }
}
function compileFunction(code, params = [], options = {}) {
	needs.text(code, 'code');
	if (!Array.isArray(params))
		wrongType('params', 'an instance of Array', params);
	if (options.parsingContext !== undefined)
		throw absent('compileFunction with parsingContext');
	return Object.defineProperty(new Function(...params, code), 'name', { value: '', configurable: true });
}
const isContext = (object) => {
	needs.object(object, 'object');
	return false;
};
module.exports = { Script, createScript: (code, options) => new Script(code, options), runInThisContext: (code, options) => new Script(code, options).runInThisContext(), compileFunction, isContext,
	constants: { __proto__: null, USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol('vm_dynamic_import_main_context_default'), DONT_CONTEXTIFY: Symbol('vm_context_no_contextify') } };
for (const name of ['createContext', 'runInContext', 'runInNewContext', 'measureMemory'])
	module.exports[name] = () => { throw absent(name); };
for (const name of ['Module', 'SourceTextModule', 'SyntheticModule'])
	module.exports[name] = class { constructor() { throw absent(name); } };
