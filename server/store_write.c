/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing thread. What is asked of it while it writes waits in a list, and all of that list is its next
 * transaction. If one fails, its writes are tried one by one, so that only what is at fault is refused.
 */
#include "common/clock.h"
#include "limits_text.h"
#include "log.h"
#include "programs.h"
#include "record.h"
#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a run takes in the database besides its texts, about. */
#define ROW_BYTES 512u

enum { NEWS_EVERY_US = 20000, TRY_AGAIN_US = 500000, CLEAN_EVERY_US = 10000000, DROP_AT_ONCE = 200 };

/* So long the key of a run is known, also of one that was dropped. */
#define KEYS_KEPT_US (INT64_C(24) * 3600 * 1000000)

/* One write: what it needs was copied or is held, and does not change any more. */
struct write_op {
	write_op *next;
	int (*apply)(store *st, const write_op *op);
	store_done done;
	void *context;
	run *run;
	run_state state; /* of the run when this was asked for */
	int64_t started_us, queue_us;
	unsigned attempt;
	bool had_news;
	bool until_it_works;
	bool told;
	char *owner;
	stored_program program;
	char *source;
	size_t length;
};

/* What a run printed and noted since the last time. */
typedef struct news {
	struct news *next;
	run *run;
	blob *checkpoint;
	size_t count;
	blob *output[];
} news;

/* ---- Statements ------------------------------------------------------------------------------------------ */

static int step(sqlite3_stmt *statement)
{
	int status = sqlite3_step(statement);
	(void)sqlite3_reset(statement);
	return status == SQLITE_DONE || status == SQLITE_ROW ? SQLITE_OK : status;
}

/* A statement whose parameters are set one after the other. The first failure stays, and is what running it gives. */
typedef struct binding {
	sqlite3_stmt *statement;
	int column;
	int status;
} binding;

static binding bind(store *st, store_write which)
{
	return (binding){.statement = st->writes[which], .status = SQLITE_OK};
}

static void note_bound(binding *b, int status)
{
	if (b->status == SQLITE_OK)
		b->status = status;
}

static void bind_words(binding *b, const char *words)
{
	note_bound(b, sqlite3_bind_text(b->statement, ++b->column, words, -1, SQLITE_STATIC));
}

static void bind_text(binding *b, const char *data, size_t length)
{
	note_bound(b, sqlite3_bind_text64(b->statement, ++b->column, data, length, SQLITE_STATIC, SQLITE_UTF8));
}

static void bind_number(binding *b, int64_t number)
{
	note_bound(b, sqlite3_bind_int64(b->statement, ++b->column, number));
}

static int run_bound(binding *b)
{
	return b->status == SQLITE_OK ? step(b->statement) : b->status;
}

static int add_source(store *st, const char *sha256, curfew_language language, const char *bytes, size_t length)
{
	binding b = bind(st, WRITE_ADD_SOURCE);
	bind_words(&b, sha256);
	bind_number(&b, language);
	note_bound(&b, sqlite3_bind_blob64(b.statement, ++b.column, bytes, length, SQLITE_STATIC));
	return run_bound(&b);
}

static int add_run(store *st, const write_op *op, const char *limits)
{
	const run *r = op->run;
	const program *p = r->program;
	binding b = bind(st, WRITE_ADD_RUN);
	bind_words(&b, r->id);
	bind_words(&b, r->owner->id);
	bind_number(&b, op->state);
	bind_words(&b, r->program_name);
	bind_words(&b, p->sha256);
	bind_number(&b, p->language);
	bind_words(&b, r->call);
	bind_text(&b, r->params, r->params_length);
	bind_words(&b, r->user);
	bind_words(&b, limits);
	bind_number(&b, r->flags);
	bind_number(&b, r->turn.priority);
	bind_number(&b, r->retry);
	bind_number(&b, op->attempt);
	bind_number(&b, r->created_wall_us);
	bind_number(&b, r->due_wall_us);
	bind_number(&b, op->started_us);
	bind_number(&b, op->queue_us);
	bind_words(&b, r->idempotency_key);
	bind_words(&b, r->idempotency_key != NULL ? r->body_sha256 : NULL);
	bind_words(&b, p->name);
	bind_words(&b, r->allow_fetch);
	bind_words(&b, r->wasi);
	return run_bound(&b);
}

