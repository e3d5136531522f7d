/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations that the host executes while the program continues. The prelude starts them and receives their events, one
 * at a time.
 */
#include <stdlib.h>

#include "guest.h"

static uint32_t going_on;
static int32_t held; /* how many things the program waits for; it must not end before */

/* startOperation(kind, request) -> id; 0: too many operations are in progress. */
static JSValue start_operation(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	int32_t kind;

	if (argc < 2 || JS_ToInt32(ctx, &kind, argv[0]))
		return JS_EXCEPTION;
	const char *request = JS_ToCStringLen(ctx, &length, argv[1]);
	if (!request)
		return JS_EXCEPTION;
	uint32_t id = host_op_start((uint32_t)kind, request, (uint32_t)length);
	JS_FreeCString(ctx, request);
	if (curfew_stop_asked())
		return curfew_engine_stop(CURFEW_STOP_POLL);
	going_on += id != 0;
	return JS_NewUint32(ctx, id);
}

/* sendOperation(id, kind[, Uint8Array]) -> whether it was taken */
static JSValue send_operation(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t *bytes = NULL;
	size_t length = 0;
	int32_t id, kind;

	if (argc < 2 || JS_ToInt32(ctx, &id, argv[0]) || JS_ToInt32(ctx, &kind, argv[1]))
		return JS_EXCEPTION;
	if (argc > 2 && !(bytes = JS_GetUint8Array(ctx, &length, argv[2])) && JS_HasException(ctx))
		return JS_EXCEPTION;
	return JS_NewBool(ctx, host_op_send((uint32_t)id, (uint32_t)kind, bytes, (uint32_t)length));
}

/* cancelOperation(id): of an operation whose last event has not arrived */
static JSValue cancel_operation(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t id;

	if (argc < 1 || JS_ToInt32(ctx, &id, argv[0]))
		return JS_EXCEPTION;
	host_op_cancel((uint32_t)id);
	going_on--;
	return JS_UNDEFINED;
}

/* holdProgram(1 or -1): the program begins or stops waiting for something. */
static JSValue hold_program(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t more;

	if (argc < 1 || JS_ToInt32(ctx, &more, argv[0]))
		return JS_EXCEPTION;
	held += more;
	return JS_UNDEFINED;
}

static void *resize_bytes(JSRuntime *rt, void *opaque, void *bytes, size_t length)
{
	return js_realloc_rt(rt, bytes, length);
}

static JSValue take_bytes(JSContext *ctx, uint32_t length)
{
	uint8_t *bytes = js_malloc(ctx, length ? length : 1);

	host_op_take(bytes, length);
	return JS_NewUint8Array(ctx, bytes, length, resize_bytes, NULL, false);
}

void curfew_operations_clear(void)
{
	going_on = 0;
	held = 0;
}

bool curfew_operations_wanted(void)
{
	return held > 0;
}

bool curfew_operations_go_on(void)
{
	return going_on > 0;
}

int curfew_operations_turn(void)
{
	JSContext *ctx = curfew_context;
	curfew__event_record event;

	if (!going_on || !host_op_next(&event))
		return 0;
	going_on -= event.last;
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "event");
	JSValue arguments[] = {JS_NewUint32(ctx, event.id), JS_NewUint32(ctx, event.kind), JS_NewBool(ctx, event.last),
	                       take_bytes(ctx, event.length)};
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, 4, (JSValueConst *)arguments);
	JS_FreeValue(ctx, hook);
	JS_FreeValue(ctx, arguments[3]);
	if (JS_IsException(answer))
		return -1;
	JS_FreeValue(ctx, answer);
	return 1;
}

void curfew_operations_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;
	JS_SetPropertyStr(ctx, native, "startOperation", JS_NewCFunction(ctx, start_operation, "startOperation", 2));
	JS_SetPropertyStr(ctx, native, "sendOperation", JS_NewCFunction(ctx, send_operation, "sendOperation", 3));
	JS_SetPropertyStr(ctx, native, "cancelOperation", JS_NewCFunction(ctx, cancel_operation, "cancelOperation", 1));
	JS_SetPropertyStr(ctx, native, "holdProgram", JS_NewCFunction(ctx, hold_program, "holdProgram", 1));
}
