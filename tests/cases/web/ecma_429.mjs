// SPDX-License-Identifier: Apache-2.0
// Each interface and each global of ECMA-429, WinterTC's minimum common API, is there but for WebAssembly; the members of each.
// outcome: ok
// value: ["WebAssembly: WebAssembly"]
import rows from './lib/ecma_429.mjs';

export default rows.filter(({ missing }) => missing.length > 0).map(({ name, missing }) => name + ': ' + missing.join(', '));
