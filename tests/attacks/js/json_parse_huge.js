// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const text = '[' + '{"a":[1,2,"x"]},'.repeat(200000) + '0]'; for (;;) JSON.parse(text, (k, v) => v)
