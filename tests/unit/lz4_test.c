/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 blocks: packed data is unpacked unchanged, and a damaged block never writes beyond its buffer. */
#include "common/lz4.h"

#include "../harness.h"

#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

static uint32_t next(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static uint8_t *exactly(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	if (length)
		memcpy(copy, bytes, length);
	return copy;
}

/* Unpacks into a buffer of exactly that size, so that a sanitizer detects a byte too many. */
static void packs_and_unpacks(const uint8_t *bytes, size_t length)
{
	size_t packed;
	uint8_t *block = curfew__lz4_pack(bytes, length, &packed), *to = malloc(length + 1);

	CHECK(block != NULL);
	uint8_t *tight = exactly(block, packed);
	to[length] = 0xa5;
	CHECK(curfew__lz4_unpack(tight, packed, to, length));
	CHECK_EQUAL(to[length], 0xa5);
	if (length)
		CHECK_BYTES(to, bytes, length);
	CHECK(!curfew__lz4_unpack(tight, packed, to, length + 1));
	if (length)
		CHECK(!curfew__lz4_unpack(tight, packed, to, length - 1));
	CHECK_EQUAL(to[length], 0xa5);
	free(tight);
	free(to);
	free(block);
}

static void test_lengths(void)
{
	uint8_t bytes[2000] = {0};

	for (size_t length = 0; length < 600; length++) {
		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)next();
		packs_and_unpacks(bytes, length);
		memset(bytes, 'x', length);
		packs_and_unpacks(bytes, length);
		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)(i % 7 ? i / 9 : next() & 3);
		packs_and_unpacks(bytes, length);
	}
}

/* Matches at the maximum distance, and just beyond it. */
static void test_distances(void)
{
	size_t length = 200000;
	uint8_t *bytes = malloc(length);

	for (size_t distance = 65530; distance < 65540; distance++) {
		for (size_t i = 0; i < length; i++)
			bytes[i] = i < distance ? (uint8_t)next() : bytes[i - distance];
		packs_and_unpacks(bytes, length);
	}
	free(bytes);
}

static void test_it_becomes_smaller(void)
{
	size_t length = 100000, packed;
	uint8_t *bytes = malloc(length);

	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)("the same words again "[i % 21] + (next() % 50 == 0));
	free(curfew__lz4_pack(bytes, length, &packed));
	CHECK(packed < length / 3);
	free(bytes);
}

static void test_damage(void)
{
	uint8_t bytes[3000], to[3001];
	size_t packed;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i / 50 * 3 + (next() & 1));
	uint8_t *block = curfew__lz4_pack(bytes, sizeof bytes, &packed);
	for (size_t cut = 0; cut < packed; cut++) {
		uint8_t *tight = exactly(block, cut);
		to[3000] = 0xa5;
		CHECK(!curfew__lz4_unpack(tight, cut, to, 3000));
		CHECK_EQUAL(to[3000], 0xa5);
		free(tight);
	}
	for (int i = 0; i < 20000; i++) {
		uint8_t *tight = exactly(block, packed);
		for (int j = 0; j < 3; j++)
			tight[next() % packed] = (uint8_t)next();
		(void)curfew__lz4_unpack(tight, packed, to, 3000);
		CHECK_EQUAL(to[3000], 0xa5);
		free(tight);
	}
	/* A length that would overflow. */
	uint8_t *endless = malloc(100000);
	memset(endless, 255, 100000);
	CHECK(!curfew__lz4_unpack(endless, 100000, to, 3000));
	free(endless);
	free(block);
}

static const harness_test tests[] = {
	{.name = "lengths", .run = test_lengths},
	{.name = "distances", .run = test_distances},
	{.name = "it_becomes_smaller", .run = test_it_becomes_smaller},
	{.name = "damage", .run = test_damage},
};

HARNESS_MAIN(tests)
