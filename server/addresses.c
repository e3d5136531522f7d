/* SPDX-License-Identifier: Apache-2.0 */
/* A table of addresses by their bytes. */
#include "addresses.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void read_bytes(unsigned char bytes[9], const struct sockaddr *from)
{
	const void *in = from;
	memset(bytes, 0, 9);
	if (from == NULL)
		return;
	bytes[0] = (unsigned char)from->sa_family;
	if (from->sa_family == AF_INET)
		memcpy(bytes + 1, &((const struct sockaddr_in *)in)->sin_addr, 4);
	else if (from->sa_family == AF_INET6)
		memcpy(bytes + 1, &((const struct sockaddr_in6 *)in)->sin6_addr, 8);
}

static address **bucket(addresses *all, const unsigned char bytes[9])
{
	unsigned index = 0;
	for (size_t i = 0; i < 9; i++)
		index = index * 31 + bytes[i];
	return &all->buckets[index % ADDRESS_BUCKETS];
}

address *addresses_enter(addresses *all, const struct sockaddr *from)
{
	unsigned char bytes[9];
	read_bytes(bytes, from);
	address **at = bucket(all, bytes), *found = *at;
	while (found != NULL && memcmp(found->bytes, bytes, sizeof bytes) != 0)
		found = found->next;
	if (found == NULL) {
		found = calloc(1, sizeof *found);
		if (found == NULL)
			return NULL;
		memcpy(found->bytes, bytes, sizeof bytes);
		found->next = *at;
		*at = found;
	}
	found->count++;
	return found;
}

void addresses_leave(addresses *all, address *from)
{
	if (from == NULL || --from->count > 0)
		return;
	address **at = bucket(all, from->bytes);
	while (*at != from)
		at = &(*at)->next;
	*at = from->next;
	free(from);
}

void addresses_finish(addresses *all)
{
	for (size_t i = 0; i < ADDRESS_BUCKETS; i++) {
		while (all->buckets[i] != NULL) {
			address *next = all->buckets[i]->next;
			free(all->buckets[i]);
			all->buckets[i] = next;
		}
	}
}
