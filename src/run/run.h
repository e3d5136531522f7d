/* SPDX-License-Identifier: Apache-2.0 */
/* Engines, programs and runs as the parts of this directory see them. */
#ifndef CURFEW_RUN_RUN_H
#define CURFEW_RUN_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/budget.h"
#include "curfew.h"
#include "host/call.h"
#include "host/redact.h"
#include "host/secrets.h"
#include "host/fetch.h"
#include "host/remote.h"
#include "run/bundle.h"
#include "js/guest.h"
#include "wasm/instance.h"
#include "watch/watch.h"
#include "common/mutex.h"

typedef struct curfew__executor curfew__executor;

struct curfew_engine {
	atomic_uint references;
	curfew__watch *watch;
	curfew__pool *pool;
	curfew__executor *executor;
	curfew__image *image;
	curfew__mutex lock;                        /* of vms */
	curfew__vm *vms[CURFEW__STACK_CLASSES][2]; /* plain, metered; made at first need */
	curfew__machines *machines;
	curfew__compiler *compiler;
	curfew_compile_callback on_compile; /* NULL: it compiles here, or by a process of its own */
	void *compile_context;
	uint32_t max_runs;
	char *cache_dir;
	curfew__redactors *redactors;
	curfew__fetcher *fetcher; /* made when a run is first allowed to fetch */
	atomic_ulong runs_active;
	atomic_ulong runs_total;
};

curfew_engine *curfew__engine_ref(curfew_engine *engine);
/* Frees one to which nobody has a reference, however far it was made. */
void curfew__engine_free(curfew_engine *engine);
/* The compiled guest, made at first need; NULL and a failure if that fails. */
curfew__vm *curfew__engine_vm(curfew_engine *engine, bool metered, int stack_class, curfew_failure *failure);

/* compiler.c: who compiles for an engine with these options, or (engine is NULL) for others. NULL: out of memory. */
curfew__compiler *curfew__engine_compiler(const curfew_engine_options *options, const char *cache_dir,
                                          curfew_engine *engine);

/* The network thread, made at first need; NULL and a failure if that fails. */
curfew__fetcher *curfew__engine_fetcher(curfew_engine *engine, curfew_failure *failure);

struct curfew_program {
	atomic_uint references;
	curfew_engine *engine;
	char *name;
	char *source;     /* the text with a line break before it; NULL: loaded from an image */
	const char *text; /* in source */
	size_t text_length;
	curfew_language language;
	uint32_t flags;
	char *import_dir;       /* resolved, or NULL */
	curfew__bundle *bundle; /* what imports are read from in place of import_dir, or NULL */
	char *import_map;       /* as an import of it is answered: its name, a NUL and its text; NULL: none */
	size_t import_map_length;
	char sha256[65];
	curfew__host_functions *functions; /* NULL: none */
	atomic_bool used;                  /* a run or a compilation has begun: functions stay as they are */
	size_t given_bytes;                /* length of the source or image it was made from */
	curfew__mutex lock;                /* of image */
	curfew__image *image;              /* of the parsed program; NULL until it was compiled */
	curfew__wasm_program *wasm;        /* NULL: JavaScript, and then the other way round nothing of the above is set */
};

/* Whether this can be the name, and the text, of JavaScript source; if not, why. */
curfew_status curfew__source_check(const char *name, const char *text, size_t length, curfew_failure *failure);
/* Whether an image that was saved here can have this name, and this SHA-256 of its program. */
bool curfew__program_is_saved_name(const char *name, size_t length);
/* Whether this can be made a program. */
curfew_status curfew__program_check(const curfew_source *source, curfew_failure *failure);
bool curfew__program_is_sum(const char sha256[65]);
/* An empty program with one reference. NULL: out of memory. */
curfew_program *curfew__program_alloc(curfew_engine *engine, const char *name, size_t name_length);
curfew_program *curfew__program_ref(curfew_program *program);
/* The image with a reference for the caller, or NULL. */
curfew__image *curfew__program_image(curfew_program *program);
/* Takes the region as it is for the program's image, unless there is one already. */
bool curfew__program_snapshot(curfew_program *program, const curfew__region *region);

