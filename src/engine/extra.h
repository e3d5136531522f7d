/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What engine/src adds to Wasmtime's C API: the module rewriter, where code comes from, futures that wake, accounting
 * of growth and of calls out of the sandbox, functions for components, and WASI. Every function here is written in Rust
 * and never unwinds.
 *
 * Messages are one line of at most 255 bytes and a NUL. Handles are freed by the function named with them.
 */
#ifndef CURFEW_ENGINE_EXTRA_H
#define CURFEW_ENGINE_EXTRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasm.h>
#include <wasmtime.h>
#include <wasmtime/component.h>

/* ---- Configuration (lib.rs) ------------------------------------------------------------------------------- */

/*
 * Takes no backtrace when something traps (0), or one of at most `frames` frames. Compiled code without has no map of
 * addresses.
 */
void curfew__config_backtrace(wasm_config_t *config, uint32_t frames);

/* Whether an error is a trap, and which: a wasmtime_trap_code_enum. What the guest names itself cannot pass for one. */
bool curfew__error_trap_code(const wasmtime_error_t *error, uint8_t *code);

/* ---- Interrupting guests (interrupt.rs) ------------------------------------------------------------------- */

/* Addresses in compiled code. Guests' functions are one block in it; before and after come trampolines. */
typedef struct curfew__code_range {
	uintptr_t first, end;     /* functions of guests; the same: there are none */
	uintptr_t text, text_end; /* all of the code */
	uintptr_t landing;        /* an instruction of guests that traps; 0: there is none */
} curfew__code_range;

/* One of the two is not NULL. False: the code is not laid out as is known here, and cannot be interrupted. */
bool curfew__code_range_find(const wasmtime_module_t *module, const wasmtime_component_t *component,
                             curfew__code_range *range);
/*
 * Where an instruction of a guest comes from, or the nearest before it in its function of which that is known: the
 * module's number in the file, and the offset in the file; modules beyond those of the file are adapters. False: not
 * known.
 */
bool curfew__code_place(const wasmtime_module_t *module, const wasmtime_component_t *component, uintptr_t address,
                        size_t *module_index, uint64_t *offset);

/* Where a store notes how its guest was entered and left last, and how deep its stack may be: addresses of words. */
typedef struct curfew__exit {
	uintptr_t frame;   /* frame pointer of the trampoline to the host */
	uintptr_t address; /* where that returns to */
	uintptr_t stack_limit;
	uintptr_t entry; /* frame pointer of the trampoline from the host */
} curfew__exit;

/* function: one of a module in this store, or NULL. False: the store is not as is known here. */
bool curfew__exit_find(wasmtime_context_t *context, const wasmtime_func_t *function, curfew__exit *exit);
/* Bytes that Rust has allocated. */
typedef struct curfew__bytes {
	uint8_t *data; /* [length] */
	size_t length;
} curfew__bytes;

void curfew__bytes_finish(curfew__bytes *bytes);

/* ---- Compiling (compile.rs) --------------------------------------------------------------------------------- */

/* Whether functions are compiled on all cores, by threads that stay for as long as the process. */
void curfew__config_parallel(wasm_config_t *config, bool parallel);
/* Compiles what is to be executed elsewhere; *out is what the functions that deserialize take. */
wasmtime_error_t *curfew__precompile(const wasm_engine_t *engine, const uint8_t *wasm, size_t length, bool is_component,
                                     curfew__bytes *out);
/* A module from a file, which is closed; only what is executed of it is read. It must never change. */
wasmtime_error_t *curfew__module_open(const wasm_engine_t *engine, int file, wasmtime_module_t **module);

/* ---- Hashing (hash.rs) -------------------------------------------------------------------------------------- */

/* SHA-256 by the processor's own instructions where it has them: for what is as large as a program chooses. */
void curfew__sha256(uint8_t sum[32], const void *bytes, size_t length);

/* ---- Rewriting (rewrite.rs, engine/rewriter) ------------------------------------------------------------- */

enum {
	/*
	 * Counts what the program does: every block adds the cost of its instructions (docs/LIMITS.md) to the signed number
	 * at the beginning of a 64-bit memory, which guests cannot have. All modules of a store get the same memory; the
	 * engine needs 64-bit and several memories for that. If the number is negative, the next loop or function that
	 * makes calls traps with `unreachable`.
	 */
	CURFEW__REWRITE_METER = 1,
	/* Adds a function that only traps, for code without an instruction that traps. */
	CURFEW__REWRITE_LANDING = 2,
	/*
	 * For our own guest: replaces each call of its import curfew.is_out_of_fuel by whether less than
	 * CURFEW__METER_RESERVE is left until it traps (without METER: 0).
	 */
	CURFEW__REWRITE_ASKS = 4,
	/* The compilation can be ended at any time, so no estimate has to bound it. */
	CURFEW__REWRITE_CAN_BE_ENDED = 8,
};

