/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share: store.c opens and migrates, store_read.c reads, store_write.c writes. */
#ifndef CURFEW_SERVER_STORE_PRIVATE_H
#define CURFEW_SERVER_STORE_PRIVATE_H

#include "store.h"

#include <sqlite3.h>

/* X(NAME, text): statements of the writing connection. */
#define STORE_WRITES(X)                                                                                         \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                             \
	X(COMMIT, "COMMIT")                                                                                     \
	X(ROLLBACK, "ROLLBACK")                                                                                 \
	X(ADD_SOURCE, "INSERT OR IGNORE INTO sources(sha256, language, bytes) VALUES(?,?,?)")                   \
	X(ADD_RUN, "INSERT INTO runs(id, owner, state, program, sha256, language, call, params, user, limits, flags, " \
	           "priority, retry, attempt, created_us, due_us, started_us, queue_us, key, body_sha256, name, allow_fetch, wasi) " \
	           "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                                     \
	X(START_RUN, "UPDATE runs SET state=2, started_us=?2, queue_us=?3, attempt=?4 WHERE id=?1")             \
	X(END_RUN, "UPDATE runs SET state=4, ended_us=?2, outcome=?3, report=?4, checkpoint=NULL, last_event=?5, " \
	           "queue_us=?6, started_us=?7, bytes=?8 WHERE id=?1")                                                   \
	X(DROP_OUTPUT, "DELETE FROM output WHERE run=?")                                                        \
	X(ADD_OUTPUT, "INSERT INTO output(run, data) VALUES(?,?)")                                              \
	X(SET_CHECKPOINT, "UPDATE runs SET checkpoint=?2 WHERE id=?1 AND state<>4")                             \
	X(PUT_PROGRAM, "INSERT INTO programs(owner, name, sha256, language, kind, exports, size, created_us, updated_us) " \
	               "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?8) ON CONFLICT(owner, name) DO UPDATE SET sha256=?3, language=?4, " \
	               "kind=?5, exports=?6, size=?7, updated_us=?8")                                           \
	X(DELETE_PROGRAM, "DELETE FROM programs WHERE owner=? AND name=?")                                      \
	X(DROP_OLD, "DELETE FROM runs WHERE number IN (SELECT number FROM runs WHERE state=4 AND ended_us<? "   \
	            "ORDER BY ended_us LIMIT ?)")                                                               \
	X(DROP_OF_OWNER, "DELETE FROM runs WHERE number IN (SELECT number FROM (SELECT number, sum(bytes) OVER (ORDER BY id) " \
	                 "- bytes AS before FROM (SELECT number, id, bytes FROM runs WHERE owner=?1 AND state=4 ORDER BY id " \
	                 "LIMIT ?3)) WHERE before<?2)")                                                         \
	X(LARGEST_OWNER, "SELECT owner FROM owners ORDER BY bytes DESC LIMIT 1")                                \
	X(PROGRAM_BYTES, "SELECT coalesce(sum(size), 0) FROM programs")                                         \
	X(DROP_KEYS, "DELETE FROM keys WHERE created_us<?")                                                     \
	X(USE_TOKEN, "UPDATE tokens SET used_us=?2 WHERE id=?1")                                                \
	X(DROP_SOURCES, "DELETE FROM sources WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.sha256=sources.sha256) " \
	                "AND NOT EXISTS (SELECT 1 FROM programs WHERE programs.sha256=sources.sha256)")         \
	X(SHRINK, "PRAGMA incremental_vacuum(2000)")                                                            \
	X(USED_PAGES, "SELECT (SELECT page_count FROM pragma_page_count()) - (SELECT freelist_count FROM " \
	              "pragma_freelist_count()), (SELECT page_size FROM pragma_page_size())")

typedef enum store_write {
#define X(name, words) WRITE_##name,
	STORE_WRITES(X)
#undef X
	WRITES
} store_write;

typedef struct write_op write_op;

struct store {
	sqlite3 *writer, *reader;
	sqlite3_stmt *writes[WRITES];
	pthread_mutex_t read_lock;
	char folder[CONFIG_TEXT_MOST];
	int claim; /* the lock file, or -1 */
	server *server;
	void (*after)(server *s);
	/* Under the server's lock. */
	pthread_t thread;
	pthread_cond_t work;
	write_op *first, *last;
	bool running, ending;
	store_stats stats;
	int64_t cleaned_us;
};

#define RUN_COLUMNS                                                                                             \
	"id, owner, state, program, sha256, language, call, user, priority, retry, attempt, created_us, due_us, " \
	"started_us, ended_us, queue_us, outcome, checkpoint, report, last_event, limits, allow_fetch"

/* A failure that names what was done and what SQLite says. */
bool store_refuse(sqlite3 *db, const char *what, curfew_failure *failure);

#endif
