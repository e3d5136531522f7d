// SPDX-License-Identifier: Apache-2.0
// args: --params '["x"]'
// outcome: ok
// value: "xx"
export default async (s) => { await new Promise(go => setTimeout(go, 2)); return s + s };
