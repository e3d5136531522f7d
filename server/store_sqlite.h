/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the SQLite store, from the ground up: store_sqlite_query.c has connections and statements,
 * store_sqlite_read.c reads, store_sqlite_due.c has what is due, store_sqlite_write.c writes, store_sqlite_log.c copies
 * the write-ahead log, store_sqlite_admin.c is for the command line, store_sqlite.c opens and migrates.
 */
#ifndef CURFEW_SERVER_STORE_SQLITE_H
#define CURFEW_SERVER_STORE_SQLITE_H

#include "store_private.h"

#include <sqlite3.h>
#include <stdatomic.h>

enum { SQLITE_DIRECTORY_MAX = 4096, SQLITE_READERS = 4, SQLITE_PIECE_MIN = 10 };

#define SQLITE_DROP_SOURCES                                                                                            \
	"DELETE FROM sources WHERE sha256 IN (SELECT sha256 FROM loose ORDER BY sha256 LIMIT ?) "                          \
	"AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.sha256=sources.sha256) "                                            \
	"AND NOT EXISTS (SELECT 1 FROM programs WHERE programs.sha256=sources.sha256)"
#define SQLITE_FORGET_LOOSE "DELETE FROM loose WHERE sha256 IN (SELECT sha256 FROM loose ORDER BY sha256 LIMIT ?)"

/* What is read of the runs that may be dropped next. A run of more than one part has a large report. */
#define SQLITE_VICTIM "SELECT number, id, bytes, report_bytes>1048576 FROM runs WHERE state=4"

/* X(NAME, text): statements of the writing connection. */
#define SQLITE_WRITES(X)                                                                                                \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                                         \
	X(COMMIT, "COMMIT")                                                                                                 \
	X(ROLLBACK, "ROLLBACK")                                                                                             \
	X(ADD_SOURCE, "INSERT OR IGNORE INTO sources(sha256, language, bytes) VALUES(?,?,?)")                               \
	X(ADD_RUN,                                                                                                          \
	  "INSERT INTO runs(id, owner, state, program, sha256, language, call, params, user, limits, flags, "               \
	  "priority, retry, attempt, created_us, due_us, started_us, queue_us, key, body_sha256, name, allow_fetch, wasi, " \
	  "schedule, hook_url, hook_secret) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                   \
	X(START_RUN, "UPDATE runs SET state=2, started_us=?2, queue_us=?3, attempt=?4 WHERE id=?1")                         \
	X(END_RUN,                                                                                                          \
	  "UPDATE runs SET state=4, ended_us=?2, outcome=?3, report_bytes=?4, checkpoint=NULL, last_event=?5, "             \
	  "hook_due_us=CASE WHEN hook_url IS NULL THEN 0 ELSE 1 END, "                                                      \
	  "queue_us=?6, started_us=?7, bytes=?8, wall_us=?9, cpu_us=?10, memory_bytes=?11, output_bytes=?12, stop_us=?13 "  \
	  "WHERE id=?1 RETURNING number")                                                                                   \
	X(ADD_PART, "INSERT OR REPLACE INTO reports(place, data) VALUES(?,?)")                                              \
	X(DROP_OUTPUT, "DELETE FROM output WHERE run=?")                                                                    \
	X(ADD_OUTPUT, "INSERT INTO output(run, data) VALUES(?,?)")                                                          \
	X(SET_CHECKPOINT, "UPDATE runs SET checkpoint=?2 WHERE id=?1 AND state<>4")                                         \
	X(PUT_PROGRAM,                                                                                                      \
	  "INSERT INTO programs(owner, name, sha256, language, kind, exports, size, created_us, updated_us) "               \
	  "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?8) ON CONFLICT(owner, name) DO UPDATE SET sha256=?3, language=?4, "              \
	  "kind=?5, exports=?6, size=?7, updated_us=?8")                                                                    \
	X(DELETE_PROGRAM, "DELETE FROM programs WHERE owner=? AND name=?")                                                  \
	X(OLD, SQLITE_VICTIM " AND ended_us<? ORDER BY ended_us")                                                           \
	X(OF_OWNER, SQLITE_VICTIM " AND owner=? ORDER BY id")                                                               \
	X(DROP_REPORT, "DELETE FROM reports WHERE place BETWEEN ?1*4096 AND ?1*4096+4095")                                  \
	X(DROP_RUN, "DELETE FROM runs WHERE number=?")                                                                      \
	X(LARGEST_OWNER, "SELECT owner FROM owners ORDER BY bytes DESC LIMIT 1")                                            \
	X(PROGRAM_BYTES, "SELECT coalesce(sum(size), 0) FROM programs")                                                     \
	X(DROP_KEYS, "DELETE FROM keys WHERE (owner, key) IN (SELECT owner, key FROM keys WHERE created_us<? LIMIT ?)")     \
	X(USE_TOKEN, "UPDATE tokens SET used_us=?2 WHERE id=?1")                                                            \
	X(PUT_SCHEDULE,                                                                                                     \
	  "INSERT INTO schedules(owner, name, cron, zone, overlap, paused, body, created_us, updated_us, next_us) "         \
	  "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(owner, name) DO UPDATE SET cron=?3, zone=?4, "                \
	  "overlap=?5, paused=?6, body=?7, updated_us=?9, next_us=?10, taken_us=0, problem=''")                             \
	X(DELETE_SCHEDULE, "DELETE FROM schedules WHERE owner=? AND name=?")                                                \
	X(USE_TURN, "UPDATE schedules SET next_us=?4, last_us=?3, last_run=?5, runs=runs+1, problem='', taken_us=0 "        \
	            "WHERE owner=?1 AND name=?2 AND next_us=?3")                                                            \
	X(PASS_TURN, "UPDATE schedules SET next_us=?4, last_us=?3, problem=?5, skipped=skipped+1, taken_us=0 "              \
	             "WHERE owner=?1 AND name=?2 AND next_us=?3")                                                           \
	X(NOTE_ATTEMPT,                                                                                                     \
	  "UPDATE runs SET hook_state=?2, hook_attempts=?3, hook_status=?4, hook_us=?5, hook_problem=?6, hook_due_us=?7 "   \
	  "WHERE id=?1")                                                                                                    \
	X(DROP_SOURCES, SQLITE_DROP_SOURCES)                                                                                \
	X(FORGET_LOOSE, SQLITE_FORGET_LOOSE)                                                                                \
	X(ANY_LOOSE, "SELECT 1 FROM loose LIMIT 1")                                                                         \
	X(FREE_PAGES, "SELECT (SELECT freelist_count FROM pragma_freelist_count()), "                                       \
	              "(SELECT page_count FROM pragma_page_count())")                                                       \
	X(USED_PAGES, "SELECT (SELECT page_count FROM pragma_page_count()) - (SELECT freelist_count FROM "                  \
	              "pragma_freelist_count()), (SELECT page_size FROM pragma_page_size())")

