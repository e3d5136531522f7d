/* SPDX-License-Identifier: Apache-2.0 */
/* A sieve of a million bytes. */
enum { SIZE = 1000000, ROUNDS = 4 };

static unsigned char crossed[SIZE];

__attribute__((export_name("run"))) int run(void)
{
	int count = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < SIZE; i++)
			crossed[i] = 0;
		for (int i = 2; i < SIZE; i++) {
			if (crossed[i])
				continue;
			count++;
			for (int j = 2 * i; j < SIZE; j += i)
				crossed[j] = 1;
		}
	}
	return count;
}
