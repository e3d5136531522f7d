// SPDX-License-Identifier: Apache-2.0
// Columns count characters, in imported files as in the program.
// outcome: threw
// frames: fail lib/wide.js:2:62 | <anonymous> columns_of_import.mjs:6:9
import { fail } from './lib/wide.js';
/* 😀 */ fail();
