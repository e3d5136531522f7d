// expect: deadline output memory threw stack
let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; console.dir(o, { depth: Infinity }); for (;;) console.log(o)
