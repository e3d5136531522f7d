// expect: deadline
/^([\w\s]|\p{L})+$/iu.test('aB'.repeat(30) + '!')
