/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assets: scripts as bytecode, and data, which the library contains for programs. A program has one in its memory only
 * after it asked for it. The guest reads it from the host by its name. src/js/build_image.c makes them.
 */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

/* The asset that the first argument names. NULL: there is none, or an exception is pending. */
static char *read_named(JSContext *ctx, int argc, JSValueConst *argv, size_t *length)
{
	const char *name = argc ? JS_ToCString(ctx, argv[0]) : NULL;
	char *bytes = name ? curfew_assets_read(name, length) : NULL;

	JS_FreeCString(ctx, name);
	return bytes;
}

/* assetText(name) -> the text, or undefined */
static JSValue native_text(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	char *bytes = read_named(ctx, argc, argv, &length);

	if (curfew_stop_asked()) {
		free(bytes);
		return curfew_engine_stop(CURFEW_STOP_POLL);
	}
	JSValue text = bytes ? JS_NewStringLen(ctx, bytes, length) : JS_UNDEFINED;
	free(bytes);
	return text;
}

/* assetScript(name) -> the value of the script, or undefined */
static JSValue native_script(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	char *bytes = read_named(ctx, argc, argv, &length);

	if (curfew_stop_asked()) {
		free(bytes);
		return curfew_engine_stop(CURFEW_STOP_POLL);
	}
	if (!bytes)
		return JS_UNDEFINED;
	JSValue compiled = JS_ReadObject(ctx, (uint8_t *)bytes, length, JS_READ_OBJ_BYTECODE);
	free(bytes);
	return JS_IsException(compiled) ? compiled : JS_EvalFunction(ctx, compiled);
}

/* lazy(object, key, make): defines a data property whose value make() computes at its first use. */
static JSValue native_lazy(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (argc > 2)
		curfew_engine_define_lazy(argv[0], argv[1], argv[2]);
	return JS_UNDEFINED;
}

/*
 * whole(make) -> the value of make(). make() changes state that later calls use, and must not end half done. If a stop
 * of a session interrupts it, the session's state is lost.
 */
static JSValue native_whole(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JSValue value = argc > 0 ? JS_Call(ctx, argv[0], JS_UNDEFINED, 0, NULL) : JS_UNDEFINED;

	if (JS_IsException(value) && curfew_engine_stopping())
		curfew_control.evaluated = 0;
	return value;
}

void curfew_assets_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;

	JS_SetPropertyStr(ctx, native, "assetText", JS_NewCFunction(ctx, native_text, "assetText", 1));
	JS_SetPropertyStr(ctx, native, "assetScript", JS_NewCFunction(ctx, native_script, "assetScript", 1));
	JS_SetPropertyStr(ctx, native, "lazy", JS_NewCFunction(ctx, native_lazy, "lazy", 3));
	JS_SetPropertyStr(ctx, native, "whole", JS_NewCFunction(ctx, native_whole, "whole", 1));
}
