/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of runs that wait for their time, and the rings of runs that wait for their turn. */
#include "scheduler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How long a tenant whose next run does not fit into memory is passed over before memory is kept free for it. */
#define PASSED_OVER_MAX_US ((int64_t)2000000)
/* If there is no memory for a lane, the run is tried again after this time. */
#define TRY_AGAIN_US ((int64_t)1000000)

/* Runs of one tenant and user at one priority, first come, first served. */
struct lane {
	curfew__list runs;
	curfew__link in_level;
	lane *chain; /* of the same bucket */
	tenant *tenant;
	uint32_t hash;
	unsigned priority;
};

void scheduler_init(scheduler *s, size_t concurrency, uint64_t memory_budget)
{
	memset(s, 0, sizeof *s);
	s->concurrency = concurrency;
	s->memory_budget = memory_budget;
}

void scheduler_finish(scheduler *s)
{
	assert(s->queued == 0 && s->scheduled == 0 && s->held_bytes == 0);
	curfew__heap_finish(&s->later);
}

/* ---- Those that wait for their time ---------------------------------------------------------------------- */

static bool add_to_heap(scheduler *s, waiting *w)
{
	if (!curfew__heap_put(&s->later, &w->due, w->due_us))
		return false;
	w->is_scheduled = true;
	w->tenant->scheduled++;
	s->scheduled++;
	return true;
}

static void remove_from_heap(scheduler *s, waiting *w)
{
	curfew__heap_remove(&s->later, &w->due);
	w->is_scheduled = false;
	w->tenant->scheduled--;
	s->scheduled--;
}

/* ---- Those that wait for their turn ---------------------------------------------------------------------- */

static bool has_lanes(const tenant *t)
{
	for (unsigned priority = 0; priority < PRIORITIES; priority++) {
		if (!curfew__list_is_empty(&t->levels[priority]))
			return true;
	}
	return false;
}

/* Puts it at the end of the round. */
static void enter_round(scheduler *s, tenant *t)
{
	t->passed_over_us = 0;
	curfew__list_add_last(&s->round, &t->in_round);
}

