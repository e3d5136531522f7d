/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to the values of a component. How the ways to end the process are shut out: strings are UTF-8 and chars are
 * characters when they become values; kinds and names come from the type; values are built in place from empty ones, so
 * that half of one can be released.
 */
#include "wasm/component_convert.h"

#include "base/utf8.h"
#include "wasm/json_values.h"

#include <inttypes.h>
#include <string.h>

typedef wasmtime_component_val_t value;

/* ---- Numbers --------------------------------------------------------------------------------------------- */

/* By the kind of the type; the kind of the value is another. */
static const struct {
	curfew__integer_type type;
	wasmtime_component_valkind_t kind;
} integers[] = {
	[WASMTIME_COMPONENT_VALTYPE_S8] = {{"s8", INT8_MIN, INT8_MAX, 8}, WASMTIME_COMPONENT_S8},
	[WASMTIME_COMPONENT_VALTYPE_S16] = {{"s16", INT16_MIN, INT16_MAX, 16}, WASMTIME_COMPONENT_S16},
	[WASMTIME_COMPONENT_VALTYPE_S32] = {{"s32", INT32_MIN, INT32_MAX, 32}, WASMTIME_COMPONENT_S32},
	[WASMTIME_COMPONENT_VALTYPE_S64] = {{"s64", INT64_MIN, INT64_MAX, 64}, WASMTIME_COMPONENT_S64},
	[WASMTIME_COMPONENT_VALTYPE_U8] = {{"u8", 0, UINT8_MAX, 8}, WASMTIME_COMPONENT_U8},
	[WASMTIME_COMPONENT_VALTYPE_U16] = {{"u16", 0, UINT16_MAX, 16}, WASMTIME_COMPONENT_U16},
	[WASMTIME_COMPONENT_VALTYPE_U32] = {{"u32", 0, UINT32_MAX, 32}, WASMTIME_COMPONENT_U32},
	[WASMTIME_COMPONENT_VALTYPE_U64] = {{"u64", 0, UINT64_MAX, 64}, WASMTIME_COMPONENT_U64},
};

static bool is_integer(const curfew__shape *shape)
{
	return shape->kind >= WASMTIME_COMPONENT_VALTYPE_S8 && shape->kind <= WASMTIME_COMPONENT_VALTYPE_U64;
}

/* All are members of one union, each in its own width. */
static void store_integer(value *out, unsigned bits, uint64_t integer)
{
	switch (bits) {
	case 8:
		out->of.u8 = (uint8_t)integer;
		break;
	case 16:
		out->of.u16 = (uint16_t)integer;
		break;
	case 32:
		out->of.u32 = (uint32_t)integer;
		break;
	default:
		out->of.u64 = integer;
	}
}

/* ---- Messages -------------------------------------------------------------------------------------------- */

/* Where in a parameter a value stands: a name, or a position if there is none. */
typedef struct place {
	const struct place *parent;
	const char *name;
	size_t index;
} place;

typedef struct conversion {
	size_t parameter; /* from 1; 0: a result */
	const place *at;  /* NULL: the parameter itself */
	curfew__value_budget *budget;
	char *message;
} conversion;

static void add_place(const place *at, curfew__buffer *buffer)
{
	if (at->parent != NULL)
		add_place(at->parent, buffer);
	if (at->name != NULL)
		curfew__buffer_printf(buffer, ".%s", at->name);
	else
		curfew__buffer_printf(buffer, "[%zu]", at->index);
}

static void begin_message(const conversion *c, curfew__buffer *buffer)
{
	curfew__buffer_init(buffer, SIZE_MAX);
	if (c->parameter)
		curfew__buffer_printf(buffer, "parameter %zu", c->parameter);
	else
		curfew__buffer_add_text(buffer, "result");
	if (c->at != NULL) {
		curfew__buffer_add_text(buffer, ", at ");
		add_place(c->at, buffer);
	}
	curfew__buffer_add_text(buffer, ": ");
}

