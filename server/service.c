/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to runs: they are accepted, wait, begin, are cancelled and end. The scheduler's choices are noted under
 * the lock, and service_launch starts them after unlocking, because the pool may call back at once.
 */
#include "service.h"

#include "common/clock.h"
#include "common/hash.h"
#include "hosts.h"
#include "log.h"
#include "metrics.h"
#include "programs.h"
#include "record.h"
#include "report.h"
#include "common/json_scan.h"
#include "common/utf8.h"
#include "store.h"
#include "wasi.h"

#include <stdio.h>
#include <string.h>

/* A run that cannot begin is tried again a little later; this often, if its source cannot be read from a shared
 * database. */
enum { PUT_OFF_US = 1000000, PUT_OFF_MAX = 300 };
/* For a shared database: this many times the number of concurrent runs may wait on a node without capacity. */
enum { HELD_EACH = 8 };
/* Longer output becomes several events. */
enum { OUTPUT_EVENT_BYTES = 256 << 10 };

/* ---- End ------------------------------------------------------------------------------------------------- */

static void leave_running(server *s, run *r)
{
	if (!r->launched)
		return;
	r->launched = false;
	scheduler_release(&s->scheduler, &r->turn);
	worker_run_unref(r->worker);
	r->worker = NULL;
	/* The next run of a token with a limit of concurrent runs may be waiting for this. */
	if (s->has_backlog || s->has_work || r->owner->elsewhere_queued > 0)
		server_nudge(s);
}

static void log_end(const run *r)
{
	const char *name = r->program_name != NULL ? r->program_name : "-";
	log_event(r->outcome == CURFEW_OUTCOME_INTERNAL_ERROR ? LOG_ERROR : LOG_INFO, "run",
	          (log_field[]){{"id", r->id, 0},
	                        {"outcome", curfew_outcome_name(r->outcome), 0},
	                        {"token", r->owner->id[0] != '\0' ? r->owner->id : "-", 0},
	                        {"program", name, 0},
	                        {"attempt", NULL, (int64_t)r->attempt},
	                        {"queue_us", NULL, r->queue_us},
	                        {"total_us", NULL, r->ended_wall_us - r->created_wall_us},
	                        {0}});
}

/* The store has its end (or never will): the run is done, and its listeners are notified. */
static void publish(server *s, run *r)
{
	if (r->state == RUN_DONE)
		return;
	s->ending_count--;
	run_drop_report(r);
	blob_unref(r->checkpoint); /* the report has it */
	r->checkpoint = NULL;
	run_move(r, RUN_DONE);
	run_add_event(r, EVENT_REPORT, r->report);
	run_notify(r, NEWS_CHANGE);
	log_end(r);
	run_keep(s, r);
}

/* The context of a callback of the store: a run, with a reference until then. */
typedef struct pending {
	server *server;
	run *run;
	uint64_t node; /* the node's number at the request; under another number the result is ignored */
} pending;

/* Makes the context of a callback with a run. NULL: out of memory. */
static pending *expect(server *s, run *r)
{
	pending *made = malloc(sizeof *made);
	if (made == NULL)
		return NULL;
	*made = (pending){s, r, r->node};
	run_ref(r);
	return made;
}

/* Releases the context, after the callback or if the request failed. */
static void release_pending(pending *p)
{
	run_unref(p->server, p->run);
	free(p);
}

static void on_end_written(void *context, const char *problem)
{
	pending *p = context;
	/* A node that has lost its lease wrote no end. It will leave its runs to others in a moment. */
	bool is_late = p->node != 0 && store_node(p->server->store) != p->node;
	if (p->node == p->run->node && !is_late) {
		p->run->written = problem == NULL;
		publish(p->server, p->run);
	}
	release_pending(p);
}

