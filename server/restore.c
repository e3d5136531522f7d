/* SPDX-License-Identifier: Apache-2.0 */
/* Loads runs of the database into memory: at the start, and, if many servers share it, when they are taken or shown. */
#include "restore.h"

#include "common/clock.h"
#include "log.h"
#include "programs.h"
#include "record.h"
#include "report.h"
#include "service.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What was left on disk --------------------------------------------------------------------------------- */

static void close_crashed(server *s, run *r, const char *output, const char *why)
{
	blob *report = report_make(r, CURFEW_OUTCOME_CRASHED, why, output);
	r->output_stored = r->next_event; /* so that its stored output is dropped */
	if (report != NULL)
		service_end(s, r, CURFEW_OUTCOME_CRASHED, report);
}

static account *find_owner(server *s, const char *id)
{
	for (account *a = s->accounts; a != NULL; a = a->next) {
		if (strcmp(a->id, id) == 0)
			return a;
	}
	return s->anybody;
}

static bool copy_words(char **copy, const char *words)
{
	*copy = words != NULL ? text_copy(words, strlen(words)) : NULL;
	return words == NULL || *copy != NULL;
}

/* Under the lock. NULL: out of memory. */
static run *make_left(server *s, const stored_run *row)
{
	run *r = run_create(find_owner(s, row->owner));

	if (r == NULL)
		return NULL;
	(void)snprintf(r->id, sizeof r->id, "%s", row->id);
	(void)snprintf(r->body_sha256, sizeof r->body_sha256, "%s", row->body_sha256 != NULL ? row->body_sha256 : "");
	r->params = row->params != NULL ? text_copy(row->params, row->params_length) : text_copy("[]", 2);
	r->params_length = r->params != NULL ? strlen(r->params) : 0;
	r->checkpoint = row->checkpoint != NULL ? blob_create(row->checkpoint, strlen(row->checkpoint)) : NULL;
	r->program = program_get(s, row->sha256, row->language, row->name);
	bool good = r->params != NULL && r->program != NULL && (row->checkpoint == NULL) == (r->checkpoint == NULL);
	good = copy_words(&r->program_name, row->program) && good;
	good = copy_words(&r->call, row->call) && good;
	good = copy_words(&r->user, row->user) && good;
	good = copy_words(&r->allow_fetch, row->allow_fetch) && good;
	good = copy_words(&r->wasi, row->wasi) && good;
	good = copy_words(&r->schedule, row->schedule) && good;
	good = copy_words(&r->hook_url, row->hook_url) && good;
	good = copy_words(&r->hook_secret, row->hook_secret) && good;
	good = copy_words(&r->idempotency_key, row->key) && good;
	if (good)
		return r;
	run_unref(s, r);
	return NULL;
}

/* Sets the fields that need no memory. */
static void fill_left(server *s, run *r, const stored_run *row)
{
	r->limits = row->limits;
	r->flags = row->flags;
	r->retry = row->retry;
	r->attempt = row->attempt;
	r->created_wall_us = row->created_us;
	r->due_wall_us = row->due_us;
	r->started_wall_us = row->started_us;
	r->queue_us = row->queue_us;
	r->durable = r->inserted = r->accepted = true;
	/* Its event numbers continue after all that it can have had in an earlier life of the server. */
	run_skip_events(r, (s->life << EVENT_LIFE_SHIFT) + 1);
	r->turn = (waiting){.tenant = &r->owner->tenant,
	                    .user = r->user,
	                    .priority = row->priority % PRIORITIES,
	                    .memory_bytes = run_count_memory(s, &row->limits),
	                    .held_bytes = r->params_length};
}

/* A run that needs more than the budget of this start would wait for ever, and all that are behind it. */
static void lower_memory(const server *s, run *r)
{
	uint64_t most = s->scheduler.memory_budget;
	if (r->limits.memory_bytes <= most)
		return;
	log_say(LOG_WARN, "start", "run %s gets %llu MiB of memory, which is the budget (--memory-budget), not %llu MiB",
	        r->id, (unsigned long long)most >> 20, (unsigned long long)r->limits.memory_bytes >> 20);
	r->limits.memory_bytes = r->turn.memory_bytes = most; /* all of it */
}

/* The rest of a delay by the wall clock, but never more than was asked for, in case the clock was set back. */
static int64_t due_after_restart(const run *r)
{
	int64_t left_us = r->due_wall_us - clock_wall_us();
	int64_t max_us = r->due_wall_us - r->created_wall_us;
	if (left_us <= 0)
		return 0;
	return clock_now_us() + (left_us < max_us ? left_us : max_us);
}

bool restore_left(void *context, const stored_run *row)
{
	server *s = context;
	bool was_running = row->state >= RUN_RUNNING;

	server_lock(s);
	run *r = make_left(s, row);
	if (r == NULL) {
		server_unlock(s);
		return false;
	}

	fill_left(s, r, row);
	run_register(s, r);
	if (row->is_unreadable) {
		log_say(LOG_ERROR, "start", "run %s on disk cannot be read, and is closed", r->id);
		(void)curfew_limits_resolve(NULL, &r->limits, NULL);
		service_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "the run on disk could not be read");
	} else if (was_running && r->attempt > r->retry) {
		close_crashed(s, r, row->output, "the server ended while the program ran");
	} else if (r->owner->is_over) {
		service_end_without_worker(s, r, CURFEW_OUTCOME_CANCELLED, "the token of the run is revoked or has expired");
	} else {
		r->queue_us = -1;
		lower_memory(s, r);
		r->turn.due_us = was_running || r->due_wall_us == 0 ? 0 : due_after_restart(r);
		if (!service_enqueue(s, r))
			log_say(LOG_ERROR, "start", "out of memory: run %s stays on disk until the next start", r->id);
	}

	run_unref(s, r);
	server_unlock(s);
	return true;
}

