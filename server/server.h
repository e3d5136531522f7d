/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the server share: its runs, accounts and programs, and one lock for all of them. There is one
 * thread for HTTP, one that writes to the store, one for time, and those of the pool. Nobody holds the lock while
 * waiting for anything. A thread that reads the store may take the lock, but a thread with the lock must not read the
 * store.
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
	uint64_t counts[24]; /* by the bounds in metrics.c; the last bucket has everything above */
	uint64_t count;
	double sum_us;
} histogram;

/* Results of runs: of all runs, and of those of each token. */
typedef struct run_figures {
	uint64_t outcomes[CURFEW_OUTCOME_COUNT];
	histogram stop_latency, queue_wait, start_time, wall_time;
	uint64_t ended_in[64]; /* runs that ended, by second modulo 64 */
	int64_t ended_second;
} run_figures;

/* A token in the server. The one without id stands for everybody, if no tokens are needed. */
typedef struct account {
	char id[TOKEN_ID_SIZE];
	char name[TOKEN_NAME_SIZE];
	unsigned char hash[32];
	unsigned scopes;
	bool revoked;
	atomic_bool is_over;               /* revoked or expired; its waiting runs and its streams were ended */
	bool is_hastened;                  /* in a shared database, its runs that wait for their time were made due */
	run_figures figures;               /* of its runs, since the server was started */
	tenant tenant;                     /* its runs, and the limit of concurrent ones (running_max; UINT64_MAX: none) */
	uint64_t queued_max;               /* limit of runs that wait, for their turn or their time */
	uint64_t per_minute_max;           /* limit of runs submitted in a minute */
	curfew_limits ceilings;            /* 0: none */
	unsigned priority_max;             /* the highest priority of its runs */
	int64_t expires_us;                /* of the wall clock; 0: never */
	uint64_t programs_bytes_max;       /* limit of the programs that it stores */
	size_t streams;                    /* its open event streams */
	size_t waits;                      /* its requests that wait for the end of a run, as last counted */
	uint64_t body_bytes;               /* of its requests that hold a body; HTTP thread only */
	uint64_t programs_reserved_bytes;  /* of those that are about to be written */
	size_t schedules_reserved;         /* places of schedules that are about to be written */
	int64_t used_us;                   /* when it was used last, of the wall clock; 0: never */
	int64_t noted_us;                  /* the same, as last written to the store */
	char user[CURFEW_USER_BYTES + 1];  /* the user of its runs; "": each run names it */
	char allow_fetch[CONFIG_TEXT_MAX]; /* the hosts, of the server's, that its runs may reach; "": all */
	/* In a shared database: runs that wait without an owner or on other nodes, and runs accepted in the last minute, as
	 * last counted. */
	uint64_t elsewhere_queued, elsewhere_scheduled, elsewhere_held, elsewhere_bytes, running_anywhere, last_minute;
	double allowance; /* the rest of per_minute_max */
	int64_t allowance_us;
	struct account *next;
} account;

/* ---- Programs (programs.c) ------------------------------------------------------------------------------- */

/* The source of runs; equal sources share it. It is passed to the pool at first use. */
typedef struct program {
	char sha256[SHA256_SIZE];
	curfew_language language;
	char *name; /* the name in reports */
	worker_program *ready;
	size_t length;   /* length of the bytes in ready */
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
	uint64_t number; /* ascending; for a run of another node some may be missing */
	blob *data;      /* JSON; NULL: a report that is only in the store */
} event;

/* After a restart, event numbers of a run continue at the server's life shifted by this. */
enum { RETRIES_MAX = 10, EVENT_LIFE_SHIFT = 32 };

/* Notifications to listeners of a run: a new event; or another change, perhaps its end. */
typedef enum run_news { NEWS_EVENT, NEWS_CHANGE } run_news;

typedef struct run_listener {
	struct run_listener *next;
	void (*notify)(struct run_listener *l, run_news news);
} run_listener;

struct run {
	char id[ID_SIZE];
	run_state state;
	unsigned refs;
	account *owner;

	/* The submission. */
	program *program;
	char *program_name; /* NULL: the source was submitted with the run */
	char *call;         /* may be NULL */
	char *params;
	size_t params_length;
	char *user;        /* may be NULL */
	char *allow_fetch; /* hosts, with spaces between; may be NULL */
	char *wasi;        /* arguments, environment, standard input and more, as JSON (wasi.h); may be NULL */
	char *schedule;    /* the schedule whose turn it is; NULL: none */
	int64_t turn_us, next_turn_us;
	char *hook_url;    /* the URL that its end is sent to; NULL: none */
	char *hook_secret; /* may be NULL */
	curfew_limits limits;
	uint32_t flags; /* CURFEW_RUN_* */
	waiting turn;   /* its place in the queue, its priority and its due time */
	unsigned retry; /* how often it may be run again after a crash */
	bool durable;
	char *idempotency_key; /* may be NULL */
	char body_sha256[SHA256_SIZE];

