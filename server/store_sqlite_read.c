/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the SQLite database at once, on a free connection. */
#include "limits_text.h"
#include "store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Runs -------------------------------------------------------------------------------------------------- */

#define RUN_COLUMNS                                                                                                    \
	"id, owner, state, program, sha256, language, call, user, priority, retry, attempt, created_us, due_us, "          \
	"started_us, ended_us, queue_us, outcome, number, report_bytes, last_event, limits, allow_fetch, wall_us, "        \
	"cpu_us, memory_bytes, output_bytes, stop_us, schedule, hook_url, hook_secret, hook_state, hook_attempts, "        \
	"hook_status, hook_us, hook_due_us, hook_problem"

const char sqlite_view_columns[] = RUN_COLUMNS;

/* The number that means "due at once" is not a time. */
static void fill_hook(run_hook *hook, sqlite3_stmt *row)
{
	int64_t due_us = sqlite3_column_int64(row, 34);
	*hook = (run_hook){.url = column_words(row, 28),
	                   .secret = column_words(row, 29),
	                   .state = (hook_state)sqlite3_column_int(row, 30),
	                   .attempts = (unsigned)sqlite3_column_int(row, 31),
	                   .status = (unsigned)sqlite3_column_int(row, 32),
	                   .last_us = sqlite3_column_int64(row, 33),
	                   .due_us = due_us > 1 ? due_us : 0,
	                   .problem = column_words(row, 35)};
}

static void fill_summary(run_view *view, sqlite3_stmt *row)
{
	view->has_summary = sqlite3_column_type(row, 22) != SQLITE_NULL;
	view->summary = (run_summary){.wall_us = sqlite3_column_int64(row, 22),
	                              .cpu_us = sqlite3_column_int64(row, 23),
	                              .memory_peak_bytes = sqlite3_column_int64(row, 24),
	                              .output_bytes = sqlite3_column_int64(row, 25),
	                              .stop_latency_us = sqlite3_column_int64(row, 26)};
}

void sqlite_fill_view(run_view *view, sqlite3_stmt *row)
{
	*view = (run_view){
		.id = column_words(row, 0),
		.owner = column_words(row, 1),
		.state = (run_state)sqlite3_column_int(row, 2),
		.program = column_words(row, 3),
		.sha256 = column_words(row, 4),
		.language = (curfew_language)sqlite3_column_int(row, 5),
		.call = column_words(row, 6),
		.user = column_words(row, 7),
		.priority = (unsigned)sqlite3_column_int(row, 8),
		.retry = (unsigned)sqlite3_column_int(row, 9),
		.attempt = (unsigned)sqlite3_column_int(row, 10),
		.durable = true,
		.created_us = sqlite3_column_int64(row, 11),
		.due_us = sqlite3_column_int64(row, 12),
		.started_us = sqlite3_column_int64(row, 13),
		.ended_us = sqlite3_column_int64(row, 14),
		.queue_us = sqlite3_column_int64(row, 15),
		.outcome = curfew_outcome_name((curfew_outcome)sqlite3_column_int(row, 16)),
		.report_number = sqlite3_column_int64(row, 17),
		.report_length = (size_t)sqlite3_column_int64(row, 18),
		.last_event = (uint64_t)sqlite3_column_int64(row, 19),
		.allow_fetch = column_words(row, 21),
		.schedule = column_words(row, 27),
	};

	(void)limits_from_text(&view->limits, column_words(row, 20));
	fill_summary(view, row);
	fill_hook(&view->hook, row);
}

/* Makes the query of a filter. It contains only the requested conditions, so that an index can serve it. */
static void write_query(char *sql, size_t room, const run_filter *f)
{
	char outcome[64] = "";
	/* Write the outcome as a literal: SQLite uses a partial index only if it sees that the value matches. */
	if (f->outcome >= 0)
		(void)snprintf(outcome, sizeof outcome, " AND outcome=%d%s", f->outcome,
		               f->outcome != 0 ? " AND outcome<>0" : "");
	(void)snprintf(sql, room, "SELECT " RUN_COLUMNS " FROM runs WHERE state=4%s%s%s%s%s%s ORDER BY id DESC LIMIT ?6",
	               f->owner != NULL ? " AND owner=?1" : "", f->program != NULL ? " AND program=?2" : "",
	               f->after != NULL ? " AND id<?3" : "", f->id != NULL ? " AND id=?4" : "",
	               f->schedule != NULL ? " AND schedule=?5" : "", outcome);
}

