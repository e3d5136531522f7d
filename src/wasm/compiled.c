/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tail is at the end, so that the file begins like one that Wasmtime wrote. Its checksum detects damage. It is
 * Poly1305 under a public key, which takes a sixth of the time of a hash.
 */
#include "common/memory_file.h"
#include "wasm/compiled.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "CFCODE1\n"

enum { IS_COMPONENT = 1, IMPORTS_WASI = 2 };

typedef struct tail {
	char magic[8];
	uint64_t flags;
	uint64_t code_length;
	uint64_t places_length;
	uint8_t sum[crypto_onetimeauth_BYTES]; /* of everything before it */
} tail;

static const uint8_t known_key[crypto_onetimeauth_KEYBYTES] = "finds damage, and nothing else.";

bool curfew__compiled_write(int file, const curfew__compiled_parts *parts)
{
	crypto_onetimeauth_state state;
	tail end = {
		.flags = (parts->is_component ? IS_COMPONENT : 0) | (parts->imports_wasi ? IMPORTS_WASI : 0),
		.code_length = parts->code_length,
		.places_length = parts->places_length,
	};
	off_t places_at = (off_t)parts->code_length, end_at = places_at + (off_t)parts->places_length;

	memcpy(end.magic, MAGIC, sizeof end.magic);
	crypto_onetimeauth_init(&state, known_key);
	crypto_onetimeauth_update(&state, parts->code, parts->code_length);
	crypto_onetimeauth_update(&state, parts->places, parts->places_length);
	crypto_onetimeauth_update(&state, (const uint8_t *)&end, offsetof(tail, sum));
	crypto_onetimeauth_final(&state, end.sum);
	return curfew__file_write(file, parts->code, parts->code_length, 0) &&
	       curfew__file_write(file, parts->places, parts->places_length, places_at) &&
	       curfew__file_write(file, (const uint8_t *)&end, sizeof end, end_at);
}

/* Whether the sizes in the tail match the file. */
static bool read_tail(curfew__compiled *compiled, tail *end)
{
	if (compiled->length < sizeof *end)
		return false;
	size_t before = compiled->length - sizeof *end;
	memcpy(end, compiled->bytes + before, sizeof *end);
	if (memcmp(end->magic, MAGIC, sizeof end->magic) != 0 || end->code_length > before ||
	    end->places_length != before - end->code_length)
		return false;
	compiled->code_length = end->code_length;
	compiled->places = compiled->bytes + end->code_length;
	compiled->places_length = end->places_length;
	compiled->is_component = end->flags & IS_COMPONENT;
	compiled->imports_wasi = end->flags & IMPORTS_WASI;
	return true;
}

static bool is_undamaged(const curfew__compiled *compiled, const tail *end)
{
	size_t covered = compiled->length - sizeof end->sum;
	return !crypto_onetimeauth_verify(end->sum, compiled->bytes, covered, known_key);
}

static bool map(curfew__compiled *compiled, bool verify)
{
	struct stat status;
	tail end;

	if (fstat(compiled->file, &status) || status.st_size <= 0)
		return false;
	void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, compiled->file, 0);
	if (bytes == MAP_FAILED)
		return false;
	compiled->bytes = bytes;
	compiled->length = (size_t)status.st_size;
	return read_tail(compiled, &end) && (!verify || is_undamaged(compiled, &end));
}

curfew__compiled *curfew__compiled_open(int file, bool verify)
{
	curfew__compiled *compiled = calloc(1, sizeof *compiled);

	if (!compiled) {
		close(file);
		return NULL;
	}
	atomic_init(&compiled->references, 1);
	compiled->file = file;
	if (map(compiled, verify))
		return compiled;
	curfew__compiled_unref(compiled);
	return NULL;
}

curfew__compiled *curfew__compiled_copy(const void *bytes, size_t length)
{
	int file = curfew__memory_file("curfew-code");

	if (file < 0)
		return NULL;
	if (curfew__file_write(file, bytes, length, 0) && curfew__file_seal(file))
		return curfew__compiled_open(file, true);
	close(file);
	return NULL;
}

curfew__compiled *curfew__compiled_ref(curfew__compiled *compiled)
{
	atomic_fetch_add(&compiled->references, 1);
	return compiled;
}

void curfew__compiled_unref(curfew__compiled *compiled)
{
	if (!compiled || atomic_fetch_sub(&compiled->references, 1) != 1)
		return;
	if (compiled->bytes)
		munmap(compiled->bytes, compiled->length);
	close(compiled->file);
	free(compiled);
}
