/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the embedder's that programs import. Modules import them by name and type and pass numbers; for
 * components see component_functions.h.
 */
#ifndef CURFEW_WASM_HOST_FUNCTIONS_H
#define CURFEW_WASM_HOST_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasmtime.h>

#include "curfew.h"
#include "engine/extra.h"

/* The maximum number of parameters, and of results. */
#define CURFEW__HOST_VALUES 16

/* A function that a program may import. */
typedef struct curfew__wasm_import {
	char *module;
	char *name;
	bool typed; /* it has a type; otherwise it takes JSON, and no module can import it */
	bool is_async;
	char params[CURFEW__HOST_VALUES + 1]; /* a letter each: i, I, f, F */
	char results[CURFEW__HOST_VALUES + 1];
	uint64_t fuel; /* cost of a call */
	size_t index;  /* its index in the list */
} curfew__wasm_import;

/* Arguments: JSON, or values for the function's type. */
typedef struct curfew__host_params {
	const char *json; /* [length], NUL-terminated */
	size_t length;
	const curfew_value *values; /* NULL: JSON */
} curfew__host_params;

/* The answer. */
typedef struct curfew__host_answer {
	bool threw;
	char *bytes; /* [length] a message (NULL: out of memory), or JSON (NULL: undefined); free with free */
	size_t length;
	curfew_value values[CURFEW__HOST_VALUES]; /* set if values were passed and it did not throw */
} curfew__host_answer;

struct curfew__wasm;

/* Charges a call before it is made. Any result but CURFEW__CALL_GOES ends the guest. Refused: failure says why. */
curfew__call_verdict curfew__wasm_charge_call(struct curfew__wasm *wasm, const curfew__wasm_import *import,
                                              curfew_failure *failure);

/* Adds the functions that have a type. They and the array [count] must outlive the linker. */
wasmtime_error_t *curfew__linker_add_functions(wasmtime_linker_t *linker, const curfew__wasm_import *imports,
                                               size_t count);

#endif
