/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the SQLite database: the directory, the lock that excludes a second server, the schema and its versions. */
#include "log.h"
#include "machine.h"
#include "revocations.h"
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOSEN_OLD                                                                                                     \
	"  INSERT INTO loose SELECT old.sha256 WHERE NOT EXISTS (SELECT 1 FROM loose WHERE sha256=old.sha256); END;"

/* Each entry upgrades the schema from its index to the next version (user_version). Never change one: add one. */
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
	/* The exports of programs, which older programs lack until they are stored again. */
	"UPDATE programs SET exports='';",
	"ALTER TABLE runs ADD COLUMN allow_fetch TEXT;"
	"ALTER TABLE tokens ADD COLUMN user TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE tokens ADD COLUMN allow_fetch TEXT NOT NULL DEFAULT '';",
	"ALTER TABLE runs ADD COLUMN wasi TEXT;",
	/* Indexes for retention, filters and the start, so that they need not read the table. */
	"ALTER TABLE tokens ADD COLUMN priority INTEGER NOT NULL DEFAULT 9;"
	"ALTER TABLE tokens ADD COLUMN expires_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE tokens ADD COLUMN used_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE tokens ADD COLUMN programs_bytes INTEGER;"
	"CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO counters VALUES('lives', 0);"
	"CREATE INDEX runs_ended ON runs(ended_us) WHERE state=4;"
	"CREATE INDEX runs_outcome ON runs(outcome, id) WHERE state=4 AND outcome<>0;"
	/* The size of each owner's history, and the keys of runs that were dropped. */
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
	/* Reports are stored apart from their runs, in parts of 1 MiB. The run's row has what a list shows of them. */
	"CREATE TABLE reports(place INTEGER PRIMARY KEY, data BLOB NOT NULL);" /* place: 4096 * runs.number + part */
	"ALTER TABLE runs ADD COLUMN report_bytes INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN wall_us INTEGER;"
	"ALTER TABLE runs ADD COLUMN cpu_us INTEGER;"
	"ALTER TABLE runs ADD COLUMN memory_bytes INTEGER;"
	"ALTER TABLE runs ADD COLUMN output_bytes INTEGER;"
	"ALTER TABLE runs ADD COLUMN stop_us INTEGER;"
	"INSERT INTO reports WITH RECURSIVE part(number, n, at, total) AS ("
	"  SELECT number, 0, 1, length(CAST(report AS BLOB)) FROM runs WHERE report IS NOT NULL"
	"  UNION ALL SELECT number, n+1, at+1048576, total FROM part WHERE at+1048576<=total)"
	"  SELECT part.number*4096+n, substr(CAST(runs.report AS BLOB), at, 1048576) FROM part JOIN runs ON runs.number=part.number;"
	"UPDATE runs SET report_bytes=length(CAST(report AS BLOB)) WHERE report IS NOT NULL;"
	"ALTER TABLE runs DROP COLUMN report;"
	"CREATE TRIGGER runs_drop_report AFTER DELETE ON runs WHEN old.report_bytes>0 BEGIN "
	"  DELETE FROM reports WHERE place BETWEEN old.number*4096 AND old.number*4096+4095; END;"
	"DROP INDEX runs_program;"
	"CREATE INDEX runs_program ON runs(owner, program, id) WHERE program IS NOT NULL;"
	"CREATE INDEX runs_any_program ON runs(program, id) WHERE program IS NOT NULL;"
	"CREATE INDEX runs_owner_outcome ON runs(owner, outcome, id) WHERE state=4 AND outcome<>0;",
	/* Recurring runs. taken_us: until then the thread that took it has it. */
	"CREATE TABLE schedules(owner TEXT NOT NULL, name TEXT NOT NULL, cron TEXT NOT NULL, zone TEXT NOT NULL, "
	"  overlap INTEGER NOT NULL, paused INTEGER NOT NULL, body TEXT NOT NULL, created_us INTEGER NOT NULL, "
	"  updated_us INTEGER NOT NULL, next_us INTEGER NOT NULL, taken_us INTEGER NOT NULL DEFAULT 0, "
	"  last_us INTEGER NOT NULL DEFAULT 0, last_run TEXT NOT NULL DEFAULT '', problem TEXT NOT NULL DEFAULT '', "
	"  runs INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(owner, name)) WITHOUT ROWID;"
	"CREATE INDEX schedules_next ON schedules(next_us) WHERE next_us>0;"
	"ALTER TABLE runs ADD COLUMN schedule TEXT;",
	/* Webhooks of runs. Few rows are due at a time, and an index finds them. */
	"ALTER TABLE runs ADD COLUMN hook_url TEXT;"
	"ALTER TABLE runs ADD COLUMN hook_secret TEXT;"
	"ALTER TABLE runs ADD COLUMN hook_state INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN hook_attempts INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN hook_status INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN hook_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN hook_due_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN hook_problem TEXT;"
	"CREATE INDEX runs_hook ON runs(hook_due_us) WHERE hook_due_us>0;",
	"CREATE INDEX runs_schedule ON runs(owner, schedule, id) WHERE schedule IS NOT NULL;"
	"CREATE INDEX runs_any_schedule ON runs(schedule, id) WHERE schedule IS NOT NULL;",
	/* Sources that may be unused, so that only these need to be checked. */
	"CREATE TABLE loose(sha256 TEXT PRIMARY KEY) WITHOUT ROWID;"
	"INSERT OR IGNORE INTO loose SELECT sha256 FROM sources WHERE NOT EXISTS (SELECT 1 FROM runs WHERE "
	"  runs.sha256=sources.sha256) AND NOT EXISTS (SELECT 1 FROM programs WHERE programs.sha256=sources.sha256);"
	"CREATE TRIGGER runs_loosen AFTER DELETE ON runs BEGIN INSERT OR IGNORE INTO loose VALUES(old.sha256); END;"
	"CREATE TRIGGER programs_loosen AFTER DELETE ON programs BEGIN INSERT OR IGNORE INTO loose VALUES(old.sha256); END;"
	"CREATE TRIGGER programs_replace AFTER UPDATE OF sha256 ON programs WHEN old.sha256<>new.sha256 BEGIN "
	"  INSERT OR IGNORE INTO loose VALUES(old.sha256); END;",
	/* A statement overrules what its triggers say of conflicts (sqlite.org/lang_createtrigger.html). */
	"DROP TRIGGER runs_loosen; DROP TRIGGER programs_loosen; DROP TRIGGER programs_replace;"
	"CREATE TRIGGER runs_loosen AFTER DELETE ON runs BEGIN " LOOSEN_OLD
	"CREATE TRIGGER programs_loosen AFTER DELETE ON programs BEGIN " LOOSEN_OLD
	"CREATE TRIGGER programs_replace AFTER UPDATE OF sha256 ON programs WHEN old.sha256<>new.sha256 BEGIN " LOOSEN_OLD,
	/* The few that did not go well among the many of a program or a schedule. */
	"CREATE INDEX runs_program_outcome ON runs(owner, program, outcome, id) "
	"  WHERE state=4 AND outcome<>0 AND program IS NOT NULL;"
	"CREATE INDEX runs_any_program_outcome ON runs(program, outcome, id) "
	"  WHERE state=4 AND outcome<>0 AND program IS NOT NULL;"
	"CREATE INDEX runs_schedule_outcome ON runs(owner, schedule, outcome, id) "
	"  WHERE state=4 AND outcome<>0 AND schedule IS NOT NULL;"
	"CREATE INDEX runs_any_schedule_outcome ON runs(schedule, outcome, id) "
	"  WHERE state=4 AND outcome<>0 AND schedule IS NOT NULL;",
};

