// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [3,"b",[1,2],"fallback",6,"A","x-y"]
class A { #p = 3; static { this.made = true } get p() { return this.#p } static name2 = 'A' }
const { a = 'b', ...rest } = {};
label: { break label }
[new A().p, a, [...new Set([1, 1, 2])], null ?? 'fallback', [1, 2, 3].reduce((x, y) => x + y), A.name2, 'x_y'.replaceAll('_', '-')];
