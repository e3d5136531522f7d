/* SPDX-License-Identifier: Apache-2.0 */
/* Engines, programs and runs, as this directory sees them. */
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
#include "memory/stack.h"
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
	curfew__mutex lock;                        /* guards vms */
	curfew__vm *vms[CURFEW__STACK_CLASSES][2]; /* plain, metered; created at first use */
	curfew__machines *machines;
	curfew__compiler *compiler;
	curfew_compile_callback on_compile; /* NULL: this engine compiles in this process or in a child process */
	void *compile_context;
	uint32_t max_runs;
	char *cache_dir;
	curfew__redactors *redactors;
	curfew__fetcher *fetcher; /* created when a run is first allowed to fetch */
	/* For runs on threads whose own stack is too small. */
	curfew__stacks *stacks[CURFEW__STACK_CLASSES];
	atomic_ulong runs_active;
	atomic_ulong runs_total;
};

curfew_engine *curfew__engine_ref(curfew_engine *engine);
void curfew__engine_unref(curfew_engine *engine);
/* Frees an engine without references; it may be half built. */
void curfew__engine_free(curfew_engine *engine);
/* The compiled guest, created at first use. NULL and a failure if that fails. */
curfew__vm *curfew__engine_vm(curfew_engine *engine, bool metered, int stack_class, curfew_failure *failure);

/* compiler.c: creates the compiler of an engine with these options, or (engine is NULL) one for other engines. NULL:
 * out of memory. */
curfew__compiler *curfew__engine_compiler(const curfew_engine_options *options, const char *cache_dir,
                                          curfew_engine *engine);

/* The network thread, created at first use. NULL and a failure if that fails. */
curfew__fetcher *curfew__engine_fetcher(curfew_engine *engine, curfew_failure *failure);

struct curfew_program {
	atomic_uint references;
	curfew_engine *engine;
	char *name;
	char *source;     /* a line break, then the text; NULL: the program was loaded from an image */
	const char *text; /* points into source */
	size_t text_length;
	curfew_language language;
	uint32_t flags;
	char *import_dir;       /* resolved path, or NULL */
	curfew__bundle *bundle; /* imports are read from it in place of import_dir; or NULL */
	char *import_map;       /* in the form of an imported file: its name, a NUL and its text; NULL: none */
	size_t import_map_length;
	char sha256[65];
	curfew__host_functions *functions; /* NULL: none */
	atomic_bool used;                  /* a run or a compilation has begun: functions can no longer change */
	size_t given_bytes;                /* length of the source or image it was made from */
	curfew__mutex lock;                /* guards image */
	curfew__image *image;              /* memory with the parsed program; NULL until it was compiled */
	curfew__wasm_program *wasm;        /* NULL: JavaScript. If it is set, none of the above is */
};

/* Checks that this can be the name and the text of JavaScript source. If not, says why. */
curfew_status curfew__source_check(const char *name, const char *text, size_t length, curfew_failure *failure);
/* Whether an image that this library saved can have this name, and this SHA-256 of its program. */
bool curfew__program_is_saved_name(const char *name, size_t length);
/* Checks that a program can be made of this source. */
curfew_status curfew__program_check(const curfew_source *source, curfew_failure *failure);
/* The SHA-256 of its text, or the one that came with it. */
void curfew__source_sum(const curfew_source *source, uint8_t sum[32]);
bool curfew__program_is_sum(const char sha256[65]);
/* An empty program with one reference. NULL: out of memory. */
curfew_program *curfew__program_alloc(curfew_engine *engine, const char *name, size_t name_length);
curfew_program *curfew__program_ref(curfew_program *program);
/* Returns the image with a reference for the caller, or NULL. */
curfew__image *curfew__program_image(curfew_program *program);
/* Makes the program's image from the region as it is, unless there is an image already. */
bool curfew__program_snapshot(curfew_program *program, const curfew__region *region);

/*
 * Files for imports: the place of a file below the directory with every link resolved, a NUL, and its text; *answer:
 * how long that is. NULL and a negative answer if there is none, or if it has more than `most` bytes.
 */
