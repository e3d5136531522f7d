/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/runs: submitting, showing and cancelling runs. */
#include "accounts.h"
#include "cluster.h"
#include "common/clock.h"
#include "pieces.h"
#include "programs.h"
#include "record.h"
#include "routes.h"
#include "run_routes.h"
#include "schedule_routes.h"
#include "service.h"
#include "store.h"
#include "submission.h"
#include "subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_MAX = 255,
	PAGE_USUAL = 50,
	PAGE_MAX = 1000,
	PAGE_REPORTS_MAX = 20,
	PAGE_BYTES = 8 << 20,
	LIST_REPORT_MAX = 256 << 10,
	CHECKPOINT_SMALL = 64 << 10, /* a larger one is in no list */
};

/* ---- Answering when there is news -------------------------------------------------------------------------- */

static answer reply_id(request *q, unsigned status, const char *id)
{
	text body;
	text_init(&body, 128);
	text_print(&body, "{\"id\":\"%s\"}", id);
	return reply_json(q, status, &body);
}

static answer answer_key_taken(request *q);

/* What a request submitted is not kept while it waits for the report, which may take as long as its client likes. Under
 * the lock, on the HTTP thread. */
static void drop_submission(request *q)
{
	if (q->body.length <= REQUEST_BODY_SMALL)
		return;
	if (q->free_work != NULL)
		q->free_work(q->server, q->work);
	q->work = NULL;
	q->free_work = NULL;
	http_drop_body(q);
}

static answer answer_stored_report(request *q);

/* Answers with the state of the request's run, or waits for it to change. */
static answer answer_run(request *q)
{
	server *s = q->server;

	server_lock(s);
	run *r = q->run;
	bool refused = r->refused, done = r->state == RUN_DONE, accepted = r->accepted, ending = s->closing;
	bool has_key_taken = r->has_key_taken;
	bool wants_report = q->wants_report && !q->is_gone;
	blob *report = done ? blob_ref(r->report) : NULL; /* NULL: it is only in the store */
	char id[ID_SIZE];
	memcpy(id, r->id, sizeof id);
	if (!refused && !done && !ending && !(accepted && !wants_report)) {
		if (accepted && !q->is_helped)
			drop_submission(q);
		http_suspend(q, answer_run);
		server_unlock(s);
		return MHD_YES;
	}

	server_unlock(s);
	if (q->wants_report && done && report == NULL)
		return http_help(q, answer_stored_report);
	if (q->wants_report && done)
		return reply_pieces(q, "application/json", NULL, (piece_report){.here = report, .length = report->len}, "");
	blob_unref(report);
	if (refused && has_key_taken)
		return http_help(q, answer_key_taken);
	if (refused)
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STORE, "store",
		                   "the run could not be written to disk, and was not accepted", 5);
	if (accepted)
		return reply_id(q, MHD_HTTP_ACCEPTED, id);
	return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STOPPING, "stopping", "the server is ending", 5);
}

/* Under the lock; unlocks. */
static answer watch_and_answer(request *q, run *r, bool wants_report) CURFEW__UNCHECKED;
static answer watch_and_answer(request *q, run *r, bool wants_report)
{
	q->wants_report = wants_report;
	subscribe(q, r);
	server_unlock(q->server);
	return answer_run(q);
}

/* ---- Submitting ------------------------------------------------------------------------------------------ */

static char *copy_words(const char *words)
{
	return words != NULL ? text_copy(words, strlen(words)) : NULL;
}

/* Makes a run of a submission. It is in no table, and has no program yet. NULL: out of memory. */
static run *make_run(server *s, account *who, const submission *sub, const char *key, const char *body_sha256)
{
	run *r = run_create(who);

	if (r == NULL)
		return NULL;
	r->program_name = copy_words(sub->program);
	r->call = copy_words(sub->call);
	r->user = copy_words(sub->user);
	r->allow_fetch = copy_words(sub->allow_fetch);
	r->wasi = copy_words(sub->wasi);
	r->hook_url = copy_words(sub->hook_url);
	r->hook_secret = copy_words(sub->hook_secret);
	r->params = text_copy(sub->params, sub->params_length);
	r->params_length = sub->params_length;
	r->idempotency_key = copy_words(key);
	r->limits = sub->limits;
	r->flags = sub->flags;
	r->turn = (waiting){.tenant = &who->tenant,
	                    .user = r->user,
	                    .priority = sub->priority,
	                    .due_us = sub->delay_us > 0 ? clock_now_us() + (int64_t)sub->delay_us : 0,
	                    .memory_bytes = run_count_memory(s, &sub->limits),
	                    .held_bytes = sub->params_length + sub->source_length +
	                                  (r->wasi != NULL ? strlen(r->wasi) : 0)};
	r->retry = sub->retry;
	r->durable = sub->durable;
	r->created_wall_us = clock_wall_us();
	r->due_wall_us = sub->delay_us > 0 ? r->created_wall_us + (int64_t)sub->delay_us : 0;
	(void)snprintf(r->body_sha256, sizeof r->body_sha256, "%s", body_sha256);
	bool good = r->params != NULL && (sub->program == NULL) == (r->program_name == NULL) &&
	            (sub->call == NULL) == (r->call == NULL) && (sub->user == NULL) == (r->user == NULL) &&
	            (sub->allow_fetch == NULL) == (r->allow_fetch == NULL) && (sub->wasi == NULL) == (r->wasi == NULL) &&
	            (sub->hook_url == NULL) == (r->hook_url == NULL) &&
	            (sub->hook_secret == NULL) == (r->hook_secret == NULL) && (key == NULL) == (r->idempotency_key == NULL);
	if (good)
		return r;
	run_unref(s, r);
	return NULL;
}

