/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Curfew: run code you do not trust, and always get control back.
 *
 * The whole public interface, in the order in which it is used:
 *   engine (heavy, shared) -> program (immutable, shared) -> run (one execution) -> report.
 * Limits go in, a report comes out. The library never prints, exits, or keeps state outside its engines.
 *
 * Threads: several threads may use an engine, a program or a cancel handle at once. A run or a report belongs to one
 * thread at a time, except where a function says otherwise.
 * Ownership: arguments are borrowed for the call and copied. The matching destroy function destroys what a function
 * creates. Destroying NULL does nothing. A child keeps its parent alive, so they may be destroyed in any order.
 * Errors: a curfew_status says whether the host's call worked. curfew_report.outcome says what the guest did.
 */
#ifndef CURFEW_H
#define CURFEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CURFEW_API __attribute__((visibility("default")))
#else
#define CURFEW_API
#endif

#define CURFEW_VERSION "0.1.0"

/* ---- Status: did the host's call work? ------------------------------------------------------------------- */

/* X(name, value, sentence). Values are append-only. */
#define CURFEW_STATUS_LIST(X)                                                                                          \
	X(OK, 0, "the call worked")                                                                                        \
	X(INVALID, 1, "an argument is missing, malformed or out of range")                                                 \
	X(NO_MEMORY, 2, "the host is out of memory or address space")                                                      \
	X(SYSTEM, 3, "the system refused something the engine needs")                                                      \
	X(BAD_IMAGE, 4, "the image is damaged or belongs to another build of Curfew")                                      \
	X(BAD_PROGRAM, 5, "the program does not load: the report says why")                                                \
	X(INTERNAL, 6, "Curfew itself failed")                                                                             \
	X(NOT_FOUND, 7, "there is no such file or entry")                                                                  \
	X(BUSY, 8, "another process keeps it locked")                                                                      \
	X(DAMAGED, 9, "the file is damaged, or of another kind")                                                           \
	X(WRONG_KEY, 10, "the key is not the one it was made with")                                                        \
	X(READ_ONLY, 11, "it cannot be written")                                                                           \
	X(OVERLOADED, 12, "the engine has reached its maximum number of runs: try again later")                            \
	X(IN_USE, 13, "a call of this session is in progress")                                                             \
	X(UNUSABLE, 14, "the session's state was lost: reset it")

typedef enum curfew_status {
#define X(name, value, sentence) CURFEW_##name = value,
	CURFEW_STATUS_LIST(X)
#undef X
} curfew_status;

/* The sentence of a status, in static memory; "unknown status" for an unknown value. */
CURFEW_API const char *curfew_status_text(curfew_status status);

/* Why a call failed: one line that names what and where. It is empty after success. Every function accepts NULL. */
typedef struct curfew_failure {
	char message[256];
} curfew_failure;

/* Frees what a function of this library returned as "free with curfew_free". */
CURFEW_API void curfew_free(void *memory);

/* Version of this library, in static memory. */
CURFEW_API const char *curfew_version(void);

/* ---- Outcome: what did the guest do? --------------------------------------------------------------------- */

/* X(NAME, value, "name", exit code of the command line, sentence). Values are append-only. */
#define CURFEW_OUTCOME_LIST(X)                                                                                         \
	X(FINISHED, 0, "ok", 0, "the program finished")                                                                    \
	X(THREW, 1, "threw", 1, "an exception was not caught")                                                             \
	X(TRAPPED, 2, "trapped", 1, "a WebAssembly trap that no limit caused")                                             \
	X(BAD_PROGRAM, 3, "bad_program", 3, "the program cannot be read, parsed, validated or linked")                     \
	X(FUEL, 4, "fuel", 121, "the fuel limit was exceeded")                                                             \
	X(LOOPS, 5, "loops", 122, "the loop limit was exceeded")                                                           \
	X(HOST_CALLS, 6, "host_calls", 123, "the limit of calls out of the sandbox was exceeded")                          \
	X(TIMERS, 7, "timers", 123, "too many timers were pending at once")                                                \
	X(DEADLINE, 8, "deadline", 124, "the deadline passed")                                                             \
	X(INTERNAL_ERROR, 9, "internal", 125, "Curfew itself failed")                                                      \
	X(CANCELLED, 10, "cancelled", 130, "the run was cancelled")                                                        \
	X(MEMORY, 11, "memory", 137, "the memory limit was exceeded")                                                      \
	X(STACK, 12, "stack", 139, "the stack limit was exceeded")                                                         \
	X(CPU, 13, "cpu", 152, "the CPU time limit was exceeded")                                                          \
	X(OUTPUT, 14, "output", 153, "the output limit was exceeded")                                                      \
	X(EXITED, 15, "exited", 0, "the program ended itself with an exit code")                                           \
	X(CRASHED, 16, "crashed", 134, "the process that ran the program died")                                            \
	X(UNSETTLED, 17, "unsettled", 13, "the program awaits what nothing can settle")

typedef enum curfew_outcome {
#define X(name, value, text, exit_code, sentence) CURFEW_OUTCOME_##name = value,
	/* clang-format off */
	CURFEW_OUTCOME_LIST(X)
#undef X
	CURFEW_OUTCOME_COUNT
	/* clang-format on */
} curfew_outcome;

/* Capacity of the list of what tripped. There are fewer limits than that. */
#define CURFEW_TRIPPED_MAX 17

/* Name as in the report ("deadline"), in static memory; NULL for an unknown value. */
CURFEW_API const char *curfew_outcome_name(curfew_outcome outcome);
/* One sentence, in static memory; NULL for an unknown value. */
CURFEW_API const char *curfew_outcome_text(curfew_outcome outcome);
/* Exit code of the command line for this outcome (for EXITED the report has it); 125 for an unknown value. */
CURFEW_API int curfew_outcome_exit_code(curfew_outcome outcome);

/* ---- Limits ---------------------------------------------------------------------------------------------- */

#define CURFEW_UNLIMITED UINT64_MAX

/*
 * What a run may use. A field left 0 takes the default of curfew_limit_table(). "No limit" is spelled
 * CURFEW_UNLIMITED, where the table allows it. Set size to sizeof(curfew_limits). Fields are append-only: a non-zero
 * field that this library does not know is refused, as openat2(2) does.
 */
typedef struct curfew_limits {
	uint32_t size;
	uint32_t reserved;     /* 0 */
	uint64_t timeout_ns;   /* wall-clock deadline for everything: load, compile, start, run, waiting, jobs */
	uint64_t grace_ns;     /* after the deadline or a cancel, time for the program to end by itself */
	uint64_t cpu_ns;       /* CPU time of the run, waiting excluded */
	uint64_t fuel;         /* deterministic instruction budget; a limit here selects the metered engine */
	uint64_t loops;        /* JavaScript loop iterations plus calls */
	uint64_t memory_bytes; /* guest memory, all of it */
	uint64_t stack_bytes;  /* guest stack */
	uint64_t output_bytes; /* captured stdout + stderr + value */
	uint64_t host_calls;   /* calls out of the sandbox */
	uint64_t timers;       /* timers pending at once */
} curfew_limits;

typedef enum curfew_unit { CURFEW_UNIT_DURATION, CURFEW_UNIT_BYTES, CURFEW_UNIT_COUNT } curfew_unit;

/* One row for each limit. Flags, reports, help texts and documents are made from this table. */
typedef struct curfew_limit_info {
	const char *name;       /* "timeout": the flag without its dashes */
	const char *report_key; /* "timeout_us" */
	const char *meaning;    /* one phrase */
	curfew_unit unit;       /* durations are held in ns and reported in us */
	uint64_t default_value; /* canonical unit of curfew_limits; CURFEW_UNLIMITED if the default is no limit */
	uint64_t minimum;       /* smallest accepted value */
	uint64_t ceiling;       /* largest accepted value besides CURFEW_UNLIMITED */
	bool may_be_unlimited;
	size_t offset;          /* of the uint64_t field in curfew_limits */
	curfew_outcome outcome; /* when it is exceeded */
} curfew_limit_info;