/* False: out of memory. */
static bool write_end(server *s, run *r)
{
	stored_end end = {.id = r->id,
	                  .outcome = r->outcome,
	                  .started_us = r->started_wall_us,
	                  .ended_us = r->ended_wall_us,
	                  .queue_us = r->queue_us,
	                  .last_event = r->next_event + 1, /* the events of state and report will follow */
	                  .summary = r->summary,
	                  .params_length = r->params_length,
	                  .has_output = r->output_stored > 0 &&
	                                !r->is_watched, /* other nodes read the end of its output from there */
	                  .node = r->node,
	                  .report = r->report};
	pending *p = expect(s, r);
	if (p != NULL && store_end_run(s->store, &end, on_end_written, p))
		return true;
	if (p != NULL)
		release_pending(p);
	return false;
}

/* If the database cannot store a report, the outcome of the run says so. */
static bool is_too_large(const run *r, const blob *report)
{
	return r->durable && report->len > STORE_REPORT_MAX;
}

/* Collects the events of a run that are not stored; free the array. False: out of memory. */
static bool fill_news(run *r, stored_news *news)
{
	stored_event *events = malloc((r->event_count + 1) * sizeof *events);
	*news = (stored_news){.id = r->id, .events = events, .checkpoint = r->checkpoint, .is_watched = r->is_watched};
	if (events == NULL)
		return false;
	uint64_t number = r->output_stored > r->first_event ? r->output_stored : r->first_event;
	while (run_has_event(r, number)) {
		const event *e = run_get_event(r, number);
		if (e->kind == EVENT_OUTPUT || (r->is_watched && e->kind != EVENT_STATE))
			events[news->count++] = (stored_event){e->number, e->kind, e->data};
		number = e->number + 1;
	}
	return true;
}

/* Write the events that other nodes show before its end. */
static void write_last_news(server *s, run *r)
{
	stored_news news;
	if (fill_news(r, &news) && news.count > 0)
		(void)store_write_news(s->store, &news);
	free((void *)(uintptr_t)news.events);
}

void service_end(server *s, run *r, curfew_outcome outcome, blob *report)
{
	if (is_too_large(r, report)) {
		char message[128];
		(void)snprintf(message, sizeof message, "the report of %zu bytes is larger than the database can keep",
		               report->len);
		blob *instead = report_make(r, CURFEW_OUTCOME_INTERNAL_ERROR, message, NULL);
		if (instead != NULL) {
			blob_unref(report);
			report = instead;
			outcome = CURFEW_OUTCOME_INTERNAL_ERROR;
		}
	}

	leave_running(s, r);
	s->ending_count++;
	r->ended = true;
	if (r->is_watched && r->durable)
		write_last_news(s, r);
	r->outcome = outcome;
	r->report = report;
	r->report_length = report->len;
	r->ended_wall_us = clock_wall_us();
	if (s->stopping)
		(*(r->cancels > 0 ? &s->cancelled_since_stop : &s->finished_since_stop))++;
	metrics_add_end(&s->metrics.runs, outcome);
	metrics_add_end(&r->owner->figures, outcome);
	if (r->durable && write_end(s, r))
		return;
	r->written = true;
	publish(s, r);
}

void service_end_without_worker(server *s, run *r, curfew_outcome outcome, const char *message)
{
	blob *report = report_make(r, outcome, message, NULL);
	if (report == NULL)
		report = blob_create("null", 4);
	if (report == NULL)
		return; /* out of memory: it stays as it is, and the next start closes it */
	service_end(s, r, outcome, report);
}

/* ---- Waiting, and its turn ------------------------------------------------------------------------------- */

static run *run_of(waiting *w)
{
	return (run *)(void *)((char *)w - offsetof(run, turn));
}

bool service_enqueue(server *s, run *r)
{
	int64_t now_us = clock_now_us();
	bool later = r->turn.due_us > now_us;
	r->queued_us = r->held_us = now_us;
	if (!scheduler_add(&s->scheduler, &r->turn, now_us))
		return false;
	run_move(r, later ? RUN_SCHEDULED : RUN_QUEUED);
	if (later)
		(void)pthread_cond_signal(&s->tick);
	return true;
}

