/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives the server: an SQLite database in WAL mode. One thread writes; what is asked of it while it writes goes
 * into its next transaction together, so that thousands of runs share the cost of reaching the disk. Reading is done
 * at once, on a connection of its own.
 */
#ifndef CURFEW_SERVER_STORE_H
#define CURFEW_SERVER_STORE_H

#include "server.h"
#include "text.h"
#include "view.h"

/* ---- Opening --------------------------------------------------------------------------------------------- */

/*
 * Opens the database of a folder, made if missing, and brings it to this version; who is not the server leaves that to
 * one that runs.
 */
store *store_open(const char *folder, bool is_server, curfew_failure *failure);
void store_close(store *st);
/* Holds the folder for this process until the store is closed; false: another server has it. */
bool store_claim(store *st, const char *folder, curfew_failure *failure);

/* How often a server was started with it, this time included: the number of its life. Before it writes. */
uint64_t store_begin_life(store *st);

/*
 * Starts and ends the writing thread; ending writes what is left. after is called without the server's lock when writes
 * were told.
 */
bool store_start(store *st, server *s, void (*after)(server *s));
void store_stop(store *st);

typedef struct store_stats {
	uint64_t commits;
	uint64_t writes;
	uint64_t failures;
	uint64_t bytes; /* of the database */
	bool healthy;   /* the last commit worked */
	char problem[128];
} store_stats;
void store_get_stats(store *st, store_stats *stats);

/* The longest report that is written; SQLite takes no text of more than 1,000,000,000 bytes. */
#define STORE_REPORT_MAX ((size_t)900000000)

/* ---- Writing: under the server's lock, done later by the thread ------------------------------------------- */

/*
 * Called under the server's lock when a write is on disk, or failed and will not be tried again. context is what was
 * given; problem is NULL after success.
 */
typedef void (*store_done)(server *s, void *context, const char *problem);

/* All return false when out of memory, and then call nothing back. A run is held until its write is done. */
bool store_insert_run(store *st, run *r, const char *source, size_t length, store_done done, void *context);
bool store_start_run(store *st, run *r, store_done done, void *context);
/* A failed one is told, and tried again until it works. */
bool store_end_run(store *st, run *r, store_done done, void *context);
/* Its output and checkpoint so far, soon. */
void store_note_news(store *st, run *r);

typedef struct stored_program {
	char *owner; /* of those that are read */
	char *name;
	char sha256[SHA256_ROOM];
	curfew_language language;
	char *kind;
	char *exports; /* JSON; "": stored by a version that did not know them */
	uint64_t size_bytes;
	int64_t created_us, updated_us;
} stored_program;
void stored_program_finish(stored_program *p);

/* Bytes of the programs that an owner has stored; UINT64_MAX: the database failed. */
uint64_t store_count_program_bytes(store *st, const char *owner);

/* The name and the source's bytes are copied. owner "": everybody's. */
bool store_put_program(store *st, const char *owner, const stored_program *p, const void *source, store_done done,
                       void *context);
bool store_delete_program(store *st, const char *owner, const char *name, store_done done, void *context);

/* ---- Reading: at once, without the server's lock ----------------------------------------------------------- */

typedef struct run_filter {
	const char *owner;   /* NULL: of everybody */
	const char *program; /* NULL: any */
	const char *after;   /* NULL: from the newest */
	const char *id;      /* NULL: any; else only this one */
	int outcome;         /* -1: any */
	size_t most;
} run_filter;

/* Shows runs that have ended, newest first, until show returns false. False: the database failed. */
bool store_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view), void *context);
/* The id and the hash of the body of the run with this key. */
bool store_find_key(store *st, const char *owner, const char *key, char id[ID_ROOM], char body_sha256[SHA256_ROOM]);

/* Shows programs of an owner (NULL: of all), or one by name. */
bool store_read_programs(store *st, const char *owner, const char *name, void (*show)(void *context, const stored_program *p),
                         void *context);
/* The bytes of a source; free with free. NULL: it is not there. */
void *store_read_source(store *st, const char *sha256, curfew_language language, size_t *length);

/*
 * At the start, without the server's lock: every run that has not ended, oldest first. add takes over its reference;
 * output is what a run had printed, a JSON array of its output events, or NULL.
 */
bool store_load_runs(store *st, server *s, void (*add)(server *s, run *r, bool was_running, const char *output),
                     curfew_failure *failure);

/* ---- Tokens: also used by the command line ----------------------------------------------------------------- */

typedef struct stored_token {
	account account; /* id, name, hash, scopes and quotas */
	int64_t created_us, revoked_us;
} stored_token;

bool store_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                       curfew_failure *failure);
bool store_add_token(store *st, const account *token, curfew_failure *failure);
/* By id or name; *count tells how many were revoked. */
bool store_revoke_token(store *st, const char *word, int *count, curfew_failure *failure);

#endif
