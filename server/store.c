/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the database: the folder, the lock that keeps a second server away, the schema and its versions. */
#include "common/clock.h"
#include "limits_text.h"
#include "revocations.h"
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each brings the schema from its index to the next version (user_version). Never change one: add one. */
static const char *const migrations[] = {
	"CREATE TABLE sources(sha256 TEXT NOT NULL, language INTEGER NOT NULL, bytes BLOB NOT NULL, "
	"  PRIMARY KEY(sha256, language));"
	"CREATE TABLE programs(owner TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, language INTEGER NOT NULL, "
	"  kind TEXT NOT NULL, exports TEXT NOT NULL, size INTEGER NOT NULL, created_us INTEGER NOT NULL, "
	"  updated_us INTEGER NOT NULL, PRIMARY KEY(owner, name)) WITHOUT ROWID;"
	"CREATE INDEX programs_sha256 ON programs(sha256);"
	"CREATE TABLE runs(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, state INTEGER NOT NULL, "
	"  program TEXT, name TEXT NOT NULL, sha256 TEXT NOT NULL, language INTEGER NOT NULL, call TEXT, params TEXT NOT NULL, "
	"  user TEXT, limits TEXT NOT NULL, flags INTEGER NOT NULL, priority INTEGER NOT NULL, retry INTEGER NOT NULL, "
	"  attempt INTEGER NOT NULL, created_us INTEGER NOT NULL, due_us INTEGER NOT NULL, started_us INTEGER NOT NULL, "
	"  ended_us INTEGER NOT NULL DEFAULT 0, queue_us INTEGER NOT NULL, outcome INTEGER, report TEXT, checkpoint TEXT, "
	"  last_event INTEGER NOT NULL DEFAULT 0, key TEXT, body_sha256 TEXT);"
	"CREATE INDEX runs_live ON runs(number) WHERE state<>4;"
	"CREATE INDEX runs_owner ON runs(owner, id);"
	"CREATE INDEX runs_program ON runs(program, id) WHERE program IS NOT NULL;"
	"CREATE INDEX runs_sha256 ON runs(sha256);"
	"CREATE UNIQUE INDEX runs_key ON runs(owner, key) WHERE key IS NOT NULL;"
	"CREATE TABLE output(number INTEGER PRIMARY KEY, run TEXT NOT NULL, data TEXT NOT NULL);"
	"CREATE INDEX output_run ON output(run);",
	"CREATE TABLE tokens(id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL, scopes INTEGER NOT NULL, "
	"  running INTEGER, queued INTEGER, per_minute INTEGER, ceilings TEXT NOT NULL, created_us INTEGER NOT NULL, "
	"  revoked_us INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;",
	/* What a program exports is known from here on; until it is stored again, of one from before it is not. */
	"UPDATE programs SET exports='';",
	"ALTER TABLE runs ADD COLUMN allow_fetch TEXT;"
	"ALTER TABLE tokens ADD COLUMN user TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE tokens ADD COLUMN allow_fetch TEXT NOT NULL DEFAULT '';",
	"ALTER TABLE runs ADD COLUMN wasi TEXT;",
	/* What retention, filters and the start look for is found without reading the table. */
	"ALTER TABLE tokens ADD COLUMN priority INTEGER NOT NULL DEFAULT 9;"
	"ALTER TABLE tokens ADD COLUMN expires_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE tokens ADD COLUMN used_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE tokens ADD COLUMN programs_bytes INTEGER;"
	"CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO counters VALUES('lives', 0);"
	"CREATE INDEX runs_ended ON runs(ended_us) WHERE state=4;"
	"CREATE INDEX runs_outcome ON runs(outcome, id) WHERE state=4 AND outcome<>0;"
	/* How much of the history is whose, and the keys of runs that are there no more. */
	"ALTER TABLE runs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
	"UPDATE runs SET bytes=length(report)+length(params)+512 WHERE state=4;"
	"CREATE TABLE owners(owner TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO owners SELECT owner, sum(bytes) FROM runs GROUP BY owner;"
	"CREATE TABLE keys(owner TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, body_sha256 TEXT NOT NULL, "
	"  created_us INTEGER NOT NULL, PRIMARY KEY(owner, key)) WITHOUT ROWID;"
	"CREATE INDEX keys_created ON keys(created_us);"
	"CREATE TRIGGER runs_grow AFTER UPDATE OF bytes ON runs BEGIN INSERT INTO owners VALUES(new.owner, new.bytes - old.bytes) "
	"  ON CONFLICT(owner) DO UPDATE SET bytes=bytes+new.bytes-old.bytes; END;"
	"CREATE TRIGGER runs_drop AFTER DELETE ON runs BEGIN UPDATE owners SET bytes=bytes-old.bytes WHERE owner=old.owner; END;"
	"CREATE TRIGGER runs_drop_key AFTER DELETE ON runs WHEN old.key IS NOT NULL BEGIN "
	"  INSERT OR REPLACE INTO keys VALUES(old.owner, old.key, old.id, old.body_sha256, old.created_us); END;",
};

