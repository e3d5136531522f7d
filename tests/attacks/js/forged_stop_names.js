// expect: threw
// SPDX-License-Identifier: Apache-2.0
const e = new Error('the deadline passed'); e.name = 'deadline'; Object.defineProperty(e, 'stack', { value: '    at forged (forged.js:1:1)' }); throw e
