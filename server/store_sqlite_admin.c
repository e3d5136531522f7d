/* SPDX-License-Identifier: Apache-2.0 */
/* Work of the command line on an SQLite database, also while a server uses it: tokens and maintenance. */
#include "common/clock.h"
#include "limits_text.h"
#include "revocations.h"
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PRUNE_MAX = 500,
	PAUSE_MIN_US = 2000,
	LONG_LOG = 1000, /* pages */
	COPY_STEPS = 2000,
	COPY_WORK_US = 10000,
	COPY_PAUSE_US = 5000
};

/* Use a separate connection, because the writing one belongs to the writing thread. */
static bool open_admin(sqlite_store *st)
{
	if (st->admin == NULL)
		st->admin = sqlite_connect(st, SQLITE_OPEN_READWRITE, "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY",
		                           NULL);
	return st->admin != NULL;
}

/* ---- Tokens ------------------------------------------------------------------------------------------------ */

static uint64_t read_quota(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? UINT64_MAX : (uint64_t)sqlite3_column_int64(row, column);
}

static void fill_token(stored_token *token, sqlite3_stmt *row)
{
	*token = (stored_token){.scopes = (unsigned)sqlite3_column_int(row, 3),
	                        .running_max = read_quota(row, 4),
	                        .queued_max = read_quota(row, 5),
	                        .per_minute_max = read_quota(row, 6),
	                        .created_us = sqlite3_column_int64(row, 8),
	                        .user = column_words(row, 10),
	                        .allow_fetch = column_words(row, 11),
	                        .priority_max = (unsigned)sqlite3_column_int(row, 12),
	                        .expires_us = sqlite3_column_int64(row, 13),
	                        .used_us = sqlite3_column_int64(row, 14),
	                        .programs_bytes_max = read_quota(row, 15)};
	(void)snprintf(token->id, sizeof token->id, "%s", column_words(row, 0));
	(void)snprintf(token->name, sizeof token->name, "%s", column_words(row, 1));
	if (sqlite3_column_bytes(row, 2) == sizeof token->hash)
		memcpy(token->hash, sqlite3_column_blob(row, 2), sizeof token->hash);
	/* A ceiling that this build cannot read must not be ignored, so the token is treated as revoked. */
	token->is_revoked = sqlite3_column_int64(row, 9) != 0 || !limits_from_text(&token->ceilings, column_words(row, 7));
}

bool sqlite_read_tokens(store *base, void (*show)(void *context, const stored_token *token), void *context,
                        curfew_failure *failure)
{
	reading r = begin_reading(
		base, "SELECT id, name, hash, scopes, running, queued, per_minute, ceilings, created_us, revoked_us, "
			  "user, allow_fetch, priority, expires_us, used_us, programs_bytes FROM tokens ORDER BY created_us, id");
	stored_token token;
	revocations listed;
	revocations_read(sqlite_of(base)->directory, &listed);
	while (read_row(&r)) {
		fill_token(&token, r.bound.statement);
		token.is_revoked |= revocations_has(&listed, token.id);
		show(context, &token);
	}
	return finish_reading(&r, "tokens", failure);
}

/* A statement that is used once. */
static binding prepare_once(sqlite_store *st, const char *sql)
{
	binding b = {.status = SQLITE_CANTOPEN};
	if (open_admin(st))
		b.status = sqlite3_prepare_v2(st->admin, sql, -1, &b.statement, NULL);
	return b;
}

static bool run_once(sqlite_store *st, binding *b, const char *what, curfew_failure *failure)
{
	bool good = run_bound(b) == SQLITE_OK || sqlite_refuse(st->admin, what, failure);
	(void)sqlite3_finalize(b->statement);
	return good;
}

