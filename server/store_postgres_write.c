/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing thread's work on the PostgreSQL database. A transaction is sent as a pipeline: no statement waits for the
 * one before it, so a transaction of a thousand writes takes one round trip. The first statement checks that this
 * server has its lease.
 */
#include "common/clock.h"
#include "limits_text.h"
#include "store_postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DROP_AT_ONCE = 200, EVENTS_KEPT_US = 60000000, COUNT_EVERY_US = 30000000 };
#define LOOSE_US "60000000"

/* ---- Pipelines ----------------------------------------------------------------------------------------------- */

/* X(NAME, text): statements that are prepared at first use on a connection. */
#define PG_WRITES(X)                                                                                                     \
	X(HOLD, "SELECT 1/count(*) FROM (SELECT 1 FROM fences WHERE node=$1::bigint FOR KEY SHARE) AS held")                 \
	X(ADD_SOURCE, "INSERT INTO sources VALUES($1,$2,$3) ON CONFLICT DO NOTHING")                                         \
	X(ADD_RUN,                                                                                                           \
	  "INSERT INTO runs(id, owner, state, program, sha256, language, call, params, \"user\", limits, flags, priority, "  \
	  "retry, attempt, created_us, due_us, started_us, queue_us, key, body_sha256, name, allow_fetch, wasi, node, "      \
	  "memory, watched, schedule, hook_url, hook_secret) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,"     \
	  "$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29) ON CONFLICT(id) DO NOTHING")                             \
	X(DROP_RUN, "DELETE FROM runs WHERE id=$1 AND state<>4 AND node IN (0, $2)")                                         \
	X(START_RUN, "UPDATE runs SET state=2, started_us=$2, queue_us=$3, attempt=$4 WHERE id=$1 AND state<>4 AND "         \
	             "node=$5")                                                                                              \
	X(GIVE_BACK, "UPDATE runs SET state=1, node=0, attempt=$2, watched=true WHERE id=$1 AND state<>4 AND node=$3")       \
	X(END_RUN,                                                                                                           \
	  "WITH e AS (UPDATE runs SET state=4, ended_us=$2, outcome=$3, report_bytes=$4, checkpoint=NULL, last_event=$5, "   \
	  "hook_due_us=CASE WHEN hook_url IS NULL THEN 0 ELSE 1 END, "                                                       \
	  "queue_us=$6, started_us=$7, bytes=$8, wall_us=$9, cpu_us=$10, memory_bytes=$11, output_bytes=$12, stop_us=$13 "   \
	  "WHERE id=$1 AND node=$15 RETURNING number, id, watched), "                                                        \
	  "r AS (INSERT INTO reports SELECT number, 0, $14::bytea FROM e ON CONFLICT DO NOTHING) "                           \
	  "SELECT id AS told FROM e WHERE watched")                                                                          \
	X(ADD_PART, "INSERT INTO reports SELECT number, $2::int, $3::bytea FROM runs WHERE id=$1 AND node=$4 "               \
	            "ON CONFLICT DO NOTHING")                                                                                \
	X(DROP_OUTPUT, "DELETE FROM output WHERE run=$1")                                                                    \
	X(ADD_OUTPUT, "INSERT INTO output VALUES($1,$2,$3,$4) ON CONFLICT DO NOTHING")                                       \
	X(SET_CHECKPOINT, "UPDATE runs SET checkpoint=$2 WHERE id=$1 AND state<>4")                                          \
	X(NOTIFY, "SELECT pg_notify('curfew', $1::text)")                                                                    \
	X(PUT_PROGRAM, "INSERT INTO programs VALUES($1,$2,$3,$4,$5,$6,$7,$8,$8) ON CONFLICT(owner, name) DO UPDATE SET "     \
	               "sha256=$3, language=$4, kind=$5, exports=$6, size=$7, updated_us=$8")                                \
	X(DELETE_PROGRAM, "DELETE FROM programs WHERE owner=$1 AND name=$2")                                                 \
	X(PUT_SCHEDULE,                                                                                                      \
	  "INSERT INTO schedules(owner, name, cron, zone, overlap, paused, body, created_us, updated_us, next_us) "          \
	  "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10) ON CONFLICT(owner, name) DO UPDATE SET cron=$3, zone=$4, "                 \
	  "overlap=$5, paused=$6, body=$7, updated_us=$9, next_us=$10, taken_us=0, problem=''")                              \
	X(DELETE_SCHEDULE, "DELETE FROM schedules WHERE owner=$1 AND name=$2")                                               \
	X(USE_TURN,                                                                                                          \
	  "WITH u AS (UPDATE schedules SET next_us=$4, last_us=$3, last_run=$5, runs=runs+1, problem='', taken_us=0 "        \
	  "WHERE owner=$1 AND name=$2 AND (next_us=$3 OR last_run=$5) RETURNING 1) SELECT CASE count(*) WHEN 1 THEN 1 ELSE " \
	  "('another node has had this turn'||count(*))::int END FROM u")                                                    \
	X(PASS_TURN, "UPDATE schedules SET next_us=$4, last_us=$3, problem=$5, skipped=skipped+1, taken_us=0 "               \
	             "WHERE owner=$1 AND name=$2 AND next_us=$3")                                                            \
	X(NOTE_ATTEMPT, "UPDATE runs SET hook_state=$2, hook_attempts=$3, hook_status=$4, hook_us=$5, hook_problem=$6, "     \
	                "hook_due_us=CASE WHEN $7::bigint=0 THEN 0 ELSE clock_us()+$7 END WHERE id=$1")                      \
	X(USE_TOKEN, "UPDATE tokens SET used_us=greatest(used_us, $2) WHERE id=$1")

