/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of core modules. Types are read only through wasmtime_valtype_t: the functions of wasm.h abort the process
 * when they meet v128 or an unknown reference.
 */
#include "wasm/core_values.h"

#include "wasm/json_values.h"
#include "wasm/types.h"

#include <stdio.h>
#include <string.h>

static const curfew__integer_type type_i32 = {"i32", INT32_MIN, UINT32_MAX, 32};
static const curfew__integer_type type_i64 = {"i64", INT64_MIN, UINT64_MAX, 64};

/* ---- Parameters ------------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_v128(curfew__json_reader *reader, uint8_t *bytes)
{
	enum { LENGTH = 34 };
	char text[LENGTH + 1];
	size_t length = 0;
	if (!curfew__short_text_read(reader, text, LENGTH, &length) || length != LENGTH || memcmp(text, "0x", 2) != 0)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int high = hex_digit(text[2 * i + 2]);
		int low = hex_digit(text[2 * i + 3]);
		if (high < 0 || low < 0)
			return false;
		bytes[15 - i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The kind of a null value of this type. */
static wasmtime_valkind_t reference_kind(wasmtime_heaptype_kind_t heap)
{
	switch (heap) {
	case WASMTIME_HEAPTYPE_KIND_FUNC:
	case WASMTIME_HEAPTYPE_KIND_CONCRETE_FUNC:
	case WASMTIME_HEAPTYPE_KIND_NOFUNC: return WASMTIME_FUNCREF;
	case WASMTIME_HEAPTYPE_KIND_EXTERN:
	case WASMTIME_HEAPTYPE_KIND_NOEXTERN: return WASMTIME_EXTERNREF;
	case WASMTIME_HEAPTYPE_KIND_EXN:
	case WASMTIME_HEAPTYPE_KIND_CONCRETE_EXN:
	case WASMTIME_HEAPTYPE_KIND_NOEXN: return WASMTIME_EXNREF;
	default: return WASMTIME_ANYREF;
	}
}

static bool read_reference(curfew__json_reader *reader, const wasmtime_reftype_t *type, wasmtime_val_t *value)
{
	if (!type->nullable || curfew__json_next_kind(reader) != CURFEW__JSON_NULL)
		return false;
	curfew__json_skip(reader);
	/* All bits are zero, which is a null of any kind. */
	value->kind = reference_kind(type->heaptype.kind);
	return true;
}

static bool read_value(curfew__json_reader *reader, const wasmtime_valtype_t *type, wasmtime_val_t *value)
{
	uint64_t integer;

	memset(value, 0, sizeof *value);
	switch (type->kind) {
	case WASMTIME_VALTYPE_KIND_I32:
		if (!curfew__integer_read(reader, &type_i32, &integer))
			return false;
		value->kind = WASMTIME_I32;
		value->of.i32 = (int32_t)(uint32_t)integer;
		return true;
	case WASMTIME_VALTYPE_KIND_I64:
		if (!curfew__integer_read(reader, &type_i64, &integer))
			return false;
		value->kind = WASMTIME_I64;
		value->of.i64 = (int64_t)integer;
		return true;
	case WASMTIME_VALTYPE_KIND_F32: value->kind = WASMTIME_F32; return curfew__float_read(reader, &value->of.f32);
	case WASMTIME_VALTYPE_KIND_F64: value->kind = WASMTIME_F64; return curfew__double_read(reader, &value->of.f64);
	case WASMTIME_VALTYPE_KIND_V128: value->kind = WASMTIME_V128; return read_v128(reader, value->of.v128);
	default: return read_reference(reader, &type->reftype, value);
	}
}

