// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const o = { then(resolve) { resolve({ then: o.then }) } }; (async () => { await o })()
