/* SPDX-License-Identifier: Apache-2.0 */
/* Host functions, as a program calls them. Arguments go out as JSON, and JSON or a message comes back. */
#include <stdlib.h>

#include "guest.h"

/* Larger results are copied by a second call. */
enum { ANSWER_BYTES = 512 };

static JSValue throw_message(JSContext *ctx, const char *message, size_t length)
{
	/* JS_ThrowPlainError limits the length of its message, so set the message afterwards. */
	JS_ThrowPlainError(ctx, "%s", "");
	JSValue error = JS_GetException(ctx);
	JS_DefinePropertyValueStr(ctx, error, "message", JS_NewStringLen(ctx, message, length),
	                          JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
	return JS_Throw(ctx, error);
}

/* `text` has the result, and capacity for one more byte. */
static JSValue read_answer(JSContext *ctx, char *text, size_t length, bool threw)
{
	if (threw)
		return throw_message(ctx, text, length);
	text[length] = 0;
	return JS_ParseJSON(ctx, text, length, "host");
}

/* The result of a call. `text` has the part that fits in it. */
static JSValue take_answer(JSContext *ctx, int32_t answer, char *text)
{
	size_t length = answer < 0 ? (size_t)(-1 - (int64_t)answer) : (size_t)answer;

	if (!answer)
		return JS_UNDEFINED;
	if (length <= ANSWER_BYTES)
		return read_answer(ctx, text, length, answer < 0);
	char *large = malloc(length + 1);
	host_call_take(large, (uint32_t)length);
	JSValue value = read_answer(ctx, large, length, answer < 0);
	free(large);
	return value;
}

/* The arguments as JSON. JS_EXCEPTION: they cannot be written as JSON. */
static JSValue arguments_json(JSContext *ctx, int argc, JSValueConst *argv)
{
	JSValue list = JS_NewArray(ctx);

	for (int i = 0; i < argc; i++)
		JS_DefinePropertyValueUint32(ctx, list, (uint32_t)i, JS_DupValue(ctx, argv[i]), JS_PROP_C_W_E);
	JSValue json = JS_JSONStringify(ctx, list, JS_UNDEFINED, JS_UNDEFINED);
	JS_FreeValue(ctx, list);
	if (!JS_IsException(json) && !JS_IsString(json)) {
		JS_FreeValue(ctx, json);
		return JS_ThrowTypeError(ctx, "the arguments have no JSON");
	}
	return json;
}

static JSValue call_host(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int index)
{
	JSValue json = arguments_json(ctx, argc, argv);
	char room[ANSWER_BYTES + 1];
	size_t length;

	if (JS_IsException(json))
		return json;
	const char *text = JS_ToCStringLen(ctx, &length, json);
	JS_FreeValue(ctx, json);
	if (!text)
		return JS_EXCEPTION;
	int32_t answer = host_call((uint32_t)index, text, (uint32_t)length, room, ANSWER_BYTES);
	JS_FreeCString(ctx, text);
	if (curfew_stop_asked())
		return curfew_engine_stop(CURFEW_STOP_POLL);
	return take_answer(ctx, answer, room);
}

/* hostFunction(name, index) -> the function that calls it */
static JSValue host_function(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t index;
	const char *name = argc > 1 && !JS_ToInt32(ctx, &index, argv[1]) ? JS_ToCString(ctx, argv[0]) : NULL;

	if (!name)
		return JS_EXCEPTION;
	JSValue function = JS_NewCFunctionMagic(ctx, call_host, name, 0, JS_CFUNC_generic_magic, index);
	JS_FreeCString(ctx, name);
	return function;
}

int curfew_functions_begin(void)
{
	JSContext *ctx = curfew_context;

	if (!curfew_control.functions_length)
		return 0;
	JSValue list = JS_ParseJSON(ctx, (const char *)(uintptr_t)curfew_control.functions, curfew_control.functions_length,
	                            "functions");
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "functions");
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, 1, (JSValueConst *)&list);
	JS_FreeValue(ctx, hook);
	JS_FreeValue(ctx, list);
	if (JS_IsException(answer))
		return -1;
	JS_FreeValue(ctx, answer);
	return 0;
}

void curfew_functions_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;
	JS_SetPropertyStr(ctx, native, "hostFunction", JS_NewCFunction(ctx, host_function, "hostFunction", 2));
}
