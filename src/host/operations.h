/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: what the host does for a run while the run waits, or goes on. The guest starts one, may send it bytes
 * or cancel it, and takes what has happened as events, in the order in which it happened. Whoever carries an
 * operation out posts events from any thread; a run that waits is then woken. Once a run's operations are closed,
 * nothing reaches the guest any more, and each that was still going on has been cancelled.
 */
#ifndef CURFEW_HOST_OPERATIONS_H
#define CURFEW_HOST_OPERATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curfew__operations curfew__operations;
typedef struct curfew__operation curfew__operation;

/* What can be done with a kind of operation. None of these may block or call back into operations of the same run. */
typedef struct curfew__operation_type {
	/* Bytes from the guest, on its thread: false if they cannot be taken now. NULL: takes none. */
	bool (*send)(curfew__operation *operation, uint32_t kind, const void *bytes, size_t length);
	/* The guest has taken an event that was not the last, on its thread. NULL: does not matter. */
	void (*taken)(curfew__operation *operation, uint32_t kind);
	/* It is to end; nobody looks at what it posts any more. Once, on any thread, not after its last event. */
	void (*cancel)(curfew__operation *operation);
	/* The last reference is gone. */
	void (*destroy)(curfew__operation *operation);
} curfew__operation_type;

/* One operation: the first member of what whoever carries it out keeps for it. */
struct curfew__operation {
	const curfew__operation_type *type;
	curfew__operations *run; /* a reference */
	atomic_uint references;
	uint32_t id; /* from 1, of this run */
};

/* Something that happened, for the guest. */
typedef struct curfew__operation_event {
	struct curfew__operation_event *next;
	uint32_t id;
	uint32_t kind;
	bool last;   /* of its operation */
	char *bytes; /* [length], free with free */
	size_t length;
} curfew__operation_event;

/* While so many events were not taken, no further operation starts. */
enum { CURFEW__EVENTS_MOST = 65536 };

/* wake(context) is called on any thread when there is an event where there was none, never after the close. */
curfew__operations *curfew__operations_create(void (*wake)(void *context), void *context);
curfew__operations *curfew__operations_ref(curfew__operations *run);
void curfew__operations_unref(curfew__operations *run);
/* Cancels what is going on and drops what has happened, which is freed with the last reference. Any thread, any number
 * of times; cheap. */
void curfew__operations_close(curfew__operations *run);

/*
 * Makes an operation one of the run, with two references: the run's and the caller's. It may be cancelled from here
 * on. False: there is no memory, too much has happened that was not taken, or the run's operations are closed; nothing
 * was done, and destroy is not called.
 */
bool curfew__operation_start(curfew__operations *run, curfew__operation *operation, const curfew__operation_type *type);
/*
 * An operation that is over at once: its id, and its only event. bytes (may be NULL) is taken over. 0 where it cannot
 * be one of the run's.
 */
uint32_t curfew__operations_answer(curfew__operations *run, uint32_t kind, char *bytes, size_t length);
curfew__operation *curfew__operation_ref(curfew__operation *operation);
void curfew__operation_unref(curfew__operation *operation);
/*
 * Posts an event. bytes (may be NULL) is taken over in any case. After the last event the operation is none of the
 * run any more. False: nobody is there to take it.
 */
bool curfew__operation_post(curfew__operation *operation, uint32_t kind, bool last, char *bytes, size_t length);
/* The same for the operation of this id, if there is one. */
bool curfew__operations_post(curfew__operations *run, uint32_t id, uint32_t kind, bool last, char *bytes,
                             size_t length);

/* ---- On the run's thread ---------------------------------------------------------------------------------- */

/* The next operation is to have this id, larger than any before; false: there was one. */
bool curfew__operations_number(curfew__operations *run, uint32_t id);
/* Bytes for an operation: false if there is none of this id, or it cannot take them now. */
bool curfew__operations_send(curfew__operations *run, uint32_t id, uint32_t kind, const void *bytes, size_t length);
/* Ends an operation; what it posted and was not taken is dropped. Nothing happens if there is none of this id. */
void curfew__operations_cancel(curfew__operations *run, uint32_t id);
/* The next event, which stays valid until the next call; NULL: there is none. */
const curfew__operation_event *curfew__operations_next(curfew__operations *run);
/* The event that was given last, with its bytes; NULL: none. */
const curfew__operation_event *curfew__operations_current(curfew__operations *run);
/* Whether there is an event. Any thread. */
bool curfew__operations_ready(curfew__operations *run);

#endif