/*
 * Files for imports: the place of a file below the directory with every link resolved, a NUL, and its text; *answer:
 * how long that is. NULL and a negative answer if there is none, or if it has more than `most` bytes.
 */
char *curfew__import_open(const char *folder, const char *name, size_t name_length, size_t most, int32_t *answer);
/* The largest file that is imported. */
#define CURFEW__MODULE_BYTES_MAX ((size_t)16 << 20)
/* Answers that are no length: what guest/node/resolve.js has sentences for. */
enum {
	CURFEW__IMPORT_NOT_FOUND = -1,
	CURFEW__IMPORT_OUTSIDE = -2,
	CURFEW__IMPORT_TOO_LARGE = -3,
	CURFEW__IMPORT_UNREADABLE = -4,
	CURFEW__IMPORT_FOLDER = -5,
};
/* Whether a file of this name and length may be imported: 0, or the answer. */
int32_t curfew__import_check(const char *place, size_t length);

/* What a deterministic program's clock starts at; it moves only while the program waits. */
#define CURFEW__FIXED_NOW_NS (INT64_C(1000000000000))

/* ---- Runs ------------------------------------------------------------------------------------------------- */

/* How a stretch of execution came out. */
typedef enum curfew__run_end {
	CURFEW__END_NOT_RUN, /* it did not execute: it was stopped before, or while it waited */
	CURFEW__END_DONE,    /* finished, with a value to be read */
	CURFEW__END_WAITING, /* nothing to do for now */
	CURFEW__END_THREW,
	CURFEW__END_REFUSED,   /* the program does not load or has no such export */
	CURFEW__END_EXITED,    /* by itself; the report has the code */
	CURFEW__END_UNSETTLED, /* it waits for what nothing can settle */
	CURFEW__END_STOPPED,   /* a cause is latched, and the guest of a session has come back all the same */
	CURFEW__END_TRAPPED,   /* by the guest's fault, unless a cause is latched */
	CURFEW__END_STACK,
	CURFEW__END_FUEL,
	CURFEW__END_FAILED, /* not the guest's doing */
} curfew__run_end;

/* What differs between JavaScript and WebAssembly. */
typedef struct curfew__kind {
	/* Everything up to the program's first instruction, and on. Sets `alive` once the guest is there. */
	curfew__run_end (*begin)(curfew_run *run);
	/* Goes on after a wait. */
	curfew__run_end (*resume)(curfew_run *run);
	/* It is going to wait: until when; gives back what it can do without. */
	int64_t (*wait)(curfew_run *run, int64_t now);
	/* Shows the program that its time is up. From any thread, while it is alive. */
	void (*tell_time_up)(curfew_run *run, curfew_outcome why);
	/* From the watch: one step of stopping what executes; when to take the next. */
	int64_t (*stop)(curfew_run *run, int64_t now);
	/* Once the watch has let go: whether what the guest left can be read, and whether it was stopped hard. */
	bool (*settle)(curfew_run *run, bool *hard);
	/* The readers of what it left, in this order; not called unless it is alive. */
	void (*fill_usage)(curfew_run *run);
	void (*fill_value)(curfew_run *run);
	void (*fill_error)(curfew_run *run, curfew__run_end end);
	/* A session's: whether what it left can be called again. */
	bool (*is_sound)(const curfew_run *run, curfew__run_end end);
	/* Gives everything of the guest back, or (`stays`) what it can do without until the next call. */
	void (*finish)(curfew_run *run);
} curfew__kind;

extern const curfew__kind curfew__kind_js, curfew__kind_wasm;

