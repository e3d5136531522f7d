/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The algorithms of Web Crypto, by Mbed TLS and (Ed25519, X25519) libsodium. AES's CTR and GCM are in aes.c. The
 * prelude checks the keys and what the standard requires of them; these functions handle only bytes. If something is
 * invalid (a signature, a key), they return null, and the prelude throws the right error. No key material is kept after
 * a call.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto_scrypt.h"
#include "aes.h"
#include "guest.h"
#include "mbedtls/aes.h"
#include "mbedtls/constant_time.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/hkdf.h"
#include "mbedtls/md.h"
#include "mbedtls/pkcs5.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/rsa.h"
#include "sodium/crypto_scalarmult_curve25519.h"
#include "sodium/crypto_sign_ed25519.h"

#define BLOCK_BYTES CURFEW_AES_BLOCK
#define GCM_IV_BYTES 12 /* the common length, whose IVs are used as they are */
#define GCM_PIECE_BYTES 4096
#define HALF_BYTES 8 /* the unit that AES-KW wraps */
#define KW_CHECK 0xa6
#define SEED_BYTES 32
#define RSA_PARTS 8

typedef struct view {
	const uint8_t *bytes;
	size_t length;
} view;

/* Mbed TLS requires this function. The compiler may remove the store if nobody reads the bytes again. */
void mbedtls_platform_zeroize(void *bytes, size_t length)
{
	memset(bytes, 0, length);
}

/* ---- Random numbers --------------------------------------------------------------------------------------- */

/* The host seeds it at its first use in the run, so that two runs of one image draw different numbers. */
static mbedtls_ctr_drbg_context generator;
static bool seeded;

static int draw_seed(void *context, unsigned char *bytes, size_t length)
{
	host_random(bytes, (uint32_t)length);
	return 0;
}

static int draw(void *context, unsigned char *bytes, size_t length)
{
	if (!seeded) {
		mbedtls_ctr_drbg_init(&generator);
		mbedtls_ctr_drbg_set_reseed_interval(&generator, 1 << 20);
		int failed = mbedtls_ctr_drbg_seed(&generator, draw_seed, NULL, NULL, 0);
		if (failed)
			return failed;
		seeded = true;
	}
	for (size_t done = 0; done < length;) {
		size_t part = length - done < MBEDTLS_CTR_DRBG_MAX_REQUEST ? length - done : MBEDTLS_CTR_DRBG_MAX_REQUEST;
		int failed = mbedtls_ctr_drbg_random(&generator, bytes + done, part);
		if (failed)
			return failed;
		done += part;
	}
	return 0;
}

/* Functions that libsodium's sources need from the rest of it. */
void randombytes_buf(void *const bytes, const size_t length)
{
	draw(NULL, bytes, length);
}

void sodium_memzero(void *const bytes, const size_t length)
{
	mbedtls_platform_zeroize(bytes, length);
}

int sodium_memcmp(const void *const a, const void *const b, size_t length)
{
	return mbedtls_ct_memcmp(a, b, length) ? -1 : 0;
}

int sodium_is_zero(const unsigned char *bytes, const size_t length)
{
	unsigned char any = 0;

	for (size_t i = 0; i < length; i++)
		any |= bytes[i];
	return any == 0;
}

/* ---- Arguments and results -------------------------------------------------------------------------------- */

static bool read_view(JSContext *ctx, JSValueConst value, view *v)
{
	v->bytes = JS_GetUint8Array(ctx, &v->length, value);
	if (!v->bytes) {
		if (JS_HasException(ctx))
			return false;
		v->bytes = (const uint8_t *)"";
		v->length = 0;
	}
	return true;
}

static bool read_views(JSContext *ctx, JSValueConst *argv, view *views, int count)
{
	for (int i = 0; i < count; i++)
		if (!read_view(ctx, argv[i], &views[i]))
			return false;
	return true;
}

static JSValue bytes_value(JSContext *ctx, const void *bytes, size_t length)
{
	return JS_NewUint8ArrayCopy(ctx, bytes, length);
}

static void *reallocate(JSRuntime *rt, void *opaque, void *bytes, size_t size)
{
	return js_realloc_rt(rt, bytes, size);
}

/* Takes ownership of bytes from js_malloc. If the work failed, the result is null. */
static JSValue own_value(JSContext *ctx, uint8_t *bytes, size_t length, bool good)
{
	if (!good) {
		js_free(ctx, bytes);
		return JS_NULL;
	}
	return JS_NewUint8Array(ctx, bytes, length, reallocate, NULL, false);
}

/* The result of a function that may have asked the host for random numbers, which may have stopped the run. */
static JSValue after_random(JSContext *ctx, JSValue value)
{
	if (!curfew_stop_asked())
		return value;
	JS_FreeValue(ctx, value);
	return curfew_engine_stop(CURFEW_STOP_POLL);
}

/* ---- Hashes ----------------------------------------------------------------------------------------------- */

/* In the order of the prelude. */
static const mbedtls_md_type_t hashes[] = {
	MBEDTLS_MD_SHA1,     MBEDTLS_MD_SHA256,   MBEDTLS_MD_SHA384,    MBEDTLS_MD_SHA512,
	MBEDTLS_MD_MD5,      MBEDTLS_MD_SHA224,   MBEDTLS_MD_RIPEMD160, MBEDTLS_MD_SHA3_224,
	MBEDTLS_MD_SHA3_256, MBEDTLS_MD_SHA3_384, MBEDTLS_MD_SHA3_512,
};

static const mbedtls_md_info_t *read_hash(JSContext *ctx, JSValueConst value)
{
	int32_t number;

	if (JS_ToInt32(ctx, &number, value))
		return NULL;
	if (number >= 0 && (size_t)number < sizeof hashes / sizeof *hashes)
		return mbedtls_md_info_from_type(hashes[number]);
	JS_ThrowTypeError(ctx, "no such hash");
	return NULL;
}

/* digest(hash, bytes) */
static JSValue digest(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t result[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[0]);
	view data;

	if (!hash || !read_view(ctx, argv[1], &data))
		return JS_EXCEPTION;
	if (mbedtls_md(hash, data.bytes, data.length, result))
		return JS_NULL;
	return bytes_value(ctx, result, mbedtls_md_get_size(hash));
}

