/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of core modules as text. wasm_valtype_kind and wasm_memorytype_limits abort the process for types that wasm.h
 * does not know: wasmtime_valtype_t and the functions for 64-bit memories are used instead.
 */
#include "wasm/types.h"

#include "common/json.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

/* ---- Values and functions -------------------------------------------------------------------------------- */

/* The text of a reference that may be null, and of any other. */
static const struct {
	const char *nullable;
	const char *plain;
} heap_names[] = {
	[WASMTIME_HEAPTYPE_KIND_EXTERN] = {"externref", "extern"},
	[WASMTIME_HEAPTYPE_KIND_NOEXTERN] = {"nullexternref", "noextern"},
	[WASMTIME_HEAPTYPE_KIND_FUNC] = {"funcref", "func"},
	[WASMTIME_HEAPTYPE_KIND_CONCRETE_FUNC] = {"(ref null func)", "func"},
	[WASMTIME_HEAPTYPE_KIND_NOFUNC] = {"nullfuncref", "nofunc"},
	[WASMTIME_HEAPTYPE_KIND_ANY] = {"anyref", "any"},
	[WASMTIME_HEAPTYPE_KIND_NONE] = {"nullref", "none"},
	[WASMTIME_HEAPTYPE_KIND_EQ] = {"eqref", "eq"},
	[WASMTIME_HEAPTYPE_KIND_I31] = {"i31ref", "i31"},
	[WASMTIME_HEAPTYPE_KIND_ARRAY] = {"arrayref", "array"},
	[WASMTIME_HEAPTYPE_KIND_CONCRETE_ARRAY] = {"(ref null array)", "array"},
	[WASMTIME_HEAPTYPE_KIND_STRUCT] = {"structref", "struct"},
	[WASMTIME_HEAPTYPE_KIND_CONCRETE_STRUCT] = {"(ref null struct)", "struct"},
	[WASMTIME_HEAPTYPE_KIND_EXN] = {"exnref", "exn"},
	[WASMTIME_HEAPTYPE_KIND_CONCRETE_EXN] = {"(ref null exn)", "exn"},
	[WASMTIME_HEAPTYPE_KIND_NOEXN] = {"nullexnref", "noexn"},
};

static void reference_text(const wasmtime_reftype_t *type, curfew__buffer *buffer)
{
	if (type->nullable)
		curfew__buffer_add_text(buffer, heap_names[type->heaptype.kind].nullable);
	else
		curfew__buffer_printf(buffer, "(ref %s)", heap_names[type->heaptype.kind].plain);
}

void curfew__valtype_text(const wasm_valtype_t *type, curfew__buffer *buffer)
{
	static const char *const names[] = {"i32", "i64", "f32", "f64", "v128"};
	wasmtime_valtype_t known;
	wasmtime_valtype_new(type, &known);
	if (known.kind == WASMTIME_VALTYPE_KIND_REF)
		reference_text(&known.reftype, buffer);
	else
		curfew__buffer_add_text(buffer, names[known.kind]);
	wasmtime_valtype_delete(&known);
}

void curfew__valtypes_text(const wasm_valtype_vec_t *types, curfew__buffer *buffer)
{
	curfew__buffer_add_text(buffer, "(");
	for (size_t i = 0; i < types->size; i++) {
		if (i > 0)
			curfew__buffer_add_text(buffer, ", ");
		curfew__valtype_text(types->data[i], buffer);
	}
	curfew__buffer_add_text(buffer, ")");
}

void curfew__functype_text(const wasm_functype_t *type, curfew__buffer *buffer)
{
	const wasm_valtype_vec_t *results = wasm_functype_results(type);
	curfew__valtypes_text(wasm_functype_params(type), buffer);
	curfew__buffer_add_text(buffer, " -> ");
	if (results->size == 1)
		curfew__valtype_text(results->data[0], buffer);
	else
		curfew__valtypes_text(results, buffer);
}

/* ---- Imports and exports --------------------------------------------------------------------------------- */

static void global_text(const wasm_globaltype_t *type, curfew__buffer *buffer)
{
	curfew__buffer_add_text(buffer, wasm_globaltype_mutability(type) == WASM_VAR ? "mut " : "");
	curfew__valtype_text(wasm_globaltype_content(type), buffer);
}

