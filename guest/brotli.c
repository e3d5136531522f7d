/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brotli of node:zlib, by Google's library, a step at a time as in compression.c. Its class is made with the first Node
 * module, so that a program without them has nothing of it in its memory.
 */
#include <string.h>

#include "brotli/decode.h"
#include "brotli/encode.h"
#include "guest.h"

#define PIECE_BYTES 65536

typedef struct packer {
	BrotliEncoderState *encoder; /* one of the two */
	BrotliDecoderState *decoder;
	bool ended;
	size_t taken; /* of the input that is given again for each step */
} packer;

static JSClassID packer_class;

static void *allocate(void *rt, size_t size)
{
	return js_malloc_rt(rt, size);
}

static void release(void *rt, void *bytes)
{
	js_free_rt(rt, bytes);
}

static void packer_finalize(JSRuntime *rt, JSValueConst value)
{
	packer *p = JS_GetOpaque(value, packer_class);

	if (!p)
		return;
	if (p->encoder)
		BrotliEncoderDestroyInstance(p->encoder);
	if (p->decoder)
		BrotliDecoderDestroyInstance(p->decoder);
	js_free_rt(rt, p);
}

/* Parameters, as a list of numbers and their values; false: one is none that the library takes. */
static bool set_parameters(JSContext *ctx, const packer *p, JSValueConst list)
{
	int64_t length = 0;
	bool ok = true;

	JS_GetLength(ctx, list, &length);
	for (int64_t i = 0; ok && i + 1 < length; i += 2) {
		uint32_t pair[2];
		for (int j = 0; j < 2; j++) {
			JSValue item = JS_GetPropertyInt64(ctx, list, i + j);
			ok &= !JS_ToUint32(ctx, &pair[j], item);
			JS_FreeValue(ctx, item);
		}
		ok = ok && (p->encoder ? BrotliEncoderSetParameter(p->encoder, pair[0], pair[1])
		                       : BrotliDecoderSetParameter(p->decoder, pair[0], pair[1]));
	}
	return ok;
}

/* openBrotli(decodes, parameters) -> a packer, or undefined where there are no such parameters */
static JSValue open_brotli(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JSRuntime *rt = JS_GetRuntime(ctx);
	JSValue object = JS_NewObjectClass(ctx, packer_class);
	packer *p = JS_IsException(object) ? NULL : js_mallocz(ctx, sizeof *p);

	if (!p) {
		JS_FreeValue(ctx, object);
		return JS_EXCEPTION;
	}
	JS_SetOpaque(object, p);
	if (JS_ToBool(ctx, argv[0]))
		p->decoder = BrotliDecoderCreateInstance(allocate, release, rt);
	else
		p->encoder = BrotliEncoderCreateInstance(allocate, release, rt);
	if ((p->encoder || p->decoder) && set_parameters(ctx, p, argv[1]))
		return object;
	JS_FreeValue(ctx, object);
	return JS_HasException(ctx) ? JS_EXCEPTION : JS_UNDEFINED;
}

static void *reallocate(JSRuntime *rt, void *opaque, void *bytes, size_t size)
{
	return js_realloc_rt(rt, bytes, size);
}

/* The library ends the process where it gets no memory: a program's end, which js_malloc_rt has seen to before. */
_Noreturn void curfew_brotli_exit(int code)
{
	host_stop(CURFEW_STOP_MEMORY);
}

/* How many bytes of the piece were made; *failed: the data is damaged. */
static size_t step(packer *p, const uint8_t *input, size_t length, uint8_t *piece, int operation, bool *failed)
{
	size_t left = length - p->taken, room = PIECE_BYTES;
	const uint8_t *from = input + p->taken;

	if (p->encoder) {
		*failed = !BrotliEncoderCompressStream(p->encoder, operation, &left, &from, &room, &piece, NULL);
		p->ended = BrotliEncoderIsFinished(p->encoder);
	} else {
		int result = BrotliDecoderDecompressStream(p->decoder, &left, &from, &room, &piece, NULL);
		*failed = result == BROTLI_DECODER_RESULT_ERROR;
		p->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
	}
	p->taken = length - left;
	return PIECE_BYTES - room;
}

/* Why the data is damaged: [what, number]. */
static JSValue failure(JSContext *ctx, const packer *p)
{
	BrotliDecoderErrorCode code = p->decoder ? BrotliDecoderGetErrorCode(p->decoder) : 0;
	JSValue pair = JS_NewArray(ctx);

	JS_SetPropertyUint32(ctx, pair, 0, JS_NewString(ctx, p->decoder ? BrotliDecoderErrorString(code) : ""));
	JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt32(ctx, code));
	return pair;
}

/*
 * stepBrotli(packer, input, operation) -> as stepPacker (compression.c), where `operation` is Brotli's and 2 is the
 * end; an array where the data is damaged.
 */
static JSValue step_brotli(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	int32_t operation;
	bool failed;
	packer *p = JS_GetOpaque2(ctx, argv[0], packer_class);
	const uint8_t *input = JS_GetUint8Array(ctx, &length, argv[1]);

	if (!p || JS_HasException(ctx) || JS_ToInt32(ctx, &operation, argv[2]))
		return JS_EXCEPTION;
	if (p->ended)
		return JS_TRUE;
	if (p->taken > length)
		p->taken = length; /* the program made the buffer smaller meanwhile */
	uint8_t *piece = js_malloc(ctx, PIECE_BYTES);
	if (!piece)
		return JS_EXCEPTION;
	size_t made = step(p, input, length, piece, operation, &failed);
	if (made && !failed) {
		uint8_t *bytes = js_realloc(ctx, piece, made);
		return JS_NewUint8Array(ctx, bytes ? bytes : piece, made, reallocate, NULL, false);
	}
	js_free(ctx, piece);
	if (failed)
		return failure(ctx, p);
	if (p->ended)
		return JS_TRUE;
	p->taken = 0;
	return operation == BROTLI_OPERATION_FINISH ? JS_NULL : JS_UNDEFINED;
}

void curfew_brotli_add_node(JSValueConst natives)
{
	static const JSCFunctionListEntry functions[] = {
		JS_CFUNC_DEF("openBrotli", 2, open_brotli),
		JS_CFUNC_DEF("stepBrotli", 3, step_brotli),
	};
	JSClassDef definition = {"Brotli", .finalizer = packer_finalize};

	JS_NewClassID(curfew_runtime, &packer_class);
	JS_NewClass(curfew_runtime, packer_class, &definition);
	JS_SetPropertyFunctionList(curfew_context, natives, functions, sizeof functions / sizeof *functions);
}
