/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of those that wait for their time, and the rings of those that wait for their turn. */
#include "scheduler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* So long a tenant whose next run does not fit into the memory is passed over, before room is kept for it. */
#define PASSED_OVER_MAX_US ((int64_t)2000000)
/* Without memory for a lane a run is tried again so much later. */
#define TRY_AGAIN_US ((int64_t)1000000)

/* Runs of one tenant and user at one priority, first come, first served. */
struct lane {
	waiting *first, *last;
	lane *next, *previous; /* around the priority */
	lane *chain;           /* of the same bucket */
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
	free(s->heap);
	s->heap = NULL;
}

/* ---- Heap ------------------------------------------------------------------------------------------------ */

static void place(scheduler *s, size_t index, waiting *w)
{
	s->heap[index] = w;
	w->heap_index = index;
}

static void sift(scheduler *s, size_t index)
{
	waiting *w = s->heap[index];
	while (index > 0 && s->heap[(index - 1) / 2]->due_us > w->due_us) {
		place(s, index, s->heap[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	for (size_t child; (child = 2 * index + 1) < s->scheduled; index = child) {
		if (child + 1 < s->scheduled && s->heap[child + 1]->due_us < s->heap[child]->due_us)
			child++;
		if (s->heap[child]->due_us >= w->due_us)
			break;
		place(s, index, s->heap[child]);
	}
	place(s, index, w);
}

static void push(scheduler *s, waiting *w)
{
	w->is_scheduled = true;
	w->tenant->scheduled++;
	place(s, s->scheduled++, w);
	sift(s, w->heap_index);
}

static bool add_to_heap(scheduler *s, waiting *w)
{
	if (s->scheduled == s->heap_capacity) {
		size_t capacity = s->heap_capacity == 0 ? 64 : s->heap_capacity * 2;
		waiting **grown = realloc(s->heap, capacity * sizeof(waiting *));
		if (grown == NULL)
			return false;
		s->heap = grown;
		s->heap_capacity = capacity;
	}
	push(s, w);
	return true;
}

static void remove_from_heap(scheduler *s, waiting *w)
{
	size_t index = w->heap_index;
	waiting *last = s->heap[--s->scheduled];
	w->is_scheduled = false;
	w->tenant->scheduled--;
	if (last == w)
		return;
	place(s, index, last);
	sift(s, index);
}

/* ---- Rings ----------------------------------------------------------------------------------------------- */

static bool has_lanes(const tenant *t)
{
	for (unsigned priority = 0; priority < PRIORITIES; priority++) {
		if (t->levels[priority] != NULL)
			return true;
	}
	return false;
}

/* It is the last of the round. */
static void enter_round(scheduler *s, tenant *t)
{
	t->passed_over_us = 0;
	if (s->turn == NULL) {
		s->turn = t->next = t->previous = t;
		return;
	}
	t->next = s->turn;
	t->previous = s->turn->previous;
	s->turn->previous->next = t;
	s->turn->previous = t;
}

static void leave_round(scheduler *s, tenant *t)
{
	if (t->next == t)
		s->turn = NULL;
	else if (s->turn == t)
		s->turn = t->next;
	t->previous->next = t->next;
	t->next->previous = t->previous;
	t->next = t->previous = NULL;
}

static void link_lane(lane *l)
{
	lane **level = &l->tenant->levels[l->priority];
	if (*level == NULL) {
		*level = l->next = l->previous = l;
		return;
	}
	l->next = *level;
	l->previous = (*level)->previous;
	(*level)->previous->next = l;
	(*level)->previous = l;
}

static void unlink_lane(lane *l)
{
	lane **level = &l->tenant->levels[l->priority];
	if (l->next == l)
		*level = NULL;
	else if (*level == l)
		*level = l->next;
	l->previous->next = l->next;
	l->next->previous = l->previous;
}

static uint32_t hash_of(const waiting *w)
{
	uint32_t hash = UINT32_C(2166136261) + w->priority + (uint32_t)((uintptr_t)w->tenant >> 4);
	for (const char *at = w->user; at != NULL && *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
	return hash * UINT32_C(31) + (w->user != NULL);
}

static bool belongs(const lane *l, const waiting *w, uint32_t hash)
{
	const char *user = l->first->user;
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
	link_lane(made);
	return made;
}

static void free_lane(scheduler *s, lane *l)
{
	lane **at = &s->lanes[l->hash % LANE_BUCKETS];
	while (*at != l)
		at = &(*at)->chain;
	*at = l->chain;
	unlink_lane(l);
	if (!has_lanes(l->tenant))
		leave_round(s, l->tenant);
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
	w->next = NULL;
	w->previous = l->last;
	*(l->last != NULL ? &l->last->next : &l->first) = w;
	l->last = w;
	s->queued++;
	w->tenant->queued++;
	return true;
}

static void remove_from_lane(scheduler *s, waiting *w)
{
	lane *l = w->lane;
	*(w->previous != NULL ? &w->previous->next : &l->first) = w->next;
	*(w->next != NULL ? &w->next->previous : &l->last) = w->previous;
	w->lane = NULL;
	s->queued--;
	w->tenant->queued--;
	/* Whoever it was that did not fit, the next one may. */
	w->tenant->passed_over_us = 0;
	if (s->favoured == w->tenant)
		s->favoured = NULL;
	if (l->first == NULL)
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
	waiting *first = s->scheduled > 0 ? s->heap[0] : NULL;
	*next_us = first != NULL ? first->due_us : INT64_MAX;
	if (first == NULL || first->due_us > now_us)
		return NULL;

	remove_from_heap(s, first);
	if (add_to_lane(s, first))
		return first;
	first->due_us = now_us + TRY_AGAIN_US;
	push(s, first); /* there is room, since it was there */
	*next_us = s->heap[0]->due_us;
	return NULL;
}

/* ---- Whose turn it is ------------------------------------------------------------------------------------ */

static lane *next_lane(const tenant *t)
{
	for (int priority = PRIORITIES - 1; priority >= 0; priority--) {
		if (t->levels[priority] != NULL)
			return t->levels[priority];
	}
	return NULL;
}

static bool fits(const scheduler *s, const waiting *w)
{
	uint64_t kept = 0;
	if (s->favoured != NULL && s->favoured != w->tenant)
		kept = next_lane(s->favoured)->first->memory_bytes;
	return s->memory_bytes <= s->memory_budget && w->memory_bytes + kept <= s->memory_budget - s->memory_bytes;
}

/*
 * Room is kept for a run that was passed over too long, but for none that takes more than half of all: whoever asks for
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

static waiting *begin(scheduler *s, lane *l)
{
	waiting *w = l->first;
	/* Both rings go on, before what is taken out may end them. */
	s->turn = l->tenant->next;
	l->tenant->levels[l->priority] = l->next;
	remove_from_lane(s, w);
	release_bytes(s, w);
	s->running++;
	w->tenant->running++;
	s->memory_bytes += w->memory_bytes;
	return w;
}

waiting *scheduler_take(scheduler *s, int64_t now_us)
{
	tenant *first = s->turn, *t = first;
	if (first == NULL || s->running >= s->concurrency)
		return NULL;
	do {
		lane *l = next_lane(t);
		if (t->running < t->running_max) {
			if (fits(s, l->first))
				return begin(s, l);
			note_passed_over(s, l->first, now_us);
		}
		t = t->next;
	} while (t != first);
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
