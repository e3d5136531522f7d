/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the embedder's that programs call: the list of a program, and single calls. A synchronous call is over
 * when its callback returns, or when the thread that took it from a queue has answered. An asynchronous call is an
 * operation of the run. So it is notified of the stop, and its answer is an event, which is dropped once the run has
 * ended.
 */
#ifndef CURFEW_HOST_CALL_H
#define CURFEW_HOST_CALL_H

#include "curfew.h"
#include "host/call_queue.h"
#include "host/operations.h"
#include "wasm/host_functions.h"

typedef struct curfew__host_function {
	curfew__wasm_import import; /* names and type */
	curfew_host_callback call;
	curfew_host_callback stopped;
	void *context;
	curfew_call_queue *queue;        /* a reference; NULL: the callback is called */
	void (*released)(void *context); /* NULL: not wanted, or the list was refused */
	struct curfew__host_functions *owner;
} curfew__host_function;

typedef struct curfew__host_functions {
	atomic_uint references;
	size_t count;
	curfew__host_function *list;  /* [count] */
	curfew__wasm_import *imports; /* [count] the imports of the list */
	char *names;                  /* JSON: [[name, whether it is asynchronous, index]...] */
	size_t names_length;
} curfew__host_functions;

/* Checks and copies a list. NULL: *failure says what is wrong. */
curfew__host_functions *curfew__host_functions_create(const curfew_host_function *functions, size_t count,
                                                      curfew_failure *failure);
curfew__host_functions *curfew__host_functions_ref(curfew__host_functions *functions);
void curfew__host_functions_unref(curfew__host_functions *functions);

/* The run that calls. */
typedef struct curfew__host_caller {
	void *context;                 /* the run's host_context */
	const atomic_uint *stopped[2]; /* valid while the run exists; not 0 if it is to stop */
} curfew__host_caller;

/* Calls a synchronous function, or puts the call into its queue and waits for the answer. */
void curfew__host_call_now(const curfew__host_function *function, const curfew__host_caller *caller,
                           const curfew__host_params *params, curfew__host_answer *answer);
/*
 * Begins a call of an asynchronous function and returns its id. Its only event is CURFEW_CALL_RETURNED or
 * CURFEW_CALL_THREW. The first has JSON (nothing: undefined), or values in the form of curfew_value if these were asked
 * for; the second has a message. 0: the call could not begin.
 */
uint32_t curfew__host_call_start(curfew__host_functions *functions, size_t index, const curfew__host_caller *caller,
                                 curfew__operations *operations, const curfew__host_params *params);

/* Whether this thread is in a callback of a synchronous function. Calls from a queue do not count. */
bool curfew__host_call_is_inside(void);

#endif
