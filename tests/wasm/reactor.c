/* SPDX-License-Identifier: Apache-2.0 */
/* A reactor. Its constructor runs before the function that is called, which may use all of the C library. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double *table;

__attribute__((constructor)) static void make_table(void)
{
	table = malloc(100 * sizeof *table);
	for (int i = 0; i < 100; i++)
		table[i] = sqrt(i);
}

__attribute__((export_name("root"))) double root(int i)
{
	printf("root of %d\n", i);
	return i >= 0 && i < 100 ? table[i] : -1;
}
