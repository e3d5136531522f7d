/* SPDX-License-Identifier: Apache-2.0 */
/* Internals of component_values.h: types of functions, and conversion of one value in both directions. */
#ifndef CURFEW_WASM_COMPONENT_CONVERT_H
#define CURFEW_WASM_COMPONENT_CONVERT_H

#include "wasm/component_values.h"
#include "wasm/shape.h"

struct curfew__signature {
	char *name;
	bool imported; /* the component calls the function, not the host */
	size_t count;
	curfew__shape *params; /* [count] */
	bool has_result;
	curfew__shape result;
};

/* Host memory that values may use: it is charged to left_bytes before it is allocated. */
typedef struct curfew__value_budget {
	size_t limit_bytes;
	size_t left_bytes;
} curfew__value_budget;

/*
 * Makes the value of a parameter (counted from 1, for messages; 0: of a result) from the next JSON, in *out, which is
 * zeroed memory. curfew__shape_find_foreign must have found nothing in the shape. False: message says why; *out may
 * contain a part, and must be released.
 */
bool curfew__component_param(const curfew__shape *shape, size_t parameter, curfew__json_reader *reader,
                             curfew__value_budget *budget, wasmtime_component_val_t *out, curfew_failure *failure);
/* The same for a result whose side (0: ok, 1: err) is known, from the JSON of its value; NULL: it has none. */
bool curfew__component_side(const curfew__shape *shape, size_t side, curfew__json_reader *reader,
                            curfew__value_budget *budget, wasmtime_component_val_t *out, curfew_failure *failure);

/* Writes a value of this type as one JSON text. */
void curfew__component_write(const curfew__shape *shape, const wasmtime_component_val_t *v, curfew__buffer *buffer);

#endif
