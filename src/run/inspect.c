/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Describes a program as JSON (docs/INSPECT.md), with the same keys for JavaScript, modules and components. The
 * compiler of WebAssembly, or the JavaScript engine that has linked the program, reports the imports and exports.
 */
#include "run/run.h"

#include <string.h>

#include "common/json.h"
#include "common/json_reader.h"
#include "base/refuse.h"

/* Names and types can be as large as the program. */
#define DESCRIPTION_BYTES_MAX ((size_t)256 << 20)

/* JavaScript: the memory of the engine with the parsed program. */
static void write_needs(curfew__json_writer *writer, const curfew_run *run)
{
	curfew__json_key(writer, "needs");
	curfew__json_begin_object(writer);
	curfew__json_key(writer, "memory_bytes");
	curfew__json_u64(writer, run->report->used.memory_peak_bytes);
	curfew__json_key(writer, "memory_most_bytes");
	curfew__json_null(writer);
	curfew__json_key(writer, "table_elements");
	curfew__json_null(writer);
	curfew__json_key(writer, "wasi");
	curfew__json_bool(writer, false);
	curfew__json_end_object(writer);
}

/* Copies a member of a JSON object into the one that is being written. False: there is no member of this name. */
static bool write_member(curfew__json_writer *writer, const char *json, size_t length, const char *name)
{
	curfew__json_reader reader;
	curfew__buffer key;
	bool found = false;

	curfew__json_reader_init(&reader, json, length, NULL);
	curfew__json_enter(&reader);
	while (!found && curfew__json_has_next(&reader)) {
		curfew__buffer_init(&key, length);
		found = curfew__json_read_key(&reader, &key) && key.data && !strcmp(key.data, name);
		curfew__buffer_finish(&key);
		size_t start = reader.at;
		curfew__json_skip(&reader);
		if (!found)
			continue;
		curfew__json_key(writer, name);
		curfew__json_raw(writer, json + start, reader.at - start);
	}
	return found;
}

/* Take only these members from the guest: it may be corrupted, and could repeat members that are written here. */
static bool write_members(curfew__json_writer *writer, const char *json, size_t length)
{
	if (!json || length < 2 || json[0] != '{' || !curfew__json_check(json, length, NULL, NULL))
		return false;
	return write_member(writer, json, length, "imports") && write_member(writer, json, length, "exports");
}

/* Writes the program's needs, imports and exports. */
static bool write_interface(curfew__json_writer *writer, const curfew_run *run)
{
	const char *value = run->report->value;

	if (run->program->wasm)
		return write_member(writer, run->description, run->description_length, "needs") &&
		       write_members(writer, run->description, run->description_length);
	write_needs(writer, run);
	return write_members(writer, value, value ? strlen(value) : 0);
}

curfew_status curfew__run_describe(const curfew_run *run, char **json, size_t *length, curfew_failure *failure)
{
	const curfew_program *program = run->program;
	curfew__buffer buffer;
	curfew__json_writer writer;

	curfew__buffer_init(&buffer, DESCRIPTION_BYTES_MAX);
	curfew__json_init(&writer, &buffer);
	curfew__json_begin_object(&writer);
	curfew__json_key(&writer, "schema");
	curfew__json_text(&writer, "curfew.inspect/1");
	curfew__json_key(&writer, "name");
	curfew__json_text(&writer, program->name);
	curfew__json_key(&writer, "kind");
	curfew__json_text(&writer, curfew_program_kind(program));
	curfew__json_key(&writer, "bytes");
	curfew__json_u64(&writer, program->given_bytes);
	curfew__json_key(&writer, "sha256");
	curfew__json_text(&writer, program->sha256);
	bool good = write_interface(&writer, run);
	curfew__json_end_object(&writer);
	if (good && !buffer.failed) {
		*json = curfew__buffer_take(&buffer, length);
		return CURFEW_OK;
	}
	curfew__buffer_finish(&buffer);
	return curfew__refuse(failure, CURFEW_NO_MEMORY, "the program's imports and exports are too many to be described");
}
