/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the database, at once, on a connection of its own. */
#include "common/clock.h"
#include "limits_text.h"
#include "programs.h"
#include "record.h"
#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *column_words(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

/* A statement on the reading connection, whose lock is held until finish_reading. */
static sqlite3_stmt *begin_reading(store *st, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	(void)pthread_mutex_lock(&st->read_lock);
	if (sqlite3_prepare_v2(st->reader, sql, -1, &statement, NULL) != SQLITE_OK)
		statement = NULL;
	return statement;
}

static void finish_reading(store *st, sqlite3_stmt *statement)
{
	(void)sqlite3_finalize(statement);
	(void)pthread_mutex_unlock(&st->read_lock);
}

/* ---- Runs ------------------------------------------------------------------------------------------------ */

static void fill_view(run_view *view, sqlite3_stmt *row)
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
		.checkpoint = column_words(row, 17),
		.report = column_words(row, 18),
		.report_length = (size_t)sqlite3_column_bytes(row, 18),
		.last_event = (uint64_t)sqlite3_column_int64(row, 19),
	};
	view->allow_fetch = column_words(row, 21);
	(void)limits_from_text(&view->limits, column_words(row, 20));
}

/* The query of a filter; what is not asked for is not in it, so that an index serves it. */
static void write_query(char *sql, size_t room, const run_filter *f)
{
	(void)snprintf(sql, room,
	               "SELECT " RUN_COLUMNS " FROM runs WHERE state=4%s%s%s%s%s ORDER BY id DESC LIMIT ?5",
	               f->owner != NULL ? " AND owner=?1" : "", f->program != NULL ? " AND program=?2" : "",
	               f->after != NULL ? " AND id<?3" : "", f->id != NULL ? " AND id=?4" : "", f->outcome >= 0 ? " AND outcome=?6" : "");
}

bool store_read_runs(store *st, const run_filter *f, bool (*show)(void *context, const run_view *view), void *context)
{
	char sql[512];
	write_query(sql, sizeof sql, f);
	sqlite3_stmt *statement = begin_reading(st, sql);
	int status = SQLITE_ERROR;
	if (statement != NULL) {
		const char *words[] = {f->owner, f->program, f->after, f->id};
		for (int i = 0; i < 4; i++) {
			if (words[i] != NULL)
				(void)sqlite3_bind_text(statement, i + 1, words[i], -1, SQLITE_STATIC);
		}
		(void)sqlite3_bind_int64(statement, 5, (sqlite3_int64)f->most);
		if (f->outcome >= 0)
			(void)sqlite3_bind_int(statement, 6, f->outcome);
		run_view view;
		bool more = true;
		while (more && (status = sqlite3_step(statement)) == SQLITE_ROW) {
			fill_view(&view, statement);
			more = show(context, &view);
		}
	}
	finish_reading(st, statement);
	return status == SQLITE_DONE || status == SQLITE_ROW;
}