static int apply_insert(store *st, const write_op *op)
{
	const program *p = op->run->program;
	if (op->source != NULL) {
		int status = add_source(st, p->sha256, p->language, op->source, op->length);
		if (status != SQLITE_OK)
			return status;
	}
	char *limits = limits_to_text(&op->run->limits);
	int status = limits != NULL ? add_run(st, op, limits) : SQLITE_NOMEM;
	free(limits);
	return status;
}

static int apply_start(store *st, const write_op *op)
{
	binding b = bind(st, WRITE_START_RUN);
	bind_words(&b, op->run->id);
	bind_number(&b, op->started_us);
	bind_number(&b, op->queue_us);
	bind_number(&b, op->attempt);
	return run_bound(&b);
}

static int drop_output(store *st, const char *id)
{
	binding b = bind(st, WRITE_DROP_OUTPUT);
	bind_words(&b, id);
	return run_bound(&b);
}

static int apply_end(store *st, const write_op *op)
{
	const run *r = op->run;
	binding b = bind(st, WRITE_END_RUN);
	bind_words(&b, r->id);
	bind_number(&b, r->ended_wall_us);
	bind_number(&b, r->outcome);
	bind_text(&b, r->report->data, r->report->len);
	bind_number(&b, (int64_t)op->length);
	bind_number(&b, op->queue_us);
	bind_number(&b, op->started_us);
	bind_number(&b, (int64_t)(r->report->len + r->params_length + ROW_BYTES));
	int status = run_bound(&b);
	return status == SQLITE_OK && op->had_news ? drop_output(st, r->id) : status;
}

static int apply_put_program(store *st, const write_op *op)
{
	const stored_program *p = &op->program;
	int status = add_source(st, p->sha256, p->language, op->source, op->length);
	if (status != SQLITE_OK)
		return status;
	binding b = bind(st, WRITE_PUT_PROGRAM);
	bind_words(&b, op->owner);
	bind_words(&b, p->name);
	bind_words(&b, p->sha256);
	bind_number(&b, p->language);
	bind_words(&b, p->kind);
	bind_words(&b, p->exports);
	bind_number(&b, (int64_t)op->length);
	bind_number(&b, p->updated_us);
	return run_bound(&b);
}

static int apply_delete_program(store *st, const write_op *op)
{
	binding b = bind(st, WRITE_DELETE_PROGRAM);
	bind_words(&b, op->owner);
	bind_words(&b, op->program.name);
	return run_bound(&b);
}

static int apply_news(store *st, const news *n)
{
	int status = SQLITE_OK;
	for (size_t i = 0; i < n->count && status == SQLITE_OK; i++) {
		binding b = bind(st, WRITE_ADD_OUTPUT);
		bind_words(&b, n->run->id);
		bind_text(&b, n->output[i]->data, n->output[i]->len);
		status = run_bound(&b);
	}
	if (status == SQLITE_OK && n->checkpoint != NULL) {
		binding b = bind(st, WRITE_SET_CHECKPOINT);
		bind_words(&b, n->run->id);
		bind_text(&b, n->checkpoint->data, n->checkpoint->len);
		status = run_bound(&b);
	}
	return status;
}

/* ---- Transactions ---------------------------------------------------------------------------------------- */

/* The writes of these lists in one transaction; an SQLite status. */
static int write_together(store *st, const write_op *ops, const write_op *end, const news *first)
{
	int status = step(st->writes[WRITE_BEGIN]);
	if (status != SQLITE_OK)
		return status;
	for (; ops != end && status == SQLITE_OK; ops = ops->next)
		status = ops->apply(st, ops);
	for (; first != NULL && status == SQLITE_OK; first = first->next)
		status = apply_news(st, first);
	if (status == SQLITE_OK)
		status = step(st->writes[WRITE_COMMIT]);
	if (status != SQLITE_OK && sqlite3_get_autocommit(st->writer) == 0)
		(void)step(st->writes[WRITE_ROLLBACK]);
	return status;
}