/* hmac(hash, key, bytes) */
static JSValue hmac(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t result[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[0]);
	view views[2];

	if (!hash || !read_views(ctx, argv + 1, views, 2))
		return JS_EXCEPTION;
	if (mbedtls_md_hmac(hash, views[0].bytes, views[0].length, views[1].bytes, views[1].length, result))
		return JS_NULL;
	return bytes_value(ctx, result, mbedtls_md_get_size(hash));
}

/* Hashes that receive their bytes in parts. */
typedef struct hasher {
	mbedtls_md_context_t md;
	bool keyed;
} hasher;

static JSClassID hasher_class;

static void hasher_finalize(JSRuntime *rt, JSValueConst value)
{
	hasher *h = JS_GetOpaque(value, hasher_class);

	if (h)
		mbedtls_md_free(&h->md);
	js_free_rt(rt, h);
}

static JSValue make_hasher(JSContext *ctx, const mbedtls_md_info_t *hash, bool keyed, hasher **made)
{
	JSValue object = JS_NewObjectClass(ctx, hasher_class);
	hasher *h = *made = JS_IsException(object) ? NULL : js_mallocz(ctx, sizeof *h);

	if (!h) {
		JS_FreeValue(ctx, object);
		return JS_EXCEPTION;
	}
	JS_SetOpaque(object, h);
	h->keyed = keyed;
	mbedtls_md_init(&h->md);
	return mbedtls_md_setup(&h->md, hash, keyed) ? JS_NULL : object;
}

/* newHasher(hash, key or undefined) -> a hasher; with a key it computes an HMAC. */
static JSValue new_hasher(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[0]);
	bool keyed = !JS_IsUndefined(argv[1]);
	view key;
	hasher *h;

	if (!hash || (keyed && !read_view(ctx, argv[1], &key)))
		return JS_EXCEPTION;
	JSValue object = make_hasher(ctx, hash, keyed, &h);
	if (JS_IsObject(object)) {
		if (keyed)
			mbedtls_md_hmac_starts(&h->md, key.bytes, key.length);
		else
			mbedtls_md_starts(&h->md);
	}
	return object;
}

/* updateHasher(hasher, bytes) */
static JSValue update_hasher(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	hasher *h = JS_GetOpaque2(ctx, argv[0], hasher_class);
	view data;

	if (!h || !read_view(ctx, argv[1], &data))
		return JS_EXCEPTION;
	if (h->keyed)
		mbedtls_md_hmac_update(&h->md, data.bytes, data.length);
	else
		mbedtls_md_update(&h->md, data.bytes, data.length);
	return JS_UNDEFINED;
}

/* finishHasher(hasher) -> its hash. The hasher accepts no more bytes. */
static JSValue finish_hasher(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t result[MBEDTLS_MD_MAX_SIZE];
	hasher *h = JS_GetOpaque2(ctx, argv[0], hasher_class);

	if (!h)
		return JS_EXCEPTION;
	if (h->keyed ? mbedtls_md_hmac_finish(&h->md, result) : mbedtls_md_finish(&h->md, result))
		return JS_NULL;
	return bytes_value(ctx, result, mbedtls_md_get_size(mbedtls_md_info_from_ctx(&h->md)));
}

/* copyHasher(hasher) -> another hasher in the same state. null: an HMAC cannot be copied. */
static JSValue copy_hasher(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	hasher *h = JS_GetOpaque2(ctx, argv[0], hasher_class), *copy;

	if (!h)
		return JS_EXCEPTION;
	if (h->keyed)
		return JS_NULL;
	JSValue object = make_hasher(ctx, mbedtls_md_info_from_ctx(&h->md), false, &copy);
	if (JS_IsObject(object))
		mbedtls_md_clone(&copy->md, &h->md);
	return object;
}

/* ---- Key derivation --------------------------------------------------------------------------------------- */

/* hkdf(hash, key, salt, info, length) */
static JSValue hkdf(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[0]);
	view key, salt, info;
	uint32_t length;

	if (!hash || !read_view(ctx, argv[1], &key) || !read_view(ctx, argv[2], &salt) || !read_view(ctx, argv[3], &info) ||
	    JS_ToUint32(ctx, &length, argv[4]))
		return JS_EXCEPTION;
	uint8_t *out = js_malloc(ctx, length ? length : 1);
	if (!out)
		return JS_EXCEPTION;
	int failed = length && mbedtls_hkdf(hash, salt.bytes, salt.length, key.bytes, key.length, info.bytes, info.length,
	                                    out, length);
	return own_value(ctx, out, length, !failed);
}

/* pbkdf2(hash, password, salt, rounds, length) */
static JSValue pbkdf2(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[0]);
	view password, salt;
	uint32_t rounds, length;

	if (!hash || !read_view(ctx, argv[1], &password) || !read_view(ctx, argv[2], &salt) ||
	    JS_ToUint32(ctx, &rounds, argv[3]) || JS_ToUint32(ctx, &length, argv[4]))
		return JS_EXCEPTION;
	uint8_t *out = js_malloc(ctx, length ? length : 1);
	if (!out)
		return JS_EXCEPTION;
	int failed = length && mbedtls_pkcs5_pbkdf2_hmac_ext(mbedtls_md_get_type(hash), password.bytes, password.length,
	                                                     salt.bytes, salt.length, rounds, length, out);
	return own_value(ctx, out, length, !failed);
}

/* libsodium's scrypt needs these from the rest of it. If memory is refused, the run ends. */
void escrypt_PBKDF2_SHA256(const uint8_t *password, size_t password_length, const uint8_t *salt, size_t salt_length,
                           uint64_t rounds, uint8_t *out, size_t length)
{
	mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, password, password_length, salt, salt_length, (unsigned)rounds,
	                              (uint32_t)length, out);
}

void *escrypt_alloc_region(escrypt_region_t *region, size_t size)
{
	region->size = size;
	return region->base = region->aligned = js_malloc(curfew_context, size);
}

int escrypt_free_region(escrypt_region_t *region)
{
	js_free(curfew_context, region->base);
	*region = (escrypt_region_t){0};
	return 0;
}

