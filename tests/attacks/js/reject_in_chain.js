// expect: deadline
(async function again() { try { await Promise.reject(1) } catch { return again() } finally { await null } })()
