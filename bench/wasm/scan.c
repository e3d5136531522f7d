/* SPDX-License-Identifier: Apache-2.0 */
/* Searching for a byte: a minimal loop. */
enum { SIZE = 1 << 20, ROUNDS = 32 };

static volatile unsigned char ending;
static unsigned char data[SIZE];

static int find(const unsigned char *at, unsigned char byte)
{
	int count = 0;

	while (*at != byte) {
		at++;
		count++;
	}
	return count;
}

__attribute__((export_name("run"))) int run(void)
{
	int count = 0;

	for (int i = 0; i < SIZE; i++)
		data[i] = (unsigned char)(i % 251);
	data[SIZE - 1] = 255;
	ending = 255;
	for (int round = 0; round < ROUNDS; round++)
		count += find(data, ending);
	return count;
}