/* scrypt(password, salt, cost, block size, parallelization, length) -> bytes. null: the parameters are invalid. */
static JSValue scrypt(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	view password, salt;
	uint32_t cost, block, parallel, length;
	escrypt_local_t memory = {0};

	if (!read_view(ctx, argv[0], &password) || !read_view(ctx, argv[1], &salt) || JS_ToUint32(ctx, &cost, argv[2]) ||
	    JS_ToUint32(ctx, &block, argv[3]) || JS_ToUint32(ctx, &parallel, argv[4]) || JS_ToUint32(ctx, &length, argv[5]))
		return JS_EXCEPTION;
	uint8_t *out = js_malloc(ctx, length ? length : 1);
	if (!out)
		return JS_EXCEPTION;
	int failed = escrypt_kdf_nosse(&memory, password.bytes, password.length, salt.bytes, salt.length, cost, block,
	                               parallel, out, length);
	escrypt_free_region(&memory);
	return own_value(ctx, out, length, !failed);
}

void curfew_crypto_add_node(JSValueConst natives)
{
	JS_SetPropertyStr(curfew_context, natives, "scrypt", JS_NewCFunction(curfew_context, scrypt, "scrypt", 6));
	curfew_hashes_add_node(natives);
}

/* ---- AES -------------------------------------------------------------------------------------------------- */

typedef struct aes_job {
	bool encrypts;
	view key, iv, data, extra;
	int32_t number;
	uint8_t *out;
	size_t out_length;
} aes_job;

/* The numbers are the same in the prelude. */
enum aes_mode { AES_CBC, AES_CTR, AES_GCM, AES_KW, AES_ECB, AES_OFB, AES_CFB, AES_CFB8 };

static int set_aes_key(mbedtls_aes_context *aes, const aes_job *job, bool encrypts)
{
	mbedtls_aes_init(aes);
	return encrypts ? mbedtls_aes_setkey_enc(aes, job->key.bytes, (unsigned)job->key.length * 8)
	                : mbedtls_aes_setkey_dec(aes, job->key.bytes, (unsigned)job->key.length * 8);
}

/* CBC with the padding of PKCS#7, unless `number` is 1. */
static int run_cbc(aes_job *job)
{
	mbedtls_aes_context aes;
	uint8_t iv[BLOCK_BYTES], last[BLOCK_BYTES];
	size_t whole = job->data.length / BLOCK_BYTES * BLOCK_BYTES, rest = job->data.length - whole;
	bool padded = job->number != 1;

	if ((rest || (padded && !whole)) && (!job->encrypts || !padded))
		return -1;
	memcpy(iv, job->iv.bytes, BLOCK_BYTES);
	int failed = set_aes_key(&aes, job, job->encrypts);
	if (!failed)
		failed = mbedtls_aes_crypt_cbc(&aes, job->encrypts ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT, whole, iv,
		                               job->data.bytes, job->out);
	job->out_length = whole;
	if (!failed && padded && job->encrypts) {
		memset(last, (int)(BLOCK_BYTES - rest), BLOCK_BYTES);
		memcpy(last, job->data.bytes + whole, rest);
		failed = mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_ENCRYPT, BLOCK_BYTES, iv, last, job->out + whole);
		job->out_length += BLOCK_BYTES;
	} else if (!failed && padded) {
		uint8_t padding = job->out[whole - 1];
		failed = padding < 1 || padding > BLOCK_BYTES;
		for (size_t i = 1; !failed && i <= padding; i++)
			failed = job->out[whole - i] != padding;
		job->out_length -= failed ? 0 : padding;
	}
	mbedtls_aes_free(&aes);
	return failed;
}

/* How many blocks there are before a counter of that many bits wraps to 0. 0 means 2^64 or more. */
static uint64_t blocks_to_wrap(const uint8_t *counter, int bits)
{
	uint64_t low = 0;

	if (bits > 63) {
		/* The counter wraps only if all of its upper bits are set. */
		for (int bit = 63; bit < bits; bit++)
			if (!(counter[15 - bit / 8] >> bit % 8 & 1))
				return 0;
	}
	for (int i = 8; i < BLOCK_BYTES; i++)
		low = low << 8 | counter[i];
	uint64_t mask = bits > 63 ? (uint64_t)INT64_MAX : ((uint64_t)1 << bits) - 1;
	return mask - (low & mask) + 1;
}

static void clear_bits(uint8_t *counter, int bits)
{
	for (int i = BLOCK_BYTES - 1; bits > 0; i--, bits -= 8)
		counter[i] = bits >= 8 ? 0 : (uint8_t)(counter[i] & (0xff << bits));
}

/*
 * Prepares keys for CTR and GCM, and encrypts a block of zeros, which is the key of GCM's hash. Returns 0, or nonzero
 * if the key is invalid.
 */
static int set_stream_key(curfew_aes_keys *keys, const aes_job *job, uint8_t hash_key[BLOCK_BYTES])
{
	mbedtls_aes_context aes;
	int failed = set_aes_key(&aes, job, true);

	memset(hash_key, 0, BLOCK_BYTES);
	if (!failed) {
		curfew_aes_prepare(keys, &aes);
		failed = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, hash_key, hash_key);
	}
	mbedtls_aes_free(&aes);
	return failed;
}

/* Only the lowest `bits` of the counter block count. It becomes the counter of the block after the last one. */
static void run_counter(const curfew_aes_keys *keys, uint8_t counter[BLOCK_BYTES], int bits, const uint8_t *in,
                        uint8_t *out, size_t length)
{
	uint64_t blocks = (uint64_t)length / BLOCK_BYTES + (length % BLOCK_BYTES != 0);
	uint64_t wrap = blocks_to_wrap(counter, bits);
	size_t first = wrap && wrap < blocks ? (size_t)wrap * BLOCK_BYTES : length;
	uint8_t again[BLOCK_BYTES];

	memcpy(again, counter, BLOCK_BYTES);
	clear_bits(again, bits);
	curfew_aes_ctr(keys, counter, in, out, first);
	if (wrap && wrap <= blocks)
		memcpy(counter, again, BLOCK_BYTES);
	curfew_aes_ctr(keys, counter, in + first, out + first, length - first);
}

