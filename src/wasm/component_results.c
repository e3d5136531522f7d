/* SPDX-License-Identifier: Apache-2.0 */
/* Converts the values of a component to JSON, by their type. Wasmtime guarantees that a value has that type. */
#include "wasm/component_convert.h"

#include "common/json.h"
#include "common/utf8.h"
#include "wasm/json_values.h"

typedef wasmtime_component_val_t value;

typedef struct output {
	curfew__json_writer json;
	uint64_t resources;
} output;

static void write_value(output *o, const curfew__shape *shape, const value *v);

static void write_string(output *o, const wasm_name_t *text)
{
	curfew__json_string(&o->json, text->data, text->size);
}

static void write_values(output *o, const curfew__shape *shape, const value *values, size_t count)
{
	bool list = shape->kind == WASMTIME_COMPONENT_VALTYPE_LIST;
	curfew__json_begin_array(&o->json);
	/* Stop when the buffer is full. */
	for (size_t i = 0; i < count && !o->json.buffer->failed; i++)
		write_value(o, &shape->members[list ? 0 : i].shape, &values[i]);
	curfew__json_end_array(&o->json);
}

/* Wasmtime returns the fields in the order of their declaration. */
static void write_record(output *o, const curfew__shape *shape, const wasmtime_component_valrecord_t *record)
{
	curfew__json_begin_object(&o->json);
	for (size_t i = 0; i < record->size; i++) {
		curfew__json_key(&o->json, shape->members[i].name);
		write_value(o, &shape->members[i].shape, &record->data[i].val);
	}
	curfew__json_end_object(&o->json);
}

/* {"name": value}; the value may be missing. */
static void write_pair(output *o, const curfew__member *member, const value *v)
{
	curfew__json_begin_object(&o->json);
	curfew__json_key(&o->json, member->name);
	if (v != NULL)
		write_value(o, &member->shape, v);
	else
		curfew__json_null(&o->json);
	curfew__json_end_object(&o->json);
}

static void write_variant(output *o, const curfew__shape *shape, const wasmtime_component_valvariant_t *variant)
{
	size_t found = curfew__shape_find(shape, variant->discriminant.data, variant->discriminant.size);
	if (variant->val != NULL)
		write_pair(o, &shape->members[found], variant->val);
	else
		write_string(o, &variant->discriminant);
}

static void write_flags(output *o, const wasmtime_component_valflags_t *flags)
{
	curfew__json_begin_array(&o->json);
	for (size_t i = 0; i < flags->size; i++)
		write_string(o, &flags->data[i]);
	curfew__json_end_array(&o->json);
}

static void write_option(output *o, const curfew__shape *shape, const value *inner)
{
	bool nested = curfew__shape_is_nested_option(shape);
	if (inner == NULL) {
		curfew__json_null(&o->json);
		return;
	}
	if (nested) {
		curfew__json_begin_object(&o->json);
		curfew__json_key(&o->json, "some");
	}
	write_value(o, &shape->members[0].shape, inner);
	if (nested)
		curfew__json_end_object(&o->json);
}

static void write_char(output *o, uint32_t character)
{
	char text[4];
	size_t length = curfew__utf8_encode(character, text);
	curfew__json_string(&o->json, text, length);
}

static void write_resource(output *o)
{
	curfew__json_begin_object(&o->json);
	curfew__json_key(&o->json, "resource");
	curfew__json_u64(&o->json, ++o->resources);
	curfew__json_end_object(&o->json);
}

static void write_number(output *o, const value *v)
{
	switch (v->kind) {
	case WASMTIME_COMPONENT_S8: curfew__json_signed(&o->json, v->of.s8); break;
	case WASMTIME_COMPONENT_S16: curfew__json_signed(&o->json, v->of.s16); break;
	case WASMTIME_COMPONENT_S32: curfew__json_signed(&o->json, v->of.s32); break;
	case WASMTIME_COMPONENT_S64: curfew__json_signed(&o->json, v->of.s64); break;
	case WASMTIME_COMPONENT_U8: curfew__json_unsigned(&o->json, v->of.u8); break;
	case WASMTIME_COMPONENT_U16: curfew__json_unsigned(&o->json, v->of.u16); break;
	case WASMTIME_COMPONENT_U32: curfew__json_unsigned(&o->json, v->of.u32); break;
	case WASMTIME_COMPONENT_U64: curfew__json_unsigned(&o->json, v->of.u64); break;
	case WASMTIME_COMPONENT_F32: curfew__json_float(&o->json, v->of.f32); break;
	default: curfew__json_double(&o->json, v->of.f64);
	}
}

static void write_value(output *o, const curfew__shape *shape, const value *v)
{
	switch (v->kind) {
	case WASMTIME_COMPONENT_BOOL: curfew__json_bool(&o->json, v->of.boolean); break;
	case WASMTIME_COMPONENT_CHAR: write_char(o, v->of.character); break;
	case WASMTIME_COMPONENT_STRING: write_string(o, &v->of.string); break;
	case WASMTIME_COMPONENT_LIST: write_values(o, shape, v->of.list.data, v->of.list.size); break;
	case WASMTIME_COMPONENT_RECORD: write_record(o, shape, &v->of.record); break;
	case WASMTIME_COMPONENT_TUPLE: write_values(o, shape, v->of.tuple.data, v->of.tuple.size); break;
	case WASMTIME_COMPONENT_VARIANT: write_variant(o, shape, &v->of.variant); break;
	case WASMTIME_COMPONENT_ENUM: write_string(o, &v->of.enumeration); break;
	case WASMTIME_COMPONENT_OPTION: write_option(o, shape, v->of.option); break;
	case WASMTIME_COMPONENT_RESULT: write_pair(o, &shape->members[v->of.result.is_ok ? 0 : 1], v->of.result.val); break;
	case WASMTIME_COMPONENT_FLAGS: write_flags(o, &v->of.flags); break;
	case WASMTIME_COMPONENT_RESOURCE: write_resource(o); break;
	default: write_number(o, v);
	}
}

void curfew__component_write(const curfew__shape *shape, const wasmtime_component_val_t *v, curfew__buffer *buffer)
{
	output o = {.resources = 0};
	curfew__json_init(&o.json, buffer);
	write_value(&o, shape, v);
}