int64_t service_wake(server *s, int64_t now_us)
{
	int64_t next_us;
	for (waiting *w; (w = scheduler_wake(&s->scheduler, now_us, &next_us)) != NULL;) {
		run *r = run_of(w);
		r->queued_us = now_us;
		run_move(r, RUN_QUEUED);
	}
	return next_us;
}

/* The start of this run is written, if it had to be. */
static void note_launch(server *s, run *r)
{
	if (r->ended || r->is_foreign)
		return; /* it was refused, has ended, or belongs to another node */
	if (r->cancels > 0) {
		service_end_without_worker(s, r, CURFEW_OUTCOME_CANCELLED, "the run was cancelled");
		return;
	}
	r->next = NULL;
	*(s->launch_last != NULL ? &s->launch_last->next : &s->launch_first) = r;
	s->launch_last = r;
}

/* Put it back, and try again a little later. */
static void put_off(server *s, run *r)
{
	scheduler_release(&s->scheduler, &r->turn);
	r->launched = false;
	r->attempt--;
	r->turn.due_us = clock_now_us() + PUT_OFF_US;
	if (!service_enqueue(s, r))
		service_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "out of memory");
}

/* Writes its start before it is launched, so that it is never started twice. */
static void take_start(server *s, run *r, const char *problem)
{
	/* A run that was cancelled meanwhile is not tried again. */
	if (problem == NULL || r->ended || r->cancels > 0) {
		note_launch(s, r);
		return;
	}
	put_off(s, r);
}

static void on_start_written(void *context, const char *problem)
{
	pending *p = context;
	if (p->node == p->run->node)
		take_start(p->server, p->run, problem);
	release_pending(p);
}

static void write_start(server *s, run *r)
{
	stored_start start = {
		.id = r->id, .attempt = r->attempt, .started_us = r->started_wall_us, .queue_us = r->queue_us, .node = r->node};
	pending *p = expect(s, r);
	if (p != NULL && store_start_run(s->store, &start, on_start_written, p))
		return;
	take_start(s, r, "out of memory");
	if (p != NULL)
		release_pending(p);
}

static void launch_run(server *s, run *r)
{
	int64_t now_us = clock_now_us();
	r->launched = true;
	if (!r->is_taken) {
		r->attempt++;
		r->queue_us = now_us - r->queued_us;
		r->started_wall_us = clock_wall_us();
	}
	metrics_add_time(&s->metrics.runs.queue_wait, r->queue_us);
	metrics_add_time(&r->owner->figures.queue_wait, r->queue_us);
	run_move(r, RUN_RUNNING);
	if (!r->durable || r->is_taken)
		note_launch(s, r);
	else if (r->inserted)
		write_start(s, r);
	r->is_taken = false;
	/* else it is written for the first time, as one that runs, by who submits it */
}

void service_dispatch(server *s)
{
	while (s->launching) {
		waiting *w = scheduler_take(&s->scheduler, clock_now_us());
		if (w != NULL)
			launch_run(s, run_of(w));
		/* If nothing runs, what is kept is all that a run that needs much memory could wait for. */
		else if (s->scheduler.running > 0 || s->scheduler.queued == 0 || !run_make_room(s))
			return;
	}
}

/* ---- Acceptance ------------------------------------------------------------------------------------------ */

/* Make a node take the waiting runs. */
static void note_work(server *s)
{
	s->has_work = true;
	server_nudge(s);
}