static int run_ctr(aes_job *job)
{
	curfew_aes_keys keys;
	uint8_t counter[BLOCK_BYTES], unused[BLOCK_BYTES];
	uint64_t blocks = (uint64_t)job->data.length / BLOCK_BYTES + (job->data.length % BLOCK_BYTES != 0);

	/* No counter value may be used twice. */
	if (job->number < 64 && blocks > (uint64_t)1 << job->number)
		return -1;
	if (set_stream_key(&keys, job, unused))
		return -1;
	memcpy(counter, job->iv.bytes, BLOCK_BYTES);
	run_counter(&keys, counter, job->number, job->data.bytes, job->out, job->data.length);
	job->out_length = job->data.length;
	return 0;
}

static void add_lengths(curfew_ghash *hash, size_t first, size_t second)
{
	uint64_t bits[2] = {__builtin_bswap64((uint64_t)first * 8), __builtin_bswap64((uint64_t)second * 8)};

	curfew_ghash_add(hash, (const uint8_t *)bits, sizeof bits);
}

/* The counter of the block that encrypts the tag. */
static void start_counter(curfew_ghash *hash, const view *iv, uint8_t counter[BLOCK_BYTES])
{
	memset(counter, 0, BLOCK_BYTES);
	counter[BLOCK_BYTES - 1] = 1;
	if (iv->length == GCM_IV_BYTES) {
		memcpy(counter, iv->bytes, GCM_IV_BYTES);
		return;
	}
	curfew_ghash_add(hash, iv->bytes, iv->length);
	add_lengths(hash, 0, iv->length);
	memcpy(counter, hash->state, BLOCK_BYTES);
	memset(hash->state, 0, BLOCK_BYTES);
}

/* NIST SP 800-38D. The tag of `number` bytes follows the data. */
static int gcm(aes_job *job, curfew_ghash *hash, size_t length)
{
	curfew_aes_keys keys;
	uint8_t counter[BLOCK_BYTES], tag[BLOCK_BYTES] = {0}, hash_key[BLOCK_BYTES];

	if (job->iv.length == 0 || set_stream_key(&keys, job, hash_key))
		return -1;
	curfew_ghash_start(hash, hash_key);
	start_counter(hash, &job->iv, counter);
	run_counter(&keys, counter, 32, tag, tag, BLOCK_BYTES);
	curfew_ghash_add(hash, job->extra.bytes, job->extra.length);
	/* Work in pieces, so that each is still in the processor's cache when it is hashed. */
	for (size_t at = 0, piece; at < length; at += piece) {
		piece = length - at < GCM_PIECE_BYTES ? length - at : GCM_PIECE_BYTES;
		run_counter(&keys, counter, 32, job->data.bytes + at, job->out + at, piece);
		curfew_ghash_add(hash, (job->encrypts ? job->out : job->data.bytes) + at, piece);
	}
	add_lengths(hash, job->extra.length, length);
	for (int i = 0; i < BLOCK_BYTES; i++)
		tag[i] ^= hash->state[i];
	if (!job->encrypts)
		return mbedtls_ct_memcmp(job->data.bytes + length, tag, (size_t)job->number);
	memcpy(job->out + length, tag, (size_t)job->number);
	return 0;
}

static int run_gcm(aes_job *job)
{
	size_t tag = (size_t)job->number, length = job->data.length;

	if (!job->encrypts && length < tag)
		return -1;
	length -= job->encrypts ? 0 : tag;
	curfew_ghash *hash = aligned_alloc(_Alignof(curfew_ghash), sizeof *hash);
	if (!hash)
		return -1;
	int failed = gcm(job, hash, length);
	free(hash);
	job->out_length = job->encrypts ? length + tag : length;
	return failed;
}

static void add_step(uint8_t *block, size_t number)
{
	for (int i = HALF_BYTES - 1; number; i--, number >>= 8)
		block[i] ^= (uint8_t)number;
}

/* RFC 3394: six rounds over the halves of blocks. The first half is carried from one block to the next. */
static int run_kw(aes_job *job)
{
	mbedtls_aes_context aes;
	uint8_t block[BLOCK_BYTES], check[HALF_BYTES];
	size_t count = job->data.length / HALF_BYTES - (job->encrypts ? 0 : 1);

	if (job->data.length % HALF_BYTES || job->data.length < (job->encrypts ? 2 : 3) * HALF_BYTES)
		return -1;
	uint8_t *halves = job->out + (job->encrypts ? HALF_BYTES : 0);
	memset(check, KW_CHECK, HALF_BYTES);
	memcpy(block, job->encrypts ? check : job->data.bytes, HALF_BYTES);
	memcpy(halves, job->data.bytes + (job->encrypts ? 0 : HALF_BYTES), count * HALF_BYTES);
	int failed = set_aes_key(&aes, job, job->encrypts);
	for (size_t step = 0; !failed && step < 6 * count; step++) {
		size_t number = job->encrypts ? step + 1 : 6 * count - step;
		uint8_t *half = halves + (number - 1) % count * HALF_BYTES;
		memcpy(block + HALF_BYTES, half, HALF_BYTES);
		if (!job->encrypts)
			add_step(block, number);
		failed = mbedtls_aes_crypt_ecb(&aes, job->encrypts ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT, block, block);
		if (job->encrypts)
			add_step(block, number);
		memcpy(half, block + HALF_BYTES, HALF_BYTES);
	}
	mbedtls_aes_free(&aes);
	job->out_length = count * HALF_BYTES + (job->encrypts ? HALF_BYTES : 0);
	if (job->encrypts)
		memcpy(job->out, block, HALF_BYTES);
	else if (!failed)
		failed = mbedtls_ct_memcmp(block, check, HALF_BYTES);
	return failed;
}

static int run_ecb(aes_job *job)
{
	mbedtls_aes_context aes;

	if (job->data.length % BLOCK_BYTES)
		return -1;
	int failed = set_aes_key(&aes, job, job->encrypts);
	for (size_t at = 0; !failed && at < job->data.length; at += BLOCK_BYTES)
		failed = mbedtls_aes_crypt_ecb(&aes, job->encrypts ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT,
		                               job->data.bytes + at, job->out + at);
	mbedtls_aes_free(&aes);
	job->out_length = job->data.length;
	return failed;
}

