/* SPDX-License-Identifier: Apache-2.0 */
/* A run's record: how it is found, its states, and its events. */
#include "record.h"

#include "programs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS_MAX = 10000, EVENT_BYTES_MAX = 4 << 20, FIRST_EVENTS = 4, KEPT_MAX = 4096, KEPT_BYTES_MAX = 64 << 20 };
/* Large reports that are only in memory may take this part of the memory budget. */
enum { LARGE_PART = 8 };

static void drop_first_event(run *r);

/* ---- Tables ---------------------------------------------------------------------------------------------- */

static run **bucket(server *s, const char *id)
{
	unsigned index = 0;
	/* Hash the last characters, which differ most. */
	for (int i = ID_SIZE - 7; i < ID_SIZE - 1; i++)
		index = index * 33 + (unsigned char)id[i];
	return &s->runs[index % RUN_BUCKETS];
}

static run **key_bucket(server *s, const char *key)
{
	unsigned index = 0;
	for (; *key != '\0'; key++)
		index = index * 33 + (unsigned char)*key;
	return &s->keys[index % RUN_BUCKETS];
}

run *run_create(account *owner)
{
	run *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->refs = 1;
	r->owner = owner;
	r->queue_us = -1;
	r->first_event = r->next_event = 1;
	r->summary.stop_latency_us = -1;
	r->turn.priority = PRIORITY_DEFAULT;
	id_create(r->id);
	return r;
}

void run_ref(run *r)
{
	r->refs++;
}

void run_unref(server *s, run *r)
{
	if (--r->refs > 0)
		return;
	while (r->event_count > 0)
		drop_first_event(r);
	free(r->events);
	blob_unref(r->report);
	blob_unref(r->checkpoint);
	if (r->among != NULL)
		program_drop(s, r->program);
	else
		program_unref(s, r->program);
	worker_run_unref(r->worker);
	free(r->program_name);
	free(r->call);
	free(r->params);
	free(r->user);
	free(r->allow_fetch);
	free(r->wasi);
	free(r->schedule);
	free(r->hook_url);
	free(r->hook_secret);
	free(r->idempotency_key);
	free(r);
}

void run_register(server *s, run *r)
{
	run **at = bucket(s, r->id);
	r->chain = *at;
	*at = r;
	if (r->idempotency_key != NULL) {
		at = key_bucket(s, r->idempotency_key);
		r->key_chain = *at;
		*at = r;
	}
	run_ref(r);
}

void run_unregister(server *s, run *r)
{
	run **at = bucket(s, r->id);
	while (*at != r)
		at = &(*at)->chain;
	*at = r->chain;
	if (r->is_foreign)
		s->foreign_count--;
	r->is_foreign = false;
	if (r->idempotency_key != NULL) {
		at = key_bucket(s, r->idempotency_key);
		while (*at != r)
			at = &(*at)->key_chain;
		*at = r->key_chain;
	}
	run_unref(s, r);
}

run *run_find(server *s, const char *id)
{
	run *r = *bucket(s, id);
	while (r != NULL && strcmp(r->id, id) != 0)
		r = r->chain;
	return r;
}

run *run_find_key(server *s, const account *owner, const char *key)
{
	run *r = *key_bucket(s, key);
	while (r != NULL && (r->owner != owner || strcmp(r->idempotency_key, key) != 0))
		r = r->key_chain;
	return r;
}

bool run_is_visible(const run *r, const account *who)
{
	return r->owner == who || (who->scopes & SCOPE_ADMIN) != 0;
}

void run_set_foreign(server *s, run *r, bool is_foreign)
{
	if (r->is_foreign != is_foreign)
		s->foreign_count += is_foreign ? 1 : (size_t)-1;
	r->is_foreign = is_foreign;
	if (is_foreign)
		r->node = 0;
}

void run_skip_events(run *r, uint64_t number)
{
	if (number > r->next_event)
		r->next_event = number;
	if (r->event_count == 0)
		r->first_event = r->next_event;
}

uint64_t run_count_memory(const server *s, const curfew_limits *limits)
{
	uint64_t output = limits->output_bytes, budget = s->scheduler.memory_budget;
	uint64_t more = output > RUN_OUTPUT_FREE ? output - RUN_OUTPUT_FREE : 0;
	if (limits->memory_bytes >= budget || more / RUN_OUTPUT_FACTOR >= budget)
		return budget;
	uint64_t all = limits->memory_bytes + RUN_OUTPUT_FACTOR * more;
	return all < budget ? all : budget;
}

