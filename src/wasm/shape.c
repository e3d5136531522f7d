/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads component types, once and within a bound: a type of a few hundred bytes may stand for a million members when it
 * is spelled out. Wasmtime nests types at most 100 deep, so recursion is safe.
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

static bool charge_shape(reflection *r, size_t cost)
{
	if (cost > *r->budget)
		return false;
	*r->budget -= cost;
	return true;
}

static bool make_members(reflection *r, curfew__shape *shape, size_t count)
{
	/* Wasmtime counts from the first member to each, so a large type costs more. */
	enum { STEPS_FOR_ONE = 64 };
	if (count > CURFEW__SHAPE_MEMBERS || !charge_shape(r, count + count * count / STEPS_FOR_ONE))
		return false;
	shape->members = calloc(count > 0 ? count : 1, sizeof *shape->members);
	if (shape->members == NULL)
		return false;
	shape->count = count;
	return true;
}

/* A member, as read from a type. */
typedef struct shape_member {
	const char *name; /* [length], borrowed; NULL: members have none */
	size_t length;
	bool typed;
	wasmtime_component_valtype_t type; /* if typed: owned */
} shape_member;

static size_t count_members(const wasmtime_component_valtype_t *type)
{
	switch (type->kind) {
	case WASMTIME_COMPONENT_VALTYPE_RECORD: return wasmtime_component_record_type_field_count(type->of.record);
	case WASMTIME_COMPONENT_VALTYPE_TUPLE: return wasmtime_component_tuple_type_types_count(type->of.tuple);
	case WASMTIME_COMPONENT_VALTYPE_VARIANT: return wasmtime_component_variant_type_case_count(type->of.variant);
	case WASMTIME_COMPONENT_VALTYPE_ENUM: return wasmtime_component_enum_type_names_count(type->of.enum_);
	case WASMTIME_COMPONENT_VALTYPE_FLAGS: return wasmtime_component_flags_type_names_count(type->of.flags);
	case WASMTIME_COMPONENT_VALTYPE_RESULT:
	case WASMTIME_COMPONENT_VALTYPE_MAP: return 2;
	default: return 1;
	}
}

/* Types with one or two types in angle brackets, some of which are optional. */
static bool get_bracket_member(const wasmtime_component_valtype_t *type, size_t i, shape_member *member)
{
	member->typed = true;
	switch (type->kind) {
	case WASMTIME_COMPONENT_VALTYPE_LIST: wasmtime_component_list_type_element(type->of.list, &member->type); break;
	case WASMTIME_COMPONENT_VALTYPE_OPTION: wasmtime_component_option_type_ty(type->of.option, &member->type); break;
	case WASMTIME_COMPONENT_VALTYPE_MAP:
		if (i == 0)
			wasmtime_component_map_type_key(type->of.map, &member->type);
		else
			wasmtime_component_map_type_value(type->of.map, &member->type);
		break;
	case WASMTIME_COMPONENT_VALTYPE_RESULT:
		member->name = i == 0 ? "ok" : "err";
		member->length = strlen(member->name);
		member->typed = i == 0 ? wasmtime_component_result_type_ok(type->of.result, &member->type)
		                       : wasmtime_component_result_type_err(type->of.result, &member->type);
		break;
	case WASMTIME_COMPONENT_VALTYPE_FUTURE:
		member->typed = wasmtime_component_future_type_ty(type->of.future, &member->type);
		break;
	default: member->typed = wasmtime_component_stream_type_ty(type->of.stream, &member->type);
	}
	return true;
}

