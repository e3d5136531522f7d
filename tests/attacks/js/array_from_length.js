// expect: threw
Array.from({ length: 2 ** 53 })