/* The modes that make a stream of the cipher. They always encrypt blocks, also to decrypt. */
static int run_ofb(aes_job *job)
{
	mbedtls_aes_context aes;
	uint8_t iv[BLOCK_BYTES];
	size_t offset = 0;

	memcpy(iv, job->iv.bytes, BLOCK_BYTES);
	int failed = set_aes_key(&aes, job, true);
	if (!failed)
		failed = mbedtls_aes_crypt_ofb(&aes, job->data.length, &offset, iv, job->data.bytes, job->out);
	mbedtls_aes_free(&aes);
	job->out_length = job->data.length;
	return failed;
}

static int run_cfb(aes_job *job)
{
	mbedtls_aes_context aes;
	uint8_t iv[BLOCK_BYTES];
	size_t offset = 0;

	memcpy(iv, job->iv.bytes, BLOCK_BYTES);
	int failed = set_aes_key(&aes, job, true);
	if (!failed)
		failed = mbedtls_aes_crypt_cfb128(&aes, job->encrypts ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT,
		                                  job->data.length, &offset, iv, job->data.bytes, job->out);
	mbedtls_aes_free(&aes);
	job->out_length = job->data.length;
	return failed;
}

static int run_cfb8(aes_job *job)
{
	mbedtls_aes_context aes;
	uint8_t iv[BLOCK_BYTES];

	memcpy(iv, job->iv.bytes, BLOCK_BYTES);
	int failed = set_aes_key(&aes, job, true);
	if (!failed)
		failed = mbedtls_aes_crypt_cfb8(&aes, job->encrypts ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT,
		                                job->data.length, iv, job->data.bytes, job->out);
	mbedtls_aes_free(&aes);
	job->out_length = job->data.length;
	return failed;
}

/*
 * aes(mode, encrypts, key, iv, data, extra, number) -> bytes. `extra` is GCM's additional data. `number` is the length
 * of GCM's tag in bytes, the length of CTR's counter in bits, or 1 for CBC without padding.
 */
static JSValue aes(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static int (*const modes[])(aes_job *) = {run_cbc, run_ctr, run_gcm, run_kw, run_ecb, run_ofb, run_cfb, run_cfb8};
	aes_job job = {.encrypts = JS_ToBool(ctx, argv[1])};
	int32_t mode;

	if (JS_ToInt32(ctx, &mode, argv[0]) || !read_view(ctx, argv[2], &job.key) || !read_view(ctx, argv[3], &job.iv) ||
	    !read_view(ctx, argv[4], &job.data) || !read_view(ctx, argv[5], &job.extra) ||
	    JS_ToInt32(ctx, &job.number, argv[6]))
		return JS_EXCEPTION;
	bool has_block_iv = mode == AES_CBC || mode == AES_CTR || mode >= AES_OFB;
	if (mode < 0 || mode > AES_CFB8 || (has_block_iv && job.iv.length != BLOCK_BYTES) ||
	    (mode == AES_CTR && (job.number < 1 || job.number > 128)) ||
	    (mode == AES_GCM && (job.number < 4 || job.number > BLOCK_BYTES)))
		return JS_NULL;
	job.out = js_malloc(ctx, job.data.length + BLOCK_BYTES);
	if (!job.out)
		return JS_EXCEPTION;
	bool good = !modes[mode](&job);
	if (good && job.out_length) {
		uint8_t *smaller = js_realloc(ctx, job.out, job.out_length);
		job.out = smaller ? smaller : job.out;
	}
	return own_value(ctx, job.out, job.out_length, good);
}

/* ---- RSA -------------------------------------------------------------------------------------------------- */

static bool read_part(JSContext *ctx, JSValueConst parts, uint32_t i, mbedtls_mpi *number)
{
	JSValue part = JS_GetPropertyUint32(ctx, parts, i);
	view v;
	bool good = !JS_IsException(part) && read_view(ctx, part, &v) &&
	            !mbedtls_mpi_read_binary(number, v.bytes, v.length);

	JS_FreeValue(ctx, part);
	return good;
}

/* Reads [n, e] or [n, e, d, p, q, ...]. False: the key is invalid. The caller frees rsa in any case. */
static bool read_rsa(JSContext *ctx, JSValueConst parts, mbedtls_rsa_context *rsa)
{
	int64_t count;
	mbedtls_mpi numbers[5];
	bool good = !JS_GetLength(ctx, parts, &count);

	mbedtls_rsa_init(rsa);
	for (int i = 0; i < 5; i++)
		mbedtls_mpi_init(&numbers[i]);
	for (uint32_t i = 0; good && i < 5 && i < count; i++)
		good = read_part(ctx, parts, i, &numbers[i]);
	if (good)
		good = !mbedtls_rsa_import(rsa, &numbers[0], count > 2 ? &numbers[3] : NULL, count > 2 ? &numbers[4] : NULL,
		                           count > 2 ? &numbers[2] : NULL, &numbers[1]) &&
		       !mbedtls_rsa_complete(rsa);
	for (int i = 0; i < 5; i++)
		mbedtls_mpi_free(&numbers[i]);
	return good;
}

/* checkRsa(parts) -> whether the key is valid */
static JSValue check_rsa(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	mbedtls_rsa_context rsa;
	int64_t count = 0;

	JS_GetLength(ctx, argv[0], &count);
	bool good = read_rsa(ctx, argv[0], &rsa) &&
	            !(count > 2 ? mbedtls_rsa_check_privkey : mbedtls_rsa_check_pubkey)(&rsa);
	mbedtls_rsa_free(&rsa);
	return JS_NewBool(ctx, good);
}

static JSValue number_value(JSContext *ctx, const mbedtls_mpi *number)
{
	size_t length = mbedtls_mpi_size(number);
	uint8_t *bytes = js_malloc(ctx, length ? length : 1);

	if (!bytes)
		return JS_EXCEPTION;
	return own_value(ctx, bytes, length, !mbedtls_mpi_write_binary(number, bytes, length));
}

