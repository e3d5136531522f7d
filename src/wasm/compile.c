/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "common/json.h"
#include "common/memory_file.h"
#include "engine/error.h"
#include "wasm/compiled.h"
#include "wasm/machine.h"
#include "wasm/program.h"
#include "wasm/types.h"

/* Names and types can be as large as the file. */
#define DESCRIPTION_BYTES_MAX ((size_t)256 << 20)
#define TABLE_ELEMENT_BYTES 8
/* The parser of text needs up to a hundred times the text's size. */
#define TEXT_BYTES_HERE ((size_t)1 << 20)

/* One file that is being compiled. */
typedef struct work {
	const curfew__compile_request *request;
	wasm_engine_t *engine;
	curfew__compile_failure *failure;
	const uint8_t *bytes; /* binary */
	size_t length;
} work;

static bool refuse_program(const work *w, const char *message)
{
	return curfew__fail(&w->failure->why, "%s", message);
}

static bool fail_internally(const work *w, const char *message)
{
	w->failure->internal = true;
	return refuse_program(w, message);
}

/* ---- Text ------------------------------------------------------------------------------------------------- */

/* Reads the parser's message: a line, a position as "--> <anon>:LINE:COLUMN", an excerpt. */
static bool refuse_text(const work *w, wasmtime_error_t *from)
{
	wasm_byte_vec_t text;

	wasmtime_error_message(from, &text);
	wasmtime_error_delete(from);
	char *message = strndup(text.data, text.size);
	wasm_byte_vec_delete(&text);
	if (!message)
		return fail_internally(w, "out of memory");
	const char *place = strstr(message, "--> <anon>:");
	if (place)
		sscanf(place, "--> <anon>:%u:%u", &w->failure->line, &w->failure->column);
	message[strcspn(message, "\n")] = 0;
	refuse_program(w, message);
	free(message);
	return false;
}

/* ---- Interface -------------------------------------------------------------------------------------------- */

static bool precompile(const work *w, wasm_engine_t *engine, const curfew__rewritten *from, curfew__bytes *code)
{
	return !curfew__failed(
		curfew__precompile(engine, from->wasm.data, from->wasm.length, from->kind == CURFEW__WASM_COMPONENT, code),
		&w->failure->why);
}

static void write_known(curfew__json_writer *writer, const char *key, bool known, uint64_t value)
{
	curfew__json_key(writer, key);
	known ? curfew__json_u64(writer, value) : curfew__json_null(writer);
}

static void write_needs(const work *w, curfew__json_writer *writer, bool imports_wasi)
{
	curfew__wasm_needs needs;
	bool known = curfew__wasm_needs_read(w->bytes, w->length, &needs);

	curfew__json_key(writer, "needs");
	curfew__json_begin_object(writer);
	write_known(writer, "memory_bytes", known && (needs.memories || needs.table_elements),
	            needs.memory_bytes + needs.table_elements * TABLE_ELEMENT_BYTES);
	write_known(writer, "memory_most_bytes", known && needs.memories, needs.memory_bytes_max);
	write_known(writer, "table_elements", known, needs.table_elements);
	curfew__json_key(writer, "wasi");
	curfew__json_bool(writer, imports_wasi);
	curfew__json_end_object(writer);
}

/* Appends the imports and exports of the compiled shell to the buffer. */
static bool describe_code(const work *w, const curfew__bytes *code, bool is_component, curfew__buffer *buffer)
{
	wasmtime_component_t *component;
	wasmtime_module_t *module;

	if (is_component) {
		if (curfew__failed(wasmtime_component_deserialize(w->engine, code->data, code->length, &component),
		                   &w->failure->why))
			return false;
		curfew__component_describe(component, w->engine, buffer);
		wasmtime_component_delete(component);
	} else {
		if (curfew__failed(wasmtime_module_deserialize(w->engine, code->data, code->length, &module), &w->failure->why))
			return false;
		curfew__module_describe(module, buffer);
		wasmtime_module_delete(module);
	}
	return true;
}

static bool describe(const work *w, const curfew__rewritten *shell, const curfew__bytes *code, int interface)
{
	bool is_component = shell->kind == CURFEW__WASM_COMPONENT;
	curfew__buffer text, members;
	curfew__json_writer writer;

	curfew__buffer_init(&members, DESCRIPTION_BYTES_MAX);
	curfew__buffer_init(&text, DESCRIPTION_BYTES_MAX);
	bool good = describe_code(w, code, is_component, &members);
	curfew__json_init(&writer, &text);
	curfew__json_begin_object(&writer);
	curfew__json_key(&writer, "kind");
	curfew__json_text(&writer, is_component ? "component" : "module");
	write_needs(w, &writer, shell->imports_wasi);
	if (good && !members.failed)
		curfew__json_raw(&writer, members.data + 1, members.length - 2);
	curfew__json_end_object(&writer);
	if (good && (members.failed || text.failed))
		good = refuse_program(w, "the program's imports and exports are too many to be described");
	if (good && !curfew__file_write(interface, text.data, text.length, 0))
		good = fail_internally(w, "the description cannot be written");
	curfew__buffer_finish(&members);
	curfew__buffer_finish(&text);
	return good;
}

