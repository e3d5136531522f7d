/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate and inflate with zlib, and the steps that all packers share. Each step returns one piece of output, so
 * nothing is held that the program has not taken. A decompression bomb therefore grows only the program's own memory,
 * and exceeds its limits.
 */
#include <string.h>

#include "packer.h"
#include "zlib.h"

/* ---- What all packers share ------------------------------------------------------------------------------- */

static JSClassID packer_class;

static void packer_finalize(JSRuntime *rt, JSValueConst value)
{
	curfew_packer *p = JS_GetOpaque(value, packer_class);

	if (!p)
		return;
	p->kind->close(p);
	js_free_rt(rt, p);
}

JSValue curfew_packer_create(JSContext *ctx, const curfew_packer_kind *kind, size_t size, curfew_packer **packer)
{
	JSValue object = JS_NewObjectClass(ctx, packer_class);
	curfew_packer *p = JS_IsException(object) ? NULL : js_mallocz(ctx, size);

	if (!p) {
		JS_FreeValue(ctx, object);
		return JS_EXCEPTION;
	}
	p->kind = kind;
	JS_SetOpaque(object, p);
	*packer = p;
	return object;
}

static void *reallocate(JSRuntime *rt, void *opaque, void *bytes, size_t size)
{
	return js_realloc_rt(rt, bytes, size);
}

/*
 * stepPacker(packer, input, flush) -> the next piece of output. undefined: all input is used, and the next call passes
 * new input. A string or an array: why the data is invalid. true: the end of the data was reached, with input left
 * over, or without any if `flush` is the final one. null: the end was not reached, and no input follows.
 */
static JSValue step_packer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	int32_t flush;
	bool failed = false;
	curfew_packer *p = JS_GetOpaque2(ctx, argv[0], packer_class);
	const uint8_t *input = JS_GetUint8Array(ctx, &length, argv[1]);

	if (!p || JS_HasException(ctx) || JS_ToInt32(ctx, &flush, argv[2]))
		return JS_EXCEPTION;
	if (p->ended && p->taken < length && p->kind->resume && p->kind->resume(p, input[p->taken]))
		p->ended = false;
	if (p->ended && (flush == p->kind->finish || p->taken < length)) {
		return JS_TRUE;
	} else if (p->ended) {
		p->taken = 0;
		return JS_UNDEFINED;
	}
	if (p->taken > length)
		p->taken = length; /* the program has shrunk the buffer since the last step */
	uint8_t *piece = js_malloc(ctx, CURFEW_PIECE_BYTES);
	if (!piece)
		return JS_EXCEPTION;
	size_t made = p->kind->step(p, input, length, piece, flush, &failed);
	if (made && !failed) {
		uint8_t *bytes = js_realloc(ctx, piece, made);
		return JS_NewUint8Array(ctx, bytes ? bytes : piece, made, reallocate, NULL, false);
	}
	js_free(ctx, piece);
	if (failed)
		return p->kind->failure(ctx, p);
	if (p->ended)
		return step_packer(ctx, this_value, argc, argv);
	p->taken = 0;
	return flush == p->kind->finish ? JS_NULL : JS_UNDEFINED;
}

/* ---- zlib ------------------------------------------------------------------------------------------------- */

typedef struct zlib_packer {
	curfew_packer base;
	z_stream z;
	bool inflates;
	bool several; /* members of gzip data may follow one another */
	int result;   /* of the last step */
	uint8_t *dictionary;
	size_t dictionary_length;
} zlib_packer;

static void *allocate(void *rt, unsigned items, unsigned size)
{
	return js_malloc_rt(rt, (size_t)items * size);
}

static void release(void *rt, void *bytes)
{
	js_free_rt(rt, bytes);
}

static void close_zlib(curfew_packer *packer)
{
	zlib_packer *p = (zlib_packer *)packer;

	(p->inflates ? inflateEnd : deflateEnd)(&p->z);
	release(p->z.opaque, p->dictionary);
}

