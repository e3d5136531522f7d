/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A live WebAssembly program: a store with its memories, and the calls into it as futures, so that a guest that waits
 * holds no thread. It belongs to one thread at a time, except for curfew__wasm_interrupt.
 */
#ifndef CURFEW_WASM_INSTANCE_H
#define CURFEW_WASM_INSTANCE_H

#include <stdatomic.h>

#include <wasmtime/component.h>

#include "common/json_reader.h"
#include "curfew.h"
#include "engine/interrupt.h"
#include "wasm/component_values.h"
#include "wasm/program.h"

/* What the host does for an instance, on the thread that executes it (except stopped and waker). */
typedef struct curfew__wasm_host {
	/* The guest's memory now has this many bytes, or (refused) could not grow beyond its limit. */
	void (*growth)(void *context, size_t bytes, bool refused);
	/* Counts a call out of the sandbox. False: it ends the run. */
	bool (*call)(void *context);
	bool (*write)(void *context, uint32_t stream, const char *bytes, size_t length);
	/* Whether the run is to be stopped. */
	bool (*stopped)(void *context);
	/* Whether the run was woken since the last call of this. */
	bool (*woken)(void *context);
	/* Returns a waker with a reference of its own. */
	curfew__waker (*waker)(void *context);
	/* Calls a host function: with values if it has a type, otherwise with JSON. */
	void (*function)(void *context, size_t index, const curfew__host_params *params, curfew__host_answer *answer);
	/* Begins a call of an asynchronous host function, one at a time. Returns its id, or 0 if there is no memory. */
	uint32_t (*function_start)(void *context, size_t index, const curfew__host_params *params);
	/* Takes its answer. False: there is none yet. The run is woken when it comes. */
	bool (*function_take)(void *context, size_t index, uint32_t id, curfew__host_answer *answer);
	/* Requests to the outside, as in guest/abi.h: begins one and returns its id, or 0; sends to one; ends one. */
	uint32_t (*fetch_start)(void *context, const char *request, size_t length);
	bool (*fetch_send)(void *context, uint32_t id, uint32_t kind, const void *bytes, size_t length);
	void (*fetch_cancel)(void *context, uint32_t id);
	/* Passes what has happened to requests on: curfew__wasm_take_event. The run is woken when something has. */
	void (*fetch_serve)(void *context);
} curfew__wasm_host;

typedef struct curfew__wasm_options {
	const curfew__wasm_host *host;
	void *context;
	size_t memory_bytes; /* limit of all memories and tables together */
	uint64_t fuel;       /* limit; UINT64_MAX: none, and the code must not be metered */
	const char *call;    /* exported function; NULL: the program's start function, if it has one */
	const char *params;  /* JSON array [params_length], or NULL: [] */
	size_t params_length;
	const atomic_uint *stop; /* not 0 once the run is to stop; checked while parameters are read */
	/* Its context and write are set here, and the names and bytes of its files taken, whatever the result. */
	curfew__wasi_options wasi;
} curfew__wasm_options;

typedef enum curfew__wasm_end {
	CURFEW__WASM_WAITS,
	CURFEW__WASM_DONE,
	CURFEW__WASM_THREW,   /* a component's function returned an error */
	CURFEW__WASM_REFUSED, /* no such function, other parameters, or it cannot be instantiated: message */
	CURFEW__WASM_EXITED,  /* exit_code */
	CURFEW__WASM_TRAPPED, /* or stopped */
	CURFEW__WASM_STACK,
	CURFEW__WASM_FUEL,
	CURFEW__WASM_FAILED, /* not the guest's fault: message */
} curfew__wasm_end;

typedef struct curfew__wasm {
	const curfew__code *code;
	const curfew__wasm_host *host;
	void *context;
	curfew__memory_host memory_host;
	curfew__account account;
	wasmtime_store_t *store;
	wasmtime_context_t *store_context;
	curfew__region *count; /* memory of the fuel counter; NULL: not metered */
	uint64_t counted_from; /* the counter's value when the call began */
	size_t memory_limit, memory_bytes, memory_peak;
	size_t stack_peak;
	curfew__target target;

	bool instantiated; /* and its start function has returned */
	bool initialized;  /* the functions that come before the first call were called */
	bool fetches;      /* the call has made a request */

	/* The call. */
	int stage;
	bool starts;            /* the function is the program's start function, not a named one */
	bool calls;             /* there is a function to call */
	char *name;             /* of the function */
	curfew__future *future; /* the call in progress; NULL: between two calls */
	wasm_trap_t *trap;      /* how it ended */
	wasmtime_error_t *error;
	int32_t exit_code;
	bool host_trapped; /* a host function ended it */
	curfew_failure failure;
	curfew__json_reader params; /* positioned before the call's JSON array, which is borrowed */
	union {
		struct {
			wasmtime_instance_t instance;
			wasmtime_func_t function;
			wasm_functype_t *type;
			wasmtime_val_t *params, *results;
		} module;
		struct {
			wasmtime_component_instance_t instance;
			wasmtime_component_func_t function;
			wasmtime_component_export_index_t *index; /* of the function */
			curfew__signature *signature;
			curfew__component_call call;
			bool has_call;
		} component;
	} of;
} curfew__wasm;

/*
 * Prepares an instance: looks its function up and converts the parameters. Nothing of the guest runs yet. Returns
 * CURFEW__WASM_WAITS, or how it ended. It must be finished in any case.
 */
curfew__wasm_end curfew__wasm_init(curfew__wasm *wasm, const curfew__code *code, const curfew__wasm_options *options);
/*
 * Prepares a sound instance for another call, perhaps with another context. Of the options it uses context, fuel, call
 * and params. Returns the same as curfew__wasm_init.
 */
curfew__wasm_end curfew__wasm_again(curfew__wasm *wasm, const curfew__wasm_options *options);
/* After a call: whether another call is possible. It is not after a trap, an exit or a stop. */
bool curfew__wasm_is_sound(const curfew__wasm *wasm);
/* Executes it until it waits or ends. */
curfew__wasm_end curfew__wasm_go_on(curfew__wasm *wasm);
/*
 * Called by the watch until the guest is interrupted: makes one more attempt. Returns when to make the next one;
 * CURFEW__NEVER: it is interrupted.
 */
int64_t curfew__wasm_interrupt(curfew__wasm *wasm, int64_t now);
/* Passes an event of a request on. */
void curfew__wasm_take_event(curfew__wasm *wasm, uint32_t id, uint32_t kind, bool is_last, const void *bytes,
                             size_t length);
/* Notes that a function of the embedder's is called (true), or has returned. */
void curfew__wasm_set_away(curfew__wasm *wasm, bool is_away);

/* The value it returned, as JSON; after CURFEW__WASM_DONE or _THREW (the error's payload). */
void curfew__wasm_value(curfew__wasm *wasm, curfew__buffer *buffer);
/* Name of the trap ("unreachable") and its sentence; NULL if it did not trap. */
const char *curfew__wasm_trap_name(const curfew__wasm *wasm, const char **sentence);
/* Returns the message, the error or the trap as one line; free it with free. NULL: out of memory. */
char *curfew__wasm_failure_text(const curfew__wasm *wasm);
/* Calls back for each frame of the trap or stop, innermost first. False: some names or lines are not available. */
bool curfew__wasm_trace(curfew__wasm *wasm, curfew__wasm_program *program, curfew__wasm_place place, void *context);
/* Ends it, whatever it is doing, and releases everything. stack_peak is exact afterwards. */
void curfew__wasm_finish(curfew__wasm *wasm);

#endif