char *curfew__import_open(const char *directory, const char *name, size_t name_length, size_t most, int32_t *answer);
/* The maximum length of an imported file. */
#define CURFEW__MODULE_BYTES_MAX ((size_t)16 << 20)
/* Negative answers are these codes; guest/node/resolve.js has a sentence for each. */
enum {
	CURFEW__IMPORT_NOT_FOUND = -1,
	CURFEW__IMPORT_OUTSIDE = -2,
	CURFEW__IMPORT_TOO_LARGE = -3,
	CURFEW__IMPORT_UNREADABLE = -4,
	CURFEW__IMPORT_DIRECTORY = -5,
};
/* Whether a file of this name and length may be imported: 0, or the code to answer with. */
int32_t curfew__import_check(const char *place, size_t length);

/* The start of a deterministic program's clock; the clock advances only while the program waits. */
#define CURFEW__FIXED_NOW_NS (INT64_C(1000000000000))

/* ---- Runs ------------------------------------------------------------------------------------------------- */

/* The result of a stretch of execution. */
typedef enum curfew__run_end {
	CURFEW__END_NOT_RUN, /* it did not execute: the run was stopped before, or while it waited */
	CURFEW__END_DONE,    /* finished, with a value to be read */
	CURFEW__END_WAITING, /* nothing to do for now */
	CURFEW__END_THREW,
	CURFEW__END_REFUSED,   /* the program does not load or has no such export */
	CURFEW__END_EXITED,    /* by itself; the report has the code */
	CURFEW__END_UNSETTLED, /* it waits for something that nothing can settle */
	CURFEW__END_STOPPED,   /* a cause is latched, and the guest of a session returned nevertheless */
	CURFEW__END_TRAPPED,   /* the guest's fault, unless a cause is latched */
	CURFEW__END_STACK,
	CURFEW__END_FUEL,
	CURFEW__END_FAILED, /* not the guest's fault */
} curfew__run_end;

/* The operations that differ between JavaScript and WebAssembly. */
typedef struct curfew__kind {
	/* Does everything up to the program's first instruction, and executes it. Sets `alive` once the guest exists. */
	curfew__run_end (*begin)(curfew_run *run);
	/* Resumes after a wait. */
	curfew__run_end (*resume)(curfew_run *run);
	/* Called before it waits: frees what is not needed meanwhile, and returns the end of the wait. */
	int64_t (*wait)(curfew_run *run, int64_t now);
	/* Notifies the program that its time is up. From any thread, while it is alive. */
	void (*notify_time_up)(curfew_run *run, curfew_outcome why);
	/* Called by the watch: one step of stopping a guest that executes. Returns the time of the next step. */
	int64_t (*stop)(curfew_run *run, int64_t now);
	/* Called once the watch no longer touches the guest: whether its state can be read, and whether it was stopped
	 * hard. */
	bool (*settle)(curfew_run *run, bool *hard);
	/* These read the guest's state after its end, in this order. They are called only if it is alive. */
	void (*fill_usage)(curfew_run *run);
	void (*fill_value)(curfew_run *run);
	void (*fill_error)(curfew_run *run, curfew__run_end end);
	/* Of a session: whether the guest can be called again. */
	bool (*is_sound)(const curfew_run *run, curfew__run_end end);
	/* Releases the guest, or (`stays`) what it does not need until the next call. */
	void (*finish)(curfew_run *run);
} curfew__kind;

extern const curfew__kind curfew__kind_js, curfew__kind_wasm;

/* What a run sees of WASI, or of its equivalents in JavaScript. Copied from the options, in one allocation. */
typedef struct curfew__wasi_given {
	const char **args; /* [arg_count] */
	size_t arg_count;
	const char **env; /* [env_count] */
	size_t env_count;
	curfew__wasi_directory *dirs; /* [dir_count] */
	size_t dir_count;
	int stdin_file; /* -1: none */
	bool owns_stdin;
} curfew__wasi_given;

/* NULL: out of memory. name is the program's name, which is its first argument. */
curfew__wasi_given *curfew__wasi_given_create(const curfew_run_options *options, const char *name);
/* NULL does nothing. */
void curfew__wasi_given_destroy(curfew__wasi_given *given);
/* The environment as a JSON object; free with free. NULL: out of memory. */
char *curfew__wasi_env_json(const curfew__wasi_given *given, size_t *length);
curfew_status curfew__wasi_given_check(const curfew_run_options *options, curfew_failure *failure);

