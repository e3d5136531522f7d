/* SPDX-License-Identifier: Apache-2.0 */
/* ULIDs: a time in milliseconds as 10 digits of base 32, then 16 random digits. They sort by their times. */
#ifndef CURFEW_COMMON_ID_H
#define CURFEW_COMMON_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The length excludes the NUL. */
enum { CURFEW__ID_LENGTH = 26, CURFEW__ID_DIGITS = 16 };

/* Crockford's base 32. */
#define CURFEW__ID_ALPHABET "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/* Whether this is a ULID, whose time has 48 bits. */
static inline bool curfew__id_is_valid(const char *id)
{
	return strlen(id) == CURFEW__ID_LENGTH && strspn(id, CURFEW__ID_ALPHABET) == CURFEW__ID_LENGTH && id[0] <= '7';
}

/* Writes a ULID. Only the lowest 5 bits of each digit count. */
static inline void curfew__id_write(char id[CURFEW__ID_LENGTH + 1], uint64_t wall_ms,
                                    const unsigned char digits[CURFEW__ID_DIGITS])
{
	for (int i = 9; i >= 0; i--, wall_ms >>= 5)
		id[i] = CURFEW__ID_ALPHABET[wall_ms & 31];
	for (int i = 0; i < CURFEW__ID_DIGITS; i++)
		id[10 + i] = CURFEW__ID_ALPHABET[digits[i] & 31];
	id[CURFEW__ID_LENGTH] = '\0';
}

#endif