void run_drop_report(run *r)
{
	r->report_length = r->report->len;
	if (r->report_length <= RUN_REPORT_SMALL || !r->durable || !r->written)
		return;
	blob_unref(r->report);
	r->report = NULL;
}

static size_t kept_bytes_of(const run *r)
{
	return r->event_bytes + (r->report != NULL ? r->report->len : 0);
}

void run_forget(server *s, run *r)
{
	kept_runs *k = r->among;
	*(r->older != NULL ? &r->older->newer : &k->oldest) = r->newer;
	*(r->newer != NULL ? &r->newer->older : &k->newest) = r->older;
	if (k->next_to_forget == r)
		k->next_to_forget = r->newer;
	k->count--;
	k->bytes -= kept_bytes_of(r);
	run_unregister(s, r);
}

static bool has_large_report(const run *r)
{
	return r->report != NULL && r->report->len > RUN_REPORT_SMALL;
}

/*
 * Forgets the oldest runs, if there are too many. A run that the store does not have, because it is only in memory,
 * stays; those after it are forgotten all the same, and it is not looked at again.
 */
static void forget_oldest(server *s, kept_runs *k, size_t bytes_max, const run *newest)
{
	while (k->next_to_forget != NULL && (k->count > KEPT_MAX || k->bytes > bytes_max)) {
		run *old = k->next_to_forget;
		if (old == newest)
			return;
		if (old->written)
			run_forget(s, old);
		else
			k->next_to_forget = old->newer;
	}
}

/*
 * Ended runs stay in memory for a while, for clients that come late or reconnect. Those with large reports that are in
 * no store are apart, so that they push out no others, nor others them; the last one stays, whatever its size.
 */
void run_keep(server *s, run *r)
{
	uint64_t budget = s->scheduler.memory_budget;
	bool is_apart = !r->durable && has_large_report(r);
	kept_runs *k = r->among = is_apart ? &s->kept_large : &s->kept;
	program_rest(s, r->program);
	r->newer = NULL;
	r->older = k->newest;
	*(r->older != NULL ? &r->older->newer : &k->oldest) = r;
	k->newest = r;
	k->count++;
	k->bytes += kept_bytes_of(r);
	if (k->next_to_forget == NULL)
		k->next_to_forget = r;

	size_t bytes_max = KEPT_BYTES_MAX;
	if (is_apart || bytes_max > budget / 4)
		bytes_max = (size_t)(budget / (is_apart ? LARGE_PART : 4));
	forget_oldest(s, k, bytes_max, is_apart ? r : NULL);
}

bool run_make_room(server *s)
{
	run *old = s->kept_large.next_to_forget != NULL ? s->kept_large.next_to_forget : s->kept.next_to_forget;
	while (old != NULL && !old->written)
		old = old->newer;
	if (old != NULL)
		run_forget(s, old);
	return old != NULL;
}

/* ---- Events ---------------------------------------------------------------------------------------------- */

static const event *event_at(const run *r, size_t index)
{
	return &r->events[(r->event_start + index) & (r->event_capacity - 1)];
}