#define QUICK_BYTES ((off_t)64 << 20)

enum { SCHEMA = sizeof migrations / sizeof migrations[0], BUSY_MS = 5000 };

bool store_refuse(sqlite3 *db, const char *what, curfew_failure *failure)
{
	if (failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "%s: %s", what,
		               db != NULL ? sqlite3_errmsg(db) : "out of memory");
	return false;
}

static bool run_sql(sqlite3 *db, const char *sql, const char *what, curfew_failure *failure)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || store_refuse(db, what, failure);
}

/* One number; -1 if there is none. */
static int64_t read_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return number;
}

/* Whether it has this version already. */
static bool is_current(sqlite3 *db)
{
	return read_number(db, "PRAGMA user_version") == SCHEMA;
}

static bool migrate(sqlite3 *db, curfew_failure *failure)
{
	if (is_current(db))
		return true;
	if (!run_sql(db, "BEGIN IMMEDIATE", "the database cannot be written", failure))
		return false;
	int64_t version = read_number(db, "PRAGMA user_version");
	if (version > SCHEMA) {
		(void)snprintf(failure->message, sizeof failure->message,
		               "the database has version %lld, and this curfew knows versions up to %d", (long long)version, SCHEMA);
		return false;
	}
	char set_version[64];
	for (; version >= 0 && version < SCHEMA; version++) {
		(void)snprintf(set_version, sizeof set_version, "PRAGMA user_version=%d", (int)version + 1);
		if (!run_sql(db, migrations[version], "the database cannot be brought to this version", failure) ||
		    !run_sql(db, set_version, "the database cannot be brought to this version", failure))
			return false;
	}
	return run_sql(db, "COMMIT", "the database cannot be written", failure);
}

static bool is_sound(sqlite3 *db, curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	bool sound = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
	             sqlite3_step(statement) == SQLITE_ROW &&
	             strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
	if (!sound && sqlite3_errcode(db) == SQLITE_ROW)
		(void)snprintf(failure->message, sizeof failure->message, "the database is damaged: %.200s",
		               (const char *)sqlite3_column_text(statement, 0));
	else if (!sound)
		(void)store_refuse(db, "the database is damaged", failure);
	(void)sqlite3_finalize(statement);
	return sound;
}

static sqlite3 *connect_to(const char *path, int flags, const char *settings, curfew_failure *failure)
{
	sqlite3 *db = NULL;
	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		(void)store_refuse(db, "the database cannot be opened", failure);
		(void)sqlite3_close(db);
		return NULL;
	}
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	(void)sqlite3_extended_result_codes(db, 1);
	if (run_sql(db, settings, "the database cannot be used", failure))
		return db;
	(void)sqlite3_close(db);
	return NULL;
}

