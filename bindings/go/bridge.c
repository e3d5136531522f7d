/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge.h"
#include "_cgo_export.h"
#include <pthread.h>

static void on_done(void *context, curfew_run *run)
{
	(void)run;
	goRunDone((uintptr_t)context);
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	goRunEvent((uintptr_t)context, (int)kind, (char *)(uintptr_t)data, length);
}

static void on_call(void *context, curfew_host_call *call)
{
	goHostCall((uintptr_t)context, call);
}

static void on_stopped(void *context, curfew_host_call *call)
{
	(void)context;
	goHostStopped(call);
}

static void on_released(void *context)
{
	goHostReleased((uintptr_t)context);
}

curfew_status bridge_start(curfew_program *program, curfew_run_options *options, uintptr_t handle, bool events,
                           curfew_run **run, curfew_failure *failure)
{
	options->on_done = on_done;
	options->on_done_context = (void *)handle;
	if (events) {
		options->on_event = on_event;
		options->on_event_context = (void *)handle;
	}
	return curfew_run_start(program, options, run, failure);
}

/* The queue of all synchronous calls. It is never destroyed, since goroutines take calls from it. */
static curfew_call_queue *queue;
static pthread_once_t queue_once = PTHREAD_ONCE_INIT;

/* How long a goroutine without work waits before it ends. */
#define IDLE_NS 10000000000u

static void on_waiting(void *context)
{
	(void)context;
	goHostWaiting();
}

static void create_queue(void)
{
	(void)curfew_call_queue_create(on_waiting, NULL, &queue);
}

bool bridge_function(curfew_host_function *row, char *name, char *module, char *type, uint64_t fuel, bool is_async,
                     uintptr_t handle)
{
	pthread_once(&queue_once, create_queue);
	*row = (curfew_host_function){.size = sizeof *row,
	                              .flags = is_async ? CURFEW_HOST_ASYNC : 0,
	                              .name = name,
	                              .module = module,
	                              .type = type,
	                              .fuel = fuel,
	                              .call = is_async ? on_call : NULL,
	                              .stopped = is_async ? on_stopped : NULL,
	                              .context = (void *)handle,
	                              .queue = is_async ? NULL : queue,
	                              .released = on_released};
	return queue != NULL;
}

struct bridge_call bridge_take(void)
{
	void *context = NULL;
	curfew_host_call *call = curfew_call_queue_take(queue, IDLE_NS, &context);
	return (struct bridge_call){call, (uintptr_t)context};
}

void bridge_set_data(curfew_host_call *call, uintptr_t number)
{
	curfew_host_call_set_data(call, (void *)number);
}

uintptr_t bridge_get_data(curfew_host_call *call)
{
	return (uintptr_t)curfew_host_call_get_data(call);
}

const char *bridge_status_name(curfew_status status)
{
	switch (status) {
#define X(name, value, sentence)                                                                                       \
	case CURFEW_##name: return #name;
		CURFEW_STATUS_LIST(X)
#undef X
	}
	return "INTERNAL";
}
