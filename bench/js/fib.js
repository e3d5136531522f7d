// SPDX-License-Identifier: Apache-2.0
// Calls and small integers: Fibonacci by plain recursion.
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
fib(27);