bool sqlite_read_runs(store *st, const run_filter *f, bool (*show)(void *context, const run_view *view), void *context)
{
	char sql[1024];
	write_query(sql, sizeof sql, f);
	reading r = begin_reading(st, sql);
	const char *words[] = {f->owner, f->program, f->after, f->id, f->schedule};
	enum { WORDS = sizeof words / sizeof words[0] };
	for (int i = 0; i < WORDS; i++) {
		r.bound.column = i;
		if (words[i] != NULL)
			bind_words(&r.bound, words[i]);
	}
	r.bound.column = WORDS;
	bind_number(&r.bound, (int64_t)f->most);
	run_view view;
	bool more = true;
	while (more && read_row(&r)) {
		sqlite_fill_view(&view, r.bound.statement);
		more = show(context, &view);
	}
	return finish_reading(&r, NULL, NULL);
}

blob *sqlite_read_part(store *st, int64_t report_number, size_t part)
{
	reading r = begin_reading(st, "SELECT data FROM reports WHERE place=?");
	blob *made = NULL;
	bind_number(&r.bound, report_number * STORE_PARTS_MAX + (int64_t)part);
	if (part < STORE_PARTS_MAX && read_row(&r)) {
		const char *data = sqlite3_column_blob(r.bound.statement, 0);
		made = blob_create(data, (size_t)sqlite3_column_bytes(r.bound.statement, 0));
	}
	(void)finish_reading(&r, NULL, NULL);
	return made;
}

int sqlite_find_key(store *st, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE])
{
	reading r = begin_reading(st, "SELECT id, body_sha256 FROM runs WHERE owner=?1 AND key=?2 UNION ALL "
	                              "SELECT id, body_sha256 FROM keys WHERE owner=?1 AND key=?2 LIMIT 1");
	bind_words(&r.bound, owner);
	bind_words(&r.bound, key);
	bool found = read_row(&r);
	if (found) {
		(void)snprintf(id, ID_SIZE, "%s", column_words(r.bound.statement, 0));
		(void)snprintf(body_sha256, SHA256_SIZE, "%s", column_words(r.bound.statement, 1));
	}
	return finish_reading(&r, NULL, NULL) ? found : -1;
}

/* ---- Programs ---------------------------------------------------------------------------------------------- */

static void fill_program(stored_program *p, sqlite3_stmt *row)
{
	*p = (stored_program){.name = column_words(row, 0),
	                      .language = (curfew_language)sqlite3_column_int(row, 2),
	                      .kind = column_words(row, 3),
	                      .exports = column_words(row, 4),
	                      .size_bytes = (uint64_t)sqlite3_column_int64(row, 5),
	                      .created_us = sqlite3_column_int64(row, 6),
	                      .updated_us = sqlite3_column_int64(row, 7),
	                      .owner = column_words(row, 8)};
	(void)snprintf(p->sha256, sizeof p->sha256, "%s", column_words(row, 1));
}

bool sqlite_read_programs(store *st, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
                          void *context)
{
	char sql[320];
	(void)snprintf(sql, sizeof sql,
	               "SELECT name, sha256, language, kind, exports, size, created_us, updated_us, owner FROM programs "
	               "WHERE %s AND %s AND %s ORDER BY owner, name",
	               filter->owner != NULL ? "owner=?1" : "1", filter->name != NULL ? "name=?2" : "1",
	               filter->after_name != NULL ? "(owner, name)>(?3, ?4)" : "1");
	reading r = begin_reading(st, sql);
	const char *const words[] = {filter->owner, filter->name, filter->after_owner, filter->after_name};
	for (int i = 0; i < 4; i++) {
		r.bound.column = i;
		if (words[i] != NULL)
			bind_words(&r.bound, words[i]);
	}
	stored_program p;
	bool more = true;
	while (more && read_row(&r)) {
		fill_program(&p, r.bound.statement);
		more = show(context, &p);
	}
	return finish_reading(&r, NULL, NULL);
}

