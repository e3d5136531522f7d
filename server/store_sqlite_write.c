/* SPDX-License-Identifier: Apache-2.0 */
/* The writing thread's work on the SQLite database: one transaction after the other, and retention. */
#include "common/clock.h"
#include "limits_text.h"
#include "store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Maximum numbers; a piece has as many as take little time. */
enum { SOURCES_MAX = 200, KEYS_AT_ONCE = 200 };

/* ---- Runs and programs ----------------------------------------------------------------------------------- */

static int add_source(sqlite_store *st, const char *sha256, curfew_language language, const char *bytes, size_t length)
{
	binding b = bind_write(st, SQL_ADD_SOURCE);
	bind_words(&b, sha256);
	bind_number(&b, language);
	bind_bytes(&b, bytes, length);
	return run_bound(&b);
}

static int add_run(sqlite_store *st, const stored_run *r, const char *limits)
{
	binding b = bind_write(st, SQL_ADD_RUN);

	bind_words(&b, r->id);
	bind_words(&b, r->owner);
	bind_number(&b, r->state);
	bind_words(&b, r->program);
	bind_words(&b, r->sha256);
	bind_number(&b, r->language);
	bind_words(&b, r->call);
	bind_text(&b, r->params, r->params_length);
	bind_words(&b, r->user);
	bind_words(&b, limits);
	bind_number(&b, r->flags);
	bind_number(&b, r->priority);
	bind_number(&b, r->retry);
	bind_number(&b, r->attempt);
	bind_number(&b, r->created_us);
	bind_number(&b, r->due_us);
	bind_number(&b, r->started_us);
	bind_number(&b, r->queue_us);
	bind_words(&b, r->key);
	bind_words(&b, r->key != NULL ? r->body_sha256 : NULL);
	bind_words(&b, r->name);
	bind_words(&b, r->allow_fetch);
	bind_words(&b, r->wasi);
	bind_words(&b, r->schedule);
	bind_words(&b, r->hook_url);
	bind_words(&b, r->hook_secret);
	return run_bound(&b);
}

static int write_run(sqlite_store *st, const write_op *op)
{
	const stored_run *r = &op->run;
	int status = op->source != NULL ? add_source(st, r->sha256, r->language, op->source, op->source_length) : SQLITE_OK;
	if (status != SQLITE_OK)
		return status;
	char *limits = limits_to_text(&r->limits);
	status = limits != NULL ? add_run(st, r, limits) : SQLITE_NOMEM;
	free(limits);
	return status == SQLITE_OK && r->schedule != NULL ? sqlite_use_turn(st, r) : status;
}

static int write_start(sqlite_store *st, const stored_start *start)
{
	binding b = bind_write(st, SQL_START_RUN);
	bind_words(&b, start->id);
	bind_number(&b, start->started_us);
	bind_number(&b, start->queue_us);
	bind_number(&b, start->attempt);
	return run_bound(&b);
}

static int drop_output(sqlite_store *st, const char *id)
{
	binding b = bind_write(st, SQL_DROP_OUTPUT);
	bind_words(&b, id);
	return run_bound(&b);
}

static int add_report(sqlite_store *st, int64_t number, const blob *report)
{
	int status = SQLITE_OK;
	size_t part = 0;
	for (size_t at = 0; at < report->len && status == SQLITE_OK; at += STORE_PART_BYTES, part++) {
		size_t left = report->len - at;
		binding b = bind_write(st, SQL_ADD_PART);
		if (part >= STORE_PARTS_MAX)
			return SQLITE_TOOBIG;
		bind_number(&b, number * STORE_PARTS_MAX + (int64_t)part);
		bind_bytes(&b, report->data + at, left < STORE_PART_BYTES ? left : STORE_PART_BYTES);
		status = run_bound(&b);
	}
	return status;
}

