// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [null,"module"]
export default [this ?? null, typeof this === 'undefined' ? 'module' : 'script'];
