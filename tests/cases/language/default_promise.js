// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: "settled"
export default new Promise(go => setTimeout(go, 2, 'settled'));