static void free_op(server *s, write_op *op)
{
	if (op->run != NULL)
		run_unref(s, op->run);
	free(op->owner);
	free(op->source);
	stored_program_finish(&op->program);
	free(op);
}

static void append(store *st, write_op *op)
{
	op->next = NULL;
	if (st->last != NULL)
		st->last->next = op;
	else
		st->first = op;
	st->last = op;
}

/* Under the server's lock. */
static void note_result(store *st, int status, uint64_t writes)
{
	store_stats *stats = &st->stats;
	if (status == SQLITE_OK) {
		stats->commits++;
		stats->writes += writes;
		if (!stats->healthy)
			log_say(LOG_INFO, "store", "writing works again");
		stats->healthy = true;
		return;
	}
	stats->failures++;
	(void)snprintf(stats->problem, sizeof stats->problem, "%s", sqlite3_errstr(status));
	if (stats->healthy)
		log_say(LOG_ERROR, "store", "writing failed: %s (%d)", sqlite3_errstr(status), status);
	/* A write of its own that is refused says nothing about the next one. */
	stats->healthy = (status & 0xff) == SQLITE_CONSTRAINT;
}

/* Under the server's lock: tells how one write went; those that must be done come back later. */
static void finish_op(store *st, write_op *op, int status, write_op **again)
{
	server *s = st->server;
	const char *problem = status == SQLITE_OK ? NULL : sqlite3_errstr(status);
	if (op->done != NULL && !op->told)
		op->done(s, op->context, problem);
	op->told = true;
	if (status != SQLITE_OK && op->until_it_works && !st->ending) {
		op->next = *again;
		*again = op;
		return;
	}
	free_op(s, op);
}

static void free_news(server *s, news *first)
{
	while (first != NULL) {
		news *next = first->next;
		for (size_t i = 0; i < first->count; i++)
			blob_unref(first->output[i]);
		blob_unref(first->checkpoint);
		run_unref(s, first->run);
		free(first);
		first = next;
	}
}

/* Without the lock: writes a list, together or else one by one. Returns what has to be tried again. */
static write_op *write_list(store *st, write_op *ops, news *first_news)
{
	server *s = st->server;
	write_op *again = NULL;
	int status = write_together(st, ops, NULL, first_news);
	bool one_by_one = status != SQLITE_OK && ops != NULL && (ops->next != NULL || first_news != NULL);
	uint64_t count = 0;
	server_lock(s);
	if (!one_by_one) {
		for (write_op *op = ops, *next; op != NULL; op = next, count++) {
			next = op->next;
			finish_op(st, op, status, &again);
		}
	}
	note_result(st, status, count);
	free_news(s, first_news);
	server_unlock(s);
	st->after(s);
	for (write_op *op = ops, *next; one_by_one && op != NULL; op = next) {
		next = op->next;
		status = write_together(st, op, next, NULL);
		server_lock(s);
		note_result(st, status, 1);
		finish_op(st, op, status, &again);
		server_unlock(s);
		st->after(s);
	}
	return again;
}

/* ---- News of runs ---------------------------------------------------------------------------------------- */

/* Under the lock: what a run has that the store has not. */
static news *collect_one(run *r)
{
	uint64_t first = r->output_stored > r->first_event ? r->output_stored : r->first_event;
	uint64_t end = r->first_event + r->event_count;
	news *n = calloc(1, sizeof *n + (end - first) * sizeof n->output[0]);
	if (n == NULL)
		return NULL;
	for (uint64_t number = first; number < end; number++) {
		const event *e = run_get_event(r, number);
		if (e->kind == EVENT_OUTPUT)
			n->output[n->count++] = blob_ref(e->data);
	}
	n->run = r;
	n->checkpoint = blob_ref(r->checkpoint);
	r->output_stored = end;
	return n;
}

