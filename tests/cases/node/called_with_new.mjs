// SPDX-License-Identifier: Apache-2.0
// Functions that Node lets be called with `new`; process.exit refuses a text that is no number.
// args: --node
// outcome: ok
// value: [32,1,"ERR_INVALID_ARG_TYPE","ERR_OUT_OF_RANGE"]
import crypto from 'node:crypto';
const codeOf = (action) => { try { action(); } catch (error) { return error.code; } };
export default [new crypto.createHash('sha256').digest().length, new crypto.createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16)).update('a').length, codeOf(() => process.exit('x')), codeOf(() => process.exit(1.5))];
