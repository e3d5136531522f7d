/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting: recursion, and unpredictable branches. */
enum { SIZE = 500000 };

static int values[SIZE];

static void sort(int low, int high)
{
	while (low < high) {
		int pivot = values[low + (high - low) / 2], i = low - 1, j = high + 1;
		for (;;) {
			while (values[++i] < pivot)
				;
			while (values[--j] > pivot)
				;
			if (i >= j)
				break;
			int other = values[i];
			values[i] = values[j];
			values[j] = other;
		}
		sort(low, j);
		low = j + 1;
	}
}

__attribute__((export_name("run"))) int run(void)
{
	unsigned random = 12345;

	for (int i = 0; i < SIZE; i++) {
		random = random * 1664525 + 1013904223;
		values[i] = (int)(random >> 4);
	}
	sort(0, SIZE - 1);
	return values[SIZE / 2] ^ values[SIZE - 1];
}
