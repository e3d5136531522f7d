// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const r = new FinalizationRegistry(() => { for (;;); })
for (let i = 0; ; i++) { r.register({ i, self: new WeakRef({ i }) }, i); if (i % 1000 === 0) await null }
export {}
