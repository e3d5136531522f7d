// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: spin lib/util.js:7:* | <anonymous> spins_in_import.js:6:1
import { spin } from './lib/util.js';
spin();
