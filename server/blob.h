/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that several threads share and nobody changes: a report, an event's data. */
#ifndef CURFEW_SERVER_BLOB_H
#define CURFEW_SERVER_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct blob {
	atomic_uint refs;
	size_t len;
	char data[]; /* and a NUL */
} blob;

/* Makes a copy with one reference. NULL: out of memory. */
static inline blob *blob_create(const char *data, size_t len)
{
	blob *made = malloc(sizeof *made + len + 1);
	if (made == NULL)
		return NULL;
	atomic_init(&made->refs, 1);
	made->len = len;
	if (len > 0)
		memcpy(made->data, data, len);
	made->data[len] = '\0';
	return made;
}

static inline blob *blob_ref(blob *shared)
{
	if (shared != NULL)
		atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

static inline void blob_unref(blob *shared)
{
	if (shared != NULL && atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) == 1)
		free(shared);
}

#endif