#define QUICK_BYTES ((off_t)64 << 20)

enum { SCHEMA = sizeof migrations / sizeof migrations[0], CHECK_NICE = 10, CHECK_STEPS = 10000 };

/* Whether it has this version already. */
static bool is_current(sqlite3 *db)
{
	return sqlite_read_number(db, "PRAGMA user_version") == SCHEMA;
}

static bool migrate(sqlite3 *db, curfew_failure *failure)
{
	if (is_current(db))
		return true;
	if (!sqlite_run_sql(db, "BEGIN IMMEDIATE", "the database cannot be written", failure))
		return false;
	int64_t version = sqlite_read_number(db, "PRAGMA user_version");
	if (version > SCHEMA) {
		(void)snprintf(failure->message, sizeof failure->message,
		               "the database has version %lld, and this curfew knows versions up to %d", (long long)version,
		               SCHEMA);
		return false;
	}
	char set_version[64];
	for (; version >= 0 && version < SCHEMA; version++) {
		(void)snprintf(set_version, sizeof set_version, "PRAGMA user_version=%d", (int)version + 1);
		if (!sqlite_run_sql(db, migrations[version], "the database cannot be upgraded to this version", failure) ||
		    !sqlite_run_sql(db, set_version, "the database cannot be upgraded to this version", failure))
			return false;
	}
	return sqlite_run_sql(db, "COMMIT", "the database cannot be written", failure);
}