bool store_find_key(store *st, const char *owner, const char *key, char id[ID_ROOM], char body_sha256[SHA256_ROOM])
{
	sqlite3_stmt *statement = begin_reading(st, "SELECT id, body_sha256 FROM runs WHERE owner=?1 AND key=?2 UNION ALL "
	                                             "SELECT id, body_sha256 FROM keys WHERE owner=?1 AND key=?2 LIMIT 1");
	bool found = false;
	if (statement != NULL) {
		(void)sqlite3_bind_text(statement, 1, owner, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
		found = sqlite3_step(statement) == SQLITE_ROW;
		if (found) {
			(void)snprintf(id, ID_ROOM, "%s", column_words(statement, 0));
			(void)snprintf(body_sha256, SHA256_ROOM, "%s", column_words(statement, 1));
		}
	}
	finish_reading(st, statement);
	return found;
}

/* ---- Programs -------------------------------------------------------------------------------------------- */

static void fill_program(stored_program *p, sqlite3_stmt *row)
{
	/* Texts are borrowed from the row. */
	*p = (stored_program){.owner = (char *)(uintptr_t)sqlite3_column_text(row, 8),
	                      .name = (char *)(uintptr_t)sqlite3_column_text(row, 0),
	                      .language = (curfew_language)sqlite3_column_int(row, 2),
	                      .kind = (char *)(uintptr_t)sqlite3_column_text(row, 3),
	                      .exports = (char *)(uintptr_t)sqlite3_column_text(row, 4),
	                      .size_bytes = (uint64_t)sqlite3_column_int64(row, 5),
	                      .created_us = sqlite3_column_int64(row, 6),
	                      .updated_us = sqlite3_column_int64(row, 7)};
	(void)snprintf(p->sha256, sizeof p->sha256, "%s", column_words(row, 1));
}

bool store_read_programs(store *st, const char *owner, const char *name,
                         void (*show)(void *context, const stored_program *p), void *context)
{
	sqlite3_stmt *statement = begin_reading(st, "SELECT name, sha256, language, kind, exports, size, created_us, updated_us, owner "
	                                            "FROM programs WHERE (?1 IS NULL OR owner=?1) AND (?2 IS NULL OR name=?2) ORDER BY name, owner");
	int status = SQLITE_ERROR;
	if (statement != NULL) {
		if (owner != NULL)
			(void)sqlite3_bind_text(statement, 1, owner, -1, SQLITE_STATIC);
		if (name != NULL)
			(void)sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
		stored_program p;
		while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
			fill_program(&p, statement);
			show(context, &p);
		}
	}
	finish_reading(st, statement);
	return status == SQLITE_DONE;
}

