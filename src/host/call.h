/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the embedder's that programs call: the list that a program has, and single calls. A synchronous call is
 * over when its callback returns, or the thread that took it from a queue has answered; an asynchronous one is an
 * operation of the run, so that it is told of the stop, and its answer is an event, which nobody takes once the run has
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
	curfew_call_queue *queue; /* a reference; NULL: call carries it out */
	struct curfew__host_functions *owner;
} curfew__host_function;

typedef struct curfew__host_functions {
	atomic_uint references;
	size_t count;
	curfew__host_function *list;  /* [count] */
	curfew__wasm_import *imports; /* [count] those of the list */
	char *names;                  /* as JSON: [[name, whether it is asynchronous, its place]...] */
	size_t names_length;
} curfew__host_functions;

/* Checks and copies. NULL: *failure says what is wrong. */
curfew__host_functions *curfew__host_functions_create(const curfew_host_function *functions, size_t count,
                                                      curfew_failure *failure);
curfew__host_functions *curfew__host_functions_ref(curfew__host_functions *functions);
void curfew__host_functions_unref(curfew__host_functions *functions);

/* Who calls. */
typedef struct curfew__host_caller {
	void *context;                 /* the embedder's, of the run */
	const atomic_uint *stopped[2]; /* while the run is there: not 0 if it is to stop */
} curfew__host_caller;

/* Calls a synchronous function, or has who takes it from its queue call it, and waits. */
void curfew__host_call_now(const curfew__host_function *function, const curfew__host_caller *caller,
                           const curfew__host_params *params, curfew__host_answer *answer);
/*
 * Begins a call of an asynchronous one: its id. Its only event is CURFEW_CALL_RETURNED, with JSON (nothing: undefined)
 * or the values that curfew_value has, as it was asked; or CURFEW_CALL_THREW with a message. 0: it could not begin.
 */
uint32_t curfew__host_call_start(curfew__host_functions *functions, size_t index, const curfew__host_caller *caller,
                                 curfew__operations *operations, const curfew__host_params *params);

/* Whether this thread is in a callback of a synchronous function. What is taken from a queue is none. */
bool curfew__host_call_is_inside(void);

#endif