/* The table of limits and its length, in static memory. */
CURFEW_API const curfew_limit_info *curfew_limit_table(size_t *count);

/*
 * Sets one limit from text as the command line takes it: "300ms", "64MiB", "10M", "unlimited". name is the table's.
 * CURFEW_INVALID: the message names both, and limits are unchanged.
 */
CURFEW_API curfew_status curfew_limits_set(curfew_limits *limits, const char *name, const char *text,
                                           curfew_failure *failure);

/* The value of one limit, given by its row of the table; 0: it is not set, or the struct is of a version without it. */
CURFEW_API uint64_t curfew_limits_get(const curfew_limits *limits, const curfew_limit_info *info);
/* Sets one limit to a value, which curfew_limits_resolve checks. Does nothing if the struct is of a version without it.
 */
CURFEW_API void curfew_limits_put(curfew_limits *limits, const curfew_limit_info *info, uint64_t value);

/*
 * Writes the value of a limit in the form that curfew_limits_set accepts: "300ms", "64MiB", "1000", "unlimited". The
 * text always ends in NUL; 32 bytes are enough.
 */
CURFEW_API void curfew_limit_format(const curfew_limit_info *info, uint64_t value, char *text, size_t size);

/* Replaces every 0 by its default and checks every field against the table. */
CURFEW_API curfew_status curfew_limits_resolve(const curfew_limits *limits, curfew_limits *resolved,
                                               curfew_failure *failure);

/* ---- Engine ---------------------------------------------------------------------------------------------- */

typedef struct curfew_engine curfew_engine;
typedef struct curfew_program curfew_program;

/*
 * Called when an engine needs code of a program that is compiled elsewhere. what is one of CURFEW_CODE_*; number is not
 * used twice. CURFEW_CODE_NONE, without a program: the engine no longer needs the request of this number. Called on any
 * thread. Be short, and call nothing of this library.
 */
typedef void (*curfew_compile_callback)(void *context, uint64_t number, const curfew_program *program, uint32_t what);

#define CURFEW_CODE_NONE 0u
#define CURFEW_CODE_PLAIN 1u
#define CURFEW_CODE_METERED 2u     /* code that counts its fuel */
#define CURFEW_CODE_DESCRIPTION 3u /* a description of the program: nothing is compiled */

typedef struct curfew_engine_options {
	uint32_t size;
	uint32_t threads;        /* started runs that compute at once; 0: one per core. A run that has computed for 10 ms is
	                            not counted until it waits; up to 64 further threads run what is queued behind it */
	const char *cache_dir;   /* directory for compiled code, of this user; made if missing (0700); NULL: none */
	uint64_t resident_bytes; /* memory kept ready in regions that wait for reuse; 0: 256 MiB */
	uint32_t reserved;       /* 0 */
	int32_t pagemap_fd;      /* /proc/self/pagemap, open for reading, for a process that cannot open it by name later;
	                            the engine closes it; 0: the engine opens it */
	uint32_t max_runs;       /* runs in progress at once; a further one is refused when it is started; 0: 10,000 */
	uint32_t flags;          /* CURFEW_ENGINE_*; 0: none */
	const char *compiler;    /* the executable curfew-compiler; NULL: the one beside this library or executable, or in
	                            the libexec directory of its installation */
	uint64_t compiler_memory_bytes; /* memory that compiling one WebAssembly program may take; 0: 2 GiB */
	uint32_t compile;               /* CURFEW_COMPILE_*: where WebAssembly programs are compiled */
	uint32_t reserved2;             /* 0 */
	uint64_t compiler_cpu_ns; /* CPU time that compiling one WebAssembly program may take, on all cores together, in
	                             whole seconds; 0: 10 minutes */
	curfew_compile_callback on_compile; /* set with CURFEW_COMPILE_ELSEWHERE, and only then */
	void *compile_context;
} curfew_engine_options;

/*
 * Compiling is the one piece of a program's work that nothing inside a process can stop. So a confined child process,
 * curfew-compiler, does it. That process is killed when the last run that waits for it is stopped.
 */
/* In a child process. Where there can be none, in this process, as with CURFEW_COMPILE_IN_PROCESS. */
#define CURFEW_COMPILE_ANYWHERE 0u
/* In a child process. Where there can be none, a run of a program that is not compiled yet ends as "internal". */
#define CURFEW_COMPILE_PROCESS 1u
/*
 * In this process, on a thread of the engine: for embedders that may not have child processes. A run is still stopped
 * in time, but the compilation that was begun for it continues. Estimates bound it instead: a program that would take
 * more than about 20 s of CPU time is refused, and so is text of more than 1 MiB.
 */
#define CURFEW_COMPILE_IN_PROCESS 2u

/*
 * In another process, for engines in processes that are confined themselves. This process asks by
 * curfew_engine_options.on_compile, and passes the answers to curfew_engine_receive. See curfew_compiler.
 */
#define CURFEW_COMPILE_ELSEWHERE 3u

/*
 * Uses pages of 2 MiB for guests' memory if the system has them. Programs that touch much memory for the first time run
 * faster. A stop may come some milliseconds later, because nothing interrupts the clearing of such a page.
 */
#define CURFEW_ENGINE_HUGE_PAGES 1u

/* Creates an engine: maps the compiled JavaScript engine and starts the watch thread. options may be NULL. */
CURFEW_API curfew_status curfew_engine_create(const curfew_engine_options *options, curfew_engine **engine,
                                              curfew_failure *failure);
/*
 * Drops the caller's reference. The engine ends when its programs and runs have ended: before this returns, if all were
 * destroyed before it was called, and it was not called from a callback.
 */
CURFEW_API void curfew_engine_destroy(curfew_engine *engine);

/*
 * The stack in bytes that a thread needs so that curfew_program_run executes on it in any case. On a thread with less,
 * a run that calls nothing of the embedder's (no host functions, no on_event, no on_request) executes on a stack of the
 * engine's; otherwise one of the engine's threads executes it while the caller waits.
 */
CURFEW_API size_t curfew_engine_stack_bytes(const curfew_engine *engine);

typedef struct curfew_engine_stats {
	uint32_t size;
	uint32_t reserved;
	uint64_t runs_active;    /* started and not yet ended */
	uint64_t regions_in_use; /* guest memories that runs hold */
	uint64_t regions_pooled; /* guest memories that wait for reuse */
	uint64_t runs_total;     /* since the engine was created */
	uint64_t resident_bytes; /* kept ready in regions that wait for reuse, at most the option of that name */
} curfew_engine_stats;
CURFEW_API void curfew_engine_get_stats(curfew_engine *engine, curfew_engine_stats *stats);

/* ---- Program --------------------------------------------------------------------------------------------- */

typedef enum curfew_language {
	CURFEW_LANGUAGE_JS = 0,        /* script or module, distinguished by syntax as in Node */
	CURFEW_LANGUAGE_JS_MODULE = 1, /* a module in any case */
	CURFEW_LANGUAGE_WASM = 2,      /* WebAssembly, binary: core module or component, by its header */
	CURFEW_LANGUAGE_WAT = 3,       /* WebAssembly, text */
	CURFEW_LANGUAGE_TS = 4,        /* TypeScript, script or module: its types are stripped */
	CURFEW_LANGUAGE_TS_MODULE = 5, /* TypeScript, a module in any case */
	CURFEW_LANGUAGE_BUNDLE = 6,    /* several files of these, as a tar archive: curfew_program_bundle */
} curfew_language;

/* Name as for --lang ("mjs"), in static memory; NULL for an unknown value. Values have no gaps from 0 on. */
CURFEW_API const char *curfew_language_name(curfew_language language);

