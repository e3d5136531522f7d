/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of one run, behind one lock: a list of those in progress, by id, and a queue of events. An operation
 * leaves the list when its last event is posted, when it is cancelled, or when all are closed. The thread that takes it
 * off the list drops the list's reference, so it ends exactly once.
 */
#include "host/operations.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct curfew__operations {
	atomic_uint references;
	curfew__mutex lock;
	curfew__operation **going_on; /* [count], ids ascending */
	size_t count, capacity;
	uint32_t last_id;
	curfew__operation_event *first, **last;
	size_t queued;                    /* number of events in the queue */
	curfew__operation_event *dropped; /* events that were in the queue at the close */
	curfew__operation_event *current; /* the event that the run's thread has taken; only that thread touches it */
	bool closed;
	_Atomic int64_t cpu_ns; /* charged, and not taken */
	int64_t wake_cpu_ns;    /* 0: never */
	void (*wake)(void *context);
	void *context;
};

curfew__operations *curfew__operations_create(void (*wake)(void *context), void *context)
{
	curfew__operations *run = calloc(1, sizeof *run);

	if (!run)
		return NULL;
	atomic_init(&run->references, 1);
	curfew__mutex_init(&run->lock);
	run->last = &run->first;
	run->wake = wake;
	run->context = context;
	return run;
}

curfew__operations *curfew__operations_ref(curfew__operations *run)
{
	atomic_fetch_add(&run->references, 1);
	return run;
}

static void free_event(curfew__operation_event *event)
{
	if (event)
		free(event->bytes);
	free(event);
}

static void free_events(curfew__operation_event *event)
{
	while (event) {
		curfew__operation_event *next = event->next;
		free_event(event);
		event = next;
	}
}

void curfew__operations_unref(curfew__operations *run)
{
	if (!run || atomic_fetch_sub(&run->references, 1) != 1)
		return;
	free_events(run->first);
	free_events(run->dropped);
	free_event(run->current);
	free(run->going_on);
	curfew__mutex_finish(&run->lock);
	free(run);
}

/* ---- CPU time --------------------------------------------------------------------------------------------- */

void curfew__operations_charge(curfew__operations *run, int64_t cpu_ns)
{
	int64_t before = atomic_fetch_add(&run->cpu_ns, cpu_ns);

	if (before >= run->wake_cpu_ns || before + cpu_ns < run->wake_cpu_ns)
		return;
	curfew__mutex_lock(&run->lock);
	if (!run->closed)
		run->wake(run->context);
	curfew__mutex_unlock(&run->lock);
}

int64_t curfew__operations_cpu(const curfew__operations *run)
{
	return run ? atomic_load(&run->cpu_ns) : 0;
}

int64_t curfew__operations_take_cpu(curfew__operations *run)
{
	return run ? atomic_exchange(&run->cpu_ns, 0) : 0;
}

void curfew__operations_wake_for_cpu(curfew__operations *run, int64_t cpu_ns)
{
	run->wake_cpu_ns = cpu_ns;
}

/* ---- The list, under the lock ----------------------------------------------------------------------------- */

