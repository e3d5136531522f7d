/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the embedder's that components import: found by name, called by the type that the component imports them
 * with. A function NAME of the module "host" is the import NAME of a component, and NAME of an instance "host"; one of
 * another module is NAME of the interface of that name, of any version if the module's name has none.
 */
#ifndef CURFEW_WASM_COMPONENT_FUNCTIONS_H
#define CURFEW_WASM_COMPONENT_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <wasmtime.h>
#include <wasmtime/component.h>

#include "common/bytes.h"
#include "wasm/component_values.h"
#include "wasm/host_functions.h"

/* What a component may import besides WASI. */
typedef struct curfew__component_host {
	const wasmtime_component_t *component;
	const wasm_engine_t *engine;
	const curfew__wasm_import *imports; /* [count] */
	size_t count;
} curfew__component_host;

/* What one import was given. */
typedef struct curfew__component_function {
	const curfew__wasm_import *import;
	curfew__signature *signature; /* by which the component calls it */
	struct curfew__component_function *next;
} curfew__component_function;

/*
 * Adds what the component imports of these functions. They and *added, a list for curfew__component_functions_destroy,
 * outlive what is made with the linker. False: failure says what has another type than is imported, or cannot be
 * called; *added is owed all the same.
 */
bool curfew__component_link(const curfew__component_host *host, wasmtime_component_linker_t *linker,
                            curfew__component_function **added, curfew_failure *failure);
void curfew__component_functions_destroy(curfew__component_function *added);

/* The imports that are neither of WASI nor one of these functions: INTERFACE.NAME, or INTERFACE where it has none. */
void curfew__component_list_unknown(const curfew__component_host *host, curfew__buffer *list);

/* Whether a function with a type has this one. */
bool curfew__component_has_type(const curfew__wasm_import *import, const curfew__signature *signature);
/* A component calls; env is a curfew__component_function. As curfew__component_callback has it. */
void curfew__component_function_call(void *env, wasmtime_context_t *context, const wasmtime_component_val_t *params,
                                     size_t param_count, wasmtime_component_val_t *results, size_t result_count,
                                     wasmtime_error_t **error, wasmtime_async_continuation_t *continuation);

#endif
