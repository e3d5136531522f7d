// SPDX-License-Identifier: Apache-2.0
// args: --call main
// outcome: threw
// error.name: TypeError
// error.message: the value has no JSON at .self: Converting circular structure to JSON
globalThis.main = async () => { const o = {}; o.self = o; return o };
