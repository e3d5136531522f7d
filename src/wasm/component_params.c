/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts JSON to the values of a component. Wasmtime would end the process over an invalid value. So strings are
 * checked to be UTF-8 and chars to be characters; kinds and names come from the type; and values are built in place
 * from empty ones, so that a partial one can be released.
 */
#include "wasm/component_convert.h"

#include "base/refuse.h"
#include "common/utf8.h"
#include "wasm/json_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef wasmtime_component_val_t value;

/* ---- Numbers --------------------------------------------------------------------------------------------- */

/* Indexed by the kind of the type, which differs from the kind of the value. */
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

/* All are members of one union, each with its own width. */
static void store_integer(value *out, unsigned bits, uint64_t integer)
{
	switch (bits) {
	case 8: out->of.u8 = (uint8_t)integer; break;
	case 16: out->of.u16 = (uint16_t)integer; break;
	case 32: out->of.u32 = (uint32_t)integer; break;
	default: out->of.u64 = integer;
	}
}

/* ---- Messages -------------------------------------------------------------------------------------------- */

/* The place of a value within a parameter: a name, or a position if there is none. */
typedef struct place {
	const struct place *parent;
	const char *name;
	size_t index;
} place;

typedef struct conversion {
	size_t parameter; /* from 1; 0: a result */
	const place *at;  /* NULL: the parameter itself */
	curfew__json_reader *reader;
	curfew__value_budget *budget;
	curfew_failure *failure;
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

/* The JSON form of a type, for types whose name does not say it. */
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

/* given is the beginning of the value. */
static bool refuse_value(const conversion *c, const curfew__shape *shape, size_t given)
{
	curfew__buffer buffer;
	begin_message(c, &buffer);
	curfew__buffer_add_text(&buffer, "expected ");
	add_expected(shape, &buffer);
	curfew__buffer_add_text(&buffer, ", got ");
	curfew__json_describe(c->reader, given, &buffer);
	return curfew__message_take(c->failure, &buffer);
}

/* "there is no field" "x" in a type. The name is cut like any other string of the program's. */
static bool refuse_name(const conversion *c, const curfew__shape *shape, const char *what, const char *name)
{
	curfew__buffer buffer;
	begin_message(c, &buffer);
	curfew__buffer_printf(&buffer, "%s ", what);
	curfew__text_describe(name, strlen(name), &buffer);
	curfew__buffer_add_text(&buffer, " in ");
	curfew__shape_short_text(shape, &buffer);
	return curfew__message_take(c->failure, &buffer);
}

/* ---- The budget ------------------------------------------------------------------------------------------ */

/* Charges memory before it is allocated. what and count are for the message. */
static bool charge_values(conversion *c, const char *what, size_t count, size_t bytes_each)
{
	if (count <= c->budget->left_bytes / bytes_each) {
		c->budget->left_bytes -= count * bytes_each;
		return true;
	}
	curfew__buffer buffer;
	begin_message(c, &buffer);
	curfew__buffer_printf(&buffer, "%s of %zu takes %zu bytes, more than is left of %zu", what, count,
	                      count * bytes_each, c->budget->limit_bytes);
	return curfew__message_take(c->failure, &buffer);
}

static bool make_name(conversion *c, const char *text, size_t length, wasm_name_t *name)
{
	if (!charge_values(c, "a string", length, 1))
		return false;
	wasm_byte_vec_new(name, length, text);
	return true;
}

/* Allocates an empty value. */
static bool make_box(conversion *c, value **box)
{
	value empty = {0};
	if (!charge_values(c, "a value", 1, sizeof empty))
		return false;
	*box = wasmtime_component_val_new(&empty);
	return true;
}

/* ---- Parameters ------------------------------------------------------------------------------------------ */

/*
 * Each of these converts the next JSON to a value in *out, which is an empty one (false). Whether it succeeds or not,
 * *out can be released afterwards, because a kind is set only when its contents exist.
 */
static bool convert(conversion *c, const curfew__shape *shape, value *out);

static bool convert_at(conversion *c, const char *name, size_t index, const curfew__shape *shape, value *out)
{
	place here = {c->at, name, index};
	c->at = &here;
	bool converted = convert(c, shape, out);
	c->at = here.parent;
	return converted;
}

static bool is_next(const conversion *c, curfew__json_kind kind)
{
	return curfew__json_next_kind(c->reader) == kind;
}

/* Reads a string. False: it is not a string. The caller must finish the text in any case. */
static bool read_text(conversion *c, curfew__buffer *text)
{
	curfew__buffer_init(text, c->reader->length);
	return is_next(c, CURFEW__JSON_STRING) && curfew__json_read_string(c->reader, text);
}

static const char *chars_of(const curfew__buffer *text)
{
	return text->data != NULL ? text->data : "";
}

static bool convert_char(conversion *c, const curfew__shape *shape, value *out)
{
	enum { LONGEST = 4 };
	char text[LONGEST + 1];
	size_t length = 0;
	size_t given = c->reader->at;
	uint32_t character;
	if (!curfew__short_text_read(c->reader, text, LONGEST, &length) || length == 0 ||
	    curfew__utf8_decode(text, length, &character) != length)
		return refuse_value(c, shape, given);
	out->of.character = character;
	out->kind = WASMTIME_COMPONENT_CHAR;
	return true;
}

static bool convert_string(conversion *c, const curfew__shape *shape, value *out)
{
	curfew__buffer text;
	size_t given = c->reader->at;
	bool made = read_text(c, &text) || refuse_value(c, shape, given);
	made = made && make_name(c, chars_of(&text), text.length, &out->of.string);
	if (made)
		out->kind = WASMTIME_COMPONENT_STRING;
	curfew__buffer_finish(&text);
	return made;
}

/* Converts an element of a list or a tuple, which exists already. */
static bool convert_elements(conversion *c, const curfew__shape *shape, size_t count, value *elements)
{
	bool list = shape->kind == WASMTIME_COMPONENT_VALTYPE_LIST;
	curfew__json_enter(c->reader);
	for (size_t i = 0; curfew__json_has_next(c->reader); i++)
		if (i == count || !convert_at(c, NULL, i, &shape->members[list ? 0 : i].shape, &elements[i]))
			return false;
	return true;
}

static bool convert_list(conversion *c, const curfew__shape *shape, value *out)
{
	if (!is_next(c, CURFEW__JSON_ARRAY))
		return refuse_value(c, shape, c->reader->at);
	size_t count = curfew__json_count(c->reader);
	if (!charge_values(c, "a list", count, sizeof *out))
		return false;
	wasmtime_component_vallist_new_uninit(&out->of.list, count);
	out->kind = WASMTIME_COMPONENT_LIST;
	return convert_elements(c, shape, count, out->of.list.data);
}

static bool convert_tuple(conversion *c, const curfew__shape *shape, value *out)
{
	if (!is_next(c, CURFEW__JSON_ARRAY) || curfew__json_count(c->reader) != shape->count)
		return refuse_value(c, shape, c->reader->at);
	if (!charge_values(c, "a tuple", shape->count, sizeof *out))
		return false;
	wasmtime_component_valtuple_new_uninit(&out->of.tuple, shape->count);
	out->kind = WASMTIME_COMPONENT_TUPLE;
	return convert_elements(c, shape, shape->count, out->of.tuple.data);
}

/* Called after a key. An entry that has a name already is a duplicate. */
static bool convert_field(conversion *c, const curfew__shape *shape, const char *key,
                          wasmtime_component_valrecord_entry_t *entries)
{
	size_t i = curfew__shape_find(shape, key, strlen(key));
	if (i == shape->count)
		return refuse_name(c, shape, "there is no field", key);
	if (entries[i].name.size > 0)
		return refuse_name(c, shape, "given twice: field", key);
	return make_name(c, key, strlen(key), &entries[i].name) &&
	       convert_at(c, shape->members[i].name, 0, &shape->members[i].shape, &entries[i].val);
}

static bool convert_fields(conversion *c, const curfew__shape *shape, wasmtime_component_valrecord_entry_t *entries)
{
	curfew__buffer key;
	bool good = true;
	curfew__json_enter(c->reader);
	while (good && curfew__json_has_next(c->reader)) {
		curfew__buffer_init(&key, c->reader->length);
		good = curfew__json_read_key(c->reader, &key) || refuse_name(c, shape, "there is no field", chars_of(&key));
		good = good && convert_field(c, shape, chars_of(&key), entries);
		curfew__buffer_finish(&key);
	}
	for (size_t i = 0; good && i < shape->count; i++)
		good = entries[i].name.size > 0 || refuse_name(c, shape, "missing field", shape->members[i].name);
	return good;
}

static bool convert_record(conversion *c, const curfew__shape *shape, value *out)
{
	if (!is_next(c, CURFEW__JSON_OBJECT))
		return refuse_value(c, shape, c->reader->at);
	if (!charge_values(c, "a record", shape->count, sizeof *out->of.record.data))
		return false;
	wasmtime_component_valrecord_new_uninit(&out->of.record, shape->count);
	out->kind = WASMTIME_COMPONENT_RECORD;
	return convert_fields(c, shape, out->of.record.data);
}

/* Enters an object with one member, up to its value. False: it is not one. The caller must finish the key in any case.
 */
static bool enter_only(conversion *c, curfew__buffer *key)
{
	curfew__buffer_init(key, c->reader->length);
	if (!is_next(c, CURFEW__JSON_OBJECT) || curfew__json_count(c->reader) != 1)
		return false;
	curfew__json_enter(c->reader);
	return curfew__json_has_next(c->reader) && curfew__json_read_key(c->reader, key);
}

/* Leaves that object. */
static bool leave_only(conversion *c)
{
	return !curfew__json_has_next(c->reader);
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
	return curfew__message_take(c->failure, &buffer);
}

/* Converts the value of a case or of a side of a result, if it has one. */
static bool convert_payload(conversion *c, const curfew__member *member, value **box)
{
	return !member->typed || (make_box(c, box) && convert_at(c, member->name, 0, &member->shape, *box));
}

static bool convert_case(conversion *c, const curfew__shape *shape, const char *name, bool has_value, value *out)
{
	size_t found = curfew__shape_find(shape, name, strlen(name));
	if (found == shape->count)
		return refuse_name(c, shape, "there is no case", name);
	const curfew__member *member = &shape->members[found];
	if (member->typed != has_value)
		return refuse_case(c, shape, member->name, member->typed);
	if (!make_name(c, name, strlen(name), &out->of.variant.discriminant))
		return false;
	out->of.variant.val = NULL;
	out->kind = WASMTIME_COMPONENT_VARIANT;
	return convert_payload(c, member, &out->of.variant.val);
}

static bool convert_variant(conversion *c, const curfew__shape *shape, value *out)
{
	curfew__buffer name;
	size_t given = c->reader->at;
	bool has_value = !is_next(c, CURFEW__JSON_STRING);
	bool named = has_value ? enter_only(c, &name) : read_text(c, &name);
	bool made = named ? convert_case(c, shape, chars_of(&name), has_value, out) : refuse_value(c, shape, given);
	curfew__buffer_finish(&name);
	return made && (!has_value || leave_only(c));
}

static bool convert_enum(conversion *c, const curfew__shape *shape, value *out)
{
	curfew__buffer name;
	size_t given = c->reader->at;
	bool known = read_text(c, &name) && curfew__shape_find(shape, chars_of(&name), name.length) != shape->count;
	bool made = known ? make_name(c, name.data, name.length, &out->of.enumeration) : refuse_value(c, shape, given);
	if (made)
		out->kind = WASMTIME_COMPONENT_ENUM;
	curfew__buffer_finish(&name);
	return made;
}

/* One bit for each name is enough: a valid type has at most 32. */
static bool convert_flag(conversion *c, const curfew__shape *shape, bool *given, wasm_name_t *name)
{
	curfew__buffer text;
	size_t start = c->reader->at;
	bool is_text = read_text(c, &text);
	size_t found = curfew__shape_find(shape, chars_of(&text), text.length);
	bool made = false;
	if (!is_text)
		(void)refuse_value(c, shape, start);
	else if (found == shape->count)
		(void)refuse_name(c, shape, "there is no flag", chars_of(&text));
	else if (given[found])
		(void)refuse_name(c, shape, "given twice: flag", text.data);
	else
		made = given[found] = make_name(c, text.data, text.length, name);
	curfew__buffer_finish(&text);
	return made;
}

static bool convert_flags(conversion *c, const curfew__shape *shape, value *out)
{
	bool given[CURFEW__SHAPE_MEMBERS] = {false};
	if (!is_next(c, CURFEW__JSON_ARRAY))
		return refuse_value(c, shape, c->reader->at);
	size_t count = curfew__json_count(c->reader);
	if (!charge_values(c, "an array", count, sizeof *out->of.flags.data))
		return false;
	wasmtime_component_valflags_new_uninit(&out->of.flags, count);
	out->kind = WASMTIME_COMPONENT_FLAGS;
	curfew__json_enter(c->reader);
	for (size_t i = 0; curfew__json_has_next(c->reader); i++)
		if (i == count || !convert_flag(c, shape, given, &out->of.flags.data[i]))
			return false;
	return true;
}

/* {"some": value} */
static bool convert_some(conversion *c, const curfew__shape *shape, value **box)
{
	curfew__buffer key;
	size_t given = c->reader->at;
	bool is_some = enter_only(c, &key) && strcmp(chars_of(&key), "some") == 0;
	curfew__buffer_finish(&key);
	if (!is_some)
		return refuse_value(c, shape, given);
	return make_box(c, box) && convert(c, &shape->members[0].shape, *box) && leave_only(c);
}

static bool convert_option(conversion *c, const curfew__shape *shape, value *out)
{
	out->of.option = NULL;
	out->kind = WASMTIME_COMPONENT_OPTION;
	if (is_next(c, CURFEW__JSON_NULL)) {
		curfew__json_skip(c->reader);
		return true;
	}
	if (curfew__shape_is_nested_option(shape))
		return convert_some(c, shape, &out->of.option);
	return make_box(c, &out->of.option) && convert(c, &shape->members[0].shape, out->of.option);
}

/* Converts the value of a side of a result; the reader is before it. */
static bool convert_side(conversion *c, const curfew__shape *shape, size_t side, value *out)
{
	out->of.result.is_ok = side == 0;
	out->of.result.val = NULL;
	out->kind = WASMTIME_COMPONENT_RESULT;
	return convert_payload(c, &shape->members[side], &out->of.result.val);
}

static bool convert_result(conversion *c, const curfew__shape *shape, value *out)
{
	curfew__buffer key;
	size_t given = c->reader->at;
	bool entered = enter_only(c, &key);
	size_t side = strcmp(chars_of(&key), "err") == 0 ? 1 : 0;
	const curfew__member *member = &shape->members[side];
	bool right = entered && strcmp(chars_of(&key), member->name) == 0;
	curfew__buffer_finish(&key);
	if (right && !member->typed && (right = is_next(c, CURFEW__JSON_NULL)))
		curfew__json_skip(c->reader);
	if (!right)
		return refuse_value(c, shape, given);
	return convert_side(c, shape, side, out) && leave_only(c);
}

static bool convert_integer(const conversion *c, const curfew__shape *shape, value *out)
{
	uint64_t integer;
	size_t given = c->reader->at;
	if (!curfew__integer_read(c->reader, &integers[shape->kind].type, &integer))
		return refuse_value(c, shape, given);
	store_integer(out, integers[shape->kind].type.bits, integer);
	out->kind = integers[shape->kind].kind;
	return true;
}

static bool convert_bool(conversion *c, const curfew__shape *shape, value *out)
{
	curfew__json_kind kind = curfew__json_next_kind(c->reader);
	out->of.boolean = kind == CURFEW__JSON_TRUE;
	if (kind != CURFEW__JSON_TRUE && kind != CURFEW__JSON_FALSE)
		return refuse_value(c, shape, c->reader->at);
	curfew__json_skip(c->reader);
	return true;
}

static bool convert_float(conversion *c, const curfew__shape *shape, value *out)
{
	bool single = shape->kind == WASMTIME_COMPONENT_VALTYPE_F32;
	size_t given = c->reader->at;
	out->kind = single ? WASMTIME_COMPONENT_F32 : WASMTIME_COMPONENT_F64;
	return (single ? curfew__float_read(c->reader, &out->of.f32) : curfew__double_read(c->reader, &out->of.f64)) ||
	       refuse_value(c, shape, given);
}

/* All kinds except the integers; a signature contains no others. */
static bool (*const converters[])(conversion *c, const curfew__shape *shape, value *out) = {
	[WASMTIME_COMPONENT_VALTYPE_BOOL] = convert_bool,       [WASMTIME_COMPONENT_VALTYPE_F32] = convert_float,
	[WASMTIME_COMPONENT_VALTYPE_F64] = convert_float,       [WASMTIME_COMPONENT_VALTYPE_CHAR] = convert_char,
	[WASMTIME_COMPONENT_VALTYPE_STRING] = convert_string,   [WASMTIME_COMPONENT_VALTYPE_LIST] = convert_list,
	[WASMTIME_COMPONENT_VALTYPE_RECORD] = convert_record,   [WASMTIME_COMPONENT_VALTYPE_TUPLE] = convert_tuple,
	[WASMTIME_COMPONENT_VALTYPE_VARIANT] = convert_variant, [WASMTIME_COMPONENT_VALTYPE_ENUM] = convert_enum,
	[WASMTIME_COMPONENT_VALTYPE_OPTION] = convert_option,   [WASMTIME_COMPONENT_VALTYPE_RESULT] = convert_result,
	[WASMTIME_COMPONENT_VALTYPE_FLAGS] = convert_flags,
};

static bool convert(conversion *c, const curfew__shape *shape, value *out)
{
	return is_integer(shape) ? convert_integer(c, shape, out) : converters[shape->kind](c, shape, out);
}

/* If it was stopped, there may be no message yet. */
static bool is_whole(const conversion *c, bool made)
{
	if (c->reader->stopped)
		curfew__fail(c->failure, "the run is being stopped");
	return made && !c->reader->stopped;
}

bool curfew__component_param(const curfew__shape *shape, size_t parameter, curfew__json_reader *reader,
                             curfew__value_budget *budget, wasmtime_component_val_t *out, curfew_failure *failure)
{
	conversion c = {.parameter = parameter, .reader = reader, .budget = budget, .failure = failure};
	return is_whole(&c, charge_values(&c, "a value", 1, sizeof *out) && convert(&c, shape, out));
}

bool curfew__component_side(const curfew__shape *shape, size_t side, curfew__json_reader *reader,
                            curfew__value_budget *budget, wasmtime_component_val_t *out, curfew_failure *failure)
{
	conversion c = {.reader = reader, .budget = budget, .failure = failure};
	return is_whole(&c, charge_values(&c, "a value", 1, sizeof *out) && convert_side(&c, shape, side, out));
}
