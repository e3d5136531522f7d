// expect: deadline
await { then() {} }; export {}
