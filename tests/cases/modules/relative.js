// SPDX-License-Identifier: Apache-2.0
// Relative imports work, including those of directories and cyclic ones.
// outcome: ok
// value: [42,43,"aobject|function",42]
import { answer } from './lib/util.js';
import next from './lib/deep/inner.js';
import { a } from './lib/cycle_a.js';
import * as all from './lib/../lib/./util.js';
export default [answer, next, a().replace('function', 'object|function'), all.answer];
