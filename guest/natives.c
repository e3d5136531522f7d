/* SPDX-License-Identifier: Apache-2.0 */
/* The object that the prelude receives: the program's clock, parameters and limits, and the ways out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static JSValue native_write(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	int32_t stream;

	if (argc < 2 || JS_ToInt32(ctx, &stream, argv[0]))
		return JS_EXCEPTION;
	const char *text = JS_ToCStringLen(ctx, &length, argv[1]);
	if (!text)
		return JS_EXCEPTION;
	host_write((uint32_t)stream, text, (uint32_t)length);
	JS_FreeCString(ctx, text);
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : JS_UNDEFINED;
}

/* writeBytes(stream, Uint8Array) */
static JSValue native_write_bytes(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	int32_t stream;

	if (argc < 2 || JS_ToInt32(ctx, &stream, argv[0]))
		return JS_EXCEPTION;
	uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[1]);
	if (!bytes)
		return JS_HasException(ctx) ? JS_EXCEPTION : JS_UNDEFINED;
	host_write((uint32_t)stream, bytes, (uint32_t)length);
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : JS_UNDEFINED;
}

/* exit(code): ends the program. */
static JSValue native_exit(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t code;

	if (argc < 1 || JS_ToInt32(ctx, &code, argv[0]))
		return JS_EXCEPTION;
	host_exit((uint32_t)code);
}

static JSValue native_env(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (!curfew_control.env_length)
		return JS_NewObject(ctx);
	return JS_ParseJSON(ctx, (const char *)(uintptr_t)curfew_control.env, curfew_control.env_length, "env");
}

/* givenFiles() -> the files that the run was given: their text or { base64 }, by name; undefined: there are none */
static JSValue native_given_files(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *text = (const char *)(uintptr_t)curfew_control.files;
	size_t length = curfew_control.files_length;

	return length ? JS_ParseJSON(ctx, text, length, "files") : JS_UNDEFINED;
}

static JSValue native_emit(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int kind)
{
	size_t length;
	const char *text = argc ? JS_ToCStringLen(ctx, &length, argv[0]) : NULL;

	if (!text)
		return JS_EXCEPTION;
	int32_t answer = host_emit((uint32_t)kind, text, (uint32_t)length);
	JS_FreeCString(ctx, text);
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : JS_NewBool(ctx, answer == 0);
}

static JSValue native_random(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	uint8_t *bytes = argc ? JS_GetUint8Array(ctx, &length, argv[0]) : NULL;

	if (!bytes)
		return JS_EXCEPTION;
	host_random(bytes, (uint32_t)length);
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : JS_UNDEFINED;
}

static JSValue native_clock(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return JS_NewFloat64(ctx, (double)(host_clock() - curfew_control.time_origin_ns) / 1e6);
}

static JSValue native_remaining(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (curfew_control.deadline_ns == INT64_MAX)
		return JS_NewFloat64(ctx, INFINITY);
	int64_t left = curfew_control.deadline_ns - host_clock();
	return JS_NewFloat64(ctx, left > 0 ? (double)left / 1e6 : 0);
}

static JSValue native_aborted(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return JS_NewInt32(ctx, (int32_t)curfew_aborted());
}

static JSValue run_signal; /* the program's curfew.signal */
static JSValue any_signal; /* a function of the prelude: whether a given signal is aborted */

static JSValue native_set_run_signal(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JS_FreeValue(ctx, run_signal);
	run_signal = argc ? JS_DupValue(ctx, argv[0]) : JS_UNDEFINED;
	return JS_UNDEFINED;
}

/* showRunSignal(object): sets its read-only property `signal` to the run's signal. */
static JSValue native_show_run_signal(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (argc)
		curfew_engine_replace(argv[0], "signal", run_signal);
	return JS_UNDEFINED;
}

/* Loops read the run's signal at every turn. Until it is aborted, that costs one read of the control block. */
static JSValue get_aborted(JSContext *ctx, JSValueConst this_value)
{
	bool is_run_signal = JS_IsObject(this_value) && JS_IsObject(run_signal) &&
	                     JS_VALUE_GET_PTR(this_value) == JS_VALUE_GET_PTR(run_signal);

	if (is_run_signal && !curfew_aborted())
		return JS_FALSE;
	return JS_Call(ctx, any_signal, JS_UNDEFINED, 1, &this_value);
}