/*
 * Whether one more run may wait. The limit holds for all tokens together; if there are tokens, each also has a share,
 * so that none takes all places.
 */
static bool has_place(const server *s, uint64_t max, uint64_t total, uint64_t own, uint64_t more, refusal *why)
{
	*why = REFUSAL_QUEUE_FULL;
	if (total >= max || more > max - total)
		return false;
	*why = REFUSAL_SHARE;
	return !s->tokens_needed || scheduler_has_share(max, total, own, more);
}

static bool has_capacity(const server *s, const account *who, const submission *sub, refusal *why)
{
	const scheduler *all = &s->scheduler;
	const tenant *own = &who->tenant;
	uint64_t bytes = sub->params_length + sub->source_length + (sub->wasi != NULL ? strlen(sub->wasi) : 0);
	const account *a = who;
	if (!has_place(s, s->config->queue_bytes_max, all->held_bytes + s->elsewhere_bytes,
	               own->held_bytes + a->elsewhere_bytes, bytes, why))
		return false;
	return sub->delay_us > 0 ? has_place(s, s->config->scheduled_max, all->scheduled + s->elsewhere_scheduled,
	                                     own->scheduled + a->elsewhere_scheduled, 1, why)
	                         : has_place(s, s->config->queue_max, all->queued + s->elsewhere_queued + s->elsewhere_held,
	                                     own->queued + a->elsewhere_queued + a->elsewhere_held, 1, why);
}

/* The number of a token's waiting runs. If nodes share the database, runs that will be taken at once do not count. */
static uint64_t waiting_of(const account *who)
{
	const tenant *own = &who->tenant;
	uint64_t elsewhere = who->elsewhere_queued;
	uint64_t running = who->running_anywhere > own->running ? who->running_anywhere : own->running;
	if (own->running_max != UINT64_MAX && own->running_max > running) {
		uint64_t begins = own->running_max - running;
		elsewhere -= begins < elsewhere ? begins : elsewhere;
	}
	return own->queued + own->scheduled + elsewhere + who->elsewhere_held + who->elsewhere_scheduled;
}

/* Under the lock: whether the queue is full. If so, the caller answers after unlocking. */
static bool is_full(const server *s, account *who, const submission *sub, refusal *why, unsigned *seconds)
{
	*seconds = 1;
	if (s->stopping) {
		*why = REFUSAL_STOPPING;
		return true;
	}
	*why = REFUSAL_STORE;
	if (sub->durable && store_is_stuck(s->store))
		return true;
	if (!has_capacity(s, who, sub, why))
		return true;
	*why = REFUSAL_QUOTA;
	return waiting_of(who) >= who->queued_max || !account_take_run(who, clock_now_us(), seconds);
}

static answer reply_full(request *q, refusal why, unsigned seconds)
{
	if (why == REFUSAL_STOPPING)
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, why, "stopping", "the server is ending", 5);
	if (why == REFUSAL_QUOTA)
		return reply_later(q, MHD_HTTP_TOO_MANY_REQUESTS, why, "quota", "the quota of this token is used up", seconds);
	if (why == REFUSAL_SHARE)
		return reply_later(q, MHD_HTTP_TOO_MANY_REQUESTS, why, "share", "this token has used its share of the queue",
		                   seconds);
	if (why == REFUSAL_STORE)
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, why, "store", "the database does not answer", 5);
	return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, why, "queue-full", "the queue is full", seconds);
}

static answer reply_reused(request *q)
{
	return reply_problem(q, MHD_HTTP_UNPROCESSABLE_CONTENT, "key-reused",
	                     "this Idempotency-Key was used for another body", NULL);
}

