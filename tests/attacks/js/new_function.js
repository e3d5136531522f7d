// expect: deadline
// SPDX-License-Identifier: Apache-2.0
for (let i = 0; ; i++) new Function('a', `for (;;) { try { return ${i} } finally { break } }`)(i)
