// expect: deadline memory threw stack
// SPDX-License-Identifier: Apache-2.0
let o = null; for (let i = 0; i < 300000; i++) o = { o }; o = null; for (;;);