/* Under the lock, which it releases: answers a request with the key of an existing run. */
static answer answer_same(request *q, run *r, bool wants_report, const char *body_sha256) CURFEW__UNCHECKED;
static answer answer_same(request *q, run *r, bool wants_report, const char *body_sha256)
{
	if (strcmp(r->body_sha256, body_sha256) == 0)
		return watch_and_answer(q, r, wants_report);
	server_unlock(q->server);
	return reply_reused(q);
}

static answer submit(request *q, const submission *sub, const char *key, const char *body_sha256,
                     program *p) CURFEW__UNCHECKED;
static answer submit(request *q, const submission *sub, const char *key, const char *body_sha256, program *p)
{
	server *s = q->server;
	refusal why;
	unsigned seconds;

	server_lock(s);

	/* Check again: another thread may have accepted a run with this key meanwhile. */
	run *same = key != NULL ? run_find_key(s, q->who, key) : NULL;
	if (same != NULL) {
		program_unref(s, p);
		return answer_same(q, same, sub->wait, body_sha256);
	}

	if (is_full(s, q->who, sub, &why, &seconds)) {
		program_unref(s, p);
		server_unlock(s);
		return reply_full(q, why, seconds);
	}

	run *r = make_run(s, q->who, sub, key, body_sha256);
	if (r == NULL) {
		program_unref(s, p);
		server_unlock(s);
		return reply_no_memory(q);
	}

	r->program = p;
	r->is_attended = sub->wait && !sub->durable;
	if (!service_accept(s, r, sub->source, sub->source_length)) {
		run_unref(s, r);
		server_unlock(s);
		return reply_no_memory(q);
	}

	subscribe(q, r);
	q->wants_report = sub->wait;
	run_unref(s, r);
	server_unlock(s);
	service_launch(s);
	return answer_run(q);
}

/* ---- Its program ----------------------------------------------------------------------------------------- */

static program *get_program(server *s, const char *sha256, curfew_language language, const char *name)
{
	server_lock(s);
	program *p = program_get(s, sha256, language, name);
	server_unlock(s);
	return p;
}

/* Finds a stored program. Its bytes are read if a run on disk could otherwise be left without them. */
static answer use_stored(request *q, submission *sub, const char *key, const char *body_sha256)
{
	program_search search;

	if (!program_find(q->server->store, q->who, sub->program, &search) && search.has_failed)
		return reply_unreadable(q);
	if (search.found > 1)
		return reply_problem(q, MHD_HTTP_CONFLICT, "ambiguous", "/program: several tokens have a program of that name",
		                     "/program");
	if (search.found == 0)
		return reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-program", "/program: there is no program of that name",
		                     "/program");
	bool is_wasm = search.language == CURFEW_LANGUAGE_WASM || search.language == CURFEW_LANGUAGE_WAT;
	if (sub->has_args && !is_wasm)
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "field", "/args: " SUBMISSION_NOT_WASI, "/args");
	server_lock(q->server);
	program *p = program_get(q->server, search.sha256, search.language, sub->program);
	bool is_stored = p != NULL && p->stored;
	server_unlock(q->server);
	if (p == NULL)
		return reply_no_memory(q);
	if (!is_stored && sub->durable)
		sub->source = store_read_source(q->server->store, p->sha256, p->language, &sub->source_length);
	return submit(q, sub, key, body_sha256, p);
}

static const char *const usual_names[] = {"source.js", "source.mjs", "source.wasm", "source.wat",
                                          "source.ts", "source.mts", "source.tar"};

/* Makes the program of a submitted source, ready for the pool. NULL, and why; without a message: out of memory. */
static program *make_program(server *s, const submission *sub, curfew_failure *failure)
{
	char sha256[SHA256_SIZE];
	program_hash(sub->source, sub->source_length, sha256);
	program *made = get_program(s, sha256, sub->language, usual_names[sub->language]);
	worker_program *ready = made != NULL ? program_make_ready(s, made, sub->source, sub->source_length, NULL, failure)
	                                     : NULL;
	if (ready != NULL) {
		worker_program_unref(ready);
		return made;
	}
	server_lock(s);
	program_unref(s, made);
	server_unlock(s);
	return NULL;
}

/* The work on a body before it can be answered; a large body is handled on another thread. */
typedef struct post {
	submission sub;
	bool is_good;
	char body_sha256[SHA256_SIZE]; /* set if there is a key */
	program *made;                 /* the program of a submitted source */
	curfew_failure failure;        /* why the program could not be made */
} post;

