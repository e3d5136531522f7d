/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the server share: its runs, accounts and programs, and one lock for all of them. Threads: one for
 * HTTP, one that writes to the store, one for time, and the pool's. Nobody holds the lock while waiting for anything;
 * who reads the store may take it, and not the other way round.
 */
#ifndef CURFEW_SERVER_SERVER_H
#define CURFEW_SERVER_SERVER_H

#include "blob.h"
#include "config.h"
#include "curfew.h"
#include "id.h"
#include "scheduler.h"
#include "view.h"
#include "worker/pool.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

typedef struct server server;
typedef struct request request;
typedef struct store store;
typedef struct run run;

/* ---- Accounts: who asks (tokens.c) ----------------------------------------------------------------------- */

#define SCOPE_RUN 1u
#define SCOPE_READ 2u
#define SCOPE_ADMIN 4u
#define SCOPE_METRICS 8u
#define SCOPE_ALL (SCOPE_RUN | SCOPE_READ | SCOPE_ADMIN | SCOPE_METRICS)

typedef struct histogram {
	uint64_t counts[24]; /* by the table in metrics.c; the last one is everything above */
	uint64_t count;
	double sum_us;
} histogram;

/* What became of runs: of all of them, and of those of each token. */
typedef struct run_figures {
	uint64_t outcomes[CURFEW_OUTCOME_COUNT];
	histogram stop_latency, queue_wait, start_time, wall_time;
	uint64_t ended_in[64]; /* runs that ended, by second modulo 64 */
	int64_t ended_second;
} run_figures;

/* A token as the server knows it; one without id stands for everybody where no tokens are needed. */
typedef struct account {
	char id[TOKEN_ID_ROOM];
	char name[TOKEN_NAME_ROOM];
	unsigned char hash[32];
	unsigned scopes;
	bool revoked;
	bool is_over;                 /* revoked or expired, and its runs and streams were ended */
	run_figures figures;          /* of its runs, since the server was started */
	tenant tenant;                /* its runs, and how many may go on at once (running_max; UINT64_MAX: any number) */
	uint64_t queued_most;         /* runs that wait, for their turn or their time */
	uint64_t per_minute_most;     /* runs submitted in a minute */
	curfew_limits ceilings;       /* 0: none */
	unsigned priority_max;        /* that its runs may have */
	int64_t expires_us;           /* of the wall clock; 0: never */
	uint64_t programs_bytes_most; /* of the programs that it has stored */
	int64_t used_us;              /* when it was used last, of the wall clock; 0: never */
	int64_t noted_us;             /* the same, as the store was told */
	char user[CURFEW_USER_BYTES + 1];   /* whose its runs are; "": of whom they say */
	char allow_fetch[CONFIG_TEXT_MOST]; /* the hosts of the server's that its runs may be allowed; "": all */
	/* Of a shared database: what waits on no node and on others, and what was accepted in the last minute, when it was
	 * counted last. */
	uint64_t elsewhere_queued, elsewhere_scheduled, elsewhere_held, elsewhere_bytes, running_anywhere, last_minute;
	double allowance; /* of per_minute_most, what is left */
	int64_t allowance_us;
	struct account *next;
} account;

/* ---- Programs (programs.c) ------------------------------------------------------------------------------- */

/* A source that runs are made of, shared by those that are the same; ready for the pool when first needed. */
typedef struct program {
	char sha256[SHA256_ROOM];
	curfew_language language;
	char *name; /* as reports show it */
	worker_program *ready;
	size_t length;   /* of the bytes in ready */
	bool ready_once; /* ready is for one run only */
	bool stored;     /* the store has its bytes */
	unsigned refs;   /* of all who have to do with it */
	unsigned active; /* of those who may need what is ready */
	unsigned uses;
	bool is_idle;                  /* in the list of those that stay ready though nobody needs it */
	struct program *chain;         /* of the same bucket */
	struct program *newer, *older; /* in that list */
} program;

/* ---- Runs (run.c) ---------------------------------------------------------------------------------------- */

typedef struct event {
	event_kind kind;
	uint64_t number; /* later ones have higher ones; of a run of another node some may be missing */
	blob *data;      /* JSON */
} event;

