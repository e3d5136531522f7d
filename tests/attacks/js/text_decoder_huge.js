// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const bytes = new Uint8Array(2 ** 23).fill(0xe2); for (;;) { new TextDecoder().decode(bytes); new TextEncoder().encode('é'.repeat(2 ** 20)) }