/* ---- Of a database that many servers share ------------------------------------------------------------------- */

bool restore_knows(const server *s, const char *owner)
{
	return owner[0] == '\0' || find_owner((server *)(uintptr_t)s, owner) != s->anybody;
}

/* Makes the record of a run of another node. NULL: out of memory. */
static run *find_or_make(server *s, const stored_run *row)
{
	run *r = run_find(s, row->id);
	if (r != NULL) {
		run_ref(r);
		return r;
	}
	r = make_left(s, row);
	if (r == NULL)
		return NULL;
	fill_left(s, r, row);
	r->first_event = r->next_event = 1;
	r->epoch = row->epoch;
	run_register(s, r);
	run_set_foreign(s, r, true);
	return r;
}

/* Updates what has changed since it was shown here. */
static void take_over(server *s, run *r, const stored_run *row)
{
	run_set_foreign(s, r, false);
	r->node = row->node;
	r->epoch = row->epoch;
	r->attempt = row->attempt;
	r->started_wall_us = row->started_us;
	r->queue_us = row->queue_us;
	r->cancels = row->cancels;
	r->is_watched = row->is_watched || r->is_watched;
	r->ended = false;
	r->output_stored = 0;
	r->turn.due_us = 0;
	r->held_us = r->queued_us = clock_now_us();
	r->state = RUN_QUEUED;
	run_skip_events(r, (r->epoch << EVENT_LIFE_SHIFT) + 1);
}

/* Remove it from the count in which it waited. */
static void count_out(server *s, account *a, run_state state)
{
	uint64_t *own = state == RUN_SCHEDULED ? &a->elsewhere_scheduled : &a->elsewhere_queued;
	uint64_t *all = state == RUN_SCHEDULED ? &s->elsewhere_scheduled : &s->elsewhere_queued;
	if (*own > 0 && *all > 0) {
		(*own)--;
		(*all)--;
	}
}

/* How long it has waited for its turn. */
static int64_t waited_us(const stored_run *row)
{
	int64_t since_us = row->due_us > row->created_us ? row->due_us : row->created_us;
	int64_t waited_us = clock_wall_us() - since_us;
	return waited_us > 0 ? waited_us : 0;
}

/* Begins it, or makes it wait for capacity. */
static void resume_or_begin(server *s, run *r, const stored_run *row)
{
	/* The pool still has it from before this node was considered dead, so leave it to another node. */
	if (r->launched) {
		(void)store_give_back(s->store, r->id, r->attempt > 0 ? r->attempt - 1 : 0, r->node);
		run_set_foreign(s, r, true);
		return;
	}
	r->is_taken = row->state >= RUN_RUNNING;
	if (!r->is_taken)
		r->queued_us -= waited_us(row);
	if (r->owner->is_over)
		r->cancels++;
	if (!scheduler_add(&s->scheduler, &r->turn, clock_now_us()))
		service_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "out of memory");
}

bool restore_taken(server *s, const stored_run *row)
{
	run *r = run_find(s, row->id);

	/* The database has lost the end of it, as one that took over from another may have. */
	if (r != NULL && r->among != NULL)
		run_forget(s, r);
	r = find_or_make(s, row);
	if (r == NULL)
		return false;
	if (!r->is_foreign) {
		run_unref(s, r);
		return true;
	}

	if (!row->is_lost)
		count_out(s, r->owner, row->state < RUN_RUNNING ? row->state : RUN_QUEUED);
	take_over(s, r, row);
	if (row->is_unreadable) {
		log_say(LOG_ERROR, "cluster", "run %s of the database cannot be read, and is closed", r->id);
		(void)curfew_limits_resolve(NULL, &r->limits, NULL);
		service_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "the run in the database could not be read");
	} else if (row->is_lost) {
		close_crashed(s, r, row->output, "the server that ran the program has died");
	} else if (row->state < RUN_RUNNING && row->cancels > 0) {
		service_end_without_worker(s, r, CURFEW_OUTCOME_CANCELLED, "the run was cancelled before it started");
	} else {
		resume_or_begin(s, r, row);
	}
	run_unref(s, r);
	return true;
}

run *restore_foreign(server *s, const stored_run *row)
{
	run *r = find_or_make(s, row);
	if (r == NULL)
		return NULL;
	if (r->is_foreign && r->event_count == 0 && row->state >= RUN_RUNNING)
		restore_show_begun(r, row->epoch);
	else if (r->is_foreign && r->event_count == 0)
		run_move(r, row->state);
	return r;
}

void restore_show_begun(run *r, uint64_t epoch)
{
	uint64_t number = epoch == 0 ? 2 : (epoch << EVENT_LIFE_SHIFT) + 1;
	r->epoch = epoch;
	if (number < r->next_event)
		return;
	run_skip_events(r, number);
	r->state = RUN_QUEUED;
	run_move(r, RUN_RUNNING);
}