static bool prepare_writes(store *st, curfew_failure *failure)
{
	static const char *const words[] = {
#define X(name, text) text,
		STORE_WRITES(X)
#undef X
	};
	for (int i = 0; i < WRITES; i++) {
		if (sqlite3_prepare_v3(st->writer, words[i], -1, SQLITE_PREPARE_PERSISTENT, &st->writes[i], NULL) != SQLITE_OK)
			return store_refuse(st->writer, "the database is not as expected", failure);
	}
	return true;
}

/* mkdir with its parents. */
static bool make_folder(const char *folder, curfew_failure *failure)
{
	char path[CONFIG_TEXT_MOST];
	size_t length = strlen(folder);
	if (length + 1 < sizeof path) {
		memcpy(path, folder, length + 1);
		for (char *at = path + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
			*at = '\0';
			(void)mkdir(path, 0700);
		}
		if (mkdir(path, 0700) == 0 || errno == EEXIST)
			return true;
	}
	(void)snprintf(failure->message, sizeof failure->message, "%.150s: %s", folder, strerror(errno));
	return false;
}

/*
 * Whether it is worth to read all of it: after an end that was not in order (then its journal is still there), and where
 * that takes no time.
 */
static bool wants_check(const char *path)
{
	char journal[CONFIG_TEXT_MOST + 32];
	struct stat info;
	(void)snprintf(journal, sizeof journal, "%s-wal", path);
	if (stat(journal, &info) == 0 && info.st_size > 0)
		return true;
	return stat(path, &info) == 0 && info.st_size < QUICK_BYTES;
}

/* Only a server changes the version of a database, or whoever is alone with it. */
static bool may_migrate(store *st, const char *folder, bool is_server, curfew_failure *failure)
{
	curfew_failure ignored;
	if (is_server || is_current(st->writer) || read_number(st->writer, "PRAGMA user_version") == 0 || store_claim(st, folder, &ignored))
		return true;
	(void)snprintf(failure->message, sizeof failure->message, "the server that uses it is of another version: start it anew first");
	return false;
}

static bool open_connections(store *st, const char *folder, const char *path, bool is_server, curfew_failure *failure)
{
	bool checks = is_server && wants_check(path);
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	/* FULL: a commit is on disk, also when the machine loses its power. */
	st->writer = connect_to(path, flags | SQLITE_OPEN_CREATE,
	                        "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
	                        "PRAGMA cache_size=-32768; PRAGMA journal_size_limit=67108864",
	                        failure);
	if (st->writer == NULL)
		return false;
	if (sqlite3_db_readonly(st->writer, "main") == 1) {
		(void)snprintf(failure->message, sizeof failure->message, "the database cannot be written: it is read-only");
		return false;
	}
	if ((checks && !is_sound(st->writer, failure)) || !may_migrate(st, folder, is_server, failure) || !migrate(st->writer, failure) ||
	    !prepare_writes(st, failure))
		return false;
	st->reader = connect_to(path, flags, "PRAGMA query_only=1; PRAGMA cache_size=-8192", failure);
	return st->reader != NULL;
}

store *store_open(const char *folder, bool is_server, curfew_failure *failure)
{
	char path[CONFIG_TEXT_MOST + 16];
	store *st = calloc(1, sizeof *st);
	if (st == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "out of memory");
		return NULL;
	}
	st->claim = -1;
	st->stats.healthy = true;
	(void)snprintf(st->folder, sizeof st->folder, "%s", folder);
	(void)pthread_mutex_init(&st->read_lock, NULL);
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&st->work, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	(void)snprintf(path, sizeof path, "%s/curfew.db", folder);
	curfew_failure inner = {0};
	mode_t mask = umask(077);
	bool good = make_folder(folder, &inner) && open_connections(st, folder, path, is_server, &inner) && revocations_prepare(folder);
	(void)umask(mask);
	if (good)
		return st;
	(void)snprintf(failure->message, sizeof failure->message, "%.90s: %.150s", folder, inner.message);
	store_close(st);
	return NULL;
}

