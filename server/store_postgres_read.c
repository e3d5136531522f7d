/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the PostgreSQL database, also for the command line. Results are binary. */
#include "common/clock.h"
#include "limits_text.h"
#include "store_postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Runs ---------------------------------------------------------------------------------------------------- */

/* The number that means "due at once" is not a time. */
static void fill_hook(pg_store *st, run_hook *hook, const PGresult *rows, int i)
{
	int64_t due_us = pg_get_number(rows, i, "hook_due_us");
	*hook = (run_hook){.url = pg_get(rows, i, "hook_url"),
	                   .secret = pg_get(rows, i, "hook_secret"),
	                   .state = (hook_state)pg_get_number(rows, i, "hook_state"),
	                   .attempts = (unsigned)pg_get_number(rows, i, "hook_attempts"),
	                   .status = (unsigned)pg_get_number(rows, i, "hook_status"),
	                   .last_us = pg_local_time(st, pg_get_number(rows, i, "hook_us")),
	                   .due_us = due_us > 1 ? pg_local_time(st, due_us) : 0,
	                   .problem = pg_get(rows, i, "hook_problem")};
}

void pg_fill_view(pg_store *st, run_view *view, const PGresult *rows, int i)
{
	int64_t state = pg_get_number(rows, i, "state");
	bool is_done = state == RUN_DONE, is_ending = state == RUN_RUNNING && pg_get_number(rows, i, "cancels") > 0;

	*view = (run_view){
		.id = pg_get(rows, i, "id"),
		.owner = pg_get(rows, i, "owner"),
		.state = is_ending ? RUN_STOPPING : (run_state)state,
		.program = pg_get(rows, i, "program"),
		.sha256 = pg_get(rows, i, "sha256"),
		.language = (curfew_language)pg_get_number(rows, i, "language"),
		.call = pg_get(rows, i, "call"),
		.user = pg_get(rows, i, "user"),
		.priority = (unsigned)pg_get_number(rows, i, "priority"),
		.retry = (unsigned)pg_get_number(rows, i, "retry"),
		.attempt = (unsigned)pg_get_number(rows, i, "attempt"),
		.durable = true,
		.created_us = pg_local_time(st, pg_get_number(rows, i, "created_us")),
		.due_us = pg_local_time(st, pg_get_number(rows, i, "due_us")),
		.started_us = pg_local_time(st, pg_get_number(rows, i, "started_us")),
		.ended_us = pg_local_time(st, pg_get_number(rows, i, "ended_us")),
		.queue_us = pg_get_number(rows, i, "queue_us"),
		.outcome = is_done ? curfew_outcome_name((curfew_outcome)pg_get_number(rows, i, "outcome")) : NULL,
		.checkpoint = is_done ? NULL : pg_get(rows, i, "checkpoint"),
		.report_number = pg_get_number(rows, i, "number"),
		.report_length = (size_t)pg_get_number(rows, i, "report_bytes"),
		.last_event = (uint64_t)pg_get_number(rows, i, "last_event"),
		.allow_fetch = pg_get(rows, i, "allow_fetch"),
		.has_summary = pg_get(rows, i, "wall_us") != NULL,
	};

	view->summary = (run_summary){.wall_us = pg_get_number(rows, i, "wall_us"),
	                              .cpu_us = pg_get_number(rows, i, "cpu_us"),
	                              .memory_peak_bytes = pg_get_number(rows, i, "memory_bytes"),
	                              .output_bytes = pg_get_number(rows, i, "output_bytes"),
	                              .stop_latency_us = pg_get_number(rows, i, "stop_us")};
	(void)limits_from_text(&view->limits, pg_get(rows, i, "limits"));
	view->schedule = pg_get(rows, i, "schedule");
	fill_hook(st, &view->hook, rows, i);
}

/* Adds a condition, whose parameter is the next one. */
static void add_condition(char *sql, size_t room, pg_params *p, const char *condition, const char *words)
{
	size_t used = strlen(sql);
	if (words == NULL)
		return;
	pg_words(p, words);
	(void)snprintf(sql + used, room - used, " AND %s$%d", condition, p->count);
}

