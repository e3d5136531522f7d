/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled code as a file: Wasmtime's code, the table of places, and a tail that describes it. This process will
 * execute the code. So it comes only from the compiler that this process has started, from its own cache, or from an
 * image that was authenticated, and the file never changes. Processes pass each other the file, not the bytes.
 */
#ifndef CURFEW_WASM_COMPILED_H
#define CURFEW_WASM_COMPILED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curfew__compiled {
	atomic_uint references;
	int file;
	uint8_t *bytes; /* [length], mapped for reading */
	size_t length;
	size_t code_length; /* length of the code at the beginning of bytes */
	const uint8_t *places;
	size_t places_length;
	bool is_component;
	bool imports_wasi;
} curfew__compiled;

/* The parts that are written to a file. */
typedef struct curfew__compiled_parts {
	const uint8_t *code;
	size_t code_length;
	const uint8_t *places;
	size_t places_length;
	bool is_component;
	bool imports_wasi;
} curfew__compiled_parts;

bool curfew__compiled_write(int file, const curfew__compiled_parts *parts);
/*
 * Takes ownership of the file, which must not change any more. NULL: it is truncated, or (with verify) damaged; then
 * the file is closed.
 */
curfew__compiled *curfew__compiled_open(int file, bool verify);
/* The same from bytes, which are copied and verified. */
curfew__compiled *curfew__compiled_copy(const void *bytes, size_t length);
curfew__compiled *curfew__compiled_ref(curfew__compiled *compiled);
/* NULL does nothing. */
void curfew__compiled_unref(curfew__compiled *compiled);

#endif