/* What WASI shows to a run, and JavaScript as far as it has that; copied from its options, in one allocation. */
typedef struct curfew__wasi_given {
	const char **args; /* [arg_count] */
	size_t arg_count;
	const char **env; /* [env_count] */
	size_t env_count;
	curfew__wasi_folder *dirs; /* [dir_count] */
	size_t dir_count;
	int stdin_file; /* -1: none */
	bool owns_stdin;
} curfew__wasi_given;

/* NULL: out of memory. name is the program's, its first argument. */
curfew__wasi_given *curfew__wasi_given_create(const curfew_run_options *options, const char *name);
/* NULL does nothing. */
void curfew__wasi_given_destroy(curfew__wasi_given *given);
/* The environment as a JSON object; free with free. NULL: out of memory. */
char *curfew__wasi_env_json(const curfew__wasi_given *given, size_t *length);
curfew_status curfew__wasi_given_check(const curfew_run_options *options, curfew_failure *failure);

/* files.c */
#define CURFEW__FILES_BYTES_MAX ((size_t)16 << 20)
#define CURFEW__FILES_TOO_LARGE "files: are larger than 16 MiB as JSON"
/* As curfew_files_check, in pieces: it ends early once stop is set, and what it answers then means nothing. */
curfew_status curfew__files_check(const char *files, size_t length, const atomic_uint *stop, curfew_failure *failure);

/* What a run may see and reach, and who is told of it (given.c): immutable, and shared by the calls of a session. */
typedef struct curfew__given {
	atomic_uint references;
	char *user;     /* NULL: none */
	char *timezone; /* NULL: UTC */
	char *files;    /* JSON, what the program has as curfew.files; NULL: none */
	size_t files_length;
	void *host_context; /* for host functions */
	curfew_event_callback on_event;
	void *on_event_context;
	curfew__wasi_given *wasi;     /* NULL: JavaScript that was given nothing of it */
	curfew__fetch_session *fetch; /* NULL: it may not fetch here */
	curfew__grants *grants;       /* NULL: no secrets; so is the next one */
	curfew__redactor *redactor;
} curfew__given;

/* From options that were copied in, with one reference. */
curfew_status curfew__given_create(const curfew_program *program, const curfew_limits *limits,
                                   const curfew_run_options *options, curfew__given **result, curfew_failure *failure);
curfew__given *curfew__given_ref(curfew__given *given);
void curfew__given_unref(curfew__given *given);

typedef struct curfew__run_waker curfew__run_waker;

/* Where a run is; which phase may follow which: may_follow in stop.c. */
enum curfew__run_phase {
	CURFEW__RUN_EXECUTING, /* on a thread, or about to be begun */
	CURFEW__RUN_PARKED,    /* waits, and holds no thread */
	CURFEW__RUN_READY,     /* is to begin, or to go on */
	CURFEW__RUN_PHASES,
};

/* What a run is for. */
enum curfew__run_purpose {
	CURFEW__RUN_EXECUTE,
	CURFEW__RUN_COMPILE,  /* the program is made ready for other runs, and nothing of it executes */
	CURFEW__RUN_DESCRIBE, /* nothing of it executes; the value is what it imports and exports */
	CURFEW__RUN_EVALUATE, /* a session's: params is source text, with a line break before it, and call its name */
};

/* A guest that outlives the run: what a call of a session begins with, and who is told how it was left. */
typedef struct curfew__kept {
	curfew__given *given; /* of all calls; each run has a reference of its own */
	curfew__guest *guest;
	curfew__wasm *wasm; /* NULL: JavaScript, or not there yet */
	bool is_there;      /* the guest is, from an earlier call */
	uint32_t flags;
	int64_t virtual_ns; /* of what is deterministic */
	uint64_t seed;
	/* The run has ended like this, and its guest, which was there, stays or does not. */
	void (*on_settled)(void *context, curfew_run *run, curfew__run_end end);
	void *context;
} curfew__kept;

