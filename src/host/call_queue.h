/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of host functions that wait for a thread of the embedder's, and executing threads that wait for the answers.
 * Both sides spin for some microseconds before they sleep, because most functions are short, and waking a thread takes
 * longer than executing one.
 */
#ifndef CURFEW_HOST_CALL_QUEUE_H
#define CURFEW_HOST_CALL_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "curfew.h"

typedef enum curfew__queued_state {
	CURFEW__QUEUED_OPEN,
	CURFEW__QUEUED_ANSWERED, /* by the thread that took it */
	CURFEW__QUEUED_LEFT,     /* the run was stopped first */
	CURFEW__QUEUED_REFUSED,  /* the queue is gone */
} curfew__queued_state;

/* A call, as the queue sees it. Initialise it with zeros. */
typedef struct curfew__queued {
	struct curfew__queued *next, **place; /* links of the queue; place is NULL outside it */
	atomic_uint state;                    /* curfew__queued_state: a futex */
} curfew__queued;

curfew_call_queue *curfew__call_queue_ref(curfew_call_queue *queue);
void curfew__call_queue_unref(curfew_call_queue *queue);

/*
 * Puts a call into the queue and waits. It returns when the call is answered or refused, or when a word of stopped is
 * not 0 and nobody has answered. LEFT: if *taken, the thread that took the call still has it.
 */
curfew__queued_state curfew__call_queue_ask(curfew_call_queue *queue, curfew__queued *queued,
                                            const atomic_uint *const stopped[2], bool *taken);
/* Notifies the waiting thread of the answer. False: nobody waits for it any more. */
bool curfew__queued_settle(curfew__queued *queued);
/* Takes the oldest call, after at most wait_ns. NULL: none came. */
curfew__queued *curfew__call_queue_next(curfew_call_queue *queue, uint64_t wait_ns);

#endif
