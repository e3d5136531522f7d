/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of those that wait for their time, and the lanes of those that wait for their turn. */
#include "queue.h"

#include "clock.h"
#include "metrics.h"
#include "run.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* ---- Heap ------------------------------------------------------------------------------------------------ */

static void place(server *s, size_t index, run *r)
{
	s->scheduled[index] = r;
	r->heap_index = index;
}

static void sift(server *s, size_t index)
{
	run *r = s->scheduled[index];
	while (index > 0 && s->scheduled[(index - 1) / 2]->due_us > r->due_us) {
		place(s, index, s->scheduled[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	for (size_t child; (child = 2 * index + 1) < s->scheduled_count; index = child) {
		if (child + 1 < s->scheduled_count && s->scheduled[child + 1]->due_us < s->scheduled[child]->due_us)
			child++;
		if (s->scheduled[child]->due_us >= r->due_us)
			break;
		place(s, index, s->scheduled[child]);
	}
	place(s, index, r);
}

static bool add_to_heap(server *s, run *r)
{
	if (s->scheduled_count == s->scheduled_room) {
		size_t room = s->scheduled_room == 0 ? 64 : s->scheduled_room * 2;
		run **grown = realloc(s->scheduled, room * sizeof *grown);
		if (grown == NULL)
			return false;
		s->scheduled = grown;
		s->scheduled_room = room;
	}
	place(s, s->scheduled_count++, r);
	sift(s, r->heap_index);
	return true;
}

static void remove_from_heap(server *s, run *r)
{
	size_t index = r->heap_index;
	run *last = s->scheduled[--s->scheduled_count];
	if (last == r)
		return;
	place(s, index, last);
	sift(s, index);
}

/* ---- Lanes ----------------------------------------------------------------------------------------------- */

static uint32_t hash_words(uint32_t hash, const char *words)
{
	for (; words != NULL && *words != '\0'; words++)
		hash = (hash ^ (unsigned char)*words) * UINT32_C(16777619);
	return hash * UINT32_C(31) + 1;
}

static uint32_t lane_hash(const run *r)
{
	return hash_words(hash_words(UINT32_C(2166136261) + r->priority, r->owner->id), r->user);
}

static bool is_same_user(const run *a, const run *b)
{
	if (a->owner != b->owner || (a->user == NULL) != (b->user == NULL))
		return false;
	return a->user == NULL || strcmp(a->user, b->user) == 0;
}

static lane **find_lane(server *s, const run *r, uint32_t hash)
{
	lane **at = &s->lanes[hash % LANE_BUCKETS];
	while (*at != NULL && ((*at)->hash != hash || (*at)->priority != r->priority || !is_same_user((*at)->first, r)))
		at = &(*at)->chain;
	return at;
}

static void link_lane(server *s, lane *l)
{
	lane *first = s->levels[l->priority];
	if (first == NULL) {
		s->levels[l->priority] = l->next = l->previous = l;
		return;
	}
	/* The last of the round. */
	l->next = first;
	l->previous = first->previous;
	first->previous->next = l;
	first->previous = l;
}

static void unlink_lane(server *s, lane *l)
{
	lane **level = &s->levels[l->priority];
	if (l->next == l)
		*level = NULL;
	else if (*level == l)
		*level = l->next;
	l->previous->next = l->next;
	l->next->previous = l->previous;
}

static bool add_to_lane(server *s, run *r)
{
	uint32_t hash = lane_hash(r);
	lane **at = find_lane(s, r, hash);
	r->next = NULL;
	if (*at != NULL) {
		(*at)->last->next = r;
		(*at)->last = r;
		return true;
	}
	lane *made = calloc(1, sizeof *made);
	if (made == NULL)
		return false;
	*made = (lane){.first = r, .last = r, .hash = hash, .priority = r->priority};
	*at = made;
	link_lane(s, made);
	return true;
}

static void remove_from_lane(server *s, run *r)
{
	lane **at = find_lane(s, r, lane_hash(r));
	lane *l = *at;
	run *before = NULL;
	if (l == NULL)
		return;
	for (run *other = l->first; other != r; other = other->next)
		before = other;
	if (before != NULL) {
		before->next = r->next;
		l->last = l->last == r ? before : l->last;
		return;
	}
	if (r->next != NULL) {
		l->first = r->next;
		return;
	}
	*at = l->chain;
	unlink_lane(s, l);
	free(l);
}

/* The run whose turn it is, still in its lane; NULL: none may start. */
static run *choose(server *s)
{
	for (int priority = PRIORITIES - 1; priority >= 0; priority--) {
		lane *first = s->levels[priority];
		lane *l = first;
		if (l == NULL)
			continue;
		do {
			run *r = l->first;
			if (r->owner->running < r->owner->running_most) {
				s->levels[priority] = l->next;
				return r;
			}
			l = l->next;
		} while (l != first);
	}
	return NULL;
}

/* ---- Both ------------------------------------------------------------------------------------------------ */

bool queue_add(server *s, run *r)
{
	int64_t now_us = clock_now_us();
	bool later = r->due_us > now_us;
	r->queued_us = now_us;
	if (!(later ? add_to_heap : add_to_lane)(s, r))
		return false;
	s->waiting_count++;
	s->waiting_bytes += r->held_bytes;
	r->owner->queued++;
	run_set_state(s, r, later ? RUN_SCHEDULED : RUN_QUEUED);
	if (later)
		(void)pthread_cond_signal(&s->tick);
	return true;
}

static void leave(server *s, run *r)
{
	s->waiting_count--;
	s->waiting_bytes -= r->held_bytes;
	r->owner->queued--;
}

void queue_remove(server *s, run *r)
{
	(r->state == RUN_SCHEDULED ? remove_from_heap : remove_from_lane)(s, r);
	leave(s, r);
}

int64_t queue_wake(server *s, int64_t now_us)
{
	while (s->scheduled_count > 0) {
		run *r = s->scheduled[0];
		if (r->due_us > now_us)
			return r->due_us;
		remove_from_heap(s, r);
		if (!add_to_lane(s, r)) {
			/* Without memory for a lane: later. */
			r->due_us = now_us + 1000000;
			place(s, s->scheduled_count++, r);
			sift(s, r->heap_index);
			return r->due_us;
		}
		r->queued_us = now_us;
		run_set_state(s, r, RUN_QUEUED);
	}
	return INT64_MAX;
}

static void append_launch(server *s, run *r)
{
	r->next = NULL;
	if (s->launch_last != NULL)
		s->launch_last->next = r;
	else
		s->launch_first = r;
	s->launch_last = r;
}

void queue_launch(server *s, run *r)
{
	if (r->ended)
		return; /* it was refused, or is over */
	if (r->cancels > 0)
		run_end_without_worker(s, r, CURFEW_OUTCOME_CANCELLED, "the run was cancelled");
	else
		append_launch(s, r);
}

/* The store knows that it starts, so that it is never started twice. */
static void on_start_written(server *s, void *context, const char *problem)
{
	run *r = context;
	if (problem == NULL || r->ended) {
		queue_launch(s, r);
		return;
	}
	/* It goes back, and is tried again a little later. */
	s->running_count--;
	r->owner->running--;
	r->launched = false;
	r->attempt--;
	r->due_us = clock_now_us() + 1000000;
	if (!queue_add(s, r))
		run_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "out of memory");
}

static void begin(server *s, run *r)
{
	int64_t now_us = clock_now_us();
	remove_from_lane(s, r);
	leave(s, r);
	s->running_count++;
	r->owner->running++;
	r->launched = true;
	r->attempt++;
	r->queue_us = now_us - r->queued_us;
	r->started_wall_us = clock_wall_us();
	metrics_add_time(&s->metrics.queue_wait, r->queue_us);
	run_set_state(s, r, RUN_RUNNING);
	if (!r->durable)
		queue_launch(s, r);
	else if (r->inserted && !store_start_run(s->store, r, on_start_written, r))
		on_start_written(s, r, "out of memory");
	/* else it is written for the first time, as one that runs, by who submits it */
}

void queue_dispatch(server *s)
{
	while (s->launching && s->running_count < s->concurrency) {
		run *r = choose(s);
		if (r == NULL)
			return;
		begin(s, r);
	}
}