/* The run is on disk, or could not be written and counts as never accepted. */
static void take_inserted(server *s, run *r, const char *problem)
{
	if (problem == NULL) {
		r->accepted = true;
		r->program->stored = true;
		s->metrics.submitted++;
		run_notify(r, NEWS_CHANGE);
		if (r->is_foreign)
			note_work(s);
		else if (r->begun_first)
			note_launch(s, r);
		return;
	}

	r->refused = true;
	r->has_key_taken = problem == STORE_KEY_TAKEN;
	r->program->stored = false; /* whatever the cause, the next run writes the source again */
	if (r->launched) {
		r->launched = false;
		scheduler_release(&s->scheduler, &r->turn);
	} else if (!r->ended && !r->is_foreign) {
		scheduler_remove(&s->scheduler, &r->turn);
	}
	r->ended = true;
	run_notify(r, NEWS_CHANGE);
	run_unregister(s, r);
	service_dispatch(s);
}

static void on_inserted(void *context, const char *problem)
{
	pending *p = context;
	take_inserted(p->server, p->run, problem);
	release_pending(p);
}

static void insert(server *s, run *r, const void *source, size_t source_length)
{
	stored_run row = {.id = r->id,
	                  .owner = r->owner->id,
	                  .sha256 = r->program->sha256,
	                  .name = r->program->name,
	                  .program = r->program_name,
	                  .call = r->call,
	                  .user = r->user,
	                  .allow_fetch = r->allow_fetch,
	                  .wasi = r->wasi,
	                  .hook_url = r->hook_url,
	                  .hook_secret = r->hook_secret,
	                  .schedule = r->schedule,
	                  .turn_us = r->turn_us,
	                  .next_turn_us = r->next_turn_us,
	                  .params = r->params,
	                  .params_length = r->params_length,
	                  .key = r->idempotency_key,
	                  .body_sha256 = r->idempotency_key != NULL ? r->body_sha256 : NULL,
	                  .language = r->program->language,
	                  .state = r->state,
	                  .flags = r->flags,
	                  .priority = r->turn.priority,
	                  .retry = r->retry,
	                  .attempt = r->attempt,
	                  .created_us = r->created_wall_us,
	                  .due_us = r->due_wall_us,
	                  .started_us = r->started_wall_us,
	                  .queue_us = r->queue_us,
	                  .limits = r->limits,
	                  .node = r->node,
	                  .is_watched = r->is_foreign};
	pending *p = expect(s, r);

	if (p != NULL && store_insert_run(s->store, &row, source, source != NULL ? source_length : 0, on_inserted, p))
		return;
	take_inserted(s, r, "out of memory");
	if (p != NULL)
		release_pending(p);
}

static void log_accepted(const run *r)
{
	log_event(LOG_DEBUG, "accepted",
	          (log_field[]){{"id", r->id, 0},
	                        {"token", r->owner->id[0] != '\0' ? r->owner->id : "-", 0},
	                        {"program", r->program_name != NULL ? r->program_name : "-", 0},
	                        {0}});
}

/*
 * Whether a run may begin without a query for runs without an owner. If the number of concurrent runs of its token is
 * limited, all nodes have to be counted.
 */
static bool may_begin_at_once(const server *s, const run *r)
{
	return !s->is_shared || (s->launching && !s->has_backlog && s->left_count == 0 && store_node(s->store) != 0 &&
	                         r->owner->tenant.running_max == UINT64_MAX && r->turn.due_us <= clock_now_us());
}

/* Makes it wait in the database, until some node takes it. */
static void leave_to_all(server *s, run *r)
{
	if (r->event_count == 0)
		run_move(r, r->turn.due_us > clock_now_us() ? RUN_SCHEDULED : RUN_QUEUED);
	run_set_foreign(s, r, true);
	account *a = r->owner;
	uint64_t *counts[] = {r->state == RUN_SCHEDULED ? &a->elsewhere_scheduled : &a->elsewhere_queued,
	                      r->state == RUN_SCHEDULED ? &s->elsewhere_scheduled : &s->elsewhere_queued};
	(*counts[0])++;
	(*counts[1])++;
}

/* Whether a run waits here for its turn, because no other node has capacity either. */
static bool may_wait_here(const server *s)
{
	bool others_have = s->elsewhere_capacity > 0 && clock_now_us() - s->elsewhere_capacity_us <= SERVICE_CAPACITY_US;
	return !others_have && s->scheduler.queued <= HELD_EACH * s->scheduler.concurrency;
}

