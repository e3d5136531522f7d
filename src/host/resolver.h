/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves names to addresses with the system's resolver, on a few separate threads, because the resolver can neither
 * be interrupted nor be called without waiting. Waiting lookups of the same name share one query. A thread ends when
 * nothing waits.
 */
#ifndef CURFEW_HOST_RESOLVER_H
#define CURFEW_HOST_RESOLVER_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct curfew__resolver curfew__resolver;

/* Belongs to the caller, and must exist until it is done. */
typedef struct curfew__lookup {
	struct curfew__lookup *next;
	const char *name;
	atomic_bool abandoned; /* nobody needs the result any more */
	/*
	 * Called once, on any thread. addresses: as in "192.0.2.1,[2001:db8::1]", owned by the callee; NULL: there are
	 * none, and why says why.
	 */
	void (*done)(struct curfew__lookup *lookup, char *addresses, const char *why);
} curfew__lookup;

curfew__resolver *curfew__resolver_create(void);
/* Ends waiting lookups without a result. A lookup in progress may outlive this call. */
void curfew__resolver_destroy(curfew__resolver *resolver);
void curfew__resolver_look_up(curfew__resolver *resolver, curfew__lookup *lookup);

#endif
