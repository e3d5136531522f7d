// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: from util
// frames: fail lib/util.js:4:* | <anonymous> throws_in_import.js:6:*
import { fail } from './lib/util.js';
fail();
