// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: while loading
// frames: <anonymous> lib/throws.js:2:*
import './lib/throws.js';
