/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's own view of its processes, programs and runs. Everything is under the pool's lock but where it says. */
#ifndef CURFEW_WORKER_INSIDE_H
#define CURFEW_WORKER_INSIDE_H

#include "frame.h"
#include "pool.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

typedef enum process_state {
	PROCESS_STARTING,
	PROCESS_READY,
	PROCESS_ENDING, /* dead or killed: nothing it sends counts any more */
} process_state;

/* Why it is no worker any more, as far as its runs are concerned. */
typedef enum process_fault {
	FAULT_UNKNOWN, /* it died, or broke a rule, and any of its runs may be to blame */
	FAULT_RULE,    /* a message of the blamed run broke a rule */
	FAULT_SILENCE, /* it did not answer when the blamed run's time was up; or at all, and then no run is blamed */
} process_fault;

/* One worker. in is the pool thread's alone. */
typedef struct process {
	struct process *next;
	worker_pool *pool;
	pid_t pid;
	int pidfd;
	int socket;
	process_state state;
	bool serving;                /* not a spare */
	bool sends_later;            /* the rest of out waits until its socket takes it */
	bool exited;                 /* it is no more, and was waited for */
	bool reported;               /* its runs were told */
	int64_t ready_look_ns;       /* when to look whether it will ever be ready */
	int64_t given_ns;            /* time it was given, as far as it was observed (given.c) */
	int64_t observed_ns, cpu_ns; /* then */
	uint64_t id;                 /* not used twice in a pool */
	worker_bytes in, out;
	worker_files files;   /* that go with out */
	worker_run **runs;    /* [slot_count]; NULL: free */
	uint32_t *free_slots; /* [slot_count], of which free_count are */
	size_t slot_count, free_count;
	size_t active;
	uint64_t serial; /* of the last run */
	process_fault fault;
	const worker_run *blamed; /* the run that has to do with it; NULL: none in particular */
	bool *has_program;        /* [program_count], by slot */
	size_t program_count;
	worker_memory memory; /* as told last */
	char why[200];        /* why it ended */
} process;

struct worker_program {
	atomic_uint references;
	worker_pool *pool;
	size_t slot;
	worker_program_head head;
	char *name;
	char *import_dir;     /* NULL: none */
	char *map_name, *map; /* the import map; NULL: none */
	void *bytes;
	size_t length;
	curfew_code *code; /* the thread's that compiles, alone; NULL: nobody asked for it */
	char sha256[65];   /* the pool thread's alone: "" until it is asked for */
};

/* The life of a run. Which state may follow which is in run.c. */
typedef enum run_state {
	RUN_QUEUED,  /* waits for a worker */
	RUN_SENT,    /* a worker has it, or is about to */
	RUN_STARTED, /* the worker has begun with it */
	RUN_STOPPED, /* the worker's watch stops it */
	RUN_DONE,
	RUN_STATES
} run_state;

struct worker_run {
	atomic_uint references; /* the caller's, and the pool's until it is done */
	run_state state;
	worker_pool *pool;
	worker_program *program;
	worker_run *next; /* in the queue */
	atomic_uint cancels;
	atomic_bool in_cancelled;
	_Atomic(worker_run *) next_cancelled;
	atomic_bool in_ready;
	_Atomic(worker_run *) next_ready;

	worker_job job; /* callbacks, flags and owner; its texts are in frame */
	uint64_t user;  /* a number for it; 0: none */
	char id[27];
	curfew_limits limits;
	worker_bytes frame; /* what its worker is sent; kept as long as it could be carried out again */
	process *process;   /* NULL: it waits for one */
	uint64_t number;
	unsigned cancels_sent;
	unsigned losses; /* how often it was carried out again after a kill that was not its own */

	int64_t submitted_ns;
	int64_t due_ns;           /* when it is to have ended at the latest; INT64_MAX: never */
	int64_t look_ns;          /* when to look whether its worker answers */
	int64_t overdue_since_ns; /* process.given_ns when it was first seen to be late; -1: it was not */
	curfew_outcome due_why;   /* CURFEW_OUTCOME_DEADLINE or CANCELLED */
	curfew_run_usage usage;   /* as told last */

	/* The pool thread's alone. */
	curfew_broker *broker; /* NULL: it may ask for nothing, or is done */
	bool told_start;       /* on_start was called */
	bool published;        /* something of it has left the pool: it cannot be carried out again */
	worker_bytes streams[2];
	worker_bytes partial;
};

/* What workers have compiled. */
typedef struct worker_compiling {
	pthread_t thread;
	int wake; /* an eventfd; -1: there is no thread */
	atomic_bool ending;
	struct request *requests; /* under the pool's lock; taken out by the thread alone */
	curfew_compiler *compiler;
} worker_compiling;

struct worker_pool {
	atomic_uint references; /* the owner's, and of each program and run */
	worker_pool_options options;
	int executable;
	int epoll;
	int wake; /* an eventfd */
	pthread_t thread;

	curfew__mutex lock;
	pthread_cond_t changed; /* first_ready or broken */
	process *processes;
	worker_run *first_queued, **last_queued;
	worker_program **programs; /* [program_count], by slot */
	size_t program_count;
	bool sleeping; /* the pool thread is to be woken */
	bool has_work; /* something is there that it has not sent yet */
	atomic_bool ending;
	bool was_ready;
	unsigned failures; /* workers in a row that never became ready */
	char failure[200]; /* the last one's */
	int64_t spawn_after_ns;
	size_t spawned;
	int64_t look_ns; /* no run is due before */
	worker_pool_stats stats;
	uint64_t asked_after; /* runs that were done when the workers were last asked for their memory */
	bool asked_busy;      /* and whether there were others */

