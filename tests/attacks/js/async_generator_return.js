// expect: deadline
// SPDX-License-Identifier: Apache-2.0
async function* g() { try { yield 1 } finally { for (;;) await null } } for await (const x of g()) break; export {}