typedef struct curfew_source {
	uint32_t size;
	curfew_language language;
	const char *name;       /* shown in stacks and reports; UTF-8; not starting with "curfew:" */
	const char *text;       /* UTF-8, need not end in NUL; or the bytes of a module or component */
	size_t text_length;     /* at most 16 MiB; a bundle 64 MiB, WebAssembly that is not text 128 MiB */
	const char *import_dir; /* directory that imports may read, and nothing above it; NULL: no imports */
	uint32_t flags;         /* CURFEW_SOURCE_* */
	uint32_t reserved;
	const char *import_map; /* an import map, as curfew_import_map_check describes it; NULL: none */
	size_t import_map_length;
	const char *import_map_name; /* the map's path below import_dir, for its relative addresses; NULL: the top */
	const char *sha256;          /* of text, in hexadecimal, which is not checked; NULL: it is computed */
} curfew_source;

/* The program will run once, so no image of its parsed form is kept. */
#define CURFEW_SOURCE_ONCE 1u
/* The name is the program's path below import_dir. Relative imports are relative to it; otherwise to import_dir. */
#define CURFEW_SOURCE_PATH 2u
/* The program has Node's globals from the beginning: process, Buffer, global, setImmediate. Other programs get them
 * when they load CommonJS. */
#define CURFEW_SOURCE_NODE 4u
/* WebAssembly: text is a mapping (mmap) of the caller's. If the program is created, it takes the mapping over, and
 * unmaps it in the end. So text is not copied. */
#define CURFEW_SOURCE_MAPPED 8u

/*
 * Checks that this text is an import map of the HTML standard that can be used, of at most 1 MiB: a JSON object with
 * "imports" and "scopes", where every address is a path that begins with "/", "./" or "../", or a URL. If not, returns
 * CURFEW_INVALID and says what is wrong with it.
 */
CURFEW_API curfew_status curfew_import_map_check(const char *text, size_t length, curfew_failure *failure);

/*
 * Creates a program. Nothing is parsed here. Parsing is guest work, under the limits of the first run or of
 * curfew_program_compile, so that a hostile source is bounded like any other guest.
 */
CURFEW_API curfew_status curfew_program_create(curfew_engine *engine, const curfew_source *source,
                                               curfew_program **program, curfew_failure *failure);
CURFEW_API void curfew_program_destroy(curfew_program *program);
/* "js", "module" or "component", in static memory. For WebAssembly text it is known after the first run or compile. */
CURFEW_API const char *curfew_program_kind(const curfew_program *program);

typedef struct curfew_report curfew_report;

/*
 * Parses the program now, under limits (NULL: the defaults), and keeps an image from which every run starts.
 * CURFEW_BAD_PROGRAM: it did not load. *report (may be NULL) is then filled, and belongs to the caller.
 */
CURFEW_API curfew_status curfew_program_compile(curfew_program *program, const curfew_limits *limits,
                                                curfew_report **report, curfew_failure *failure);

/*
 * Describes a program in one line of JSON: its kind, what it imports and exports, what it needs (docs/INSPECT.md). The
 * program is loaded under limits (NULL: the defaults), and nothing of it runs. *json has *length bytes and a NUL; free
 * it with curfew_free. CURFEW_BAD_PROGRAM and *report: as curfew_program_compile.
 */
CURFEW_API curfew_status curfew_program_inspect(curfew_program *program, const curfew_limits *limits, char **json,
                                                size_t *length, curfew_report **report, curfew_failure *failure);

/*
 * Loads a JavaScript program that was neither compiled nor run yet, under limits (NULL: the defaults). Returns it
 * together with all files that it imports, packages in node_modules included, as one tar archive: the text of a program
 * of CURFEW_LANGUAGE_BUNDLE. The same files give the same bytes. *bundle has *length bytes; free it with curfew_free.
 * NULL: the program imports nothing, and its own text is all of it. CURFEW_BAD_PROGRAM and *report: as
 * curfew_program_compile.
 *
 * Any other archive of plain files can be a program as well. Its entry point is then the "entry" of its
 * curfew-bundle.json, the "main" of its package.json, or index.js, index.mjs, index.ts, index.mts or index.cjs at its
 * top.
 */
CURFEW_API curfew_status curfew_program_bundle(curfew_program *program, const curfew_limits *limits, void **bundle,
                                               size_t *length, curfew_report **report, curfew_failure *failure);

/* The image of a program as bytes for a file; free with curfew_free. Call curfew_program_compile first. */
CURFEW_API curfew_status curfew_program_save(curfew_program *program, void **image, size_t *length,
                                             curfew_failure *failure);
/* Creates a program from such bytes. CURFEW_BAD_IMAGE: they are damaged, or of another build of Curfew. */
CURFEW_API curfew_status curfew_program_load(curfew_engine *engine, const void *image, size_t length,
                                             curfew_program **program, curfew_failure *failure);
/* Whether these bytes begin like an image of curfew_program_save. */
CURFEW_API bool curfew_is_image(const void *bytes, size_t length);

/* ---- Host functions -------------------------------------------------------------------------------------- */

/* A number that a typed function takes or returns. */
typedef union curfew_value {
	int32_t i32;
	int64_t i64;
	float f32;
	double f64;
} curfew_value;

/* One call of a host function: its arguments, and where its answer goes. */
typedef struct curfew_host_call curfew_host_call;
/* Where calls wait for a thread of the embedder's: see curfew_call_queue_create. */
typedef struct curfew_call_queue curfew_call_queue;

/* A callback must not block. One that is not asynchronous must not run programs and wait for them. It has 256 KiB of
 * stack. */
typedef void (*curfew_host_callback)(void *context, curfew_host_call *call);

/*
 * A host function: a function of the embedder's that programs may call. Each call counts as one of the run's host
 * calls. Without a type the function takes JSON and answers JSON. With a type it takes numbers, from JavaScript too.
 *
 * JavaScript sees it as host.NAME, a function of a frozen global object. A WebAssembly module imports it, if it has a
 * type. A component imports it as NAME of the interface that `module` names ("acme:host/api@1.2.0", or without a
 * version for all of them); without a `module`, as NAME alone.
 *
 * A component's parameters and result are JSON, as those of its own functions are (docs/INSPECT.md). The letters of a
 * type stand for s32 or u32, s64 or u64, f32 and f64; several results are a tuple. If the import has a result type, an
 * answer is its ok, and what is thrown is its err. A component that would pass resources, futures or streams does not
 * load.
 */
typedef struct curfew_host_function {
	uint32_t size;
	uint32_t flags;     /* CURFEW_HOST_ASYNC */
	const char *name;   /* printable ASCII without spaces, quotes and backslashes, at most 128 bytes, once in a module;
	                       JavaScript sees the first function of a name */
	const char *module; /* from which a WebAssembly module imports it, or a component's interface; NULL: "host" */
	const char *type; /* "iI->f": of i (i32), I (i64), f (f32), F (f64), at most 16 each and "->" between; NULL: JSON */
	uint64_t fuel;    /* the cost of a call, if fuel is limited */
	/*
	 * Executes a call, on the executing thread, while the guest waits. The guest cannot be stopped meanwhile: a stop
	 * takes effect when this returns (but see queue). The function answers before it returns; without an answer the
	 * program gets undefined, or zeros. An asynchronous function begins the call, and may answer later, from any
	 * thread.
	 */
	curfew_host_callback call;
	/*
	 * Asynchronous: called when the run was stopped or has ended before the answer. The embedder should then end the
	 * work, and must still answer the call. Called on any thread, once, perhaps while the call is being answered. The
	 * call is valid until this has returned. May be NULL.
	 */
	curfew_host_callback stopped;
	void *context; /* of both callbacks */
	/*
	 * The queue in which its calls wait for a thread of the embedder's own (curfew_call_queue_take). It replaces call,
	 * which must then be NULL, and excludes CURFEW_HOST_ASYNC. The executing thread waits for the answer until its run
	 * is to stop, and no longer.
	 */
	curfew_call_queue *queue;
	/*
	 * Called once with context when no call of the function can come any more: its program is destroyed, its runs have
	 * ended, and its calls are answered. Any thread, perhaps in another call of this library: be short, and call
	 * nothing of it. Not called where curfew_program_set_functions failed. May be NULL.
	 */
	void (*released)(void *context);
} curfew_host_function;

