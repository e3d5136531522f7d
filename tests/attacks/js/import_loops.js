// expect: host_calls
// SPDX-License-Identifier: Apache-2.0
for (;;) { try { await import('./no_such_' + Math.random() + '.js') } catch {} } export {}