/* Events of runs that are there again after a start are numbered from the server's life, shifted by this. */
enum { RETRIES_MOST = 10, EVENT_LIFE_SHIFT = 32 };

/* What those who listen to a run are told: there is one more event; something else has changed, it may be its end. */
typedef enum run_news { NEWS_EVENT, NEWS_CHANGE } run_news;

typedef struct run_listener {
	struct run_listener *next;
	void (*notify)(struct run_listener *l, run_news news);
} run_listener;

struct run {
	char id[ID_ROOM];
	run_state state;
	unsigned refs;
	account *owner;

	/* What was asked for. */
	program *program;
	char *program_name; /* NULL: the source came with it */
	char *call;         /* may be NULL */
	char *params;
	size_t params_length;
	char *user;        /* may be NULL */
	char *allow_fetch; /* hosts, with blanks between; may be NULL */
	char *wasi;        /* arguments, environment, standard input and more, as JSON (wasi.h); may be NULL */
	char *schedule;    /* whose turn it is; NULL: of none */
	int64_t turn_us, next_turn_us;
	char *hook_url;    /* who is told of its end; NULL: nobody */
	char *hook_secret; /* may be NULL */
	curfew_limits limits;
	uint32_t flags; /* CURFEW_RUN_* */
	waiting turn;   /* where it stands among those that wait, its priority and when it is due */
	unsigned retry; /* how often it may be run again after a crash */
	bool durable;
	char *idempotency_key; /* may be NULL */
	char body_sha256[SHA256_ROOM];

	/* What became of it. Times on disk are of the wall clock, others are not. */
	unsigned attempt;
	int64_t created_wall_us, due_wall_us, started_wall_us, ended_wall_us;
	int64_t queued_us;
	int64_t queue_us; /* waited for its turn; -1: still waits */
	bool inserted;    /* the store has it, or is about to */
	bool accepted;    /* the store has it, or it is not durable: nothing can lose it any more */
	bool refused;     /* the store could not take it: it never was */
	bool launched;    /* it counts as running */
	bool begun_first; /* it was launched before it was written, which is to be told as one */
	bool ended;       /* there is a report; shown as done when that is written */
	bool written;     /* its end is in the store, or it is not durable */
	worker_run *worker;
	unsigned cancels;
	curfew_outcome outcome;
	run_summary summary; /* of the report */
	blob *report;
	blob *checkpoint; /* the last one */
	run_hook hook;    /* what became of telling its end, but for the texts */
	char hook_problem[128];

	/* Its last events, for streams: a ring, whose first one has the number first_event. */
	event *events;
	size_t event_start, event_count, event_capacity, event_bytes;
	uint64_t first_event; /* its number; if there is none, next_event */
	uint64_t next_event;  /* the number of the next one */
	/* What the store does not have yet of its output and checkpoint. */
	struct run *dirty_next;
	bool dirty;
	uint64_t output_stored; /* number of the first output event not stored */

	/* Where many servers share the database. */
	uint64_t node, epoch; /* under which number this node has it; how often it was taken */
	int64_t held_us;      /* since when it waits on this node */
	bool is_foreign;      /* another node has it, or none yet: here it is only shown */
	bool is_taken;        /* this node took it: that it starts is written */
	unsigned put_off;     /* how often the database did not give its source */
	bool is_watched;      /* another node shows it: all of its events are written */
	bool is_in_flight;    /* the pool has it */
	bool is_left;         /* the pool has it still, and what comes of that means nothing */
	bool has_key_taken;   /* refused, since another run has its key */
	unsigned missed;      /* how often it was looked for in vain */

	run_listener *listeners;
	bool is_attended; /* it is cancelled when nobody waits any more: nobody else would ever see its report */
	struct run *chain;
	struct run *key_chain;
	struct run *next;          /* to be launched */
	struct run *newer, *older; /* ended ones that are kept */
	bool kept;
};

/* ---- The server ------------------------------------------------------------------------------------------ */

/* How often a route was answered with a status. */
enum { ANSWER_KINDS_MAX = 256 };

typedef struct answer_count {
	const char *method, *pattern; /* static */
	unsigned status;
	uint64_t count;
} answer_count;