/* What JSON a type is given as, for those of which its name does not say that. */
static const char *const notes[] = {
	[WASMTIME_COMPONENT_VALTYPE_BOOL] = " (true or false)",
	[WASMTIME_COMPONENT_VALTYPE_CHAR] = " (a string of one character)",
	[WASMTIME_COMPONENT_VALTYPE_LIST] = " (an array)",
	[WASMTIME_COMPONENT_VALTYPE_RECORD] = " (an object)",
	[WASMTIME_COMPONENT_VALTYPE_VARIANT] = " ({\"case\": value} or \"case\")",
	[WASMTIME_COMPONENT_VALTYPE_ENUM] = " (a string)",
	[WASMTIME_COMPONENT_VALTYPE_FLAGS] = " (an array of names)",
	[WASMTIME_COMPONENT_VALTYPE_OPTION] = " (null or {\"some\": value})",
	[WASMTIME_COMPONENT_VALTYPE_RESULT] = " ({\"ok\": value} or {\"err\": value})",
};

static void add_expected(const curfew__shape *shape, curfew__buffer *buffer)
{
	if (is_integer(shape)) {
		curfew__integer_expected(&integers[shape->kind].type, buffer);
		return;
	}
	curfew__shape_short_text(shape, buffer);
	if (shape->kind == WASMTIME_COMPONENT_VALTYPE_F32 || shape->kind == WASMTIME_COMPONENT_VALTYPE_F64)
		curfew__floating_expected(shape->kind == WASMTIME_COMPONENT_VALTYPE_F32, buffer);
	else if (shape->kind == WASMTIME_COMPONENT_VALTYPE_TUPLE)
		curfew__buffer_printf(buffer, " (an array of %zu)", shape->count);
	else if (shape->kind < sizeof notes / sizeof *notes && notes[shape->kind] != NULL)
		curfew__buffer_add_text(buffer, notes[shape->kind]);
}

static bool refuse_value(const conversion *c, const curfew__shape *shape, const json_t *given)
{
	curfew__buffer buffer;
	begin_message(c, &buffer);
	curfew__buffer_add_text(&buffer, "expected ");
	add_expected(shape, &buffer);
	curfew__buffer_add_text(&buffer, ", got ");
	curfew__json_describe(given, &buffer);
	return curfew__message_take(c->message, &buffer);
}

/* "there is no field" "x" in a type; name is cut like any string that was given. */
static bool refuse_name(const conversion *c, const curfew__shape *shape, const char *what, const char *name)
{
	curfew__buffer buffer;
	json_t *text = json_string_nocheck(name);
	begin_message(c, &buffer);
	curfew__buffer_printf(&buffer, "%s ", what);
	if (text != NULL)
		curfew__json_describe(text, &buffer);
	curfew__buffer_add_text(&buffer, " in ");
	curfew__shape_short_text(shape, &buffer);
	json_decref(text);
	return curfew__message_take(c->message, &buffer);
}

/* ---- The budget ------------------------------------------------------------------------------------------ */

/* Before memory is taken: for what, and how many of them. */
static bool charge(conversion *c, const char *what, size_t count, size_t bytes_each)
{
	if (count <= c->budget->left_bytes / bytes_each) {
		c->budget->left_bytes -= count * bytes_each;
		return true;
	}
	curfew__buffer buffer;
	begin_message(c, &buffer);
	curfew__buffer_printf(&buffer, "%s of %zu takes %zu bytes, more than is left of %zu", what, count,
	                      count * bytes_each, c->budget->limit_bytes);
	return curfew__message_take(c->message, &buffer);
}

static bool make_name(conversion *c, const char *text, size_t length, wasm_name_t *name)
{
	if (!charge(c, "a string", length, 1))
		return false;
	wasm_byte_vec_new(name, length, text);
	return true;
}