static bool is_sound(sqlite3 *db, curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	bool sound = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
	             sqlite3_step(statement) == SQLITE_ROW &&
	             strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
	if (!sound && sqlite3_errcode(db) == SQLITE_ROW) {
		/* The text may begin with a heading. */
		const char *words = (const char *)sqlite3_column_text(statement, 0), *line = strchr(words, '\n');
		(void)snprintf(failure->message, sizeof failure->message, "the database is damaged: %.200s",
		               line != NULL ? line + 1 : words);
	} else if (!sound) {
		(void)sqlite_refuse(db, "the database is damaged", failure);
	}
	(void)sqlite3_finalize(statement);
	return sound;
}

static bool prepare_writes(sqlite_store *st, curfew_failure *failure)
{
	static const char *const words[] = {
#define X(name, text) text,
		SQLITE_WRITES(X)
#undef X
	};
	for (int i = 0; i < SQL_WRITES; i++) {
		if (sqlite3_prepare_v3(st->writer, words[i], -1, SQLITE_PREPARE_PERSISTENT, &st->writes[i], NULL) != SQLITE_OK)
			return sqlite_refuse(st->writer, "the database is not as expected", failure);
	}
	return true;
}

/* ---- Reading all of it ------------------------------------------------------------------------------------- */

typedef enum check_kind { CHECK_NONE, CHECK_FIRST, CHECK_ASIDE } check_kind;

/*
 * Whether to check the whole database: before the start, if that takes little time or if the last end was not orderly
 * (its journal still exists); otherwise while the server runs.
 */
static check_kind choose_check(const sqlite_store *st)
{
	char path[SQLITE_DIRECTORY_MAX + 16], journal[SQLITE_DIRECTORY_MAX + 32];
	struct stat info, rest;
	(void)snprintf(path, sizeof path, "%s/curfew.db", st->directory);
	(void)snprintf(journal, sizeof journal, "%s-wal", path);
	bool was_cut = stat(journal, &rest) == 0 && rest.st_size > 0;
	if (stat(path, &info) != 0)
		return CHECK_NONE;
	return info.st_size < QUICK_BYTES ? CHECK_FIRST : was_cut ? CHECK_ASIDE : CHECK_NONE;
}

static int is_ending(void *context)
{
	return atomic_load(&((sqlite_store *)context)->ends_check);
}

static void *check_aside(void *context)
{
	sqlite_store *st = context;
	curfew_failure failure = {0};
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), CHECK_NICE);
	sqlite3 *db = sqlite_connect(st, SQLITE_OPEN_READWRITE, "PRAGMA query_only=1", &failure);
	if (db != NULL)
		sqlite3_progress_handler(db, CHECK_STEPS, is_ending, st);
	bool sound = db != NULL && is_sound(db, &failure);
	if (!sound && !is_ending(st))
		log_say(LOG_ERROR, "store", "%s; for details: curfew admin check", failure.message);
	(void)sqlite3_close(db);
	return NULL;
}

static bool claim(store *base, curfew_failure *failure);

