/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of a WebAssembly program consists of the program and its compiled code. This process executes compiled code,
 * so it is used only if it was authenticated with the key of this user's cache. Otherwise the program is compiled again
 * from the image.
 */
#include "run/wasm_image.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "engine/cache.h"
#include "engine_key.h"

#define MAGIC "curfew\3\n"
#define PART_MAX ((uint64_t)2 << 30)

typedef struct image_head {
	char magic[8];
	uint8_t checksum[crypto_onetimeauth_BYTES]; /* of everything after the authenticator, under a public key */
	uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES];
	uint8_t authenticator[crypto_onetimeauth_BYTES]; /* of the same, under a key of its maker's and the nonce;
	                                                    zeros: there is none */
	char sha256[65];                                 /* of the original program */
	char reserved[7];
	char build[64]; /* the build that compiled it */
	uint64_t is_text;
	uint64_t name_length;
	uint64_t source_length;
	uint64_t compiled_length[2]; /* plain, metered */
} image_head;

#define COVERED offsetof(image_head, sha256)

bool curfew__is_wasm_image(const void *bytes, size_t length)
{
	return bytes && length >= 8 && !memcmp(bytes, MAGIC, 8);
}

/* The build of the code includes that of this library, which rewrote the program. */
static const char build[sizeof((image_head *)0)->build] = CURFEW_VERSION " " CURFEW_ENGINE_KEY;

static void checksum(const uint8_t *bytes, size_t length, uint8_t *sum)
{
	static const uint8_t known_key[crypto_onetimeauth_KEYBYTES] = "finds damage, and nothing else.";
	crypto_onetimeauth(sum, bytes + COVERED, length - COVERED, known_key);
}

/* Poly1305 under a one-time key, derived from the user's key and the image's nonce as in XChaCha20-Poly1305. */
static bool authenticate(const char *cache_dir, const uint8_t *bytes, size_t length, uint8_t *authenticator)
{
	uint8_t key[crypto_stream_xchacha20_KEYBYTES], once[crypto_onetimeauth_KEYBYTES];

	if (!cache_dir || !curfew__cache_key(cache_dir, key))
		return false;
	crypto_stream_xchacha20(once, sizeof once, bytes + offsetof(image_head, nonce), key);
	crypto_onetimeauth(authenticator, bytes + COVERED, length - COVERED, once);
	sodium_memzero(key, sizeof key);
	sodium_memzero(once, sizeof once);
	return true;
}

static bool write_image(curfew_program *program, curfew__compiled *const compiled[2], curfew__buffer *out)
{
	image_head head = {.name_length = strlen(program->name)};
	bool is_text;
	size_t length;
	const void *source = curfew__wasm_program_bytes(program->wasm, &length, &is_text);

	memcpy(head.magic, MAGIC, sizeof head.magic);
	memcpy(head.sha256, program->sha256, sizeof head.sha256);
	memcpy(head.build, build, sizeof head.build);
	head.is_text = is_text;
	head.source_length = length;
	for (int i = 0; i < 2; i++)
		head.compiled_length[i] = compiled[i]->length;
	curfew__buffer_add(out, &head, sizeof head);
	curfew__buffer_add(out, program->name, head.name_length);
	curfew__buffer_add(out, source, length);
	for (int i = 0; i < 2; i++)
		curfew__buffer_add(out, compiled[i]->bytes, compiled[i]->length);
	if (out->failed)
		return false;
	uint8_t *bytes = (uint8_t *)out->data;
	checksum(bytes, out->length, bytes + offsetof(image_head, checksum));
	randombytes_buf(bytes + offsetof(image_head, nonce), sizeof head.nonce);
	authenticate(program->engine->cache_dir, bytes, out->length, bytes + offsetof(image_head, authenticator));
	return true;
}