/* Queues it in the memory of this server. False: out of memory. */
static bool take_in(server *s, run *r)
{
	if (!service_enqueue(s, r))
		return false;
	service_dispatch(s);
	if (!s->is_shared || !r->durable || r->launched || r->ended)
		return true;
	if (may_wait_here(s)) {
		/* While runs wait, other nodes are asked regularly. */
		if (s->scheduler.queued == 1)
			server_nudge(s);
		return true;
	}
	if (s->elsewhere_capacity > 0)
		s->elsewhere_capacity--;
	scheduler_remove(&s->scheduler, &r->turn);
	leave_to_all(s, r);
	return true;
}

bool service_accept(server *s, run *r, const void *source, size_t source_length)
{
	log_accepted(r);
	run_register(s, r);
	r->node = s->is_shared && r->durable ? store_node(s->store) : 0;
	if (r->durable && !may_begin_at_once(s, r)) {
		leave_to_all(s, r);
	} else if (!take_in(s, r)) {
		run_unregister(s, r);
		return false;
	}
	if (!r->durable) {
		r->accepted = true;
		s->metrics.submitted++;
		return true;
	}
	r->inserted = true;
	r->begun_first = r->launched;
	insert(s, r, r->program->stored ? NULL : source, source_length);
	return true;
}

/* ---- What the store asks ----------------------------------------------------------------------------------- */

void service_enter_store(void *context)
{
	server_lock(context);
}

void service_leave_store(void *context)
{
	server_unlock(context);
	service_launch(context);
}

void service_forget_sources(void *context)
{
	programs_forget_stored(context);
}

static void collect_one(run *r, store_news *into)
{
	stored_news news;
	if (fill_news(r, &news) && store_add_news(into, &news))
		r->output_stored = r->next_event;
	free((void *)(uintptr_t)news.events);
}

void service_collect_news(void *context, store_news *into)
{
	server *s = context;
	while (s->dirty_first != NULL) {
		run *r = s->dirty_first;
		s->dirty_first = r->dirty_next;
		if (r->dirty && !r->ended && !r->is_foreign)
			collect_one(r, into);
		r->dirty = false;
		run_unref(s, r);
	}
}

/* Makes the store write its output and checkpoint soon. */
static void note_news(server *s, run *r)
{
	if (r->dirty || r->ended)
		return;
	r->dirty = true;
	run_ref(r);
	r->dirty_next = s->dirty_first;
	s->dirty_first = r;
	store_expect_news(s->store);
}

/* ---- What the pool tells --------------------------------------------------------------------------------- */

typedef struct flight {
	server *server;
	run *run;
	uint64_t node; /* the node's number then */
} flight;

static blob *take_text(text *t)
{
	blob *made = t->failed || t->data == NULL ? NULL : blob_create(t->data, t->length);
	text_finish(t);
	return made;
}

/* Copies JSON of a guest in one line, as an event needs it. NULL if it is not JSON. */
static blob *copy_json(const char *data, size_t length)
{
	blob *made = scan_is_json(data, length) ? blob_create(data, length) : NULL;
	for (size_t i = 0; made != NULL && i < made->len; i++) {
		if (made->data[i] == '\n' || made->data[i] == '\r')
			made->data[i] = ' ';
	}
	return made;
}

static blob *make_output(curfew_event_kind kind, const char *data, size_t length)
{
	text t;
	text_init(&t, 6 * length + 64);
	text_print(&t, "{\"stream\":\"%s\",\"text\":", kind == CURFEW_EVENT_STDOUT ? "stdout" : "stderr");
	text_add_json(&t, data, length);
	text_say(&t, "}");
	return take_text(&t);
}