uint64_t store_count_program_bytes(store *st, const char *owner)
{
	sqlite3_stmt *statement = begin_reading(st, "SELECT coalesce(sum(size), 0) FROM programs WHERE owner=?");
	uint64_t bytes = UINT64_MAX;
	if (statement != NULL && sqlite3_bind_text(statement, 1, owner, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		bytes = (uint64_t)sqlite3_column_int64(statement, 0);
	finish_reading(st, statement);
	return bytes;
}

void *store_read_source(store *st, const char *sha256, curfew_language language, size_t *length)
{
	sqlite3_stmt *statement = begin_reading(st, "SELECT bytes FROM sources WHERE sha256=? AND language=?");
	void *bytes = NULL;
	if (statement != NULL) {
		(void)sqlite3_bind_text(statement, 1, sha256, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int(statement, 2, (int)language);
		if (sqlite3_step(statement) == SQLITE_ROW) {
			*length = (size_t)sqlite3_column_bytes(statement, 0);
			bytes = text_copy(sqlite3_column_blob(statement, 0), *length);
		}
	}
	finish_reading(st, statement);
	return bytes;
}

/* ---- What was going on when the server ended ---------------------------------------------------------------- */

#define LOAD_COLUMNS                                                                                            \
	"id, owner, state, program, sha256, language, call, params, user, limits, flags, priority, retry, attempt, " \
	"created_us, due_us, started_us, queue_us, key, body_sha256, name, checkpoint, allow_fetch, wasi"

static char *copy_column(sqlite3_stmt *row, int column)
{
	const char *words = column_words(row, column);
	return words != NULL ? text_copy(words, (size_t)sqlite3_column_bytes(row, column)) : NULL;
}

static account *find_owner(server *s, const char *id)
{
	for (account *a = s->accounts; a != NULL; a = a->next) {
		if (strcmp(a->id, id) == 0)
			return a;
	}
	return s->anybody;
}

static run *load_run(server *s, sqlite3_stmt *row)
{
	run *r = run_create(find_owner(s, column_words(row, 1)));
	if (r == NULL)
		return NULL;
	(void)snprintf(r->id, sizeof r->id, "%s", column_words(row, 0));
	r->program_name = copy_column(row, 3);
	server_lock(s);
	r->program = program_get(s, column_words(row, 4), (curfew_language)sqlite3_column_int(row, 5), column_words(row, 20));
	server_unlock(s);
	r->call = copy_column(row, 6);
	r->params = copy_column(row, 7);
	r->params_length = r->params != NULL ? strlen(r->params) : 0;
	r->user = copy_column(row, 8);
	r->allow_fetch = copy_column(row, 22);
	r->wasi = copy_column(row, 23);
	r->flags = (uint32_t)sqlite3_column_int64(row, 10);
	r->turn.priority = (unsigned)sqlite3_column_int(row, 11) % PRIORITIES;
	r->retry = (unsigned)sqlite3_column_int(row, 12);
	r->attempt = (unsigned)sqlite3_column_int(row, 13);
	r->created_wall_us = sqlite3_column_int64(row, 14);
	r->due_wall_us = sqlite3_column_int64(row, 15);
	r->started_wall_us = sqlite3_column_int64(row, 16);
	r->queue_us = sqlite3_column_int64(row, 17);
	r->idempotency_key = copy_column(row, 18);
	if (column_words(row, 19) != NULL)
		(void)snprintf(r->body_sha256, sizeof r->body_sha256, "%s", column_words(row, 19));
	const char *checkpoint = column_words(row, 21);
	if (checkpoint != NULL)
		r->checkpoint = blob_create(checkpoint, (size_t)sqlite3_column_bytes(row, 21));
	r->durable = r->inserted = r->accepted = true;
	/* Its events go on behind all that it can have had in another life of the server. */
	r->first_event = (s->life << EVENT_LIFE_SHIFT) + 1;
	bool good = r->program != NULL && limits_from_text(&r->limits, column_words(row, 9));
	r->turn.tenant = &r->owner->tenant;
	r->turn.user = r->user;
	r->turn.memory_bytes = r->limits.memory_bytes;
	r->turn.held_bytes = r->params_length;
	if (good)
		return r;
	r->is_unreadable = true;
	if (r->program != NULL)
		return r;
	server_lock(s);
	run_unref(s, r);
	server_unlock(s);
	return NULL;
}

/* What a run had printed: events as they were, one JSON object each. */
static char *load_output(store *st, const char *id)
{
	sqlite3_stmt *statement = NULL;
	text all;
	text_init(&all, SIZE_MAX / 2);
	text_say(&all, "[");
	if (sqlite3_prepare_v2(st->reader, "SELECT data FROM output WHERE run=? ORDER BY number", -1, &statement, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
		for (bool first = true; sqlite3_step(statement) == SQLITE_ROW; first = false) {
			text_say(&all, first ? "" : ",");
			text_add(&all, column_words(statement, 0), (size_t)sqlite3_column_bytes(statement, 0));
		}
	}
	(void)sqlite3_finalize(statement);
	text_say(&all, "]");
	return text_take(&all, NULL);
}

bool store_load_runs(store *st, server *s, void (*add)(server *s, run *r, bool was_running, const char *output),
                     curfew_failure *failure)
{
	sqlite3_stmt *statement = begin_reading(st, "SELECT " LOAD_COLUMNS " FROM runs WHERE state<>4 ORDER BY number");
	int status = SQLITE_ERROR;
	bool good = statement != NULL;
	while (good && (status = sqlite3_step(statement)) == SQLITE_ROW) {
		run *r = load_run(s, statement);
		good = r != NULL;
		if (!good) {
			(void)snprintf(failure->message, sizeof failure->message, "out of memory");
			break;
		}
		bool was_running = sqlite3_column_int(statement, 2) >= RUN_RUNNING;
		char *output = was_running ? load_output(st, r->id) : NULL;
		add(s, r, was_running, output);
		free(output);
	}
	if (good && status != SQLITE_DONE)
		good = store_refuse(st->reader, "runs cannot be read", failure);
	finish_reading(st, statement);
	return good;
}
