/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides which program is compiled or loaded next, if more wait than there are places. Nobody waits for everything
 * that another tenant has requested: the tenant with the fewest programs in progress comes first, then the one with the
 * smallest share so far, and none has all places. So it is among the users of a tenant. Within a user small programs
 * come first, and none is overtaken for ever. Plain data: it knows no compiler, and has no lock.
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
	size_t length;
	int64_t rank_ns;
	bool is_large;
	bool is_waiting; /* one that is begun as well waits until that is over */
	bool is_begun;   /* it has begun, and is not over */
} curfew__turn;

/* Owners, and users, that took turns; of more than these, the ones with the smallest shares are forgotten. */
#define CURFEW__SHARES 64

/* What an owner or a user had so far, in bytes of programs. 0: an entry that is not used. */
typedef struct curfew__share {
	curfew__asker asker; /* an owner's: user is 0 */
	uint64_t bytes;
	uint64_t level; /* an owner's: where one of its users begins */
} curfew__share;

/*
 * Who had how much. One that comes, or comes again after a while, begins where the others are: it neither makes up for
 * anything nor has anything saved. Initialise it with zeros.
 */
typedef struct curfew__shares {
	uint64_t level; /* where an owner begins */
	curfew__share owners[CURFEW__SHARES], users[CURFEW__SHARES];
} curfew__shares;

/* Initialises the turn of a program of this size, which arrived at this time. */
curfew__turn curfew__turn_of(const curfew__asker *asker, size_t length, int64_t now_ns);
/* Chooses the turn that begins next, if there are this many places. NULL: none. */
curfew__turn *curfew__turn_next(curfew__turn *newest, unsigned places, const curfew__shares *shares);
/* Begins a turn, which counts to the shares of whoever asked. */
void curfew__turn_begin(curfew__turn *turn, curfew__shares *shares);

#endif