static void add_event(flight *f, curfew_event_kind kind, const char *data, size_t length)
{
	bool is_output = kind == CURFEW_EVENT_STDOUT || kind == CURFEW_EVENT_STDERR;
	blob *made = is_output ? make_output(kind, data, length) : copy_json(data, length);

	if (made == NULL)
		return;
	server_lock(f->server);
	run *r = f->run;
	blob_count(made, &r->owner->tenant.large);
	if (f->node != r->node) { /* another node has it now */
		server_unlock(f->server);
		blob_unref(made);
		return;
	}

	if (kind == CURFEW_EVENT_CHECKPOINT) {
		blob_unref(r->checkpoint);
		r->checkpoint = blob_ref(made);
	}

	run_add_event(r,
	              is_output                         ? EVENT_OUTPUT
	              : kind == CURFEW_EVENT_CHECKPOINT ? EVENT_CHECKPOINT
	                                                : EVENT_PROGRESS,
	              made);
	if (r->durable && (r->is_watched || kind != CURFEW_EVENT_PROGRESS))
		note_news(f->server, r);
	server_unlock(f->server);
	blob_unref(made);
}

/* A worker joins output that waits. In parts, the newest of it stays when older events are dropped. */
static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	bool is_output = kind == CURFEW_EVENT_STDOUT || kind == CURFEW_EVENT_STDERR;
	while (is_output && length > OUTPUT_EVENT_BYTES) {
		size_t part = curfew__utf8_cut(data, length, OUTPUT_EVENT_BYTES);
		add_event(context, kind, data, part);
		data += part;
		length -= part;
	}
	add_event(context, kind, data, length);
}

/* Whether the run is to be repeated, after its process died. */
static bool may_run_again(const server *s, const run *r, curfew_outcome outcome)
{
	return outcome == CURFEW_OUTCOME_CRASHED && r->attempt <= r->retry && r->cancels == 0 && !s->stopping;
}

/* Ends a run here that another node has now. */
static void forget_flight(server *s, run *r)
{
	leave_running(s, r);
	if (r->is_left)
		s->left_count--;
	r->is_left = false;
	server_nudge(s);
}

/* The report of a result, in the memory that it came in if it is large. NULL: there is none, or out of memory. */
static blob *take_report(const worker_result *result)
{
	if (result->report == NULL)
		return NULL;
	if (result->memory == NULL)
		return blob_create(result->report, result->report_length);
	char *data = *result->memory + (result->report - *result->memory);
	blob *made = blob_adopt(*result->memory, data, result->report_length);
	if (made != NULL)
		*result->memory = NULL;
	return made;
}

static void on_done(void *context, const worker_result *result)
{
	flight *f = context;
	server *s = f->server;
	run *r = f->run;
	report_facts facts = {0};
	blob *report = take_report(result);

	blob_count(report, &r->owner->tenant.large);
	if (report != NULL)
		report_read(result->parsed, &facts);
	server_lock(s);
	r->is_in_flight = false;
	if (f->node != r->node) {
		forget_flight(s, r);
		blob_unref(report);
	} else if (may_run_again(s, r, result->outcome)) {
		leave_running(s, r);
		blob_unref(report);
		if (!service_enqueue(s, r))
			service_end_without_worker(s, r, CURFEW_OUTCOME_CRASHED, "the process that ran the program died");
	} else if (report == NULL) {
		service_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "the worker's report could not be read");
	} else {
		report_count(&s->metrics.runs, &facts);
		report_count(&r->owner->figures, &facts);
		r->summary = facts.summary;
		service_end(s, r, result->outcome, report);
	}

	service_dispatch(s);
	run_unref(s, r);
	server_unlock(s);
	service_launch(s);
	free(f);
}

/* ---- To the pool ----------------------------------------------------------------------------------------- */