/* *number: the row's number; -1: there is none, so there is nothing to end. */
static int end_row(sqlite_store *st, const stored_end *end, int64_t *number)
{
	const run_summary *used = &end->summary;
	binding b = bind_write(st, SQL_END_RUN);

	bind_words(&b, end->id);
	bind_number(&b, end->ended_us);
	bind_number(&b, end->outcome);
	bind_number(&b, (int64_t)end->report->len);
	bind_number(&b, (int64_t)end->last_event);
	bind_number(&b, end->queue_us);
	bind_number(&b, end->started_us);
	bind_number(&b, (int64_t)(end->report->len + end->params_length + STORE_ROW_BYTES));
	bind_number(&b, used->wall_us);
	bind_number(&b, used->cpu_us);
	bind_number(&b, used->memory_peak_bytes);
	bind_number(&b, used->output_bytes);
	bind_number(&b, used->stop_latency_us);
	*number = -1;
	if (b.status != SQLITE_OK)
		return b.status;
	int status = sqlite3_step(b.statement);
	if (status == SQLITE_ROW)
		*number = sqlite3_column_int64(b.statement, 0);
	(void)sqlite3_reset(b.statement);
	return status == SQLITE_DONE || status == SQLITE_ROW ? SQLITE_OK : status;
}

static int write_end(sqlite_store *st, const stored_end *end)
{
	int64_t number;
	int status = end_row(st, end, &number);
	if (status == SQLITE_OK && number >= 0)
		status = add_report(st, number, end->report);
	return status == SQLITE_OK && end->has_output ? drop_output(st, end->id) : status;
}

static int write_program(sqlite_store *st, const write_op *op)
{
	const stored_program *p = &op->program;
	int status = add_source(st, p->sha256, p->language, op->source, op->source_length);
	if (status != SQLITE_OK)
		return status;
	binding b = bind_write(st, SQL_PUT_PROGRAM);
	bind_words(&b, p->owner);
	bind_words(&b, p->name);
	bind_words(&b, p->sha256);
	bind_number(&b, p->language);
	bind_words(&b, p->kind);
	bind_words(&b, p->exports);
	bind_number(&b, (int64_t)op->source_length);
	bind_number(&b, p->updated_us);
	return run_bound(&b);
}

static int delete_program(sqlite_store *st, const stored_program *p)
{
	binding b = bind_write(st, SQL_DELETE_PROGRAM);
	bind_words(&b, p->owner);
	bind_words(&b, p->name);
	return run_bound(&b);
}

static int use_token(sqlite_store *st, const char *id, int64_t used_us)
{
	binding b = bind_write(st, SQL_USE_TOKEN);
	bind_words(&b, id);
	bind_number(&b, used_us);
	return run_bound(&b);
}

/* ---- Transactions ---------------------------------------------------------------------------------------- */

/* Ends a transaction in which something failed. */
static store_status judge(sqlite_store *st, int status)
{
	if (status == SQLITE_OK)
		return STORE_OK;
	(void)snprintf(st->base.reason, sizeof st->base.reason, "%s", sqlite3_errstr(status));
	if (sqlite3_get_autocommit(st->writer) == 0)
		(void)run_statement(st->writes[SQL_ROLLBACK]);
	int kind = status & 0xff;
	return kind == SQLITE_CONSTRAINT || kind == SQLITE_TOOBIG ? STORE_REFUSED : STORE_FAILED;
}

store_status sqlite_begin(store *base)
{
	sqlite_store *st = sqlite_of(base);
	return judge(st, run_statement(st->writes[SQL_BEGIN]));
}

store_status sqlite_commit(store *base)
{
	sqlite_store *st = sqlite_of(base);
	return judge(st, run_statement(st->writes[SQL_COMMIT]));
}

static int write_news(sqlite_store *st, const run_news *n)
{
	int status = SQLITE_OK;
	for (size_t i = 0; i < n->count && status == SQLITE_OK; i++) {
		binding b = bind_write(st, SQL_ADD_OUTPUT);
		bind_words(&b, n->id);
		bind_text(&b, n->events[i].data->data, n->events[i].data->len);
		status = run_bound(&b);
	}
	if (status == SQLITE_OK && n->checkpoint != NULL) {
		binding b = bind_write(st, SQL_SET_CHECKPOINT);
		bind_words(&b, n->id);
		bind_text(&b, n->checkpoint->data, n->checkpoint->len);
		status = run_bound(&b);
	}
	return status;
}

