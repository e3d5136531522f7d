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

enum { PG_READERS = 4, PG_PARAMS_MAX = 32, PG_TOLD_MAX = 256 };

/* One connection: used by one thread at a time, and connected again where it was lost. */
typedef struct pg_link {
	PGconn *conn;
	int64_t tried_us; /* when it was last connected in vain */
	bool is_busy;     /* of those that read */
} pg_link;

/* Who waits for a transaction is told after it, since whoever tells within one keeps all others from committing. */
typedef struct pg_told {
	bool has_work;  /* runs wait that nobody has */
	bool has_more;  /* than there is room for */
	bool is_unread; /* it was sent, and its results were not read */
	size_t count;
	char ids[PG_TOLD_MAX][ID_ROOM]; /* runs that have changed and that others show */
} pg_told;

typedef struct pg_store {
	store base;
	char *url;        /* holds the password: never shown */
	char reason[160]; /* of the last connection that failed; without the address */
	/* The taker is of the thread that looks for what is due. Of the writing thread, of the one that renews the lease,
	 * of the start and of retention, of the one that asks for runs and of its notifications, of the command line. */
	pg_link writer, keeper, admin, cluster, listener, taker, upkeep;
	bool is_writing;      /* a transaction of the writer's is open */
	pg_told told;         /* the writing thread's: what is told once that is committed */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t free;
	pg_link readers[PG_READERS];
	/* This node. */
	atomic_ullong node; /* its number, which every transaction checks; 0: none, or lost */
	uint64_t lease_us;
	pthread_t thread;
	bool has_thread, ends;
	atomic_ullong running;
	atomic_bool is_draining;
	int64_t renewed_since_us; /* no renewal has failed since then; the renewing thread's */
	atomic_llong
		clock_offset_us; /* what the database's clock is ahead of this machine's; all times in it are of that */
} pg_store;

static inline pg_store *pg_of(store *st)
{
	return (pg_store *)(void *)st;
}

/* Parameters of a statement, one after the other, as text; bytes in binary. */
typedef struct pg_params {
	int count;
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
	char numbers[PG_PARAMS_MAX][24];
} pg_params;

void pg_words(pg_params *p, const char *words);
void pg_number(pg_params *p, int64_t number);
/* NULL where it is UINT64_MAX. */
void pg_quota(pg_params *p, uint64_t max);
void pg_bytes(pg_params *p, const void *data, size_t length);

void pg_copy_reason(pg_store *st, char reason[160]);
/* Connects it if need be; false: that failed, st->reason says why. */
bool pg_connect(pg_store *st, pg_link *link);
void pg_close(pg_link *link);
/*
 * Carries out one statement, or several without parameters, and waits for it. The result is cleared by the caller;
 * NULL: it failed, and failure, if there is one, says why.
 */
PGresult *pg_run(pg_store *st, pg_link *link, const char *sql, const pg_params *params, const char *what,
                 curfew_failure *failure);
/* The same, on a connection that nobody else uses meanwhile. */
PGresult *pg_read_rows(store *st, const char *sql, const pg_params *p, const char *what, curfew_failure *failure);

/* How many rows there are; of a statement that failed, whose result is NULL, none. */
int pg_count(const PGresult *rows);
/* Clears a result. False: the statement failed. */
bool pg_end(PGresult *rows);

/* Columns of a result, which is in binary: NULL for NULL, and 0. */
const char *pg_get(const PGresult *rows, int row, const char *column);
int64_t pg_get_number(const PGresult *rows, int row, const char *column);
size_t pg_get_length(const PGresult *rows, int row, const char *column);

/* A time of this machine's clock as one of the database's, and the other way round; 0 stays. */
static inline int64_t pg_time(const pg_store *st, int64_t wall_us)
{
	return wall_us != 0 ? wall_us + atomic_load(&st->clock_offset_us) : 0;
}

static inline int64_t pg_local_time(const pg_store *st, int64_t us)
{
	return us != 0 ? us - atomic_load(&st->clock_offset_us) : 0;
}

/* What a run had printed: a JSON array of its output events, as they were; free with free. */
char *pg_load_output(store *st, const char *id);
/* Rows of SELECT * FROM runs; texts are of the result. */
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

/* Leaves the others, if it has joined. */
void pg_leave(pg_store *st);

store_status pg_begin(store *st);
store_status pg_write(store *st, const write_op *op);
store_status pg_write_news(store *st, const run_news *news);
store_status pg_commit(store *st);
int pg_clean(store *st, uint64_t *bytes);
void pg_drop_sources(store *st);

bool pg_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
                  void *context);
blob *pg_read_part(store *st, int64_t report_number, size_t part);
int pg_find_key(store *st, const char *owner, const char *key, char id[ID_ROOM], char body_sha256[SHA256_ROOM]);
bool pg_read_programs(store *st, const char *owner, const char *name,
                      void (*show)(void *context, const stored_program *p), void *context);
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
void pg_tell_load(store *st, uint64_t running, bool is_draining);
bool pg_read_nodes(store *st, void (*show)(void *context, const stored_node *node), void *context);
int pg_take_runs(store *st, const store_room *room, bool (*take)(void *context, const stored_run *r), void *context);
int pg_take_lost(store *st, bool (*take)(void *context, const stored_run *r), void *context);
int64_t pg_next_due(store *st);
bool pg_cancel_run(store *st, const char *id, void (*take)(void *context, const stored_run *r), void *context);
bool pg_look_at_run(store *st, const char *id, void (*show)(void *context, const stored_run *r), void *context);
bool pg_read_orders(store *st, void (*show)(void *context, const stored_run *r), void *context);
int pg_follow(store *st, const char *const *ids, const uint64_t *after, size_t count, const store_follower *follower);
bool pg_count_waiting(store *st, void (*show)(void *context, const store_waiting *w), void *context);
unsigned pg_await(store *st, int64_t most_us, int descriptor, const store_hearer *hearer);
void pg_offer_room(store *st, uint64_t runs);
void pg_ask_for_room(store *st);

#endif
