// expect: memory deadline
[...new Array(2 ** 32 - 1)]