typedef enum pg_statement {
#define X(name, words) PG_##name,
	PG_WRITES(X)
#undef X
		PG_STATEMENTS
} pg_statement;

static const char *const texts[] = {
#define X(name, words) words,
	PG_WRITES(X)
#undef X
};

static const char *const names[] = {
#define X(name, words) #name,
	PG_WRITES(X)
#undef X
};

static store_status fail_with(pg_store *st, const char *why)
{
	(void)snprintf(st->base.reason, sizeof st->base.reason, "%.*s", (int)strcspn(why, "\n"), why);
	return STORE_FAILED;
}

/* This node was considered dead. The thread that takes runs joins again. */
static store_status lose_node(pg_store *st)
{
	atomic_store(&st->node, 0);
	return fail_with(st, "the lease of this node has expired");
}

/* Classifies an error. */
static store_status note_error(pg_store *st, PGconn *conn, const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	store_status status = fail_with(st, message != NULL ? message : PQerrorMessage(conn));
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	st->base.is_key_taken = constraint != NULL && strcmp(constraint, "runs_key") == 0;
	/* 22 data, 23 constraint, 54 limits: only this write is at fault. 40: a conflict with another one. 22012: the lease
	 * is lost. */
	if (code != NULL && strcmp(code, "22012") == 0)
		status = lose_node(st);
	/* The connection broke, or the server shuts down (57P), perhaps after the commit. */
	else if (code == NULL || strncmp(code, "57P", 3) == 0)
		status = STORE_UNKNOWN;
	else if (strncmp(code, "22", 2) == 0 || strncmp(code, "23", 2) == 0 || strncmp(code, "54", 2) == 0 ||
	         strncmp(code, "40", 2) == 0)
		status = STORE_REFUSED;
	return status;
}

/* ---- Telling ------------------------------------------------------------------------------------------------- */

static void note_change(pg_store *st, const char *id)
{
	pg_notified *told = &st->told;
	if (told->count == PG_TOLD_MAX)
		told->has_more = true;
	else
		(void)snprintf(told->ids[told->count++], ID_SIZE, "%s", id);
}

/* Notes the ends of runs that others show. */
static void note_changes(pg_store *st, const PGresult *result)
{
	int column = PQfnumber(result, "told");
	for (int i = 0; column >= 0 && i < PQntuples(result); i++)
		note_change(st, PQgetvalue(result, i, column));
}

/* Reads results up to the next synchronization point; the first error stays. A broken connection would never reach it.
 */