/* Reads and hashes the body, and prepares a submitted source. Without the lock, on any thread. */
static void read_submission(request *q)
{
	post *p = q->work;
	server *s = q->server;
	p->is_good = submission_read(&p->sub, q->body.data != NULL ? q->body.data : "", q->body.length, q->who, s);
	if (!p->is_good)
		return;
	if (http_header(q, "Idempotency-Key") != NULL)
		program_hash(q->body.data, q->body.length, p->body_sha256);
	if (p->sub.program != NULL)
		return;
	p->made = make_program(s, &p->sub, &p->failure);
}

/* A submitted source. */
static answer use_source(request *q, post *p, const char *key)
{
	program *made = p->made;
	p->made = NULL;
	if (made != NULL)
		return submit(q, &p->sub, key, p->body_sha256, made);
	if (p->failure.message[0] == '\0')
		return reply_no_memory(q);
	return reply_problem(q, MHD_HTTP_BAD_REQUEST, "source", p->failure.message, "/source");
}

/* ---- Retries --------------------------------------------------------------------------------------------- */

static bool is_key(const char *key)
{
	size_t length = strlen(key);
	for (size_t i = 0; i < length; i++) {
		if (key[i] < 0x20 || key[i] > 0x7e)
			return false;
	}
	return length > 0 && length <= KEY_MAX;
}

static bool take_report(void *context, const run_view *view)
{
	*(piece_report *)context = piece_of(view, NULL);
	return false;
}

/* Finds the report of a run on disk; its length is 0 if there is none. False: the database failed. */
static bool find_report(server *s, const run_filter *filter, piece_report *report)
{
	*report = (piece_report){.length = 0};
	return store_read_runs(s->store, filter, take_report, report);
}

/* On a helper's thread: answers with the report of the request's run, which has ended and is not in memory. */
static answer answer_stored_report(request *q)
{
	run_filter filter = {.id = q->run->id, .outcome = -1, .most = 1};
	piece_report report;
	if (!find_report(q->server, &filter, &report))
		return reply_unreadable(q);
	return report.length > 0
	           ? reply_pieces(q, "application/json", NULL, report, "")
	           : reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-run", "the run was deleted meanwhile", NULL);
}

/* If a run in memory was accepted with this key, answers as it did then. */
static bool answer_from_memory(request *q, const submission *sub, const char *key, const char *body_sha256,
                               answer *result) CURFEW__UNCHECKED;
static bool answer_from_memory(request *q, const submission *sub, const char *key, const char *body_sha256,
                               answer *result)
{
	server_lock(q->server);
	run *r = run_find_key(q->server, q->who, key);
	if (r != NULL && !r->refused) {
		*result = answer_same(q, r, sub->wait, body_sha256);
		return true;
	}
	server_unlock(q->server);
	return false;
}

/* If a run with this key was accepted before, answers as it did then. */
static bool answer_again(request *q, const submission *sub, const char *key, const char *body_sha256,
                         answer *result) CURFEW__UNCHECKED;
static bool answer_again(request *q, const submission *sub, const char *key, const char *body_sha256, answer *result)
{
	server *s = q->server;
	run *r = NULL;
	char id[ID_SIZE], known_sha256[SHA256_SIZE];

	if (answer_from_memory(q, sub, key, body_sha256, result))
		return true;
	int found = store_find_key(s->store, q->who->id, key, id, known_sha256);
	if (found == 0 && sub->schedule == NULL && (found = schedule_has_key(q, key)) > 0) {
		*result = reply_reused(q); /* by a schedule */
		return true;
	}

	if (found < 0)
		*result = reply_unreadable(q);
	if (found <= 0)
		return found < 0;
	if (strcmp(known_sha256, body_sha256) != 0) {
		*result = reply_reused(q);
		return true;
	}

	/* It may have been accepted between the two looks, and not have ended yet. */
	if (answer_from_memory(q, sub, key, body_sha256, result))
		return true;
	run_filter filter = {.id = id, .outcome = -1, .most = 1};
	piece_report report = {.length = 0};
	if (sub->wait && s->is_shared && !cluster_find(s, id, q->who, &r)) {
		*result = reply_unreadable(q);
		return true;
	}

	if (r != NULL) {
		*result = watch_and_answer(q, r, true);
		return true;
	}

	if (sub->wait)
		(void)find_report(s, &filter, &report);
	*result = report.length > 0 ? reply_pieces(q, "application/json", NULL, report, "")
	                            : reply_id(q, MHD_HTTP_ACCEPTED, id);
	return true;
}

/* Another node has accepted a run with this key meanwhile. */
static answer answer_key_taken(request *q)
{
	const post *p = q->work;
	answer result;
	q->leave(q);
	q->leave = NULL;
	if (answer_again(q, &p->sub, http_header(q, "Idempotency-Key"), p->body_sha256, &result))
		return result;
	return reply_unreadable(q);
}

