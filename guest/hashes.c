/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only node:crypto has: SHA-512/224 and SHA-512/256, BLAKE2 (RFC 7693) and SHAKE, whose output has any length, and
 * ChaCha20 with Poly1305. The functions are created when the first of Node's modules is loaded.
 */
#include <string.h>

#include "guest.h"
#include "mbedtls/chacha20.h"
#include "mbedtls/poly1305.h"
#include "mbedtls/sha3.h"
#include "mbedtls/sha512.h"

/* The numbers are the same in node:crypto. */
enum kind { SHA512_224, SHA512_256, BLAKE2B, BLAKE2S, SHAKE128, SHAKE256, KINDS };

#define SHAKE128_BLOCK 168
#define SHAKE256_BLOCK 136
#define SHAKE_SUFFIX 0x1f
#define BLAKE_BLOCK 128 /* of BLAKE2b; that of BLAKE2s is half as long */
#define CHACHA_KEY 32
#define CHACHA_NONCE 12
#define POLY_BYTES 16

/* ---- BLAKE2: the words of BLAKE2s are kept in the lower half of these --------------------------------------- */

typedef struct blake {
	uint64_t state[8];
	uint64_t count; /* of bytes */
	uint8_t block[BLAKE_BLOCK];
	size_t filled;
} blake;

/* The constants of SHA-512; BLAKE2s has their upper halves. */
static const uint64_t blake_iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t blake_order[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* The words of each step of a round: four columns, then four diagonals. */
static const uint8_t blake_steps[8][4] = {
	{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
	{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14},
};

static uint64_t blake_initial(enum kind kind, int i)
{
	return kind == BLAKE2B ? blake_iv[i] : blake_iv[i] >> 32;
}

static inline uint64_t rotate64(uint64_t word, int by)
{
	return word >> by | word << (64 - by);
}

static inline uint32_t rotate32(uint32_t word, int by)
{
	return word >> by | word << (32 - by);
}

static void compress_2b(blake *b, bool is_last)
{
	uint64_t v[16], m[16];

	memcpy(m, b->block, sizeof m);
	for (int i = 0; i < 8; i++) {
		v[i] = b->state[i];
		v[i + 8] = blake_iv[i];
	}
	v[12] ^= b->count;
	v[14] ^= is_last ? UINT64_MAX : 0;
	for (int round = 0; round < 12; round++)
		for (int i = 0; i < 8; i++) {
			const uint8_t *at = blake_steps[i], *order = &blake_order[round % 10][2 * i];
			uint64_t x = v[at[0]], y = v[at[1]], z = v[at[2]], w = v[at[3]];
			x += y + m[order[0]];
			w = rotate64(w ^ x, 32);
			z += w;
			y = rotate64(y ^ z, 24);
			x += y + m[order[1]];
			w = rotate64(w ^ x, 16);
			z += w;
			y = rotate64(y ^ z, 63);
			v[at[0]] = x, v[at[1]] = y, v[at[2]] = z, v[at[3]] = w;
		}
	for (int i = 0; i < 8; i++)
		b->state[i] ^= v[i] ^ v[i + 8];
}

static void compress_2s(blake *b, bool is_last)
{
	uint32_t v[16], m[16];

	memcpy(m, b->block, sizeof m);
	for (int i = 0; i < 8; i++) {
		v[i] = (uint32_t)b->state[i];
		v[i + 8] = (uint32_t)blake_initial(BLAKE2S, i);
	}
	v[12] ^= (uint32_t)b->count;
	v[13] ^= (uint32_t)(b->count >> 32);
	v[14] ^= is_last ? UINT32_MAX : 0;
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < 8; i++) {
			const uint8_t *at = blake_steps[i], *order = &blake_order[round][2 * i];
			uint32_t x = v[at[0]], y = v[at[1]], z = v[at[2]], w = v[at[3]];
			x += y + m[order[0]];
			w = rotate32(w ^ x, 16);
			z += w;
			y = rotate32(y ^ z, 12);
			x += y + m[order[1]];
			w = rotate32(w ^ x, 8);
			z += w;
			y = rotate32(y ^ z, 7);
			v[at[0]] = x, v[at[1]] = y, v[at[2]] = z, v[at[3]] = w;
		}
	for (int i = 0; i < 8; i++)
		b->state[i] ^= v[i] ^ v[i + 8];
}

static void compress(enum kind kind, blake *b, bool is_last)
{
	if (kind == BLAKE2B)
		compress_2b(b, is_last);
	else
		compress_2s(b, is_last);
}

/* Without a key. The first word has the length of the output, and that there is one tree with one leaf. */
static void start_blake(enum kind kind, blake *b)
{
	memset(b, 0, sizeof *b);
	for (int i = 0; i < 8; i++)
		b->state[i] = blake_initial(kind, i);
	b->state[0] ^= kind == BLAKE2B ? 0x01010040 : 0x01010020;
}

/* A full block is compressed only when another byte follows, because the last one is marked. */
static void update_blake(enum kind kind, blake *b, const uint8_t *bytes, size_t length)
{
	size_t size = kind == BLAKE2B ? BLAKE_BLOCK : BLAKE_BLOCK / 2;

	while (length > 0) {
		if (b->filled == size) {
			b->count += size;
			compress(kind, b, false);
			b->filled = 0;
		}
		size_t part = length < size - b->filled ? length : size - b->filled;
		memcpy(b->block + b->filled, bytes, part);
		b->filled += part;
		bytes += part;
		length -= part;
	}
}

static void finish_blake(enum kind kind, blake *b, uint8_t *out, size_t length)
{
	size_t word = kind == BLAKE2B ? 8 : 4;

	b->count += b->filled;
	memset(b->block + b->filled, 0, sizeof b->block - b->filled);
	compress(kind, b, true);
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)(b->state[i / word] >> 8 * (i % word));
}

