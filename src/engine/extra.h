/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What engine/src adds to Wasmtime's C API: the module rewriter, where code comes from, futures that wake, accounting of
 * growth and of calls out of the sandbox, and WASI. Every function here is written in Rust and never unwinds.
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

/* ---- Configuration (lib.rs) ------------------------------------------------------------------------------- */

/* Takes no backtrace when something traps (false), or one of at most `frames` frames. */
void curfew__config_backtrace(wasm_config_t *config, uint32_t frames);

/* ---- Rewriting (rewrite.rs, engine/rewriter) ------------------------------------------------------------- */

enum {
	/* Loops and functions look at a flag: byte 0 of a memory of their own, which is not 0 once they are to stop. */
	CURFEW__REWRITE_GUARDS = 1,
};

enum { CURFEW__WASM_MODULE, CURFEW__WASM_COMPONENT };

typedef struct curfew__rewritten {
	uint8_t *bytes;        /* [length]; freed by curfew__rewritten_finish */
	size_t length;
	uint32_t kind;         /* CURFEW__WASM_* */
	bool fused;            /* a component whose parts call each other: their adapters carry no guard */
	bool imports_wasi;     /* it imports something of WASI, preview 1 or 2 */
} curfew__rewritten;

/*
 * Validates a module or component (binary; Wasmtime's default features less threads, 64-bit and several memories, GC
 * and custom page sizes), checks that compiling it is bounded, and rewrites every module in it: bulk instructions in
 * chunks, and guards if asked for. With guards the engine needs threads, 64-bit and several memories. The guard memory,
 * of one page, is the one 64-bit memory of a module: guests have none. A module without functions has none either.
 * Byte 0 of it not 0: the module traps with `unreachable` at its next look. Write it as an atomic byte.
 * False: *message [256] says what is wrong and where.
 */
bool curfew__rewrite(const uint8_t *wasm, size_t length, uint32_t flags, curfew__rewritten *out, char *message);
void curfew__rewritten_finish(curfew__rewritten *rewritten);

/* ---- Where code comes from (code_map.rs) ------------------------------------------------------------------ */

typedef struct curfew__code_map curfew__code_map;

typedef struct curfew__location {
	bool hidden;          /* code that the rewriting added */
	uint64_t offset;      /* in the file as the user wrote it */
	const char *function; /* demangled, from the name section or DWARF; NULL: none. The map's, until the next call */
	const char *file;     /* from DWARF, or NULL */
	uint32_t line;        /* from 1; 0: not known */
	uint32_t column;      /* from 1; 0: not known */
} curfew__location;

/* From the file as the user wrote it and the flags it was rewritten with. NULL: out of memory or not rewritten so. */
curfew__code_map *curfew__code_map_create(const uint8_t *wasm, size_t length, uint32_t flags);
void curfew__code_map_destroy(curfew__code_map *map);
/*
 * What stands at an offset of the rewritten file, as wasm_frame_module_offset tells it. Inlined calls make several
 * locations, innermost first: at most `most` are written to locations; how many there are is returned (at least 1).
 * One thread at a time.
 */
size_t curfew__code_map_find(curfew__code_map *map, uint64_t offset, curfew__location *locations, size_t most);

/* ---- Growth and calls out (account.rs) -------------------------------------------------------------------- */

typedef enum curfew__growth { CURFEW__GROWTH_TABLE, CURFEW__GROWTH_GC_HEAP } curfew__growth;

typedef struct curfew__account {
	void *context;
	/* A table (elements) is to grow, or to be made: from `from` to `to`. False: it may not. */
	bool (*grow)(void *context, curfew__growth what, uint64_t from, uint64_t to);
	/* A call out of the sandbox begins. *fuel: what it costs. False: it may not, and the guest is trapped. */
	bool (*call)(void *context, uint64_t *fuel);
	/* It ends. False: the guest is trapped. */
	bool (*returned)(void *context);
} curfew__account;

/*
 * Has the store tell its account of growth and calls; metered: the fuel of calls is taken from the store. The account
 * is borrowed until the store is deleted. Memories are accounted for by the memory creator.
 */
void curfew__store_account(wasmtime_store_t *store, const curfew__account *account, bool metered);

