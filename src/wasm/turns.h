/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides which program is compiled next, if more wait than there are places. Nobody waits for everything that another
 * tenant has requested: the tenant with the fewest compilations in progress comes first, and none has all places.
 * Within a tenant small programs come first, and none is overtaken for ever. Plain data: it knows no compiler, and has
 * no lock.
 */
#ifndef CURFEW_WASM_TURNS_H
#define CURFEW_WASM_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The owner of a request: a tenant, and one of its users. 0: none in particular. */
typedef struct curfew__asker {
	uint64_t owner, user;
} curfew__asker;

/* One program, which waits or is being compiled. */
typedef struct curfew__turn {
	struct curfew__turn *next;       /* the turn that came before it */
	struct curfew__turn *next_begun; /* used while the next turn is chosen */
	curfew__asker asker;
	int64_t rank_ns;
	bool is_large;
	bool is_waiting;
	bool is_begun; /* it has begun, and is not over */
} curfew__turn;

/* Initialises the turn of a program of this size, which arrived at this time. */
curfew__turn curfew__turn_of(const curfew__asker *asker, size_t length, int64_t now_ns);
/* Chooses the turn that begins next, if there are this many places. NULL: none. */
curfew__turn *curfew__turn_next(curfew__turn *newest, unsigned places);

#endif
