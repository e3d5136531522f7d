// SPDX-License-Identifier: Apache-2.0
import { answer } from '../util.js';
export default answer + 1;