static void add_expected(const wasm_valtype_t *wasm_type, const wasmtime_valtype_t *type, curfew__buffer *buffer)
{
	switch (type->kind) {
	case WASMTIME_VALTYPE_KIND_I32: curfew__integer_expected(&type_i32, buffer); return;
	case WASMTIME_VALTYPE_KIND_I64: curfew__integer_expected(&type_i64, buffer); return;
	case WASMTIME_VALTYPE_KIND_F32:
	case WASMTIME_VALTYPE_KIND_F64:
		curfew__valtype_text(wasm_type, buffer);
		curfew__floating_expected(type->kind == WASMTIME_VALTYPE_KIND_F32, buffer);
		return;
	case WASMTIME_VALTYPE_KIND_V128:
		curfew__buffer_add_text(buffer, "v128 (a string of 0x and 32 hexadecimal digits)");
		return;
	default:
		curfew__valtype_text(wasm_type, buffer);
		curfew__buffer_add_text(buffer, type->reftype.nullable ? " (null)" : ", which JSON cannot give");
	}
}

static bool refuse_param(size_t index, const wasm_valtype_t *wasm_type, const wasmtime_valtype_t *type,
                         const curfew__json_reader *params, size_t given, curfew_failure *failure)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__buffer_printf(&buffer, "parameter %zu: expected ", index + 1);
	add_expected(wasm_type, type, &buffer);
	curfew__buffer_add_text(&buffer, ", got ");
	curfew__json_describe(params, given, &buffer);
	return curfew__message_take(failure, &buffer);
}

static bool refuse_count(const char *name, const wasm_functype_t *type, size_t given, curfew_failure *failure)
{
	const wasm_valtype_vec_t *types = wasm_functype_params(type);
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	if (types->size == 0) {
		curfew__buffer_printf(&buffer, "%s takes no parameters", name);
	} else {
		curfew__buffer_printf(&buffer, "%s takes %zu parameter%s ", name, types->size, types->size == 1 ? "" : "s");
		curfew__valtypes_text(types, &buffer);
	}
	curfew__buffer_printf(&buffer, ", got %zu", given);
	return curfew__message_take(failure, &buffer);
}

bool curfew__core_params(const char *name, const wasm_functype_t *type, curfew__json_reader *params,
                         wasmtime_val_t *values, curfew_failure *failure)
{
	const wasm_valtype_vec_t *types = wasm_functype_params(type);
	size_t count = curfew__json_count(params);
	if (count != types->size)
		return refuse_count(name, type, count, failure);
	bool right = true;
	curfew__json_enter(params);
	for (size_t i = 0; i < types->size && right && curfew__json_has_next(params); i++) {
		size_t given = params->at;
		wasmtime_valtype_t wanted;
		wasmtime_valtype_new(types->data[i], &wanted);
		right = read_value(params, &wanted, &values[i]) ||
		        refuse_param(i, types->data[i], &wanted, params, given, failure);
		wasmtime_valtype_delete(&wanted);
	}
	return right && !params->stopped;
}

/* ---- Results --------------------------------------------------------------------------------------------- */

static void write_v128(const uint8_t *bytes, curfew__json_writer *writer)
{
	char text[36] = "0x";
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(text + 2 + 2 * i, 3, "%02x", bytes[15 - i]);
	curfew__json_text(writer, text);
}

static void write_value(const wasmtime_val_t *value, curfew__json_writer *writer)
{
	switch (value->kind) {
	case WASMTIME_I32: curfew__json_signed(writer, value->of.i32); break;
	case WASMTIME_I64: curfew__json_signed(writer, value->of.i64); break;
	case WASMTIME_F32: curfew__json_float(writer, value->of.f32); break;
	case WASMTIME_F64: curfew__json_double(writer, value->of.f64); break;
	case WASMTIME_V128: write_v128(value->of.v128, writer); break;
	default: curfew__json_null(writer);
	}
}

void curfew__core_results(wasmtime_val_t *values, size_t count, curfew__buffer *buffer)
{
	curfew__json_writer writer;
	curfew__json_init(&writer, buffer);
	if (count == 0)
		curfew__json_null(&writer);
	if (count > 1)
		curfew__json_begin_array(&writer);
	for (size_t i = 0; i < count; i++) {
		write_value(&values[i], &writer);
		wasmtime_val_unroot(&values[i]);
	}
	if (count > 1)
		curfew__json_end_array(&writer);
}
