/* SPDX-License-Identifier: Apache-2.0 */
#include "js/assets.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "common/lz4.h"
#include "js/embedded.h"

static int compare_names(const char *name, size_t name_length, const char *other, size_t other_length)
{
	int order = memcmp(name, other, name_length < other_length ? name_length : other_length);

	if (order)
		return order;
	return name_length < other_length ? -1 : name_length > other_length;
}

const curfew__asset_entry *curfew__asset_find(const char *name, size_t name_length)
{
	const uint8_t *start = curfew__embedded_assets;
	const curfew__asset_head *head = (const curfew__asset_head *)(const void *)start;
	const curfew__asset_entry *entries = (const curfew__asset_entry *)(const void *)(head + 1);
	size_t low = 0, high = head->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const curfew__asset_entry *entry = &entries[middle];
		int order = compare_names(name, name_length, (const char *)start + entry->name, entry->name_length);
		if (!order)
			return entry;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool curfew__asset_read(const curfew__asset_entry *entry, void *to)
{
	const uint8_t *bytes = curfew__embedded_assets + entry->at;
	uLongf length = entry->length;

	if (entry->packed && entry->method == CURFEW__ASSET_LZ4)
		return curfew__lz4_unpack(bytes, entry->packed, to, length);
	if (entry->packed)
		return uncompress(to, &length, bytes, entry->packed) == Z_OK && length == entry->length;
	memcpy(to, bytes, length);
	return true;
}

bool curfew__asset_is_zone(const char *name)
{
	char path[128];
	int length = snprintf(path, sizeof path, "zone/%s", name);

	return length < (int)sizeof path && curfew__asset_find(path, (size_t)length);
}