static int write_any(sqlite_store *st, const write_op *op)
{
	switch (op->kind) {
	case WRITE_RUN: return write_run(st, op);
	case WRITE_NO_RUN: return SQLITE_OK; /* a run that fails here does not exist */
	case WRITE_START: return write_start(st, &op->start);
	case WRITE_END: return write_end(st, &op->end);
	case WRITE_PROGRAM: return write_program(st, op);
	case WRITE_NO_PROGRAM: return delete_program(st, &op->program);
	case WRITE_NEWS: return write_news(st, op->news);
	case WRITE_BACK: break; /* only in a shared database */
	case WRITE_TOKEN_USE: return use_token(st, op->use.id, op->use.used_us);
	case WRITE_SCHEDULE: return sqlite_put_schedule(st, &op->schedule);
	case WRITE_NO_SCHEDULE: return sqlite_delete_schedule(st, &op->schedule);
	case WRITE_TURN: return sqlite_pass_turn(st, &op->turn);
	case WRITE_ATTEMPT: return sqlite_note_attempt(st, &op->attempt);
	}
	return SQLITE_MISUSE;
}

store_status sqlite_write_op(store *base, const write_op *op)
{
	sqlite_store *st = sqlite_of(base);
	return judge(st, write_any(st, op));
}

store_status sqlite_write_news(store *base, const run_news *n)
{
	sqlite_store *st = sqlite_of(base);
	return judge(st, write_news(st, n));
}

/* ---- Retention ------------------------------------------------------------------------------------------- */

static uint64_t used_bytes(sqlite_store *st)
{
	sqlite3_stmt *statement = st->writes[SQL_USED_PAGES];
	uint64_t bytes = 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		bytes = (uint64_t)sqlite3_column_int64(statement, 0) * (uint64_t)sqlite3_column_int64(statement, 1);
	(void)sqlite3_reset(statement);
	return bytes;
}

/* Some runs that are dropped together. */
typedef struct victims {
	int count;
	struct {
		int64_t number;
		bool has_large_report;
	} runs[STORE_DROP_MAX];
} victims;

/* Chooses the next runs of a query that may be dropped: at most so many, and no more than take these bytes. */
static int choose(sqlite_store *st, const binding *b, int max, uint64_t bytes, victims *v)
{
	uint64_t chosen = 0;
	int status = b->status == SQLITE_OK ? SQLITE_ROW : b->status;
	while (v->count < max && chosen < bytes && status == SQLITE_ROW) {
		status = sqlite3_step(b->statement);
		if (status != SQLITE_ROW || !store_may_drop(&st->base, column_words(b->statement, 1)))
			continue;
		v->runs[v->count].number = sqlite3_column_int64(b->statement, 0);
		v->runs[v->count++].has_large_report = sqlite3_column_int(b->statement, 3) != 0;
		chosen += (uint64_t)sqlite3_column_int64(b->statement, 2);
	}
	(void)sqlite3_reset(b->statement);
	return status == SQLITE_ROW || status == SQLITE_DONE ? SQLITE_OK : status;
}

static int drop_numbered(sqlite_store *st, sqlite_write what, int64_t number)
{
	binding b = bind_write(st, what);
	bind_number(&b, number);
	return run_bound(&b);
}

/*
 * Drops the large reports of runs before these. A trigger drops what is left; but within the statement of a trigger
 * SQLite keeps a copy of all pages that it frees, in memory.
 */
static int drop_runs(sqlite_store *st, const victims *v)
{
	int status = SQLITE_OK;
	for (int i = 0; i < v->count && status == SQLITE_OK; i++) {
		if (v->runs[i].has_large_report)
			status = drop_numbered(st, SQL_DROP_REPORT, v->runs[i].number);
		if (status == SQLITE_OK)
			status = drop_numbered(st, SQL_DROP_RUN, v->runs[i].number);
	}
	return status;
}

static int choose_old(sqlite_store *st, int64_t ended_us, victims *v)
{
	binding b = bind_write(st, SQL_OLD);
	bind_number(&b, ended_us);
	return choose(st, &b, st->drop_at_once, UINT64_MAX, v);
}

/*
 * If the history is too large, the oldest runs of the owner that has most of it are dropped, and no more than
 * necessary. So nobody loses a run because of what another owner keeps.
 */