/* The hosts that it was allowed and that are still allowed: the server may have been restarted. */
static bool find_hosts(const server *s, const run *r, hosts *allowed)
{
	hosts server_s, token_s;
	bool good = hosts_split(allowed, r->allow_fetch);
	good = hosts_split(&server_s, s->config->allow_fetch) && good;
	good = hosts_split(&token_s, r->owner->allow_fetch) && good;
	hosts_keep_within(allowed, &server_s);
	if (token_s.count > 0)
		hosts_keep_within(allowed, &token_s);
	hosts_finish(&server_s);
	hosts_finish(&token_s);
	return good;
}

static worker_job job_of(const server *s, const run *r, const hosts *allowed, const wasi *given)
{
	return (worker_job){.id = r->id,
	                    .limits = &r->limits,
	                    .flags = r->flags,
	                    .call = r->call,
	                    .params = r->params,
	                    .params_length = r->params_length,
	                    .user = r->user,
	                    .store = r->user != NULL ? s->secrets : NULL,
	                    .owner = hash_of(r->owner->id),
	                    .allow_fetch = allowed->items,
	                    .allow_fetch_count = allowed->count,
	                    .secret_for = given->secret_for,
	                    .secret_for_count = given->secret_for_count,
	                    .args = given->args,
	                    .arg_count = given->arg_count,
	                    .env = (const char *const *)given->env,
	                    .env_count = given->env_count,
	                    .timezone = given->timezone,
	                    .stdin_bytes = given->input,
	                    .stdin_length = given->input_length,
	                    .files = given->files.data,
	                    .files_length = given->files.len,
	                    .on_event = on_event,
	                    .on_done = on_done};
}

static curfew_status submit(server *s, run *r, worker_program *ready, curfew_failure *failure)
{
	flight *f = malloc(sizeof *f);
	worker_run *handle = NULL;
	hosts allowed;
	wasi given;
	bool found = find_hosts(s, r, &allowed);
	if (!wasi_split(&given, r->wasi) || !found || f == NULL) {
		hosts_finish(&allowed);
		wasi_finish(&given);
		free(f);
		return CURFEW_NO_MEMORY;
	}
	*f = (flight){s, r, r->node};
	worker_job job = job_of(s, r, &allowed, &given);
	job.program = ready;
	job.context = f;
	server_lock(s);
	bool is_off = r->is_foreign; /* set after it was chosen */
	unsigned attempt = r->attempt;
	f->node = r->node;
	if (!is_off) {
		run_ref(r); /* the flight's reference */
		r->is_in_flight = true;
	}
	server_unlock(s);
	if (is_off) {
		hosts_finish(&allowed);
		wasi_finish(&given);
		free(f);
		return CURFEW_OK;
	}
	curfew_status status = worker_pool_submit(s->pool, &job, &handle, failure);
	hosts_finish(&allowed);
	wasi_finish(&given);
	server_lock(s);
	if (status != CURFEW_OK) {
		r->is_in_flight = false;
		if (f->node != r->node)
			forget_flight(s, r);
		run_unref(s, r);
		free(f);
	} else if (r->launched && r->worker == NULL && r->attempt == attempt) {
		r->worker = handle;
		for (unsigned i = 0; r->is_left && i < 2; i++)
			worker_run_cancel(handle);
		for (unsigned i = 0; i < r->cancels && i < 2; i++)
			worker_run_cancel(handle);
	} else {
		worker_run_unref(handle); /* it has ended already, and may even have begun again */
	}
	server_unlock(s);
	return status;
}

/* Puts off a run whose source could not be read from a shared database, which may be unavailable for a while. */
static bool may_be_read_later(server *s, run *r)
{
	return store_is_shared(s->store) && r->durable && !r->is_foreign && !r->ended && r->cancels == 0 &&
	       r->put_off++ < PUT_OFF_MAX;
}