typedef enum sqlite_write {
#define X(name, words) SQL_##name,
	SQLITE_WRITES(X)
#undef X
		SQL_WRITES
} sqlite_write;

/* The write-ahead log: it grows, a thread copies it, and it is copied except for what was added meanwhile. */
typedef enum log_state { LOG_GROWS, LOG_COPYING, LOG_COPIED } log_state;

typedef struct sqlite_log {
	sqlite3 *db; /* used by the thread */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	log_state state;
	int copied; /* its pages when it was last copied completely */
	int begun;  /* its pages when the thread last began to copy */
	bool ends;
} sqlite_log;

typedef struct sqlite_store {
	store base;
	char directory[SQLITE_DIRECTORY_MAX];
	int claim;       /* the lock file, or -1 */
	sqlite3 *writer; /* used by the writing thread */
	sqlite3 *admin;  /* used by the command line; opened at first use */
	sqlite3 *taker;  /* used by the thread that takes what is due; opened at first use */
	sqlite3_stmt *writes[SQL_WRITES];
	/* Reading connections, each used by one thread at a time. Opened at first use. */
	pthread_mutex_t read_lock;
	pthread_cond_t read_free;
	sqlite3 *readers[SQLITE_READERS];
	bool is_reading[SQLITE_READERS];
	sqlite_log log;
	/* By how long each took the last time; the writing thread's. */
	int drop_at_once, shrink_at_once, sources_at_once; /* runs, pages, sources */
	/* Checks a large database completely while the server runs. */
	pthread_t check;
	bool has_check;
	atomic_bool ends_check;
} sqlite_store;

static inline sqlite_store *sqlite_of(store *st)
{
	return (sqlite_store *)(void *)st;
}

/* store_sqlite_query.c */

/* Sets a failure that names the operation and SQLite's message. */
bool sqlite_refuse(sqlite3 *db, const char *what, curfew_failure *failure);
/* Opens a connection to the database, with these settings. NULL, and why. */
sqlite3 *sqlite_connect(const sqlite_store *st, int flags, const char *settings, curfew_failure *failure);
/* Executes statements without rows. False, and a failure that begins with what. */
bool sqlite_run_sql(sqlite3 *db, const char *sql, const char *what, curfew_failure *failure);
/* Reads one number; -1 if there is none. */
int64_t sqlite_read_number(sqlite3 *db, const char *sql);

