/* SPDX-License-Identifier: Apache-2.0 */
/* The program's timers: a heap by due time. The host learns only when the next one is due. */
#include <stdlib.h>

#include "guest.h"

typedef struct timer {
	int64_t due_ns;
	int64_t period_ns; /* 0: once */
	uint32_t order;    /* of creation: of timers due at the same time, the oldest fires first */
	int32_t id;
	bool idle; /* it does not keep the program alive */
	JSValue callback;
	JSValue arguments;
	JSValue context; /* in which it was set */
} timer;

static timer *heap;
static uint32_t count, capacity, next_order, idle_count;
static int32_t last_id;

static bool before(const timer *a, const timer *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(uint32_t a, uint32_t b)
{
	timer kept = heap[a];
	heap[a] = heap[b];
	heap[b] = kept;
}

static void sift(uint32_t at)
{
	while (at && before(&heap[at], &heap[(at - 1) / 2])) {
		swap(at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
	for (;;) {
		uint32_t least = at;
		for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < count && before(&heap[child], &heap[least]))
				least = child;
		if (least == at)
			return;
		swap(at, least);
		at = least;
	}
}

static void add(timer entry)
{
	if (count == capacity) {
		capacity = capacity ? capacity * 2 : 8;
		heap = realloc(heap, capacity * sizeof *heap);
		if (!heap)
			host_stop(CURFEW_STOP_MEMORY);
	}
	heap[count++] = entry;
	idle_count += entry.idle;
	sift(count - 1);
	if (count > curfew_control.timers_peak)
		curfew_control.timers_peak = count;
}

static timer take_at(uint32_t at)
{
	timer taken = heap[at];
	idle_count -= taken.idle;
	heap[at] = heap[--count];
	if (at < count)
		sift(at);
	return taken;
}

static void drop(timer gone)
{
	JS_FreeValue(curfew_context, gone.callback);
	JS_FreeValue(curfew_context, gone.arguments);
	JS_FreeValue(curfew_context, gone.context);
}

/* setTimer(callback, delay in ms, repeat, arguments) -> id. Delays are limited as in Node: 1 ms to 2^31-1. */
static JSValue set_timer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	double delay = 0;

	if (argc < 4 || JS_ToFloat64(ctx, &delay, argv[1]))
		return JS_EXCEPTION;
	if (!(delay >= 1 && delay <= 2147483647))
		delay = 1;
	if (count >= curfew_control.timers_limit)
		return curfew_engine_stop(CURFEW_STOP_TIMERS);
	int64_t delay_ns = (int64_t)delay * 1000000;
	timer entry = {host_clock() + delay_ns,
	               JS_ToBool(ctx, argv[2]) ? delay_ns : 0,
	               next_order++,
	               ++last_id,
	               false,
	               JS_DupValue(ctx, argv[0]),
	               JS_DupValue(ctx, argv[3]),
	               curfew_engine_async_context()};
	add(entry);
	return JS_NewInt32(ctx, entry.id);
}

static JSValue clear_timer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t id;

	if (argc < 1 || JS_ToInt32(ctx, &id, argv[0]))
		return JS_EXCEPTION;
	for (uint32_t i = 0; i < count; i++) {
		if (heap[i].id != id)
			continue;
		drop(take_at(i));
		break;
	}
	return JS_UNDEFINED;
}

/*
 * unrefTimer(id[, whether the program waits for it]): an unreferenced timer does not keep the program alive, but fires
 * if the program still runs.
 */
static JSValue unref_timer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t id;

	if (argc < 1 || JS_ToInt32(ctx, &id, argv[0]))
		return JS_EXCEPTION;
	bool idle = argc < 2 || !JS_ToBool(ctx, argv[1]);
	for (uint32_t i = 0; i < count; i++) {
		if (heap[i].id == id && heap[i].idle != idle) {
			heap[i].idle = idle;
			idle_count += idle ? 1 : -1u;
		}
	}
	return JS_UNDEFINED;
}

void curfew_timers_clear(void)
{
	while (count)
		drop(take_at(count - 1));
	curfew_control.timers_peak = 0;
}

bool curfew_timers_wanted(void)
{
	return count > idle_count;
}

int64_t curfew_timers_next(void)
{
	return count ? heap[0].due_ns : INT64_MAX;
}

JSValue curfew_timers_take(int64_t now_ns, JSValue *arguments)
{
	JSContext *ctx = curfew_context;

	if (!count || heap[0].due_ns > now_ns)
		return JS_UNDEFINED;
	timer taken = take_at(0);
	*arguments = taken.arguments;
	if (!taken.period_ns) {
		curfew_engine_set_async_context(taken.context);
		return taken.callback;
	}
	JSValue callback = JS_DupValue(ctx, taken.callback);
	*arguments = JS_DupValue(ctx, taken.arguments);
	curfew_engine_set_async_context(JS_DupValue(ctx, taken.context));
	taken.due_ns = now_ns + taken.period_ns;
	taken.order = next_order++;
	add(taken);
	return callback;
}

void curfew_timers_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;
	JS_SetPropertyStr(ctx, native, "setTimer", JS_NewCFunction(ctx, set_timer, "setTimer", 4));
	JS_SetPropertyStr(ctx, native, "clearTimer", JS_NewCFunction(ctx, clear_timer, "clearTimer", 1));
	JS_SetPropertyStr(ctx, native, "unrefTimer", JS_NewCFunction(ctx, unref_timer, "unrefTimer", 1));
}
