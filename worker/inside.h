/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's own view of its processes, programs and runs. The pool's lock guards everything unless stated otherwise.
 */
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
	PROCESS_ENDING, /* dead or killed: its messages are ignored */
} process_state;

/* Why a worker ended, as far as its runs are concerned. */
typedef enum process_fault {
	FAULT_UNKNOWN, /* it broke a rule, and any of its runs may be at fault */
	FAULT_DEATH,   /* it died, and any run that it had begun may be at fault */
	FAULT_RULE,    /* a message of the blamed run broke a rule */
	FAULT_SILENCE, /* it did not respond when the blamed run's time was up; or not at all, and then no run is blamed */
} process_fault;

/* One worker. Only the pool thread uses in. */
typedef struct process {
	struct process *next;
	worker_pool *pool;
	pid_t pid;
	int pidfd;
	int socket;
	process_state state;
	bool serving;                /* not a spare */
	bool sends_later;            /* the rest of out waits until the socket is writable */
	bool exited;                 /* it has ended, and was waited for */
	bool reported;               /* its runs were notified */
	int64_t ready_look_ns;       /* when to check whether it has become ready */
	int64_t given_ns;            /* time it was given, as far as it was observed (given.c) */
	int64_t observed_ns, cpu_ns; /* at that observation */
	uint64_t id;                 /* not used twice in a pool */
	worker_bytes in, out;
	worker_files files;   /* sent along with out */
	worker_run **runs;    /* [slot_count]; NULL: free */
	uint32_t *free_slots; /* [slot_count], of which free_count are */
	size_t slot_count, free_count;
	size_t active;
	uint64_t serial; /* of the last run */
	process_fault fault;
	const worker_run *blamed; /* the run that is at fault; NULL: unknown */
	bool *has_program;        /* [program_count], by slot */
	size_t program_count;
	worker_memory memory; /* as last reported */
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
	int file;          /* holds the bytes, which are a mapping of it; -1: they are memory */
	curfew_code *code; /* used only by the compile thread; NULL: not requested */
	char sha256[65];   /* used only by the pool thread; "" until it is needed */
};

/* The states of a run. state.c has the table of legal transitions. */
typedef enum run_state {
	RUN_QUEUED,  /* waits for a worker */
	RUN_SENT,    /* a worker has it, or will get it */
	RUN_STARTED, /* the worker has begun with it */
	RUN_STOPPED, /* the worker's watch stops it */
	RUN_DONE,
	RUN_STATES
} run_state;

/* A long event or report, with a NUL after it. */
typedef struct worker_message {
	struct worker_message *next;
	uint64_t sender; /* the id of the worker */
	uint8_t kind;    /* WORKER_FRAME_* */
	size_t length, received;
	char *body;
} worker_message;

