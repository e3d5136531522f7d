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
/*
 * Where each timer is in the heap, by its id, so that clearing one needs no search: place + 1, or 0. There are at least
 * twice as many slots as timers; a timer that is not in the slot of its id is in one of the next.
 */
static uint32_t *slots;
static uint32_t slot_mask;

/* Ids are given in order, and neighbours must not be in neighbouring slots: all of those would have to be looked at. */
static uint32_t first_slot(int32_t id)
{
	uint32_t spread = (uint32_t)id * 2654435769u;

	return (spread >> 16 ^ spread << 16) & slot_mask;
}

static uint32_t slot_of(int32_t id)
{
	uint32_t slot = first_slot(id);

	while (slots[slot] && heap[slots[slot] - 1].id != id)
		slot = (slot + 1) & slot_mask;
	return slot;
}

static timer *find(int32_t id)
{
	uint32_t place = slots ? slots[slot_of(id)] : 0;

	return place ? &heap[place - 1] : NULL;
}

/* What comes after a slot that became free may have to move there, or it would not be found any more. */
static void free_slot(uint32_t slot)
{
	uint32_t next = slot;

	for (;;) {
		slots[slot] = 0;
		uint32_t wanted;
		do {
			next = (next + 1) & slot_mask;
			if (!slots[next])
				return;
			wanted = first_slot(heap[slots[next] - 1].id);
		} while (((next - wanted) & slot_mask) < ((next - slot) & slot_mask));
		slots[slot] = slots[next];
		slot = next;
	}
}

static bool before(const timer *a, const timer *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(uint32_t a, uint32_t b)
{
	uint32_t slot_a = slot_of(heap[a].id), slot_b = slot_of(heap[b].id);
	timer kept = heap[a];

	heap[a] = heap[b];
	heap[b] = kept;
	slots[slot_a] = b + 1;
	slots[slot_b] = a + 1;
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

static void grow(void)
{
	capacity = capacity ? capacity * 2 : 8;
	heap = realloc(heap, capacity * sizeof *heap);
	free(slots);
	slots = calloc(2 * (size_t)capacity, sizeof *slots);
	if (!heap || !slots)
		host_stop(CURFEW_STOP_MEMORY);

	slot_mask = 2 * capacity - 1;
	for (uint32_t i = 0; i < count; i++)
		slots[slot_of(heap[i].id)] = i + 1;
}

static void add(timer entry)
{
	if (count == capacity)
		grow();
	slots[slot_of(entry.id)] = count + 1;
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
	if (at != count - 1)
		swap(at, count - 1);
	free_slot(slot_of(taken.id));
	count--;
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
	timer *found = find(id);
	if (found)
		drop(take_at((uint32_t)(found - heap)));
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
	timer *found = find(id);
	if (found && found->idle != idle) {
		found->idle = idle;
		idle_count += idle ? 1 : -1u;
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