#define CURFEW__METER_RESERVE 200000

enum { CURFEW__WASM_MODULE, CURFEW__WASM_COMPONENT };

typedef struct curfew__rewritten {
	curfew__bytes wasm;
	curfew__bytes places;  /* the table of places; empty for a shell */
	uint32_t kind;         /* CURFEW__WASM_* */
	bool imports_wasi;     /* it imports something of WASI, preview 1 or 2 */
	bool can_be_optimised; /* the compiler's optimiser is bounded, too */
} curfew__rewritten;

/*
 * Validates a module or component (binary; what guests have: engine/rewriter/src/limits.rs), checks that compiling it
 * is bounded, and rewrites every module in it: bulk instructions in chunks, and what the flags request. False: *message
 * [256] says what is wrong and where.
 */
bool curfew__rewrite(const uint8_t *wasm, size_t length, uint32_t flags, curfew__rewritten *out, char *message);
/*
 * Makes a file with the same imports and exports and without code. It compiles in no time, and shows what the file is
 * and whether it can be linked. Nothing else of the file is read.
 */
bool curfew__shell(const uint8_t *wasm, size_t length, curfew__rewritten *out, char *message);

static inline void curfew__rewritten_finish(curfew__rewritten *rewritten)
{
	curfew__bytes_finish(&rewritten->wasm);
	curfew__bytes_finish(&rewritten->places);
}

/* ---- Where code comes from (places.rs, engine/rewriter) -------------------------------------------------- */

typedef struct curfew__location {
	bool hidden;          /* of a function that the rewriting added */
	uint64_t offset;      /* in the file as the user wrote it */
	uint32_t index;       /* of the function in its module; CURFEW__NO_INDEX: in no function */
	const char *function; /* demangled, from the name section or DWARF, else as it is exported; NULL: it has no name */
	const char *file;     /* from DWARF, or NULL */
	uint32_t line;        /* from 1; 0: not known */
	uint32_t column;      /* from 1; 0: not known */
} curfew__location;

#define CURFEW__NO_INDEX UINT32_MAX

/*
 * The table of places of a file is made when the file is rewritten. Names and DWARF are resolved to plain lists, in at
 * most about a second and 150 MiB, whatever they contain.
 */

/*
 * Finds the source of an offset in the rewritten file, as reported by wasm_frame_module_offset, in the function that
 * begins at start. For a component, too, these are offsets in the whole file. (An adapter between components has its
 * own offsets; its start distinguishes it from functions of the file, and it is hidden.) Inlined calls give several
 * locations, innermost first. Writes at most `most` of them and returns their number, 0 if the table is invalid. Texts
 * belong to the table. It takes a few steps for each list of the table, whatever it contains.
 */
size_t curfew__places_find(const uint8_t *table, size_t length, uint64_t start, uint64_t offset,
                           curfew__location *locations, size_t most);
/* Whether names or lines are missing, because there were too many. */
bool curfew__places_is_cut(const uint8_t *table, size_t length);
/* The same for an offset in the module of this number, as curfew__code_place tells them. */
size_t curfew__places_find_in(const uint8_t *table, size_t length, size_t module, uint64_t offset,
                              curfew__location *locations, size_t most);

/* ---- Exports (exports.rs) ----------------------------------------------------------------------------------- */

/*
 * Called for an export: its name, borrowed, and its kind, a wasm_externkind_enum of a module, of a component or an
 * instance in one a wasmtime_component_item_kind_t. False: no further one is wanted.
 */
typedef bool (*curfew__export_callback)(void *context, const char *name, size_t length, uint8_t kind);

/* All exports in order, in one pass; Wasmtime's C API counts to each from the first, or copies all of them. */
void curfew__module_each_export(const wasmtime_module_t *module, curfew__export_callback callback, void *context);
/* Whether a module exports this name, and what; of a function its type as well, to be freed with wasm_functype_delete.
 */
bool curfew__module_find_export(const wasmtime_module_t *module, const char *name, size_t length, uint8_t *kind,
                                wasm_functype_t **type);
void curfew__component_each_export(const wasmtime_component_type_t *type, const wasm_engine_t *engine,
                                   curfew__export_callback callback, void *context);

/* The imports or exports of a component, or (instance) the exports of an instance. */
typedef struct curfew__items {
	const wasmtime_component_type_t *component;
	const wasmtime_component_instance_type_t *instance;
	bool imports;
} curfew__items;