/* An empty value in a box of its own. */
static bool make_box(conversion *c, value **box)
{
	value empty = {0};
	if (!charge(c, "a value", 1, sizeof empty))
		return false;
	*box = wasmtime_component_val_new(&empty);
	return true;
}

/* ---- Parameters ------------------------------------------------------------------------------------------ */

/*
 * Each of these makes a value in *out, which is an empty one (false), and leaves it so that it can be released whether
 * or not it succeeds: a kind is set when what belongs to it is there.
 */
static bool convert(conversion *c, const curfew__shape *shape, const json_t *json, value *out);

static bool convert_at(conversion *c, const char *name, size_t index, const curfew__shape *shape, const json_t *json,
                       value *out)
{
	place here = {c->at, name, index};
	c->at = &here;
	bool converted = convert(c, shape, json, out);
	c->at = here.parent;
	return converted;
}

static bool convert_char(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	const char *text = json_string_value(json);
	size_t length = json_string_length(json);
	uint32_t character;
	if (text == NULL || length == 0 || curfew__utf8_decode(text, length, &character) != length)
		return refuse_value(c, shape, json);
	out->of.character = character;
	out->kind = WASMTIME_COMPONENT_CHAR;
	return true;
}

static bool convert_string(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	const char *text = json_string_value(json);
	size_t length = json_string_length(json);
	if (text == NULL || !curfew__utf8_check(text, length, NULL))
		return refuse_value(c, shape, json);
	if (!make_name(c, text, length, &out->of.string))
		return false;
	out->kind = WASMTIME_COMPONENT_STRING;
	return true;
}

/* Of a list or a tuple, which is there already. */
static bool convert_elements(conversion *c, const curfew__shape *shape, const json_t *json, value *elements)
{
	bool list = shape->kind == WASMTIME_COMPONENT_VALTYPE_LIST;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (!convert_at(c, NULL, i, &shape->members[list ? 0 : i].shape, json_array_get(json, i), &elements[i]))
			return false;
	return true;
}

static bool convert_list(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	size_t count = json_array_size(json);
	if (!json_is_array(json))
		return refuse_value(c, shape, json);
	if (!charge(c, "a list", count, sizeof *out))
		return false;
	wasmtime_component_vallist_new_uninit(&out->of.list, count);
	out->kind = WASMTIME_COMPONENT_LIST;
	return convert_elements(c, shape, json, out->of.list.data);
}

static bool convert_tuple(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	if (!json_is_array(json) || json_array_size(json) != shape->count)
		return refuse_value(c, shape, json);
	if (!charge(c, "a tuple", shape->count, sizeof *out))
		return false;
	wasmtime_component_valtuple_new_uninit(&out->of.tuple, shape->count);
	out->kind = WASMTIME_COMPONENT_TUPLE;
	return convert_elements(c, shape, json, out->of.tuple.data);
}

/* After all fields were found: whether there are others, too. */
static bool has_unknown_field(const conversion *c, const curfew__shape *shape, const json_t *json)
{
	const char *key;
	json_t *field;
	if (json_object_size(json) == shape->count)
		return false;
	json_object_foreach((json_t *)json, key, field) {
		size_t i = 0;
		while (i < shape->count && strcmp(shape->members[i].name, key) != 0)
			i++;
		if (i == shape->count)
			return !refuse_name(c, shape, "there is no field", key);
	}
	return false;
}

static bool convert_field(conversion *c, const curfew__shape *shape, size_t i, const json_t *json,
                          wasmtime_component_valrecord_entry_t *entry)
{
	const curfew__member *field = &shape->members[i];
	const json_t *given = json_object_get(json, field->name);
	if (given == NULL)
		return refuse_name(c, shape, "missing field", field->name);
	return make_name(c, field->name, strlen(field->name), &entry->name) &&
	       convert_at(c, field->name, 0, &field->shape, given, &entry->val);
}