/* A statement whose parameters are set in order. The first failure stays, and is the result of running it. */
typedef struct binding {
	sqlite3_stmt *statement;
	int column;
	int status;
} binding;

void bind_words(binding *b, const char *words);
void bind_text(binding *b, const char *data, size_t length);
void bind_bytes(binding *b, const void *data, size_t length);
void bind_number(binding *b, int64_t number);
/* NULL if it is UINT64_MAX. */
void bind_quota(binding *b, uint64_t max);
/* One of the statements of the writing connection. */
binding bind_write(sqlite_store *st, sqlite_write which);
/* Executes it once and resets it. Returns an SQLite status, which is SQLITE_OK also if it had a row. */
int run_statement(sqlite3_stmt *statement);
/* The same. If a parameter could not be set, returns that status. */
int run_bound(binding *b);

/* A reading statement, which has a connection until finish_reading. */
typedef struct reading {
	sqlite_store *st;
	sqlite3 *db;
	binding bound; /* its statement is NULL if that failed */
	int slot;
} reading;

reading begin_reading(store *st, const char *sql);
/* Steps to the next row. False: there is none, and finish_reading says why. */
bool read_row(reading *r);
/* False: the database failed. failure (may be NULL) says what was read, and why it failed. */
bool finish_reading(reading *r, const char *what, curfew_failure *failure);
const char *column_words(sqlite3_stmt *row, int column);

/*
 * A number of rows or pages to change in one transaction, so that nobody who writes meanwhile waits long. Adapts it to
 * the time that the last ones took.
 */
int sqlite_adapt_piece(int at_once, int64_t took_us, int max);
/* Gives some free pages at the end of the file back to the system, if many are free. False: nothing is left to do. */
bool sqlite_shrink(sqlite3 *db, int *at_once);

/* store_sqlite_write.c */
store_status sqlite_begin(store *st);
store_status sqlite_write_op(store *st, const write_op *op);
store_status sqlite_write_news(store *st, const run_news *news);
store_status sqlite_commit(store *st);
store_cleaning sqlite_clean(store *st);
void sqlite_drop_sources(store *st);

/* store_sqlite_read.c */
bool sqlite_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
                      void *context);
blob *sqlite_read_part(store *st, int64_t report_number, size_t part);
int sqlite_find_key(store *st, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE]);
bool sqlite_read_programs(store *st, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
                          void *context);
uint64_t sqlite_count_program_bytes(store *st, const char *owner);
void *sqlite_read_source(store *st, const char *sha256, curfew_language language, size_t *length);
bool sqlite_load_runs(store *st, bool (*add)(void *context, const stored_run *r), void *context,
                      curfew_failure *failure);

/* The columns that sqlite_fill_view reads. */
extern const char sqlite_view_columns[];
void sqlite_fill_view(run_view *view, sqlite3_stmt *row);

/* store_sqlite_due.c */
int sqlite_put_schedule(sqlite_store *st, const stored_schedule *schedule);
int sqlite_delete_schedule(sqlite_store *st, const stored_schedule *schedule);
/* The turn of a schedule that a run belongs to. */
int sqlite_use_turn(sqlite_store *st, const stored_run *r);
int sqlite_pass_turn(sqlite_store *st, const stored_turn *turn);
bool sqlite_read_schedules(store *st, const char *owner, const char *name,
                           void (*show)(void *context, const stored_schedule *schedule), void *context);
int sqlite_note_attempt(sqlite_store *st, const stored_attempt *attempt);
bool sqlite_take_deliveries(store *st, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                            void *context);
bool sqlite_take_schedules(store *st, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                           void *context);

/* store_sqlite_log.c */
bool sqlite_start_log(sqlite_store *st, curfew_failure *failure);
void sqlite_end_log(sqlite_store *st);
/* Whether the log is being copied. */
bool sqlite_log_is_copied(sqlite_store *st);

/* store_sqlite_admin.c */
bool sqlite_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                        curfew_failure *failure);
bool sqlite_add_token(store *st, const stored_token *token, curfew_failure *failure);
bool sqlite_revoke_token(store *st, const char *word, int *count, curfew_failure *failure);
bool sqlite_drop_runs(store *st, const store_prune *prune, store_pruned *pruned, curfew_failure *failure);
bool sqlite_back_up(store *st, const char *path, uint64_t *bytes, curfew_failure *failure);
bool sqlite_examine(store *st, store_check *check, curfew_failure *failure);

#endif
