// SPDX-License-Identifier: Apache-2.0
// What eval and Function compile imports relative to the file that calls them.
// outcome: ok
// value: [42,42,42,42]
import * as imports from './lib/evals.js';
export default (await Promise.all(Object.values(imports))).map(({ answer }) => answer);