const event *run_get_event(const run *r, uint64_t number)
{
	assert(r->event_count > 0 && number < r->next_event);
	if (number < r->first_event)
		number = r->first_event;
	if (r->next_event - r->first_event == r->event_count)
		return event_at(r, number - r->first_event);
	/* Some events are missing. */
	size_t low = 0, high = r->event_count - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (event_at(r, middle)->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return event_at(r, low);
}

/* The run holds the report as well, so as an event it takes no further memory. */
static size_t count_bytes(event_kind kind, const blob *data)
{
	return kind == EVENT_REPORT ? 0 : data->len;
}

static void drop_first_event(run *r)
{
	const event *first = event_at(r, 0);
	r->event_bytes -= count_bytes(first->kind, first->data);
	blob_unref(first->data);
	r->event_start = (r->event_start + 1) & (r->event_capacity - 1);
	r->event_count--;
	r->first_event = r->event_count > 0 ? event_at(r, 0)->number : r->next_event;
}

/* Grow the ring by copying it, from its start, into one twice as large. */
static bool reserve_event(run *r)
{
	if (r->event_count < r->event_capacity)
		return true;
	size_t capacity = r->event_capacity == 0 ? FIRST_EVENTS : r->event_capacity * 2;
	event *grown = malloc(capacity * sizeof *grown);
	if (grown == NULL)
		return false;
	for (size_t i = 0; i < r->event_count; i++)
		grown[i] = *event_at(r, i);
	free(r->events);
	r->events = grown;
	r->event_capacity = capacity;
	r->event_start = 0;
	return true;
}

bool run_has_event(const run *r, uint64_t number)
{
	return r->event_count > 0 && event_at(r, r->event_count - 1)->number >= number;
}

void run_notify(run *r, run_news news)
{
	for (run_listener *l = r->listeners; l != NULL; l = l->next)
		l->notify(l, news);
}

void run_listen(run *r, run_listener *l)
{
	run_ref(r);
	l->next = r->listeners;
	r->listeners = l;
}

void run_unlisten(server *s, run *r, run_listener *l)
{
	run_listener **at = &r->listeners;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	run_unref(s, r);
}

void run_add_event(run *r, event_kind kind, blob *data)
{
	if ((data == NULL && kind != EVENT_REPORT) || !reserve_event(r))
		return;
	if (r->event_count == 0)
		r->first_event = r->next_event;
	r->events[(r->event_start + r->event_count++) & (r->event_capacity - 1)] = (event){kind, r->next_event++,
	                                                                                   blob_ref(data)};
	r->event_bytes += count_bytes(kind, data);
	while (r->event_count > 1 && (r->event_count > EVENTS_MAX || r->event_bytes > EVENT_BYTES_MAX))
		drop_first_event(r);
	run_notify(r, NEWS_EVENT);
}

/* ---- States ---------------------------------------------------------------------------------------------- */

/*
 * The legal transitions: for each state, a bit for each state that may follow. A running run waits again if it is to be
 * repeated, or if its start cannot be written.
 */
static const unsigned may_follow[RUN_STATES] = {
	[RUN_SCHEDULED] = 1u << RUN_SCHEDULED | 1u << RUN_QUEUED | 1u << RUN_DONE,
	[RUN_QUEUED] = 1u << RUN_RUNNING | 1u << RUN_DONE,
	[RUN_RUNNING] = 1u << RUN_SCHEDULED | 1u << RUN_QUEUED | 1u << RUN_STOPPING | 1u << RUN_DONE,
	[RUN_STOPPING] = 1u << RUN_DONE,
};

void run_move(run *r, run_state state)
{
	assert((may_follow[r->state] >> state & 1) != 0);
	char words[128];
	int length = r->queue_us >= 0 && state >= RUN_RUNNING
	                 ? snprintf(words, sizeof words, "{\"state\":\"%s\",\"queue_us\":%lld,\"started_ms\":%lld}",
	                            run_state_names[state], (long long)r->queue_us, (long long)(r->started_wall_us / 1000))
	                 : snprintf(words, sizeof words, "{\"state\":\"%s\"}", run_state_names[state]);
	blob *data = blob_create(words, (size_t)length);
	r->state = state;
	run_add_event(r, EVENT_STATE, data);
	blob_unref(data);
}

/* ---- Showing --------------------------------------------------------------------------------------------- */

void run_fill_view(run_view *view, const run *r)
{
	*view = (run_view){
		.id = r->id,
		.owner = r->owner->id,
		.program = r->program_name,
		.sha256 = r->program->sha256,
		.call = r->call,
		.user = r->user,
		.allow_fetch = r->allow_fetch,
		.schedule = r->schedule,
		.hook = r->hook,
		.state = r->state,
		.language = r->program->language,
		.priority = r->turn.priority,
		.retry = r->retry,
		.attempt = r->attempt,
		.durable = r->durable,
		.created_us = r->created_wall_us,
		.due_us = r->due_wall_us,
		.started_us = r->started_wall_us,
		.ended_us = r->state == RUN_DONE ? r->ended_wall_us : 0,
		.queue_us = r->queue_us,
		.outcome = r->state == RUN_DONE ? curfew_outcome_name(r->outcome) : NULL,
		.checkpoint = r->state != RUN_DONE && r->checkpoint != NULL ? r->checkpoint->data : NULL,
		.report = r->state == RUN_DONE && r->report != NULL ? r->report->data : NULL,
		.report_length = r->state == RUN_DONE ? r->report_length : 0,
		.last_event = r->next_event - 1,
		.limits = r->limits,
		.has_usage = r->worker != NULL,
		.has_summary = r->state == RUN_DONE,
		.summary = r->summary,
	};

	view->hook.url = r->hook_url;
	view->hook.secret = r->hook_secret;
	view->hook.problem = r->hook_problem[0] != '\0' ? r->hook_problem : NULL;
	if (r->worker != NULL) {
		view->usage.size = sizeof view->usage;
		worker_run_get_usage(r->worker, &view->usage);
	}
}