/* How far a run has come. It only ever gets further: curfew__run_reach. */
enum curfew__run_progress {
	CURFEW__RUN_NEW,
	CURFEW__RUN_BEGUN,   /* it has its guest, or waits for what that is made of */
	CURFEW__RUN_ENTERED, /* code in the guest has executed, so that there may be frames */
	CURFEW__RUN_STARTED, /* the program itself has: what it uses is counted from here on */
};

/* Why and when a run is to end: shared with the watch. */
typedef struct curfew__run_stop {
	curfew__signal *cancels[2]; /* the caller's and the run's own; NULL: none */
	curfew__alarm alarm;
	_Atomic uint64_t latch; /* the cause of the stop and when its time was up; 0: none. The first one stays */
	atomic_uint cause;      /* the same cause, for who has no use for the rest */
	atomic_uint tripped_count;
	_Atomic uint8_t tripped[CURFEW_OUTCOME_COUNT];
	atomic_uint tripped_set;
	atomic_uint time_up;        /* DEADLINE or CANCELLED once the program was told that it is to end; 0: not yet */
	_Atomic int64_t hard_ns;    /* end of the grace, once time is up */
	_Atomic int64_t stopped_ns; /* when it could do nothing any more, if before it noticed; else 0 */
	bool tracing;               /* its frames are being read */
	bool was_waiting; /* it was stopped while it was parked; written by the watch before `cause` is acted on */

	/* The watch's alone. */
	int64_t soft_ns; /* when the poll was first asked to stop, and the CPU time then */
	int64_t soft_cpu_ns;
	int64_t soft_seen_cpu_ns, soft_step_ns; /* at the last look, and until the next one */
	int64_t hard_cpu_ns;                    /* the CPU time when it was first interrupted, or last found deaf */
} curfew__run_stop;

/* What a run that holds no thread waits for. */
typedef struct curfew__run_wait {
	_Atomic int64_t wake_ns;      /* parked, or about to be, until */
	int64_t waited_until_ns;      /* what that was when it was taken up last */
	atomic_bool woken;            /* what it waits for happened before it was parked */
	curfew__wasm_waiter compiled; /* tells that there is more to see of its program's compilation */
	atomic_bool compiling;        /* it waits for that */
	curfew__run_waker *waker;
} curfew__run_wait;

typedef struct curfew__run_clocks {
	int64_t start_ns;
	int64_t deadline_ns;
	int64_t loaded_ns, compiled_ns, entered_ns; /* when it was that far; 0: it was not */
	int64_t virtual_ns;                         /* deterministic: what the program's clock shows */
	int64_t virtual_wake_ns;                    /* and what it will show at wake_ns */
	_Atomic clockid_t cpu_clock;                /* of the executing thread */
	_Atomic int64_t cpu_segment_ns;             /* what that clock showed when this stretch began; -1: not executing */
	_Atomic int64_t cpu_before_ns;              /* of earlier stretches */
} curfew__run_clocks;

typedef struct curfew__run_output {
	curfew__redact_stream redacted[2]; /* on the way to the streams, where there are secrets */
	curfew__buffer streams[2];
	_Atomic uint64_t bytes;
	bool truncated;
	char *partial; /* what the program noted last */
	size_t partial_length;
} curfew__run_output;

struct curfew_run {
	atomic_uint references;
	atomic_uint phase;
	curfew_program *program;
	curfew_engine *engine;
	const curfew__kind *kind;
	curfew_run *next; /* in the executor's queue */

	/* What it was given. */
	curfew_limits limits;
	uint32_t flags;
	enum curfew__run_purpose purpose;
	bool inline_run; /* on its caller's thread */
	char *call;
	char *params;
	size_t params_length;
	uint64_t seed;
	curfew__given *given; /* a reference; NULL once the run has ended */
	curfew_done_callback on_done;
	void *on_done_context;
	curfew_stop_callback on_stop;
	void *on_stop_context;
	pthread_t done_thread; /* that calls on_done; set before done is 1 */
	atomic_uint done;      /* 0; 1: the report is there; 2: and on_done has returned */

	curfew__run_stop stop;
	curfew__run_clocks clock;
	curfew__run_wait wait;
	curfew__run_output output;

