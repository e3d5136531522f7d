// expect: threw stack deadline memory
new RegExp('('.repeat(1e6) + ')'.repeat(1e6)).test('a')
