// expect: deadline
// SPDX-License-Identifier: Apache-2.0
({ toJSON() { for (;;) try { for (;;); } finally { continue } } })
