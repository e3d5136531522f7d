/* SPDX-License-Identifier: Apache-2.0 */
/* A hash of a text, for tables that nobody gains anything by attacking: FNV-1a. */
#ifndef CURFEW_COMMON_HASH_H
#define CURFEW_COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 0 only for NULL. */
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
