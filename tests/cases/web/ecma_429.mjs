// SPDX-License-Identifier: Apache-2.0
// Each interface and global of ECMA-429, WinterTC's minimum common API, exists except WebAssembly, with its members.
// outcome: ok
// value: ["WebAssembly: WebAssembly"]
import rows from './lib/ecma_429.mjs';

export default rows.filter(({ missing }) => missing.length > 0).map(({ name, missing }) => name + ': ' + missing.join(', '));
