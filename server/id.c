/* SPDX-License-Identifier: Apache-2.0 */
/* ULIDs: a time in milliseconds, then random digits; within a millisecond each is the next one of the last. */
#include "id.h"

#include "common/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

/* Crockford's base 32. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool id_is_valid(const char *id)
{
	return strlen(id) == ID_ROOM - 1 && strspn(id, alphabet) == ID_ROOM - 1 && id[0] <= '7';
}

/* One more than before: the next id of the same millisecond. */
static void add_one(unsigned char digits[16])
{
	for (int i = 15; i >= 0; i--) {
		digits[i] = (digits[i] + 1) & 31;
		if (digits[i] != 0)
			return;
	}
}

void id_create(char id[ID_ROOM])
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t last_ms;
	static unsigned char digits[16];
	(void)pthread_mutex_lock(&lock);
	uint64_t ms = (uint64_t)clock_wall_us() / 1000;
	if (ms > last_ms) {
		randombytes_buf(digits, sizeof digits);
		for (int i = 0; i < 16; i++)
			digits[i] &= i == 0 ? 15 : 31; /* room to count in */
		last_ms = ms;
	} else {
		add_one(digits);
	}
	ms = last_ms;
	for (int i = 9; i >= 0; i--, ms >>= 5)
		id[i] = alphabet[ms & 31];
	for (int i = 0; i < 16; i++)
		id[10 + i] = alphabet[digits[i]];
	id[ID_ROOM - 1] = '\0';
	(void)pthread_mutex_unlock(&lock);
}

bool id_is_name(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);
	return length > 0 && length <= NAME_MAX_BYTES && strchr(first, name[0]) != NULL &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}
