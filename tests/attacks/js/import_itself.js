// expect: unsettled threw
// SPDX-License-Identifier: Apache-2.0
for (;;) { await import('./import_itself.js'); } export {}
