/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block is a list of sequences. A sequence is a byte with two lengths of four bits, literals, a distance of two
 * bytes, and a match of the second length, which is copied from that distance back. A length of 15 continues in the
 * following bytes. The last sequence has only literals.
 */
#include "common/lz4.h"

#include <stdlib.h>
#include <string.h>

#define MATCH_MIN 4
#define DISTANCE_MAX 65535
/* The format requires that the last bytes are literals, and that no match begins shortly before them. */
#define LAST_LITERALS 5
#define LAST_MATCH 12
#define WIDE 16

/* ---- Unpacking ---------------------------------------------------------------------------------------------- */

/* Reads the rest of a length whose four bits are all set. False: the block ends inside it, or it is absurd. */
static bool read_length(const uint8_t **from, const uint8_t *end, size_t *length)
{
	if (*length != 15)
		return true;
	while (*from < end && *length < SIZE_MAX / 2) {
		uint8_t more = *(*from)++;
		*length += more;
		if (more != 255)
			return true;
	}
	return false;
}

/* Copies a match. If it overlaps its own output, that is repeated. `room`: how many bytes may be written. */
static void copy_match(uint8_t *to, size_t distance, size_t length, size_t room)
{
	const uint8_t *from = to - distance;

	if (distance < WIDE || room - length < WIDE) {
		for (size_t i = 0; i < length; i++)
			to[i] = from[i];
		return;
	}
	for (size_t i = 0; i < length; i += WIDE)
		memcpy(to + i, from + i, WIDE);
}

bool curfew__lz4_unpack(const uint8_t *from, size_t length, uint8_t *to, size_t to_length)
{
	const uint8_t *end = from + length;
	uint8_t *at = to, *to_end = to + to_length;

	while (from < end) {
		uint8_t token = *from++;
		size_t literals = token >> 4, match = token & 15;
		if (!read_length(&from, end, &literals) || literals > (size_t)(end - from) || literals > (size_t)(to_end - at))
			return false;
		if (literals <= WIDE && end - from >= WIDE && to_end - at >= WIDE)
			memcpy(at, from, WIDE);
		else
			memcpy(at, from, literals);
		at += literals;
		from += literals;
		if (from == end)
			return at == to_end;

		if (end - from < 2)
			return false;
		size_t distance = from[0] | (size_t)from[1] << 8;
		from += 2;
		if (!read_length(&from, end, &match))
			return false;
		match += MATCH_MIN;
		if (!distance || distance > (size_t)(at - to) || match > (size_t)(to_end - at))
			return false;
		copy_match(at, distance, match, (size_t)(to_end - at));
		at += match;
	}
	return false;
}

/* ---- Packing ------------------------------------------------------------------------------------------------ */

#define HASH_BITS 16
#define TRIES 256

/*
 * The earlier positions of the same four bytes: the newest one by their hash, and for each position the one before it.
 */
typedef struct matches {
	const uint8_t *from;
	size_t length;
	uint32_t newest[1u << HASH_BITS]; /* positions count from 1 */
	uint32_t *before;
	size_t noted; /* all positions below this one were added */
} matches;

static uint32_t hash_of(const uint8_t *bytes)
{
	uint32_t four;
	memcpy(&four, bytes, sizeof four);
	return (four * 2654435761u) >> (32 - HASH_BITS);
}

static void note_up_to(matches *known, size_t place)
{
	for (; known->noted < place && known->noted + MATCH_MIN <= known->length; known->noted++) {
		uint32_t *newest = &known->newest[hash_of(known->from + known->noted)];
		known->before[known->noted] = *newest;
		*newest = (uint32_t)known->noted + 1;
	}
}

/* The length of the longest match for a position. 0: there is none. */
static size_t find_match(matches *known, size_t place, size_t *distance)
{
	size_t best = 0, most = known->length - LAST_LITERALS - place;

	note_up_to(known, place);
	uint32_t earlier = known->newest[hash_of(known->from + place)];
	for (int tries = 0; earlier && place - (earlier - 1) <= DISTANCE_MAX && tries < TRIES; tries++) {
		const uint8_t *a = known->from + earlier - 1, *b = known->from + place;
		size_t same = 0;
		while (same < most && a[same] == b[same])
			same++;
		if (same > best) {
			best = same;
			*distance = place - (earlier - 1);
		}
		earlier = known->before[earlier - 1];
	}
	return best < MATCH_MIN ? 0 : best;
}

static uint8_t *put_length(uint8_t *to, size_t length)
{
	if (length < 15)
		return to;
	for (length -= 15; length >= 255; length -= 255)
		*to++ = 255;
	*to++ = (uint8_t)length;
	return to;
}

/* Writes a sequence. match 0: it is the last one. */
static uint8_t *put_sequence(uint8_t *to, const uint8_t *literals, size_t count, size_t match, size_t distance)
{
	size_t rest = match ? match - MATCH_MIN : 0;

	*to++ = (uint8_t)((count < 15 ? count : 15) << 4 | (rest < 15 ? rest : 15));
	to = put_length(to, count);
	memcpy(to, literals, count);
	to += count;
	if (!match)
		return to;
	*to++ = (uint8_t)distance;
	*to++ = (uint8_t)(distance >> 8);
	return put_length(to, rest);
}

static uint8_t *pack_into(uint8_t *to, matches *known)
{
	size_t place = 0, literals = 0; /* where the literals begin that precede the next match */

	while (place + LAST_MATCH < known->length) {
		size_t distance = 0, later_distance = 0;
		size_t length = find_match(known, place, &distance);
		if (!length) {
			place++;
			continue;
		}
		/* The match that begins one byte later may be longer. */
		while (place + 1 + LAST_MATCH < known->length) {
			size_t later = find_match(known, place + 1, &later_distance);
			if (later <= length)
				break;
			place++;
			length = later;
			distance = later_distance;
		}
		to = put_sequence(to, known->from + literals, place - literals, length, distance);
		place += length;
		literals = place;
	}
	return put_sequence(to, known->from + literals, known->length - literals, 0, 0);
}

uint8_t *curfew__lz4_pack(const uint8_t *from, size_t length, size_t *packed)
{
	matches *known = calloc(1, sizeof *known);
	uint8_t *block = malloc(length + length / 255 + 16);

	if (known)
		known->before = malloc((length + 1) * sizeof *known->before);
	if (!known || !known->before || !block || length >= UINT32_MAX) {
		free(block);
		block = NULL;
	} else {
		known->from = from;
		known->length = length;
		*packed = (size_t)(pack_into(block, known) - block);
	}
	if (known)
		free(known->before);
	free(known);
	return block;
}
