// SPDX-License-Identifier: Apache-2.0
// The frame is in the file that contains the mistake.
// outcome: bad_program
// error.name: SyntaxError
// frames: * lib/broken.js:2:18
import './lib/broken.js';