/* How a run ends without a worker's report. */
typedef struct worker_end {
	curfew_outcome outcome;
	curfew_stop_mode mode; /* CURFEW_STOP_NONE: it was not stopped */
	int64_t late_ns;
	const char *message;
} worker_end;

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
	worker_bytes frame; /* the message to its worker; kept as long as the run can be executed again */
	process *process;   /* NULL: it waits for a worker */
	uint64_t number;
	unsigned cancels_sent;
	unsigned losses; /* how many workers ended that it had nothing to do with */

	int64_t submitted_ns;
	int64_t due_ns;           /* when it must have ended; INT64_MAX: never */
	int64_t look_ns;          /* when to check whether its worker responds */
	int64_t overdue_since_ns; /* process.given_ns when it was first late; -1: it is not */
	curfew_outcome due_why;   /* CURFEW_OUTCOME_DEADLINE or CANCELLED */
	curfew_run_usage usage;   /* as last reported */

	/* The pool thread's alone. */
	curfew_broker *broker; /* NULL: it may ask for nothing, or is done */
	bool start_reported;   /* on_start was called */
	bool published;        /* something of it has left the pool, so it cannot be executed again */
	bool was_started;      /* when it was detached */
	worker_bytes streams[2];
	worker_message *incoming; /* a long message of which parts have arrived; NULL: none */

	/* Of the pool thread, or of the run's own thread (later.c) while there is one. */
	worker_bytes partial;

	/* Guarded by the lock. */
	bool has_thread;
	worker_message *later; /* for its thread, in order */
	const char *wrong;     /* with a message that its thread found; NULL: nothing */
	uint64_t forger;       /* the id of the worker that sent that message */
	worker_run *next_forged;
	bool has_end; /* how it ends, if no report of its worker comes */
	worker_end end;
	char end_message[200];
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
	atomic_uint references; /* one for the owner, and one for each program and run */
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
	bool sleeping; /* the pool thread sleeps, and must be woken */
	bool has_work; /* there are messages to send */
	atomic_bool ending;
	bool was_ready;
	unsigned failures; /* consecutive workers that did not become ready */
	char failure[200]; /* of the last of these */
	int64_t spawn_after_ns;
	size_t spawned;
	int64_t look_ns; /* no run is due before */
	worker_pool_stats stats;
	uint64_t asked_after; /* number of finished runs when the workers were last asked for their memory */
	bool asked_busy;      /* whether other runs were in progress then */

	_Atomic(worker_run *) cancelled;
	_Atomic(worker_run *) ready; /* runs whose brokers have messages */
	worker_run *held;            /* such runs whose workers have enough to read; used only by the pool thread */
	curfew_network *network;     /* NULL: no run may fetch */
	worker_compiling compiling;
	size_t checking;    /* runs that have threads of their own */
	worker_run *forged; /* of them, those with a message that is not their own */
};

/* process.c: starts a worker process. NULL: *why (static) and errno say why not. */
process *worker_process_start(const worker_pool *pool, const char **why);
/* Gives the thread of a worker that stops its runs a larger share of the cores, if allowed. Call it before it sees any
 * program. */
void worker_process_prefer(const process *p);
void worker_process_kill(process *p);
/* Call it once the worker is dead. Says in why how it died, unless that is known. */
void worker_process_reap(process *p);
void worker_process_free(process *p);

/*
 * receive.c: processes what a worker has sent, on the pool thread, without the lock. Returns 1 if there may be more, 0
 * if there is nothing now, and -1 at its end, or if it broke a rule; why says which.
 */
int worker_receive(worker_pool *pool, process *p);

/* report.c: makes the report of a detached run that its worker did not send, and notifies its owner. Without the lock.
 */
void worker_run_report(worker_run *run, const worker_end *end);

/*
 * later.c: events in JSON and reports. If they are long, they are checked in a thread of the run's own, because that
 * takes about ten seconds for each GiB. All of it without the lock.
 */

/* Takes a message, now, or in the run's thread if it is long or that thread has earlier ones. NULL, or what is wrong
 * with it. */
const char *worker_run_take(worker_run *run, uint64_t sender, uint8_t kind, const char *body, size_t length);
/* The same for a long one, which this takes over. */
void worker_run_take_later(worker_run *run, worker_message *message);
/* Ends a run without a worker's report, now or in its thread. */
void worker_run_fail(worker_run *run, const worker_end *end);
/* Returns a run that has sent a message that is not its own, with a reference, and the id of the worker that sent it.
 * NULL: none is left. */
worker_run *worker_later_forged(worker_pool *pool, uint64_t *sender);
/* Waits until no run has a thread. */
void worker_later_finish(worker_pool *pool);

/* given.c: observes a worker and adds to given_ns, at most step_max_ns for the time since the last observation. Returns
 * given_ns. */
int64_t worker_process_observe(process *p, int64_t now, int64_t step_max_ns);

