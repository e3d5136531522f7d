/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A type of a component as a tree of our own. Wasmtime finds the nth member of a type by counting, and copies it each
 * time. Here each type is read once, within a bound, and values then follow the tree.
 */
#ifndef CURFEW_WASM_SHAPE_H
#define CURFEW_WASM_SHAPE_H

#include "common/bytes.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasm.h>
#include <wasmtime.h>
#include <wasmtime/component.h>

typedef struct curfew__member curfew__member;

typedef struct curfew__shape {
	wasmtime_component_valtype_kind_t kind;
	const char *name; /* the name by which the program exports or imports it; borrowed; NULL: none */
	size_t count;
	curfew__member *members; /* [count] fields, cases, names, elements; of a result: ok, err */
	json_t *index;           /* of record, variant, enum and flags: the position of each member by its name */
	wasmtime_component_resource_type_t *resource; /* of own and borrow */
	uint64_t hash;                                /* the same for equal types */
} curfew__shape;

struct curfew__member {
	char *name; /* NULL where members have none */
	bool typed; /* shape is there: false for a case without a value, a flag, a name */
	curfew__shape shape;
};

/* A budget is the number of members that may still be read; those of large types cost more. One function has one
 * budget. */
enum { CURFEW__SHAPE_BUDGET = 100000, CURFEW__SHAPE_MEMBERS = 2000, CURFEW__SHAPE_DEPTH = 128 };

/* Names for types, so that text shows them instead of spelling types out. Initialise it with zeros. */
typedef struct curfew__type_name {
	char *name;
	curfew__shape shape; /* without names itself */
} curfew__type_name;
typedef struct curfew__type_names {
	const struct curfew__type_names *outer; /* used if there is no name here; may be NULL */
	curfew__type_name *names;
	size_t count;
	size_t capacity;
} curfew__type_names;

/*
 * Makes a shape of a type. names may be NULL; the shape borrows them. False: the type is too large (the budget, members
 * of one type, depth) or memory ran out, and nothing needs to be freed.
 */
bool curfew__shape_init(curfew__shape *shape, const wasmtime_component_valtype_t *type, const curfew__type_names *names,
                        size_t *budget);
void curfew__shape_finish(curfew__shape *shape);

/* The position of a member by its name; count if there is none. */
size_t curfew__shape_find(const curfew__shape *shape, const char *name, size_t length);

/* Whether this is an option of an option, for which null would be ambiguous. */
bool curfew__shape_is_nested_option(const curfew__shape *shape);

/* The first type inside that JSON cannot represent, or NULL. Resources are written as numbers, but cannot be read. */
const curfew__shape *curfew__shape_find_foreign(const curfew__shape *shape, bool param);

/* "list<string>", "record {a: u8}", "result<_, e>". A type with a name is shown by its name. */
void curfew__shape_text(const curfew__shape *shape, curfew__buffer *buffer);
/* The same, cut after 80 bytes, so that a message has space for what follows. */
void curfew__shape_short_text(const curfew__shape *shape, curfew__buffer *buffer);
/* The kind alone: "record". */
const char *curfew__shape_kind_text(const curfew__shape *shape);

/*
 * Sets a name for a record, variant, enum, flags or a resource. Nothing happens for other types, whose text is
 * complete. The first name of a type stays. False: as for curfew__shape_init.
 */
bool curfew__type_names_add(curfew__type_names *names, const char *name, size_t length,
                            const wasmtime_component_valtype_t *type, size_t *budget);
bool curfew__type_names_add_resource(curfew__type_names *names, const char *name, size_t length,
                                     const wasmtime_component_resource_type_t *resource);
void curfew__type_names_finish(curfew__type_names *names);

#endif
