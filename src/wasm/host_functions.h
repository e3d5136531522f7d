/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the embedder's that modules import: linked by name and type, called with values. */
#ifndef CURFEW_WASM_HOST_FUNCTIONS_H
#define CURFEW_WASM_HOST_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasmtime.h>

/* Most parameters, and most results. */
#define CURFEW__HOST_VALUES 16

/* A function as a module may import it. */
typedef struct curfew__wasm_import {
	char *module;
	char *name;
	bool typed;                         /* it has a type; else no module can import it */
	bool is_async;
	char params[CURFEW__HOST_VALUES + 1]; /* a letter each: i, I, f, F */
	char results[CURFEW__HOST_VALUES + 1];
	uint64_t fuel;                      /* what a call costs */
	size_t index;                       /* in the list that it is in */
} curfew__wasm_import;

/* Adds those that have a type; they and the array [count] must outlive the linker. */
wasmtime_error_t *curfew__linker_add_functions(wasmtime_linker_t *linker, const curfew__wasm_import *imports,
                                               size_t count);

#endif
