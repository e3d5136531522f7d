/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of a WebAssembly program is the program, and its compiled code. Compiled code is code that this process
 * executes: it is used only where it was authenticated with the key of this user's cache; anywhere else the program is
 * compiled again from what the image holds of it.
 */
#include "run/wasm_image.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "engine/cache.h"

#define MAGIC "curfew\2\n"
#define PART_MOST ((uint64_t)2 << 30)

typedef struct image_head {
	char magic[8];
	uint8_t checksum[32];   /* SHA-256 of everything behind the authenticator */
	uint8_t authenticator[crypto_auth_BYTES]; /* of the same, with the key of whoever made it; zeros: no key */
	char sha256[65];        /* of the program as it was given */
	char reserved[7];
	uint64_t name_length;
	uint64_t wasm_length;
	uint64_t compiled_length[2]; /* plain, metered */
	uint8_t compiled_sum[2][32];
} image_head;

#define COVERED offsetof(image_head, sha256)

bool curfew__is_wasm_image(const void *bytes, size_t length)
{
	return bytes && length >= 8 && !memcmp(bytes, MAGIC, 8);
}

static bool authenticate(const curfew_engine *engine, const uint8_t *bytes, size_t length, uint8_t *authenticator)
{
	uint8_t key[crypto_auth_KEYBYTES];

	if (!engine->cache_dir || !curfew__cache_key(engine->cache_dir, key))
		return false;
	crypto_auth(authenticator, bytes + COVERED, length - COVERED, key);
	sodium_memzero(key, sizeof key);
	return true;
}

static bool write_image(curfew_program *program, curfew__wasm_compiled compiled[2], curfew__buffer *out)
{
	image_head head = { .name_length = strlen(program->name) };
	size_t wasm_length;
	const void *wasm = curfew__wasm_program_binary(program->wasm, &wasm_length);

	memcpy(head.magic, MAGIC, sizeof head.magic);
	memcpy(head.sha256, program->sha256, sizeof head.sha256);
	head.wasm_length = wasm_length;
	for (int i = 0; i < 2; i++) {
		head.compiled_length[i] = compiled[i].length;
		memcpy(head.compiled_sum[i], compiled[i].sum, sizeof head.compiled_sum[i]);
	}
	curfew__buffer_add(out, &head, sizeof head);
	curfew__buffer_add(out, program->name, head.name_length);
	curfew__buffer_add(out, wasm, wasm_length);
	for (int i = 0; i < 2; i++)
		curfew__buffer_add(out, compiled[i].bytes, compiled[i].length);
	if (out->failed)
		return false;
	uint8_t *bytes = (uint8_t *)out->data;
	crypto_hash_sha256(bytes + offsetof(image_head, checksum), bytes + COVERED, out->length - COVERED);
	authenticate(program->engine, bytes, out->length, bytes + offsetof(image_head, authenticator));
	return true;
}

curfew_status curfew__wasm_image_save(curfew_program *program, void **image, size_t *length, curfew_failure *failure)
{
	curfew__wasm_compiled compiled[2] = { { 0 } };
	curfew__buffer out;
	curfew_status status = CURFEW_OK;

	curfew__buffer_init(&out, SIZE_MAX / 2);
	if (!curfew__wasm_program_compiled(program->wasm, false, &compiled[0]) ||
	    !curfew__wasm_program_compiled(program->wasm, true, &compiled[1]))
		status = curfew__refuse(failure, CURFEW_INVALID, "the program was not compiled");
	else if (!write_image(program, compiled, &out))
		status = curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	free(compiled[0].bytes);
	free(compiled[1].bytes);
	if (status == CURFEW_OK)
		*image = curfew__buffer_take(&out, length);
	else
		curfew__buffer_finish(&out);
	return status;
}

static bool well_formed(const image_head *head, size_t length)
{
	if (head->name_length > 4096 || head->wasm_length > PART_MOST || head->compiled_length[0] > PART_MOST ||
	    head->compiled_length[1] > PART_MOST || !curfew__program_is_sum(head->sha256) ||
	    memcmp(head->reserved, (char[sizeof head->reserved]){ 0 }, sizeof head->reserved))
		return false;
	return length == sizeof *head + head->name_length + head->wasm_length + head->compiled_length[0] + head->compiled_length[1];
}

/* The compiled code, if this user has made it. */
static void adopt(curfew_program *program, const image_head *head, const uint8_t *image, size_t length)
{
	uint8_t authenticator[crypto_auth_BYTES];
	const uint8_t *at = image + sizeof *head + head->name_length + head->wasm_length;

	if (!authenticate(program->engine, image, length, authenticator) ||
	    sodium_memcmp(authenticator, head->authenticator, sizeof authenticator))
		return;
	for (int i = 0; i < 2; i++) {
		curfew__wasm_compiled compiled = { .bytes = malloc(head->compiled_length[i]), .length = head->compiled_length[i] };
		if (!compiled.bytes)
			return;
		memcpy(compiled.bytes, at, compiled.length);
		memcpy(compiled.sum, head->compiled_sum[i], sizeof compiled.sum);
		at += compiled.length;
		curfew__wasm_program_adopt(program->wasm, i, &compiled);
	}
}

curfew_status curfew__wasm_image_load(curfew_engine *engine, const void *image, size_t length, curfew_program **program,
                                      curfew_failure *failure)
{
	image_head head;
	uint8_t sum[32];

	if (length < sizeof head)
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "the image is damaged");
	memcpy(&head, image, sizeof head);
	crypto_hash_sha256(sum, (const uint8_t *)image + COVERED, length - COVERED);
	if (memcmp(sum, head.checksum, sizeof sum) || !well_formed(&head, length) ||
	    !curfew__program_is_saved_name((const char *)image + sizeof head, head.name_length))
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "the image is damaged");
	const char *name = (const char *)image + sizeof head;
	curfew_program *made = curfew__program_alloc(engine, name, head.name_length);
	curfew__wasm_source source = {
		.bytes = name + head.name_length, .length = head.wasm_length,
		.cache_dir = engine->cache_dir,
	};
	if (made)
		made->wasm = curfew__wasm_program_create(&source);
	if (!made || !made->wasm) {
		curfew_program_destroy(made);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	made->language = CURFEW_LANGUAGE_WASM;
	memcpy(made->sha256, head.sha256, sizeof made->sha256);
	made->given_bytes = length;
	adopt(made, &head, image, length);
	*program = made;
	return CURFEW_OK;
}