static bool write_shell(const work *w, const curfew__rewritten *shell, const curfew__bytes *code, int interface)
{
	curfew__compiled_parts parts = {
		.code = code->data,
		.code_length = code->length,
		.is_component = shell->kind == CURFEW__WASM_COMPONENT,
		.imports_wasi = shell->imports_wasi,
	};
	return curfew__compiled_write(interface, &parts) || fail_internally(w, "the interface cannot be written");
}

static bool report_interface(const work *w, int interface)
{
	curfew__rewritten shell = {0};
	curfew__bytes code = {0};

	if (!curfew__shell(w->bytes, w->length, &shell, w->failure->why.message))
		return false;
	bool good = precompile(w, w->engine, &shell, &code) &&
	            (w->request->describe ? describe(w, &shell, &code, interface)
	                                  : write_shell(w, &shell, &code, interface));
	curfew__bytes_finish(&code);
	curfew__rewritten_finish(&shell);
	return good;
}

/* ---- Code ------------------------------------------------------------------------------------------------- */

/* Code is interrupted at an instruction that traps, so add one in case it has none. */
static uint32_t rewrite_flags(const curfew__compile_request *request)
{
	return CURFEW__REWRITE_LANDING | (request->metered ? CURFEW__REWRITE_METER : 0) |
	       (request->can_be_ended ? CURFEW__REWRITE_CAN_BE_ENDED : 0);
}

/* If nothing can end this compilation, do not optimise code whose optimisation would have no bound. */
static wasm_engine_t *create_engine(const curfew__compile_request *request, bool can_be_optimised)
{
	wasm_config_t *config = curfew__machine_config();

	if (!can_be_optimised && !request->can_be_ended)
		wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_NONE);
	curfew__config_parallel(config, request->parallel);
	return wasm_engine_new_with_config(config);
}

static bool write_code(const work *w, int code)
{
	curfew__rewritten rewritten = {0};
	curfew__bytes compiled = {0};
	bool good = false;

	if (!curfew__rewrite(w->bytes, w->length, rewrite_flags(w->request), &rewritten, w->failure->why.message))
		return false;
	wasm_engine_t *engine = create_engine(w->request, rewritten.can_be_optimised);
	if (precompile(w, engine, &rewritten, &compiled)) {
		curfew__compiled_parts parts = {
			.code = compiled.data,
			.code_length = compiled.length,
			.places = rewritten.places.data,
			.places_length = rewritten.places.length,
			.is_component = rewritten.kind == CURFEW__WASM_COMPONENT,
			.imports_wasi = rewritten.imports_wasi,
		};
		good = curfew__compiled_write(code, &parts) || fail_internally(w, "the compiled code cannot be written");
	}
	wasm_engine_delete(engine);
	curfew__bytes_finish(&compiled);
	curfew__rewritten_finish(&rewritten);
	return good;
}

/* If the interface cannot be read, the error of reading the whole file is the best message. False: the file has that
 * error. */
static bool find_fault(const work *w)
{
	curfew__rewritten rewritten = {0};
	bool good = curfew__rewrite(w->bytes, w->length, rewrite_flags(w->request), &rewritten, w->failure->why.message);

	curfew__rewritten_finish(&rewritten);
	return good;
}

bool curfew__compile(const curfew__compile_request *request, const uint8_t *bytes, size_t length, int interface,
                     int code, void (*on_interface)(void *context), void *context, curfew__compile_failure *failure)
{
	work w = {.request = request, .failure = failure, .bytes = bytes, .length = length};
	wasm_byte_vec_t binary = {0};

	*failure = (curfew__compile_failure){0};
	if (request->is_text && !request->can_be_ended && length > TEXT_BYTES_HERE) {
		return refuse_program(&w, "the text is larger than 1 MiB, the limit without a compiler process");
	} else if (request->is_text) {
		wasmtime_error_t *failed = wasmtime_wat2wasm((const char *)bytes, length, &binary);
		if (failed)
			return refuse_text(&w, failed);
		w.bytes = (const uint8_t *)binary.data;
		w.length = binary.size;
	}
	w.engine = create_engine(request, true);
	bool good = report_interface(&w, interface);
	if (good && !request->describe)
		on_interface(context);
	if (!good && !failure->internal)
		good = find_fault(&w) && !request->describe;
	if (good && !request->describe)
		good = write_code(&w, code);
	wasm_engine_delete(w.engine);
	wasm_byte_vec_delete(&binary);
	return good;
}