/* In the table, a run that is being stopped has the state running. */
static void add_states(char *sql, size_t room, unsigned states)
{
	static const char *const conditions[RUN_STATES] = {"state=0", "state=1", "state=2 AND cancels=0",
	                                                   "(state=3 OR (state=2 AND cancels>0))", "state=4"};
	size_t used = strlen(sql);
	if (states == 0)
		return;
	used += (size_t)snprintf(sql + used, room - used, " AND (false");
	for (int i = 0; i < RUN_STATES; i++) {
		if ((states >> i & 1) != 0)
			used += (size_t)snprintf(sql + used, room - used, " OR %s", conditions[i]);
	}
	(void)snprintf(sql + used, room - used, ")");
}

bool pg_read_runs(store *base, const run_filter *f, bool (*show)(void *context, const run_view *view), void *context)
{
	char sql[1536] =
		"SELECT id, owner, state, program, sha256, language, call, \"user\", priority, retry, attempt, created_us, due_us, "
		"started_us, ended_us, queue_us, outcome, number, report_bytes, last_event, limits, allow_fetch, wall_us, cpu_us, "
		"memory_bytes, output_bytes, stop_us, checkpoint, cancels, schedule, hook_url, hook_secret, "
		"hook_state, hook_attempts, hook_status, hook_us, hook_due_us, hook_problem FROM runs WHERE true";
	pg_params p = {0};

	add_condition(sql, sizeof sql, &p, "owner=", f->owner);
	add_condition(sql, sizeof sql, &p, "program=", f->program);
	add_condition(sql, sizeof sql, &p, "schedule=", f->schedule);
	add_condition(sql, sizeof sql, &p, "id<", f->after);
	add_condition(sql, sizeof sql, &p, "id=", f->id);
	add_states(sql, sizeof sql, f->states);
	size_t used = strlen(sql);
	if (f->outcome >= 0)
		(void)snprintf(sql + used, sizeof sql - used, " AND state=4 AND outcome=%d%s", f->outcome,
		               f->outcome != 0 ? " AND outcome<>0" : "");
	used = strlen(sql);
	pg_number(&p, (int64_t)f->most);
	(void)snprintf(sql + used, sizeof sql - used, " ORDER BY id DESC LIMIT $%d", p.count);
	PGresult *rows = pg_read_rows(base, sql, &p, "runs", NULL);
	run_view view;
	bool more = true;
	for (int i = 0; more && i < pg_count(rows); i++) {
		pg_fill_view(pg_of(base), &view, rows, i);
		more = show(context, &view);
	}

	return pg_end(rows);
}

blob *pg_read_part(store *base, int64_t report_number, size_t part)
{
	pg_params p = {0};
	pg_number(&p, report_number);
	pg_number(&p, (int64_t)part);
	PGresult *rows = pg_read_rows(base, "SELECT data FROM reports WHERE run=$1 AND part=$2", &p, "a report", NULL);
	blob *made = rows != NULL && PQntuples(rows) == 1
	                 ? blob_create(pg_get(rows, 0, "data"), pg_get_length(rows, 0, "data"))
	                 : NULL;
	PQclear(rows);
	return made;
}

/*
 * A run that was committed, and that no replica has confirmed, can be seen after a restart of the database, and a
 * failover then loses it. So the row is locked: that is a write, and its commit waits until the replica has all before.
 */
int pg_find_key(store *base, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE])
{
	pg_params p = {0};
	pg_words(&p, owner);
	pg_words(&p, key);
	PGresult *rows = pg_read_rows(
		base,
		"WITH r AS (SELECT id, body_sha256 FROM runs WHERE owner=$1 AND key=$2 FOR KEY SHARE), "
		"k AS (SELECT id, body_sha256 FROM keys WHERE owner=$1 AND key=$2 FOR KEY SHARE) "
		"SELECT * FROM r UNION ALL SELECT * FROM k LIMIT 1",
		&p, "keys", NULL);
	int found = rows == NULL ? -1 : PQntuples(rows);
	if (found == 1) {
		(void)snprintf(id, ID_SIZE, "%s", pg_get(rows, 0, "id"));
		(void)snprintf(body_sha256, SHA256_SIZE, "%s", pg_get(rows, 0, "body_sha256"));
	}
	PQclear(rows);
	return found;
}

/* ---- Programs ------------------------------------------------------------------------------------------------ */

