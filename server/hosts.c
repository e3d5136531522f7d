/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of hosts, from text and to text. */
#include "hosts.h"

#include <stdlib.h>
#include <string.h>

bool hosts_split(hosts *h, const char *words)
{
	*h = (hosts){0};
	if (words == NULL || *words == '\0')
		return true;
	h->words = strdup(words);
	h->items = calloc(strlen(words) / 2 + 1, sizeof *h->items);
	if (h->words == NULL || h->items == NULL)
		return false;
	char *rest = NULL;
	for (char *host = strtok_r(h->words, " ", &rest); host != NULL; host = strtok_r(NULL, " ", &rest))
		h->items[h->count++] = host;
	return true;
}

void hosts_finish(hosts *h)
{
	free(h->words);
	free(h->items);
}

void hosts_keep_within(hosts *h, const hosts *ceiling)
{
	size_t kept = 0;
	for (size_t i = 0; i < h->count; i++) {
		if (curfew_allow_fetch_within(h->items[i], ceiling->items, ceiling->count, NULL) == CURFEW_OK)
			h->items[kept++] = h->items[i];
	}
	h->count = kept;
}

char *hosts_join(const char *const *items, size_t count)
{
	size_t length = 1;
	for (size_t i = 0; i < count; i++)
		length += strlen(items[i]) + 1;
	char *words = malloc(length), *at = words;
	if (words == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ' ';
		at = stpcpy(at, items[i]);
	}
	*at = '\0';
	return words;
}
