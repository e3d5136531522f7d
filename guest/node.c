/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The natives that only Node's modules need: files, ticks, and the context of AsyncLocalStorage. They are created when
 * the first of these modules is loaded, so that other programs do not have them in their memory.
 */
#include <string.h>

#include "guest.h"

/* ---- Asynchronous context --------------------------------------------------------------------------------- */

/* asyncContext([next]) -> the current context; sets the next one */
static JSValue async_context(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JSValue present = curfew_engine_async_context();

	if (argc)
		curfew_engine_set_async_context(JS_DupValue(ctx, argv[0]));
	return present;
}

/* queueTick(function) */
static JSValue queue_tick(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return argc && curfew_engine_queue_tick(argv[0]) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

/* ---- Files ------------------------------------------------------------------------------------------------ */

static curfew__file_request request;

static bool take_number(JSContext *ctx, JSValueConst value, int64_t *number)
{
	double given = 0;

	if (JS_ToFloat64(ctx, &given, value))
		return false;
	*number = given >= -0x1p62 && given <= 0x1p62 ? (int64_t)given : 0;
	return true;
}

/* The text of an argument, and its address in the request. NULL: it is undefined, or an exception is pending. */
static const char *take_text(JSContext *ctx, JSValueConst value, uint32_t *address, uint32_t *length)
{
	size_t size = 0;
	const char *text = JS_IsUndefined(value) ? NULL : JS_ToCStringLen(ctx, &size, value);

	*address = (uint32_t)(uintptr_t)text;
	*length = (uint32_t)size;
	return text;
}

/* A range of bytes: [Uint8Array, offset, length]. False: an exception is pending. */
static bool take_bytes(JSContext *ctx, JSValueConst array, JSValueConst offset, JSValueConst length)
{
	size_t size = 0;
	int64_t from, count;
	uint8_t *bytes = JS_IsUndefined(array) ? NULL : JS_GetUint8Array(ctx, &size, array);

	request.bytes = request.length = 0;
	if (!bytes)
		return !JS_HasException(ctx);
	if (!take_number(ctx, offset, &from) || !take_number(ctx, length, &count))
		return false;
	from = from < 0 ? 0 : from > (int64_t)size ? (int64_t)size : from;
	count = count < 0 ? 0 : count > (int64_t)size - from ? (int64_t)size - from : count;
	request.bytes = (uint32_t)(uintptr_t)(bytes + from);
	request.length = (uint32_t)count;
	return true;
}

/*
 * file(operation, path, other, file, flags, mode, bytes, offset, length, position) -> the result that guest/abi.h
 * defines, or -errno. Arguments that an operation does not use are left out. If it sets times, `offset` and `length`
 * are the times in ms.
 */
static JSValue file(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int64_t numbers[5] = {0};
	static const int places[] = {0, 3, 4, 5, 9};

	request = (curfew__file_request){0};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (!JS_IsUndefined(argv[places[i]]) && !take_number(ctx, argv[places[i]], &numbers[i]))
			return JS_EXCEPTION;
	request.operation = (uint32_t)numbers[0];
	request.file = (uint32_t)numbers[1];
	request.flags = (uint32_t)numbers[2];
	request.mode = (uint32_t)numbers[3];
	request.position = JS_IsUndefined(argv[9]) ? -1 : numbers[4];
	if (request.operation == CURFEW_FILE_SET_TIMES) {
		double access = 0, modify = 0;
		if (JS_ToFloat64(ctx, &access, argv[7]) || JS_ToFloat64(ctx, &modify, argv[8]))
			return JS_EXCEPTION;
		request.access_ns = (int64_t)(access * 1e6);
		request.modify_ns = (int64_t)(modify * 1e6);
	} else if (!take_bytes(ctx, argv[6], argv[7], argv[8])) {
		return JS_EXCEPTION;
	}
	const char *path = take_text(ctx, argv[1], &request.path, &request.path_length);
	const char *other = take_text(ctx, argv[2], &request.other, &request.other_length);
	int32_t answer = JS_HasException(ctx) ? 0 : host_file(&request);
	JS_FreeCString(ctx, path);
	JS_FreeCString(ctx, other);
	if (JS_HasException(ctx))
		return JS_EXCEPTION;
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : JS_NewInt32(ctx, answer);
}

/*
 * fileStatus() -> the status that the last operation found: [device, inode, size, blocks, mode, links, user, group,
 * bytes of a block, and three times in ms]
 */
static JSValue file_status(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const curfew__file_status *s = &request.status;
	const double numbers[] = {
		(double)s->device,
		(double)s->inode,
		(double)s->size,
		(double)s->blocks,
		s->mode,
		s->links,
		s->user,
		s->group,
		s->block_bytes,
		s->access_ns / 1e6,
		s->modify_ns / 1e6,
		s->change_ns / 1e6,
	};
	JSValue list = JS_NewArray(ctx);

	for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		JS_DefinePropertyValueUint32(ctx, list, i, JS_NewNumber(ctx, numbers[i]), JS_PROP_C_W_E);
	return list;
}

/* ---- The object of natives -------------------------------------------------------------------------------- */

static JSValue make_natives(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static const JSCFunctionListEntry functions[] = {
		JS_CFUNC_DEF("asyncContext", 0, async_context),
		JS_CFUNC_DEF("file", 10, file),
		JS_CFUNC_DEF("fileStatus", 0, file_status),
		JS_CFUNC_DEF("queueTick", 0, queue_tick),
	};
	JSValue natives = JS_NewObjectProto(ctx, JS_NULL);

	JS_SetPropertyFunctionList(ctx, natives, functions, sizeof functions / sizeof *functions);
	curfew_crypto_add_node(natives);
	return natives;
}

void curfew_node_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;

	JS_SetPropertyStr(ctx, native, "nodeNatives", JS_NewCFunction(ctx, make_natives, "nodeNatives", 0));
}