typedef struct metrics {
	answer_count answers[ANSWER_KINDS_MAX];
	size_t answer_kinds;
	run_figures runs;
	uint64_t submitted;
	uint64_t deliveries[HOOK_STATES]; /* attempts to tell of a run's end, by what became of them */
	uint64_t turns, turns_passed;     /* of schedules: those that had a run, and those that had none */
	uint64_t refused[16];             /* by refusal */
	uint64_t requests;
} metrics;

/* calibration.c */
typedef struct calibration {
	blob *figures; /* as curfew calibrate prints them; NULL: not known */
	bool is_measuring, is_recall, is_ending;
	bool has_failed; /* the last time */
	bool has_thread;
	pthread_t thread;
	pid_t process; /* 0: none */
} calibration;

enum { RUN_BUCKETS = 1 << 14, PROGRAM_BUCKETS = 1 << 10 };

struct server {
	curfew__mutex lock;
	const config *config;
	curfew_limits ceilings;  /* of every run, the memory budget among them; 0: none */
	curfew_secrets *secrets; /* NULL: there are none */
	worker_pool *pool;
	store *store;
	struct http *http;
	struct helpers *helpers;
	struct due *due;
	struct webhooks *webhooks;
	atomic_bool stopping; /* takes no more runs */
	bool refresh_failed;  /* the last time that tokens were read */
	bool closing;         /* waits for none either: every request is answered */
	bool launching;       /* starts runs; false while it loads and when it ends */
	int64_t started_us;
	int64_t watchdog_us; /* how often systemd wants to hear of it; 0: never */
	uint64_t life;       /* how often a server was started with these data, this time included */

	/* Where many servers share the database (cluster.c). */
	bool is_shared;
	bool has_work;        /* runs have come that no node has, since this one looked for them last */
	bool has_backlog;     /* such runs were left when it did: what comes now waits behind them */
	bool has_lost;        /* a node is over, whose runs are to be closed */
	uint64_t pace;        /* so many runs have ended here lately, in SERVICE_PACE_US */
	int nudge, over;      /* eventfds: there is something to do for who takes runs; the threads are to end */
	size_t foreign_count; /* runs that are only shown here */
	size_t left_count;    /* runs that are another's now, and that the pool still has */
	uint64_t elsewhere_queued, elsewhere_scheduled, elsewhere_held, elsewhere_bytes; /* of all accounts */
	uint64_t elsewhere_nodes;                                                        /* that there are */
	uint64_t elsewhere_room;                                                         /* of other nodes, as they said */
	int64_t elsewhere_room_us;                                                       /* when */
	pthread_t taker, listener;
	bool has_taker, has_listener, cluster_ends;

	run *runs[RUN_BUCKETS];
	run *keys[RUN_BUCKETS]; /* by owner and idempotency key */
	run *newest, *oldest;   /* ended ones that are kept */
	size_t kept_count, kept_bytes;

	account *accounts;
	account *anybody;
	bool tokens_needed;

	program *programs[PROGRAM_BUCKETS];
	program *newest_program, *oldest_program;
	size_t idle_programs, idle_program_bytes;
	size_t idle_programs_max; /* as there are descriptors */

	scheduler scheduler;
	size_t ending_count; /* ended, but not yet shown as done */
	run *launch_first, *launch_last;
	run *dirty_first;
	uint64_t finished_since_stop, cancelled_since_stop;

	pthread_t ticker;
	pthread_cond_t tick;
	bool ticker_ends;
	size_t streams;
	metrics metrics;
	calibration calibration;
};

static inline void server_lock(server *s) CURFEW__ACQUIRES(s->lock);
static inline void server_unlock(server *s) CURFEW__RELEASES(s->lock);

static inline void server_lock(server *s)
{
	curfew__mutex_lock(&s->lock);
}

/* Where many servers share the database: there is something to do. Any thread. */
static inline void server_nudge(server *s)
{
	uint64_t one = 1;
	if (s->is_shared)
		(void)!write(s->nudge, &one, sizeof one);
}

static inline void server_unlock(server *s)
{
	curfew__mutex_unlock(&s->lock);
}

#endif
