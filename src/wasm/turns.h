/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which program is compiled next, where more wait than there are places for. Nobody waits for all that another one has
 * asked for: whoever has the fewest under way comes first, and nobody has all places. Of one asker's the small ones
 * come first, and none is overtaken for ever. Plain data: it knows no compiler, and has no lock.
 */
#ifndef CURFEW_WASM_TURNS_H
#define CURFEW_WASM_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who asks: a tenant, and a user of that. 0: nobody in particular. */
typedef struct curfew__asker {
	uint64_t owner, user;
} curfew__asker;

/* One program, which waits or is being compiled. */
typedef struct curfew__turn {
	struct curfew__turn *next;       /* who came before it */
	struct curfew__turn *next_begun; /* while the next one is chosen */
	curfew__asker asker;
	int64_t rank_ns;
	bool is_large;
	bool is_waiting;
	bool is_begun; /* and not over */
} curfew__turn;

/* One of so many bytes, which came then. */
curfew__turn curfew__turn_of(const curfew__asker *asker, size_t length, int64_t now_ns);
/* The one of these that is to begin, if there are so many places; NULL: none. */
curfew__turn *curfew__turn_next(curfew__turn *newest, unsigned places);

#endif
