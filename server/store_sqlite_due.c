/* SPDX-License-Identifier: Apache-2.0 */
/* What is due in the SQLite database: schedules, and ends of runs to report. */
#include "common/clock.h"
#include "store_sqlite.h"

#include <stdio.h>

/* ---- Writing ----------------------------------------------------------------------------------------------- */

int sqlite_put_schedule(sqlite_store *st, const stored_schedule *schedule)
{
	binding b = bind_write(st, SQL_PUT_SCHEDULE);
	bind_words(&b, schedule->owner);
	bind_words(&b, schedule->name);
	bind_words(&b, schedule->cron);
	bind_words(&b, schedule->zone);
	bind_number(&b, schedule->overlap);
	bind_number(&b, schedule->is_paused);
	bind_text(&b, schedule->body, schedule->body_length);
	bind_number(&b, schedule->created_us);
	bind_number(&b, schedule->updated_us);
	bind_number(&b, schedule->next_us);
	return run_bound(&b);
}

int sqlite_delete_schedule(sqlite_store *st, const stored_schedule *schedule)
{
	binding b = bind_write(st, SQL_DELETE_SCHEDULE);
	bind_words(&b, schedule->owner);
	bind_words(&b, schedule->name);
	return run_bound(&b);
}

int sqlite_use_turn(sqlite_store *st, const stored_run *r)
{
	binding b = bind_write(st, SQL_USE_TURN);
	bind_words(&b, r->owner);
	bind_words(&b, r->schedule);
	bind_number(&b, r->turn_us);
	bind_number(&b, r->next_turn_us);
	bind_words(&b, r->id);
	return run_bound(&b);
}

int sqlite_pass_turn(sqlite_store *st, const stored_turn *turn)
{
	binding b = bind_write(st, SQL_PASS_TURN);
	bind_words(&b, turn->owner);
	bind_words(&b, turn->name);
	bind_number(&b, turn->turn_us);
	bind_number(&b, turn->next_us);
	bind_words(&b, turn->problem);
	return run_bound(&b);
}

int sqlite_note_attempt(sqlite_store *st, const stored_attempt *attempt)
{
	binding b = bind_write(st, SQL_NOTE_ATTEMPT);
	bind_words(&b, attempt->id);
	bind_number(&b, attempt->state);
	bind_number(&b, attempt->attempts);
	bind_number(&b, attempt->status);
	bind_number(&b, attempt->at_us);
	bind_words(&b, attempt->problem);
	bind_number(&b, attempt->state == HOOK_WAITING ? clock_wall_us() + attempt->wait_us : 0);
	return run_bound(&b);
}

/* ---- Reading ----------------------------------------------------------------------------------------------- */

#define SCHEDULE_COLUMNS                                                                                               \
	"owner, name, cron, zone, overlap, paused, body, created_us, updated_us, next_us, last_us, last_run, problem, "    \
	"runs, skipped, EXISTS(SELECT 1 FROM runs WHERE runs.id=schedules.last_run AND state<>4)"

static void fill_schedule(stored_schedule *schedule, sqlite3_stmt *row)
{
	*schedule = (stored_schedule){.owner = column_words(row, 0),
	                              .name = column_words(row, 1),
	                              .cron = column_words(row, 2),
	                              .zone = column_words(row, 3),
	                              .overlap = (schedule_overlap)sqlite3_column_int(row, 4),
	                              .is_paused = sqlite3_column_int(row, 5) != 0,
	                              .body = column_words(row, 6),
	                              .body_length = (size_t)sqlite3_column_bytes(row, 6),
	                              .created_us = sqlite3_column_int64(row, 7),
	                              .updated_us = sqlite3_column_int64(row, 8),
	                              .next_us = sqlite3_column_int64(row, 9),
	                              .last_us = sqlite3_column_int64(row, 10),
	                              .last_run = column_words(row, 11),
	                              .problem = column_words(row, 12),
	                              .runs = (uint64_t)sqlite3_column_int64(row, 13),
	                              .skipped = (uint64_t)sqlite3_column_int64(row, 14),
	                              .last_goes_on = sqlite3_column_int(row, 15) != 0};
}