/* Under the lock. The list's references to runs go over to the news. */
static news *collect_news(server *s)
{
	news *first = NULL;
	while (s->dirty_first != NULL) {
		run *r = s->dirty_first;
		s->dirty_first = r->dirty_next;
		news *n = r->dirty ? collect_one(r) : NULL;
		r->dirty = false;
		if (n == NULL) {
			run_unref(s, r);
			continue;
		}
		n->next = first;
		first = n;
	}
	return first;
}

void store_note_news(store *st, run *r)
{
	server *s = st->server;
	if (r->dirty)
		return;
	r->dirty = true;
	run_ref(r);
	if (s->dirty_first == NULL)
		(void)pthread_cond_signal(&st->work);
	r->dirty_next = s->dirty_first;
	s->dirty_first = r;
}

/* ---- Retention ------------------------------------------------------------------------------------------- */

static uint64_t used_bytes(store *st)
{
	sqlite3_stmt *statement = st->writes[WRITE_USED_PAGES];
	uint64_t bytes = 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		bytes = (uint64_t)sqlite3_column_int64(statement, 0) * (uint64_t)sqlite3_column_int64(statement, 1);
	(void)sqlite3_reset(statement);
	return bytes;
}

static int drop_before(store *st, int64_t ended_us, int most)
{
	sqlite3_stmt *statement = st->writes[WRITE_DROP_OLD];
	bool good = sqlite3_bind_int64(statement, 1, ended_us) == SQLITE_OK && sqlite3_bind_int(statement, 2, most) == SQLITE_OK;
	return step(statement) == SQLITE_OK && good ? sqlite3_changes(st->writer) : 0;
}

/*
 * What is too much is dropped from the owner that has most of the history, its oldest runs first and no more of them than
 * it takes: nobody loses a run to what another one keeps.
 */
static int drop_bytes(store *st, uint64_t bytes)
{
	sqlite3_stmt *largest = st->writes[WRITE_LARGEST_OWNER], *statement = st->writes[WRITE_DROP_OF_OWNER];
	char owner[TOKEN_ID_ROOM] = "";
	if (sqlite3_step(largest) == SQLITE_ROW)
		(void)snprintf(owner, sizeof owner, "%s", (const char *)sqlite3_column_text(largest, 0));
	(void)sqlite3_reset(largest);
	bool good = sqlite3_bind_text(statement, 1, owner, -1, SQLITE_STATIC) == SQLITE_OK &&
	            sqlite3_bind_int64(statement, 2, (sqlite3_int64)bytes) == SQLITE_OK &&
	            sqlite3_bind_int(statement, 3, DROP_AT_ONCE) == SQLITE_OK;
	return step(statement) == SQLITE_OK && good ? sqlite3_changes(st->writer) : 0;
}

static uint64_t program_bytes(store *st)
{
	sqlite3_stmt *statement = st->writes[WRITE_PROGRAM_BYTES];
	uint64_t bytes = sqlite3_step(statement) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	(void)sqlite3_reset(statement);
	return bytes;
}

/* When tokens were used last, for those who list them. */
static void note_uses(store *st)
{
	sqlite3_stmt *statement = st->writes[WRITE_USE_TOKEN];
	server_lock(st->server);
	for (account *a = st->server->accounts; a != NULL; a = a->next) {
		if (a->used_us == a->noted_us)
			continue;
		a->noted_us = a->used_us;
		char id[TOKEN_ID_ROOM];
		int64_t used_us = a->used_us;
		memcpy(id, a->id, sizeof id);
		/* An account stays, so that the list may be gone through in pieces. */
		server_unlock(st->server);
		if (sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_bind_int64(statement, 2, used_us) == SQLITE_OK)
			(void)step(statement);
		server_lock(st->server);
	}
	server_unlock(st->server);
}

