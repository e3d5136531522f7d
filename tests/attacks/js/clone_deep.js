// expect: threw stack deadline memory
let o = {}; for (let i = 0; i < 1e5; i++) o = { o, n: [o] }; structuredClone(o); for (;;) structuredClone(o)