static store_status read_results(pg_store *st, PGconn *conn)
{
	store_status status = STORE_OK;
	unsigned nothing = 0;
	do {
		PGresult *result = PQgetResult(conn);
		ExecStatusType kind = PQresultStatus(result);
		nothing = result == NULL ? nothing + 1 : 0;
		if (result != NULL && kind == PGRES_FATAL_ERROR && status == STORE_OK)
			status = note_error(st, conn, result);
		else if (result != NULL && kind == PGRES_TUPLES_OK)
			note_changes(st, result);
		PQclear(result);
		if (result != NULL && kind == PGRES_PIPELINE_SYNC)
			return status;
	} while (nothing <= 1 && PQstatus(conn) == CONNECTION_OK); /* one empty result is between two statements */
	if (status == STORE_OK)
		(void)fail_with(st, PQerrorMessage(conn));
	return status == STORE_OK ? STORE_UNKNOWN : status;
}

/* Prepares all statements, once for each connection. */
static bool prepare_all(pg_store *st, PGconn *conn)
{
	for (int i = 0; i < PG_STATEMENTS; i++) {
		if (PQsendPrepare(conn, names[i], texts[i], 0, NULL) != 1)
			return false;
	}
	return PQpipelineSync(conn) == 1 && read_results(st, conn) == STORE_OK;
}

static bool open_writer(pg_store *st)
{
	if (!pg_connect(st, &st->writer)) {
		char reason[sizeof st->reason];
		pg_copy_reason(st, reason);
		(void)fail_with(st, reason);
		return false;
	}
	if (st->writer.is_new && (PQenterPipelineMode(st->writer.conn) != 1 || !prepare_all(st, st->writer.conn)))
		return false;
	st->writer.is_new = false;
	return true;
}

/* A failure that no single write caused is tried again on a new connection, perhaps to another server. */
static void drop_writer(pg_store *st)
{
	st->is_writing = false;
	st->told = (pg_notified){0};
	if (st->writer.conn != NULL)
		PQfinish(st->writer.conn);
	st->writer.conn = NULL;
}

static store_status send_one(pg_store *st, pg_statement which, const pg_params *p)
{
	if (PQsendQueryPrepared(st->writer.conn, names[which], p->count, p->values, p->lengths, p->formats, 1) == 1)
		return STORE_OK;
	(void)fail_with(st, PQerrorMessage(st->writer.conn));
	drop_writer(st);
	return STORE_FAILED;
}

static bool send_word(pg_store *st, const char *word)
{
	return PQsendQueryParams(st->writer.conn, word, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

static bool send_notice(pg_store *st, const char *what)
{
	pg_params p = {0};
	pg_words(&p, what);
	return send_one(st, PG_NOTIFY, &p) == STORE_OK;
}

/* Sends notifications after the commit. A failure does no harm, because the others also query regularly. */
static void send_notifications(pg_store *st)
{
	pg_notified *told = &st->told;
	char ids[PG_TOLD_MAX * ID_SIZE + 2] = "d";
	size_t length = 1;
	for (size_t i = 0; i < told->count && !told->has_more; i++)
		length += (size_t)snprintf(ids + length, sizeof ids - length, " %s", told->ids[i]);
	bool is_sent = (!told->has_work || send_notice(st, "w")) && (told->count == 0 || send_notice(st, ids));
	if (is_sent && (told->has_work || told->count > 0))
		told->is_unread = PQpipelineSync(st->writer.conn) == 1;
	told->has_work = told->has_more = false;
	told->count = 0;
}

/* False: the connection broke meanwhile. */
static bool finish_notifications(pg_store *st)
{
	bool good = !st->told.is_unread || read_results(st, st->writer.conn) == STORE_OK;
	st->told = (pg_notified){0};
	return good;
}

/* Rolls the transaction back. */
static store_status fail_and_end(pg_store *st, const char *why)
{
	drop_writer(st);
	return fail_with(st, why);
}

store_status pg_begin(store *base)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};

	/* A half-sent transaction can only be ended together with its connection. */
	if (st->is_writing || !finish_notifications(st))
		drop_writer(st);
	if (!open_writer(st)) {
		drop_writer(st);
		return STORE_FAILED;
	}

	if (!send_word(st, "BEGIN")) {
		(void)fail_with(st, PQerrorMessage(st->writer.conn));
		drop_writer(st);
		return STORE_FAILED;
	}

	st->is_writing = true;

	/* A store that has not joined, as in its tests, has no fence. */
	if (atomic_load(&st->node) == 0)
		return st->has_thread ? fail_and_end(st, "the lease of this node has expired") : STORE_OK;
	pg_number(&p, (int64_t)atomic_load(&st->node));
	return send_one(st, PG_HOLD, &p);
}

