/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the PostgreSQL store share: store_postgres_query.c connects and asks, store_postgres_read.c reads,
 * store_postgres_nodes.c is about the servers that share it, store_postgres_due.c about what comes due,
 * store_postgres_write.c writes, store_postgres.c migrates and opens.
 */
#ifndef CURFEW_SERVER_STORE_POSTGRES_H
#define CURFEW_SERVER_STORE_POSTGRES_H

#include "pq.h"
#include "store_private.h"

#include <stdatomic.h>

enum { PG_READERS = 4, PG_PARAMS_MAX = 32, PG_PREPARED_MAX = 64, PG_TOLD_MAX = 256 };

/* One connection. One thread at a time uses it, and it is connected again if it was lost. */
typedef struct pg_link {
	PGconn *conn;
	int64_t tried_us; /* when connecting last failed */
	bool is_busy;     /* of the reading connections */
	bool is_new;      /* connected, and not yet prepared by its user: for pipelines, or to listen */
	/* Hashes of the statements that it has prepared. */
	uint64_t prepared[PG_PREPARED_MAX];
	size_t prepared_count;
} pg_link;

/* Notifications are sent after the transaction, because a transaction with a notification keeps all others from
 * committing. */
typedef struct pg_notified {
	bool has_work;  /* runs wait without an owner */
	bool has_more;  /* more than fit into ids */
	bool is_unread; /* sent, but its results were not read */
	size_t count;
	char ids[PG_TOLD_MAX][ID_SIZE]; /* changed runs that others show */
} pg_notified;

typedef struct pg_store {
	store base;
	int64_t schema;   /* the version that this program knows */
	char *url;        /* contains the password, and is never shown */
	char reason[160]; /* of the last connection that failed; without the address */
	/* The connections of: the writing thread, the thread that renews the lease, the start and retention, the thread
	 * that takes runs, its notifications, the thread that checks what is due, and maintenance by the command line. */
	pg_link writer, keeper, admin, cluster, listener, taker, upkeep;
	bool is_writing;      /* a transaction of the writer's is open */
	pg_notified told;     /* used by the writing thread: notifications to send after the commit */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t free;
	pg_link readers[PG_READERS];
	/* This node. */
	atomic_ullong node; /* the number of this node, which every transaction checks; 0: none, or lost */
	uint64_t lease_us;
	pthread_t thread;
	bool has_thread, ends;
	atomic_ullong running;
	atomic_bool is_draining;
	int64_t renewed_since_us; /* no renewal has failed since then; used by the renewing thread */
	atomic_llong
		clock_offset_us; /* what the database's clock is ahead of this machine's; all times in it are of that */
	/* Retention by size, used by the thread that cleans. */
	struct pg_owner_bytes *largest; /* the owners' parts of the history, as last counted */
	size_t owner_count;
	uint64_t excess;    /* bytes that are still to be dropped */
	int64_t counted_us; /* when they were counted */
} pg_store;

static inline pg_store *pg_of(store *st)
{
	return (pg_store *)(void *)st;
}

/* Parameters of a statement, in order, as text; bytes are binary. */
typedef struct pg_params {
	int count;
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
	char numbers[PG_PARAMS_MAX][24];
} pg_params;

void pg_words(pg_params *p, const char *words);
void pg_number(pg_params *p, int64_t number);
/* NULL if it is UINT64_MAX. */
void pg_quota(pg_params *p, uint64_t max);
void pg_bytes(pg_params *p, const void *data, size_t length);

void pg_copy_reason(pg_store *st, char reason[160]);
/* Says that the database has this version of the schema, for nothing older than that one. Returns false. */
bool pg_refuse_newer(const pg_store *st, int64_t version, int64_t oldest, curfew_failure *failure);
/* Connects it if necessary. False: that failed, and st->reason says why. */
bool pg_connect(pg_store *st, pg_link *link);
void pg_close(pg_link *link);
/*
 * Executes one statement, which the connection keeps prepared, or several without parameters, and waits for it. The
 * caller clears the result. NULL: it failed, and failure (may be NULL) says why.
 */
PGresult *pg_run(pg_store *st, pg_link *link, const char *sql, const pg_params *params, const char *what,
                 curfew_failure *failure);
/* The same, on a free reading connection. */
PGresult *pg_read_rows(store *st, const char *sql, const pg_params *p, const char *what, curfew_failure *failure);