	_Atomic(worker_run *) cancelled;
	_Atomic(worker_run *) ready; /* whose brokers have something for them */
	worker_run *held;            /* the same, whose workers have enough to read; the pool thread's alone */
	curfew_network *network;     /* NULL: no run may fetch */
	worker_compiling compiling;
};

/* process.c: starts a process that is to be a worker. NULL: *why (static) and errno say. */
process *worker_process_start(const worker_pool *pool, const char **why);
/* Gives the thread of a worker that stops its runs a larger share of the cores, where we may. Before it sees any
 * program. */
void worker_process_prefer(const process *p);
void worker_process_kill(process *p);
/* Once it is dead: says in why what it died of, unless that is known. */
void worker_process_reap(process *p);
void worker_process_free(process *p);

/*
 * receive.c: takes in what a worker has sent, on the pool thread, without the lock. 1: there may be more; 0: nothing
 * more now; -1: its end, or it sent what it may not, and why says what.
 */
int worker_receive(worker_pool *pool, process *p);

/* report.c: ends a run for which no worker has given a report, and tells. Without the lock. */
typedef struct worker_end {
	curfew_outcome outcome;
	curfew_stop_mode mode; /* CURFEW_STOP_NONE: it was not stopped */
	int64_t late_ns;
	const char *message;
} worker_end;
void worker_run_fail(worker_run *run, const worker_end *end);

/* given.c: looks at a worker and adds to given_ns, at most step_max_ns for the time since the last look; returns it. */
int64_t worker_process_observe(process *p, int64_t now, int64_t step_max_ns);

/* overdue.c; under the lock. A run is due then, and why it would be stopped. */
void worker_run_expect(worker_run *run, int64_t due_ns, curfew_outcome why);
/* Its watch has said that it stops it. */
void worker_run_note_stopped(worker_run *run);
/* A run of this worker for which it does not answer, or NULL. Notes when to look next. */
worker_run *worker_process_find_overdue(process *p, int64_t now);
/* Whether it had its time to become ready. */
bool worker_process_hangs(process *p, int64_t now);

/* answers.c: what brokers have for runs. All on the pool thread, without the lock, but for note. */
void worker_answers_note(void *run);
/* Hands on to the workers what they have room for. */
void worker_answers_pass(worker_pool *pool);
/* Whether there is more of it, and room again. Under the lock. */
bool worker_answers_can_go_on(const worker_pool *pool) CURFEW__REQUIRES(pool->lock);
/* Ends what the broker of a run, or those of a worker's runs that cannot be carried out again, carry out. */
void worker_run_abort(worker_run *run);
void worker_process_abort(process *p);
/* Forgets what is still there: all runs are done. */
void worker_answers_drop(worker_pool *pool);

/* program.c */

/* Sends a program to a worker that does not have it. Under the lock. False: out of memory. */
bool worker_program_send(process *p, const worker_program *program);
/* Its SHA-256, in hex; "": an image's is not known here. On the pool thread. */
const char *worker_program_hash(worker_program *program);

/* compile.c */

/* Before workers are started. False: there is no memory, or no thread for it. */
bool worker_compiling_start(worker_pool *pool);
/* When every worker is gone. */
void worker_compiling_stop(worker_pool *pool);
/* A worker asks for code of a program, or does not need it any more. Under the lock. False: it may not ask for that. */
bool worker_compile(process *p, uint64_t number, const worker_compile_head *head);
/* A worker needs nothing any more. Under the lock. */
void worker_compile_forget(process *p);

/* state.c */

/* Moves a run to another state, which must be one that may follow. Under the lock. */
void worker_run_move(worker_run *run, run_state state);
/* Something of it leaves the pool: from here on it cannot be carried out again. */
void worker_run_publish(worker_run *run);
/* The run of that number, or NULL. */
worker_run *worker_process_find(process *p, uint64_t number);

/* assign.c; all but detach and repeat under the lock. */

/* The worker with the least to do, or NULL: none is ready. */
process *worker_pool_choose(worker_pool *pool) CURFEW__REQUIRES(pool->lock);
/* Hands a run to a worker. False: out of memory. */
bool worker_run_assign(process *p, worker_run *run);
/* Takes a run out of the queue, if it is there. */
bool worker_run_remove(worker_pool *pool, worker_run *run) CURFEW__REQUIRES(pool->lock);
/* Sets when a run that begins now is due. */
void worker_run_arm(worker_run *run, int64_t now);
/*
 * Its worker was killed for another run: puts it back to the front of the queue if nobody can tell. False: it is to be
 * ended.
 */
bool worker_run_repeat(worker_run *run);
/* Takes a run that is done away from its worker. */
void worker_run_detach(worker_run *run);

/* run.c: passes on what was cancelled since. */
void worker_pool_take_cancels(worker_pool *pool);

/* base.c */

/* Tells the pool's thread that there is something for it to do. Under the lock. */
void worker_pool_wake(worker_pool *pool) CURFEW__REQUIRES(pool->lock);
void worker_pool_unref(worker_pool *pool);
/* Writes why a call fails, and returns the status. */
curfew_status worker_refuse(curfew_failure *failure, curfew_status status, const char *message);

static inline void worker_lock(worker_pool *pool) CURFEW__ACQUIRES(pool->lock);
static inline void worker_unlock(worker_pool *pool) CURFEW__RELEASES(pool->lock);

static inline void worker_lock(worker_pool *pool)
{
	curfew__mutex_lock(&pool->lock);
}

static inline void worker_unlock(worker_pool *pool)
{
	curfew__mutex_unlock(&pool->lock);
}

#endif