static void fill_program(stored_program *program, const PGresult *rows, int i)
{
	*program = (stored_program){.name = pg_get(rows, i, "name"),
	                            .language = (curfew_language)pg_get_number(rows, i, "language"),
	                            .kind = pg_get(rows, i, "kind"),
	                            .exports = pg_get(rows, i, "exports"),
	                            .size_bytes = (uint64_t)pg_get_number(rows, i, "size"),
	                            .created_us = pg_get_number(rows, i, "created_us"),
	                            .updated_us = pg_get_number(rows, i, "updated_us"),
	                            .owner = pg_get(rows, i, "owner")};
	(void)snprintf(program->sha256, sizeof program->sha256, "%s", pg_get(rows, i, "sha256"));
}

enum { PROGRAMS_AT_ONCE = 64 };

static PGresult *read_some_programs(store *base, const program_filter *filter)
{
	char sql[400] = "SELECT * FROM programs WHERE true";
	pg_params p = {0};
	add_condition(sql, sizeof sql, &p, "owner=", filter->owner);
	add_condition(sql, sizeof sql, &p, "name=", filter->name);
	if (filter->after_name != NULL) {
		pg_words(&p, filter->after_owner);
		pg_words(&p, filter->after_name);
		size_t used = strlen(sql);
		(void)snprintf(sql + used, sizeof sql - used, " AND (owner COLLATE \"C\", name COLLATE \"C\")>($%d, $%d)",
		               p.count - 1, p.count);
	}
	size_t used = strlen(sql);
	(void)snprintf(sql + used, sizeof sql - used, " ORDER BY owner COLLATE \"C\", name COLLATE \"C\" LIMIT %d",
	               PROGRAMS_AT_ONCE);
	return pg_read_rows(base, sql, &p, "programs", NULL);
}

bool pg_read_programs(store *base, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
                      void *context)
{
	program_filter next = *filter;
	PGresult *rows = NULL, *before = NULL;
	bool more = true;
	while (more) {
		rows = read_some_programs(base, &next);
		PQclear(before); /* it had the texts of next */
		int count = pg_count(rows);
		stored_program program;
		for (int i = 0; more && i < count; i++) {
			fill_program(&program, rows, i);
			more = show(context, &program);
		}
		more = more && count == PROGRAMS_AT_ONCE;
		if (more) {
			next.after_owner = pg_get(rows, count - 1, "owner");
			next.after_name = pg_get(rows, count - 1, "name");
			before = rows;
		}
	}
	return pg_end(rows);
}

uint64_t pg_count_program_bytes(store *base, const char *owner)
{
	pg_params p = {0};
	pg_words(&p, owner);
	PGresult *rows = pg_read_rows(base, "SELECT coalesce(sum(size), 0)::bigint AS bytes FROM programs WHERE owner=$1",
	                              &p, "programs", NULL);
	uint64_t bytes = rows != NULL ? (uint64_t)pg_get_number(rows, 0, "bytes") : UINT64_MAX;
	PQclear(rows);
	return bytes;
}

void *pg_read_source(store *base, const char *sha256, curfew_language language, size_t *length)
{
	pg_params p = {0};
	void *bytes = NULL;
	pg_words(&p, sha256);
	pg_number(&p, language);
	PGresult *rows = pg_read_rows(base, "SELECT bytes FROM sources WHERE sha256=$1 AND language=$2", &p, "a source",
	                              NULL);
	if (rows != NULL && PQntuples(rows) == 1) {
		*length = pg_get_length(rows, 0, "bytes");
		bytes = text_copy(pg_get(rows, 0, "bytes"), *length);
	}
	PQclear(rows);
	return bytes;
}

/* ---- What was going on when the server ended ------------------------------------------------------------------- */