curfew_status curfew__wasm_image_save(curfew_program *program, void **image, size_t *length, curfew_failure *failure)
{
	curfew__compiled *compiled[2] = {curfew__wasm_program_compiled(program->wasm, false),
	                                 curfew__wasm_program_compiled(program->wasm, true)};
	curfew__buffer out;
	curfew_status status = CURFEW_OK;

	curfew__buffer_init(&out, SIZE_MAX / 2);
	if (!compiled[0] || !compiled[1])
		status = curfew__refuse(failure, CURFEW_INVALID, "the program was not compiled");
	else if (!write_image(program, compiled, &out))
		status = curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	curfew__compiled_unref(compiled[0]);
	curfew__compiled_unref(compiled[1]);
	if (status == CURFEW_OK)
		*image = curfew__buffer_take(&out, length);
	else
		curfew__buffer_finish(&out);
	return status;
}

static bool well_formed(const image_head *head, size_t length)
{
	if (head->name_length > 4096 || head->source_length > PART_MAX || head->compiled_length[0] > PART_MAX ||
	    head->compiled_length[1] > PART_MAX || head->is_text > 1 || !curfew__program_is_sum(head->sha256) ||
	    memcmp(head->reserved, (char[sizeof head->reserved]){0}, sizeof head->reserved) != 0)
		return false;
	return length ==
	       sizeof *head + head->name_length + head->source_length + head->compiled_length[0] + head->compiled_length[1];
}

/* Returns the compiled code, if this user has made it with this build. */
static void adopt(curfew__wasm_program *program, const char *cache_dir, const image_head *head, const uint8_t *image,
                  size_t length)
{
	uint8_t authenticator[crypto_onetimeauth_BYTES];
	const uint8_t *at = image + sizeof *head + head->name_length + head->source_length;

	if (!authenticate(cache_dir, image, length, authenticator) ||
	    sodium_memcmp(authenticator, head->authenticator, sizeof authenticator) ||
	    memcmp(head->build, build, sizeof build) != 0)
		return;
	for (int i = 0; i < 2; i++) {
		curfew__wasm_program_adopt(program, i, curfew__compiled_copy(at, head->compiled_length[i]));
		at += head->compiled_length[i];
	}
}

/* Returns the head, if the image is complete and well formed. */
static bool read_head(const void *image, size_t length, image_head *head)
{
	uint8_t sum[crypto_onetimeauth_BYTES];

	if (length < sizeof *head)
		return false;
	memcpy(head, image, sizeof *head);
	checksum(image, length, sum);
	return !memcmp(sum, head->checksum, sizeof sum) && well_formed(head, length) &&
	       curfew__program_is_saved_name((const char *)image + sizeof *head, head->name_length);
}

/* source: what else is known of the program. */
static curfew__wasm_program *make_program(const image_head *head, const void *image, size_t length,
                                          curfew__wasm_source source)
{
	source.bytes = (const uint8_t *)image + sizeof *head + head->name_length;
	source.length = head->source_length;
	source.is_text = head->is_text != 0;
	curfew__wasm_program *made = curfew__wasm_program_create(&source);
	if (made)
		adopt(made, source.cache_dir, head, image, length);
	return made;
}

curfew_status curfew__wasm_image_load(curfew_engine *engine, const void *image, size_t length, curfew_program **program,
                                      curfew_failure *failure)
{
	image_head head;

	if (!read_head(image, length, &head))
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "the image is damaged");
	curfew_program *made = curfew__program_alloc(engine, (const char *)image + sizeof head, head.name_length);
	curfew__wasm_source source = {.compiler = engine->compiler, .cache_dir = engine->cache_dir, .owner = made};
	if (made)
		made->wasm = make_program(&head, image, length, source);
	if (!made || !made->wasm) {
		curfew_program_destroy(made);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	made->language = CURFEW_LANGUAGE_WASM;
	memcpy(made->sha256, head.sha256, sizeof made->sha256);
	made->given_bytes = length;
	*program = made;
	return CURFEW_OK;
}

curfew_status curfew__wasm_image_read(const void *image, size_t length, const curfew__wasm_source *source,
                                      curfew__wasm_program **program, curfew_failure *failure)
{
	image_head head;

	if (!curfew__is_wasm_image(image, length) || !read_head(image, length, &head))
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "the image is damaged, or not one of a WebAssembly program");
	*program = make_program(&head, image, length, *source);
	return *program ? CURFEW_OK : curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
}