/*
 * An asynchronous function. JavaScript gets a promise for the answer; WebAssembly waits for it without holding a
 * thread. Each call must be answered exactly once. An answer after the run's end has no effect.
 */
#define CURFEW_HOST_ASYNC 1u

/*
 * Gives a program host functions. functions is an array of count elements, each of the size that the first one states.
 * Call this at most once, and before the program is compiled or run. An image does not hold the functions, so a loaded
 * program must be given them again. CURFEW_INVALID: it is too late for that, or a function is not well-formed.
 */
CURFEW_API curfew_status curfew_program_set_functions(curfew_program *program, const curfew_host_function *functions,
                                                      size_t count, curfew_failure *failure);

/*
 * A queue of calls of host functions that wait for threads of the embedder's own. It is for languages whose functions
 * cannot run on a thread of the engine's, and for functions that block. The functions of programs keep a reference to
 * the queue, so it may be destroyed before them.
 *
 * on_waiting (may be NULL) is called on the executing thread when a call has arrived and no thread is waiting to take
 * it. It must not block, because the executing thread waits for the answer only afterwards; it should make a thread
 * take the call. CURFEW_NO_MEMORY.
 */
CURFEW_API curfew_status curfew_call_queue_create(void (*on_waiting)(void *context), void *context,
                                                  curfew_call_queue **queue);
/*
 * Takes the oldest call, and waits up to wait_ns for one (0: does not wait; CURFEW_UNLIMITED: waits without a bound).
 * NULL: none came, or the queue was destroyed. *context (may be NULL) is the function's. Several threads may call this
 * at once. The thread that took a call answers it exactly once, which ends the handle; an answer after the run was
 * stopped has no effect. A thread that waits for the next call spins for 20 us before it sleeps, and so does the
 * executing thread for the answer: a short function takes only a few microseconds.
 */
CURFEW_API curfew_host_call *curfew_call_queue_take(curfew_call_queue *queue, uint64_t wait_ns, void **context);
/*
 * Destroys the queue. Threads that wait in curfew_call_queue_take get NULL. They must have returned before anything
 * that they use is destroyed. Calls that nobody took, and later ones, throw. NULL does nothing.
 */
CURFEW_API void curfew_call_queue_destroy(curfew_call_queue *queue);

/* The arguments as a JSON array, NUL-terminated; NULL if the function has a type. Valid until the answer. */
CURFEW_API const char *curfew_host_call_get_params(const curfew_host_call *call, size_t *length);
/* The arguments of a function with a type, as many as the type has; NULL if it has no type. Valid until the answer. */
CURFEW_API const curfew_value *curfew_host_call_get_values(const curfew_host_call *call);
/* The run's curfew_run_options.host_context. */
CURFEW_API void *curfew_host_call_get_context(const curfew_host_call *call);
/* Whether the run's time is up, or it is stopped. A call that takes long should check this. Any thread. */
CURFEW_API bool curfew_host_call_is_stopped(const curfew_host_call *call);
/* A pointer of the caller's own, kept with the call; NULL at first. */
CURFEW_API void curfew_host_call_set_data(curfew_host_call *call, void *data);
CURFEW_API void *curfew_host_call_get_data(const curfew_host_call *call);

/*
 * The three answers. Each ends the call; for an asynchronous call, or one from a queue, it also ends the handle. Any
 * thread. CURFEW_INVALID: the call cannot be answered in this way, because the text is not JSON, or because the
 * function has a type or has none. The program sees that as an error.
 */
/* JSON text; NULL: undefined. For a component NULL is null, which traps if its result is of another type. */
CURFEW_API curfew_status curfew_host_call_return(curfew_host_call *call, const char *json, size_t length);
/* Numbers, as many as the type has; may be NULL if there are none. JavaScript gets one as it is, several as an array.
 */
CURFEW_API curfew_status curfew_host_call_return_values(curfew_host_call *call, const curfew_value *results);
/*
 * An error: an Error with this message in JavaScript, a trap in WebAssembly. If a component's function has a result
 * type, the error is its err: the message itself as a string, enum or case, or JSON of another type. If it is neither,
 * the component traps.
 */
CURFEW_API curfew_status curfew_host_call_throw(curfew_host_call *call, const char *message);

/* ---- Cancel ---------------------------------------------------------------------------------------------- */

typedef struct curfew_cancel curfew_cancel;

/* Creates a handle that cancels a run. It serves one run at a time, and may serve another one afterwards. Once fired,
 * it stays fired. */
CURFEW_API curfew_status curfew_cancel_create(curfew_engine *engine, curfew_cancel **cancel);
/*
 * Cancels the run. Call it from any thread or signal handler, at any time: before the run starts (it then ends at once)
 * or after it has ended (nothing happens). Async-signal-safe; never blocks. A second call skips the grace.
 */
CURFEW_API void curfew_cancel_fire(curfew_cancel *cancel);
CURFEW_API void curfew_cancel_destroy(curfew_cancel *cancel);

/* ---- Secrets --------------------------------------------------------------------------------------------- */

/* A secret as a run is given it. Borrowed like every argument. */
typedef struct curfew_secret {
	const char *name;    /* a letter or "_", then letters, digits and "_": at most CURFEW_SECRET_NAME_BYTES */
	const char *value;   /* UTF-8 without NUL, need not end in one */
	size_t value_length; /* from 1 to CURFEW_SECRET_BYTES */
} curfew_secret;

#define CURFEW_SECRET_NAME_BYTES 128u
#define CURFEW_SECRET_BYTES 65536u
/* The maximum number of secrets of one user or one run, and the maximum size of all their values together. */
#define CURFEW_SECRETS_COUNT 256u
#define CURFEW_SECRETS_BYTES 262144u
#define CURFEW_USER_BYTES 256u
#define CURFEW_SECRETS_KEY_BYTES 32u

/* Checks that this may be a secret. Without a value (NULL) only its name is checked. If not, CURFEW_INVALID and why. */
CURFEW_API curfew_status curfew_secret_check(const curfew_secret *secret, curfew_failure *failure);

/*
 * A file that keeps the secrets of many users. Each value is encrypted under one key, and bound to its user and name.
 * Names and users are readable in the file. Several processes may use one file at once. Each change is written
 * completely or not at all.
 */
typedef struct curfew_secrets curfew_secrets;

#define CURFEW_SECRETS_CREATE 1u /* make the file (mode 0600) if it is missing; its directory must exist */

/*
 * Opens such a file. key is CURFEW_SECRETS_KEY_BYTES random bytes. Several threads may use the handle at once.
 * CURFEW_NOT_FOUND: there is no such file, or with CURFEW_SECRETS_CREATE no such directory. CURFEW_WRONG_KEY: the file
 * was made with another key. CURFEW_DAMAGED. CURFEW_BUSY, here and below: another process has kept the file locked for
 * two seconds.
 */
CURFEW_API curfew_status curfew_secrets_open(const char *path, const void *key, uint32_t flags,
                                             curfew_secrets **secrets, curfew_failure *failure);
/* Closes the file and wipes the key. Runs that were started with it continue. */
CURFEW_API void curfew_secrets_close(curfew_secrets *secrets);