	/* Its progress. Times on disk are of the wall clock, others are not. */
	unsigned attempt;
	int64_t created_wall_us, due_wall_us, started_wall_us, ended_wall_us;
	int64_t queued_us;
	int64_t queue_us; /* waited for its turn; -1: still waits */
	bool inserted;    /* the store has it, or will have it */
	bool accepted;    /* the store has it, or it is not durable: the submission is complete */
	bool refused;     /* the store could not write it, so it counts as never accepted */
	bool launched;    /* it counts as running */
	bool begun_first; /* it was launched before it was written; both are reported together */
	bool ended;       /* there is a report; the run is shown as done when that is written */
	bool written;     /* its end is in the store, or it is not durable */
	worker_run *worker;
	unsigned cancels;
	curfew_outcome outcome;
	run_summary summary; /* of the report */
	blob *report;        /* NULL: it has none yet, or a large one, which is only in the store */
	size_t report_length;
	blob *checkpoint; /* the last one */
	run_hook hook;    /* the state of its webhook, without the texts */
	char hook_problem[128];

	/* Its last events, for streams: a ring whose first event has the number first_event. */
	event *events;
	size_t event_start, event_count, event_capacity, event_bytes;
	uint64_t first_event; /* number of the first event; if there is none, next_event */
	uint64_t next_event;  /* number of the next event */
	/* The part of its output and checkpoint that is not stored yet. */
	struct run *dirty_next;
	bool dirty;
	uint64_t output_stored; /* number of the first output event not stored */

	/* For a shared database. */
	uint64_t node, epoch; /* the number under which this node has it; how often it was taken */
	int64_t held_us;      /* when it began to wait on this node */
	bool is_foreign;      /* another node has it, or none yet; it is only shown here */
	bool is_taken;        /* this node took it, and its start is written */
	unsigned put_off;     /* how often its source could not be read */
	bool is_watched;      /* another node shows it, so all of its events are written */
	bool is_in_flight;    /* the pool has it */
	bool is_left;         /* the pool still has it, but the result is ignored */
	bool has_key_taken;   /* refused, because another run has its key */
	unsigned missed;      /* how often it was not found */

	run_listener *listeners;
	bool is_attended; /* it is cancelled when nobody waits any more, because nobody could ever see its report */
	struct run *chain;
	struct run *key_chain;
	struct run *next;          /* next run to be launched */
	struct run *newer, *older; /* links of ended runs that are kept */
	struct kept_runs *among;   /* of which list; NULL: it is not kept yet */
};

/* Ended runs that are kept, by their end. */
typedef struct kept_runs {
	run *newest, *oldest;
	run *next_to_forget; /* those that are older are not written */
	size_t count, bytes;
} kept_runs;

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
	uint64_t deliveries[HOOK_STATES]; /* attempts to report the end of a run, by result */
	uint64_t turns, turns_passed;     /* turns of schedules with a run, and without */
	uint64_t refused[16];             /* by refusal */
	uint64_t requests;
} metrics;

/* calibration.c */
typedef struct calibration {
	blob *figures; /* the output of curfew calibrate; NULL: not known */
	bool is_measuring, is_recall, is_ending;
	bool has_failed; /* the last measurement */
	bool has_thread;
	pthread_t thread;
	pid_t process; /* 0: none */
} calibration;

enum { RUN_BUCKETS = 1 << 14, PROGRAM_BUCKETS = 1 << 10 };

struct server {
	curfew__mutex lock;
	const config *config;
	curfew_limits ceilings;  /* of every run, including the memory budget; 0: none */
	curfew_secrets *secrets; /* NULL: there are none */
	worker_pool *pool;
	store *store;
	struct http *http;
	struct helpers *helpers;
	struct due *due;
	struct webhooks *webhooks;
	atomic_bool stopping; /* accepts no more runs */
	bool refresh_failed;  /* reading the tokens failed the last time */
	bool closing;         /* waits for no run either: every request is answered */
	bool launching;       /* starts runs; false while it loads and when it shuts down */
	int64_t started_us;
	int64_t watchdog_us; /* interval of systemd's watchdog; 0: none */
	uint64_t life;       /* number of server starts with this data, including this one */
	char address[320];   /* where it listens, as configured; but not port 0 */

	/* For a shared database (cluster.c). */
	bool is_shared;
	bool has_work;        /* runs without an owner have come since this node last queried */
	bool has_backlog;     /* such runs were left then, so new runs wait behind them */
	bool has_lost;        /* a node has died whose runs have to be closed */
	uint64_t pace;        /* runs that have ended here in the last SERVICE_PACE_US */
	int nudge, over;      /* eventfds: there is work for the thread that takes runs; the threads must end */
	size_t foreign_count; /* runs that are only shown here */
	size_t left_count;    /* runs that other nodes have now, and that the pool still has */
	uint64_t elsewhere_queued, elsewhere_scheduled, elsewhere_held, elsewhere_bytes; /* of all accounts */
	uint64_t elsewhere_nodes;                                                        /* number of nodes */
	uint64_t elsewhere_capacity;   /* capacity of other nodes, as they reported */
	int64_t elsewhere_capacity_us; /* when they reported it */
	pthread_t taker, listener;
	bool has_taker, has_listener, cluster_ends;

	run *runs[RUN_BUCKETS];
	run *keys[RUN_BUCKETS]; /* by owner and idempotency key */
	kept_runs kept;
	kept_runs kept_large; /* those with a large report, which is nowhere else */

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

/* For a shared database: wakes the thread that takes runs. Any thread. */
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
