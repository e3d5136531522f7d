// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
for (;;) { let head = {}, at = head; for (let i = 0; i < 20000; i++) at = at.next = { head, at }; head = null }
