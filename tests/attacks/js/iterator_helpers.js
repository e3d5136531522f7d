// expect: deadline
function* one() { for (;;) yield 1 } one().filter(() => false).map(x => x).take(Infinity).toArray()
