/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file of the SQLite store uses for queries: connections, statements with their parameters, and rows. It
 * knows nothing of runs.
 */
#include "common/clock.h"
#include "store_sqlite.h"

#include <stdio.h>
#include <unistd.h>

enum { BUSY_US = 5000000, BUSY_STEP_US = 500, PIECE_US = 4000, FREE_MIN = 1024, FREE_PART = 16 };

/* ---- Connections ------------------------------------------------------------------------------------------- */

bool sqlite_refuse(sqlite3 *db, const char *what, curfew_failure *failure)
{
	if (failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "%s: %s", what,
		               db != NULL ? sqlite3_errmsg(db) : "out of memory");
	return false;
}

bool sqlite_run_sql(sqlite3 *db, const char *sql, const char *what, curfew_failure *failure)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || sqlite_refuse(db, what, failure);
}

int64_t sqlite_read_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return number;
}

/* SQLite's own handler waits for up to 0.1 s at a time, and then misses the pauses of a process that writes much. */
static int wait_for_writer(void *context, int count)
{
	(void)context;
	if (count >= BUSY_US / BUSY_STEP_US)
		return 0;
	(void)usleep(BUSY_STEP_US);
	return 1;
}

sqlite3 *sqlite_connect(const sqlite_store *st, int flags, const char *settings, curfew_failure *failure)
{
	sqlite3 *db = NULL;
	char path[SQLITE_DIRECTORY_MAX + 16];
	(void)snprintf(path, sizeof path, "%s/curfew.db", st->directory);
	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK) {
		(void)sqlite_refuse(db, "the database cannot be opened", failure);
		(void)sqlite3_close(db);
		return NULL;
	}
	(void)sqlite3_busy_handler(db, wait_for_writer, NULL);
	(void)sqlite3_extended_result_codes(db, 1);
	if (sqlite_run_sql(db, settings, "the database cannot be used", failure))
		return db;
	(void)sqlite3_close(db);
	return NULL;
}

/* ---- Statements -------------------------------------------------------------------------------------------- */

int run_statement(sqlite3_stmt *statement)
{
	int status = sqlite3_step(statement);
	(void)sqlite3_reset(statement);
	return status == SQLITE_DONE || status == SQLITE_ROW ? SQLITE_OK : status;
}

static void note_bound(binding *b, int status)
{
	if (b->status == SQLITE_OK)
		b->status = status;
}

void bind_words(binding *b, const char *words)
{
	note_bound(b, sqlite3_bind_text(b->statement, ++b->column, words, -1, SQLITE_STATIC));
}

void bind_text(binding *b, const char *data, size_t length)
{
	note_bound(b, sqlite3_bind_text64(b->statement, ++b->column, data, length, SQLITE_STATIC, SQLITE_UTF8));
}

void bind_bytes(binding *b, const void *data, size_t length)
{
	note_bound(b, sqlite3_bind_blob64(b->statement, ++b->column, data, length, SQLITE_STATIC));
}

void bind_number(binding *b, int64_t number)
{
	note_bound(b, sqlite3_bind_int64(b->statement, ++b->column, number));
}

void bind_quota(binding *b, uint64_t max)
{
	if (max == UINT64_MAX)
		note_bound(b, sqlite3_bind_null(b->statement, ++b->column));
	else
		bind_number(b, (int64_t)max);
}

int run_bound(binding *b)
{
	return b->status == SQLITE_OK ? run_statement(b->statement) : b->status;
}

binding bind_write(sqlite_store *st, sqlite_write which)
{
	return (binding){.statement = st->writes[which], .status = SQLITE_OK};
}

/* ---- Work in pieces ---------------------------------------------------------------------------------------- */

int sqlite_adapt_piece(int at_once, int64_t took_us, int max)
{
	int wanted = took_us > PIECE_US ? at_once / 2 : took_us < PIECE_US / 2 ? at_once * 2 : at_once;
	return wanted < SQLITE_PIECE_MIN ? SQLITE_PIECE_MIN : wanted > max ? max : wanted;
}

bool sqlite_shrink(sqlite3 *db, int *at_once)
{
	enum { SHRINK_MAX = 4000 };
	char sql[64];
	int64_t begun_us = clock_now_us();
	int64_t pages = sqlite_read_number(db, "PRAGMA page_count"),
			spare = sqlite_read_number(db, "PRAGMA freelist_count");

	/* Pages that will be used again soon are kept: each costs the move of another one. */
	if (spare < FREE_MIN + pages / FREE_PART)
		return false;
	(void)snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", *at_once);
	bool good = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
	*at_once = sqlite_adapt_piece(*at_once, clock_now_us() - begun_us, SHRINK_MAX);
	return good;
}

/* ---- Reading ----------------------------------------------------------------------------------------------- */

const char *column_words(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

static int find_free(const sqlite_store *st)
{
	/* Open connections come first. */
	for (int slot = 0; slot < SQLITE_READERS; slot++) {
		if (!st->is_reading[slot])
			return slot;
	}
	return -1;
}

reading begin_reading(store *base, const char *sql)
{
	sqlite_store *st = sqlite_of(base);
	reading r = {.st = st, .bound.status = SQLITE_OK};
	(void)pthread_mutex_lock(&st->read_lock);
	while ((r.slot = find_free(st)) < 0)
		(void)pthread_cond_wait(&st->read_free, &st->read_lock);
	st->is_reading[r.slot] = true;
	(void)pthread_mutex_unlock(&st->read_lock);

	if (st->readers[r.slot] == NULL)
		st->readers[r.slot] = sqlite_connect(st, SQLITE_OPEN_READWRITE, "PRAGMA query_only=1; PRAGMA cache_size=-8192",
		                                     NULL);
	r.db = st->readers[r.slot];
	if (r.db == NULL)
		r.bound.status = SQLITE_CANTOPEN;
	else
		r.bound.status = sqlite3_prepare_v2(r.db, sql, -1, &r.bound.statement, NULL);
	return r;
}

bool read_row(reading *r)
{
	if (r->bound.status != SQLITE_OK && r->bound.status != SQLITE_ROW)
		return false;
	r->bound.status = sqlite3_step(r->bound.statement);
	return r->bound.status == SQLITE_ROW;
}

bool finish_reading(reading *r, const char *what, curfew_failure *failure)
{
	sqlite_store *st = r->st;
	int status = r->bound.status;
	bool good = status == SQLITE_OK || status == SQLITE_ROW || status == SQLITE_DONE;
	if (!good && failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "%.100s cannot be read: %.120s", what,
		               sqlite3_errstr(status));
	(void)sqlite3_finalize(r->bound.statement);
	(void)pthread_mutex_lock(&st->read_lock);
	st->is_reading[r->slot] = false;
	(void)pthread_cond_signal(&st->read_free);
	(void)pthread_mutex_unlock(&st->read_lock);
	return good;
}