static JSValue rsa_parts(JSContext *ctx, const mbedtls_rsa_context *rsa)
{
	mbedtls_mpi numbers[RSA_PARTS]; /* n e d p q dp dq qi */
	JSValue values[RSA_PARTS];

	for (int i = 0; i < RSA_PARTS; i++)
		mbedtls_mpi_init(&numbers[i]);
	bool good = !mbedtls_rsa_export(rsa, &numbers[0], &numbers[3], &numbers[4], &numbers[2], &numbers[1]) &&
	            !mbedtls_rsa_export_crt(rsa, &numbers[5], &numbers[6], &numbers[7]);
	for (int i = 0; i < RSA_PARTS; i++) {
		values[i] = number_value(ctx, &numbers[i]);
		mbedtls_mpi_free(&numbers[i]);
	}
	JSValue list = JS_NewArrayFrom(ctx, RSA_PARTS, values);
	if (good)
		return list;
	JS_FreeValue(ctx, list);
	return JS_NULL;
}

/* makeRsa(bits, exponent) -> [n, e, d, p, q, dp, dq, qi] */
static JSValue make_rsa(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	mbedtls_rsa_context rsa;
	uint32_t bits;
	int32_t exponent;

	if (JS_ToUint32(ctx, &bits, argv[0]) || JS_ToInt32(ctx, &exponent, argv[1]))
		return JS_EXCEPTION;
	mbedtls_rsa_init(&rsa);
	JSValue parts = mbedtls_rsa_gen_key(&rsa, draw, NULL, bits, exponent) ? JS_NULL : rsa_parts(ctx, &rsa);
	mbedtls_rsa_free(&rsa);
	return after_random(ctx, parts);
}

/* fillRsa([n, e, d, p, q]) -> all eight parts */
static JSValue fill_rsa(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	mbedtls_rsa_context rsa;
	JSValue parts = read_rsa(ctx, argv[0], &rsa) ? rsa_parts(ctx, &rsa) : JS_NULL;

	mbedtls_rsa_free(&rsa);
	return parts;
}

/* The numbers are the same in the prelude. */
enum rsa_operation {
	RSA_SIGN_PKCS1,
	RSA_SIGN_PSS,
	RSA_VERIFY_PKCS1,
	RSA_VERIFY_PSS,
	RSA_ENCRYPT_OAEP,
	RSA_DECRYPT_OAEP,
	RSA_ENCRYPT_PKCS1,
	RSA_DECRYPT_PKCS1
};

typedef struct rsa_job {
	mbedtls_rsa_context rsa;
	int32_t operation, salt;
	mbedtls_md_type_t hash;
	view data, extra; /* extra: the signature to verify, or OAEP's label */
	uint8_t out[MBEDTLS_MPI_MAX_SIZE];
	size_t out_length;
} rsa_job;

static int run_rsa(rsa_job *job)
{
	mbedtls_rsa_context *rsa = &job->rsa;
	const view *data = &job->data, *extra = &job->extra;
	uint8_t hash[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *info = mbedtls_md_info_from_type(job->hash);
	unsigned size = mbedtls_md_get_size(info);
	bool is_pkcs1 = job->operation == RSA_SIGN_PKCS1 || job->operation == RSA_VERIFY_PKCS1 ||
	                job->operation >= RSA_ENCRYPT_PKCS1;

	job->out_length = mbedtls_rsa_get_len(rsa);
	if (mbedtls_rsa_set_padding(rsa, is_pkcs1 ? MBEDTLS_RSA_PKCS_V15 : MBEDTLS_RSA_PKCS_V21,
	                            is_pkcs1 ? MBEDTLS_MD_NONE : job->hash) ||
	    (job->operation <= RSA_VERIFY_PSS && mbedtls_md(info, data->bytes, data->length, hash)))
		return -1;
	bool sized = job->operation == RSA_VERIFY_PKCS1 || job->operation == RSA_VERIFY_PSS
	                 ? extra->length == job->out_length
	                 : true;
	if (!sized || ((job->operation == RSA_DECRYPT_OAEP || job->operation == RSA_DECRYPT_PKCS1) &&
	               data->length != job->out_length))
		return -1;
	switch (job->operation) {
	case RSA_SIGN_PKCS1: return mbedtls_rsa_rsassa_pkcs1_v15_sign(rsa, draw, NULL, job->hash, size, hash, job->out);
	case RSA_SIGN_PSS:
		return mbedtls_rsa_rsassa_pss_sign_ext(rsa, draw, NULL, job->hash, size, hash, job->salt, job->out);
	case RSA_VERIFY_PKCS1: return mbedtls_rsa_rsassa_pkcs1_v15_verify(rsa, job->hash, size, hash, extra->bytes);
	case RSA_VERIFY_PSS:
		return mbedtls_rsa_rsassa_pss_verify_ext(rsa, job->hash, size, hash, job->hash, job->salt, extra->bytes);
	case RSA_ENCRYPT_OAEP:
		return mbedtls_rsa_rsaes_oaep_encrypt(rsa, draw, NULL, extra->bytes, extra->length, data->length, data->bytes,
		                                      job->out);
	case RSA_DECRYPT_OAEP:
		return mbedtls_rsa_rsaes_oaep_decrypt(rsa, draw, NULL, extra->bytes, extra->length, &job->out_length,
		                                      data->bytes, job->out, sizeof job->out);
	case RSA_ENCRYPT_PKCS1:
		return mbedtls_rsa_rsaes_pkcs1_v15_encrypt(rsa, draw, NULL, data->length, data->bytes, job->out);
	default:
		return mbedtls_rsa_rsaes_pkcs1_v15_decrypt(rsa, draw, NULL, &job->out_length, data->bytes, job->out,
		                                           sizeof job->out);
	}
}

/*
 * rsa(operation, hash, parts, data, extra, salt length) -> bytes, or whether the signature is valid. null: it failed.
 */
static JSValue rsa(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	rsa_job job;
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[1]);

	if (!hash || JS_ToInt32(ctx, &job.operation, argv[0]) || !read_view(ctx, argv[3], &job.data) ||
	    !read_view(ctx, argv[4], &job.extra) || JS_ToInt32(ctx, &job.salt, argv[5]))
		return JS_EXCEPTION;
	job.hash = mbedtls_md_get_type(hash);
	bool good = read_rsa(ctx, argv[2], &job.rsa) && !run_rsa(&job);
	mbedtls_rsa_free(&job.rsa);
	bool verifies = job.operation == RSA_VERIFY_PKCS1 || job.operation == RSA_VERIFY_PSS;
	JSValue value = verifies ? JS_NewBool(ctx, good) : good ? bytes_value(ctx, job.out, job.out_length) : JS_NULL;
	mbedtls_platform_zeroize(job.out, sizeof job.out);
	return after_random(ctx, value);
}

