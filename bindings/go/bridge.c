/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge.h"
#include "_cgo_export.h"

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

void bridge_function(curfew_host_function *row, char *name, char *module, char *type, uint64_t fuel, bool is_async,
                     uintptr_t handle)
{
	*row = (curfew_host_function){.size = sizeof *row,
	                              .flags = is_async ? CURFEW_HOST_ASYNC : 0,
	                              .name = name,
	                              .module = module,
	                              .type = type,
	                              .fuel = fuel,
	                              .call = on_call,
	                              .stopped = is_async ? on_stopped : NULL,
	                              .context = (void *)handle};
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
