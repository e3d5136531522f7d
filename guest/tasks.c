/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that the prelude queues. Each runs alone, after all jobs, in the order in which they were queued. */
#include <stdlib.h>

#include "guest.h"

typedef struct task {
	JSValue callback;
	JSValue context; /* in which it was queued */
} task;

static task *tasks;
static uint32_t first, last, capacity; /* a ring, whose capacity is a power of two */

static void grow(void)
{
	uint32_t more = capacity ? capacity * 2 : 16;
	task *ring = malloc(more * sizeof *ring);

	if (!ring)
		host_stop(CURFEW_STOP_MEMORY);
	for (uint32_t i = first; i != last; i++)
		ring[i & (more - 1)] = tasks[i & (capacity - 1)];
	free(tasks);
	tasks = ring;
	capacity = more;
}

/* queueTask(callback) */
static JSValue queue_task(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (last - first == capacity)
		grow();
	tasks[last++ & (capacity - 1)] = (task){JS_DupValue(ctx, argv[0]), curfew_engine_async_context()};
	return JS_UNDEFINED;
}

JSValue curfew_tasks_take(void)
{
	if (first == last)
		return JS_UNDEFINED;
	task taken = tasks[first++ & (capacity - 1)];
	curfew_engine_set_async_context(taken.context);
	return taken.callback;
}

bool curfew_tasks_pending(void)
{
	return first != last;
}

void curfew_tasks_clear(void)
{
	JSValue callback;

	while (!JS_IsUndefined(callback = curfew_tasks_take()))
		JS_FreeValue(curfew_context, callback);
}

void curfew_tasks_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;
	JS_SetPropertyStr(ctx, native, "queueTask", JS_NewCFunction(ctx, queue_task, "queueTask", 1));
}