bool sqlite_read_schedules(store *st, const char *owner, const char *name,
                           void (*show)(void *context, const stored_schedule *schedule), void *context)
{
	reading r = begin_reading(st, "SELECT " SCHEDULE_COLUMNS " FROM schedules WHERE (?1 IS NULL OR owner=?1) "
	                              "AND (?2 IS NULL OR name=?2) ORDER BY name, owner");
	bind_words(&r.bound, owner);
	bind_words(&r.bound, name);
	stored_schedule schedule;
	while (read_row(&r)) {
		fill_schedule(&schedule, r.bound.statement);
		show(context, &schedule);
	}
	return finish_reading(&r, NULL, NULL);
}

/* ---- What is due ------------------------------------------------------------------------------------------- */

/* First check by reading: usually nothing is due, and then no writer is blocked. */
static bool is_any_due(store *st, const char *sql, int64_t now_us)
{
	reading r = begin_reading(st, sql);
	bind_number(&r.bound, now_us);
	bool any = read_row(&r);
	(void)finish_reading(&r, NULL, NULL);
	return any;
}

/* A statement on the taking connection. Its result is the rows that it changes. */
static int prepare_taking(sqlite_store *st, const char *sql, binding *b)
{
	if (st->taker == NULL)
		st->taker = sqlite_connect(st, SQLITE_OPEN_READWRITE, "PRAGMA synchronous=FULL", NULL);
	*b = (binding){.status = SQLITE_CANTOPEN};
	if (st->taker != NULL)
		b->status = sqlite3_prepare_v2(st->taker, sql, -1, &b->statement, NULL);
	return b->status;
}

bool sqlite_take_schedules(store *base, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                           void *context)
{
	int64_t now_us = clock_wall_us();
	binding b;

	if (!is_any_due(base, "SELECT 1 FROM schedules WHERE next_us BETWEEN 1 AND ?1 AND taken_us<?1 LIMIT 1", now_us))
		return true;
	(void)prepare_taking(sqlite_of(base),
	                     "UPDATE schedules SET taken_us=?2 WHERE (owner, name) IN (SELECT owner, name FROM schedules "
	                     "WHERE next_us BETWEEN 1 AND ?1 AND taken_us<?1 ORDER BY next_us LIMIT ?3) "
	                     "RETURNING " SCHEDULE_COLUMNS,
	                     &b);
	bind_number(&b, now_us);
	bind_number(&b, now_us + STORE_TAKEN_US);
	bind_number(&b, (int64_t)max);

	/* The first step changes all rows, and then each is shown. */
	while (b.status == SQLITE_OK && (b.status = sqlite3_step(b.statement)) == SQLITE_ROW) {
		stored_schedule schedule;
		fill_schedule(&schedule, b.statement);
		show(context, &schedule);
		b.status = SQLITE_OK;
	}

	(void)sqlite3_finalize(b.statement);
	return b.status == SQLITE_DONE;
}

/* The oldest of each owner first; among owners, those with the fewest in flight before them. */
#define TAKE_DELIVERIES                                                                                                \
	"UPDATE runs SET hook_due_us=?2 WHERE number IN (SELECT number FROM (SELECT number, hook_due_us, row_number() "    \
	"OVER (PARTITION BY owner ORDER BY hook_due_us, number) AS place FROM runs WHERE hook_due_us>0 AND "               \
	"hook_due_us<=?1) WHERE place<=?4 ORDER BY place, hook_due_us LIMIT ?3) RETURNING %s"

bool sqlite_take_deliveries(store *base, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                            void *context)
{
	int64_t now_us = clock_wall_us();
	char sql[1536];
	binding b;
	if (!is_any_due(base, "SELECT 1 FROM runs WHERE hook_due_us>0 AND hook_due_us<=?1 LIMIT 1", now_us))
		return true;
	(void)snprintf(sql, sizeof sql, TAKE_DELIVERIES, sqlite_view_columns);
	(void)prepare_taking(sqlite_of(base), sql, &b);
	bind_number(&b, now_us);
	bind_number(&b, now_us + STORE_TOLD_US);
	bind_number(&b, (int64_t)max);
	bind_number(&b, (int64_t)max_each);
	while (b.status == SQLITE_OK && (b.status = sqlite3_step(b.statement)) == SQLITE_ROW) {
		run_view view;
		sqlite_fill_view(&view, b.statement);
		show(context, &view);
		b.status = SQLITE_OK;
	}
	(void)sqlite3_finalize(b.statement);
	return b.status == SQLITE_DONE;
}
