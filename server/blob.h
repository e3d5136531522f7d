/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that several threads share and nobody changes: a report, an event's data. Large ones are counted as long as
 * anybody holds them, because a client that reads slowly may be the last one.
 */
#ifndef CURFEW_SERVER_BLOB_H
#define CURFEW_SERVER_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A larger one is counted. */
enum { BLOB_SMALL = 64 << 10 };

/* Counts the bytes of large blobs. */
typedef struct blob_meter {
	_Atomic(uint64_t) bytes;
	struct blob_meter *all; /* counts them as well; NULL: none */
} blob_meter;

typedef struct blob {
	atomic_uint refs;
	size_t len;
	char *data;        /* and a NUL */
	void *memory;      /* that data is in; NULL: it follows this */
	blob_meter *meter; /* NULL: it is not counted */
} blob;

/* Makes one of unspecified bytes, with one reference. NULL: out of memory. */
static inline blob *blob_reserve(size_t len)
{
	blob *made = malloc(sizeof *made + len + 1);
	if (made == NULL)
		return NULL;
	atomic_init(&made->refs, 1);
	made->len = len;
	made->data = (char *)(made + 1);
	made->data[len] = '\0';
	made->memory = NULL;
	made->meter = NULL;
	return made;
}

/* Makes a copy with one reference. NULL: out of memory. */
static inline blob *blob_create(const char *data, size_t len)
{
	blob *made = blob_reserve(len);
	if (made != NULL && len > 0)
		memcpy(made->data, data, len);
	return made;
}

/* Makes one of data that ends in a NUL, in memory that is freed with it. NULL: out of memory, nothing is freed. */
static inline blob *blob_adopt(void *memory, char *data, size_t len)
{
	blob *made = blob_reserve(0);
	if (made == NULL)
		return NULL;
	made->len = len;
	made->data = data;
	made->memory = memory;
	return made;
}

/* Counts it, if it is large, until it is freed. Call it once, while nobody else has it; the meter must exist as long.
 */
static inline void blob_count(blob *made, blob_meter *meter)
{
	if (made == NULL || made->len <= BLOB_SMALL)
		return;
	made->meter = meter;
	for (blob_meter *m = meter; m != NULL; m = m->all)
		atomic_fetch_add_explicit(&m->bytes, made->len, memory_order_relaxed);
}

static inline blob *blob_ref(blob *shared)
{
	if (shared != NULL)
		atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

static inline void blob_unref(blob *shared)
{
	if (shared == NULL || atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (blob_meter *m = shared->meter; m != NULL; m = m->all)
		atomic_fetch_sub_explicit(&m->bytes, shared->len, memory_order_relaxed);
	free(shared->memory);
	free(shared);
}

#endif