void pg_fill_run(pg_store *st, stored_run *run, const PGresult *rows, int i)
{
	*run = (stored_run){
		.id = pg_get(rows, i, "id"),
		.owner = pg_get(rows, i, "owner"),
		.state = (run_state)pg_get_number(rows, i, "state"),
		.program = pg_get(rows, i, "program"),
		.sha256 = pg_get(rows, i, "sha256"),
		.language = (curfew_language)pg_get_number(rows, i, "language"),
		.call = pg_get(rows, i, "call"),
		.params = pg_get(rows, i, "params"),
		.params_length = pg_get_length(rows, i, "params"),
		.user = pg_get(rows, i, "user"),
		.flags = (uint32_t)pg_get_number(rows, i, "flags"),
		.priority = (unsigned)pg_get_number(rows, i, "priority"),
		.retry = (unsigned)pg_get_number(rows, i, "retry"),
		.attempt = (unsigned)pg_get_number(rows, i, "attempt"),
		.created_us = pg_local_time(st, pg_get_number(rows, i, "created_us")),
		.due_us = pg_local_time(st, pg_get_number(rows, i, "due_us")),
		.started_us = pg_local_time(st, pg_get_number(rows, i, "started_us")),
		.queue_us = pg_get_number(rows, i, "queue_us"),
		.key = pg_get(rows, i, "key"),
		.body_sha256 = pg_get(rows, i, "body_sha256"),
		.name = pg_get(rows, i, "name"),
		.checkpoint = pg_get(rows, i, "checkpoint"),
		.allow_fetch = pg_get(rows, i, "allow_fetch"),
		.wasi = pg_get(rows, i, "wasi"),
		.schedule = pg_get(rows, i, "schedule"),
		.hook_url = pg_get(rows, i, "hook_url"),
		.hook_secret = pg_get(rows, i, "hook_secret"),
		.node = (uint64_t)pg_get_number(rows, i, "node"),
		.epoch = (uint64_t)pg_get_number(rows, i, "epoch"),
		.cancels = (unsigned)pg_get_number(rows, i, "cancels"),
		.is_watched = pg_get_number(rows, i, "watched") != 0,
	};

	run->is_unreadable = run->params == NULL || !limits_from_text(&run->limits, pg_get(rows, i, "limits"));
}

/* Reads a run's output events, one JSON object each. */
char *pg_load_output(store *base, const char *id)
{
	pg_params p = {0};
	text all;
	text_init(&all, SIZE_MAX / 2);
	text_say(&all, "[");
	pg_words(&p, id);
	pg_number(&p, EVENT_OUTPUT);
	PGresult *rows = pg_read_rows(base, "SELECT data FROM output WHERE run=$1 AND kind=$2 ORDER BY number", &p,
	                              "output", NULL);
	for (int i = 0; i < pg_count(rows); i++) {
		text_say(&all, i == 0 ? "" : ",");
		text_add(&all, pg_get(rows, i, "data"), pg_get_length(rows, i, "data"));
	}
	PQclear(rows);
	text_say(&all, "]");
	return text_take(&all, NULL);
}

static bool add_rows(store *base, const PGresult *rows, bool (*add)(void *context, const stored_run *r), void *context)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		stored_run run;
		pg_fill_run(pg_of(base), &run, rows, i);
		char *output = run.state >= RUN_RUNNING ? pg_load_output(base, run.id) : NULL;
		run.output = output;
		bool good = add(context, &run);
		free(output);
		if (!good)
			return false;
	}
	return true;
}

enum { LOAD_AT_ONCE = 500 };

bool pg_load_runs(store *base, bool (*add)(void *context, const stored_run *r), void *context, curfew_failure *failure)
{
	int64_t last = 0;
	for (;;) {
		pg_params p = {0};
		pg_number(&p, last);
		pg_number(&p, LOAD_AT_ONCE);
		PGresult *rows = pg_read_rows(base, "SELECT * FROM runs WHERE state<>4 AND number>$1 ORDER BY number LIMIT $2",
		                              &p, "runs cannot be read", failure);
		if (rows == NULL)
			return false;
		int count = PQntuples(rows);
		last = count > 0 ? pg_get_number(rows, count - 1, "number") : last;
		bool good = add_rows(base, rows, add, context);
		PQclear(rows);
		if (!good)
			(void)snprintf(failure->message, sizeof failure->message, "out of memory");
		if (!good || count < LOAD_AT_ONCE)
			return good;
	}
}

/* ---- Tokens -------------------------------------------------------------------------------------------------- */

static uint64_t get_quota(const PGresult *rows, int i, const char *column)
{
	return pg_get(rows, i, column) == NULL ? UINT64_MAX : (uint64_t)pg_get_number(rows, i, column);
}

