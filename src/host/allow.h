/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts a run may reach, and which addresses are nobody's business unless they were named: those of this
 * machine, of its networks, and of the machine's provider.
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
 * From entries HOST, HOST:PORT, *.DOMAIN or *.DOMAIN:PORT; HOST may be an address, that of IPv6 in brackets where a
 * port follows. Without a port: 80 and 443. NULL and a failure if one is malformed or memory is short.
 */
curfew__allow_list *curfew__allow_list_create(const char *const *entries, size_t count, curfew_failure *failure);
void curfew__allow_list_destroy(curfew__allow_list *list);
/* Whether everything that the inner list lets a run reach is in the outer one. */
bool curfew__allow_list_covers(const curfew__allow_list *outer, const curfew__allow_list *inner);

/* Whether a URL may have this host, as it stands there (an IPv6 address without brackets). */
bool curfew__allow_list_has(const curfew__allow_list *list, const char *host, uint16_t port);
/*
 * Whether a connection for that host may go to this address: a public one; one that was itself allowed; the loopback
 * addresses for "localhost".
 */
bool curfew__allow_list_has_address(const curfew__allow_list *list, const char *host, uint16_t port,
                                    const struct sockaddr *address);

#endif
