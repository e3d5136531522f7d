/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confined worker processes, seen from the process that uses them. A pool of processes is started and confined before
 * they see anything of a program, and each executes many runs at a time. This side parses nothing of a guest, and
 * checks everything that comes from a worker, because an attacker may control it.
 *
 * Threads: any thread may call everything here. Callbacks come on the pool's own thread, one at a time, so they must be
 * short; but on_done with a large report comes on another thread. They may call everything except worker_pool_destroy.
 */
#ifndef CURFEW_WORKER_POOL_H
#define CURFEW_WORKER_POOL_H

#include "curfew.h"

#include <sys/types.h>

typedef struct worker_pool worker_pool;
typedef struct worker_program worker_program;
typedef struct worker_run worker_run;

/*
 * Descriptors that one program may hold: in each worker its image, and its compiled code for each flavour and class of
 * stacks; in this process what was compiled and described.
 */
enum { WORKER_PROGRAM_FILES = 10, WORKER_PROGRAM_FILES_HERE = 5 };
/* So many programs a worker can keep, where the system gives it the descriptors. */
enum { WORKER_PROGRAMS_MAX = 384 };

/* How many programs a worker can keep on this system. */
size_t worker_programs_max(void);

/* ---- Pool ------------------------------------------------------------------------------------------------ */

/* The end of a worker and its runs; borrowed for the callback. */
typedef struct worker_death {
	pid_t pid;
	const char *why;
	size_t lost;      /* runs that ended with it without being at fault, as far as known */
	size_t repeated;  /* runs that are executed again */
	const char *runs; /* the ids of its first runs, with spaces between */
} worker_death;

typedef struct worker_pool_options {
	uint32_t workers;      /* 0: one per core */
	uint32_t spares;       /* additional idle workers, to replace one that dies; may be 0 */
	uint32_t threads;      /* threads that execute runs in each; 0: 16 */
	uint64_t data_bytes;   /* RLIMIT_DATA of each, on top of what the engine itself needs; 0: none */
	int input;             /* the workers' standard input, for a pool of one run; read-only; 0: none */
	bool fetches;          /* jobs may have allow_fetch, so the network thread is started */
	uint32_t engine_flags; /* CURFEW_ENGINE_*, of the engine in each */
	uint64_t patience_ns;  /* time that a worker has to report a stop before it is killed; 0: 50 ms */
	/* Called on the pool's thread when a worker has ended unexpectedly. May be NULL. */
	void (*on_death)(void *context, const struct worker_death *death);
	void *context;
	const char *cache_dir; /* as in curfew_engine_options: what is compiled for the workers is kept there; borrowed for
	                          the call */
} worker_pool_options;

/*
 * Starts the pool, and waits until one worker is ready. options may be NULL. The executable of this process must call
 * worker_main when its only argument is "worker".
 */
curfew_status worker_pool_create(const worker_pool_options *options, worker_pool **pool, curfew_failure *failure);

/* Kills the workers. Runs in progress are reported as cancelled before this returns. */
void worker_pool_destroy(worker_pool *pool);

/* The layers of a worker's confinement. Each is used if the system offers it; the filter of system calls always is. */
#define WORKER_HAS_USER_NAMESPACE (1u << 0)
#define WORKER_HAS_PROCESS_NAMESPACE (1u << 1)
#define WORKER_HAS_NETWORK_NAMESPACE (1u << 2)
#define WORKER_HAS_MOUNT_NAMESPACE (1u << 3)
#define WORKER_HAS_IPC_NAMESPACE (1u << 4)
#define WORKER_HAS_UTS_NAMESPACE (1u << 5)
#define WORKER_HAS_EMPTY_ROOT (1u << 6) /* no file can be named */
#define WORKER_HAS_OTHER_USER (1u << 7) /* it is not root */
#define WORKER_HAS_NO_CAPABILITIES (1u << 8)
#define WORKER_HAS_NO_NEW_PRIVILEGES (1u << 9)
#define WORKER_HAS_CALL_FILTER (1u << 10)

/* Each of them by its name; the last one has none. */
typedef struct worker_layer {
	const char *name;
	uint32_t bit;
} worker_layer;
extern const worker_layer worker_layers[];

/* Guest memories, as in curfew_engine_stats. */
typedef struct worker_memory {
	uint64_t regions_in_use;
	uint64_t regions_pooled;
	uint64_t resident_bytes;
} worker_memory;

typedef struct worker_pool_stats {
	uint32_t workers;     /* ready, spares included */
	uint32_t busy;        /* of them, those that have runs */
	uint32_t has;         /* WORKER_HAS_*, of the worker that was ready last */
	uint64_t restarts;    /* workers that were started to replace one that died */
	uint64_t active;      /* runs that were submitted and are not done */
	uint64_t runs_total;  /* done */
	uint64_t crashed;     /* of them, lost with their worker */
	uint64_t repeated;    /* runs executed again that had nothing to do with the end of their worker */
	worker_memory memory; /* of all workers, as last reported */
} worker_pool_stats;
void worker_pool_get_stats(worker_pool *pool, worker_pool_stats *stats);
/* Asks the workers to report their memory, unless nothing has run since they did. */
void worker_pool_ask_memory(worker_pool *pool);

