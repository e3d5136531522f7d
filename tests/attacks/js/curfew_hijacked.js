// expect: deadline
try { globalThis.curfew = { signal: { aborted: false }, limits: {} } } catch {}
AbortSignal.prototype.throwIfAborted = EventTarget.prototype.dispatchEvent = () => {}
Object.defineProperty(AbortSignal.prototype, 'aborted', { get: () => false }); for (;;);