static void fill_token(stored_token *token, const PGresult *rows, int i)
{
	*token = (stored_token){.scopes = (unsigned)pg_get_number(rows, i, "scopes"),
	                        .running_max = get_quota(rows, i, "running"),
	                        .queued_max = get_quota(rows, i, "queued"),
	                        .per_minute_max = get_quota(rows, i, "per_minute"),
	                        .created_us = pg_get_number(rows, i, "created_us"),
	                        .user = pg_get(rows, i, "user"),
	                        .allow_fetch = pg_get(rows, i, "allow_fetch"),
	                        .priority_max = (unsigned)pg_get_number(rows, i, "priority"),
	                        .expires_us = pg_get_number(rows, i, "expires_us"),
	                        .used_us = pg_get_number(rows, i, "used_us"),
	                        .programs_bytes_max = get_quota(rows, i, "programs_bytes")};
	(void)snprintf(token->id, sizeof token->id, "%s", pg_get(rows, i, "id"));
	(void)snprintf(token->name, sizeof token->name, "%s", pg_get(rows, i, "name"));
	if (pg_get_length(rows, i, "hash") == sizeof token->hash)
		memcpy(token->hash, pg_get(rows, i, "hash"), sizeof token->hash);
	/* A ceiling that this build cannot read must not be ignored, so the token is treated as revoked. */
	token->is_revoked = pg_get_number(rows, i, "revoked_us") != 0 ||
	                    !limits_from_text(&token->ceilings, pg_get(rows, i, "ceilings"));
}

bool pg_read_tokens(store *base, void (*show)(void *context, const stored_token *token), void *context,
                    curfew_failure *failure)
{
	PGresult *rows = pg_read_rows(base, "SELECT * FROM tokens ORDER BY created_us, id", &(pg_params){0},
	                              "tokens cannot be read", failure);
	stored_token token;
	for (int i = 0; i < pg_count(rows); i++) {
		fill_token(&token, rows, i);
		show(context, &token);
	}
	return pg_end(rows);
}

bool pg_add_token(store *base, const stored_token *token, curfew_failure *failure)
{
	pg_params p = {0};
	char *ceilings = limits_to_text(&token->ceilings);

	if (ceilings == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "out of memory");
		return false;
	}

	pg_words(&p, token->id);
	pg_words(&p, token->name);
	pg_bytes(&p, token->hash, sizeof token->hash);
	pg_number(&p, token->scopes);
	pg_quota(&p, token->running_max);
	pg_quota(&p, token->queued_max);
	pg_quota(&p, token->per_minute_max);
	pg_words(&p, ceilings);
	pg_number(&p, clock_wall_us());
	pg_words(&p, token->user);
	pg_words(&p, token->allow_fetch);
	pg_number(&p, token->priority_max);
	pg_number(&p, token->expires_us);
	pg_quota(&p, token->programs_bytes_max);
	PGresult *done = pg_read_rows(
		base,
		"INSERT INTO tokens(id, name, hash, scopes, running, queued, per_minute, ceilings, created_us, \"user\", allow_fetch, "
		"priority, expires_us, programs_bytes) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)",
		&p, "the token cannot be stored", failure);
	bool good = done != NULL;
	PQclear(done);
	free(ceilings);
	return good;
}

bool pg_revoke_token(store *base, const char *word, int *count, curfew_failure *failure)
{
	pg_params p = {0};
	pg_words(&p, word);
	pg_number(&p, clock_wall_us());
	PGresult *done = pg_read_rows(base, "UPDATE tokens SET revoked_us=$2 WHERE (id=$1 OR name=$1) AND revoked_us=0", &p,
	                              "the token cannot be revoked", failure);
	bool good = done != NULL;
	*count = good ? atoi(PQcmdTuples(done)) : 0;
	PQclear(done);
	return good;
}

/* ---- Upkeep -------------------------------------------------------------------------------------------------- */

enum { PRUNE_AT_ONCE = 500 };

static int64_t read_one(store *base, const char *sql)
{
	PGresult *rows = pg_run(pg_of(base), &pg_of(base)->upkeep, sql, &(pg_params){0}, "the database cannot be read",
	                        NULL);
	int64_t number = rows != NULL && PQntuples(rows) == 1 ? pg_get_number(rows, 0, "number") : -1;
	PQclear(rows);
	return number;
}

static uint64_t history_bytes(store *base)
{
	int64_t bytes = read_one(base, "SELECT coalesce(sum(bytes), 0)::bigint AS number FROM runs WHERE state=4");
	return bytes > 0 ? (uint64_t)bytes : 0;
}

