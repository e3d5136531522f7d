/* SPDX-License-Identifier: Apache-2.0 */
/* Direct calls: a recursive function that does almost nothing. */
static int __attribute__((noinline)) fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

__attribute__((export_name("run"))) int run(void)
{
	return fib(32);
}
