// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: 42
import { answer } from './lib/inside.js';
export default answer;