/* files.c */
#define CURFEW__FILES_BYTES_MAX ((size_t)16 << 20)
#define CURFEW__FILES_TOO_LARGE "files: are larger than 16 MiB as JSON"
/* Like curfew_files_check, in pieces. It returns early once stop is set; its result is then meaningless. */
curfew_status curfew__files_check(const char *files, size_t length, const atomic_uint *stop, curfew_failure *failure);
/*
 * Makes a list of the files in a text that was accepted; free it with free. False: there is not enough memory, or stop
 * is set; the list then has what was made. Its names and bytes are the caller's.
 */
bool curfew__files_decode(const char *files, size_t length, const atomic_uint *stop, curfew__wasi_file **list,
                          size_t *count);

/* What a run may see and reach, and where its events go (given.c). It is immutable, and the calls of a session share
 * it. */
typedef struct curfew__given {
	atomic_uint references;
	char *user;     /* NULL: none */
	char *timezone; /* NULL: UTC */
	char *files;    /* JSON of curfew.files; NULL: none */
	size_t files_length;
	void *host_context; /* for host functions */
	curfew_event_callback on_event;
	void *on_event_context;
	curfew__wasi_given *wasi;     /* NULL: JavaScript without any of it */
	curfew__fetch_session *fetch; /* NULL: it may not fetch here */
	curfew__grants *grants;       /* NULL: no secrets; so is the next one */
	curfew__redactor *redactor;
	curfew__secret_headers *secret_headers; /* NULL: none */
} curfew__given;

/* Creates it from options that were copied in, with one reference. */
curfew_status curfew__given_create(const curfew_program *program, const curfew_limits *limits,
                                   const curfew_run_options *options, curfew__given **result, curfew_failure *failure);
curfew__given *curfew__given_ref(curfew__given *given);
void curfew__given_unref(curfew__given *given);

typedef struct curfew__run_waker curfew__run_waker;

/* The phase of a run. may_follow in stop.c is the table of legal transitions. */
enum curfew__run_phase {
	CURFEW__RUN_EXECUTING, /* on a thread, or about to begin */
	CURFEW__RUN_PARKED,    /* waits without a thread */
	CURFEW__RUN_READY,     /* queued, to begin or to resume */
	CURFEW__RUN_PHASES,
};

/* The purpose of a run. */
enum curfew__run_purpose {
	CURFEW__RUN_EXECUTE,
	CURFEW__RUN_COMPILE,  /* prepares the program for other runs; nothing of it executes */
	CURFEW__RUN_DESCRIBE, /* nothing of it executes; the value describes its imports and exports */
	CURFEW__RUN_EVALUATE, /* a session's cell: params is a line break and source text, call is the cell's name */
};

/* A guest that outlives the run: a call of a session begins with it, and notifies the session of its state at the end.
 */
typedef struct curfew__kept {
	curfew__given *given; /* shared by all calls; each run has a reference of its own */
	curfew__guest *guest;
	curfew__wasm *wasm; /* NULL: JavaScript, or not there yet */
	bool is_there;      /* the guest exists, from an earlier call */
	uint32_t flags;
	int64_t virtual_ns; /* the clock of a deterministic program */
	uint64_t seed;
	/* Called with the result of a run that had a guest, and whether that guest stays. */
	void (*on_settled)(void *context, curfew_run *run, curfew__run_end end);
	void *context;
} curfew__kept;

/* The progress of a run. It only increases: curfew__run_reach. */
enum curfew__run_progress {
	CURFEW__RUN_NEW,
	CURFEW__RUN_BEGUN,   /* it has its guest, or waits for the code or memory of it */
	CURFEW__RUN_ENTERED, /* code in the guest has executed, so there may be frames */
	CURFEW__RUN_STARTED, /* the program itself has executed: its use is counted from here on */
};

