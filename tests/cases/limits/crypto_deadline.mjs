// SPDX-License-Identifier: Apache-2.0
// The deadline stops the derivation of a key that takes hours.
// args: --timeout 300ms
// outcome: deadline
const password = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4294967295 }, password, 256);