static bool convert_record(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	if (!json_is_object(json))
		return refuse_value(c, shape, json);
	if (!charge(c, "a record", shape->count, sizeof *out->of.record.data))
		return false;
	wasmtime_component_valrecord_new_uninit(&out->of.record, shape->count);
	out->kind = WASMTIME_COMPONENT_RECORD;
	for (size_t i = 0; i < shape->count; i++)
		if (!convert_field(c, shape, i, json, &out->of.record.data[i]))
			return false;
	return !has_unknown_field(c, shape, json);
}

/* The one key of an object, and its value; NULL if the object has none or several. */
static const char *only_key(const json_t *json, const json_t **given)
{
	if (json_object_size(json) != 1)
		return NULL;
	void *member = json_object_iter((json_t *)json);
	*given = json_object_iter_value(member);
	return json_object_iter_key(member);
}

static bool refuse_case(const conversion *c, const curfew__shape *shape, const char *name, bool typed)
{
	curfew__buffer buffer;
	begin_message(c, &buffer);
	if (typed)
		curfew__buffer_printf(&buffer, "case \"%s\" takes a value: {\"%s\": value}, in ", name, name);
	else
		curfew__buffer_printf(&buffer, "case \"%s\" takes no value: \"%s\", in ", name, name);
	curfew__shape_short_text(shape, &buffer);
	return curfew__message_take(c->message, &buffer);
}

/* Of a case or a side of a result: in a box, if it has one. */
static bool convert_payload(conversion *c, const curfew__member *member, const json_t *given, value **box)
{
	return !member->typed ||
	       (make_box(c, box) && convert_at(c, member->name, 0, &member->shape, given, *box));
}

static bool convert_variant(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	const json_t *given = NULL;
	const char *name = json_is_string(json) ? json_string_value(json) : only_key(json, &given);
	if (name == NULL)
		return refuse_value(c, shape, json);
	size_t length = given == NULL ? json_string_length(json) : strlen(name);
	size_t found = curfew__shape_find(shape, name, length);
	if (found == shape->count)
		return refuse_name(c, shape, "there is no case", name);
	const curfew__member *member = &shape->members[found];
	if (member->typed != (given != NULL))
		return refuse_case(c, shape, member->name, member->typed);
	if (!make_name(c, name, length, &out->of.variant.discriminant))
		return false;
	out->of.variant.val = NULL;
	out->kind = WASMTIME_COMPONENT_VARIANT;
	return convert_payload(c, member, given, &out->of.variant.val);
}

static bool convert_enum(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	const char *name = json_string_value(json);
	size_t length = json_string_length(json);
	if (name == NULL || curfew__shape_find(shape, name, length) == shape->count)
		return refuse_value(c, shape, json);
	if (!make_name(c, name, length, &out->of.enumeration))
		return false;
	out->kind = WASMTIME_COMPONENT_ENUM;
	return true;
}

/* The type has few enough names for a flag each: 32 at most are valid. */
static bool convert_flag(conversion *c, const curfew__shape *shape, const json_t *json, bool *given, wasm_name_t *name)
{
	if (!json_is_string(json))
		return refuse_value(c, shape, json);
	const char *text = json_string_value(json);
	size_t found = curfew__shape_find(shape, text, json_string_length(json));
	if (found == shape->count)
		return refuse_name(c, shape, "there is no flag", text);
	if (given[found])
		return refuse_name(c, shape, "given twice: flag", text);
	given[found] = true;
	return make_name(c, text, json_string_length(json), name);
}

static bool convert_flags(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	bool given[CURFEW__SHAPE_MEMBERS] = {false};
	size_t count = json_array_size(json);
	if (!json_is_array(json))
		return refuse_value(c, shape, json);
	if (!charge(c, "an array", count, sizeof *out->of.flags.data))
		return false;
	wasmtime_component_valflags_new_uninit(&out->of.flags, count);
	out->kind = WASMTIME_COMPONENT_FLAGS;
	for (size_t i = 0; i < count; i++)
		if (!convert_flag(c, shape, json_array_get(json, i), given, &out->of.flags.data[i]))
			return false;
	return true;
}