uint64_t sqlite_count_program_bytes(store *st, const char *owner)
{
	reading r = begin_reading(st, "SELECT coalesce(sum(size), 0) FROM programs WHERE owner=?");
	bind_words(&r.bound, owner);
	uint64_t bytes = read_row(&r) ? (uint64_t)sqlite3_column_int64(r.bound.statement, 0) : UINT64_MAX;
	(void)finish_reading(&r, NULL, NULL);
	return bytes;
}

void *sqlite_read_source(store *st, const char *sha256, curfew_language language, size_t *length)
{
	reading r = begin_reading(st, "SELECT bytes FROM sources WHERE sha256=? AND language=?");
	void *bytes = NULL;
	bind_words(&r.bound, sha256);
	bind_number(&r.bound, language);
	if (read_row(&r)) {
		*length = (size_t)sqlite3_column_bytes(r.bound.statement, 0);
		bytes = text_copy(sqlite3_column_blob(r.bound.statement, 0), *length);
	}
	(void)finish_reading(&r, NULL, NULL);
	return bytes;
}

/* ---- What was going on when the server ended ------------------------------------------------------------------ */

#define LOAD_COLUMNS                                                                                                   \
	"id, owner, state, program, sha256, language, call, params, user, limits, flags, priority, retry, attempt, "       \
	"created_us, due_us, started_us, queue_us, key, body_sha256, name, checkpoint, allow_fetch, wasi, schedule, hook_url, hook_secret"

static void fill_run(stored_run *run, sqlite3_stmt *row)
{
	*run = (stored_run){
		.id = column_words(row, 0),
		.owner = column_words(row, 1),
		.state = (run_state)sqlite3_column_int(row, 2),
		.program = column_words(row, 3),
		.sha256 = column_words(row, 4),
		.language = (curfew_language)sqlite3_column_int(row, 5),
		.call = column_words(row, 6),
		.params = column_words(row, 7),
		.params_length = (size_t)sqlite3_column_bytes(row, 7),
		.user = column_words(row, 8),
		.flags = (uint32_t)sqlite3_column_int64(row, 10),
		.priority = (unsigned)sqlite3_column_int(row, 11),
		.retry = (unsigned)sqlite3_column_int(row, 12),
		.attempt = (unsigned)sqlite3_column_int(row, 13),
		.created_us = sqlite3_column_int64(row, 14),
		.due_us = sqlite3_column_int64(row, 15),
		.started_us = sqlite3_column_int64(row, 16),
		.queue_us = sqlite3_column_int64(row, 17),
		.key = column_words(row, 18),
		.body_sha256 = column_words(row, 19),
		.name = column_words(row, 20),
		.checkpoint = column_words(row, 21),
		.allow_fetch = column_words(row, 22),
		.wasi = column_words(row, 23),
		.schedule = column_words(row, 24),
		.hook_url = column_words(row, 25),
		.hook_secret = column_words(row, 26),
	};

	run->is_unreadable = run->params == NULL || !limits_from_text(&run->limits, column_words(row, 9));
}

/* Reads a run's output events, one JSON object each. */
static char *load_output(store *st, const char *id)
{
	reading r = begin_reading(st, "SELECT data FROM output WHERE run=? ORDER BY number");
	text all;
	text_init(&all, SIZE_MAX / 2);
	text_say(&all, "[");
	bind_words(&r.bound, id);
	for (bool first = true; read_row(&r); first = false) {
		text_say(&all, first ? "" : ",");
		text_add(&all, column_words(r.bound.statement, 0), (size_t)sqlite3_column_bytes(r.bound.statement, 0));
	}
	(void)finish_reading(&r, NULL, NULL);
	text_say(&all, "]");
	return text_take(&all, NULL);
}

bool sqlite_load_runs(store *st, bool (*add)(void *context, const stored_run *r), void *context,
                      curfew_failure *failure)
{
	reading r = begin_reading(st, "SELECT " LOAD_COLUMNS " FROM runs WHERE state<>4 ORDER BY number");
	bool good = true;
	while (good && read_row(&r)) {
		stored_run run;
		fill_run(&run, r.bound.statement);
		char *output = run.state >= RUN_RUNNING ? load_output(st, run.id) : NULL;
		run.output = output;
		good = add(context, &run);
		free(output);
	}
	if (!good)
		(void)snprintf(failure->message, sizeof failure->message, "out of memory");
	return finish_reading(&r, "runs", failure) && good;
}