store_status pg_commit(store *base)
{
	pg_store *st = pg_of(base);
	PGconn *conn = st->writer.conn;
	store_status status = STORE_UNKNOWN;

	st->is_writing = false;
	if (send_word(st, "COMMIT") && PQpipelineSync(conn) == 1)
		status = read_results(st, conn);
	else
		(void)fail_with(st, PQerrorMessage(conn));
	if (status == STORE_OK) {
		send_notifications(st);
		return STORE_OK;
	}

	/* A failure after BEGIN has left the transaction open. */
	char reason[sizeof base->reason];
	memcpy(reason, base->reason, sizeof reason);
	if (status != STORE_REFUSED || !send_word(st, "ROLLBACK") || PQpipelineSync(conn) != 1 ||
	    read_results(st, conn) != STORE_OK)
		drop_writer(st);
	memcpy(base->reason, reason, sizeof reason);
	return status;
}

/* ---- Writes -------------------------------------------------------------------------------------------------- */

static void words_as_bytes(pg_params *p, const char *words)
{
	pg_bytes(p, words, words != NULL ? strlen(words) : 0);
}

static store_status add_source(pg_store *st, const char *sha256, curfew_language language, const char *bytes,
                               size_t length)
{
	pg_params p = {0};
	pg_words(&p, sha256);
	pg_number(&p, language);
	pg_bytes(&p, bytes, length);
	return send_one(st, PG_ADD_SOURCE, &p);
}

static store_status add_run(pg_store *st, const stored_run *r, const char *limits)
{
	pg_params p = {0};

	pg_words(&p, r->id);
	pg_words(&p, r->owner);
	pg_number(&p, r->state);
	pg_words(&p, r->program);
	pg_words(&p, r->sha256);
	pg_number(&p, r->language);
	words_as_bytes(&p, r->call);
	pg_bytes(&p, r->params, r->params_length);
	words_as_bytes(&p, r->user);
	pg_words(&p, limits);
	pg_number(&p, r->flags);
	pg_number(&p, r->priority);
	pg_number(&p, r->retry);
	pg_number(&p, r->attempt);
	pg_number(&p, pg_time(st, r->created_us));
	pg_number(&p, pg_time(st, r->due_us));
	pg_number(&p, pg_time(st, r->started_us));
	pg_number(&p, r->queue_us);
	pg_words(&p, r->key);
	pg_words(&p, r->key != NULL ? r->body_sha256 : NULL);
	pg_words(&p, r->name);
	pg_words(&p, r->allow_fetch);
	words_as_bytes(&p, r->wasi);
	pg_number(&p, (int64_t)r->node);
	pg_number(&p, (int64_t)r->limits.memory_bytes);
	pg_words(&p, r->is_watched ? "t" : "f");
	pg_words(&p, r->schedule);
	pg_words(&p, r->hook_url);
	pg_words(&p, r->hook_secret);
	return send_one(st, PG_ADD_RUN, &p);
}

static store_status use_turn(pg_store *st, const stored_run *r)
{
	pg_params p = {0};
	pg_words(&p, r->owner);
	pg_words(&p, r->schedule);
	pg_number(&p, r->turn_us);
	pg_number(&p, r->next_turn_us);
	pg_words(&p, r->id);
	return send_one(st, PG_USE_TURN, &p);
}