/* ---- SHAKE: the sponge of SHA-3 with another suffix, and output for as long as it is wanted ------------------- */

static void start_shake(enum kind kind, mbedtls_sha3_context *sponge)
{
	mbedtls_sha3_init(sponge);
	mbedtls_sha3_starts(sponge, MBEDTLS_SHA3_256);
	sponge->MBEDTLS_PRIVATE(max_block_size) = kind == SHAKE128 ? SHAKE128_BLOCK : SHAKE256_BLOCK;
}

/* Adding the rest of a block permutes the state. Zeros leave it as it is. */
static void finish_shake(mbedtls_sha3_context *sponge, uint8_t *out, size_t length)
{
	static const uint8_t zeros[SHAKE128_BLOCK];
	uint8_t padding[SHAKE128_BLOCK] = {SHAKE_SUFFIX};
	size_t block = sponge->MBEDTLS_PRIVATE(max_block_size), rest = block - sponge->MBEDTLS_PRIVATE(index);

	padding[rest - 1] |= 0x80;
	mbedtls_sha3_update(sponge, padding, rest);
	for (size_t done = 0; done < length;) {
		size_t part = length - done < block ? length - done : block;
		memcpy(out + done, sponge->MBEDTLS_PRIVATE(state), part);
		done += part;
		if (done < length)
			mbedtls_sha3_update(sponge, zeros, block);
	}
}

/* ---- Hashes that receive their bytes in parts --------------------------------------------------------------- */

typedef struct node_hash {
	enum kind kind;
	union {
		mbedtls_sha512_context sha512;
		mbedtls_sha3_context sponge;
		blake blake;
	};
} node_hash;

static JSClassID node_hash_class;

static void finalize_hash(JSRuntime *rt, JSValueConst value)
{
	js_free_rt(rt, JS_GetOpaque(value, node_hash_class));
}

static void start_sha512(enum kind kind, mbedtls_sha512_context *sha512)
{
	static const uint64_t initial[2][8] = {
		{0x8c3d37c819544da2, 0x73e1996689dcd4d6, 0x1dfab7ae32ff9c82, 0x679dd514582f9fcf, 0x0f6d2b697bd44da8,
	     0x77e36f7304c48942, 0x3f9d85a86a1d36c8, 0x1112e6ad91d692a1},
		{0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151, 0x963877195940eabd, 0x96283ee2a88effe3,
	     0xbe5e1e2553863992, 0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2},
	};

	mbedtls_sha512_init(sha512);
	mbedtls_sha512_starts(sha512, 0);
	memcpy(sha512->MBEDTLS_PRIVATE(state), initial[kind == SHA512_256], sizeof initial[0]);
}

static JSValue make_hash(JSContext *ctx, node_hash **made)
{
	JSValue object = JS_NewObjectClass(ctx, node_hash_class);

	*made = JS_IsException(object) ? NULL : js_mallocz(ctx, sizeof **made);
	if (!*made) {
		JS_FreeValue(ctx, object);
		return JS_EXCEPTION;
	}
	JS_SetOpaque(object, *made);
	return object;
}

/* newHash(kind) */
static JSValue new_hash(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t kind;
	node_hash *h;

	if (JS_ToInt32(ctx, &kind, argv[0]))
		return JS_EXCEPTION;
	if (kind < 0 || kind >= KINDS)
		return JS_ThrowTypeError(ctx, "no such hash");
	JSValue object = make_hash(ctx, &h);
	if (JS_IsException(object))
		return object;
	h->kind = kind;
	if (kind <= SHA512_256)
		start_sha512(kind, &h->sha512);
	else if (kind <= BLAKE2S)
		start_blake(kind, &h->blake);
	else
		start_shake(kind, &h->sponge);
	return object;
}

