// expect: deadline memory
for (;;) { let head = {}, at = head; for (let i = 0; i < 20000; i++) at = at.next = { head, at }; head = null }