static store_status write_run(pg_store *st, const write_op *op)
{
	const stored_run *r = &op->run;
	store_status status = op->source != NULL ? add_source(st, r->sha256, r->language, op->source, op->source_length)
	                                         : STORE_OK;
	if (status != STORE_OK)
		return status;
	char *limits = limits_to_text(&r->limits);
	status = limits != NULL ? add_run(st, r, limits) : fail_with(st, "out of memory");
	free(limits);
	if (status == STORE_OK && r->schedule != NULL)
		status = use_turn(st, r);
	st->told.has_work = st->told.has_work || r->node == 0;
	return status;
}

static store_status write_start(pg_store *st, const stored_start *start)
{
	pg_params p = {0};
	pg_words(&p, start->id);
	pg_number(&p, pg_time(st, start->started_us));
	pg_number(&p, start->queue_us);
	pg_number(&p, start->attempt);
	pg_number(&p, (int64_t)start->node);
	return send_one(st, PG_START_RUN, &p);
}

static store_status give_back(pg_store *st, const stored_start *start)
{
	pg_params p = {0};
	pg_words(&p, start->id);
	pg_number(&p, start->attempt);
	pg_number(&p, (int64_t)start->node);
	st->told.has_work = true;
	return send_one(st, PG_GIVE_BACK, &p);
}

static size_t part_length(const blob *report, size_t at)
{
	size_t left = report->len - at;
	return left < STORE_PART_BYTES ? left : STORE_PART_BYTES;
}

static store_status write_parts(pg_store *st, const stored_end *end)
{
	store_status status = STORE_OK;
	for (size_t at = STORE_PART_BYTES, part = 1; at < end->report->len && status == STORE_OK;
	     at += STORE_PART_BYTES, part++) {
		pg_params p = {0};
		pg_words(&p, end->id);
		pg_number(&p, (int64_t)part);
		pg_bytes(&p, end->report->data + at, part_length(end->report, at));
		pg_number(&p, (int64_t)end->node);
		status = send_one(st, PG_ADD_PART, &p);
	}
	return status;
}

static store_status write_end(pg_store *st, const stored_end *end)
{
	const run_summary *used = &end->summary;
	pg_params p = {0}, id = {0};

	pg_words(&p, end->id);
	pg_number(&p, pg_time(st, end->ended_us));
	pg_number(&p, end->outcome);
	pg_number(&p, (int64_t)end->report->len);
	pg_number(&p, (int64_t)end->last_event);
	pg_number(&p, end->queue_us);
	pg_number(&p, pg_time(st, end->started_us));
	pg_number(&p, (int64_t)(end->report->len + end->params_length + STORE_ROW_BYTES));
	pg_number(&p, used->wall_us);
	pg_number(&p, used->cpu_us);
	pg_number(&p, used->memory_peak_bytes);
	pg_number(&p, used->output_bytes);
	pg_number(&p, used->stop_latency_us);
	pg_bytes(&p, end->report->data, part_length(end->report, 0));
	pg_number(&p, (int64_t)end->node);
	store_status status = send_one(st, PG_END_RUN, &p);
	if (status == STORE_OK)
		status = write_parts(st, end);
	pg_words(&id, end->id);
	return status == STORE_OK && end->has_output ? send_one(st, PG_DROP_OUTPUT, &id) : status;
}

static store_status write_program(pg_store *st, const write_op *op)
{
	const stored_program *program = &op->program;
	store_status status = add_source(st, program->sha256, program->language, op->source, op->source_length);
	if (status != STORE_OK)
		return status;
	pg_params p = {0};
	pg_words(&p, program->owner);
	pg_words(&p, program->name);
	pg_words(&p, program->sha256);
	pg_number(&p, program->language);
	pg_words(&p, program->kind);
	pg_words(&p, program->exports);
	pg_number(&p, (int64_t)op->source_length);
	pg_number(&p, program->updated_us);
	return send_one(st, PG_PUT_PROGRAM, &p);
}