static bool convert_option(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	const json_t *given = json;
	out->of.option = NULL;
	out->kind = WASMTIME_COMPONENT_OPTION;
	if (json_is_null(json))
		return true;
	if (curfew__shape_is_nested_option(shape)) {
		const char *key = only_key(json, &given);
		if (key == NULL || strcmp(key, "some") != 0)
			return refuse_value(c, shape, json);
	}
	return make_box(c, &out->of.option) && convert(c, &shape->members[0].shape, given, out->of.option);
}

static bool convert_result(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	const json_t *given = NULL;
	const char *key = only_key(json, &given);
	size_t side = key != NULL && strcmp(key, "err") == 0 ? 1 : 0;
	const curfew__member *member = &shape->members[side];
	if (key == NULL || strcmp(key, member->name) != 0 || (!member->typed && !json_is_null(given)))
		return refuse_value(c, shape, json);
	out->of.result.is_ok = side == 0;
	out->of.result.val = NULL;
	out->kind = WASMTIME_COMPONENT_RESULT;
	return convert_payload(c, member, given, &out->of.result.val);
}

static bool convert_integer(const conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	uint64_t integer;
	if (!curfew__integer_read(json, &integers[shape->kind].type, &integer))
		return refuse_value(c, shape, json);
	store_integer(out, integers[shape->kind].type.bits, integer);
	out->kind = integers[shape->kind].kind;
	return true;
}

static bool convert_bool(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	out->of.boolean = json_is_true(json);
	return json_is_boolean(json) || refuse_value(c, shape, json);
}

static bool convert_float(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	bool single = shape->kind == WASMTIME_COMPONENT_VALTYPE_F32;
	out->kind = single ? WASMTIME_COMPONENT_F32 : WASMTIME_COMPONENT_F64;
	return (single ? curfew__float_read(json, &out->of.f32) : curfew__double_read(json, &out->of.f64)) ||
	       refuse_value(c, shape, json);
}

/* All kinds but the integers; a signature holds nothing else. */
static bool (*const converters[])(conversion *c, const curfew__shape *shape, const json_t *json, value *out) = {
	[WASMTIME_COMPONENT_VALTYPE_BOOL] = convert_bool,
	[WASMTIME_COMPONENT_VALTYPE_F32] = convert_float,
	[WASMTIME_COMPONENT_VALTYPE_F64] = convert_float,
	[WASMTIME_COMPONENT_VALTYPE_CHAR] = convert_char,
	[WASMTIME_COMPONENT_VALTYPE_STRING] = convert_string,
	[WASMTIME_COMPONENT_VALTYPE_LIST] = convert_list,
	[WASMTIME_COMPONENT_VALTYPE_RECORD] = convert_record,
	[WASMTIME_COMPONENT_VALTYPE_TUPLE] = convert_tuple,
	[WASMTIME_COMPONENT_VALTYPE_VARIANT] = convert_variant,
	[WASMTIME_COMPONENT_VALTYPE_ENUM] = convert_enum,
	[WASMTIME_COMPONENT_VALTYPE_OPTION] = convert_option,
	[WASMTIME_COMPONENT_VALTYPE_RESULT] = convert_result,
	[WASMTIME_COMPONENT_VALTYPE_FLAGS] = convert_flags,
};

static bool convert(conversion *c, const curfew__shape *shape, const json_t *json, value *out)
{
	return is_integer(shape) ? convert_integer(c, shape, json, out) : converters[shape->kind](c, shape, json, out);
}

bool curfew__component_param(const curfew__shape *shape, size_t parameter, const json_t *json,
                             curfew__value_budget *budget, wasmtime_component_val_t *out, char *message)
{
	conversion c = {.parameter = parameter, .budget = budget, .message = message};
	return charge(&c, "a value", 1, sizeof *out) && convert(&c, shape, json, out);
}