/* Sets a secret of a user (UTF-8, from 1 to CURFEW_USER_BYTES); replaces the one of that name if there is one. */
CURFEW_API curfew_status curfew_secrets_set(curfew_secrets *secrets, const char *user, const curfew_secret *secret,
                                            curfew_failure *failure);
/* Removes a secret; CURFEW_NOT_FOUND if the user has none of that name. */
CURFEW_API curfew_status curfew_secrets_remove(curfew_secrets *secrets, const char *user, const char *name,
                                               curfew_failure *failure);
/* Names of the user's secrets, sorted: *count of them in one piece of memory; free it with curfew_free. */
CURFEW_API curfew_status curfew_secrets_list(curfew_secrets *secrets, const char *user, char ***names, size_t *count,
                                             curfew_failure *failure);

/*
 * Collects the secrets of a run, as curfew_run_options names them, for embedders that run programs in another process:
 * the given ones, and the user's of the store (NULL: none). *secrets is NULL, or *count secrets in one piece of locked
 * memory; pass it to curfew_secrets_wipe.
 */
CURFEW_API curfew_status curfew_secrets_collect(const curfew_secret *given, size_t given_count, curfew_secrets *store,
                                                const char *user, curfew_secret **secrets, size_t *count,
                                                curfew_failure *failure);
/* Wipes and frees them; NULL does nothing. */
CURFEW_API void curfew_secrets_wipe(curfew_secret *secrets);

/* ---- Run ------------------------------------------------------------------------------------------------- */

typedef struct curfew_run curfew_run;

typedef enum curfew_event_kind {
	CURFEW_EVENT_STDOUT = 0,
	CURFEW_EVENT_STDERR = 1,
	CURFEW_EVENT_PROGRESS = 2,   /* JSON text */
	CURFEW_EVENT_CHECKPOINT = 3, /* JSON text */
} curfew_event_kind;

/* Called on the executing thread while the guest waits, so it must be short. data is borrowed, and does not end in NUL.
 */
typedef void (*curfew_event_callback)(void *context, curfew_event_kind kind, const char *data, size_t length);
/* Called once, on an engine thread, when a started run has ended; curfew_run_wait then returns at once. */
typedef void (*curfew_done_callback)(void *context, curfew_run *run);

/*
 * Called once, on any thread, at the instant at which the stop is decided, before the guest is stopped. It must be
 * short. cause is the first limit that was exceeded, or the cancel. It is not called for a run that ends by itself.
 */
typedef void (*curfew_stop_callback)(void *context, curfew_outcome cause);

/* Called with a message for a broker, on any thread, so it must be short. The message is borrowed. */
typedef void (*curfew_message_callback)(void *context, const void *message, size_t length);

/* A directory that a program may open (WASI, node:fs), with everything in it and nothing above it. */
typedef struct curfew_dir {
	const char *host;  /* path of the directory */
	const char *guest; /* the path under which the program sees it */
	uint32_t flags;    /* CURFEW_DIR_WRITE */
	uint32_t reserved; /* 0 */
} curfew_dir;

#define CURFEW_DIR_WRITE 1u /* files may be written, made and removed; without it they can only be read */

typedef struct curfew_run_options {
	uint32_t size;
	uint32_t flags;              /* CURFEW_RUN_* */
	const curfew_limits *limits; /* NULL: the defaults */
	const char *call;            /* the function to call: exported or, of a script, global; NULL: not named */
	const char *params;          /* JSON array, the call's arguments; NULL: [] */
	size_t params_length;
	const char *user;      /* curfew.user; NULL: none */
	curfew_cancel *cancel; /* may be NULL */
	curfew_event_callback on_event;
	void *on_event_context;
	curfew_done_callback on_done; /* curfew_run_start only */
	void *on_done_context;
	const char *id;          /* the report's, a ULID; NULL: a new one is made */
	const char *const *args; /* [arg_count] WASI: the program's arguments, its name left out; UTF-8 */
	size_t arg_count;
	const char *const *env; /* [env_count] WASI: its environment, NAME=value; UTF-8. JavaScript: curfew.env */
	size_t env_count;
	const curfew_dir *dirs; /* [dir_count] WASI, node:fs: directories it may open; JavaScript opens them at first use */
	size_t dir_count;
	int32_t stdin_fd;             /* its standard input, with CURFEW_RUN_STDIN; borrowed until the run ends */
	uint32_t reserved;            /* 0 */
	const curfew_secret *secrets; /* [secret_count] for secrets.get; of two with one name the last one counts */
	size_t secret_count;
	curfew_secrets *store; /* in addition, the secrets of user in this file, read when the run starts; or NULL */
	const char *const *allow_fetch; /* [allow_fetch_count] JavaScript: the only hosts that fetch may reach */
	size_t allow_fetch_count;
	void *host_context;                 /* what curfew_host_call_get_context returns */
	curfew_message_callback on_request; /* JavaScript: a broker makes its fetches, in place of allow_fetch */
	void *on_request_context;
	curfew_stop_callback on_stop; /* not for sessions */
	void *on_stop_context;
	const char *timezone;    /* JavaScript: the zone of Date and Intl, an IANA name ("Europe/Berlin"); NULL: UTC */
	const void *stdin_bytes; /* [stdin_length] its standard input, in place of stdin_fd; NULL: not given */
	size_t stdin_length;     /* at most 16 MiB */
	/* As curfew_files_check describes them; NULL: none. JavaScript: curfew.files. A WebAssembly program with WASI can
	 * read them below "/", and then has no dirs. */
	const char *files;
	size_t files_length;
	uint64_t owner; /* a number for the tenant, as in curfew_code_set_asker; 0: none in particular */
	/* [secret_for_count] headers with secrets that the host puts into requests, as curfew_secret_for_check describes
	 * them. secrets.get returns a placeholder for these secrets. */
	const char *const *secret_for;
	size_t secret_for_count;
} curfew_run_options;

#define CURFEW_RUN_DETERMINISTIC 1u /* fixed clock, seeded random */
#define CURFEW_RUN_STDIN 2u         /* stdin_fd is set; otherwise standard input is empty */
#define CURFEW_RUN_IMPORTS 4u       /* the broker also reads what it imports, in place of curfew_source.import_dir */
#define CURFEW_RUN_PASS_OUTPUT 8u   /* output goes only to on_event: neither the report nor memory keeps it */

/* The caller vouches that curfew_params_check and curfew_files_check have accepted params and files. They are not
 * checked again, which saves some milliseconds for each MiB. */
#define CURFEW_RUN_CHECKED 16u

/* Makes a new id for a run: a ULID of 26 characters, and a NUL. */
CURFEW_API void curfew_id_create(char id[27]);

/* Checks that this text is one JSON value, as in reports and events. If not, CURFEW_INVALID, where and why. */
CURFEW_API curfew_status curfew_json_check(const char *text, size_t length, curfew_failure *failure);

/* Checks that this text can be curfew_run_options.params: a JSON array. If not, CURFEW_INVALID, where and why. */
CURFEW_API curfew_status curfew_params_check(const char *params, size_t length, curfew_failure *failure);

/*
 * Checks that this text can be curfew_run_options.files: a JSON object of at most 1,024 files and 16 MiB. Its values
 * are a file's text, or {"base64": "..."} for bytes. Its names are relative paths without "." and "..", each given
 * once. If not, CURFEW_INVALID, which file and why.
 */
CURFEW_API curfew_status curfew_files_check(const char *files, size_t length, curfew_failure *failure);

/* Checks that there is a time zone of that name, for curfew_run_options.timezone. If not, CURFEW_INVALID and why. */
CURFEW_API curfew_status curfew_timezone_check(const char *name, curfew_failure *failure);
/*
 * Returns how far such a zone is ahead of UTC at a time (seconds since 1970), in seconds, by the same rules as for
 * programs. CURFEW_INVALID: there is no such zone; *offset is then unchanged.
 */
