/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reflection of component types, once and within a bound: a type of a few hundred bytes may stand for a million when
 * it is spelled out. Wasmtime nests types at most 100 deep, so recursion is safe.
 */
#include "wasm/shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct reflection {
	const curfew__type_names *names;
	size_t *budget;
	size_t depth;
} reflection;

static bool reflect(reflection *r, const wasmtime_component_valtype_t *type, curfew__shape *shape);

/* ---- Members --------------------------------------------------------------------------------------------- */

static bool charge(reflection *r, size_t cost)
{
	if (cost > *r->budget)
		return false;
	*r->budget -= cost;
	return true;
}

static bool make_members(reflection *r, curfew__shape *shape, size_t count)
{
	/* Wasmtime counts to each member from the first. */
	enum { STEPS_FOR_ONE = 64 };
	if (count > CURFEW__SHAPE_MEMBERS || !charge(r, count + count * count / STEPS_FOR_ONE))
		return false;
	shape->members = calloc(count > 0 ? count : 1, sizeof *shape->members);
	if (shape->members == NULL)
		return false;
	shape->count = count;
	return true;
}

static bool set_name(curfew__member *member, const char *name, size_t length)
{
	member->name = strndup(name, length);
	return member->name != NULL;
}

/* Takes the type over. */
static bool set_type(reflection *r, curfew__member *member, wasmtime_component_valtype_t *type)
{
	member->typed = true;
	bool made = reflect(r, type, &member->shape);
	wasmtime_component_valtype_delete(type);
	return made;
}

static bool reflect_record(reflection *r, const wasmtime_component_record_type_t *type, curfew__shape *shape)
{
	bool made = make_members(r, shape, wasmtime_component_record_type_field_count(type));
	for (size_t i = 0; made && i < shape->count; i++) {
		const char *name;
		size_t length;
		wasmtime_component_valtype_t field;
		made = wasmtime_component_record_type_field_nth(type, i, &name, &length, &field) &&
		       set_type(r, &shape->members[i], &field) && set_name(&shape->members[i], name, length);
	}
	return made;
}

static bool reflect_tuple(reflection *r, const wasmtime_component_tuple_type_t *type, curfew__shape *shape)
{
	bool made = make_members(r, shape, wasmtime_component_tuple_type_types_count(type));
	for (size_t i = 0; made && i < shape->count; i++) {
		wasmtime_component_valtype_t element;
		made = wasmtime_component_tuple_type_types_nth(type, i, &element) &&
		       set_type(r, &shape->members[i], &element);
	}
	return made;
}

static bool reflect_variant(reflection *r, const wasmtime_component_variant_type_t *type, curfew__shape *shape)
{
	bool made = make_members(r, shape, wasmtime_component_variant_type_case_count(type));
	for (size_t i = 0; made && i < shape->count; i++) {
		const char *name;
		size_t length;
		bool typed;
		wasmtime_component_valtype_t payload;
		made = wasmtime_component_variant_type_case_nth(type, i, &name, &length, &typed, &payload) &&
		       (!typed || set_type(r, &shape->members[i], &payload)) &&
		       set_name(&shape->members[i], name, length);
	}
	return made;
}

static bool reflect_enum(reflection *r, const wasmtime_component_enum_type_t *type, curfew__shape *shape)
{
	bool made = make_members(r, shape, wasmtime_component_enum_type_names_count(type));
	for (size_t i = 0; made && i < shape->count; i++) {
		const char *name;
		size_t length;
		made = wasmtime_component_enum_type_names_nth(type, i, &name, &length) &&
		       set_name(&shape->members[i], name, length);
	}
	return made;
}

static bool reflect_flags(reflection *r, const wasmtime_component_flags_type_t *type, curfew__shape *shape)
{
	bool made = make_members(r, shape, wasmtime_component_flags_type_names_count(type));
	for (size_t i = 0; made && i < shape->count; i++) {
		const char *name;
		size_t length;
		made = wasmtime_component_flags_type_names_nth(type, i, &name, &length) &&
		       set_name(&shape->members[i], name, length);
	}
	return made;
}

static bool reflect_result(reflection *r, const wasmtime_component_result_type_t *type, curfew__shape *shape)
{
	wasmtime_component_valtype_t side;
	if (!make_members(r, shape, 2))
		return false;
	if (wasmtime_component_result_type_ok(type, &side) && !set_type(r, &shape->members[0], &side))
		return false;
	if (wasmtime_component_result_type_err(type, &side) && !set_type(r, &shape->members[1], &side))
		return false;
	return set_name(&shape->members[0], "ok", 2) && set_name(&shape->members[1], "err", 3);
}