/* Why and when a run is to end. Shared with the watch. */
typedef struct curfew__run_stop {
	curfew__signal *cancels[2]; /* the caller's and the run's own; NULL: none */
	curfew__alarm alarm;
	_Atomic uint64_t latch; /* the cause of the stop and when its time was up; 0: none. The first cause wins */
	atomic_uint cause;      /* only the cause */
	atomic_uint tripped_count;
	_Atomic uint8_t tripped[CURFEW_OUTCOME_COUNT];
	atomic_uint tripped_set;
	atomic_uint time_up;     /* DEADLINE or CANCELLED once the program was notified that its time is up; 0: not yet */
	_Atomic int64_t hard_ns; /* end of the grace, once time is up */
	_Atomic int64_t stopped_ns; /* from when on it could do nothing, if that was before it noticed; otherwise 0 */
	bool tracing;               /* its frames are being read */
	bool was_waiting; /* it was stopped while it was parked; the watch writes this before anybody acts on `cause` */

	/* Only the watch uses these. */
	int64_t soft_ns; /* when the poll was first asked to stop, and the CPU time then */
	int64_t soft_cpu_ns;
	int64_t soft_seen_cpu_ns, soft_step_ns; /* the CPU time at the last check, and the time until the next one */
	int64_t hard_cpu_ns;                    /* the CPU time when it was first interrupted, or last did not respond */
	/* The thread that makes the guest, if the run is stopped before that is made. */
	curfew__hurried hurried;
} curfew__run_stop;

/* What a parked run waits for. */
typedef struct curfew__run_wait {
	_Atomic int64_t wake_ns;      /* end of the wait of a run that is parked, or about to be */
	int64_t waited_until_ns;      /* wake_ns when the run was resumed last */
	atomic_bool woken;            /* it was woken before it was parked */
	curfew__wasm_waiter compiled; /* is notified when the compilation of its program has made progress */
	atomic_bool compiling;        /* it waits for the compilation */
	curfew__run_waker *waker;
} curfew__run_wait;

typedef struct curfew__run_clocks {
	int64_t start_ns;
	int64_t deadline_ns;
	int64_t loaded_ns, compiled_ns, entered_ns; /* when the run reached these steps; 0: it has not */
	int64_t virtual_ns;                         /* deterministic: the program's clock */
	int64_t virtual_wake_ns;                    /* and the value that it will have at wake_ns */
	_Atomic pid_t thread;                       /* the executing thread; 0: none */
	_Atomic clockid_t cpu_clock;                /* its CPU time */
	_Atomic int64_t cpu_segment_ns;             /* the value of that clock when this stretch began; -1: not executing */
	_Atomic int64_t cpu_before_ns;              /* of earlier stretches */
} curfew__run_clocks;

typedef struct curfew__run_output {
	curfew__redact_stream redacted[2]; /* on the way to the streams, if there are secrets */
	curfew__buffer streams[2];
	_Atomic uint64_t bytes;
	bool truncated;
	char *partial; /* the last checkpoint */
	size_t partial_length;
} curfew__run_output;

struct curfew_run {
	atomic_uint references;
	atomic_uint phase;
	curfew_program *program;
	curfew_engine *engine;
	const curfew__kind *kind;
	curfew_run *next; /* in the executor's queue */

	/* The run's input. */
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
	pthread_t done_thread; /* the thread that calls on_done; set before done is 1 */
	atomic_uint done;      /* 1: the report exists; 2: on_done has returned as well */
	atomic_uint waiting;   /* threads that wait for `done`; each counts itself before it looks */

	curfew__run_stop stop;
	curfew__run_clocks clock;
	curfew__run_wait wait;
	curfew__run_output output;

	/* The guest. */
	enum curfew__run_progress progress;
	curfew__guest own_guest;
	curfew__guest *guest;     /* the run's own, or the session's */
	const curfew__kept *kept; /* the session of which this is a call; NULL: none, or the call has ended */
	bool again;               /* the guest is one of an earlier call */
	bool stays;               /* the guest stays for the next call */
	atomic_bool alive;        /* the guest exists, and the watch may touch it */
	bool exited;              /* the program has exited; the report has the code */
	curfew__wasm *wasm;       /* NULL: JavaScript, or not there yet */
	_Atomic uint64_t memory_bytes;
	const char *description; /* the description of the program, if it was asked for; borrowed from the program */
	size_t description_length;