CURFEW_API curfew_status curfew_timezone_offset(const char *name, int64_t time, int32_t *offset,
                                                curfew_failure *failure);

/*
 * Checks that this text can be one of curfew_run_options.allow_fetch: HOST, HOST:PORT, *.DOMAIN or *.DOMAIN:PORT.
 * Without a port, 80 and 443 are meant. If not, CURFEW_INVALID and why. An address that is not public is reached only
 * if the list contains the address itself, or as localhost.
 */
CURFEW_API curfew_status curfew_allow_fetch_check(const char *host, curfew_failure *failure);

/*
 * Checks that this text can be one of curfew_run_options.secret_for: HOST:HEADER=TEMPLATE, where HOST is as for
 * curfew_allow_fetch_check, and TEMPLATE contains {NAME} for secrets among these. In each request to such a host, the
 * host sets HEADER to the template with the secrets' values, in place of what the program has set. Redirects are
 * requests of their own. The host must also be one that the run may reach. secrets may be NULL: then only the form is
 * checked. If not, CURFEW_INVALID and why.
 */
CURFEW_API curfew_status curfew_secret_for_check(const char *text, const curfew_secret *secrets, size_t secret_count,
                                                 curfew_failure *failure);

/*
 * Checks that allowing host grants nothing beyond the hosts of list. CURFEW_NOT_FOUND: it grants more. CURFEW_INVALID:
 * one of them is malformed, and why.
 */
CURFEW_API curfew_status curfew_allow_fetch_within(const char *host, const char *const *list, size_t count,
                                                   curfew_failure *failure);

/*
 * Runs the program and waits. CURFEW_OK means exactly that *report is filled, whatever the guest did. Destroy it with
 * curfew_report_destroy. options may be NULL.
 */
CURFEW_API curfew_status curfew_program_run(curfew_program *program, const curfew_run_options *options,
                                            curfew_report **report, curfew_failure *failure);

/*
 * Starts the program on the engine's threads. A run that only waits holds none of them. CURFEW_OVERLOADED: as many runs
 * are in progress as curfew_engine_options.max_runs says, and nothing was started.
 */
CURFEW_API curfew_status curfew_run_start(curfew_program *program, const curfew_run_options *options, curfew_run **run,
                                          curfew_failure *failure);
/* Waits for the end; the report belongs to the run. */
CURFEW_API const curfew_report *curfew_run_wait(curfew_run *run);
/* The report, or NULL while the run is in progress. Any thread. */
CURFEW_API const curfew_report *curfew_run_get_report(curfew_run *run);
/* Cancels the run, as curfew_cancel_fire. Any thread. */
CURFEW_API void curfew_run_cancel(curfew_run *run);

/* What the run has used so far. Any thread, at any time. */
typedef struct curfew_run_usage {
	uint32_t size;
	uint32_t reserved;
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t memory_bytes;
	uint64_t output_bytes;
} curfew_run_usage;
CURFEW_API void curfew_run_get_usage(curfew_run *run, curfew_run_usage *usage);

/*
 * Gives the run a message from its broker. Any thread, at any time; nothing happens after the run's end.
 * CURFEW_INVALID: the run has no broker, or no broker sends such a message.
 */
CURFEW_API curfew_status curfew_run_receive(curfew_run *run, const void *message, size_t length,
                                            curfew_failure *failure);

/* Drops the caller's reference. A run that is still in progress is cancelled first, and waited for. */
CURFEW_API void curfew_run_destroy(curfew_run *run);

/* ---- Broker ---------------------------------------------------------------------------------------------- */

/*
 * For embedders that run programs in other processes, which have neither network nor files. A run there sends requests
 * as messages (curfew_run_options.on_request), which the embedder passes to a broker, whole and in order. The broker
 * checks each request against what the run was granted, executes it, and has messages for curfew_run_receive. It trusts
 * nothing that a message says, because an attacker may control the process that sends it.
 */

/* The maximum length of a message of a run. */
#define CURFEW_REQUEST_BYTES 131136u

/* A thread that makes the HTTP requests of any number of brokers. Any thread may use it. */
typedef struct curfew_network curfew_network;
/* CURFEW_SYSTEM: there is no libcurl. */
CURFEW_API curfew_status curfew_network_create(curfew_network **network, curfew_failure *failure);
/* Ends the thread. After that no broker can begin a request. */
CURFEW_API void curfew_network_destroy(curfew_network *network);

/* The broker of one run. Belongs to one thread at a time. */
typedef struct curfew_broker curfew_broker;

typedef struct curfew_broker_options {
	uint32_t size;
	uint32_t reserved;              /* 0 */
	const curfew_limits *limits;    /* the run's; NULL: the defaults */
	const char *const *allow_fetch; /* [allow_fetch_count] as in curfew_run_options */
	size_t allow_fetch_count;
	curfew_network *network;         /* NULL: there may be no allow_fetch */
	const char *import_dir;          /* as in curfew_source */
	void (*on_ready)(void *context); /* called on any thread when a first message is ready; may not call the broker */
	void *context;
	const char *const *secret_for; /* [secret_for_count] as in curfew_run_options; the run has the same */
	size_t secret_for_count;
	const curfew_secret *secrets; /* [secret_count] the run's, for secret_for */
	size_t secret_count;
} curfew_broker_options;

CURFEW_API curfew_status curfew_broker_create(const curfew_broker_options *options, curfew_broker **broker,
                                              curfew_failure *failure);
/*
 * Takes a message of the run. If it asks for an import, reads the file. CURFEW_INVALID: no run of this library sends
 * such a message, or so many; end that run.
 */
CURFEW_API curfew_status curfew_broker_receive(curfew_broker *broker, const void *message, size_t length,
                                               curfew_failure *failure);
/* The next message for the run, valid until the next call with this broker; NULL: none for now. */
CURFEW_API const void *curfew_broker_next(curfew_broker *broker, size_t *length);
/* Ends at once all requests in progress. */
CURFEW_API void curfew_broker_destroy(curfew_broker *broker);

/* ---- Compiling for other processes ----------------------------------------------------------------------- */

/*
 * An engine in a confined process compiles nothing (CURFEW_COMPILE_ELSEWHERE). It says which code it needs of which
 * program. The embedder requests that code here, and passes the answers and their files to the engine. The engine
 * executes what these files hold, so they must have no other origin. Code is compiled once, and every engine that asks
 * gets it as one immutable file. It is kept in cache_dir, as for engines that compile by themselves.
 */

/* The answer to a request. */
typedef struct curfew_code_answer {
	uint32_t size;
	uint32_t kind;         /* CURFEW_CODE_* */
	uint64_t cpu_ns;       /* CPU time that compiling has taken since the request */
	int32_t file;          /* open for reading; -1: none */
	uint32_t internal;     /* FAILED: 1: the program is not at fault */
	uint32_t line, column; /* FAILED: position in its text, from 1; 0: not known */
	char message[256];     /* FAILED: one line */
} curfew_code_answer;

#define CURFEW_CODE_GOES_ON 0u   /* only cpu_ns is new */
#define CURFEW_CODE_INTERFACE 1u /* the file shows whether the program can be linked; more answers follow */
#define CURFEW_CODE_DONE 2u      /* the file is the code, or the description; the last answer */
#define CURFEW_CODE_FAILED 3u    /* the last answer */

/*
 * Gives an engine the answer to the request of this number. The engine takes ownership of the file in any case. An
 * answer that it no longer needs is ignored. CURFEW_INVALID: there is no such answer.
 */
CURFEW_API curfew_status curfew_engine_receive(curfew_engine *engine, uint64_t number, const curfew_code_answer *answer,
                                               curfew_failure *failure);