static int choose_of_largest(sqlite_store *st, uint64_t bytes, victims *v)
{
	sqlite3_stmt *largest = st->writes[SQL_LARGEST_OWNER];
	char owner[TOKEN_ID_SIZE] = "";
	if (sqlite3_step(largest) == SQLITE_ROW)
		(void)snprintf(owner, sizeof owner, "%s", column_words(largest, 0));
	(void)sqlite3_reset(largest);
	binding b = bind_write(st, SQL_OF_OWNER);
	bind_words(&b, owner);
	return choose(st, &b, st->drop_at_once, bytes, v);
}

static uint64_t program_bytes(sqlite_store *st)
{
	sqlite3_stmt *statement = st->writes[SQL_PROGRAM_BYTES];
	uint64_t bytes = sqlite3_step(statement) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	(void)sqlite3_reset(statement);
	return bytes;
}

/* Whether there are more. */
static bool drop_keys(sqlite_store *st)
{
	binding b = bind_write(st, SQL_DROP_KEYS);
	bind_number(&b, clock_wall_us() - STORE_KEYS_KEPT_US);
	bind_number(&b, KEYS_AT_ONCE);
	return run_bound(&b) == SQLITE_OK && sqlite3_changes(st->writer) == KEYS_AT_ONCE;
}

/* Within a transaction: what is too old, or else some of what is too much. */
static int drop_some(sqlite_store *st, int *dropped)
{
	const store_retention *kept = &st->base.retention;
	victims v = {.count = 0};
	int status = choose_old(st, clock_wall_us() - (int64_t)kept->age_us, &v);
	uint64_t bytes = used_bytes(st), programs = program_bytes(st), history = bytes > programs ? bytes - programs : 0;
	if (status == SQLITE_OK && v.count == 0 && history > kept->bytes)
		status = choose_of_largest(st, history - kept->bytes, &v);
	*dropped = v.count;
	return status == SQLITE_OK ? drop_runs(st, &v) : status;
}

/* One piece of what has to be done. */
static void clean_piece(sqlite_store *st, store_cleaning *done)
{
	int64_t begun_us = clock_now_us();
	if (sqlite_begin(&st->base) != STORE_OK)
		return;
	bool good = judge(st, drop_some(st, &done->dropped)) == STORE_OK;
	done->has_more = good && (done->dropped > 0 || drop_keys(st));
	good = good && sqlite_commit(&st->base) == STORE_OK;
	store_end_drop(&st->base);
	if (!good)
		*done = (store_cleaning){.dropped = 0};
	else if (done->dropped > 0)
		st->drop_at_once = sqlite_adapt_piece(st->drop_at_once, clock_now_us() - begun_us, STORE_DROP_MAX);
	else if (!done->has_more)
		done->has_more = sqlite_shrink(st->writer, &st->shrink_at_once);
}

store_cleaning sqlite_clean(store *base)
{
	sqlite_store *st = sqlite_of(base);
	store_cleaning done = {.dropped = 0};
	/* The log is being copied to the disk: more of it now would only make everybody wait for the disk longer. */
	if (sqlite_log_is_copied(st))
		done.has_more = true;
	else
		clean_piece(st, &done);
	done.bytes = used_bytes(st);
	done.has_sources = sqlite3_step(st->writes[SQL_ANY_LOOSE]) == SQLITE_ROW;
	(void)sqlite3_reset(st->writes[SQL_ANY_LOOSE]);
	return done;
}

void sqlite_drop_sources(store *base)
{
	sqlite_store *st = sqlite_of(base);
	static const sqlite_write steps[] = {SQL_DROP_SOURCES, SQL_FORGET_LOOSE};
	int64_t begun_us = clock_now_us();
	int status = run_statement(st->writes[SQL_BEGIN]);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == SQLITE_OK; i++) {
		binding b = bind_write(st, steps[i]);
		bind_number(&b, st->sources_at_once);
		status = run_bound(&b);
	}
	if (status == SQLITE_OK)
		status = run_statement(st->writes[SQL_COMMIT]);
	if (judge(st, status) == STORE_OK)
		st->sources_at_once = sqlite_adapt_piece(st->sources_at_once, clock_now_us() - begun_us, SOURCES_MAX);
}
