// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: "waited"
import { waited } from './lib/waits.js';
export default waited;