/* ---- Elliptic curves -------------------------------------------------------------------------------------- */

#define POINT_BYTES_MAX MBEDTLS_ECP_MAX_PT_LEN

typedef struct curve {
	mbedtls_ecp_group group;
	mbedtls_ecp_point point;
	mbedtls_mpi d, r, s;
	size_t size; /* of a number of the field, in bytes */
} curve;

static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
                                              MBEDTLS_ECP_DP_SECP521R1};

static bool open_curve(JSContext *ctx, JSValueConst value, curve *c)
{
	int32_t number;

	if (JS_ToInt32(ctx, &number, value))
		return false;
	mbedtls_ecp_group_init(&c->group);
	mbedtls_ecp_point_init(&c->point);
	mbedtls_mpi_init(&c->d);
	mbedtls_mpi_init(&c->r);
	mbedtls_mpi_init(&c->s);
	if (number < 0 || number > 2 || mbedtls_ecp_group_load(&c->group, curves[number])) {
		JS_ThrowTypeError(ctx, "no such curve");
		return false;
	}
	c->size = (c->group.pbits + 7) / 8;
	return true;
}

static void close_curve(curve *c)
{
	mbedtls_ecp_group_free(&c->group);
	mbedtls_ecp_point_free(&c->point);
	mbedtls_mpi_free(&c->d);
	mbedtls_mpi_free(&c->r);
	mbedtls_mpi_free(&c->s);
}

static bool read_point(curve *c, const view *v)
{
	return v->length && v->bytes[0] && !mbedtls_ecp_point_read_binary(&c->group, &c->point, v->bytes, v->length) &&
	       !mbedtls_ecp_check_pubkey(&c->group, &c->point);
}

static bool read_private(curve *c, const view *v)
{
	return !mbedtls_mpi_read_binary(&c->d, v->bytes, v->length) && !mbedtls_ecp_check_privkey(&c->group, &c->d);
}

static JSValue point_value(JSContext *ctx, curve *c)
{
	uint8_t bytes[POINT_BYTES_MAX];
	size_t length;

	if (mbedtls_ecp_point_write_binary(&c->group, &c->point, MBEDTLS_ECP_PF_UNCOMPRESSED, &length, bytes, sizeof bytes))
		return JS_NULL;
	return bytes_value(ctx, bytes, length);
}

static JSValue field_value(JSContext *ctx, const curve *c, const mbedtls_mpi *number)
{
	uint8_t bytes[MBEDTLS_ECP_MAX_BYTES];

	if (mbedtls_mpi_write_binary(number, bytes, c->size))
		return JS_NULL;
	return bytes_value(ctx, bytes, c->size);
}

/* makeEc(curve) -> [d, point] */
static JSValue make_ec(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	curve c;
	JSValue pair = JS_NULL;

	if (!open_curve(ctx, argv[0], &c))
		return JS_EXCEPTION;
	if (!mbedtls_ecp_gen_keypair(&c.group, &c.d, &c.point, draw, NULL)) {
		JSValue values[2] = {field_value(ctx, &c, &c.d), point_value(ctx, &c)};
		pair = JS_NewArrayFrom(ctx, 2, values);
	}
	close_curve(&c);
	return after_random(ctx, pair);
}

/* ecPoint(curve, bytes) -> the point, uncompressed; null: the point is invalid */
static JSValue ec_point(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	curve c;
	view v;

	if (!read_view(ctx, argv[1], &v) || !open_curve(ctx, argv[0], &c))
		return JS_EXCEPTION;
	JSValue point = read_point(&c, &v) ? point_value(ctx, &c) : JS_NULL;
	close_curve(&c);
	return point;
}

/* ecPublic(curve, d) -> the public point; null: the key is invalid */
static JSValue ec_public(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	curve c;
	view d;

	if (!read_view(ctx, argv[1], &d) || !open_curve(ctx, argv[0], &c))
		return JS_EXCEPTION;
	bool good = read_private(&c, &d) && !mbedtls_ecp_mul(&c.group, &c.point, &c.d, &c.group.G, draw, NULL);
	JSValue point = good ? point_value(ctx, &c) : JS_NULL;
	close_curve(&c);
	return after_random(ctx, point);
}

/* ecSign(curve, hash, d, data) -> r followed by s */
static JSValue ec_sign(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t digested[MBEDTLS_MD_MAX_SIZE], signature[2 * MBEDTLS_ECP_MAX_BYTES];
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[1]);
	view d, data;
	curve c;

	if (!hash || !read_view(ctx, argv[2], &d) || !read_view(ctx, argv[3], &data) || !open_curve(ctx, argv[0], &c))
		return JS_EXCEPTION;
	bool good = !mbedtls_md(hash, data.bytes, data.length, digested) && read_private(&c, &d) &&
	            !mbedtls_ecdsa_sign(&c.group, &c.r, &c.s, &c.d, digested, mbedtls_md_get_size(hash), draw, NULL) &&
	            !mbedtls_mpi_write_binary(&c.r, signature, c.size) &&
	            !mbedtls_mpi_write_binary(&c.s, signature + c.size, c.size);
	JSValue value = good ? bytes_value(ctx, signature, 2 * c.size) : JS_NULL;
	close_curve(&c);
	return after_random(ctx, value);
}

