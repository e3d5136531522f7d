/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the modules of a program need when they begin, read from their binary form: the memories and tables that they
 * define. (The compiler's interface describes only exported ones.) A file that was not validated does no harm, because
 * every read is checked.
 */
#include "wasm/program.h"

#define PAGE_BYTES 65536
#define NESTED_MAX 64

enum { MODULE_TABLES = 4, MODULE_MEMORIES = 5, COMPONENT_MODULE = 1, COMPONENT_COMPONENT = 4 };
enum { HAS_MAXIMUM = 1, IS_PLAIN = 1 /* nothing but HAS_MAXIMUM */ };
enum { REFERENCE = 0x63, REFERENCE_NULL = 0x64, FUNCTION = 0x70, EXTERNAL = 0x6f };

typedef struct reader {
	const uint8_t *at, *end;
	bool failed;
} reader;

static uint8_t read_byte(reader *r)
{
	if (r->at == r->end) {
		r->failed = true;
		return 0;
	}
	return *r->at++;
}

/* Reads an unsigned LEB128. Heap types are read in the same way. */
static uint64_t read_number(reader *r)
{
	uint64_t number = 0;
	uint8_t byte = 0x80;

	for (unsigned shift = 0; (byte & 0x80) && !r->failed; shift += 7) {
		byte = read_byte(r);
		if (shift < 63)
			number |= (uint64_t)(byte & 0x7f) << shift;
		else
			r->failed = true;
	}
	return number;
}

/* Returns a reader of the next `length` bytes. */
static reader take_bytes(reader *r, uint64_t length)
{
	reader part = {r->at, r->at, false};

	if (length > (uint64_t)(r->end - r->at))
		r->failed = true;
	else
		part.end = r->at += length;
	return part;
}

static void read_memories(reader *r, curfew__wasm_needs *needs)
{
	for (uint64_t count = read_number(r); count && !r->failed; count--) {
		uint8_t flags = read_byte(r);
		uint64_t least = read_number(r), most = flags & HAS_MAXIMUM ? read_number(r) : PAGE_BYTES;
		r->failed |= flags > IS_PLAIN || least > PAGE_BYTES;
		needs->memories++;
		needs->memory_bytes += least * PAGE_BYTES;
		needs->memory_bytes_max += (most < PAGE_BYTES ? most : PAGE_BYTES) * PAGE_BYTES;
	}
}

static void read_tables(reader *r, curfew__wasm_needs *needs)
{
	for (uint64_t count = read_number(r); count && !r->failed; count--) {
		uint8_t type = read_byte(r);
		if (type == REFERENCE || type == REFERENCE_NULL)
			read_number(r);
		else
			r->failed |= type != FUNCTION && type != EXTERNAL;
		uint8_t flags = read_byte(r);
		needs->table_elements += read_number(r);
		if (flags & HAS_MAXIMUM)
			read_number(r);
		r->failed |= flags > IS_PLAIN;
	}
}

static bool read_binary(reader *r, unsigned nested, curfew__wasm_needs *needs)
{
	reader head = take_bytes(r, 8);
	bool is_component = !r->failed && head.at[6] == 1;

	while (!r->failed && r->at != r->end) {
		uint8_t id = read_byte(r);
		reader section = take_bytes(r, read_number(r));
		if (is_component && (id == COMPONENT_MODULE || id == COMPONENT_COMPONENT))
			section.failed = nested == NESTED_MAX || !read_binary(&section, nested + 1, needs);
		else if (!is_component && id == MODULE_MEMORIES)
			read_memories(&section, needs);
		else if (!is_component && id == MODULE_TABLES)
			read_tables(&section, needs);
		r->failed |= section.failed;
	}
	return !r->failed;
}

bool curfew__wasm_needs_read(const void *bytes, size_t length, curfew__wasm_needs *needs)
{
	reader r = {bytes, (const uint8_t *)bytes + length, false};

	*needs = (curfew__wasm_needs){0};
	return read_binary(&r, 0, needs);
}
