// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
(async function again() { try { await Promise.reject(1) } catch { return again() } finally { await null } })()