/* How many rows there are; of a statement that failed, whose result is NULL, none. */
int pg_count(const PGresult *rows);
/* Clears a result. False: the statement failed. */
bool pg_end(PGresult *rows);

/* Reads columns of a binary result. NULL becomes NULL or 0. */
const char *pg_get(const PGresult *rows, int row, const char *column);
int64_t pg_get_number(const PGresult *rows, int row, const char *column);
size_t pg_get_length(const PGresult *rows, int row, const char *column);

/* Converts between times of this machine's clock and the database's; 0 stays. */
static inline int64_t pg_time(const pg_store *st, int64_t wall_us)
{
	return wall_us != 0 ? wall_us + atomic_load(&st->clock_offset_us) : 0;
}

static inline int64_t pg_local_time(const pg_store *st, int64_t us)
{
	return us != 0 ? us - atomic_load(&st->clock_offset_us) : 0;
}

/* Reads a run's output: a JSON array of its output events; free it with free. */
char *pg_load_output(store *st, const char *id);
/* Reads a row of SELECT * FROM runs; texts belong to the result. */
void pg_fill_run(pg_store *st, stored_run *run, const PGresult *rows, int i);
void pg_fill_view(pg_store *st, run_view *view, const PGresult *rows, int i);

/* store_postgres_due.c: parameters of writes, and what is taken. */
void pg_schedule_params(pg_store *st, pg_params *p, const stored_schedule *schedule);
void pg_turn_params(pg_store *st, pg_params *p, const stored_turn *turn);
void pg_attempt_params(pg_store *st, pg_params *p, const stored_attempt *attempt);
bool pg_read_schedules(store *st, const char *owner, const char *name,
                       void (*show)(void *context, const stored_schedule *schedule), void *context);
bool pg_take_schedules(store *st, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                       void *context);
bool pg_take_deliveries(store *st, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                        void *context);

/* Leaves the cluster, if it has joined. */
void pg_leave(pg_store *st);

store_status pg_begin(store *st);
store_status pg_write(store *st, const write_op *op);
store_status pg_write_news(store *st, const run_news *news);
store_status pg_commit(store *st);
store_cleaning pg_clean(store *st);
void pg_drop_sources(store *st);

bool pg_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
                  void *context);
blob *pg_read_part(store *st, int64_t report_number, size_t part);
int pg_find_key(store *st, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE]);
bool pg_read_programs(store *st, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
                      void *context);
uint64_t pg_count_program_bytes(store *st, const char *owner);
void *pg_read_source(store *st, const char *sha256, curfew_language language, size_t *length);
bool pg_load_runs(store *st, bool (*add)(void *context, const stored_run *r), void *context, curfew_failure *failure);
bool pg_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                    curfew_failure *failure);
bool pg_add_token(store *st, const stored_token *token, curfew_failure *failure);
bool pg_revoke_token(store *st, const char *word, int *count, curfew_failure *failure);
bool pg_drop_runs(store *st, const store_prune *prune, store_pruned *pruned, curfew_failure *failure);
bool pg_back_up(store *st, const char *path, uint64_t *bytes, curfew_failure *failure);
bool pg_examine(store *st, store_check *check, curfew_failure *failure);

bool pg_join(store *st, const store_member *member, curfew_failure *failure);
uint64_t pg_node(store *st);
void pg_publish_load(store *st, uint64_t running, bool is_draining);
bool pg_read_nodes(store *st, void (*show)(void *context, const stored_node *node), void *context);
int pg_take_runs(store *st, const store_capacity *room, bool (*take)(void *context, const stored_run *r),
                 void *context);
int pg_take_lost(store *st, bool (*take)(void *context, const stored_run *r), void *context);
int64_t pg_next_due(store *st);
bool pg_cancel_run(store *st, const char *id, void (*take)(void *context, const stored_run *r), void *context);
bool pg_look_at_run(store *st, const char *id, void (*show)(void *context, const stored_run *r), void *context);
bool pg_read_orders(store *st, void (*show)(void *context, const stored_run *r), void *context);
int pg_follow(store *st, const char *const *ids, const uint64_t *after, size_t count, const store_follower *follower);
bool pg_count_waiting(store *st, void (*show)(void *context, const store_waiting *w), void *context);
bool pg_make_due(store *st, const char *owners);
unsigned pg_await(store *st, int64_t max_us, int descriptor, const store_hearer *hearer);
void pg_offer_capacity(store *st, uint64_t runs);
void pg_ask_for_capacity(store *st);

#endif
