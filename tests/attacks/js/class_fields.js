// expect: deadline
class A { x = (() => { for (;;); })(); static y = 1 } new A