static void drop_keys(store *st)
{
	sqlite3_stmt *statement = st->writes[WRITE_DROP_KEYS];
	if (sqlite3_bind_int64(statement, 1, clock_wall_us() - KEYS_KEPT_US) == SQLITE_OK)
		(void)step(statement);
}

/* Drops some of what is too old or too much; returns how many runs. */
static int clean(store *st)
{
	const config *c = st->server->config;
	int64_t oldest = clock_wall_us() - (int64_t)c->retention_age_us;
	int dropped = drop_before(st, oldest, DROP_AT_ONCE);
	uint64_t bytes = used_bytes(st), programs = program_bytes(st);
	uint64_t history = bytes > programs ? bytes - programs : 0;
	if (dropped == 0 && history > c->retention_bytes)
		dropped = drop_bytes(st, history - c->retention_bytes);
	if (dropped > 0) {
		while (sqlite3_step(st->writes[WRITE_SHRINK]) == SQLITE_ROW) {}
		(void)sqlite3_reset(st->writes[WRITE_SHRINK]);
		bytes = used_bytes(st);
		log_event(LOG_INFO, "retention", (log_field[]){{"dropped", NULL, dropped}, {"bytes", NULL, (int64_t)bytes}, {0}});
	} else {
		drop_keys(st);
		note_uses(st);
	}
	server_lock(st->server);
	st->stats.bytes = bytes;
	server_unlock(st->server);
	return dropped;
}

/* ---- The thread ------------------------------------------------------------------------------------------ */

typedef struct writer {
	store *st;
	write_op *again; /* to be tried again */
	int64_t again_us, news_us, clean_us;
	bool drops_sources; /* after the next writes */
} writer;

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Under the lock: waits until there is something to do. */
static void wait_for_work(writer *w)
{
	store *st = w->st;
	for (;;) {
		int64_t now_us = clock_now_us();
		int64_t until_us = w->clean_us;
		if (w->again != NULL)
			until_us = earlier(until_us, w->again_us);
		if (st->server->dirty_first != NULL)
			until_us = earlier(until_us, w->news_us);
		if (st->first != NULL || st->ending || now_us >= until_us)
			return;
		struct timespec at = {until_us / 1000000, until_us % 1000000 * 1000};
		(void)pthread_cond_timedwait(&st->work, &st->server->lock, &at);
	}
}

static void add_again(writer *w, write_op *list)
{
	while (list != NULL) {
		write_op *next = list->next;
		list->next = w->again;
		w->again = list;
		list = next;
	}
	w->again_us = clock_now_us() + TRY_AGAIN_US;
}

/* Under the lock, and returns under it: one transaction. */
static void write_once(writer *w)
{
	store *st = w->st;
	int64_t now_us = clock_now_us();
	news *first_news = NULL;
	if (st->server->dirty_first != NULL && (now_us >= w->news_us || st->ending)) {
		first_news = collect_news(st->server);
		w->news_us = now_us + NEWS_EVERY_US;
	}
	write_op *again = NULL;
	if (w->again != NULL && (now_us >= w->again_us || st->ending)) {
		again = w->again;
		w->again = NULL;
	}
	write_op *ops = st->first;
	st->first = st->last = NULL;
	/* Runs from here on bring their source; those before are written before sources without a run are dropped. */
	bool drops_sources = w->drops_sources;
	if (drops_sources)
		programs_forget_stored(st->server);
	w->drops_sources = false;
	server_unlock(st->server);
	if (again != NULL)
		add_again(w, write_list(st, again, NULL));
	if (ops != NULL || first_news != NULL)
		add_again(w, write_list(st, ops, first_news));
	if (drops_sources)
		(void)step(st->writes[WRITE_DROP_SOURCES]);
	if (now_us >= w->clean_us) {
		int dropped = clean(st);
		w->drops_sources = dropped > 0;
		w->clean_us = now_us + (dropped > 0 ? 0 : CLEAN_EVERY_US);
	}
	server_lock(st->server);
}