static uint32_t hash_of(const waiting *w)
{
	uint32_t hash = UINT32_C(2166136261) + w->priority + (uint32_t)((uintptr_t)w->tenant >> 4);
	for (const char *at = w->user; at != NULL && *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
	return hash * UINT32_C(31) + (w->user != NULL);
}

static waiting *first_of(const lane *l)
{
	return CURFEW__OWNER(curfew__list_first(&l->runs), waiting, in_lane);
}

static bool belongs(const lane *l, const waiting *w, uint32_t hash)
{
	const char *user = first_of(l)->user;
	if (l->hash != hash || l->tenant != w->tenant || l->priority != w->priority || (user == NULL) != (w->user == NULL))
		return false;
	return user == NULL || strcmp(user, w->user) == 0;
}

static lane *make_lane(scheduler *s, const waiting *w, uint32_t hash)
{
	lane *made = calloc(1, sizeof *made);
	if (made == NULL)
		return NULL;
	made->hash = hash;
	made->tenant = w->tenant;
	made->priority = w->priority;
	made->chain = s->lanes[hash % LANE_BUCKETS];
	s->lanes[hash % LANE_BUCKETS] = made;
	if (!has_lanes(w->tenant))
		enter_round(s, w->tenant);
	curfew__list_add_last(&w->tenant->levels[w->priority], &made->in_level);
	return made;
}

static void free_lane(scheduler *s, lane *l)
{
	lane **at = &s->lanes[l->hash % LANE_BUCKETS];
	while (*at != l)
		at = &(*at)->chain;
	*at = l->chain;
	curfew__list_remove(&l->in_level);
	if (!has_lanes(l->tenant))
		curfew__list_remove(&l->tenant->in_round);
	free(l);
}

static bool add_to_lane(scheduler *s, waiting *w)
{
	uint32_t hash = hash_of(w);
	lane *l = s->lanes[hash % LANE_BUCKETS];
	while (l != NULL && !belongs(l, w, hash))
		l = l->chain;
	if (l == NULL && (l = make_lane(s, w, hash)) == NULL)
		return false;

	w->lane = l;
	curfew__list_add_last(&l->runs, &w->in_lane);
	s->queued++;
	w->tenant->queued++;
	return true;
}

static void remove_from_lane(scheduler *s, waiting *w)
{
	lane *l = w->lane;
	curfew__list_remove(&w->in_lane);
	w->lane = NULL;
	s->queued--;
	w->tenant->queued--;
	/* The next run may fit, even if the previous one did not. */
	w->tenant->passed_over_us = 0;
	if (s->favoured == w->tenant)
		s->favoured = NULL;
	if (curfew__list_is_empty(&l->runs))
		free_lane(s, l);
}

/* ---- Coming and going ------------------------------------------------------------------------------------ */

bool scheduler_add(scheduler *s, waiting *w, int64_t now_us)
{
	if (!(w->due_us > now_us ? add_to_heap : add_to_lane)(s, w))
		return false;
	s->held_bytes += w->held_bytes;
	w->tenant->held_bytes += w->held_bytes;
	return true;
}

static void release_bytes(scheduler *s, waiting *w)
{
	s->held_bytes -= w->held_bytes;
	w->tenant->held_bytes -= w->held_bytes;
}

void scheduler_remove(scheduler *s, waiting *w)
{
	(w->is_scheduled ? remove_from_heap : remove_from_lane)(s, w);
	release_bytes(s, w);
}

waiting *scheduler_wake(scheduler *s, int64_t now_us, int64_t *next_us)
{
	waiting *first = CURFEW__OWNER(curfew__heap_first(&s->later), waiting, due);
	*next_us = first != NULL ? first->due_us : INT64_MAX;
	if (first == NULL || first->due_us > now_us)
		return NULL;

	remove_from_heap(s, first);
	if (add_to_lane(s, first))
		return first;
	first->due_us = now_us + TRY_AGAIN_US;
	(void)add_to_heap(s, first); /* cannot fail: its entry was just removed */
	*next_us = curfew__heap_first(&s->later)->when;
	return NULL;
}

/* ---- Whose turn it is ------------------------------------------------------------------------------------ */

static lane *next_lane(const tenant *t)
{
	for (int priority = PRIORITIES - 1; priority >= 0; priority--) {
		curfew__link *first = curfew__list_first(&t->levels[priority]);
		if (first != NULL)
			return CURFEW__OWNER(first, lane, in_level);
	}
	return NULL;
}

static uint64_t bytes_of(const blob_meter *meter)
{
	return atomic_load_explicit(&meter->bytes, memory_order_relaxed);
}

bool scheduler_keeps_too_much(const scheduler *s, const tenant *t)
{
	uint64_t own = bytes_of(&t->large), all = bytes_of(&s->large);
	return own > 0 && !scheduler_has_share(s->memory_budget, all > own ? all : own, own, 0);
}

static bool fits(const scheduler *s, const waiting *w)
{
	uint64_t kept = 0;
	if (s->favoured != NULL && s->favoured != w->tenant)
		kept = first_of(next_lane(s->favoured))->memory_bytes;
	uint64_t used = s->memory_bytes + bytes_of(&s->large);
	return used <= s->memory_budget && w->memory_bytes + kept <= s->memory_budget - used;
}

/*
 * Memory is kept free for a run that was passed over too long, unless it needs more than half of all memory: a run like
 * that must not hold up everybody else.
 */
static void note_passed_over(scheduler *s, const waiting *w, int64_t now_us)
{
	tenant *t = w->tenant;
	if (t->passed_over_us == 0)
		t->passed_over_us = now_us;
	bool is_long = now_us - t->passed_over_us > PASSED_OVER_MAX_US;
	if (s->favoured == NULL && is_long && w->memory_bytes <= s->memory_budget / 2)
		s->favoured = t;
}

static waiting *take_turn(scheduler *s, lane *l)
{
	waiting *w = first_of(l);
	/* Rotate first, because removing the run may end the lane. */
	curfew__list_rotate(&s->round, &l->tenant->in_round);
	curfew__list_rotate(&l->tenant->levels[l->priority], &l->in_level);
	remove_from_lane(s, w);
	release_bytes(s, w);
	s->running++;
	w->tenant->running++;
	s->memory_bytes += w->memory_bytes;
	return w;
}

waiting *scheduler_take(scheduler *s, int64_t now_us)
{
	if (s->running >= s->concurrency)
		return NULL;
	for (curfew__link *at = curfew__list_first(&s->round); at != NULL; at = curfew__list_next(&s->round, at)) {
		tenant *t = CURFEW__OWNER(at, tenant, in_round);
		lane *l = next_lane(t);
		if (t->running >= t->running_max || scheduler_keeps_too_much(s, t))
			continue;
		if (fits(s, first_of(l)))
			return take_turn(s, l);
		note_passed_over(s, first_of(l), now_us);
	}
	return NULL;
}

void scheduler_release(scheduler *s, waiting *w)
{
	s->running--;
	w->tenant->running--;
	s->memory_bytes -= w->memory_bytes;
}

bool scheduler_has_share(uint64_t max, uint64_t total, uint64_t own, uint64_t more)
{
	uint64_t others = total - own;
	uint64_t left = max > others ? max - others : 0;
	return own + more <= left / 2 + left % 2;
}