bool sqlite_add_token(store *base, const stored_token *token, curfew_failure *failure)
{
	sqlite_store *st = sqlite_of(base);
	char *ceilings = limits_to_text(&token->ceilings);

	if (ceilings == NULL)
		return sqlite_refuse(NULL, "the token cannot be stored", failure);
	binding b = prepare_once(
		st, "INSERT INTO tokens(id, name, hash, scopes, running, queued, per_minute, ceilings, created_us, user, "
			"allow_fetch, priority, expires_us, programs_bytes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	bind_words(&b, token->id);
	bind_words(&b, token->name);
	bind_bytes(&b, token->hash, sizeof token->hash);
	bind_number(&b, token->scopes);
	bind_quota(&b, token->running_max);
	bind_quota(&b, token->queued_max);
	bind_quota(&b, token->per_minute_max);
	bind_words(&b, ceilings);
	bind_number(&b, clock_wall_us());
	bind_words(&b, token->user);
	bind_words(&b, token->allow_fetch);
	bind_number(&b, token->priority_max);
	bind_number(&b, token->expires_us);
	bind_quota(&b, token->programs_bytes_max);
	bool good = run_once(st, &b, "the token cannot be stored", failure);
	free(ceilings);
	return good;
}

/* If the database cannot be written, because the disk is full, use the file that was made for this case. */
static int note_revocation(sqlite_store *st, const char *word)
{
	reading r = begin_reading(&st->base, "SELECT id FROM tokens WHERE (id=?1 OR name=?1) AND revoked_us=0");
	int count = 0;
	bind_words(&r.bound, word);
	while (read_row(&r))
		count += revocations_add(st->directory, column_words(r.bound.statement, 0));
	(void)finish_reading(&r, NULL, NULL);
	return count;
}

bool sqlite_revoke_token(store *base, const char *word, int *count, curfew_failure *failure)
{
	sqlite_store *st = sqlite_of(base);
	binding b = prepare_once(st, "UPDATE tokens SET revoked_us=?2 WHERE (id=?1 OR name=?1) AND revoked_us=0");
	bind_words(&b, word);
	bind_number(&b, clock_wall_us());
	bool good = run_once(st, &b, "the token cannot be revoked", failure);
	*count = good ? sqlite3_changes(st->admin) : note_revocation(st, word);
	return good || *count > 0;
}

/* ---- Pruning ----------------------------------------------------------------------------------------------- */

static uint64_t used_bytes(sqlite_store *st)
{
	int64_t bytes = sqlite_read_number(st->admin,
	                                   "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), "
	                                   "pragma_freelist_count(), pragma_page_size()");
	return bytes > 0 ? (uint64_t)bytes : 0;
}

/* The size of the history, as the triggers count it. */
static uint64_t history_bytes(sqlite_store *st)
{
	int64_t bytes = sqlite_read_number(st->admin, "SELECT coalesce(sum(bytes), 0) FROM owners");
	return bytes > 0 ? (uint64_t)bytes : 0;
}

/* What is being pruned, and how much of it at a time. */
typedef struct pruning {
	sqlite_store *st;
	const store_prune *prune;
	int at_once, log_pages;
	bool by_bytes;
} pruning;

/* Drops some runs that ended before. Returns their number, or -1. */
static int drop_some(const pruning *p, curfew_failure *failure)
{
	binding b = prepare_once(p->st,
	                         "DELETE FROM runs WHERE number IN (SELECT number FROM runs WHERE state=4 AND ended_us<? "
	                         "ORDER BY ended_us LIMIT ?)");
	bind_number(&b, p->prune->ended_before_us);
	bind_number(&b, p->at_once);
	return run_once(p->st, &b, "runs cannot be dropped", failure) ? sqlite3_changes(p->st->admin) : -1;
}

/* Drops some of the oldest, but no more than take this many bytes. Returns their number, or -1. */
static int drop_oldest(const pruning *p, uint64_t bytes, curfew_failure *failure)
{
	binding b = prepare_once(
		p->st,
		"DELETE FROM runs WHERE number IN (SELECT number FROM (SELECT number, sum(bytes) OVER (ORDER BY ended_us, number) "
		"- bytes AS before FROM (SELECT number, ended_us, bytes FROM runs WHERE state=4 ORDER BY ended_us LIMIT ?2)) "
		"WHERE before<?1)");
	bind_number(&b, (int64_t)bytes);
	bind_number(&b, p->at_once);
	return run_once(p->st, &b, "runs cannot be dropped", failure) ? sqlite3_changes(p->st->admin) : -1;
}

static int note_log(void *context, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	*(int *)context = pages;
	return SQLITE_OK;
}

/*
 * Pauses as long as the last piece took, so that a writing server gets its turn. A long log is copied to the database
 * meanwhile, which blocks nobody.
 */
static void give_way(const pruning *p, int64_t took_us)
{
	if (p->log_pages > LONG_LOG)
		(void)sqlite3_wal_checkpoint_v2(p->st->admin, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	(void)usleep((useconds_t)(took_us > PAUSE_MIN_US ? took_us : PAUSE_MIN_US));
}

/* Until one of these drops nothing more. */
static bool drop_while(pruning *p, uint64_t *runs, curfew_failure *failure)
{
	int dropped = 1;
	while (dropped > 0) {
		uint64_t bytes = p->by_bytes ? history_bytes(p->st) : 0;
		if (p->by_bytes && bytes <= p->prune->keep_bytes)
			return true;
		int64_t begun_us = clock_now_us();
		dropped = p->by_bytes ? drop_oldest(p, bytes - p->prune->keep_bytes, failure) : drop_some(p, failure);
		*runs += dropped > 0 ? (uint64_t)dropped : 0;
		int64_t took_us = clock_now_us() - begun_us;
		p->at_once = sqlite_adapt_piece(p->at_once, took_us, PRUNE_MAX);
		give_way(p, took_us);
	}
	return dropped >= 0;
}

/* Drops some sources that no run and no program needs. Returns how many were checked. */
static int drop_loose(sqlite_store *st)
{
	curfew_failure ignored;
	binding drop = prepare_once(st, SQLITE_DROP_SOURCES), forget = prepare_once(st, SQLITE_FORGET_LOOSE);
	bind_number(&drop, PRUNE_MAX);
	bind_number(&forget, PRUNE_MAX);
	bool good = run_once(st, &drop, "sources cannot be dropped", &ignored);
	return run_once(st, &forget, "sources cannot be dropped", &ignored) && good ? sqlite3_changes(st->admin) : 0;
}

/*
 * Sources, and free space at the end of the file. A server that runs does this itself, because it relies on the sources
 * that it has written.
 */
static void tidy_alone(sqlite_store *st)
{
	curfew_failure ignored;
	if (!st->base.backend->claim(&st->base, &ignored))
		return;
	while (drop_loose(st) > 0) {
	}
	(void)sqlite3_exec(st->admin, "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
}

bool sqlite_drop_runs(store *base, const store_prune *prune, store_pruned *pruned, curfew_failure *failure)
{
	sqlite_store *st = sqlite_of(base);
	pruning p = {.st = st, .prune = prune, .at_once = SQLITE_PIECE_MIN};
	if (!open_admin(st))
		return sqlite_refuse(NULL, "the database cannot be opened", failure);
	(void)sqlite3_wal_hook(st->admin, note_log, &p.log_pages); /* instead of copying within a transaction */
	*pruned = (store_pruned){.bytes_before = used_bytes(st)};
	bool good = drop_while(&p, &pruned->runs, failure);
	p.by_bytes = true;
	if (good && prune->keep_bytes != UINT64_MAX)
		good = drop_while(&p, &pruned->runs, failure);
	if (good)
		tidy_alone(st);
	(void)sqlite3_wal_hook(st->admin, NULL, NULL);
	pruned->bytes_after = used_bytes(st);
	return good;
}

/* ---- Backup ------------------------------------------------------------------------------------------------ */

/* A copy has no file of revocations, so write these revocations into the copy. */
static bool revoke_listed(sqlite_store *st, sqlite3 *copy)
{
	revocations listed;
	sqlite3_stmt *all = NULL, *revoke = NULL;
	revocations_read(st->directory, &listed);
	bool good = sqlite3_prepare_v2(copy, "SELECT id FROM tokens WHERE revoked_us=0", -1, &all, NULL) == SQLITE_OK &&
	            sqlite3_prepare_v2(copy, "UPDATE tokens SET revoked_us=? WHERE id=?", -1, &revoke, NULL) == SQLITE_OK;
	while (good && sqlite3_step(all) == SQLITE_ROW) {
		if (!revocations_has(&listed, column_words(all, 0)))
			continue;
		binding b = {.statement = revoke, .status = SQLITE_OK};
		bind_number(&b, clock_wall_us());
		bind_words(&b, column_words(all, 0));
		good = run_bound(&b) == SQLITE_OK;
	}
	(void)sqlite3_finalize(all);
	(void)sqlite3_finalize(revoke);
	return good;
}

static bool reach_disk(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	return good;
}

typedef struct copying {
	const char *path;
	int64_t rested_us;
	int fd;
} copying;

/* Called regularly while the copy is written: what was written goes to the disk bit by bit, with pauses, because a
 * server's commits would wait until the disk has taken all of it. */
static int rest(void *context)
{
	copying *c = context;
	if (clock_now_us() - c->rested_us < COPY_WORK_US)
		return 0;
	if (c->fd < 0)
		c->fd = open(c->path, O_RDWR | O_CLOEXEC);
	if (c->fd >= 0)
		(void)fdatasync(c->fd);
	(void)usleep(COPY_PAUSE_US);
	c->rested_us = clock_now_us();
	return 0;
}

static bool write_copy(sqlite_store *st, const char *path, curfew_failure *failure)
{
	sqlite3 *copy = NULL;
	copying c = {.path = path, .rested_us = clock_now_us(), .fd = -1};
	binding b = prepare_once(st, "VACUUM INTO ?");
	bind_words(&b, path);
	if (st->admin != NULL)
		sqlite3_progress_handler(st->admin, COPY_STEPS, rest, &c);
	bool is_written = run_once(st, &b, "the copy cannot be written", failure);
	if (st->admin != NULL)
		sqlite3_progress_handler(st->admin, 0, NULL, NULL);
	if (c.fd >= 0)
		(void)close(c.fd);
	if (!is_written)
		return false;
	bool good = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK && revoke_listed(st, copy);
	if (!good)
		(void)sqlite_refuse(copy, "the copy cannot be written", failure);
	(void)sqlite3_close(copy);
	return good;
}

bool sqlite_back_up(store *base, const char *path, uint64_t *bytes, curfew_failure *failure)
{
	sqlite_store *st = sqlite_of(base);
	char partial[SQLITE_DIRECTORY_MAX];
	struct stat info = {0};

	if (access(path, F_OK) == 0) {
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: exists already", path);
		return false;
	}

	int length = snprintf(partial, sizeof partial, "%s.partial", path);
	if (length < 0 || (size_t)length >= sizeof partial) {
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: is too long", path);
		return false;
	}

	(void)unlink(partial);
	mode_t mask = umask(077);
	bool good = write_copy(st, partial, failure);
	(void)umask(mask);
	if (good && !(reach_disk(partial) && stat(partial, &info) == 0 && rename(partial, path) == 0)) {
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: %s", path, strerror(errno));
		good = false;
	}

	if (!good)
		(void)unlink(partial);
	*bytes = (uint64_t)info.st_size;
	return good;
}

/* ---- Checking ---------------------------------------------------------------------------------------------- */

static bool read_soundness(store *base, store_check *check, curfew_failure *failure)
{
	reading r = begin_reading(base, "PRAGMA integrity_check(1)");
	if (read_row(&r) && strcmp(column_words(r.bound.statement, 0), "ok") != 0)
		(void)snprintf(check->problem, sizeof check->problem, "%s", column_words(r.bound.statement, 0));
	if (r.bound.status == SQLITE_CORRUPT || r.bound.status == SQLITE_NOTADB)
		(void)snprintf(check->problem, sizeof check->problem, "%s", sqlite3_errstr(r.bound.status));
	return finish_reading(&r, "the database", failure) || check->problem[0] != '\0';
}

static uint64_t count_unreadable(store *base)
{
	reading r = begin_reading(base, "SELECT limits FROM runs WHERE state<>4");
	uint64_t count = 0;
	curfew_limits limits;
	while (read_row(&r))
		count += !limits_from_text(&limits, column_words(r.bound.statement, 0));
	(void)finish_reading(&r, NULL, NULL);
	return count;
}

bool sqlite_examine(store *base, store_check *check, curfew_failure *failure)
{
	static const char *const counts[] = {
		"SELECT count(*) FROM runs",
		"SELECT count(*) FROM runs WHERE state<>4",
		"SELECT count(*) FROM programs",
		"SELECT count(*) FROM tokens WHERE revoked_us=0",
		"SELECT count(*) FROM runs WHERE state<>4 AND NOT EXISTS "
		"(SELECT 1 FROM sources WHERE sources.sha256=runs.sha256 AND sources.language=runs.language)",
		"SELECT count(*) FROM runs WHERE state=4 AND report_bytes<>(SELECT coalesce(sum(length(data)), 0) FROM reports "
		"WHERE place BETWEEN number*4096 AND number*4096+4095)",
	};
	uint64_t *numbers[] = {&check->runs,   &check->waiting, &check->programs,
	                       &check->tokens, &check->lacking, &check->reportless};
	sqlite_store *st = sqlite_of(base);

	*check = (store_check){0};
	if (!open_admin(st))
		return sqlite_refuse(NULL, "the database cannot be opened", failure);
	if (!read_soundness(base, check, failure))
		return false;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		int64_t number = sqlite_read_number(st->admin, counts[i]);
		*numbers[i] = number > 0 ? (uint64_t)number : 0;
	}

	check->bytes = used_bytes(st);
	check->unreadable = count_unreadable(base);
	return true;
}