/* Compiles programs, each in a process of its own, which is killed when nobody waits for it. Any thread. */
typedef struct curfew_compiler curfew_compiler;
/*
 * Of the options, cache_dir, compiler, compiler_memory_bytes, compiler_cpu_ns and compile are used. Without a usable
 * cache_dir nothing is kept. options may be NULL.
 */
CURFEW_API curfew_status curfew_compiler_create(const curfew_engine_options *options, curfew_compiler **compiler,
                                                curfew_failure *failure);
/* Call this after everything that was made with the compiler was destroyed. */
CURFEW_API void curfew_compiler_destroy(curfew_compiler *compiler);

/* One program, and the code that was made of it. Any thread. */
typedef struct curfew_code curfew_code;
/* A WebAssembly program. Its text is borrowed, and must stay unchanged until this is destroyed. */
CURFEW_API curfew_status curfew_code_create(curfew_compiler *compiler, const curfew_source *source, curfew_code **code,
                                            curfew_failure *failure);
/* The same from an image. CURFEW_BAD_IMAGE: it is damaged, or not an image of a WebAssembly program. */
CURFEW_API curfew_status curfew_code_load(curfew_compiler *compiler, const void *image, size_t length,
                                          curfew_code **code, curfew_failure *failure);
/* Call this after its requests were destroyed. */
CURFEW_API void curfew_code_destroy(curfew_code *code);

/*
 * Who asks for the code from here on: any number for a tenant, and one for a user of that tenant; 0 is nobody in
 * particular. Of the programs that wait to be compiled or loaded, those of the asker with the fewest in progress come
 * first, then those of the asker with the least so far. Call it from one thread at a time.
 */
CURFEW_API void curfew_code_set_asker(curfew_code *code, uint64_t owner, uint64_t user);

/* One request of one engine. Belongs to one thread at a time. */
typedef struct curfew_code_request curfew_code_request;
/*
 * Requests one of CURFEW_CODE_*. on_ready is called when there is an answer, on any thread, perhaps before this
 * returns. It must not call this library.
 */
CURFEW_API curfew_status curfew_code_ask(curfew_code *code, uint32_t what, void (*on_ready)(void *context),
                                         void *context, curfew_code_request **request, curfew_failure *failure);
/* The next answer. Its file belongs to the caller. CURFEW_CODE_GOES_ON: there is none yet. */
CURFEW_API void curfew_code_next(curfew_code_request *request, curfew_code_answer *answer);
/* Ends the request. Code that nobody waits for any more is not compiled further. */
CURFEW_API void curfew_code_request_destroy(curfew_code_request *request);

/* ---- Report ---------------------------------------------------------------------------------------------- */

typedef enum curfew_stop_mode {
	CURFEW_STOP_NONE = 0,
	CURFEW_STOP_COOPERATIVE = 1, /* the program ended by itself within the grace */
	CURFEW_STOP_SOFT = 2,        /* at one of the engine's own checks, or in a call out of the sandbox */
	CURFEW_STOP_HARD = 3,        /* by an interrupt, wherever it was */
	CURFEW_STOP_PROCESS = 4,     /* by killing the process it ran in */
} curfew_stop_mode;

typedef enum curfew_stop_while {
	CURFEW_WHILE_NONE = 0,      /* it was not stopped */
	CURFEW_WHILE_RUNNING = 1,   /* code of the program */
	CURFEW_WHILE_WAITING = 2,   /* waiting for a timer, an operation of the host, or a thread */
	CURFEW_WHILE_COMPILING = 3, /* parsing JavaScript, compiling WebAssembly */
	CURFEW_WHILE_LOADING = 4,   /* before compiling, or between compiling and the program's first instruction */
} curfew_stop_while;

typedef struct curfew_frame {
	const char *function; /* UTF-8; "<anonymous>" if it has no name */
	const char *file;     /* NULL for a native frame */
	uint32_t line;        /* from 1; 0: not known */
	uint32_t column;      /* from 1; 0: not known */
	bool native;          /* a function built into the engine */
	bool has_wasm_offset; /* WebAssembly: wasm_offset is set */
	uint64_t wasm_offset; /* of the instruction in the original file (text: in its binary form) */
} curfew_frame;

typedef struct curfew_used {
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t fuel; /* CURFEW_UNLIMITED: not metered */
	uint64_t loops;
	uint64_t memory_peak_bytes;
	uint64_t stack_peak_bytes;
	uint64_t output_bytes;
	uint64_t host_calls;
	uint64_t timers_peak;
	uint64_t load_ns;    /* reading the program and taking memory for it */
	uint64_t compile_ns; /* parsing; 0 if it started from an image */
	uint64_t start_ns;   /* from there to the first instruction of the program */
	uint64_t run_ns;     /* from there to the end, waiting included */
} curfew_used;

/* An error within another one: its cause, or one of the errors of an AggregateError. Its pointers belong to the report.
 */
typedef struct curfew_error curfew_error;
struct curfew_error {
	const char *name; /* of its class; NULL: what was thrown is not an error */
	const char *message;
	const curfew_frame *frames; /* frame_count of them, innermost first */
	size_t frame_count;
	const char *properties;     /* JSON of its own enumerable ones, or NULL */
	const curfew_error *cause;  /* or NULL */
	const curfew_error *errors; /* error_count of them */
	size_t error_count;
};

/* Filled once, when the run has ended. Every pointer belongs to the report. */
struct curfew_report {
	uint32_t size;
	curfew_outcome outcome;
	char id[27]; /* ULID */
	uint32_t tripped_count;
	curfew_outcome tripped[CURFEW_TRIPPED_MAX]; /* every limit that was exceeded by the stop, in order */
	curfew_stop_mode stop_mode;                 /* CURFEW_STOP_NONE: it was not stopped */
	curfew_outcome stop_cause;                  /* equals outcome, unless something else ended the grace */
	uint64_t stop_latency_ns;                   /* how long after its time was up it was stopped; 0 if before */
	const char *value;                          /* JSON text, or NULL */
	const char *partial;                        /* JSON text of the last checkpoint, or NULL */
	bool has_error;
	const char *error_name;
	const char *error_message;
	const curfew_frame *frames; /* frame_count of them, innermost first */
	size_t frame_count;
	const char *source_line; /* the text of the line of the error, or NULL */
	curfew_limits limits;    /* resolved */
	curfew_used used;
	const char *stdout_text; /* UTF-8, NUL-terminated; may contain NULs: see the length */
	size_t stdout_length;
	const char *stderr_text;
	size_t stderr_length;
	bool output_truncated;
	const char *program_name;
	const char *program_kind; /* "js", "module" or "component" */
	char program_sha256[65];
	int32_t exit_code;                /* outcome EXITED: the program's */
	bool trace_truncated;             /* the budget for finding frames, lines and names was used up */
	const char *value_note;           /* why there is no value, or what it lacks: text, or NULL */
	const char *error_properties;     /* JSON of the error's own enumerable properties, or NULL */
	const curfew_error *error_cause;  /* or NULL */
	const curfew_error *error_errors; /* of an AggregateError, error_error_count of them */
	size_t error_error_count;
	curfew_stop_while stop_while; /* what it was doing when it was stopped */
};

CURFEW_API void curfew_report_destroy(curfew_report *report);

/*
 * Creates a report for a program that never ran. outcome is bad_program (it could not even be read) or internal;
 * message says why; limits is as in curfew_run_options. The report belongs to the caller.
 */
CURFEW_API curfew_status curfew_report_create_failed(curfew_outcome outcome, const char *program_name,
                                                     const char *message, const curfew_limits *limits,
                                                     curfew_report **report);

/* The report as one line of JSON (docs/report.schema.json); free with curfew_free. */
CURFEW_API curfew_status curfew_report_to_json(const curfew_report *report, char **text, size_t *length);
/*
 * Parses the report that such a line was made of. The text may be untrusted: anything that is not exactly a report is
 * refused, with CURFEW_INVALID and why. Fields that the text does not hold are 0: exit_code, and those that reports of
 * earlier versions lack. The report belongs to the caller.
 */