/* Only a server, or a process that is alone with the database, changes its version. */
static bool may_migrate(sqlite_store *st, store_user user, curfew_failure *failure)
{
	curfew_failure ignored;
	if (user == STORE_SERVER || is_current(st->writer) || sqlite_read_number(st->writer, "PRAGMA user_version") == 0 ||
	    claim(&st->base, &ignored))
		return true;
	(void)snprintf(failure->message, sizeof failure->message,
	               "the server that uses it is of another version: restart it first");
	return false;
}

/*
 * Keeps in memory what a statement would be undone with. Not while upgrading, which changes very many rows at once.
 */
static bool keep_in_memory(sqlite3 *db, curfew_failure *failure)
{
	return sqlite_run_sql(db, "PRAGMA temp_store=MEMORY", "the database cannot be used", failure);
}

/*
 * A new database is told how it gives space back before anything is in it. Telling an existing one again would write to
 * it, and on a full disk nobody could open it to revoke a token.
 */
static bool set_up(sqlite3 *db, curfew_failure *failure)
{
	enum { INCREMENTAL = 2 };
	const char *settings =
		sqlite_read_number(db, "PRAGMA auto_vacuum") != INCREMENTAL
			? "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864"
			: "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864";
	return sqlite_run_sql(db, settings, "the database cannot be used", failure);
}

static bool open_writer(sqlite_store *st, store_user user, curfew_failure *failure)
{
	check_kind check = user == STORE_SERVER ? choose_check(st) : CHECK_NONE;
	/* FULL: a commit survives a power failure. */
	st->writer = sqlite_connect(st, SQLITE_OPEN_READWRITE | (user != STORE_VISITOR ? SQLITE_OPEN_CREATE : 0),
	                            "PRAGMA synchronous=FULL; PRAGMA cache_size=-32768", failure);
	if (st->writer == NULL || !set_up(st->writer, failure))
		return false;
	if (sqlite3_db_readonly(st->writer, "main") == 1) {
		(void)snprintf(failure->message, sizeof failure->message, "the database cannot be written: it is read-only");
		return false;
	}
	if ((check == CHECK_FIRST && !is_sound(st->writer, failure)) || !may_migrate(st, user, failure) ||
	    !migrate(st->writer, failure) || !keep_in_memory(st->writer, failure) || !prepare_writes(st, failure) ||
	    (user == STORE_SERVER && !sqlite_start_log(st, failure)))
		return false;
	st->has_check = check == CHECK_ASIDE && pthread_create(&st->check, NULL, check_aside, st) == 0;
	return true;
}

/* For callers that do not create one. */
static bool is_there(const sqlite_store *st, curfew_failure *failure)
{
	char path[SQLITE_DIRECTORY_MAX + 16];
	(void)snprintf(path, sizeof path, "%s/curfew.db", st->directory);
	if (access(path, F_OK) == 0)
		return true;
	(void)snprintf(failure->message, sizeof failure->message, "there is no database (curfew.db): %s", strerror(errno));
	return false;
}

static bool claim(store *base, curfew_failure *failure)
{
	sqlite_store *st = sqlite_of(base);
	char path[SQLITE_DIRECTORY_MAX + 16];
	if (st->claim >= 0)
		return true;
	(void)snprintf(path, sizeof path, "%s/lock", st->directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		st->claim = fd;
		return true;
	}
	if (errno == EWOULDBLOCK)
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: another server uses this directory",
		               st->directory);
	else
		(void)snprintf(failure->message, sizeof failure->message, "%.200s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return false;
}

/* Whether the file is a database without a write-ahead log, such as `curfew admin backup` makes. One in use has a log
 * from its first moment on. */
static bool is_copy(const char *path)
{
	enum { AT_FORMAT = 18, WITHOUT_LOG = 1 };
	char head[AT_FORMAT + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && head[AT_FORMAT] == WITHOUT_LOG;
	if (fd >= 0)
		(void)close(fd);
	return is;
}

/*
 * A copy that has replaced the database of a server that was killed lies beside that one's log, which would be written
 * into it page by page. So the log is dropped.
 */
static void drop_foreign_log(sqlite_store *st)
{
	static const char *const endings[] = {"-wal", "-shm"};
	char path[SQLITE_DIRECTORY_MAX + 16], other[SQLITE_DIRECTORY_MAX + 32];
	curfew_failure ignored;
	(void)snprintf(path, sizeof path, "%s/curfew.db", st->directory);
	if (!is_copy(path) || !claim(&st->base, &ignored))
		return;
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		(void)snprintf(other, sizeof other, "%s%s", path, endings[i]);
		(void)unlink(other);
	}
}

