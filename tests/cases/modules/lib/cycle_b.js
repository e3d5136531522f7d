// SPDX-License-Identifier: Apache-2.0
import { a } from './cycle_a.js';
export const b = () => typeof a;