static bool get_member(const wasmtime_component_valtype_t *type, size_t i, shape_member *member)
{
	*member = (shape_member){.name = NULL};
	switch (type->kind) {
	case WASMTIME_COMPONENT_VALTYPE_RECORD:
		member->typed = true;
		return wasmtime_component_record_type_field_nth(type->of.record, i, &member->name, &member->length,
		                                                &member->type);
	case WASMTIME_COMPONENT_VALTYPE_TUPLE:
		member->typed = true;
		return wasmtime_component_tuple_type_types_nth(type->of.tuple, i, &member->type);
	case WASMTIME_COMPONENT_VALTYPE_VARIANT:
		return wasmtime_component_variant_type_case_nth(type->of.variant, i, &member->name, &member->length,
		                                                &member->typed, &member->type);
	case WASMTIME_COMPONENT_VALTYPE_ENUM:
		return wasmtime_component_enum_type_names_nth(type->of.enum_, i, &member->name, &member->length);
	case WASMTIME_COMPONENT_VALTYPE_FLAGS:
		return wasmtime_component_flags_type_names_nth(type->of.flags, i, &member->name, &member->length);
	default: return get_bracket_member(type, i, member);
	}
}

/* Takes ownership of what was read. */
static bool set_member(reflection *r, curfew__member *member, shape_member *from)
{
	bool made = true;
	member->typed = from->typed;
	if (from->typed) {
		made = reflect(r, &from->type, &member->shape);
		wasmtime_component_valtype_delete(&from->type);
	}
	if (made && from->name != NULL)
		made = (member->name = strndup(from->name, from->length)) != NULL;
	return made;
}

static bool reflect_members(reflection *r, const wasmtime_component_valtype_t *type, curfew__shape *shape)
{
	bool made = make_members(r, shape, count_members(type));
	for (size_t i = 0; made && i < shape->count; i++) {
		shape_member member;
		made = get_member(type, i, &member) && set_member(r, &shape->members[i], &member);
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

/* The name of a resource is stored for its owned handle, and also serves borrowed handles. */
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
	case WASMTIME_COMPONENT_VALTYPE_TUPLE:
	case WASMTIME_COMPONENT_VALTYPE_RESULT:
	case WASMTIME_COMPONENT_VALTYPE_LIST:
	case WASMTIME_COMPONENT_VALTYPE_OPTION:
	case WASMTIME_COMPONENT_VALTYPE_MAP:
	case WASMTIME_COMPONENT_VALTYPE_FUTURE:
	case WASMTIME_COMPONENT_VALTYPE_STREAM: return reflect_members(r, type, shape);
	case WASMTIME_COMPONENT_VALTYPE_RECORD:
	case WASMTIME_COMPONENT_VALTYPE_VARIANT:
	case WASMTIME_COMPONENT_VALTYPE_ENUM:
	case WASMTIME_COMPONENT_VALTYPE_FLAGS: return reflect_members(r, type, shape) && make_index(shape);
	case WASMTIME_COMPONENT_VALTYPE_OWN:
		shape->resource = wasmtime_component_resource_type_clone(type->of.own);
		return true;
	case WASMTIME_COMPONENT_VALTYPE_BORROW:
		shape->resource = wasmtime_component_resource_type_clone(type->of.borrow);
		return true;
	default: return true;
	}
}

/* The shape owns what was made, also after a failure. */
static bool reflect(reflection *r, const wasmtime_component_valtype_t *type, curfew__shape *shape)
{
	shape->kind = type->kind;
	if (r->depth == CURFEW__SHAPE_DEPTH || !charge_shape(r, 1))
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
		"bool",   "s8",     "s16",     "s32",    "s64",           "u8",     "u16",
		"u32",    "u64",    "f32",     "f64",    "char",          "string", "list",
		"record", "tuple",  "variant", "enum",   "option",        "result", "flags",
		"own",    "borrow", "future",  "stream", "error-context", "map",    "fixed-length list"};
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

/* "<u8, string>", "<_, u8>", or nothing if there are no types. */
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
	case WASMTIME_COMPONENT_VALTYPE_FLAGS: braces_text(shape, buffer); break;
	default: brackets_text(shape, buffer);
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

/* Takes ownership of the shape. */
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
	default: return true;
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
