// expect: deadline memory threw stack
let o = null; for (let i = 0; i < 300000; i++) o = { o }; o = null; for (;;);