/* abortedGetter(isAborted) -> the getter of AbortSignal.prototype.aborted */
static JSValue native_aborted_getter(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JSCFunctionType function = {.getter = get_aborted};

	any_signal = argc ? JS_DupValue(ctx, argv[0]) : JS_UNDEFINED;
	return JS_NewCFunction2(ctx, function.generic, "get aborted", 0, JS_CFUNC_getter, 0);
}

static JSValue native_limits(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JSValue list = JS_NewArray(ctx);
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t limit = curfew_control.limits[i];
		JS_DefinePropertyValueUint32(ctx, list, i, limit == UINT64_MAX ? JS_NULL : JS_NewFloat64(ctx, (double)limit),
		                             JS_PROP_C_W_E);
	}
	return list;
}

static JSValue native_params(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (!(curfew_control.flags & CURFEW_CONTROL_PARAMS) || !curfew_control.input_length)
		return JS_NewArray(ctx);
	return JS_ParseJSON(ctx, (const char *)(uintptr_t)curfew_control.input, curfew_control.input_length, "params");
}

static JSValue native_user(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (!curfew_control.user)
		return JS_UNDEFINED;
	return JS_NewStringLen(ctx, (const char *)(uintptr_t)curfew_control.user, curfew_control.user_length);
}

/* The secret of a name, or undefined. */
static JSValue native_secret(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	const char *name = argc ? JS_ToCStringLen(ctx, &length, argv[0]) : NULL;

	if (!name)
		return JS_EXCEPTION;
	char *bytes = malloc(CURFEW_GUEST_SECRET_BYTES);
	int32_t answer = host_secret(name, (uint32_t)length, bytes, CURFEW_GUEST_SECRET_BYTES);
	JSValue value = answer < 0 ? JS_UNDEFINED : JS_NewStringLen(ctx, bytes, (size_t)answer);
	free(bytes);
	JS_FreeCString(ctx, name);
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : value;
}

/* traceOf(error) -> the engine's record of where it was thrown, or undefined */
static JSValue native_trace_of(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return argc ? curfew_engine_trace_of(argv[0]) : JS_UNDEFINED;
}

/* setTrace(error, trace) */
static JSValue native_set_trace(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (argc > 1)
		curfew_engine_set_trace(argv[0], argv[1]);
	return JS_UNDEFINED;
}

static JSValue native_clone_plain(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return argc ? curfew_engine_clone_plain(argv[0]) : JS_UNDEFINED;
}

static JSValue native_iterator_items(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return argc ? curfew_engine_iterator_items(argv[0]) : JS_UNDEFINED;
}

void curfew_natives_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;
	run_signal = any_signal = JS_UNDEFINED;
	static const struct {
		const char *name;
		JSCFunction *function;
	} functions[] = {
		{"write", native_write},
		{"random", native_random},
		{"clock", native_clock},
		{"remaining", native_remaining},
		{"aborted", native_aborted},
		{"limits", native_limits},
		{"params", native_params},
		{"user", native_user},
		{"secret", native_secret},
		{"traceOf", native_trace_of},
		{"clonePlain", native_clone_plain},
		{"iteratorItems", native_iterator_items},
		{"setTrace", native_set_trace},
		{"writeBytes", native_write_bytes},
		{"exit", native_exit},
		{"env", native_env},
		{"givenFiles", native_given_files},
		{"setRunSignal", native_set_run_signal},
		{"showRunSignal", native_show_run_signal},
		{"abortedGetter", native_aborted_getter},
	};

	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		JS_SetPropertyStr(ctx, native, functions[i].name,
		                  JS_NewCFunction(ctx, functions[i].function, functions[i].name, 0));
	JS_SetPropertyStr(ctx, native, "checkpoint",
	                  JS_NewCFunctionMagic(ctx, native_emit, "checkpoint", 1, JS_CFUNC_generic_magic, 0));
	JS_SetPropertyStr(ctx, native, "progress",
	                  JS_NewCFunctionMagic(ctx, native_emit, "progress", 1, JS_CFUNC_generic_magic, 1));
}
