// SPDX-License-Identifier: Apache-2.0
import { b } from './cycle_b.js';
export const a = () => 'a' + b();
