// expect: deadline
setTimeout(() => {}, { valueOf() { for (;;); } })
