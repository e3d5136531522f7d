// SPDX-License-Identifier: Apache-2.0
// A key that takes hours to derive is stopped in the middle by the deadline.
// args: --timeout 300ms
// outcome: deadline
const password = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4294967295 }, password, 256);