static answer answer_prepared(request *q)
{
	post *p = q->work;
	const char *key = http_header(q, "Idempotency-Key");
	answer result;
	if (!p->is_good && p->sub.forbidden)
		return reply_problem(q, MHD_HTTP_FORBIDDEN, "not-granted", p->sub.fields.detail, p->sub.fields.pointer);
	if (!p->is_good)
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "field", p->sub.fields.detail, p->sub.fields.pointer);
	if (key != NULL && !is_key(key))
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "key",
		                     "the Idempotency-Key must be 1 to 255 printable ASCII characters", NULL);
	if (key != NULL && answer_again(q, &p->sub, key, p->body_sha256, &result))
		return result;
	if (p->sub.schedule != NULL)
		return schedule_post(q, &p->sub, key);
	return p->sub.program != NULL ? use_stored(q, &p->sub, key, p->body_sha256) : use_source(q, p, key);
}

static answer answer_post(request *q)
{
	const post *p = q->work;
	read_submission(q);
	bool reads = p->is_good &&
	             (p->sub.program != NULL || p->sub.schedule != NULL || http_header(q, "Idempotency-Key") != NULL);
	return reads ? http_help(q, answer_prepared) : answer_prepared(q);
}

static void free_post(server *s, void *work)
{
	post *p = work;
	program_unref(s, p->made);
	submission_finish(&p->sub);
	free(p);
}

/* A large body, and what has to query the store first, are handled on a thread that may wait. */
answer route_post_run(request *q)
{
	if (!http_has_json_type(q))
		return reply_not_json(q);
	post *p = calloc(1, sizeof *p);
	if (p == NULL)
		return reply_no_memory(q);
	q->work = p;
	q->free_work = free_post;
	return q->body.length > REQUEST_BODY_SMALL ? http_help(q, answer_post) : answer_post(q);
}

/* ---- Without a request ------------------------------------------------------------------------------------- */

static program *refuse_program(char why[RUN_WHY_SIZE], const char *reason)
{
	(void)snprintf(why, RUN_WHY_SIZE, "%s", reason);
	return NULL;
}

/* Returns the program of a submission. NULL, and why. */
static program *resolve_program(server *s, const account *who, submission *sub, char why[RUN_WHY_SIZE])
{
	curfew_failure failure = {.message = "out of memory"};
	program_search search;

	if (sub->program == NULL) {
		program *made = make_program(s, sub, &failure);
		return made != NULL ? made : refuse_program(why, failure.message);
	}

	bool is_found = program_find(s->store, who, sub->program, &search);
	if (search.has_failed)
		return refuse_program(why, "the database cannot be read");
	if (!is_found)
		return refuse_program(why, search.found > 1 ? "several tokens have a program of that name"
		                                            : "there is no program of that name");
	bool is_wasm = search.language == CURFEW_LANGUAGE_WASM || search.language == CURFEW_LANGUAGE_WAT;
	if (!is_wasm && sub->has_args)
		return refuse_program(why, SUBMISSION_NOT_WASI);
	program *p = get_program(s, search.sha256, search.language, sub->program);
	if (p == NULL)
		return refuse_program(why, failure.message);
	server_lock(s);
	bool is_stored = p->stored;
	server_unlock(s);
	if (!is_stored)
		sub->source = store_read_source(s->store, p->sha256, p->language, &sub->source_length);
	return p;
}

/* Under the lock; takes ownership of the program. */
static run_taken accept_turn(server *s, account *who, const submission *sub, program *p, const run_turn *turn,
                             char why[RUN_WHY_SIZE])
{
	char key[KEY_MAX + 1], sha256[SHA256_SIZE];
	refusal reason;
	unsigned seconds;

	(void)snprintf(key, sizeof key, "schedule %s %lld", turn->schedule, (long long)turn->turn_us);
	program_hash(key, strlen(key), sha256);
	if (run_find_key(s, who, key) != NULL) { /* a run with that key is being written */
		program_unref(s, p);
		return RUN_TAKEN;
	}

	bool full = is_full(s, who, sub, &reason, &seconds);
	run *r = full ? NULL : make_run(s, who, sub, key, sha256);
	if (r != NULL) {
		r->program = p;
		r->schedule = copy_words(turn->schedule);
		r->turn_us = turn->turn_us;
		r->next_turn_us = turn->next_us;
	} else {
		program_unref(s, p);
	}
	bool good = r != NULL && r->schedule != NULL && service_accept(s, r, sub->source, sub->source_length);
	if (r != NULL)
		run_unref(s, r);
	s->metrics.turns += good;
	if (!good)
		(void)snprintf(why, RUN_WHY_SIZE, "%s", full ? "the queue of this token is full" : "out of memory");
	return good ? RUN_TAKEN : RUN_LATER;
}

