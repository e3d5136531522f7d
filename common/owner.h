/* SPDX-License-Identifier: Apache-2.0 */
/* Converts a pointer to a member into a pointer to the struct that contains it. */
#ifndef CURFEW_COMMON_OWNER_H
#define CURFEW_COMMON_OWNER_H

#include <stddef.h>

/* The `type` whose `member` this points to; NULL for NULL. */
#define CURFEW__OWNER(pointer, type, member) ((type *)curfew__owner((pointer), offsetof(type, member)))

static inline void *curfew__owner(void *member, size_t offset)
{
	return member != NULL ? (char *)member - offset : NULL;
}

#endif
