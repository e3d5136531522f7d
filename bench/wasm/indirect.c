/* SPDX-License-Identifier: Apache-2.0 */
/* Calls through a table of functions, like those of methods. */
enum { CALLS = 8000000 };

static int add(int x)
{
	return x + 3;
}
static int twist(int x)
{
	return x ^ x << 5;
}
static int shrink(int x)
{
	return x >> 1;
}
static int flip(int x)
{
	return ~x;
}

static int (*volatile functions[4])(int) = {add, twist, shrink, flip};

__attribute__((export_name("run"))) int run(void)
{
	int x = 1;

	for (int i = 0; i < CALLS; i++)
		x = functions[(x ^ i) & 3](x);
	return x;
}