run_taken run_take_turn(server *s, account *who, const char *body, size_t length, const run_turn *turn,
                        char why[RUN_WHY_SIZE])
{
	submission sub;
	run_taken taken = RUN_NOT_TAKEN;
	if (!submission_read(&sub, body, length, who, s)) {
		(void)snprintf(why, RUN_WHY_SIZE, "%s", sub.fields.detail);
		submission_finish(&sub);
		return taken;
	}
	program *p = resolve_program(s, who, &sub, why);
	if (p != NULL) {
		server_lock(s);
		taken = accept_turn(s, who, &sub, p, turn, why);
		server_unlock(s);
		service_launch(s);
	}
	submission_finish(&sub);
	return taken;
}

/* ---- Looking at one -------------------------------------------------------------------------------------- */

static answer reply_unknown(request *q)
{
	return reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-run", "there is no run of that id", NULL);
}

/* Writes a run as it is shown, without its report. */
typedef struct shown {
	text head;
	piece_report report;
} shown;

static bool show_stored(void *context, const run_view *view)
{
	shown *one = context;
	view_write_head(&one->head, view);
	one->report = piece_of(view, NULL);
	return false;
}

/* Finds a run on disk that this account may see. */
static run_filter filter_one(const request *q)
{
	run_filter filter = {.id = q->parameter, .outcome = -1, .most = 1};
	if ((q->who->scopes & SCOPE_ADMIN) == 0)
		filter.owner = q->who->id;
	return filter;
}

static answer get_stored(request *q)
{
	shown one = {.report.length = 0};
	run_filter filter = filter_one(q);
	text_init(&one.head, SIZE_MAX / 2);
	bool good = store_read_runs(q->server->store, &filter, show_stored, &one);
	if (good && one.head.length > 0)
		return one.report.length > 0 ? reply_pieces(q, "application/json", &one.head, one.report, "}")
		                             : (text_say(&one.head, "null}"), reply_json(q, MHD_HTTP_OK, &one.head));
	text_finish(&one.head);
	return good ? reply_unknown(q) : reply_unreadable(q);
}

answer route_get_run(request *q)
{
	server *s = q->server;
	text body;
	run_view view;

	if (!curfew__id_is_valid(q->parameter))
		return reply_unknown(q);
	server_lock(s);
	run *r = run_find(s, q->parameter);
	if (r == NULL || (r->is_foreign && r->accepted) || !run_is_visible(r, q->who)) {
		server_unlock(s);
		return http_help(q, get_stored);
	}

	text_init(&body, SIZE_MAX / 2);
	run_fill_view(&view, r);
	if (view.checkpoint != NULL && r->checkpoint->len > CHECKPOINT_SMALL) {
		/* Copying a large one would keep everybody waiting. A run with a checkpoint has no report yet. */
		view_write_start(&body, &view);
		piece_report checkpoint = {.here = blob_ref(r->checkpoint), .length = r->checkpoint->len};
		server_unlock(s);
		return reply_pieces(q, "application/json", &body, checkpoint, ",\"report\":null}");
	}
	if (view.report_length == 0) {
		view_write(&body, &view);
		server_unlock(s);
		return reply_json(q, MHD_HTTP_OK, &body);
	}

	if (view.report == NULL) {
		server_unlock(s);
		text_finish(&body);
		return http_help(q, get_stored);
	}
	view_write_head(&body, &view);
	piece_report report = piece_of(&view, r->report);
	server_unlock(s);
	return reply_pieces(q, "application/json", &body, report, "}");
}

/* ---- Cancelling ------------------------------------------------------------------------------------------ */

static answer answer_ended(request *q)
{
	run_filter filter = filter_one(q);
	piece_report report;
	if (!find_report(q->server, &filter, &report))
		return reply_unreadable(q);
	return report.length > 0 ? reply_pieces(q, "application/json", NULL, report, "") : reply_unknown(q);
}

/* Answers for a run of another node, or with 404. */
static answer cancel_elsewhere(request *q)
{
	run *r;
	if (!q->server->is_shared)
		return answer_ended(q);
	if (!cluster_cancel(q->server, q->parameter, q->who, &r))
		return reply_unreadable(q);
	return r != NULL ? watch_and_answer(q, r, true) : answer_ended(q);
}

answer route_cancel_run(request *q)
{
	server *s = q->server;
	if (!curfew__id_is_valid(q->parameter))
		return reply_unknown(q);
	server_lock(s);
	run *r = run_find(s, q->parameter);
	if (r != NULL && !r->is_foreign && run_is_visible(r, q->who)) {
		run_ref(r);
		service_cancel(s, r);
		service_dispatch(s);
		q->wants_report = true;
		subscribe(q, r);
		run_unref(s, r);
		server_unlock(s);
		service_launch(s);
		return answer_run(q);
	}
	server_unlock(s);
	return http_help(q, cancel_elsewhere);
}

