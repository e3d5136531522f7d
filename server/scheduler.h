/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is next. Runs wait for their time, in a heap, or for their turn. Turns go round the tenants (one for each token)
 * that have something waiting, so that nobody waits longer because another asks for more, or calls it urgent. Within a
 * tenant the highest priority goes first, and within a priority the users take turns. What is begun must fit: into the
 * number of runs at once, of all and of its tenant, and into the memory.
 *
 * Plain data: it knows no server, has no lock and no clock, and does nothing with what it hands out.
 */
#ifndef CURFEW_SERVER_SCHEDULER_H
#define CURFEW_SERVER_SCHEDULER_H

#include "common/heap.h"
#include "common/list.h"

enum { PRIORITIES = 10, PRIORITY_DEFAULT = 5, LANE_BUCKETS = 1 << 10 };

typedef struct lane lane;

/* Whose runs they are. Zeroed but for running_max. */
typedef struct tenant {
	uint64_t running, running_max;
	uint64_t queued;     /* that wait for their turn */
	uint64_t scheduled;  /* that wait for their time */
	uint64_t held_bytes; /* of all that wait */
	/* The scheduler's. */
	curfew__list levels[PRIORITIES]; /* lanes, for each priority; the first one has the next turn */
	curfew__link in_round;           /* where it has something that waits for its turn */
	int64_t passed_over_us; /* since when others were begun in its place, since its next run did not fit; 0: they were
	                           not */
} tenant;

/* One run that waits, or runs, as far as turns are concerned; part of whatever it is. */
typedef struct waiting {
	tenant *tenant;
	const char *user; /* NULL: nobody in particular; stays as long as it waits */
	unsigned priority;
	int64_t due_us; /* not before */
	uint64_t memory_bytes;
	uint64_t held_bytes;
	/* The scheduler's. */
	bool is_scheduled;
	curfew__due due;
	lane *lane;
	curfew__link in_lane;
} waiting;

typedef struct scheduler {
	size_t concurrency;     /* runs at once */
	uint64_t memory_budget; /* sum of memory_bytes of the runs at once */
	size_t running;
	uint64_t memory_bytes; /* of the running */
	size_t queued, scheduled;
	uint64_t held_bytes; /* of all that wait */

	curfew__heap later; /* by due_us */
	lane *lanes[LANE_BUCKETS];
	curfew__list round; /* of tenants; the first one has the next turn */
	tenant *favoured;   /* who was passed over too long: others leave room for its next run */
} scheduler;

void scheduler_init(scheduler *s, size_t concurrency, uint64_t memory_budget);
/* Nothing waits any more. */
void scheduler_finish(scheduler *s);

/* Takes one, which waits until due_us if that is later than now. False: out of memory, nothing is changed. */
bool scheduler_add(scheduler *s, waiting *w, int64_t now_us);
/* Takes one out before its turn. */
void scheduler_remove(scheduler *s, waiting *w);

/*
 * The next one whose time has come, which from now on waits for its turn; NULL: none. To be called until then.
 * *next_us: when to call it again, INT64_MAX for never.
 */
waiting *scheduler_wake(scheduler *s, int64_t now_us, int64_t *next_us);

/* Who is to begin now, and counts as running until it is released; NULL: nobody, or nothing fits. */
waiting *scheduler_take(scheduler *s, int64_t now_us);
void scheduler_release(scheduler *s, waiting *w);

/*
 * Whether a tenant may hold one more of `max` places, of which all tenants hold `total` and it `own`: at most half of
 * what the others leave, so that there is always room for another one.
 */
bool scheduler_has_share(uint64_t max, uint64_t total, uint64_t own, uint64_t more);

#endif