uint64_t store_begin_life(store *st)
{
	(void)sqlite3_exec(st->writer, "UPDATE counters SET value=value+1 WHERE name='lives'", NULL, NULL, NULL);
	int64_t lives = read_number(st->writer, "SELECT value FROM counters WHERE name='lives'");
	return lives > 0 ? (uint64_t)lives : 1;
}

bool store_claim(store *st, const char *folder, curfew_failure *failure)
{
	char path[CONFIG_TEXT_MOST + 16];
	if (st->claim >= 0)
		return true;
	(void)snprintf(path, sizeof path, "%s/lock", folder);
	st->claim = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (st->claim >= 0 && flock(st->claim, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: another server uses this folder", folder);
	else
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: %s", path, strerror(errno));
	return false;
}

void store_close(store *st)
{
	if (st == NULL)
		return;
	for (int i = 0; i < WRITES; i++)
		(void)sqlite3_finalize(st->writes[i]);
	(void)sqlite3_close(st->reader);
	(void)sqlite3_close(st->writer);
	if (st->claim >= 0)
		(void)close(st->claim);
	(void)pthread_mutex_destroy(&st->read_lock);
	(void)pthread_cond_destroy(&st->work);
	free(st);
}

void store_get_stats(store *st, store_stats *stats)
{
	*stats = st->stats;
}

/* ---- Tokens ---------------------------------------------------------------------------------------------- */

static void fill_token(stored_token *token, sqlite3_stmt *row)
{
	account *a = &token->account;
	*token = (stored_token){0};
	(void)snprintf(a->id, sizeof a->id, "%s", (const char *)sqlite3_column_text(row, 0));
	(void)snprintf(a->name, sizeof a->name, "%s", (const char *)sqlite3_column_text(row, 1));
	if (sqlite3_column_bytes(row, 2) == sizeof a->hash)
		memcpy(a->hash, sqlite3_column_blob(row, 2), sizeof a->hash);
	a->scopes = (unsigned)sqlite3_column_int(row, 3);
	uint64_t *quotas[] = {&a->tenant.running_max, &a->queued_most, &a->per_minute_most};
	for (int i = 0; i < 3; i++)
		*quotas[i] = sqlite3_column_type(row, 4 + i) == SQLITE_NULL ? UINT64_MAX : (uint64_t)sqlite3_column_int64(row, 4 + i);
	token->created_us = sqlite3_column_int64(row, 8);
	token->revoked_us = sqlite3_column_int64(row, 9);
	(void)snprintf(a->user, sizeof a->user, "%s", (const char *)sqlite3_column_text(row, 10));
	(void)snprintf(a->allow_fetch, sizeof a->allow_fetch, "%s", (const char *)sqlite3_column_text(row, 11));
	a->priority_max = (unsigned)sqlite3_column_int(row, 12) % PRIORITIES;
	a->expires_us = sqlite3_column_int64(row, 13);
	a->used_us = a->noted_us = sqlite3_column_int64(row, 14);
	a->programs_bytes_most = sqlite3_column_type(row, 15) == SQLITE_NULL ? UINT64_MAX : (uint64_t)sqlite3_column_int64(row, 15);
	/* A ceiling that this build cannot read must not be ignored. */
	a->revoked = token->revoked_us != 0 ||
	             !limits_from_text(&a->ceilings, (const char *)sqlite3_column_text(row, 7));
}

bool store_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                       curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	int status = SQLITE_ERROR;
	(void)pthread_mutex_lock(&st->read_lock);
	if (sqlite3_prepare_v2(st->reader,
	                       "SELECT id, name, hash, scopes, running, queued, per_minute, ceilings, created_us, revoked_us, "
	                       "user, allow_fetch, priority, expires_us, used_us, programs_bytes FROM tokens ORDER BY created_us, id",
	                       -1, &statement, NULL) == SQLITE_OK) {
		stored_token token;
		revocations listed;
		revocations_read(st->folder, &listed);
		while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
			fill_token(&token, statement);
			token.account.revoked |= revocations_has(&listed, token.account.id);
			show(context, &token);
		}
	}
	(void)sqlite3_finalize(statement);
	if (status != SQLITE_DONE)
		(void)store_refuse(st->reader, "tokens cannot be read", failure);
	(void)pthread_mutex_unlock(&st->read_lock);
	return status == SQLITE_DONE;
}

