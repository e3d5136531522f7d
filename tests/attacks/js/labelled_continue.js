// expect: deadline
// SPDX-License-Identifier: Apache-2.0
outer: for (;;) { for (;;) { do { try { continue outer } finally { if (1) continue outer } } while (1) } }
