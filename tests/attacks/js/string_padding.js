// expect: memory threw deadline
for (const kept = []; ; ) kept.push('x'.padStart(2 ** 29, 'abc'), 'y'.repeat(2 ** 29))
