// SPDX-License-Identifier: Apache-2.0
// import.meta.main tells the program itself from what it imports.
// outcome: ok
// value: [true,false]
import other from './lib/is_main.mjs';
export default [import.meta.main, other];
