// expect: threw deadline memory
// SPDX-License-Identifier: Apache-2.0
const a = []; a.push(a, a); a.flat(Infinity)