	/* What the run uses of its host. */
	curfew__bundle_record *record; /* records what is imported; or NULL */
	char *import_text;             /* the file that import_open found, to be read */
	int32_t import_length;
	uint32_t awaited;                         /* WebAssembly waits for this call of a host function; 0: for none */
	_Atomic(curfew__operations *) operations; /* created at first use by the run's thread; any thread may close it */
	curfew__remote *remote;                   /* its broker; NULL: it has none */
	uint64_t host_calls;
	curfew__host_answer answer;       /* the answer of JavaScript's last host call, until it is taken */
	_Atomic uint64_t call_bytes;      /* arguments of asynchronous calls so far */
	unsigned call_count;              /* of host functions, so far */
	bool input_taken;                 /* JavaScript has asked for its standard input */
	struct curfew__files *open_files; /* NULL: JavaScript has opened none */

	curfew_report *report;
	curfew__budget after; /* for everything that is read of the guest after its end */
};

/* Whether the run can read imports, from a directory, a bundle or a broker. */
static inline bool curfew__run_may_import(const curfew_run *run)
{
	return run->program->import_dir || run->program->bundle || (run->flags & CURFEW_RUN_IMPORTS);
}

static inline bool curfew__run_is_deterministic(const curfew_run *run)
{
	return run->flags & CURFEW_RUN_DETERMINISTIC;
}

/* host.c: the imports of the JavaScript guest. */
extern const curfew__guest_host curfew__run_host;

/* output.c: the program's clock: monotonic time, or the fixed clock of a deterministic run. */
int64_t curfew__run_clock(const curfew_run *run);
/* Passes an event to on_event. */
void curfew__run_notify(curfew_run *run, curfew_event_kind kind, const char *bytes, size_t length);
/* Charges output. Returns how many of the bytes may pass, and latches the limit if not all may. */
size_t curfew__run_charge_output(curfew_run *run, size_t length);
bool curfew__run_fill_random(void *bytes, size_t length);
/* Counts a call out of the sandbox. False: the limit was exceeded, and is latched. */
bool curfew__run_charge_call(curfew_run *run);
/* Takes output of the guest to stream 1 or 2. False: the limit was exceeded, and is latched. */
bool curfew__run_write(curfew_run *run, uint32_t stream, const char *bytes, size_t length);
/* Notes the size of the memory, or that it could not grow, which is latched. */
void curfew__run_growth(curfew_run *run, size_t bytes, bool refused);

/* functions.c: calls of host functions. Those of JavaScript have the form of guest/host.h... */
bool curfew__run_call(curfew_run *run, uint32_t index, const char *json, size_t length, int32_t *answer);
bool curfew__run_call_take(curfew_run *run, void *bytes, size_t length);
/* ... an asynchronous call is an operation. False: the run ends. *id is 0 if there is no memory for it ... */
bool curfew__run_call_start(curfew_run *run, curfew__operations *operations, const char *request, size_t length,
                            uint32_t *id);
/* ... and those of WebAssembly have the form of curfew__wasm_host. */
void curfew__run_function(curfew_run *run, size_t index, const curfew__host_params *params,
                          curfew__host_answer *answer);
uint32_t curfew__run_function_start(curfew_run *run, size_t index, const curfew__host_params *params);
bool curfew__run_function_take(curfew_run *run, size_t index, uint32_t id, curfew__host_answer *answer);
/* requests.c: begins a request in the form of guest/abi.h and returns its id, or 0. It was charged as a call. */
uint32_t curfew__run_fetch(curfew_run *run, const char *request, size_t length);
/* As curfew__operations_send and _cancel, for the run's operations. */
bool curfew__run_send(curfew_run *run, uint32_t id, uint32_t kind, const void *bytes, size_t length);
void curfew__run_end_operation(curfew_run *run, uint32_t id);
/* Passes events of requests on to WebAssembly until there is none, or one of this id (0: of none), which it returns. */
const curfew__operation_event *curfew__run_next_answer(curfew_run *run, uint32_t id);
/* The run's operations, created when the first one starts. The watch may close them from then on. NULL: out of memory.
 */
curfew__operations *curfew__run_operations(curfew_run *run);