static store_status write_news(pg_store *st, const run_news *n)
{
	store_status status = STORE_OK;
	for (size_t i = 0; i < n->count && status == STORE_OK; i++) {
		const stored_event *e = &n->events[i];
		pg_params p = {0};
		pg_words(&p, n->id);
		pg_number(&p, (int64_t)e->number);
		pg_number(&p, e->kind);
		pg_bytes(&p, e->data->data, e->data->len);
		status = send_one(st, PG_ADD_OUTPUT, &p);
	}
	if (status == STORE_OK && n->checkpoint != NULL) {
		pg_params p = {0};
		pg_words(&p, n->id);
		pg_bytes(&p, n->checkpoint->data, n->checkpoint->len);
		status = send_one(st, PG_SET_CHECKPOINT, &p);
	}
	if (n->is_watched)
		note_change(st, n->id);
	return status;
}

/* The node's number at the request; 0: does not matter. */
static uint64_t node_of(const write_op *op)
{
	switch (op->kind) {
	case WRITE_RUN: return op->run.node;
	case WRITE_START:
	case WRITE_BACK: return op->start.node;
	case WRITE_END: return op->end.node;
	default: return 0;
	}
}

/*
 * A run that was begun under an earlier number of this node belongs to another node now. Its start or end is not
 * written, and nothing else is done; a new run is refused.
 */
static store_status write_too_late(pg_store *st, const write_op *op)
{
	if (op->kind != WRITE_RUN)
		return STORE_OK;
	(void)fail_with(st, "the lease of this node has expired");
	drop_writer(st);
	return STORE_REFUSED;
}

/*
 * A run that was refused, but may have been written. If it has a key, another node may have answered with it: then it
 * stays, and whoever has capacity executes it.
 */
static store_status drop_run(pg_store *st, const stored_run *r)
{
	pg_params p = {0};
	if (r->key != NULL)
		return r->node != 0 ? give_back(st, &(stored_start){.id = r->id, .node = r->node}) : STORE_OK;
	pg_words(&p, r->id);
	pg_number(&p, (int64_t)r->node);
	return send_one(st, PG_DROP_RUN, &p);
}

store_status pg_write(store *base, const write_op *op)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};

	if (node_of(op) != 0 && node_of(op) != atomic_load(&st->node))
		return write_too_late(st, op);
	switch (op->kind) {
	case WRITE_RUN: return write_run(st, op);
	case WRITE_NO_RUN: return drop_run(st, &op->run);
	case WRITE_START: return write_start(st, &op->start);
	case WRITE_BACK: return give_back(st, &op->start);
	case WRITE_END: return write_end(st, &op->end);
	case WRITE_NEWS: return write_news(st, op->news);
	case WRITE_PROGRAM: return write_program(st, op);
	case WRITE_NO_PROGRAM:
		pg_words(&p, op->program.owner);
		pg_words(&p, op->program.name);
		return send_one(st, PG_DELETE_PROGRAM, &p);
	case WRITE_SCHEDULE: pg_schedule_params(st, &p, &op->schedule); return send_one(st, PG_PUT_SCHEDULE, &p);
	case WRITE_NO_SCHEDULE:
		pg_words(&p, op->schedule.owner);
		pg_words(&p, op->schedule.name);
		return send_one(st, PG_DELETE_SCHEDULE, &p);
	case WRITE_TURN: pg_turn_params(st, &p, &op->turn); return send_one(st, PG_PASS_TURN, &p);
	case WRITE_ATTEMPT: pg_attempt_params(st, &p, &op->attempt); return send_one(st, PG_NOTE_ATTEMPT, &p);
	case WRITE_TOKEN_USE:
		pg_words(&p, op->use.id);
		pg_number(&p, op->use.used_us);
		return send_one(st, PG_USE_TOKEN, &p);
	}

	return fail_with(st, "not a write");
}

store_status pg_write_news(store *base, const run_news *n)
{
	return write_news(pg_of(base), n);
}

/* ---- Retention ----------------------------------------------------------------------------------------------- */

/* Returns the number of rows; -1: it failed. */
static int change(pg_store *st, const char *sql, const pg_params *p)
{
	PGresult *done = pg_run(st, &st->admin, sql, p, "retention", NULL);
	int count = done != NULL ? atoi(PQcmdTuples(done)) : -1;
	PQclear(done);
	return count;
}

