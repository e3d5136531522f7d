/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each address has. Of IPv6 the first 64 bits are an address: one machine may have all of the
 * rest. */
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

/* Zeroed to begin with. */
typedef struct addresses {
	address *buckets[ADDRESS_BUCKETS];
} addresses;

/* One more connection of an address; NULL: out of memory. What is returned stays as long as it has connections. */
address *addresses_enter(addresses *all, const struct sockaddr *from);
/* One less; NULL: of none. */
void addresses_leave(addresses *all, address *from);
void addresses_finish(addresses *all);

#endif