	/* The guest. */
	enum curfew__run_progress progress;
	curfew__guest own_guest;
	curfew__guest *guest;     /* its own, or the one that is kept */
	const curfew__kept *kept; /* by a session, of which this is a call; NULL: none, or it has ended */
	bool again;               /* the guest is there from an earlier call */
	bool stays;               /* and will be for the next one */
	atomic_bool alive;        /* the guest is there, and may be touched by the watch */
	bool exited;              /* it has ended itself; the report has the code */
	curfew__wasm *wasm;       /* NULL: JavaScript, or not there yet */
	_Atomic uint64_t memory_bytes;
	const char *description; /* of the program's, if it was to be described; borrowed of it */
	size_t description_length;

	/* What it has of its host. */
	curfew__bundle_record *record; /* of what is imported, or NULL */
	char *import_text;             /* found by import_open, to be read */
	int32_t import_length;
	_Atomic(curfew__operations *) operations; /* made at first need, by its thread; closed by any */
	curfew__remote *remote;                   /* its broker; NULL: it has none */
	uint64_t host_calls;
	curfew__host_answer answer;       /* of the last one that JavaScript called, until it is taken */
	_Atomic uint64_t call_bytes;      /* arguments of asynchronous calls so far */
	bool input_taken;                 /* JavaScript has asked for its standard input */
	struct curfew__files *open_files; /* NULL: JavaScript has asked for none */

	curfew_report *report;
	curfew__budget after; /* for what is read of the guest once it has ended, all of it together */
};

/* Whether there is somebody to ask for imports. */
static inline bool curfew__run_may_import(const curfew_run *run)
{
	return run->program->import_dir || run->program->bundle || (run->flags & CURFEW_RUN_IMPORTS);
}

static inline bool curfew__run_is_deterministic(const curfew_run *run)
{
	return run->flags & CURFEW_RUN_DETERMINISTIC;
}

/* host.c: what the guest of JavaScript asks for. */
extern const curfew__guest_host curfew__run_host;

/* output.c. The program's clock: monotonic time, or the fixed clock of a deterministic run. */
int64_t curfew__run_clock(const curfew_run *run);
/* Hands an event to whoever watches the run. */
void curfew__run_notify(curfew_run *run, curfew_event_kind kind, const char *bytes, size_t length);
/* Charges output; how many of the bytes may still pass. Latches the limit when not all may. */
size_t curfew__run_charge_output(curfew_run *run, size_t length);
bool curfew__run_fill_random(void *bytes, size_t length);
/* Counts a call out of the sandbox; false: there were too many, which is latched. */
bool curfew__run_charge_call(curfew_run *run);
/* Output of the guest to stream 1 or 2; false: it was too much, which is latched. */
bool curfew__run_write(curfew_run *run, uint32_t stream, const char *bytes, size_t length);
/* The memory has so many bytes, or was not let grow, which is latched. */
void curfew__run_growth(curfew_run *run, size_t bytes, bool refused);

/* functions.c: host functions. From JavaScript, as guest/host.h has them... */
bool curfew__run_call(curfew_run *run, uint32_t index, const char *json, size_t length, int32_t *answer);
bool curfew__run_call_take(curfew_run *run, void *bytes, size_t length);
/* ... an asynchronous one, as an operation: false: it ends the run; *id is 0 where there is no room for it ... */
bool curfew__run_call_start(curfew_run *run, curfew__operations *operations, const char *request, size_t length,
                            uint32_t *id);
/* ... and from WebAssembly, as curfew__wasm_host has them. */
void curfew__run_function(curfew_run *run, size_t index, const curfew__host_params *params,
                          curfew__host_answer *answer);
uint32_t curfew__run_function_start(curfew_run *run, size_t index, const curfew__host_params *params);
bool curfew__run_function_take(curfew_run *run, size_t index, uint32_t id, curfew__host_answer *answer);
/* The run's operations, made when the first is started: the watch may close them from then on. NULL: out of memory. */
curfew__operations *curfew__run_operations(curfew_run *run);

