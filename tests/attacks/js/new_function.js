// expect: deadline
for (let i = 0; ; i++) new Function('a', `for (;;) { try { return ${i} } finally { break } }`)(i)