static const char drop_some[] =
	"DELETE FROM runs WHERE number IN (SELECT number FROM runs WHERE state=4 AND ended_us<$1 ORDER BY ended_us LIMIT $2)";
/* Drops the oldest, but no more than take this many bytes. */
static const char drop_oldest[] =
	"DELETE FROM runs WHERE number IN (SELECT number FROM (SELECT number, sum(bytes) OVER (ORDER BY ended_us, number) - bytes AS before FROM "
	"(SELECT number, ended_us, bytes FROM runs WHERE state=4 ORDER BY ended_us LIMIT $2) AS oldest) AS sums WHERE before<$1)";

/* Until one of these drops nothing more. */
static bool drop_while(store *base, const store_prune *prune, bool by_bytes, uint64_t *runs, curfew_failure *failure)
{
	for (int dropped = 1; dropped > 0;) {
		pg_params p = {0};
		uint64_t bytes = by_bytes ? history_bytes(base) : 0;
		if (by_bytes && bytes <= prune->keep_bytes)
			return true;
		pg_number(&p, by_bytes ? (int64_t)(bytes - prune->keep_bytes) : prune->ended_before_us);
		pg_number(&p, PRUNE_AT_ONCE);
		PGresult *done = pg_run(pg_of(base), &pg_of(base)->upkeep, by_bytes ? drop_oldest : drop_some, &p,
		                        "runs cannot be dropped", failure);
		if (done == NULL)
			return false;
		dropped = atoi(PQcmdTuples(done));
		*runs += (uint64_t)dropped;
		PQclear(done);
	}
	return true;
}

#define TOTAL_BYTES                                                                                                    \
	"SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS number FROM pg_class c WHERE relnamespace='curfew'::regnamespace AND relkind='r'"

bool pg_drop_runs(store *base, const store_prune *prune, store_pruned *pruned, curfew_failure *failure)
{
	*pruned = (store_pruned){.bytes_before = (uint64_t)read_one(base, TOTAL_BYTES)};
	bool good = drop_while(base, prune, false, &pruned->runs, failure);
	if (good && prune->keep_bytes != UINT64_MAX)
		good = drop_while(base, prune, true, &pruned->runs, failure);
	pruned->bytes_after = (uint64_t)read_one(base, TOTAL_BYTES);
	return good;
}

bool pg_back_up(store *base, const char *path, uint64_t *bytes, curfew_failure *failure)
{
	(void)base;
	(void)path;
	*bytes = 0;
	(void)snprintf(failure->message, sizeof failure->message,
	               "a PostgreSQL database is backed up with pg_dump --schema=curfew, or by its own means");
	return false;
}

static uint64_t count_unreadable(store *base)
{
	PGresult *rows = pg_run(pg_of(base), &pg_of(base)->upkeep, "SELECT limits FROM runs WHERE state<>4",
	                        &(pg_params){0}, "runs", NULL);
	uint64_t count = 0;
	curfew_limits limits;
	for (int i = 0; i < pg_count(rows); i++)
		count += !limits_from_text(&limits, pg_get(rows, i, "limits"));
	PQclear(rows);
	return count;
}

bool pg_examine(store *base, store_check *check, curfew_failure *failure)
{
	*check = (store_check){0};
	PGresult *rows = pg_run(
		pg_of(base), &pg_of(base)->upkeep,
		"SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM runs WHERE state<>4) AS waiting, "
		"(SELECT count(*) FROM programs) AS programs, (SELECT count(*) FROM tokens WHERE revoked_us=0) AS tokens, "
		"(SELECT count(*) FROM runs r WHERE state=4 AND report_bytes<>(SELECT coalesce(sum(length(data)), 0) FROM reports "
		"WHERE run=r.number)) AS reportless",
		&(pg_params){0}, "the database cannot be read", failure);
	if (rows == NULL)
		return false;
	check->runs = (uint64_t)pg_get_number(rows, 0, "runs");
	check->waiting = (uint64_t)pg_get_number(rows, 0, "waiting");
	check->programs = (uint64_t)pg_get_number(rows, 0, "programs");
	check->tokens = (uint64_t)pg_get_number(rows, 0, "tokens");
	check->reportless = (uint64_t)pg_get_number(rows, 0, "reportless");
	check->bytes = (uint64_t)read_one(base, TOTAL_BYTES);
	check->unreadable = count_unreadable(base);
	PQclear(rows);
	return true;
}