/* ---- The list -------------------------------------------------------------------------------------------- */

typedef struct list {
	request *request;
	run_filter filter;
	int state; /* -1: any */
	bool with_reports;
	text body;
	size_t count;
	bool more;
	char last[ID_SIZE];
	/* The newest matching runs in memory, newest first, one more than a page; to be merged with those on disk. */
	run **found;
	size_t found_count, taken;
	bool is_cut; /* there are more in memory */
} list;

static bool fits(const list *l, const run *r)
{
	const run_filter *f = &l->filter;
	if (!run_is_visible(r, l->request->who) || r->refused || r->is_foreign ||
	    (!r->accepted && !r->inserted && r->state != RUN_DONE))
		return false;
	if ((l->state >= 0 && (int)r->state != l->state) || (f->after != NULL && strcmp(r->id, f->after) >= 0))
		return false;
	if (f->outcome >= 0 && (r->state != RUN_DONE || (int)r->outcome != f->outcome))
		return false;
	if (f->schedule != NULL && (r->schedule == NULL || strcmp(r->schedule, f->schedule) != 0))
		return false;
	return f->program == NULL || (r->program_name != NULL && strcmp(r->program_name, f->program) == 0);
}

static int newest_first(const void *a, const void *b)
{
	return strcmp((*(run *const *)b)->id, (*(run *const *)a)->id);
}

static void swap_runs(run **a, run **b)
{
	run *kept = *a;
	*a = *b;
	*b = kept;
}

/* Of a heap whose first is the oldest: moves the first to its place. */
static void sink_first(list *l)
{
	for (size_t at = 0, child; (child = 2 * at + 1) < l->found_count; at = child) {
		if (child + 1 < l->found_count && strcmp(l->found[child + 1]->id, l->found[child]->id) < 0)
			child++;
		if (strcmp(l->found[at]->id, l->found[child]->id) <= 0)
			return;
		swap_runs(&l->found[at], &l->found[child]);
	}
}

static void keep_newest(list *l, run *r)
{
	size_t at = l->found_count;
	l->is_cut = at > l->filter.most;
	if (l->is_cut) {
		if (strcmp(r->id, l->found[0]->id) < 0)
			return;
		l->found[0] = r;
		sink_first(l);
		return;
	}
	l->found[l->found_count++] = r;
	for (; at > 0 && strcmp(l->found[at]->id, l->found[(at - 1) / 2]->id) < 0; at = (at - 1) / 2)
		swap_runs(&l->found[at], &l->found[(at - 1) / 2]);
}

/* Keeps references to the runs that it finds. The lock is held for one look at each run in memory. */
static bool find_in_memory(list *l)
{
	server *s = l->request->server;
	l->found = malloc((l->filter.most + 1) * sizeof *l->found);
	if (l->found == NULL)
		return false;

	server_lock(s);
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i]; r != NULL; r = r->chain) {
			if (fits(l, r))
				keep_newest(l, r);
		}
	}
	for (size_t i = 0; i < l->found_count; i++)
		run_ref(l->found[i]);
	server_unlock(s);

	if (l->found_count > 0)
		qsort(l->found, l->found_count, sizeof l->found[0], newest_first);
	return true;
}

/* Writes the report, if it was requested. A large report is left out, so that it does not block the list. */
static void add_report(list *l, const run_view *view)
{
	blob *read = NULL;
	bool is_shown = l->with_reports && view->report_length > 0 && view->report_length <= LIST_REPORT_MAX;
	if (is_shown && view->report == NULL)
		read = store_read_report(l->request->server->store, view->report_number, view->report_length);
	if (is_shown && view->report != NULL)
		text_add(&l->body, view->report, view->report_length);
	else if (read != NULL)
		text_add(&l->body, read->data, read->len);
	else
		text_say(&l->body, "null");
	blob_unref(read);
}

/* False: the page is full, and there is more. */
static bool add_view(list *l, const run_view *view)
{
	if (l->count == l->filter.most || l->body.length > PAGE_BYTES) {
		l->more = true;
		return false;
	}
	if (l->count++ > 0)
		text_say(&l->body, ",");
	run_view listed = *view;
	if (view->checkpoint != NULL && strnlen(view->checkpoint, CHECKPOINT_SMALL + 1) > CHECKPOINT_SMALL)
		listed.checkpoint = NULL;
	view_write_head(&l->body, &listed);
	add_report(l, view);
	text_say(&l->body, "}");
	(void)snprintf(l->last, sizeof l->last, "%s", view->id);
	return true;
}

