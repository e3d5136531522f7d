// expect: threw deadline memory
const a = []; a.push(a, a); a.flat(Infinity)
