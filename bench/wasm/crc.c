/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 with a table: a load that depends on the one before, in a loop of few instructions. */
enum { SIZE = 1 << 20, ROUNDS = 8 };

static unsigned table[256];
static unsigned char data[SIZE];

__attribute__((export_name("run"))) int run(void)
{
	unsigned crc = ~0u;

	for (unsigned i = 0; i < 256; i++) {
		unsigned entry = i;
		for (int bit = 0; bit < 8; bit++)
			entry = entry >> 1 ^ (entry & 1 ? 0xedb88320u : 0);
		table[i] = entry;
	}
	for (unsigned i = 0; i < SIZE; i++)
		data[i] = (unsigned char)(i * 2654435761u >> 24);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < SIZE; i++)
			crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
	return (int)~crc;
}