/* overdue.c; under the lock. Sets when a run is due, and why it would be stopped. */
void worker_run_expect(worker_run *run, int64_t due_ns, curfew_outcome why);
/* Notes that the worker's watch stops the run. */
void worker_run_note_stopped(worker_run *run);
/* Returns a run of this worker for which it does not respond, or NULL. Notes when to check next. */
worker_run *worker_process_find_overdue(process *p, int64_t now);
/* Whether the worker has had enough time to become ready. */
bool worker_process_hangs(process *p, int64_t now);

/* answers.c: messages of brokers. All of it on the pool thread, without the lock, except note. */
void worker_answers_note(void *run);
/* Passes messages to the workers, as far as their limits allow. */
void worker_answers_pass(worker_pool *pool);
/* Whether there are more messages that may be passed now. Under the lock. */
bool worker_answers_can_go_on(const worker_pool *pool) CURFEW__REQUIRES(pool->lock);
/* Ends the requests of a run, or of those runs of a worker that cannot be executed again. */
void worker_run_abort(worker_run *run);
void worker_process_abort(process *p);
/* Drops the remaining messages. All runs are done. */
void worker_answers_drop(worker_pool *pool);

/* program.c */

/* Sends a program to a worker, unless it has it. Under the lock. False: out of memory. */
bool worker_program_send(process *p, const worker_program *program);
/* Its SHA-256, in hex; "" for an image, whose program's is not known here. On the pool thread. */
const char *worker_program_hash(worker_program *program);

/* compile.c */

/* Call it before workers are started. False: out of memory, or no thread can be started. */
bool worker_compiling_start(worker_pool *pool);
/* Call it when every worker is gone. */
void worker_compiling_stop(worker_pool *pool);
/* Handles a worker's request for code, or its withdrawal. Under the lock. False: the worker may not request that. */
bool worker_compile(process *p, uint64_t number, const worker_compile_head *head);
/* Drops all requests of a worker. Under the lock. */
void worker_compile_forget(process *p);

/* state.c */

/* Moves a run to another state; the transition must be legal. Under the lock. */
void worker_run_move(worker_run *run, run_state state);
/* Makes a message for this many bytes. NULL: out of memory. */
worker_message *worker_message_create(uint64_t sender, uint8_t kind, size_t length);
void worker_message_free(worker_message *message);
/* Notes that something of the run leaves the pool: from here on it cannot be executed again. */
void worker_run_publish(worker_run *run);
/* Returns the run of that number, or NULL. */
worker_run *worker_process_find(process *p, uint64_t number);

/* assign.c; all of it under the lock, except detach and repeat. */

/* Returns the worker with the fewest runs. NULL: none is ready. */
process *worker_pool_choose(worker_pool *pool) CURFEW__REQUIRES(pool->lock);
/* Assigns a run to a worker. False: out of memory. */
bool worker_run_assign(process *p, worker_run *run);
/* Removes a run from the queue, if it is there. */
bool worker_run_remove(worker_pool *pool, worker_run *run) CURFEW__REQUIRES(pool->lock);
/* Sets when a run that begins now is due. */
void worker_run_arm(worker_run *run, int64_t now);
/*
 * Called for a run that has nothing to do with the end of its worker. Puts it back to the front of the queue if nobody
 * has seen anything of it. False: it has to be ended.
 */
bool worker_run_repeat(worker_run *run);
/* Removes a finished run from its worker. */
void worker_run_detach(worker_run *run);

/* run.c: passes new cancels on to the workers. */
void worker_pool_take_cancels(worker_pool *pool);

/* base.c */

/* Notifies the pool's thread that there is work. Under the lock. */
void worker_pool_wake(worker_pool *pool) CURFEW__REQUIRES(pool->lock);
/* The same, in a place where many threads come by. True: the caller writes to pool->wake after it has released the
 * lock, because a thread that is woken before that only waits for the lock. */
bool worker_pool_note_work(worker_pool *pool) CURFEW__REQUIRES(pool->lock);
void worker_pool_unref(worker_pool *pool);
/* Sets the message of a failed call, and returns the status. */
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