static void bind_quota(sqlite3_stmt *statement, int column, uint64_t most)
{
	if (most == UINT64_MAX)
		(void)sqlite3_bind_null(statement, column);
	else
		(void)sqlite3_bind_int64(statement, column, (sqlite3_int64)most);
}

bool store_add_token(store *st, const account *token, curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	char *ceilings = limits_to_text(&token->ceilings);
	bool good = ceilings != NULL &&
	            sqlite3_prepare_v2(st->writer,
	                               "INSERT INTO tokens(id, name, hash, scopes, running, queued, per_minute, ceilings, "
	                               "created_us, user, allow_fetch, priority, expires_us, programs_bytes) "
	                               "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	                               -1, &statement, NULL) == SQLITE_OK;
	if (good) {
		(void)sqlite3_bind_text(statement, 1, token->id, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(statement, 2, token->name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_blob(statement, 3, token->hash, sizeof token->hash, SQLITE_STATIC);
		(void)sqlite3_bind_int(statement, 4, (int)token->scopes);
		bind_quota(statement, 5, token->tenant.running_max);
		bind_quota(statement, 6, token->queued_most);
		bind_quota(statement, 7, token->per_minute_most);
		(void)sqlite3_bind_text(statement, 8, ceilings, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(statement, 9, clock_wall_us());
		(void)sqlite3_bind_text(statement, 10, token->user, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(statement, 11, token->allow_fetch, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int(statement, 12, (int)token->priority_max);
		(void)sqlite3_bind_int64(statement, 13, token->expires_us);
		bind_quota(statement, 14, token->programs_bytes_most);
		good = sqlite3_step(statement) == SQLITE_DONE;
	}
	if (!good)
		(void)store_refuse(st->writer, "the token cannot be stored", failure);
	(void)sqlite3_finalize(statement);
	free(ceilings);
	return good;
}

/* Where the database cannot be written, the disk being full, there is still the file that was made for this. */
static int note_revocation(store *st, const char *word)
{
	sqlite3_stmt *statement = NULL;
	int count = 0;
	if (sqlite3_prepare_v2(st->reader, "SELECT id FROM tokens WHERE (id=?1 OR name=?1) AND revoked_us=0", -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(statement, 1, word, -1, SQLITE_STATIC) == SQLITE_OK) {
		while (sqlite3_step(statement) == SQLITE_ROW)
			count += revocations_add(st->folder, (const char *)sqlite3_column_text(statement, 0));
	}
	(void)sqlite3_finalize(statement);
	return count;
}

bool store_revoke_token(store *st, const char *word, int *count, curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	bool good = sqlite3_prepare_v2(st->writer,
	                               "UPDATE tokens SET revoked_us=?2 WHERE (id=?1 OR name=?1) AND revoked_us=0", -1,
	                               &statement, NULL) == SQLITE_OK &&
	            sqlite3_bind_text(statement, 1, word, -1, SQLITE_STATIC) == SQLITE_OK &&
	            sqlite3_bind_int64(statement, 2, clock_wall_us()) == SQLITE_OK && sqlite3_step(statement) == SQLITE_DONE;
	if (good)
		*count = sqlite3_changes(st->writer);
	else
		(void)store_refuse(st->writer, "the token cannot be revoked", failure);
	(void)sqlite3_finalize(statement);
	if (!good)
		*count = note_revocation(st, word);
	return good || *count > 0;
}