/* The column "number" of the only row. 0: it failed. */
static uint64_t read_number(pg_store *st, const char *sql)
{
	PGresult *rows = pg_run(st, &st->admin, sql, &(pg_params){0}, "retention", NULL);
	uint64_t number = rows != NULL ? (uint64_t)pg_get_number(rows, 0, "number") : 0;
	PQclear(rows);
	return number;
}

/*
 * Drops the first of these runs (number, id, bytes): those that nobody is being sent, and no more than take *bytes,
 * which becomes what they took. Returns their number; -1: it failed.
 */
static int drop_rows(pg_store *st, PGresult *rows, uint64_t *bytes)
{
	uint64_t max = *bytes;
	pg_params p = {0};
	text numbers;

	*bytes = 0;
	text_init(&numbers, 24 * DROP_AT_ONCE);
	text_say(&numbers, "{");
	for (int i = 0; i < pg_count(rows) && *bytes < max; i++) {
		if (!store_may_drop(&st->base, pg_get(rows, i, "id")))
			continue;
		text_print(&numbers, "%s%lld", numbers.length > 1 ? "," : "", (long long)pg_get_number(rows, i, "number"));
		*bytes += (uint64_t)pg_get_number(rows, i, "bytes");
	}
	text_say(&numbers, "}");
	pg_words(&p, numbers.data);
	int dropped = rows == NULL || numbers.failed ? -1
	              : numbers.length == 2          ? 0
	                                             : change(st, "DELETE FROM runs WHERE number=ANY($1::bigint[])", &p);
	store_end_drop(&st->base);
	text_finish(&numbers);
	PQclear(rows);
	return dropped;
}

static int drop_before(pg_store *st, int64_t ended_us)
{
	uint64_t bytes = UINT64_MAX;
	pg_params p = {0};
	pg_number(&p, ended_us);
	pg_number(&p, DROP_AT_ONCE);
	return drop_rows(
		st,
		pg_run(st, &st->admin,
	           "SELECT number, id, bytes FROM runs WHERE state=4 AND ended_us<$1 ORDER BY ended_us LIMIT $2", &p,
	           "retention", NULL),
		&bytes);
}

/* An owner's part of the history. */
typedef struct pg_owner_bytes {
	char owner[TOKEN_ID_SIZE];
	uint64_t bytes;
} owner_bytes;

/*
 * Counts the history of every owner. That reads all runs, so it is done rarely, and only by one node at a time: the
 * lock is the connection's, and lasts until enough is dropped.
 */
static void count_history(pg_store *st)
{
	uint64_t all = 0, max = st->base.retention.bytes;
	if (read_number(st, "SELECT pg_try_advisory_lock(7433181303)::int::bigint AS number") == 0)
		return;
	st->counted_us = clock_now_us();
	PGresult *rows = pg_run(st, &st->admin,
	                        "SELECT owner, sum(bytes)::bigint AS bytes FROM runs WHERE state=4 GROUP BY owner",
	                        &(pg_params){0}, "retention", NULL);
	owner_bytes *made = calloc((size_t)pg_count(rows) + 1, sizeof *made);
	free(st->largest);
	st->largest = made;
	st->owner_count = made != NULL ? (size_t)pg_count(rows) : 0;
	for (size_t i = 0; i < st->owner_count; i++) {
		(void)snprintf(made[i].owner, sizeof made[i].owner, "%s", pg_get(rows, (int)i, "owner"));
		made[i].bytes = (uint64_t)pg_get_number(rows, (int)i, "bytes");
		all += made[i].bytes;
	}
	PQclear(rows);
	st->excess = all > max ? all - max : 0;
}

static owner_bytes *find_largest(const pg_store *st)
{
	owner_bytes *found = NULL;
	for (size_t i = 0; i < st->owner_count; i++)
		found = found == NULL || st->largest[i].bytes > found->bytes ? &st->largest[i] : found;
	return found;
}