/* Called for each of them; everything is borrowed for the call. False: no further one is wanted. */
typedef bool (*curfew__item_callback)(void *context, const char *name, size_t length,
                                      const wasmtime_component_item_t *item);

/* All in order, in one pass: counting to each from the first, as by Wasmtime's C API, is quadratic. */
void curfew__each_item(const curfew__items *items, const wasm_engine_t *engine, curfew__item_callback callback,
                       void *context);

/* ---- Stores: growth, calls out, WASI (account.rs, wasi.rs) -------------------------------------------------- */

/* The result of charging a call out of the sandbox. */
typedef enum curfew__call_verdict {
	CURFEW__CALL_GOES,
	CURFEW__CALL_REFUSED,
	CURFEW__CALL_OUT_OF_FUEL,
} curfew__call_verdict;

/* Called on the thread that polls the store's futures, during the poll. None may be NULL. */
typedef struct curfew__account {
	void *context;
	/*
	 * Charges the creation of a table (from 0), or its growth, in elements of 8 bytes. False: it may not grow. The
	 * memory creator charges memories, including the heap of garbage-collected objects.
	 */
	bool (*grow)(void *context, uint64_t from, uint64_t to);
	/*
	 * Charges a call of WASI. Functions that C defines are charged separately, and memory.grow is not a call. The call
	 * counts if it reaches more than the run was given, as random bytes and sockets do. If it may not be made it has no
	 * effect, and the guest ends, with the trap WASMTIME_TRAP_CODE_OUT_OF_FUEL if that is the cause.
	 */
	curfew__call_verdict (*call)(void *context, bool counts);
	/* A call that was not refused is about to return, or its future is destroyed. False: the guest ends. */
	bool (*returned)(void *context);
} curfew__account;

typedef struct curfew__wasi_directory {
	const char *host;
	const char *guest;
	bool writable;
} curfew__wasi_directory;

/* A file that a guest finds in "/". Names end with NUL; names and bytes are malloc's. */
typedef struct curfew__wasi_file {
	char *name; /* a relative path */
	void *bytes;
	size_t length;
} curfew__wasi_file;

/* By this a waiting future requests to be polled again. It is reference-counted, because others may keep it. */
typedef struct curfew__waker {
	void *context;
	void (*wake)(void *context); /* from any thread, also during the poll */
	void (*drop)(void *context); /* the last reference was dropped; from any thread */
} curfew__waker;

/*
 * What a component's requests (wasi:http) ask for, on the thread that polls the store, during a poll or
 * curfew__http_serve. guest/abi.h defines the request and the kinds. context is that of write.
 */
typedef struct curfew__wasi_http {
	/* Begins a request, and returns its id. 0: there cannot be another one. */
	uint32_t (*start)(void *context, const char *request, size_t length);
	/* False: it cannot take that now, or there is no such request. */
	bool (*send)(void *context, uint32_t id, uint32_t kind, const void *bytes, size_t length);
	void (*cancel)(void *context, uint32_t id);
	/* Returns a waker with a reference of its own; the request wakes the thread to be served. */
	curfew__waker (*waker)(void *context);
} curfew__wasi_http;

/*
 * What WASI shows to a guest. Requests are made by the host, and there is no terminal. Limited are the open resources
 * (400), the random bytes of one call (4 MiB), and the bytes that one call copies out of the guest
 * (curfew__store_hostcall_fuel). Not limited are the entries of a directory, which every fd_readdir reads into memory.
 * A FIFO, a socket or a device in a directory cannot be opened, because nothing could end the wait for it.
 */
typedef struct curfew__wasi_options {
	const char *const *arguments; /* [argument_count], the program's name first; UTF-8 */
	size_t argument_count;
	const char *const *environment; /* [environment_count] NAME=value; UTF-8 */
	size_t environment_count;
	const curfew__wasi_directory *directories; /* [directory_count]; UTF-8 */
	size_t directory_count;
	/* Without directories. Their names and bytes belong to the store, once it was prepared with them. */
	const curfew__wasi_file *files; /* [file_count] */
	size_t file_count;
	int stdin_file;         /* read when the guest reads, from a duplicate; -1: empty */
	bool deterministic;     /* clocks move only by what the guest slept, which still takes its time; random is seeded */
	uint64_t fixed_wall_ns; /* deterministic: the wall clock at the start, since 1970 */
	uint64_t seed;
	void *context; /* of write; used until the store is deleted */
	/* Takes what the guest writes to stream 1 or 2, during a poll. False: it may not, and the guest ends. */
	bool (*write)(void *context, uint32_t stream, const char *bytes, size_t length);
	curfew__wasi_http http;
} curfew__wasi_options;

