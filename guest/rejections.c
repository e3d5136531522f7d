/* SPDX-License-Identifier: Apache-2.0 */
/* Rejected promises that nothing handles: in order, and found by their address. */
#include <stdlib.h>

#include "guest.h"

typedef struct rejection {
	JSValue promise;
	struct rejection *before, *behind; /* in order */
	struct rejection *next;            /* in the same bucket */
} rejection;

#define FIRST_BUCKETS 16

static rejection *first, *last;
static rejection **buckets;
static uint32_t bucket_count, count;

static uint32_t bucket_of(JSValueConst promise)
{
	uint32_t address = (uint32_t)(uintptr_t)JS_VALUE_GET_PTR(promise);
	return (address >> 4) * 2654435761u & (bucket_count - 1);
}

static void put_in_bucket(rejection *entry)
{
	rejection **bucket = &buckets[bucket_of(entry->promise)];

	entry->next = *bucket;
	*bucket = entry;
}

static void grow(void)
{
	bucket_count = bucket_count ? bucket_count * 2 : FIRST_BUCKETS;
	free(buckets);
	buckets = calloc(bucket_count, sizeof(rejection *));
	if (!buckets)
		host_stop(CURFEW_STOP_MEMORY);
	for (rejection *at = first; at; at = at->behind)
		put_in_bucket(at);
}

static void add(JSContext *ctx, JSValueConst promise)
{
	if (count >= bucket_count)
		grow();
	rejection *made = js_malloc(ctx, sizeof *made);
	*made = (rejection){JS_DupValue(ctx, promise), last, NULL, NULL};
	*(last ? &last->behind : &first) = made;
	last = made;
	put_in_bucket(made);
	count++;
}

static rejection *take_from_bucket(JSValueConst promise)
{
	rejection **at = &buckets[bucket_of(promise)];

	while (*at && JS_VALUE_GET_PTR((*at)->promise) != JS_VALUE_GET_PTR(promise))
		at = &(*at)->next;
	rejection *found = *at;
	if (found)
		*at = found->next;
	return found;
}

/* Removes a promise and gives its reference to the caller. JS_UNDEFINED: it is not listed. */
static JSValue take(JSContext *ctx, JSValueConst promise)
{
	rejection *gone = count ? take_from_bucket(promise) : NULL;

	if (!gone)
		return JS_UNDEFINED;
	*(gone->before ? &gone->before->behind : &first) = gone->behind;
	*(gone->behind ? &gone->behind->before : &last) = gone->before;
	JSValue taken = gone->promise;
	js_free(ctx, gone);
	count--;
	return taken;
}

/* Whether the program has taken any report. Only then must it be notified when a promise is handled later. */
static bool reported;

static JSValue call_hook(JSContext *ctx, const char *name, JSValueConst promise)
{
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, name);
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, 1, &promise);

	JS_FreeValue(ctx, hook);
	return answer;
}

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque)
{
	(void)reason, (void)opaque;
	if (!is_handled) {
		add(ctx, promise);
		return;
	}
	JSValue taken = take(ctx, promise);
	if (JS_IsUndefined(taken) && reported)
		call_hook(ctx, "handled", promise);
	JS_FreeValue(ctx, taken);
}

int curfew_rejections_report(JSValueConst promise)
{
	JSContext *ctx = curfew_context;
	JSValue answer = call_hook(ctx, "rejected", promise);
	int taken = JS_IsException(answer) ? -1 : JS_ToBool(ctx, answer);

	JS_FreeValue(ctx, answer);
	reported = reported || taken > 0;
	return taken;
}

void curfew_rejections_init(void)
{
	JS_SetHostPromiseRejectionTracker(curfew_runtime, on_rejection, NULL);
}

JSValue curfew_rejections_take(void)
{
	return first ? take(curfew_context, first->promise) : JS_UNDEFINED;
}

void curfew_rejections_clear(void)
{
	while (first)
		JS_FreeValue(curfew_context, take(curfew_context, first->promise));
}
