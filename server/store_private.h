/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the store and its databases: store.c has the thread and its queue; a backend does the rest. */
#ifndef CURFEW_SERVER_STORE_PRIVATE_H
#define CURFEW_SERVER_STORE_PRIVATE_H

#include "store.h"

#include <pthread.h>

typedef enum write_kind {
	WRITE_RUN,
	WRITE_NO_RUN,
	WRITE_START,
	WRITE_END,
	WRITE_BACK,
	WRITE_NEWS,
	WRITE_PROGRAM,
	WRITE_NO_PROGRAM,
	WRITE_TOKEN_USE,
	WRITE_SCHEDULE,
	WRITE_NO_SCHEDULE,
	WRITE_TURN,
	WRITE_ATTEMPT
} write_kind;

/* One write. Its data follows it, or it holds references to it; the data does not change any more. */
typedef struct write_op {
	struct write_op *next;
	write_kind kind;
	store_done done;
	void *context;
	bool until_it_works;
	bool told;
	int64_t asked_us;
	bool is_in_doubt; /* an attempt may have succeeded, but that is unknown */
	union {
		stored_run run;
		stored_start start;
		stored_end end;
		struct run_news *news;
		stored_program program;
		stored_schedule schedule;
		stored_turn turn;
		stored_attempt attempt;
		struct {
			const char *id;
			int64_t used_us;
		} use;
	};
	const char *source; /* NULL: the store has it */
	size_t source_length;
	char texts[];
} write_op;

/* New output and checkpoints of a run. */
typedef struct run_news {
	struct run_news *next;
	char id[ID_SIZE];
	blob *checkpoint; /* NULL: none */
	bool is_watched;
	size_t count;
	stored_event events[];
} run_news;

struct store_news {
	run_news *first;
};

/*
 * The result of a write. After STORE_REFUSED the next write may succeed; after STORE_FAILED it will not. STORE_UNKNOWN:
 * the connection to the database was lost before it confirmed the write.
 */
typedef enum store_status { STORE_OK, STORE_REFUSED, STORE_FAILED, STORE_UNKNOWN } store_status;

typedef struct store_cleaning {
	int dropped;      /* runs */
	bool has_more;    /* there is more to do, now or in a moment */
	bool has_sources; /* some sources may be unused */
	uint64_t bytes;   /* what the database holds then */
} store_cleaning;

/* A database. Unless stated otherwise, only the writing thread calls these. */
typedef struct store_backend {
	void (*close)(store *st);
	bool (*claim)(store *st, curfew_failure *failure);
	uint64_t (*begin_life)(store *st);

	/* One transaction; a failure leaves its reason in st->reason, and ends the transaction. */
	store_status (*begin)(store *st);
	store_status (*write)(store *st, const write_op *op);
	store_status (*write_news)(store *st, const run_news *news);
	store_status (*commit)(store *st);

	/* Drops a little of what is too old or too much. */
	store_cleaning (*clean)(store *st);
	/* Drops some sources that nothing needs. */
	void (*drop_sources)(store *st);
	bool cleans_aside; /* a thread of their own calls these two */

	/* By any thread; like the functions of the same names in store.h. */
	bool (*read_runs)(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
	                  void *context);
	blob *(*read_part)(store *st, int64_t report_number, size_t part);
	int (*find_key)(store *st, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE]);
	bool (*read_programs)(store *st, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
	                      void *context);
	uint64_t (*count_program_bytes)(store *st, const char *owner);
	void *(*read_source)(store *st, const char *sha256, curfew_language language, size_t *length);
	bool (*read_schedules)(store *st, const char *owner, const char *name,
	                       void (*show)(void *context, const stored_schedule *schedule), void *context);
	/* By one thread, which is not the writing one. */
	bool (*take_schedules)(store *st, size_t max, void (*show)(void *context, const stored_schedule *schedule),
	                       void *context);
	bool (*take_deliveries)(store *st, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
	                        void *context);
	bool (*load_runs)(store *st, bool (*add)(void *context, const stored_run *r), void *context,
	                  curfew_failure *failure);
	bool (*read_tokens)(store *st, void (*show)(void *context, const stored_token *token), void *context,
	                    curfew_failure *failure);
	bool (*add_token)(store *st, const stored_token *token, curfew_failure *failure);
	bool (*revoke_token)(store *st, const char *word, int *count, curfew_failure *failure);
	bool (*drop_runs)(store *st, const store_prune *prune, store_pruned *pruned, curfew_failure *failure);
	bool (*back_up)(store *st, const char *path, uint64_t *bytes, curfew_failure *failure);
	bool (*examine)(store *st, store_check *check, curfew_failure *failure);

	/* For a shared database; NULL if it cannot be shared. */
	bool (*join)(store *st, const store_member *member, curfew_failure *failure);
	uint64_t (*node)(store *st);
	void (*publish_load)(store *st, uint64_t running, bool is_draining);
	bool (*read_nodes)(store *st, void (*show)(void *context, const stored_node *node), void *context);
	int (*take_runs)(store *st, const store_capacity *room, bool (*take)(void *context, const stored_run *r),
	                 void *context);
	int (*take_lost)(store *st, bool (*take)(void *context, const stored_run *r), void *context);
	int64_t (*next_due)(store *st);
	bool (*cancel_run)(store *st, const char *id, void (*take)(void *context, const stored_run *r), void *context);
	bool (*look_at_run)(store *st, const char *id, void (*show)(void *context, const stored_run *r), void *context);
	bool (*read_orders)(store *st, void (*show)(void *context, const stored_run *r), void *context);
	int (*follow)(store *st, const char *const *ids, const uint64_t *after, size_t count,
	              const store_follower *follower);
	bool (*count_waiting)(store *st, void (*show)(void *context, const store_waiting *w), void *context);
	bool (*make_due)(store *st, const char *owners);
	unsigned (*await)(store *st, int64_t max_us, int descriptor, const store_hearer *hearer);
	void (*offer_capacity)(store *st, uint64_t runs);
	void (*ask_for_capacity)(store *st);
} store_backend;

