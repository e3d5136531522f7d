/* SPDX-License-Identifier: Apache-2.0 */
/* Brotli for bodies of HTTP and for node:zlib, by Google's library: a packer like those of compression.c. */
#include <string.h>

#include "brotli/decode.h"
#include "brotli/encode.h"
#include "packer.h"

typedef struct brotli_packer {
	curfew_packer base;
	BrotliEncoderState *encoder; /* exactly one of the two is set */
	BrotliDecoderState *decoder;
} brotli_packer;

static void *allocate(void *rt, size_t size)
{
	return js_malloc_rt(rt, size);
}

static void release(void *rt, void *bytes)
{
	js_free_rt(rt, bytes);
}

/*
 * The library exits the process when it gets no memory. Here that ends the program, but js_malloc_rt has usually
 * stopped it before.
 */
_Noreturn void curfew_brotli_exit(int code)
{
	host_stop(CURFEW_STOP_MEMORY);
}

static void close_brotli(curfew_packer *packer)
{
	brotli_packer *p = (brotli_packer *)packer;

	if (p->encoder)
		BrotliEncoderDestroyInstance(p->encoder);
	if (p->decoder)
		BrotliDecoderDestroyInstance(p->decoder);
}

static size_t step_brotli(curfew_packer *packer, const uint8_t *input, size_t length, uint8_t *piece, int operation,
                          bool *failed)
{
	brotli_packer *p = (brotli_packer *)packer;
	size_t left = length - packer->taken, room = CURFEW_PIECE_BYTES;
	const uint8_t *from = input + packer->taken;

	if (p->encoder) {
		*failed = !BrotliEncoderCompressStream(p->encoder, operation, &left, &from, &room, &piece, NULL);
		packer->ended = BrotliEncoderIsFinished(p->encoder);
	} else {
		int result = BrotliDecoderDecompressStream(p->decoder, &left, &from, &room, &piece, NULL);
		*failed = result == BROTLI_DECODER_RESULT_ERROR;
		packer->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
	}
	packer->taken = length - left;
	return CURFEW_PIECE_BYTES - room;
}

/* [code, number]. */
static JSValue brotli_failure(JSContext *ctx, const curfew_packer *packer)
{
	const brotli_packer *p = (const brotli_packer *)packer;
	BrotliDecoderErrorCode code = p->decoder ? BrotliDecoderGetErrorCode(p->decoder) : 0;
	JSValue pair = JS_NewArray(ctx);

	JS_SetPropertyUint32(ctx, pair, 0, JS_NewString(ctx, p->decoder ? BrotliDecoderErrorString(code) : ""));
	JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt32(ctx, code));
	return pair;
}

static const curfew_packer_kind brotli_kind = {step_brotli, brotli_failure, close_brotli, NULL,
                                               BROTLI_OPERATION_FINISH};

/* The parameters are a list of numbers and their values. False: the library does not accept one of them. */
static bool set_parameters(JSContext *ctx, const brotli_packer *p, JSValueConst list)
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

/* openBrotli(decodes, parameters) -> a packer; undefined: a parameter is invalid */
static JSValue open_brotli(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	JSRuntime *rt = JS_GetRuntime(ctx);
	curfew_packer *packer;
	JSValue object = curfew_packer_create(ctx, &brotli_kind, sizeof(brotli_packer), &packer);

	if (JS_IsException(object))
		return object;
	brotli_packer *p = (brotli_packer *)packer;
	if (JS_ToBool(ctx, argv[0]))
		p->decoder = BrotliDecoderCreateInstance(allocate, release, rt);
	else
		p->encoder = BrotliEncoderCreateInstance(allocate, release, rt);
	if ((p->encoder || p->decoder) && set_parameters(ctx, p, argv[1]))
		return object;
	JS_FreeValue(ctx, object);
	return JS_HasException(ctx) ? JS_EXCEPTION : JS_UNDEFINED;
}

void curfew_brotli_init(JSValueConst native)
{
	JS_SetPropertyStr(curfew_context, native, "openBrotli",
	                  JS_NewCFunction(curfew_context, open_brotli, "openBrotli", 2));
}
