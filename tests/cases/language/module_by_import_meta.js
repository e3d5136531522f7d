// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: "object"
export default typeof import.meta;
