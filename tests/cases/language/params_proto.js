// SPDX-License-Identifier: Apache-2.0
// args: --params '[{"__proto__":{"x":1}}]'
// outcome: ok
// value: [true,null]
export default p => [Object.hasOwn(p, '__proto__'), p.x ?? null];
