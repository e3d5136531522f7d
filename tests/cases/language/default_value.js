// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: {"a":[1]}
export default { a: [1] };
export const other = 2;