/* A byte of 0 behind a member is padding, which ends the data. */
static bool resume_zlib(curfew_packer *packer, uint8_t next)
{
	zlib_packer *p = (zlib_packer *)packer;

	p->several = p->several && next != 0;
	return p->several && inflateReset(&p->z) == Z_OK;
}

/* An inflater with a header asks for its dictionary by itself. */
static int inflate_some(zlib_packer *p)
{
	int result = inflate(&p->z, Z_NO_FLUSH);

	if (result != Z_NEED_DICT || !p->dictionary)
		return result;
	result = inflateSetDictionary(&p->z, p->dictionary, (uInt)p->dictionary_length);
	if (result == Z_OK)
		return inflate(&p->z, Z_NO_FLUSH);
	p->z.msg = "Bad dictionary";
	return Z_DATA_ERROR;
}

/* Each step is one call of zlib. It ends when the piece is full, the input is used, or the stream has ended. */
static size_t step_zlib(curfew_packer *packer, const uint8_t *input, size_t length, uint8_t *piece, int flush,
                        bool *failed)
{
	zlib_packer *p = (zlib_packer *)packer;

	p->z.next_in = (Bytef *)(uintptr_t)input + packer->taken;
	p->z.avail_in = (uInt)(length - packer->taken);
	p->z.next_out = piece;
	p->z.avail_out = CURFEW_PIECE_BYTES;
	p->result = p->inflates ? inflate_some(p) : deflate(&p->z, flush);
	packer->taken = length - p->z.avail_in;
	packer->ended = p->result == Z_STREAM_END;
	*failed = p->result != Z_OK && p->result != Z_STREAM_END && p->result != Z_BUF_ERROR;
	return CURFEW_PIECE_BYTES - p->z.avail_out;
}

/* zlib's message. */
static JSValue zlib_failure(JSContext *ctx, const curfew_packer *packer)
{
	const zlib_packer *p = (const zlib_packer *)packer;

	if (p->result == Z_NEED_DICT)
		return JS_NewString(ctx, "Missing dictionary");
	return JS_NewString(ctx, p->z.msg ? p->z.msg : "data error");
}

static const curfew_packer_kind zlib_kind = {step_zlib, zlib_failure, close_zlib, resume_zlib, Z_FINISH};

static int set_up(zlib_packer *p, const int32_t *options, const uint8_t *dictionary, size_t length)
{
	int result = p->inflates ? inflateInit2(&p->z, options[1])
	                         : deflateInit2(&p->z, options[2], Z_DEFLATED, options[1], options[3], options[4]);

	p->several = p->inflates && options[2] > 0;
	if (result != Z_OK || !dictionary)
		return result;
	if (p->inflates && options[1] > 0) {
		p->dictionary = allocate(p->z.opaque, 1, (unsigned)length + 1);
		if (!p->dictionary)
			return Z_MEM_ERROR;
		memcpy(p->dictionary, dictionary, length);
		p->dictionary_length = length;
		return Z_OK;
	}
	return p->inflates ? inflateSetDictionary(&p->z, dictionary, (uInt)length)
	                   : deflateSetDictionary(&p->z, dictionary, (uInt)length);
}

/*
 * openPacker(inflates, windowBits, level, memLevel, strategy, dictionary or undefined) -> a packer; undefined: zlib
 * does not accept these options. windowBits is zlib's: below 0 raw, above 15 gzip. To inflate, a level above 0 means
 * that several members of gzip data may follow one another.
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
	curfew_packer *packer;
	JSValue object = curfew_packer_create(ctx, &zlib_kind, sizeof(zlib_packer), &packer);
	if (JS_IsException(object))
		return object;
	zlib_packer *p = (zlib_packer *)packer;
	p->inflates = options[0];
	p->z.zalloc = allocate;
	p->z.zfree = release;
	p->z.opaque = JS_GetRuntime(ctx);
	if (set_up(p, options, dictionary, length) == Z_OK)
		return object;
	JS_FreeValue(ctx, object);
	return JS_UNDEFINED;
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