/* Types with one or two types in angle brackets, which need not be there. */
static bool reflect_brackets(reflection *r, const wasmtime_component_valtype_t *type, curfew__shape *shape)
{
	wasmtime_component_valtype_t inner[2];
	size_t count = 1;
	switch (type->kind) {
	case WASMTIME_COMPONENT_VALTYPE_LIST:
		wasmtime_component_list_type_element(type->of.list, &inner[0]);
		break;
	case WASMTIME_COMPONENT_VALTYPE_OPTION:
		wasmtime_component_option_type_ty(type->of.option, &inner[0]);
		break;
	case WASMTIME_COMPONENT_VALTYPE_MAP:
		wasmtime_component_map_type_key(type->of.map, &inner[0]);
		wasmtime_component_map_type_value(type->of.map, &inner[1]);
		count = 2;
		break;
	case WASMTIME_COMPONENT_VALTYPE_FUTURE:
		count = wasmtime_component_future_type_ty(type->of.future, &inner[0]) ? 1 : 0;
		break;
	default:
		count = wasmtime_component_stream_type_ty(type->of.stream, &inner[0]) ? 1 : 0;
	}
	bool made = make_members(r, shape, count);
	for (size_t i = 0; i < count; i++) {
		if (made)
			made = set_type(r, &shape->members[i], &inner[i]);
		else
			wasmtime_component_valtype_delete(&inner[i]);
	}
	return made;
}

/* ---- Shapes ---------------------------------------------------------------------------------------------- */

static bool make_index(curfew__shape *shape)
{
	shape->index = json_object();
	bool made = shape->index != NULL;
	for (size_t i = 0; made && i < shape->count; i++)
		made = json_object_set_new(shape->index, shape->members[i].name, json_integer((json_int_t)i)) == 0;
	return made;
}

size_t curfew__shape_find(const curfew__shape *shape, const char *name, size_t length)
{
	const json_t *position = json_object_getn(shape->index, name, length);
	return position != NULL ? (size_t)json_integer_value(position) : shape->count;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t hash_of(const curfew__shape *shape)
{
	uint64_t hash = mix(shape->kind, shape->count);
	for (size_t i = 0; i < shape->count; i++) {
		const curfew__member *member = &shape->members[i];
		for (const char *at = member->name; at != NULL && *at != '\0'; at++)
			hash = mix(hash, (unsigned char)*at);
		hash = mix(hash, member->typed ? member->shape.hash : 1);
	}
	return hash;
}

static bool are_equal(const curfew__shape *a, const curfew__shape *b);

static bool are_members_equal(const curfew__member *a, const curfew__member *b)
{
	if (a->typed != b->typed || (a->name == NULL) != (b->name == NULL))
		return false;
	if (a->name != NULL && strcmp(a->name, b->name) != 0)
		return false;
	return !a->typed || are_equal(&a->shape, &b->shape);
}

static bool are_equal(const curfew__shape *a, const curfew__shape *b)
{
	if (a->hash != b->hash || a->kind != b->kind || a->count != b->count)
		return false;
	if (a->resource != NULL && !wasmtime_component_resource_type_equal(a->resource, b->resource))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!are_members_equal(&a->members[i], &b->members[i]))
			return false;
	return true;
}

/* A resource's name is kept with a handle that owns it, and serves borrowed ones too. */
static bool is_named(const curfew__shape *shape, const curfew__shape *named)
{
	if (shape->resource == NULL || named->resource == NULL)
		return are_equal(shape, named);
	return wasmtime_component_resource_type_equal(shape->resource, named->resource);
}

static const char *find_name(const curfew__type_names *names, const curfew__shape *shape)
{
	for (; names != NULL; names = names->outer)
		for (size_t i = 0; i < names->count; i++)
			if (is_named(shape, &names->names[i].shape))
				return names->names[i].name;
	return NULL;
}

