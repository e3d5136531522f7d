/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts a run may reach. Addresses of this machine, of its networks and of the machine's provider are reached
 * only if they are named themselves.
 */
#ifndef CURFEW_HOST_ALLOW_H
#define CURFEW_HOST_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "curfew.h"

typedef struct curfew__allow_list curfew__allow_list;

/*
 * Creates a list of entries HOST, HOST:PORT, *.DOMAIN or *.DOMAIN:PORT. HOST may be an address; an IPv6 address before
 * a port is in brackets. Without a port, 80 and 443 are meant. NULL and a failure if an entry is malformed or memory
 * runs out.
 */
curfew__allow_list *curfew__allow_list_create(const char *const *entries, size_t count, curfew_failure *failure);
void curfew__allow_list_destroy(curfew__allow_list *list);
/* Whether the outer list allows everything that the inner one allows. */
bool curfew__allow_list_covers(const curfew__allow_list *outer, const curfew__allow_list *inner);

/* Whether a URL may have this host, in the URL's form (an IPv6 address without brackets). */
bool curfew__allow_list_has(const curfew__allow_list *list, const char *host, uint16_t port);
/*
 * Whether a connection for that host may go to this address. It may be a public address, one that was itself allowed,
 * or, for "localhost", a loopback address.
 */
bool curfew__allow_list_has_address(const curfew__allow_list *list, const char *host, uint16_t port,
                                    const struct sockaddr *address);

#endif