/* Lets the values of one call into or out of a component be of any size: memory is bounded elsewhere. */
void curfew__store_hostcall_fuel(wasmtime_context_t *context, size_t bytes);

/* ---- Futures (futures.rs) --------------------------------------------------------------------------------- */

/* Threads that wait for timers and files on behalf of guests; made once for an engine. */
typedef struct curfew__reactor curfew__reactor;

/* NULL: no thread can be started. Threads start at first need. */
curfew__reactor *curfew__reactor_create(void);
/* Lets go of its threads without waiting for what they wait for. */
void curfew__reactor_destroy(curfew__reactor *reactor);

/* How a future that waits says that it is to be polled again: counted, since others may hold on to it. */
typedef struct curfew__waker {
	void *context;
	void (*wake)(void *context); /* from any thread, also during the poll */
	void (*drop)(void *context); /* the last reference is gone */
} curfew__waker;

typedef struct curfew__wasi curfew__wasi;
typedef struct curfew__future curfew__future;

/* Takes the future over. The waker's drop is called once, also if this fails. wasi may be NULL. NULL: out of memory. */
curfew__future *curfew__future_create(wasmtime_call_future_t *future, curfew__reactor *reactor, curfew__wasi *wasi,
                                      const curfew__waker *waker);
/* Goes on with it on this thread; true: it has ended. */
bool curfew__future_poll(curfew__future *future);
/* Ends what it waits for, if anything. Not during a poll. */
void curfew__future_destroy(curfew__future *future);

/* A component made ready to be instantiated many times: its imports are resolved once. NULL, and *error, if not. */
typedef struct curfew__component_pre curfew__component_pre;
curfew__component_pre *curfew__component_pre_create(const wasmtime_component_linker_t *linker,
                                                    const wasmtime_component_t *component, wasmtime_error_t **error);
void curfew__component_pre_destroy(curfew__component_pre *pre);
/* *instance or *error is set when the future has ended. All pointers are borrowed until then. */
wasmtime_call_future_t *curfew__component_pre_instantiate(const curfew__component_pre *pre, wasmtime_context_t *context,
                                                          wasmtime_component_instance_t *instance,
                                                          wasmtime_error_t **error);

/* ---- WASI (wasi.rs) --------------------------------------------------------------------------------------- */

typedef struct curfew__wasi_folder {
	const char *host;
	const char *guest;
	bool writable;
} curfew__wasi_folder;

typedef struct curfew__wasi_options {
	const char *const *arguments; /* [argument_count], the program's name first; UTF-8 */
	size_t argument_count;
	const char *const *environment; /* [environment_count] NAME=value; UTF-8 */
	size_t environment_count;
	const curfew__wasi_folder *folders; /* [folder_count] */
	size_t folder_count;
	int stdin_file;               /* read on the reactor's threads; -1: empty. Borrowed until curfew__wasi_destroy */
	bool deterministic;           /* clocks show fixed_ns and move only while the guest waits; random is seeded */
	int64_t fixed_wall_ns;        /* deterministic: the wall clock at the start */
	uint64_t seed;
	void *context;                /* of write */
	/* What the guest writes to stream 1 or 2; false: it may not, and the call traps. During a poll only. */
	bool (*write)(void *context, uint32_t stream, const char *bytes, size_t length);
} curfew__wasi_options;

/* NULL: *message [256] says what of the options the system refused (a folder that is not there). */
curfew__wasi *curfew__wasi_create(const curfew__wasi_options *options, char *message);
void curfew__wasi_destroy(curfew__wasi *wasi);
/* Gives a store its WASI, before anything runs in it. Without, a guest that calls WASI would end the process. */
wasmtime_error_t *curfew__wasi_attach(curfew__wasi *wasi, wasmtime_context_t *context);

/* Links preview 1 into modules, preview 2 into components: asynchronously, so that no call of it blocks a thread. */
wasmtime_error_t *curfew__linker_add_wasi(wasmtime_linker_t *linker);
wasmtime_error_t *curfew__component_linker_add_wasi(wasmtime_component_linker_t *linker);
/* Whether this error or trap is a call of proc_exit or wasi:cli/exit, and with which code. */
bool curfew__error_is_exit(const wasmtime_error_t *error, int32_t *code);
bool curfew__trap_is_exit(const wasm_trap_t *trap, int32_t *code);

#endif