/* updateHash(hash, bytes) */
static JSValue update_hash(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	node_hash *h = JS_GetOpaque2(ctx, argv[0], node_hash_class);
	size_t length;
	const uint8_t *bytes = h ? JS_GetUint8Array(ctx, &length, argv[1]) : NULL;

	if (!bytes)
		return JS_HasException(ctx) ? JS_EXCEPTION : JS_UNDEFINED;
	if (h->kind <= SHA512_256)
		mbedtls_sha512_update(&h->sha512, bytes, length);
	else if (h->kind <= BLAKE2S)
		update_blake(h->kind, &h->blake, bytes, length);
	else
		mbedtls_sha3_update(&h->sponge, bytes, length);
	return JS_UNDEFINED;
}

/* copyHash(hash) */
static JSValue copy_hash(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	node_hash *h = JS_GetOpaque2(ctx, argv[0], node_hash_class), *copy;

	if (!h)
		return JS_EXCEPTION;
	JSValue object = make_hash(ctx, &copy);
	if (!JS_IsException(object))
		*copy = *h;
	return object;
}

static void *reallocate(JSRuntime *rt, void *opaque, void *bytes, size_t size)
{
	return js_realloc_rt(rt, bytes, size);
}

/* finishHash(hash, length) -> that many bytes; other than SHAKE, at most as many as it has. It accepts no more. */
static JSValue finish_hash(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static const uint8_t sizes[] = {28, 32, 64, 32};
	node_hash *h = JS_GetOpaque2(ctx, argv[0], node_hash_class);
	uint8_t whole[64];
	uint32_t length;

	if (!h || JS_ToUint32(ctx, &length, argv[1]))
		return JS_EXCEPTION;
	if (h->kind < SHAKE128 && length > sizes[h->kind])
		length = sizes[h->kind];
	uint8_t *out = js_malloc(ctx, length ? length : 1);
	if (!out)
		return JS_EXCEPTION;
	if (h->kind <= SHA512_256) {
		mbedtls_sha512_finish(&h->sha512, whole);
		memcpy(out, whole, length);
	} else if (h->kind <= BLAKE2S) {
		finish_blake(h->kind, &h->blake, out, length);
	} else {
		finish_shake(&h->sponge, out, length);
	}
	return JS_NewUint8Array(ctx, out, length, reallocate, NULL, false);
}

/* ---- ChaCha20 and Poly1305 ------------------------------------------------------------------------------------ */

/* chacha(key, nonce, counter, bytes) -> the bytes, encrypted or decrypted */
static JSValue chacha(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t key_length, nonce_length, length;
	const uint8_t *key = JS_GetUint8Array(ctx, &key_length, argv[0]);
	const uint8_t *nonce = key ? JS_GetUint8Array(ctx, &nonce_length, argv[1]) : NULL;
	uint32_t counter;

	if (!nonce || JS_ToUint32(ctx, &counter, argv[2]))
		return JS_EXCEPTION;
	const uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[3]);
	if (!bytes && JS_HasException(ctx))
		return JS_EXCEPTION;
	if (key_length != CHACHA_KEY || nonce_length != CHACHA_NONCE)
		return JS_NULL;
	length = bytes ? length : 0;
	uint8_t *out = js_malloc(ctx, length ? length : 1);
	if (!out)
		return JS_EXCEPTION;
	mbedtls_chacha20_crypt(key, nonce, counter, length, bytes, out);
	return JS_NewUint8Array(ctx, out, length, reallocate, NULL, false);
}

/* poly(key, bytes) -> the tag */
static JSValue poly(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t tag[POLY_BYTES];
	size_t key_length, length;
	const uint8_t *key = JS_GetUint8Array(ctx, &key_length, argv[0]);
	const uint8_t *bytes = key ? JS_GetUint8Array(ctx, &length, argv[1]) : NULL;

	if (JS_HasException(ctx))
		return JS_EXCEPTION;
	if (!key || key_length != CHACHA_KEY)
		return JS_NULL;
	mbedtls_poly1305_mac(key, bytes, bytes ? length : 0, tag);
	return JS_NewUint8ArrayCopy(ctx, tag, sizeof tag);
}

void curfew_hashes_add_node(JSValueConst natives)
{
	static const JSCFunctionListEntry functions[] = {
		JS_CFUNC_DEF("newHash", 1, new_hash),   JS_CFUNC_DEF("updateHash", 2, update_hash),
		JS_CFUNC_DEF("copyHash", 1, copy_hash), JS_CFUNC_DEF("finishHash", 2, finish_hash),
		JS_CFUNC_DEF("chacha", 4, chacha),      JS_CFUNC_DEF("poly", 2, poly),
	};
	JSClassDef definition = {"Hasher", .finalizer = finalize_hash};

	JS_NewClassID(curfew_runtime, &node_hash_class);
	JS_NewClass(curfew_runtime, node_hash_class, &definition);
	JS_SetPropertyFunctionList(curfew_context, natives, functions, sizeof functions / sizeof *functions);
}