/* STORE_DROP_MAX: how many runs retention drops at once. */
enum { STORE_HOLD_BUCKETS = 1 << 10, STORE_DROP_MAX = 200 };

/* The common part of every backend's struct, which begins with it. */
struct store {
	const store_backend *backend;
	store_listener listener;
	store_retention retention;
	char reason[128];  /* used by the writing thread: why its last write failed */
	bool is_key_taken; /* the same: that was why */

	/* Guarded by its lock, which nobody holds while calling anything. */
	pthread_mutex_t lock;
	pthread_cond_t work, cleaning;
	pthread_t thread, cleaner; /* cleaner: if the backend cleans aside */
	write_op *first, *last;
	size_t count;  /* writes that wait */
	size_t wanted; /* the writing thread is woken when so many wait */
	bool running, has_cleaner, ending, has_news;
	int64_t writing_us;                     /* when the transaction in progress began; 0: none */
	int64_t failed_us;                      /* when the last one failed */
	curfew__list holds[STORE_HOLD_BUCKETS]; /* by the id of their run */
	char dropping[STORE_DROP_MAX][ID_SIZE]; /* the runs that retention is just dropping */
	size_t dropping_count;
	size_t doubts; /* refused runs that may be in the database, until they are removed from it */
	store_stats stats;
};

/* The approximate size of a run in the database, without its texts. */
enum { STORE_ROW_BYTES = 512 };
/* How long the key of a run is kept, even if the run was dropped. */
#define STORE_KEYS_KEPT_US (INT64_C(24) * 3600 * 1000000)

/* For a backend: called before and after everything else. */
void store_init(store *st, const store_backend *backend);
void store_finish(store *st);

/* By the thread that cleans: whether a run may be dropped now. If so, nobody can hold it until store_end_drop, which is
 * called after the transaction. False as well after STORE_DROP_MAX runs. */
bool store_may_drop(store *st, const char *id);
void store_end_drop(store *st);

/* By any thread: notes whether the database can be used, as far as that is known without a write. */
void store_note_health(store *st, bool is_healthy, const char *reason);

/* The PostgreSQL database at an address (store_postgres.c). */
store *store_open_postgres(const char *url, store_user user, curfew_failure *failure);
/* The SQLite database of a directory (store_sqlite.c). */
store *store_open_sqlite(const char *directory, store_user user, curfew_failure *failure);

#endif
