// expect: deadline
// SPDX-License-Identifier: Apache-2.0
Object.defineProperty(globalThis, 'undefined_name', { get() { for (;;); } }); undefined_name
