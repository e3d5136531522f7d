/* SPDX-License-Identifier: Apache-2.0 */
/* What the library contains for JavaScript programs in addition to the image: scripts as the guest's bytecode, and
 * data. */
#ifndef CURFEW_JS_ASSETS_H
#define CURFEW_JS_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curfew__asset_entry curfew__asset_entry;

/* Finds the asset of that name, in static memory. NULL: there is none. */
const curfew__asset_entry *curfew__asset_find(const char *name, size_t name_length);

/*
 * Writes it to a buffer of entry->length bytes. All but small assets are stored compressed. Seldom used ones are
 * compressed by zlib, the others by LZ4, because LZ4 decompresses ten times as fast.
 */
bool curfew__asset_read(const curfew__asset_entry *entry, void *to);

/* Whether there is a time zone of that name. */
bool curfew__asset_is_zone(const char *name);

/* The embedded form: this head, an entry for each asset (sorted by the bytes of the names), the names, and the
 * contents. */
typedef struct curfew__asset_head {
	uint32_t count;
	uint32_t reserved;
} curfew__asset_head;

struct curfew__asset_entry {
	uint32_t name;
	uint32_t name_length;
	uint32_t at; /* offsets count from the head */
	uint32_t length;
	uint32_t packed; /* length if it is compressed; 0: it is not */
	uint32_t method; /* a curfew__asset_method, if it is compressed */
};

enum curfew__asset_method { CURFEW__ASSET_ZLIB, CURFEW__ASSET_LZ4 };

#endif
