// SPDX-License-Identifier: Apache-2.0
// Call sites of Error.prepareStackTrace and Error.captureStackTrace, in the way that depd and others read them.
// args: --node --timeout 60s
// outcome: ok
// value: {"caller":["caller",16,true,"call_sites.mjs",false,false,false,true,true,null],"top":[null,18,true,"call_sites.mjs",false,false,false,true,true,null],"made":[17,true,"call_sites.mjs",false,true,false,false],"native":["map"],"text":"caller (call_sites.mjs:16:28)","prepared":"own:thrower","thrown":"string","plain":"TypeError: own","unset":true,"captured":true}
function getStack() {
	const limit = Error.stackTraceLimit, target = {}, before = Error.prepareStackTrace;
	Error.prepareStackTrace = (_, sites) => sites;
	Error.stackTraceLimit = Math.max(10, limit);
	Error.captureStackTrace(target);
	const sites = target.stack.slice(1);
	Error.prepareStackTrace = before;
	Error.stackTraceLimit = limit;
	return sites;
}
function caller() { return getStack(); }
class Made { constructor() { this.sites = getStack(); } }
const sites = caller(), [made] = new Made().sites, [, native] = [1].map(() => getStack())[0];
const tell = (site) => [site.getFunctionName(), site.getLineNumber(), site.getColumnNumber() > 0, site.getFileName()?.split('/').pop() ?? null, site.isNative(), site.isConstructor(), site.isEval(), site.isToplevel?.() === true, site.getThis() === undefined, site.getEvalOrigin?.() ?? null];
const told = { caller: tell(sites[0]), top: tell(sites[1]), made: tell(made).slice(1, 8), native: [native.getFunctionName()], text: String(sites[0]).replace(/file:.*\//, '') };
// An error's own stack, during its preparation and afterwards.
Error.prepareStackTrace = (error, list) => error.message + ':' + list[0].getFunctionName();
function thrower() { return new TypeError('own'); }
told.prepared = thrower().stack;
try { null.x; } catch (error) { told.thrown = typeof error.stack; }
Error.prepareStackTrace = undefined;
told.plain = thrower().stack.split('\n')[0];
const error = new Error('x'); error.stack = undefined; told.unset = error.stack === undefined;
class Http extends Error { constructor(m) { super(m); Error.captureStackTrace(this, Http); } }
const f = () => new Http('h'); told.captured = /^Error: h\n    at f /.test(f().stack);
export default told;
