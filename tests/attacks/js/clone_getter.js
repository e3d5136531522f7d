// expect: deadline
structuredClone({ get a() { for (;;); } })
