/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the connections of each address. For IPv6 the first 64 bits count as the address, because one machine may have
 * all addresses of a /64. */
#ifndef CURFEW_SERVER_ADDRESSES_H
#define CURFEW_SERVER_ADDRESSES_H

#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_BUCKETS = 1024 };

typedef struct address {
	struct address *next;
	unsigned char bytes[9]; /* the family's first byte, and up to 8 */
	size_t count;
} address;

/* Initialise it with zeros. */
typedef struct addresses {
	address *buckets[ADDRESS_BUCKETS];
} addresses;

/* Adds a connection of an address. The result is valid as long as it has connections. NULL: out of memory. */
address *addresses_enter(addresses *all, const struct sockaddr *from);
/* Removes a connection. NULL does nothing. */
void addresses_leave(addresses *all, address *from);
void addresses_finish(addresses *all);

#endif