/* ---- Program --------------------------------------------------------------------------------------------- */

typedef struct worker_source {
	curfew_language language; /* ignored for an image */
	bool is_image;            /* bytes are those of curfew_program_save */
	bool is_path;             /* as CURFEW_SOURCE_PATH */
	bool has_node;            /* as CURFEW_SOURCE_NODE */
	bool once;                /* it will be run once: no image of its parsed form is kept */
	const char *name;         /* as curfew_source.name */
	const void *bytes;
	size_t length;          /* at most WORKER_PROGRAM_MAX */
	const char *import_dir; /* as curfew_source.import_dir; this process reads it */
	const char *import_map; /* as in curfew_source, down to import_map_name */
	size_t import_map_length;
	const char *import_map_name;
	const char *sha256; /* as in curfew_source */
} worker_source;

#define WORKER_PROGRAM_MAX ((size_t)256 << 20)

/*
 * Creates a program for runs, with one reference for the caller. Its bytes are copied, and sent to each worker once,
 * before its first run there. The workers drop it when the last reference is gone.
 */
curfew_status worker_program_create(worker_pool *pool, const worker_source *source, worker_program **program,
                                    curfew_failure *failure);
void worker_program_ref(worker_program *program);
void worker_program_unref(worker_program *program);

/* ---- Run ------------------------------------------------------------------------------------------------- */

/* Only load the program and describe it, as curfew_program_inspect does; cannot be cancelled. */
#define WORKER_JOB_INSPECT (1u << 16)

/* The end of a run. Everything is borrowed for the callback. */
typedef struct worker_result {
	curfew_outcome outcome;
	int32_t exit_code;           /* outcome EXITED: the program's */
	const char *report;          /* the report as one line of JSON; NULL: a program was inspected successfully */
	size_t report_length;        /* it does not end in NUL, unless it is in memory */
	char **memory;               /* of a large report: the memory that it is in. Who sets it to NULL keeps it, and
	                                frees it. NULL: it is a small one */
	const curfew_report *parsed; /* the same report; NULL with a description */
	const char *description;     /* the description of that program: the worker's JSON, which is untrusted */
	size_t description_length;
} worker_result;

typedef struct worker_job {
	worker_program *program;
	const char *id;              /* ULID of the run and its report; NULL: a new one */
	const curfew_limits *limits; /* NULL: the defaults */
	uint32_t flags;              /* as curfew_run_options.flags, and WORKER_JOB_INSPECT */
	const char *call;            /* as in curfew_run_options, down to user */
	const char *params;
	size_t params_length;
	const char *user;
	const char *const *args; /* as in curfew_run_options, down to env_count; directories cannot be given */
	size_t arg_count;
	const char *const *env;
	size_t env_count;
	const char *timezone; /* as in curfew_run_options, down to files_length */
	const void *stdin_bytes;
	size_t stdin_length;
	const char *files;
	size_t files_length;
	const curfew_secret *secrets; /* as in curfew_run_options, down to store; they are read by this call */
	size_t secret_count;
	curfew_secrets *store;
	const char *const *allow_fetch; /* as in curfew_run_options; this process checks and makes the requests */
	size_t allow_fetch_count;
	const char *const *secret_for; /* as in curfew_run_options */
	size_t secret_for_count;

	uint64_t owner; /* a number for whose it is, as in curfew_code_set_asker, beside user */

	void *context;                   /* of the callbacks, each of which may be NULL */
	void (*on_start)(void *context); /* called when a worker has begun with it; not called if it ends before */
	/* As curfew_event_callback; data is borrowed. */
	void (*on_event)(void *context, curfew_event_kind kind, const char *data, size_t length);
	/* Called once, last. */
	void (*on_done)(void *context, const worker_result *result);
} worker_job;

/*
 * Submits a job; everything of it is copied. CURFEW_OK means that on_done will be called exactly once, perhaps on
 * another thread before this returns. *run (run may be NULL) is a reference for the caller.
 */
curfew_status worker_pool_submit(worker_pool *pool, const worker_job *job, worker_run **run, curfew_failure *failure);

/* Cancels the run. A second call skips the grace. Async-signal-safe; nothing happens after its end. */
void worker_run_cancel(worker_run *run);

/* The run's id, in memory of the run. */
const char *worker_run_get_id(const worker_run *run);

/* What the run had used when its worker last reported (this call requests a new report), and the wall-clock time until
 * now. */
void worker_run_get_usage(worker_run *run, curfew_run_usage *usage);

/* Drops the caller's reference. The run continues. NULL does nothing. */
void worker_run_unref(worker_run *run);

/* ---- Worker ---------------------------------------------------------------------------------------------- */

/* The worker's side: confines this process, serves the pool on descriptor 3 and returns the exit code. */
int worker_main(void);

#endif
