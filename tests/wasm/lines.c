/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -g: a trap shows files and lines, inlined calls too. The test knows the lines. */
static volatile int zero;

static inline __attribute__((always_inline)) int divide(int by)
{
	return 100 / by;
}

__attribute__((noinline)) static int middle(int by)
{
	return divide(by) + 1;
}

__attribute__((export_name("run"))) int run(void)
{
	return middle(zero) + 1;
}