static bool reflect_kind(reflection *r, const wasmtime_component_valtype_t *type, curfew__shape *shape)
{
	switch (type->kind) {
	case WASMTIME_COMPONENT_VALTYPE_RECORD:
		return reflect_record(r, type->of.record, shape);
	case WASMTIME_COMPONENT_VALTYPE_TUPLE:
		return reflect_tuple(r, type->of.tuple, shape);
	case WASMTIME_COMPONENT_VALTYPE_VARIANT:
		return reflect_variant(r, type->of.variant, shape) && make_index(shape);
	case WASMTIME_COMPONENT_VALTYPE_ENUM:
		return reflect_enum(r, type->of.enum_, shape) && make_index(shape);
	case WASMTIME_COMPONENT_VALTYPE_FLAGS:
		return reflect_flags(r, type->of.flags, shape) && make_index(shape);
	case WASMTIME_COMPONENT_VALTYPE_RESULT:
		return reflect_result(r, type->of.result, shape);
	case WASMTIME_COMPONENT_VALTYPE_LIST:
	case WASMTIME_COMPONENT_VALTYPE_OPTION:
	case WASMTIME_COMPONENT_VALTYPE_MAP:
	case WASMTIME_COMPONENT_VALTYPE_FUTURE:
	case WASMTIME_COMPONENT_VALTYPE_STREAM:
		return reflect_brackets(r, type, shape);
	case WASMTIME_COMPONENT_VALTYPE_OWN:
		shape->resource = wasmtime_component_resource_type_clone(type->of.own);
		return true;
	case WASMTIME_COMPONENT_VALTYPE_BORROW:
		shape->resource = wasmtime_component_resource_type_clone(type->of.borrow);
		return true;
	default:
		return true;
	}
}

/* What was made stays owned by the shape, also on failure. */
static bool reflect(reflection *r, const wasmtime_component_valtype_t *type, curfew__shape *shape)
{
	shape->kind = type->kind;
	if (r->depth == CURFEW__SHAPE_DEPTH || !charge(r, 1))
		return false;
	r->depth++;
	bool made = reflect_kind(r, type, shape);
	r->depth--;
	if (!made)
		return false;
	shape->hash = hash_of(shape);
	if (shape->members != NULL || shape->resource != NULL)
		shape->name = find_name(r->names, shape);
	return true;
}

bool curfew__shape_init(curfew__shape *shape, const wasmtime_component_valtype_t *type, const curfew__type_names *names,
                        size_t *budget)
{
	reflection r = {names, budget, 0};
	memset(shape, 0, sizeof *shape);
	if (reflect(&r, type, shape))
		return true;
	curfew__shape_finish(shape);
	return false;
}

void curfew__shape_finish(curfew__shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		free(shape->members[i].name);
		curfew__shape_finish(&shape->members[i].shape);
	}
	free(shape->members);
	json_decref(shape->index);
	if (shape->resource != NULL)
		wasmtime_component_resource_type_delete(shape->resource);
	memset(shape, 0, sizeof *shape);
}

bool curfew__shape_is_nested_option(const curfew__shape *shape)
{
	return shape->kind == WASMTIME_COMPONENT_VALTYPE_OPTION &&
	       shape->members[0].shape.kind == WASMTIME_COMPONENT_VALTYPE_OPTION;
}

const curfew__shape *curfew__shape_find_foreign(const curfew__shape *shape, bool param)
{
	/* Handles are the last kinds that have values. */
	if (shape->kind > WASMTIME_COMPONENT_VALTYPE_BORROW || (shape->resource != NULL && param))
		return shape;
	const curfew__shape *found = NULL;
	for (size_t i = 0; i < shape->count && found == NULL; i++)
		if (shape->members[i].typed)
			found = curfew__shape_find_foreign(&shape->members[i].shape, param);
	return found;
}

/* ---- Text ------------------------------------------------------------------------------------------------ */

const char *curfew__shape_kind_text(const curfew__shape *shape)
{
	static const char *const names[] = {
		"bool",   "s8",     "s16",    "s32",  "s64",   "u8",      "u16",          "u32",
		"u64",    "f32",    "f64",    "char", "string", "list",   "record",       "tuple",
		"variant", "enum",  "option", "result", "flags", "own",   "borrow",       "future",
		"stream", "error-context", "map", "fixed-length list"};
	return shape->kind < sizeof names / sizeof *names ? names[shape->kind] : "type of an unknown kind";
}

/* "{a: u8, b: string}", "{a, b(u8)}", "{a, b}". */
static void braces_text(const curfew__shape *shape, curfew__buffer *buffer)
{
	bool cases = shape->kind == WASMTIME_COMPONENT_VALTYPE_VARIANT;
	curfew__buffer_add_text(buffer, " {");
	for (size_t i = 0; i < shape->count && !buffer->failed; i++) {
		const curfew__member *member = &shape->members[i];
		curfew__buffer_printf(buffer, "%s%s", i > 0 ? ", " : "", member->name);
		if (!member->typed)
			continue;
		curfew__buffer_add_text(buffer, cases ? "(" : ": ");
		curfew__shape_text(&member->shape, buffer);
		curfew__buffer_add_text(buffer, cases ? ")" : "");
	}
	curfew__buffer_add_text(buffer, "}");
}

