/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides which run is next. Runs wait for their time, in a heap, or for their turn. Tenants (one for each token) with
 * waiting runs take turns, so that nobody waits longer because another tenant asks for more, or calls it urgent. Within
 * a tenant the highest priority goes first, and within a priority the users take turns. A run that begins must fit into
 * the number of concurrent runs, of all and of its tenant, and into the memory. A tenant of whose runs more is kept
 * than its share of the memory has to wait, so that the others can go on.
 *
 * Plain data: it knows no server, has no lock and no clock, and does nothing with the runs that it returns.
 */
#ifndef CURFEW_SERVER_SCHEDULER_H
#define CURFEW_SERVER_SCHEDULER_H

#include "blob.h"
#include "common/heap.h"
#include "common/list.h"

enum { PRIORITIES = 10, PRIORITY_DEFAULT = 5, LANE_BUCKETS = 1 << 10 };

typedef struct lane lane;

/* The owner of runs. Initialise it with zeros, except running_max. */
typedef struct tenant {
	uint64_t running, running_max;
	uint64_t queued;     /* runs that wait for their turn */
	uint64_t scheduled;  /* runs that wait for their time */
	uint64_t held_bytes; /* bytes of all waiting runs */
	blob_meter large;    /* what is kept of its runs: reports that are not written or sent yet, and the like */
	/* Used only by the scheduler. */
	curfew__list levels[PRIORITIES]; /* lanes for each priority; the first lane has the next turn */
	curfew__link in_round;           /* linked while runs of it wait for their turn */
	int64_t
		passed_over_us; /* since when others began in its place, because its next run did not fit; 0: not passed over */
} tenant;

/* The scheduler's part of a run, embedded in its owner's struct. */
typedef struct waiting {
	tenant *tenant;
	const char *user; /* NULL: no particular user; must exist while the run waits */
	unsigned priority;
	int64_t due_us; /* not before */
	uint64_t memory_bytes;
	uint64_t held_bytes;
	/* Used only by the scheduler. */
	bool is_scheduled;
	curfew__due due;
	lane *lane;
	curfew__link in_lane;
} waiting;

typedef struct scheduler {
	size_t concurrency;     /* runs at once */
	uint64_t memory_budget; /* limit of the sum of memory_bytes of concurrent runs, and of what is kept of all runs */
	size_t running;
	uint64_t memory_bytes; /* of the runs in progress */
	blob_meter large;      /* what is kept of runs, of all tenants */
	size_t queued, scheduled;
	uint64_t held_bytes; /* bytes of all waiting runs */

	curfew__heap later; /* ordered by due_us */
	lane *lanes[LANE_BUCKETS];
	curfew__list round; /* tenants; the first one has the next turn */
	tenant *favoured;   /* a tenant that was passed over too long: memory is kept free for its next run */
} scheduler;

void scheduler_init(scheduler *s, size_t concurrency, uint64_t memory_budget);
/* Call it when nothing waits any more. */
void scheduler_finish(scheduler *s);

/* Adds a run, which waits until due_us if that is later than now. False: out of memory, nothing changed. */
bool scheduler_add(scheduler *s, waiting *w, int64_t now_us);
/* Removes a run before its turn. */
void scheduler_remove(scheduler *s, waiting *w);

/*
 * Returns the next run whose time has come, which from now on waits for its turn; NULL: none. Call it until then.
 * *next_us: when to call it again, INT64_MAX for never.
 */
waiting *scheduler_wake(scheduler *s, int64_t now_us, int64_t *next_us);

/* Returns the run that begins now. It counts as running until it is released. NULL: none waits, or none fits. */
waiting *scheduler_take(scheduler *s, int64_t now_us);
void scheduler_release(scheduler *s, waiting *w);

/*
 * Whether a tenant may hold one more of `max` places, of which all tenants hold `total` and it holds `own`. It may hold
 * at most half of what the others leave, so that there is always a place for another one.
 */
bool scheduler_has_share(uint64_t max, uint64_t total, uint64_t own, uint64_t more);

/* Whether more is kept of a tenant's runs than its share of the memory. */
bool scheduler_keeps_too_much(const scheduler *s, const tenant *t);

#endif
