/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses, by the system's resolver, on a few threads of its own: it can neither be interrupted nor be
 * asked without waiting. Lookups of the same name that wait together are one. A thread ends when nothing waits.
 */
#ifndef CURFEW_HOST_RESOLVER_H
#define CURFEW_HOST_RESOLVER_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct curfew__resolver curfew__resolver;

/* Belongs to the caller, and stays until it is done. */
typedef struct curfew__lookup {
	struct curfew__lookup *next;
	const char *name;
	atomic_bool abandoned; /* nobody wants to know any more */
	/*
	 * Called once, on any thread. addresses: as in "192.0.2.1,[2001:db8::1]", owned by the callee; NULL: there are
	 * none, and why says why.
	 */
	void (*done)(struct curfew__lookup *lookup, char *addresses, const char *why);
} curfew__lookup;

curfew__resolver *curfew__resolver_create(void);
/* Lookups that wait are done without an answer; the one a thread is at may outlive this. */
void curfew__resolver_destroy(curfew__resolver *resolver);
void curfew__resolver_look_up(curfew__resolver *resolver, curfew__lookup *lookup);

#endif