static uint64_t begin_life(store *base)
{
	sqlite_store *st = sqlite_of(base);
	(void)sqlite3_exec(st->writer, "UPDATE counters SET value=value+1 WHERE name='lives'", NULL, NULL, NULL);
	int64_t lives = sqlite_read_number(st->writer, "SELECT value FROM counters WHERE name='lives'");
	return lives > 0 ? (uint64_t)lives : 1;
}

static void close_all(store *base)
{
	sqlite_store *st = sqlite_of(base);
	atomic_store(&st->ends_check, true);
	if (st->has_check)
		(void)pthread_join(st->check, NULL);
	sqlite_end_log(st);
	for (int i = 0; i < SQL_WRITES; i++)
		(void)sqlite3_finalize(st->writes[i]);
	for (int i = 0; i < SQLITE_READERS; i++)
		(void)sqlite3_close(st->readers[i]);
	(void)sqlite3_close(st->writer);
	(void)sqlite3_close(st->admin);
	(void)sqlite3_close(st->taker);
	if (st->claim >= 0)
		(void)close(st->claim);
	(void)pthread_mutex_destroy(&st->read_lock);
	(void)pthread_cond_destroy(&st->read_free);
	store_finish(base);
	free(st);
}

static const store_backend backend = {
	.close = close_all,
	.claim = claim,
	.begin_life = begin_life,
	.begin = sqlite_begin,
	.write = sqlite_write_op,
	.write_news = sqlite_write_news,
	.commit = sqlite_commit,
	.clean = sqlite_clean,
	.drop_sources = sqlite_drop_sources,
	.read_runs = sqlite_read_runs,
	.read_part = sqlite_read_part,
	.find_key = sqlite_find_key,
	.read_programs = sqlite_read_programs,
	.count_program_bytes = sqlite_count_program_bytes,
	.read_source = sqlite_read_source,
	.read_schedules = sqlite_read_schedules,
	.take_schedules = sqlite_take_schedules,
	.take_deliveries = sqlite_take_deliveries,
	.load_runs = sqlite_load_runs,
	.read_tokens = sqlite_read_tokens,
	.add_token = sqlite_add_token,
	.revoke_token = sqlite_revoke_token,
	.drop_runs = sqlite_drop_runs,
	.back_up = sqlite_back_up,
	.examine = sqlite_examine,
};

store *store_open_sqlite(const char *directory, store_user user, curfew_failure *failure)
{
	curfew_failure inner = {0};
	sqlite_store *st = strlen(directory) < SQLITE_DIRECTORY_MAX ? calloc(1, sizeof *st) : NULL;

	if (st == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "out of memory");
		return NULL;
	}

	store_init(&st->base, &backend);
	st->claim = -1;
	st->drop_at_once = st->shrink_at_once = st->sources_at_once = SQLITE_PIECE_MIN;
	(void)snprintf(st->directory, sizeof st->directory, "%s", directory);
	(void)pthread_mutex_init(&st->read_lock, NULL);
	(void)pthread_cond_init(&st->read_free, NULL);
	mode_t mask = umask(077);
	bool has_directory = user == STORE_VISITOR || machine_make_directory(directory, failure);
	if (has_directory)
		drop_foreign_log(st);
	bool good = has_directory && (user != STORE_VISITOR || is_there(st, &inner)) && open_writer(st, user, &inner) &&
	            revocations_prepare(directory);
	(void)umask(mask);
	if (good)
		return &st->base;
	if (has_directory)
		(void)snprintf(failure->message, sizeof failure->message, "%.90s: %.150s", directory, inner.message);
	close_all(&st->base);
	return NULL;
}
