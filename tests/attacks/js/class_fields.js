// expect: deadline
// SPDX-License-Identifier: Apache-2.0
class A { x = (() => { for (;;); })(); static y = 1 } new A