/*
 * Prepares a store in which nothing has run yet: at most 500 instances, tables and memories; the account (its context
 * is used until the store is deleted); and WASI. Without WASI (NULL) a guest that imports it must not run, because its
 * call would end the process. False: *message [256] says which option the system refused (a directory that does not
 * exist).
 */
bool curfew__store_prepare(wasmtime_store_t *store, const curfew__account *account, const curfew__wasi_options *wasi,
                           char *message);

/* For stores with WASI. Passes an event of a request on; bytes are copied. */
void curfew__http_event(wasmtime_context_t *context, uint32_t id, uint32_t kind, bool is_last, const void *bytes,
                        size_t length);
/* Sends what the requests have to send. */
void curfew__http_serve(wasmtime_context_t *context);
/* The requests so far are over, whatever they wait for. */
void curfew__http_forget(wasmtime_context_t *context);

/* Bytes that one call into or out of a component, or of WASI, may copy into the host; 128 MiB if not set. */
void curfew__store_hostcall_fuel(wasmtime_context_t *context, size_t bytes);

/*
 * Links preview 1 into modules and preview 2 into components, asynchronously, so that none of their calls blocks a
 * thread. Run them only by
 * *_async functions and futures. A guest that exits (proc_exit, wasi:cli/exit) ends with an error that has its code:
 * wasmtime_error_exit_status.
 */
wasmtime_error_t *curfew__linker_add_wasi(wasmtime_linker_t *linker);
wasmtime_error_t *curfew__component_linker_add_wasi(wasmtime_component_linker_t *linker);

/* ---- Functions for components (functions.rs) ----------------------------------------------------------------- */

/* Copies a linker. */
wasmtime_component_linker_t *curfew__component_linker_clone(const wasmtime_component_linker_t *linker);

/*
 * Called when a component makes a call. params are valid until this returns. results (each a bool at first), *error
 * (NULL at first) and the continuation's data are valid until the call is over. Then the guest continues, or ends if
 * there is an error. Without a continuation the call is over at once.
 */
typedef void (*curfew__component_callback)(void *env, wasmtime_context_t *context,
                                           const wasmtime_component_val_t *params, size_t param_count,
                                           wasmtime_component_val_t *results, size_t result_count,
                                           wasmtime_error_t **error, wasmtime_async_continuation_t *continuation);

/* Adds a function, of any type with which a component imports it. env must outlive everything that is made with the
 * linker. */
wasmtime_error_t *curfew__component_linker_add_function(wasmtime_component_linker_instance_t *instance,
                                                        const char *name, size_t length,
                                                        curfew__component_callback callback, void *env);

/* Makes an error that is this trap. */
wasmtime_error_t *curfew__error_out_of_fuel(void);

/* ---- Futures (futures.rs) --------------------------------------------------------------------------------- */

/*
 * A thread that waits for timers and files on behalf of guests, and up to 64 threads for calls that may block. All runs
 * share it, and it is started at first use. The engine's configuration must set wasm_component_model_async_set(false):
 * the feature is built in for these futures, and a guest that used it could end the process.
 */
typedef struct curfew__reactor curfew__reactor;

/* Never NULL. */
curfew__reactor *curfew__reactor_create(void);
/* Detaches its threads, without waiting for their calls. Destroy its futures before. NULL does nothing. */
void curfew__reactor_destroy(curfew__reactor *reactor);

typedef struct curfew__future curfew__future;

/*
 * Takes ownership of the future. The waker's drop is called once, also if this fails, and perhaps after the future is
 * destroyed. NULL: no thread can be started, and the future is gone.
 */
curfew__future *curfew__future_create(wasmtime_call_future_t *future, curfew__reactor *reactor,
                                      const curfew__waker *waker);
/* Polls it on this thread. True: it has ended, and borrows nothing any more. */
bool curfew__future_poll(curfew__future *future);
/* Drops the future and what it waits for. Its store then runs nothing more. Not during a poll. NULL does nothing. */
void curfew__future_destroy(curfew__future *future);

/* Prepares a component to be instantiated many times: its imports are resolved once. NULL and *error if that fails. */
typedef struct curfew__component_pre curfew__component_pre;
curfew__component_pre *curfew__component_pre_create(const wasmtime_component_linker_t *linker,
                                                    const wasmtime_component_t *component, wasmtime_error_t **error);
void curfew__component_pre_destroy(curfew__component_pre *pre);
/* *instance or *error is set when the future has ended. All pointers are borrowed until then. */
wasmtime_call_future_t *curfew__component_pre_instantiate(const curfew__component_pre *pre, wasmtime_context_t *context,
                                                          wasmtime_component_instance_t *instance,
                                                          wasmtime_error_t **error);

#endif
