// expect: deadline
JSON.stringify({ a: [{ toJSON() { for (;;); } }] })
