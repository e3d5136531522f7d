// SPDX-License-Identifier: Apache-2.0
// outcome: bad_program
// error.name: SyntaxError
// error.message~: nothing
import { nothing } from './lib/util.js';