CURFEW_API curfew_status curfew_report_parse(const char *json, size_t length, curfew_report **report,
                                             curfew_failure *failure);
/* Sets the source_line of a parsed report of an error, if it has none, from the text of the program. */
CURFEW_API curfew_status curfew_report_set_source(curfew_report *report, const char *text, size_t length);
/* The report as text for people, several lines; with colour, it has ANSI escapes; free with curfew_free. */
CURFEW_API curfew_status curfew_report_to_text(const curfew_report *report, bool colour, char **text, size_t *length);

/* ---- Execute --------------------------------------------------------------------------------------------- */

/* The result of one execution of a function. Every pointer belongs to the result. */
typedef struct curfew_result {
	uint32_t size;
	curfew_outcome outcome;
	const char *status; /* the outcome's name: "ok", "deadline"... */
	const char *value;  /* JSON text; NULL: none */
	const char *output; /* what the program wrote to stdout; NUL-terminated, output_length bytes */
	size_t output_length;
	const char *error_name; /* NULL unless there was an error or a stop */
	const char *error_message;
	bool is_stopped;        /* by a limit or a cancel */
	const char *limit_name; /* the limit, as in curfew_limit_table: "timeout"; NULL: none stopped it */
	uint64_t limit;         /* its value, in the unit of curfew_limits */
	uint64_t elapsed_ns;
	uint64_t loops; /* JavaScript: loop iterations plus calls */
	uint64_t host_calls;
	const char *stack;           /* where it was stopped or threw, a line for each frame; NULL: not known */
	const curfew_report *report; /* everything else */
} curfew_result;

/*
 * Calls a function that the program exports (of a script: a global one; NULL: the default) with params, a JSON array
 * (NULL: []), for one user (NULL: none), and waits. Each execution starts from the program's fresh state, and leaves no
 * state behind. limits may be NULL: the defaults. options (may be NULL) is for everything else; its call, params, user
 * and limits must be NULL. CURFEW_OK means exactly that *result is filled. Destroy it with curfew_result_destroy.
 */
CURFEW_API curfew_status curfew_execute(curfew_program *program, const char *function, const char *params,
                                        const char *user, const curfew_limits *limits,
                                        const curfew_run_options *options, curfew_result **result,
                                        curfew_failure *failure);
CURFEW_API void curfew_result_destroy(curfew_result *result);

/* ---- Session --------------------------------------------------------------------------------------------- */

/*
 * A session keeps one program's state between calls: a notebook, an agent's loop. Each call is a run with a report of
 * its own, limited, stopped and watched like any other. Between calls a session holds its memory, and no thread.
 *
 * The first call after the creation or a reset evaluates the program, and then makes the call. A call ends as a run
 * does: its promise is settled, and nothing that it waits for is left. Whatever is still pending when it ends (timers,
 * jobs, promises, operations of the host) is dropped, and never resumes in a later call.
 *
 * Whether the state can be used again depends on how the call ended.
 *   JavaScript: it is usable after "ok", "threw" and "bad_program" (of a cell or a name). It is usable after a stop
 * whose stop_mode is cooperative or soft, except for memory, stack, and fuel that no check of the engine saw. Such a
 * stop unwinds the stack with an exception that no catch or finally sees, so the heap is sound; variables are as the
 * stopped code left them. It is lost after a hard stop, after a stop while a part of Intl was being loaded, and if the
 * program itself threw or was stopped while it was first evaluated. WebAssembly: it is usable after "ok", "threw" and
 * "bad_program" only. A trap, an exit or any stop leaves a function half done, and its memory in an unknown state: it
 * is lost. The memory of a lost state is given back at once. The session then refuses calls (CURFEW_UNUSABLE) until it
 * is reset.
 */
typedef struct curfew_session curfew_session;

/*
 * Creates a session; nothing runs yet. options (may be NULL) applies to all its calls; call, params, id, cancel,
 * on_done, on_request and on_stop must be NULL. Of options.limits, memory and stack are the session's own, as in a run.
 * timeout is how long the session lives, from here. cpu, fuel, loops, output and host_calls are totals over all its
 * calls, including those before a reset. grace and timers are maximums for a call. A field left 0, other than memory
 * and stack, sets no total: then only the limits of each call apply. Secrets of options.store are read here.
 */
CURFEW_API curfew_status curfew_session_create(curfew_program *program, const curfew_run_options *options,
                                               curfew_session **session, curfew_failure *failure);

/*
 * Calls a function that the program exports, with params, a JSON array (NULL: []), and waits. Of a script, it may be a
 * global function, also one of a cell; NULL calls what a run without a name calls. limits (NULL: the defaults) are this
 * call's. Each is reduced to what is left of the session's, and the report shows the smaller one. In limits, memory and
 * stack must be 0, and fuel too if the session has no limit of fuel. used in the report is this call's, except for
 * memory and stack: those are the session's so far, and WebAssembly's stack is not known before its end. CURFEW_OK
 * means exactly that *report is filled; destroy it with curfew_report_destroy. CURFEW_IN_USE: another call, or a reset,
 * is in progress. CURFEW_UNUSABLE: the state was lost. CURFEW_OVERLOADED: as for a run.
 */
CURFEW_API curfew_status curfew_session_call(curfew_session *session, const char *function, const char *params,
                                             const curfew_limits *limits, curfew_report **report,
                                             curfew_failure *failure);

/*
 * Evaluates source text as the session's next cell: a script in the global scope of the program and of the earlier
 * cells, whose value is the report's. The text may use await at its top level, and may declare again what an earlier
 * cell declared with let, const or class. name is shown in stacks (NULL: "cell 1", "cell 2"...). JavaScript only; the
 * rest is as for curfew_session_call.
 */
CURFEW_API curfew_status curfew_session_eval(curfew_session *session, const char *name, const char *text, size_t length,
                                             const curfew_limits *limits, curfew_report **report,
                                             curfew_failure *failure);

/*
 * Cancels the call in progress, like curfew_run_cancel: a second time skips the grace. Returns whether there was a
 * call; a thread that is about to make one may not have begun it yet. Any thread, but not a signal handler: only
 * curfew_cancel_fire may be called there.
 */
CURFEW_API bool curfew_session_cancel(curfew_session *session);

/* Drops the state, lost or not. The next call begins with the program's image. CURFEW_IN_USE: a call is in progress. */
CURFEW_API curfew_status curfew_session_reset(curfew_session *session, curfew_failure *failure);

/* Whether a call would find a state, either fresh or left by the last call. Any thread. */
CURFEW_API bool curfew_session_is_usable(const curfew_session *session);

/* What all calls of a session have used so far. */
typedef struct curfew_session_totals {
	uint32_t size;
	uint32_t reserved;
	uint64_t calls;   /* calls that have ended, cells included */
	uint64_t wall_ns; /* of the calls, not of the time between them */
	uint64_t cpu_ns;
	uint64_t fuel; /* CURFEW_UNLIMITED: not metered */
	uint64_t loops;
	uint64_t output_bytes;
	uint64_t host_calls;
	uint64_t memory_bytes; /* held by the state now; 0: there is none yet */
} curfew_session_totals;
/* Any thread. A call in progress is not counted yet. */
CURFEW_API void curfew_session_get_totals(curfew_session *session, curfew_session_totals *totals);

/*
 * Ends the session. A call in progress on another thread is cancelled and waited for. Do not call this from a callback
 * or a host function of that call.
 */
CURFEW_API void curfew_session_destroy(curfew_session *session);

/* Versions of the engines inside, in static memory. */
CURFEW_API const char *curfew_wasmtime_version(void);
CURFEW_API const char *curfew_quickjs_version(void);

#ifdef __cplusplus
}
#endif
#endif
