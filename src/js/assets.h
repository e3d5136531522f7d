/* SPDX-License-Identifier: Apache-2.0 */
/* What the library carries for JavaScript programs beside the image: scripts as the guest's bytecode, and data. */
#ifndef CURFEW_JS_ASSETS_H
#define CURFEW_JS_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curfew__asset_entry curfew__asset_entry;

/* The asset of that name, for as long as the library is there; NULL: there is none. */
const curfew__asset_entry *curfew__asset_find(const char *name, size_t name_length);

/* Writes it to a place of entry->length bytes. Most are copied; seldom used ones are kept compressed, and small. */
bool curfew__asset_read(const curfew__asset_entry *entry, void *to);

/* Whether there is a time zone of that name. */
bool curfew__asset_is_zone(const char *name);

/* How they are embedded: this, for each an entry (in the order of their names' bytes), the names, and what they are. */
typedef struct curfew__asset_head {
	uint32_t count;
	uint32_t reserved;
} curfew__asset_head;

struct curfew__asset_entry {
	uint32_t name;
	uint32_t name_length;
	uint32_t at; /* offsets count from the head */
	uint32_t length;
	uint32_t packed; /* bytes that zlib made of it; 0: it is there as it is */
};

#endif