/* Submits a run to the pool. Without the lock. */
static void launch(server *s, run *r)
{
	curfew_failure failure = {0};
	curfew_status status = CURFEW_SYSTEM;
	bool is_unread = false;
	worker_program *ready = program_make_ready(s, r->program, NULL, 0, &is_unread, &failure);
	if (ready != NULL)
		status = submit(s, r, ready, &failure);
	worker_program_unref(ready);
	if (status == CURFEW_OK)
		return;
	server_lock(s);
	if (is_unread && may_be_read_later(s, r))
		put_off(s, r);
	else if (!r->is_foreign)
		service_end_without_worker(
			s, r, status == CURFEW_INVALID ? CURFEW_OUTCOME_BAD_PROGRAM : CURFEW_OUTCOME_INTERNAL_ERROR,
			failure.message[0] != '\0' ? failure.message : "out of memory");
	service_dispatch(s);
	server_unlock(s);
}

static run *take_to_launch(server *s)
{
	server_lock(s);
	run *r = s->launch_first;
	if (r != NULL)
		s->launch_first = r->next;
	if (s->launch_first == NULL)
		s->launch_last = NULL;
	server_unlock(s);
	return r;
}

void service_launch(server *s)
{
	for (run *r; (r = take_to_launch(s)) != NULL;)
		launch(s, r);
}

/* ---- Cancelling ------------------------------------------------------------------------------------------ */

void service_cancel(server *s, run *r)
{
	if (r->ended || r->is_foreign)
		return;
	r->cancels++;
	log_event(LOG_DEBUG, "cancel", (log_field[]){{"id", r->id, 0}, {"times", NULL, (int64_t)r->cancels}, {0}});
	if (r->state <= RUN_QUEUED) {
		scheduler_remove(&s->scheduler, &r->turn);
		service_end_without_worker(s, r, CURFEW_OUTCOME_CANCELLED, "the run was cancelled before it started");
		return;
	}
	if (r->state == RUN_RUNNING)
		run_move(r, RUN_STOPPING);
	if (r->worker != NULL)
		worker_run_cancel(r->worker);
}

void service_cancel_waiting(server *s, const account *who)
{
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i], *next; r != NULL; r = next) {
			next = r->chain;
			if (r->owner != who || r->ended || r->is_foreign || r->state > RUN_QUEUED)
				continue;
			/* Hold the next run: ending this one may drop others that are kept. */
			run_ref(r);
			service_cancel(s, r);
			run_unref(s, r);
			next = s->runs[i];
		}
	}
	service_dispatch(s);
}

/* ---- Where many servers share the database ----------------------------------------------------------------- */

void service_watch(server *s, run *r)
{
	if (r->is_watched || r->ended)
		return;
	r->is_watched = true;
	r->output_stored = 0;
	note_news(s, r);
}

/* The pool's result for it is ignored. */
static void leave_run(server *s, run *r)
{
	if (r->ended) {
		s->ending_count--;
		r->ended = false;
		blob_unref(r->report);
		r->report = NULL;
	} else if (!r->launched) {
		scheduler_remove(&s->scheduler, &r->turn);
	}
	r->begun_first = r->is_taken = false;
	run_set_foreign(s, r, true);
	if (!r->is_in_flight) {
		leave_running(s, r);
		return;
	}
	r->is_left = true;
	s->left_count++;
	for (int i = 0; r->worker != NULL && i < 2; i++)
		worker_run_cancel(r->worker);
}

void service_lose_all(server *s)
{
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i]; r != NULL; r = r->chain) {
			if (r->durable && !r->is_foreign && !r->refused && r->state != RUN_DONE)
				leave_run(s, r);
		}
	}
	service_dispatch(s);
}

bool service_give_back(server *s, run *r)
{
	bool is_begun = r->launched;
	if (r->is_foreign || !r->durable || !r->accepted || r->ended || r->cancels > 0 ||
	    (is_begun && r->attempt > r->retry))
		return false;
	/* A run that waits here was counted when it was taken. */
	unsigned attempt = r->is_taken && r->attempt > 0 ? r->attempt - 1 : r->attempt;
	if (!store_give_back(s->store, r->id, attempt, r->node))
		return false;
	leave_run(s, r);
	return true;
}
