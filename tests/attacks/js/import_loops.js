// expect: host_calls
// SPDX-License-Identifier: Apache-2.0
for (;;) { try { await import('./import_loops.js?' + Math.random()) } catch {} } export {}
