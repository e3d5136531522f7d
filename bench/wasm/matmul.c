/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices of doubles. */
enum { SIZE = 200, ROUNDS = 4 };

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

__attribute__((export_name("run"))) int run(void)
{
	double sum = 0;

	for (int i = 0; i < SIZE; i++)
		for (int j = 0; j < SIZE; j++) {
			a[i][j] = (i * 7 + j) % 11;
			b[i][j] = (i + j * 5) % 13;
		}
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < SIZE; i++)
			for (int j = 0; j < SIZE; j++) {
				double cell = 0;
				for (int k = 0; k < SIZE; k++)
					cell += a[i][k] * b[k][j];
				c[i][j] = cell + round;
			}
	for (int i = 0; i < SIZE; i++)
		sum += c[i][(i * 3) % SIZE];
	return (int)sum;
}
