/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of host functions that wait for a thread of the embedder's, and executing threads that wait for the answers.
 * Both sides look for some microseconds before they sleep: most functions are short, and waking a thread takes longer
 * than carrying one out.
 */
#ifndef CURFEW_HOST_CALL_QUEUE_H
#define CURFEW_HOST_CALL_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "curfew.h"

typedef enum curfew__queued_state {
	CURFEW__QUEUED_OPEN,
	CURFEW__QUEUED_ANSWERED, /* by who took it */
	CURFEW__QUEUED_LEFT,     /* the run was stopped first */
	CURFEW__QUEUED_REFUSED,  /* the queue is gone */
} curfew__queued_state;

/* A call, as the queue sees it: at first all zeroes. */
typedef struct curfew__queued {
	struct curfew__queued *next, **place; /* in the queue; place is NULL outside it */
	atomic_uint state;                    /* curfew__queued_state: a futex */
} curfew__queued;

curfew_call_queue *curfew__call_queue_ref(curfew_call_queue *queue);
void curfew__call_queue_unref(curfew_call_queue *queue);

/*
 * Puts a call into the queue and waits until it is answered, or refused, or a word of stopped is not 0 and nobody has
 * answered. LEFT: whoever took it, if *taken, still has it.
 */
curfew__queued_state curfew__call_queue_ask(curfew_call_queue *queue, curfew__queued *queued,
                                            const atomic_uint *const stopped[2], bool *taken);
/* The answer is there. False: nobody waits for it any more. */
bool curfew__queued_settle(curfew__queued *queued);
/* The oldest call, after at most wait_ns; NULL: none came. */
curfew__queued *curfew__call_queue_next(curfew_call_queue *queue, uint64_t wait_ns);

#endif
