/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate and inflate with zlib, a step at a time: each gives one piece of what comes out, so that nothing is held that
 * the program has not taken. A bomb grows what the program holds, and meets its limits.
 */
#include <string.h>

#include "guest.h"
#include "zlib.h"

#define PIECE_BYTES 65536

typedef struct packer {
	z_stream z;
	bool inflates;
	bool ended;   /* the compressed data has come to its end */
	size_t taken; /* of the input that is given again for each step */
} packer;

static JSClassID packer_class;

static void *allocate(void *rt, unsigned items, unsigned size)
{
	return js_malloc_rt(rt, (size_t)items * size);
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
	(p->inflates ? inflateEnd : deflateEnd)(&p->z);
	js_free_rt(rt, p);
}

static int set_up(packer *p, const int32_t *options, const uint8_t *dictionary, size_t length)
{
	int result = p->inflates ? inflateInit2(&p->z, options[1])
	                         : deflateInit2(&p->z, options[2], Z_DEFLATED, options[1], options[3], options[4]);

	/* What is to be inflated asks for its dictionary where it has a header that names it. */
	if (result != Z_OK || !dictionary || (p->inflates && options[1] > 0))
		return result;
	return p->inflates ? inflateSetDictionary(&p->z, dictionary, (uInt)length)
	                   : deflateSetDictionary(&p->z, dictionary, (uInt)length);
}

/*
 * openPacker(inflates, windowBits, level, memLevel, strategy, dictionary or undefined) -> a packer, or undefined where
 * zlib takes no such options. windowBits is zlib's: below 0 raw, above 15 gzip.
 */
static JSValue open_packer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t options[5];
	size_t length = 0;
	const uint8_t *dictionary = NULL;

	for (int i = 0; i < 5; i++)
		if (JS_ToInt32(ctx, &options[i], argv[i]))
			return JS_EXCEPTION;
	if (!JS_IsUndefined(argv[5]) && !(dictionary = JS_GetUint8Array(ctx, &length, argv[5])))
		return JS_EXCEPTION;
	JSValue object = JS_NewObjectClass(ctx, packer_class);
	packer *p = JS_IsException(object) ? NULL : js_mallocz(ctx, sizeof *p);
	if (!p) {
		JS_FreeValue(ctx, object);
		return JS_EXCEPTION;
	}
	p->inflates = options[0];
	p->z.zalloc = allocate;
	p->z.zfree = release;
	p->z.opaque = JS_GetRuntime(ctx);
	if (set_up(p, options, dictionary, length) == Z_OK) {
		JS_SetOpaque(object, p);
		return object;
	}
	(p->inflates ? inflateEnd : deflateEnd)(&p->z);
	js_free(ctx, p);
	JS_FreeValue(ctx, object);
	return JS_UNDEFINED;
}

static void *reallocate(JSRuntime *rt, void *opaque, void *bytes, size_t size)
{
	return js_realloc_rt(rt, bytes, size);
}

/* One call of zlib's for each step; it stops where the piece is full, the input used, or the stream at its end. */
static int step(packer *p, const uint8_t *input, size_t length, uint8_t *piece, int flush)
{
	if (p->taken > length)
		p->taken = length; /* the program made the buffer smaller meanwhile */
	p->z.next_in = (Bytef *)(uintptr_t)input + p->taken;
	p->z.avail_in = (uInt)(length - p->taken);
	p->z.next_out = piece;
	p->z.avail_out = PIECE_BYTES;
	int result = p->inflates ? inflate(&p->z, Z_NO_FLUSH) : deflate(&p->z, flush);
	p->taken = length - p->z.avail_in;
	p->ended = result == Z_STREAM_END;
	return result;
}

/*
 * stepPacker(packer, input, flush) -> the next piece; undefined: all of the input is used, and the next call begins
 * with another one; false: the data is damaged or needs a dictionary; true: it has come to its end, with input left
 * over or (with Z_FINISH) without. null: it has not come to its end, with Z_FINISH.
 */
static JSValue step_packer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	int32_t flush;
	packer *p = JS_GetOpaque2(ctx, argv[0], packer_class);
	const uint8_t *input = JS_GetUint8Array(ctx, &length, argv[1]);

	if (!p || JS_HasException(ctx) || JS_ToInt32(ctx, &flush, argv[2]))
		return JS_EXCEPTION;
	if (p->ended && (flush == Z_FINISH || p->taken < length)) {
		return JS_TRUE;
	} else if (p->ended) {
		p->taken = 0;
		return JS_UNDEFINED;
	}
	uint8_t *piece = js_malloc(ctx, PIECE_BYTES);
	if (!piece)
		return JS_EXCEPTION;
	int result = step(p, input, length, piece, flush);
	size_t made = PIECE_BYTES - p->z.avail_out;
	if (made && (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)) {
		uint8_t *bytes = js_realloc(ctx, piece, made);
		return JS_NewUint8Array(ctx, bytes ? bytes : piece, made, reallocate, NULL, false);
	}
	js_free(ctx, piece);
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return JS_FALSE;
	if (p->ended)
		return step_packer(ctx, this_value, argc, argv);
	p->taken = 0;
	return flush == Z_FINISH ? JS_NULL : JS_UNDEFINED;
}

void curfew_compression_init(JSValueConst native)
{
	static const JSCFunctionListEntry functions[] = {
		JS_CFUNC_DEF("openPacker", 6, open_packer),
		JS_CFUNC_DEF("stepPacker", 3, step_packer),
	};
	JSClassDef definition = {"Packer", .finalizer = packer_finalize};

	JS_NewClassID(curfew_runtime, &packer_class);
	JS_NewClass(curfew_runtime, packer_class, &definition);
	JS_SetPropertyFunctionList(curfew_context, native, functions, sizeof functions / sizeof *functions);
}