/* Writes the next run in memory. */
static bool add_next(list *l)
{
	server *s = l->request->server;
	run_view view;
	bool more = true;
	server_lock(s);
	run *r = l->found[l->taken++];
	run_fill_view(&view, r);
	if (fits(l, r))
		more = add_view(l, &view);
	else /* it has changed since it was found */
		(void)snprintf(l->last, sizeof l->last, "%s", r->id);
	server_unlock(s);
	return more;
}

/* Writes the runs in memory that are newer than this id; NULL: all that are left. */
static bool add_newer(list *l, const char *id)
{
	bool more = true;
	while (more && l->taken < l->found_count && (id == NULL || strcmp(l->found[l->taken]->id, id) > 0))
		more = add_next(l);
	return more;
}

static bool add_stored(void *context, const run_view *view)
{
	list *l = context;
	if (!add_newer(l, view->id))
		return false;
	/* A run that is both in memory and on disk is shown as it is in memory. */
	if (l->taken < l->found_count && strcmp(l->found[l->taken]->id, view->id) == 0)
		return add_next(l);
	if (l->is_cut && l->taken == l->found_count) {
		l->more = true; /* the next ones may be in memory */
		return false;
	}
	return add_view(l, view);
}

static const char *read_limit(list *l, const char *words)
{
	char *end;
	l->filter.most = l->with_reports ? PAGE_REPORTS_MAX : PAGE_USUAL;
	if (words == NULL)
		return NULL;
	unsigned long most = strtoul(words, &end, 10);
	if (*words < '0' || *words > '9' || *end != '\0' || most < 1 || most > PAGE_MAX)
		return "limit must be a number from 1 to 1000";
	if (l->with_reports && most > PAGE_REPORTS_MAX)
		return "limit must be at most 20 with include=report";
	l->filter.most = most;
	return NULL;
}

/* Reads the arguments. Returns what is wrong with them, or NULL. */
static const char *read_arguments(list *l)
{
	request *q = l->request;
	const char *state = http_argument(q, "state"), *outcome = http_argument(q, "outcome"),
			   *include = http_argument(q, "include");

	l->state = l->filter.outcome = -1;
	if (include != NULL && strcmp(include, "report") != 0)
		return "include must be report";
	l->with_reports = include != NULL;
	for (int i = 0; state != NULL && i < RUN_STATES; i++) {
		if (strcmp(run_state_names[i], state) == 0)
			l->state = i;
	}

	if (state != NULL && l->state < 0)
		return "state must be scheduled, queued, running, stopping or done";
	for (int i = 0; outcome != NULL && i < CURFEW_OUTCOME_COUNT; i++) {
		if (strcmp(curfew_outcome_name((curfew_outcome)i), outcome) == 0)
			l->filter.outcome = i;
	}

	if (outcome != NULL && l->filter.outcome < 0)
		return "outcome is not an outcome of a report";
	l->filter.program = http_argument(q, "program");
	l->filter.schedule = http_argument(q, "schedule");
	l->filter.after = http_argument(q, "after");
	if (l->filter.after != NULL && !curfew__id_is_valid(l->filter.after))
		return "after must be the id of a run";
	l->filter.owner = (q->who->scopes & SCOPE_ADMIN) != 0 ? NULL : q->who->id;
	return read_limit(l, http_argument(q, "limit"));
}

static void finish_list(list *l)
{
	server *s = l->request->server;
	server_lock(s);
	for (size_t i = 0; i < l->found_count; i++)
		run_unref(s, l->found[i]);
	server_unlock(s);
	free(l->found);
}

static answer list_runs(request *q)
{
	server *s = q->server;
	list l = {.request = q};
	const char *wrong = read_arguments(&l);

	if (wrong != NULL)
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "argument", wrong, NULL);
	text_init(&l.body, SIZE_MAX / 2);
	text_say(&l.body, "{\"runs\":[");
	bool good = find_in_memory(&l);

	/* Read one more than fits, to know whether more follow. Some may be in memory as well. */
	run_filter filter = l.filter;
	filter.most += l.found_count + 1;
	if (l.state >= 0)
		filter.states = 1u << l.state;
	if (good && (s->is_shared || l.state < 0 || l.state == RUN_DONE))
		good = store_read_runs(s->store, &filter, add_stored, &l);
	if (good && !l.more)
		l.more = !add_newer(&l, NULL) || l.is_cut;
	finish_list(&l);
	if (!good) {
		text_finish(&l.body);
		return reply_unreadable(q);
	}

	text_say(&l.body, "],\"next\":");
	text_say_json(&l.body, l.more ? l.last : NULL);
	text_say(&l.body, "}");
	return reply_json(q, MHD_HTTP_OK, &l.body);
}

answer route_list_runs(request *q)
{
	return http_help(q, list_runs);
}