/* Drops the oldest runs of the owner that has most of the history, and no more than necessary. */
static int drop_bytes(pg_store *st)
{
	owner_bytes *largest = find_largest(st);
	pg_params p = {0};
	if (largest == NULL)
		return 0;
	uint64_t bytes = st->excess;
	pg_number(&p, DROP_AT_ONCE);
	pg_words(&p, largest->owner);
	PGresult *rows = pg_run(st, &st->admin,
	                        "SELECT number, id, bytes FROM runs WHERE state=4 AND owner=$2 ORDER BY id LIMIT $1", &p,
	                        "retention", NULL);
	int found = pg_count(rows), dropped = drop_rows(st, rows, &bytes);
	if (dropped < 0 || (dropped == 0 && found > 0)) {
		st->excess = 0; /* it is counted again later */
		return 0;
	}
	/* If nothing is left of this owner, another one is next, or everything is counted anew. */
	largest->bytes -= dropped > 0 && bytes < largest->bytes ? bytes : largest->bytes;
	bool is_over = bytes >= st->excess || find_largest(st)->bytes == 0;
	st->excess = is_over ? 0 : st->excess - bytes;
	return dropped;
}

/* The sum is counted only if the tables are large enough to exceed the limit. */
static int drop_excess(pg_store *st, uint64_t held)
{
	bool is_time = st->counted_us == 0 || clock_now_us() - st->counted_us >= COUNT_EVERY_US;
	if (st->excess == 0 && held > st->base.retention.bytes && is_time)
		count_history(st);
	int dropped = st->excess > 0 ? drop_bytes(st) : 0;
	if (st->excess == 0)
		PQclear(pg_run(st, &st->admin, "SELECT pg_advisory_unlock_all()", &(pg_params){0}, "retention", NULL));
	return dropped;
}

/* Old keys, and events of runs that another node showed: these stay for a while, so that it can read them all. Whether
 * there are more. */
static bool drop_rest(pg_store *st, int64_t now_us)
{
	pg_params keys = {0}, shown = {0};
	pg_number(&keys, now_us - STORE_KEYS_KEPT_US);
	pg_number(&keys, DROP_AT_ONCE);
	int dropped = change(
		st,
		"DELETE FROM keys WHERE (owner, key) IN (SELECT owner, key FROM keys WHERE created_us<$1 ORDER "
		"BY created_us LIMIT $2)",
		&keys);
	pg_number(&shown, now_us - EVENTS_KEPT_US);
	(void)change(st,
	             "DELETE FROM output o WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id=o.run AND (r.state<>4 OR "
	             "r.ended_us>=$1))",
	             &shown);
	return dropped == DROP_AT_ONCE;
}

store_cleaning pg_clean(store *base)
{
	pg_store *st = pg_of(base);
	int64_t now_us = pg_time(st, clock_wall_us());
	store_cleaning done = {.dropped = drop_before(st, now_us - (int64_t)base->retention.age_us)};

	done.bytes = read_number(st,
	                         "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS number FROM pg_class c "
	                         "WHERE relnamespace='curfew'::regnamespace AND relkind='r'");
	if (done.dropped == 0)
		done.dropped = drop_excess(st, done.bytes);
	done.dropped = done.dropped > 0 ? done.dropped : 0;
	done.has_more = done.dropped > 0 || drop_rest(st, now_us);
	done.has_sources = read_number(st, "SELECT EXISTS(SELECT 1 FROM loose WHERE since_us<clock_us()-" LOOSE_US
	                                   ")::int::bigint AS number") != 0;
	return done;
}

/* Of sources that were unused for a while, because nodes may be about to write runs that have them. */
void pg_drop_sources(store *base)
{
	pg_params p = {0};
	pg_number(&p, DROP_AT_ONCE);
	(void)change(
		pg_of(base),
		"WITH old AS (DELETE FROM loose WHERE (sha256, language) IN (SELECT sha256, language FROM loose WHERE "
		"since_us<clock_us()-" LOOSE_US " LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING sha256, language) "
		"DELETE FROM sources s USING old WHERE s.sha256=old.sha256 AND s.language=old.language AND NOT EXISTS "
		"(SELECT 1 FROM runs r WHERE r.sha256=s.sha256 AND r.language=s.language) AND NOT EXISTS (SELECT 1 FROM "
		"programs p WHERE p.sha256=s.sha256 AND p.language=s.language)",
		&p);
}