/* ecVerify(curve, hash, point, data, signature) -> whether the signature is valid */
static JSValue ec_verify(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t digested[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *hash = read_hash(ctx, argv[1]);
	view point, data, signature;
	curve c;

	if (!hash || !read_view(ctx, argv[2], &point) || !read_view(ctx, argv[3], &data) ||
	    !read_view(ctx, argv[4], &signature) || !open_curve(ctx, argv[0], &c))
		return JS_EXCEPTION;
	bool good = signature.length == 2 * c.size && !mbedtls_md(hash, data.bytes, data.length, digested) &&
	            read_point(&c, &point) && !mbedtls_mpi_read_binary(&c.r, signature.bytes, c.size) &&
	            !mbedtls_mpi_read_binary(&c.s, signature.bytes + c.size, c.size) &&
	            !mbedtls_ecdsa_verify(&c.group, digested, mbedtls_md_get_size(hash), &c.point, &c.r, &c.s);
	close_curve(&c);
	return JS_NewBool(ctx, good);
}

/* ecDerive(curve, d, point) -> the shared secret */
static JSValue ec_derive(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	view d, point;
	curve c;
	mbedtls_ecp_point shared;

	if (!read_view(ctx, argv[1], &d) || !read_view(ctx, argv[2], &point) || !open_curve(ctx, argv[0], &c))
		return JS_EXCEPTION;
	mbedtls_ecp_point_init(&shared);
	bool good = read_private(&c, &d) && read_point(&c, &point) &&
	            !mbedtls_ecp_mul(&c.group, &shared, &c.d, &c.point, draw, NULL) && !mbedtls_ecp_is_zero(&shared);
	JSValue secret = good ? field_value(ctx, &c, &shared.MBEDTLS_PRIVATE(X)) : JS_NULL;
	mbedtls_ecp_point_free(&shared);
	close_curve(&c);
	return after_random(ctx, secret);
}

/* ---- Curve25519: keys of 32 bytes; the prelude has checked their length --------------------------------------- */

/* edPublic(seed) */
static JSValue ed_public(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t public_key[crypto_sign_ed25519_PUBLICKEYBYTES], secret[crypto_sign_ed25519_SECRETKEYBYTES];
	view seed;

	if (!read_view(ctx, argv[0], &seed))
		return JS_EXCEPTION;
	if (seed.length != SEED_BYTES || crypto_sign_ed25519_seed_keypair(public_key, secret, seed.bytes))
		return JS_NULL;
	mbedtls_platform_zeroize(secret, sizeof secret);
	return bytes_value(ctx, public_key, sizeof public_key);
}

/* edSign(seed, data) */
static JSValue ed_sign(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint8_t public_key[crypto_sign_ed25519_PUBLICKEYBYTES], secret[crypto_sign_ed25519_SECRETKEYBYTES];
	uint8_t signature[crypto_sign_ed25519_BYTES];
	view seed, data;

	if (!read_view(ctx, argv[0], &seed) || !read_view(ctx, argv[1], &data))
		return JS_EXCEPTION;
	bool good = seed.length == SEED_BYTES && !crypto_sign_ed25519_seed_keypair(public_key, secret, seed.bytes) &&
	            !crypto_sign_ed25519_detached(signature, NULL, data.bytes, data.length, secret);
	mbedtls_platform_zeroize(secret, sizeof secret);
	return good ? bytes_value(ctx, signature, sizeof signature) : JS_NULL;
}

/* edVerify(public key, data, signature) -> whether the signature is valid */
static JSValue ed_verify(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	view views[3];

	if (!read_views(ctx, argv, views, 3))
		return JS_EXCEPTION;
	bool sized = views[0].length == crypto_sign_ed25519_PUBLICKEYBYTES && views[2].length == crypto_sign_ed25519_BYTES;
	return JS_NewBool(ctx, sized && !crypto_sign_ed25519_verify_detached(views[2].bytes, views[1].bytes,
	                                                                     views[1].length, views[0].bytes));
}

/* xDerive(d, point or undefined) -> the shared secret, or the public key; null: the secret is 0 */
static JSValue x_derive(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static const uint8_t base[SEED_BYTES] = {9};
	uint8_t secret[crypto_scalarmult_curve25519_BYTES];
	view d, point = {base, sizeof base};

	if (!read_view(ctx, argv[0], &d) || (!JS_IsUndefined(argv[1]) && !read_view(ctx, argv[1], &point)))
		return JS_EXCEPTION;
	if (d.length != SEED_BYTES || point.length != SEED_BYTES ||
	    crypto_scalarmult_curve25519(secret, d.bytes, point.bytes))
		return JS_NULL;
	return bytes_value(ctx, secret, sizeof secret);
}

void curfew_crypto_init(JSValueConst native)
{
	static const JSCFunctionListEntry functions[] = {
		JS_CFUNC_DEF("digest", 2, digest),
		JS_CFUNC_DEF("hmac", 3, hmac),
		JS_CFUNC_DEF("newHasher", 2, new_hasher),
		JS_CFUNC_DEF("updateHasher", 2, update_hasher),
		JS_CFUNC_DEF("finishHasher", 1, finish_hasher),
		JS_CFUNC_DEF("copyHasher", 1, copy_hasher),
		JS_CFUNC_DEF("hkdf", 5, hkdf),
		JS_CFUNC_DEF("pbkdf2", 5, pbkdf2),
		JS_CFUNC_DEF("aes", 7, aes),
		JS_CFUNC_DEF("checkRsa", 1, check_rsa),
		JS_CFUNC_DEF("makeRsa", 2, make_rsa),
		JS_CFUNC_DEF("fillRsa", 1, fill_rsa),
		JS_CFUNC_DEF("rsa", 6, rsa),
		JS_CFUNC_DEF("makeEc", 1, make_ec),
		JS_CFUNC_DEF("ecPoint", 2, ec_point),
		JS_CFUNC_DEF("ecPublic", 2, ec_public),
		JS_CFUNC_DEF("ecSign", 4, ec_sign),
		JS_CFUNC_DEF("ecVerify", 5, ec_verify),
		JS_CFUNC_DEF("ecDerive", 3, ec_derive),
		JS_CFUNC_DEF("edPublic", 1, ed_public),
		JS_CFUNC_DEF("edSign", 2, ed_sign),
		JS_CFUNC_DEF("edVerify", 3, ed_verify),
		JS_CFUNC_DEF("xDerive", 2, x_derive),
	};
	JSClassDef definition = {"Hasher", .finalizer = hasher_finalize};

	JS_NewClassID(curfew_runtime, &hasher_class);
	JS_NewClass(curfew_runtime, hasher_class, &definition);
	JS_SetPropertyFunctionList(curfew_context, native, functions, sizeof functions / sizeof *functions);
}