/* Returns the index of this id, or the index at which to insert it. */
static size_t place_of(const curfew__operations *run, uint32_t id)
{
	size_t low = 0, high = run->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (run->going_on[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static curfew__operation *find_operation(const curfew__operations *run, uint32_t id)
{
	size_t place = place_of(run, id);
	return place < run->count && run->going_on[place]->id == id ? run->going_on[place] : NULL;
}

/* Takes an operation off the list. The caller gets the list's reference. */
static curfew__operation *take_off(curfew__operations *run, uint32_t id)
{
	curfew__operation *operation = find_operation(run, id);

	if (operation) {
		curfew__operation **at = run->going_on + place_of(run, id);
		memmove(at, at + 1, (size_t)(run->going_on + run->count - (at + 1)) * sizeof(curfew__operation *));
		run->count--;
	}
	return operation;
}

static bool may_start(const curfew__operations *run)
{
	return !run->closed && run->queued < CURFEW__EVENTS_MAX && run->last_id < INT32_MAX;
}

static bool put_on(curfew__operations *run, curfew__operation *operation)
{
	if (run->count == run->capacity) {
		size_t capacity = run->capacity ? run->capacity * 2 : 4;
		curfew__operation **list = realloc(run->going_on, capacity * sizeof(curfew__operation *));
		if (!list)
			return false;
		run->going_on = list;
		run->capacity = capacity;
	}
	operation->id = ++run->last_id;
	run->going_on[run->count++] = operation;
	return true;
}

/* ---- For the code that executes them ---------------------------------------------------------------------- */

bool curfew__operation_start(curfew__operations *run, curfew__operation *operation, const curfew__operation_type *type)
{
	operation->type = type;
	operation->run = run;
	atomic_init(&operation->references, 2);
	curfew__mutex_lock(&run->lock);
	bool ok = may_start(run) && put_on(run, operation);
	curfew__mutex_unlock(&run->lock);
	if (ok)
		curfew__operations_ref(run);
	return ok;
}

curfew__operation *curfew__operation_ref(curfew__operation *operation)
{
	atomic_fetch_add(&operation->references, 1);
	return operation;
}

void curfew__operation_unref(curfew__operation *operation)
{
	if (!operation || atomic_fetch_sub(&operation->references, 1) != 1)
		return;
	curfew__operations *run = operation->run;
	operation->type->destroy(operation);
	curfew__operations_unref(run);
}

/* Wake the run under the lock: it cannot end meanwhile, because it would have to close its operations first. */
static void add_event(curfew__operations *run, curfew__operation_event *event) CURFEW__REQUIRES(run->lock);
static void add_event(curfew__operations *run, curfew__operation_event *event)
{
	bool was_empty = !run->first;

	*run->last = event;
	run->last = &event->next;
	run->queued++;
	if (was_empty)
		run->wake(run->context);
}

static curfew__operation_event *make_event(uint32_t kind, bool last, char *bytes, size_t length)
{
	curfew__operation_event *event = malloc(sizeof *event);

	if (event)
		*event = (curfew__operation_event){NULL, 0, kind, last, bytes, length};
	else
		free(bytes);
	return event;
}

uint32_t curfew__operations_answer(curfew__operations *run, uint32_t kind, char *bytes, size_t length)
{
	curfew__operation_event *event = make_event(kind, true, bytes, length);

	if (!event)
		return 0;
	curfew__mutex_lock(&run->lock);
	uint32_t id = may_start(run) ? ++run->last_id : 0;
	event->id = id;
	if (id)
		add_event(run, event);
	curfew__mutex_unlock(&run->lock);
	if (!id)
		free_event(event);
	return id;
}

bool curfew__operation_post(curfew__operation *operation, uint32_t kind, bool last, char *bytes, size_t length)
{
	curfew__operations *run = operation->run;
	curfew__operation_event *event = make_event(kind, last, bytes, length);

	if (!event)
		return false;
	event->id = operation->id;
	curfew__mutex_lock(&run->lock);
	bool goes_on = find_operation(run, operation->id) == operation;
	if (goes_on) {
		add_event(run, event);
		if (last)
			take_off(run, operation->id);
	}
	curfew__mutex_unlock(&run->lock);
	if (!goes_on) {
		free_event(event);
		return false;
	}
	if (last)
		curfew__operation_unref(operation);
	return true;
}

/* ---- For the run ------------------------------------------------------------------------------------------ */

static void cancel_and_unref(curfew__operation *operation)
{
	if (!operation)
		return;
	operation->type->cancel(operation);
	curfew__operation_unref(operation);
}

void curfew__operations_close(curfew__operations *run)
{
	if (!run)
		return;
	curfew__mutex_lock(&run->lock);
	run->closed = true;
	curfew__operation **going_on = run->going_on;
	size_t count = run->count;
	/* Leave the events to be freed later: the watch thread, which stops all runs, may be the one that closes. */
	if (run->first)
		run->dropped = run->first;
	run->going_on = NULL;
	run->count = run->capacity = 0;
	run->first = NULL;
	run->last = &run->first;
	run->queued = 0;
	curfew__mutex_unlock(&run->lock);
	for (size_t i = 0; i < count; i++)
		cancel_and_unref(going_on[i]);
	free(going_on);
}

/* Returns the operation with a reference for the caller, or NULL. */
static curfew__operation *find_ref(curfew__operations *run, uint32_t id)
{
	curfew__mutex_lock(&run->lock);
	curfew__operation *operation = find_operation(run, id);
	if (operation)
		curfew__operation_ref(operation);
	curfew__mutex_unlock(&run->lock);
	return operation;
}

bool curfew__operations_post(curfew__operations *run, uint32_t id, uint32_t kind, bool last, char *bytes, size_t length)
{
	curfew__operation *operation = find_ref(run, id);

	if (!operation) {
		free(bytes);
		return false;
	}
	bool posted = curfew__operation_post(operation, kind, last, bytes, length);
	curfew__operation_unref(operation);
	return posted;
}

bool curfew__operations_number(curfew__operations *run, uint32_t id)
{
	curfew__mutex_lock(&run->lock);
	bool ok = id > run->last_id && id <= INT32_MAX;
	if (ok)
		run->last_id = id - 1;
	curfew__mutex_unlock(&run->lock);
	return ok;
}

bool curfew__operations_send(curfew__operations *run, uint32_t id, uint32_t kind, const void *bytes, size_t length)
{
	curfew__operation *operation = find_ref(run, id);
	bool taken = operation && operation->type->send && operation->type->send(operation, kind, bytes, length);
	curfew__operation_unref(operation);
	return taken;
}

/* Removes the events of an operation from the queue. */
static curfew__operation_event *take_events(curfew__operations *run, uint32_t id) CURFEW__REQUIRES(run->lock);
static curfew__operation_event *take_events(curfew__operations *run, uint32_t id)
{
	curfew__operation_event *taken = NULL, **at = &run->first;

	while (*at) {
		curfew__operation_event *event = *at;
		if (event->id != id) {
			at = &event->next;
			continue;
		}
		*at = event->next;
		run->queued--;
		event->next = taken;
		taken = event;
	}
	run->last = at;
	return taken;
}

void curfew__operations_cancel(curfew__operations *run, uint32_t id)
{
	curfew__mutex_lock(&run->lock);
	curfew__operation *operation = take_off(run, id);
	curfew__operation_event *events = take_events(run, id);
	curfew__mutex_unlock(&run->lock);
	cancel_and_unref(operation);
	free_events(events);
}

const curfew__operation_event *curfew__operations_next(curfew__operations *run)
{
	free_event(run->current);
	curfew__mutex_lock(&run->lock);
	curfew__operation_event *event = run->current = run->first;
	if (event && !(run->first = event->next))
		run->last = &run->first;
	run->queued -= event != NULL;
	curfew__mutex_unlock(&run->lock);
	curfew__operation *operation = event && !event->last ? find_ref(run, event->id) : NULL;
	if (operation && operation->type->taken)
		operation->type->taken(operation, event->kind);
	curfew__operation_unref(operation);
	return event;
}

const curfew__operation_event *curfew__operations_current(curfew__operations *run)
{
	return run->current;
}

bool curfew__operations_ready(curfew__operations *run)
{
	curfew__mutex_lock(&run->lock);
	bool ready = run->first != NULL;
	curfew__mutex_unlock(&run->lock);
	return ready;
}
