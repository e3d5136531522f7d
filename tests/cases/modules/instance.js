// SPDX-License-Identifier: Apache-2.0
// A module has one instance, however it is imported.
// outcome: ok
// value: [2,true]
import { up } from './lib/counter.js';
const again = await import('./lib/counter.js');
up(); up();
export default [again.count, up === again.up];