static void memory_text(const wasm_memorytype_t *type, curfew__buffer *buffer)
{
	uint64_t least = wasmtime_memorytype_minimum(type);
	uint64_t most;
	bool one = least == 1;
	curfew__buffer_printf(buffer, "%" PRIu64, least);
	if (!wasmtime_memorytype_maximum(type, &most))
		curfew__buffer_add_text(buffer, one ? " page or more" : " pages or more");
	else if (most != least)
		curfew__buffer_printf(buffer, " to %" PRIu64 " pages", most);
	else
		curfew__buffer_add_text(buffer, one ? " page" : " pages");
	curfew__buffer_add_text(buffer, wasmtime_memorytype_is64(type) ? ", 64-bit" : "");
	curfew__buffer_add_text(buffer, wasmtime_memorytype_isshared(type) ? ", shared" : "");
	uint64_t page_bytes = wasmtime_memorytype_page_size(type);
	if (page_bytes != 65536)
		curfew__buffer_printf(buffer, " of %" PRIu64 " B", page_bytes);
}

static void table_text(const wasm_tabletype_t *type, curfew__buffer *buffer)
{
	const wasm_limits_t *limits = wasm_tabletype_limits(type);
	curfew__buffer_printf(buffer, "%" PRIu32, limits->min);
	if (limits->max == wasm_limits_max_default)
		curfew__buffer_add_text(buffer, " or more");
	else if (limits->max != limits->min)
		curfew__buffer_printf(buffer, " to %" PRIu32, limits->max);
	curfew__buffer_add_text(buffer, " ");
	curfew__valtype_text(wasm_tabletype_element(type), buffer);
}

static void tag_text(const wasm_tagtype_t *type, curfew__buffer *buffer)
{
	curfew__valtypes_text(wasm_functype_params(wasm_tagtype_functype(type)), buffer);
}

void curfew__externtype_text(const wasm_externtype_t *type, curfew__buffer *buffer)
{
	switch (wasm_externtype_kind(type)) {
	case WASM_EXTERN_FUNC: curfew__functype_text(wasm_externtype_as_functype_const(type), buffer); break;
	case WASM_EXTERN_GLOBAL: global_text(wasm_externtype_as_globaltype_const(type), buffer); break;
	case WASM_EXTERN_TABLE: table_text(wasm_externtype_as_tabletype_const(type), buffer); break;
	case WASM_EXTERN_MEMORY: memory_text(wasm_externtype_as_memorytype_const(type), buffer); break;
	default: tag_text(wasm_externtype_as_tagtype_const(type), buffer);
	}
}

static void write_name(curfew__json_writer *writer, const char *key, const wasm_name_t *name)
{
	curfew__json_key(writer, key);
	curfew__json_string(writer, name->data, name->size);
}

static void write_extern(curfew__json_writer *writer, const wasm_externtype_t *type)
{
	static const char *const kinds[] = {"function", "global", "table", "memory", "tag"};
	curfew__buffer text;
	curfew__buffer_init(&text, writer->buffer->limit);
	curfew__externtype_text(type, &text);
	curfew__json_key(writer, "kind");
	curfew__json_text(writer, kinds[wasm_externtype_kind(type)]);
	curfew__json_key(writer, "type");
	curfew__json_string(writer, text.data != NULL ? text.data : "", text.length);
	writer->buffer->failed |= text.failed;
	curfew__buffer_finish(&text);
}

static void write_imports(curfew__json_writer *writer, const wasmtime_module_t *module)
{
	wasm_importtype_vec_t imports;
	wasmtime_module_imports(module, &imports);
	curfew__json_key(writer, "imports");
	curfew__json_begin_array(writer);
	for (size_t i = 0; i < imports.size; i++) {
		curfew__json_begin_object(writer);
		write_name(writer, "module", wasm_importtype_module(imports.data[i]));
		write_name(writer, "name", wasm_importtype_name(imports.data[i]));
		write_extern(writer, wasm_importtype_type(imports.data[i]));
		curfew__json_end_object(writer);
	}
	curfew__json_end_array(writer);
	wasm_importtype_vec_delete(&imports);
}

static void write_exports(curfew__json_writer *writer, const wasmtime_module_t *module)
{
	wasm_exporttype_vec_t exports;
	wasmtime_module_exports(module, &exports);
	curfew__json_key(writer, "exports");
	curfew__json_begin_array(writer);
	for (size_t i = 0; i < exports.size; i++) {
		curfew__json_begin_object(writer);
		write_name(writer, "name", wasm_exporttype_name(exports.data[i]));
		write_extern(writer, wasm_exporttype_type(exports.data[i]));
		curfew__json_end_object(writer);
	}
	curfew__json_end_array(writer);
	wasm_exporttype_vec_delete(&exports);
}

void curfew__module_describe(const wasmtime_module_t *module, curfew__buffer *buffer)
{
	curfew__json_writer writer;
	curfew__json_init(&writer, buffer);
	curfew__json_begin_object(&writer);
	write_imports(&writer, module);
	write_exports(&writer, module);
	curfew__json_end_object(&writer);
}
