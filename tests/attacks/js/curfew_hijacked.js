// expect: deadline
// SPDX-License-Identifier: Apache-2.0
try { globalThis.curfew = { signal: { aborted: false }, limits: {} } } catch {}
AbortSignal.prototype.throwIfAborted = EventTarget.prototype.dispatchEvent = () => {}
Object.defineProperty(AbortSignal.prototype, 'aborted', { get: () => false }); for (;;);