/* "<u8, string>", "<_, u8>", or nothing where there is nothing to say. */
static void brackets_text(const curfew__shape *shape, curfew__buffer *buffer)
{
	size_t count = shape->count;
	while (count > 0 && !shape->members[count - 1].typed)
		count--;
	for (size_t i = 0; i < count && !buffer->failed; i++) {
		curfew__buffer_add_text(buffer, i > 0 ? ", " : "<");
		if (shape->members[i].typed)
			curfew__shape_text(&shape->members[i].shape, buffer);
		else
			curfew__buffer_add_text(buffer, "_");
	}
	curfew__buffer_add_text(buffer, count > 0 ? ">" : "");
}

void curfew__shape_text(const curfew__shape *shape, curfew__buffer *buffer)
{
	if (shape->resource != NULL) {
		const char *name = shape->name != NULL ? shape->name : "resource";
		curfew__buffer_printf(buffer, "%s<%s>", curfew__shape_kind_text(shape), name);
		return;
	}
	if (shape->name != NULL) {
		curfew__buffer_add_text(buffer, shape->name);
		return;
	}
	curfew__buffer_add_text(buffer, curfew__shape_kind_text(shape));
	switch (shape->kind) {
	case WASMTIME_COMPONENT_VALTYPE_RECORD:
	case WASMTIME_COMPONENT_VALTYPE_VARIANT:
	case WASMTIME_COMPONENT_VALTYPE_ENUM:
	case WASMTIME_COMPONENT_VALTYPE_FLAGS:
		braces_text(shape, buffer);
		break;
	default:
		brackets_text(shape, buffer);
	}
}

void curfew__shape_short_text(const curfew__shape *shape, curfew__buffer *buffer)
{
	enum { SHOWN = 80 };
	curfew__buffer text;
	curfew__buffer_init(&text, SHOWN);
	curfew__shape_text(shape, &text);
	curfew__buffer_printf(buffer, "%s%s", text.data != NULL ? text.data : "", text.failed ? "..." : "");
	curfew__buffer_finish(&text);
}

/* ---- Names ----------------------------------------------------------------------------------------------- */

/* Takes the shape over. */
static bool add_name(curfew__type_names *names, const char *name, size_t length, curfew__shape *shape)
{
	if (names->count == names->capacity) {
		size_t capacity = names->capacity > 0 ? 2 * names->capacity : 8;
		curfew__type_name *grown = realloc(names->names, capacity * sizeof *grown);
		if (grown == NULL) {
			curfew__shape_finish(shape);
			return false;
		}
		names->names = grown;
		names->capacity = capacity;
	}
	char *copy = strndup(name, length);
	if (copy == NULL) {
		curfew__shape_finish(shape);
		return false;
	}
	names->names[names->count++] = (curfew__type_name){copy, *shape};
	return true;
}

bool curfew__type_names_add(curfew__type_names *names, const char *name, size_t length,
                            const wasmtime_component_valtype_t *type, size_t *budget)
{
	curfew__shape shape;
	switch (type->kind) {
	case WASMTIME_COMPONENT_VALTYPE_RECORD:
	case WASMTIME_COMPONENT_VALTYPE_VARIANT:
	case WASMTIME_COMPONENT_VALTYPE_ENUM:
	case WASMTIME_COMPONENT_VALTYPE_FLAGS:
		return curfew__shape_init(&shape, type, NULL, budget) && add_name(names, name, length, &shape);
	default:
		return true;
	}
}

bool curfew__type_names_add_resource(curfew__type_names *names, const char *name, size_t length,
                                     const wasmtime_component_resource_type_t *resource)
{
	curfew__shape shape = {.kind = WASMTIME_COMPONENT_VALTYPE_OWN};
	shape.resource = wasmtime_component_resource_type_clone(resource);
	return add_name(names, name, length, &shape);
}

void curfew__type_names_finish(curfew__type_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->names[i].name);
		curfew__shape_finish(&names->names[i].shape);
	}
	free(names->names);
	memset(names, 0, sizeof *names);
}
