/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: work that the host does for a run while the run waits or continues. The guest starts one, may send it
 * bytes or cancel it, and takes events in the order in which they happened. The implementation of an operation posts
 * events from any thread, and wakes a run that waits. Once a run's operations are closed, nothing reaches the guest any
 * more, and all operations in progress have been cancelled.
 */
#ifndef CURFEW_HOST_OPERATIONS_H
#define CURFEW_HOST_OPERATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curfew__operations curfew__operations;
typedef struct curfew__operation curfew__operation;

/* The functions of a kind of operation. They must not block, nor call back into operations of the same run. */
typedef struct curfew__operation_type {
	/* Takes bytes from the guest, on its thread. False if it cannot take them now. NULL: it takes none. */
	bool (*send)(curfew__operation *operation, uint32_t kind, const void *bytes, size_t length);
	/* Called on the guest's thread after it has taken an event that was not the last. May be NULL. */
	void (*taken)(curfew__operation *operation, uint32_t kind);
	/* Ends the operation. Its later events are dropped. Called once, on any thread, not after its last event. */
	void (*cancel)(curfew__operation *operation);
	/* Called when the last reference is dropped. */
	void (*destroy)(curfew__operation *operation);
} curfew__operation_type;

/* One operation. It is the first member of its implementation's own struct. */
struct curfew__operation {
	const curfew__operation_type *type;
	curfew__operations *run; /* a reference */
	atomic_uint references;
	uint32_t id; /* from 1, of this run */
};

/* An event for the guest. */
typedef struct curfew__operation_event {
	struct curfew__operation_event *next;
	uint32_t id;
	uint32_t kind;
	bool last;   /* the operation's last event */
	char *bytes; /* [length], free with free */
	size_t length;
} curfew__operation_event;

/* While this many events wait, no further operation starts. */
enum { CURFEW__EVENTS_MAX = 65536 };

/* wake(context) is called on any thread when the first event arrives in an empty queue, and never after the close. */
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
 * Adds an operation that is over at once, and returns its id. It has only this event. Takes ownership of bytes (may be
 * NULL). 0 if it cannot be an operation of the run.
 */
uint32_t curfew__operations_answer(curfew__operations *run, uint32_t kind, char *bytes, size_t length);
curfew__operation *curfew__operation_ref(curfew__operation *operation);
void curfew__operation_unref(curfew__operation *operation);
/*
 * Posts an event. Takes ownership of bytes (may be NULL) in any case. After its last event the operation no longer
 * belongs to the run. False: nobody will take the event.
 */
bool curfew__operation_post(curfew__operation *operation, uint32_t kind, bool last, char *bytes, size_t length);
/* The same for the operation with this id, if there is one. */
bool curfew__operations_post(curfew__operations *run, uint32_t id, uint32_t kind, bool last, char *bytes,
                             size_t length);

/* Charges the run for CPU time that another thread used for its operations. Any thread. */
void curfew__operations_charge(curfew__operations *run, int64_t cpu_ns);
/* What was charged so far, in nanoseconds. NULL: 0. Any thread. */
int64_t curfew__operations_cpu(const curfew__operations *run);
/* The same, and what is charged from then on begins at 0. */
int64_t curfew__operations_take_cpu(curfew__operations *run);
/* Also calls wake(context) when so much is charged that was not taken. Call it before the first operation. */
void curfew__operations_wake_for_cpu(curfew__operations *run, int64_t cpu_ns);

/* ---- On the run's thread ---------------------------------------------------------------------------------- */

/* Sets the id of the next operation, which must be larger than any before. False: it is not. */
bool curfew__operations_number(curfew__operations *run, uint32_t id);
/* Sends bytes to an operation. False if none has this id, or it cannot take them now. */
bool curfew__operations_send(curfew__operations *run, uint32_t id, uint32_t kind, const void *bytes, size_t length);
/* Ends an operation. Its events that were not taken are dropped. Nothing happens if none has this id. */
void curfew__operations_cancel(curfew__operations *run, uint32_t id);
/* Takes the next event, which stays valid until the next call. NULL: there is none. */
const curfew__operation_event *curfew__operations_next(curfew__operations *run);
/* The event that was taken last, with its bytes. NULL: none. */
const curfew__operation_event *curfew__operations_current(curfew__operations *run);
/* Whether there is an event. Any thread. */
bool curfew__operations_ready(curfew__operations *run);

#endif