/* start.c: with a guest that is kept (NULL: its own), from options that were copied in; limits are resolved. */
curfew_status curfew__run_create(curfew_program *program, const curfew_run_options *options,
                                 const curfew_limits *limits, const curfew__kept *kept, bool waited_for,
                                 curfew_run **result, curfew_failure *failure);
/* Carries it out here or on the executor, and waits. Anything but CURFEW_OK: nothing was started. */
curfew_status curfew__run_to_end(curfew_run *run, curfew_failure *failure);

/* secrets.c: keeping what a run was granted out of what leaves it. It has this from here on: a reference. */
void curfew__run_take_given(curfew_run *run, curfew__given *given);
/* Builds what is needed to find them, unless another run has. False: the run was stopped meanwhile, or memory ran out.
 */
bool curfew__run_prepare_secrets(curfew_run *run);
/* The output is over: what was held back of it passes. */
void curfew__run_end_output(curfew_run *run);
/*
 * JSON that is to leave, changed where it has to be, and then in buffer, which this initialises in any case. False: out
 * of memory, it must not leave.
 */
bool curfew__run_redact_json(const curfew_run *run, curfew__buffer *buffer, const char **json, size_t *length);
/* Charges the value, without secrets, to the output limit, and puts it into the report if it fits. */
void curfew__run_set_value(curfew_run *run, const char *json, size_t length);
/* Takes the secrets out of the report's texts, but for the output and the partial result, which came in without. */
void curfew__run_redact_report(curfew_run *run);
/*
 * The run needs nothing more of what it was given, and nothing of what is kept for a session, which may go away before
 * the run does. Secrets are wiped with the last reference.
 */
void curfew__run_give_back(curfew_run *run);
/* Output on its way out, without secrets: charged, kept, told. False: it was too much. */
bool curfew__run_pass_output(curfew_run *run, bool is_error, const char *bytes, size_t length);

/* stop.c: moves a run from one phase to another if it is in the first: whether it was. From any thread. */
bool curfew__run_move(curfew_run *run, enum curfew__run_phase from, enum curfew__run_phase to);
/* The same from whatever phase the caller's knowledge allows. */
void curfew__run_enter_phase(curfew_run *run, enum curfew__run_phase to);
/* By the thread that executes it. */
void curfew__run_reach(curfew_run *run, enum curfew__run_progress progress);

/* Closes the books: nothing of the guest runs after this, and the watch has let go of it. */
void curfew__run_finish(curfew_run *run, curfew__run_end end);

/* wasm.c: its program has been compiled, or part of the way. Any thread. */
void curfew__run_compiled(void *run);

/* What the run waits for has happened. From any thread that keeps the run from going away meanwhile. */
void curfew__run_wake(curfew_run *run);

/* Goes on with a run on this thread. False: it is parked and may already be elsewhere; true: it has ended. */
bool curfew__run_step(curfew_run *run);
void curfew__run_unref(curfew_run *run);

/* inspect.c: the program that the run has loaded to describe it, as one line of JSON. */
curfew_status curfew__run_describe(const curfew_run *run, char **json, size_t *length, curfew_failure *failure);

/* ---- Executor --------------------------------------------------------------------------------------------- */

/* What its threads do with a run: carry it on, and let go of the queue's reference to it. */
typedef struct curfew__work_calls {
	bool (*step)(curfew_run *run);
	void (*unref)(curfew_run *run);
} curfew__work_calls;

/* Its threads tidy the pool where they have nothing else to do. */
curfew__executor *curfew__executor_create(uint32_t threads, curfew__pool *pool, curfew__work_calls calls);
void curfew__executor_destroy(curfew__executor *executor);
/* Queues a run, with a reference of its own; false: no thread can be started. */
bool curfew__executor_submit(curfew__executor *executor, curfew_run *run);

#endif