/* start.c: creates a run from options that were copied in and resolved limits, with the guest of a session (NULL: its
 * own). */
curfew_status curfew__run_create(curfew_program *program, const curfew_run_options *options,
                                 const curfew_limits *limits, const curfew__kept *kept, bool waited_for,
                                 curfew_run **result, curfew_failure *failure);
/* Executes the run here or on the executor, and waits. Anything but CURFEW_OK: nothing was started. */
curfew_status curfew__run_to_end(curfew_run *run, curfew_failure *failure);

/* secrets.c: removes the granted secrets from what leaves the run. The run takes the reference. */
void curfew__run_take_given(curfew_run *run, curfew__given *given);
/* Builds what is needed to find them, unless another run has. False: the run was stopped meanwhile, or memory ran out.
 */
bool curfew__run_prepare_secrets(curfew_run *run);
/* Passes the rest of the output, which was held back. */
void curfew__run_end_output(curfew_run *run);
/*
 * JSON that is to leave, changed where it has to be, and then in buffer, which this initialises in any case. False: out
 * of memory, it must not leave.
 */
bool curfew__run_redact_json(const curfew_run *run, curfew__buffer *buffer, const char **json, size_t *length);
/* Removes secrets from the value, charges it to the output limit, and puts it into the report if it fits. */
void curfew__run_set_value(curfew_run *run, const char *json, size_t length);
/* Removes the secrets from the report's texts, except from the output and the partial result, which have none any more.
 */
void curfew__run_redact_report(curfew_run *run);
/*
 * The run needs nothing more of what it was given, and nothing of what is kept for a session, which may go away before
 * the run does. Secrets are wiped with the last reference.
 */
void curfew__run_give_back(curfew_run *run);
/* Charges output without secrets, keeps it and passes it to on_event. False: it exceeded the limit. */
bool curfew__run_pass_output(curfew_run *run, bool is_error, const char *bytes, size_t length);

/* stop.c: moves a run from one phase to another if it is in the first. Returns whether it was. From any thread. */
bool curfew__run_move(curfew_run *run, enum curfew__run_phase from, enum curfew__run_phase to);
/* Moves a run to a phase. The caller knows that the present phase allows it. */
void curfew__run_enter_phase(curfew_run *run, enum curfew__run_phase to);
/* Only on the thread that executes the run. */
void curfew__run_reach(curfew_run *run, enum curfew__run_progress progress);

/* Ends the run and publishes its report. Nothing of the guest runs after this, and the watch no longer touches it. */
void curfew__run_finish(curfew_run *run, curfew__run_end end);
/* Lets the run's user destroy it. From now on this thread uses nothing of the run but its reference. */
void curfew__run_release(curfew_run *run);

/* wasm.c: wakes the run because the compilation of its program has made progress. Any thread. */
void curfew__run_compiled(void *run);

/* Wakes a run that waits. From any thread that keeps the run alive meanwhile. */
void curfew__run_wake(curfew_run *run);

/* Executes a run on this thread. False: it is parked, and another thread may already have it. True: it has ended. */
bool curfew__run_step(curfew_run *run);
void curfew__run_unref(curfew_run *run);

/* inspect.c: describes the loaded program as one line of JSON. */
curfew_status curfew__run_describe(const curfew_run *run, char **json, size_t *length, curfew_failure *failure);

/* ---- Executor --------------------------------------------------------------------------------------------- */

/*
 * What the executor's threads do with a run: execute it (true: it has ended, and is released next), and drop the
 * queue's reference to it.
 */
typedef struct curfew__work_calls {
	bool (*step)(curfew_run *run);
	void (*release)(curfew_run *run);
	void (*unref)(curfew_run *run);
} curfew__work_calls;

/* Threads that have nothing else to do tidy the pool. */
curfew__executor *curfew__executor_create(uint32_t threads, curfew__pool *pool, curfew__work_calls calls);
void curfew__executor_destroy(curfew__executor *executor);
/* Waits until no other thread has a reference to a run that was released before this call. */
void curfew__executor_settle(curfew__executor *executor);
/* Queues a run, with a reference of the queue's. False: no thread can be started. */
bool curfew__executor_submit(curfew__executor *executor, curfew_run *run);

#endif
