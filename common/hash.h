/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, a hash of texts for tables whose keys no attacker chooses. */
#ifndef CURFEW_COMMON_HASH_H
#define CURFEW_COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of a text. It is 0 only for NULL. */
static inline uint64_t hash_of(const char *what)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	if (what == NULL)
		return 0;
	for (; *what != '\0'; what++)
		hash = (hash ^ (unsigned char)*what) * UINT64_C(1099511628211);
	return hash != 0 ? hash : 1;
}

#endif