static void *write_thread(void *argument)
{
	writer w = {.st = argument};
	server *s = w.st->server;
	server_lock(s);
	while (!w.st->ending || w.st->first != NULL || s->dirty_first != NULL || w.again != NULL) {
		wait_for_work(&w);
		write_once(&w);
	}
	server_unlock(s);
	note_uses(w.st);
	return NULL;
}

bool store_start(store *st, server *s, void (*after)(server *s))
{
	st->server = s;
	st->after = after;
	st->running = pthread_create(&st->thread, NULL, write_thread, st) == 0;
	return st->running;
}

void store_stop(store *st)
{
	if (!st->running)
		return;
	server_lock(st->server);
	st->ending = true;
	(void)pthread_cond_signal(&st->work);
	server_unlock(st->server);
	(void)pthread_join(st->thread, NULL);
	st->running = false;
}

/* ---- Asking for writes ----------------------------------------------------------------------------------- */

/* Takes the operation over; NULL: out of memory. */
static bool submit(store *st, write_op *op, store_done done, void *context)
{
	if (op == NULL)
		return false;
	op->done = done;
	op->context = context;
	append(st, op);
	(void)pthread_cond_signal(&st->work);
	return true;
}

static write_op *make_run_op(run *r, int (*apply)(store *st, const write_op *op))
{
	write_op *op = calloc(1, sizeof *op);
	if (op == NULL)
		return NULL;
	op->apply = apply;
	op->run = r;
	op->state = r->state;
	op->started_us = r->started_wall_us;
	op->queue_us = r->queue_us;
	op->attempt = r->attempt;
	op->had_news = r->output_stored > 0;
	run_ref(r);
	return op;
}

bool store_insert_run(store *st, run *r, const char *source, size_t length, store_done done, void *context)
{
	write_op *op = make_run_op(r, apply_insert);
	if (op != NULL && source != NULL) {
		op->length = length;
		op->source = text_copy(source, length);
		if (op->source == NULL) {
			free_op(st->server, op);
			return false;
		}
	}
	return submit(st, op, done, context);
}

bool store_start_run(store *st, run *r, store_done done, void *context)
{
	return submit(st, make_run_op(r, apply_start), done, context);
}

bool store_end_run(store *st, run *r, store_done done, void *context)
{
	write_op *op = make_run_op(r, apply_end);
	if (op != NULL) {
		op->until_it_works = true;
		op->length = r->first_event + r->event_count + 1; /* state and report are still to come */
	}
	return submit(st, op, done, context);
}

static write_op *make_program_op(const char *owner, const char *name, int (*apply)(store *st, const write_op *op))
{
	write_op *op = calloc(1, sizeof *op);
	if (op == NULL)
		return NULL;
	op->apply = apply;
	op->owner = text_copy(owner, strlen(owner));
	op->program.name = text_copy(name, strlen(name));
	if (op->owner != NULL && op->program.name != NULL)
		return op;
	free_op(NULL, op);
	return NULL;
}

bool store_put_program(store *st, const char *owner, const stored_program *p, const void *source, store_done done,
                       void *context)
{
	write_op *op = make_program_op(owner, p->name, apply_put_program);
	if (op == NULL)
		return false;
	memcpy(op->program.sha256, p->sha256, sizeof p->sha256);
	op->program.language = p->language;
	op->program.updated_us = p->updated_us;
	op->program.kind = text_copy(p->kind, strlen(p->kind));
	op->program.exports = text_copy(p->exports, strlen(p->exports));
	op->length = p->size_bytes;
	op->source = text_copy(source, p->size_bytes);
	if (op->program.kind != NULL && op->program.exports != NULL && op->source != NULL)
		return submit(st, op, done, context);
	free_op(NULL, op);
	return false;
}

bool store_delete_program(store *st, const char *owner, const char *name, store_done done, void *context)
{
	return submit(st, make_program_op(owner, name, apply_delete_program), done, context);
}

void stored_program_finish(stored_program *p)
{
	free(p->name);
	free(p->kind);
	free(p->exports);
}
