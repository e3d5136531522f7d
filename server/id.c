/* SPDX-License-Identifier: Apache-2.0 */
/* ULIDs: a time in milliseconds, then random digits. Within a millisecond each id is the last one plus one. */
#include "id.h"

#include "common/mutex.h"
#include "common/clock.h"

#include <pthread.h>
#include <sodium.h>

/* Adds one: the next id of the same millisecond. */
static void add_one(unsigned char digits[CURFEW__ID_DIGITS])
{
	for (int i = CURFEW__ID_DIGITS - 1; i >= 0; i--) {
		digits[i] = (digits[i] + 1) & 31;
		if (digits[i] != 0)
			return;
	}
}

void id_first_of(int64_t wall_us, char id[ID_SIZE])
{
	static const unsigned char none[CURFEW__ID_DIGITS];
	curfew__id_write(id, wall_us > 0 ? (uint64_t)wall_us / 1000 : 0, none);
}

void id_create(char id[ID_SIZE])
{
	static curfew__mutex lock = {PTHREAD_MUTEX_INITIALIZER};
	static uint64_t last_ms;
	static unsigned char digits[CURFEW__ID_DIGITS];
	curfew__mutex_lock(&lock);
	uint64_t ms = (uint64_t)clock_wall_us() / 1000;
	if (ms > last_ms) {
		randombytes_buf(digits, sizeof digits);
		for (int i = 0; i < CURFEW__ID_DIGITS; i++)
			digits[i] &= i == 0 ? 15 : 31; /* leaves space to count up */
		last_ms = ms;
	} else {
		add_one(digits);
	}
	curfew__id_write(id, last_ms, digits);
	curfew__mutex_unlock(&lock);
}

bool id_is_name(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);
	return length > 0 && length <= NAME_MAX_BYTES && strchr(first, name[0]) != NULL &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}
