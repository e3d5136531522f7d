/* SPDX-License-Identifier: Apache-2.0 */
/* Copies structs across the public interface as openat2(2) does: missing fields are 0, and unknown ones must be 0. */
#ifndef CURFEW_BASE_COPY_IN_H
#define CURFEW_BASE_COPY_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Copies a struct whose first field is its uint32_t size into one of known_size bytes. False: it is not of this kind.
 */
static inline bool curfew__copy_in(void *known, uint32_t known_size, const void *given)
{
	uint32_t size;

	memset(known, 0, known_size);
	memcpy(&size, given, sizeof size);
	if (size < sizeof size || size > 65536)
		return false;
	for (uint32_t i = known_size; i < size; i++)
		if (((const uint8_t *)given)[i])
			return false;
	memcpy(known, given, size < known_size ? size : known_size);
	return true;
}

/* Copies as much of a struct of known_size bytes as the caller's, whose size is in its first field, has room for. */
static inline void curfew__copy_out(void *given, const void *known, uint32_t known_size)
{
	uint32_t size;

	memcpy(&size, given, sizeof size);
	memcpy(given, known, size < known_size ? size : known_size);
}

#endif
