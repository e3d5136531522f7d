/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the embedder's that components import. They are found by name, and called by the type with which the
 * component imports them. A function NAME of the module "host" is the import NAME of a component, or NAME of an
 * instance "host". One of another module is NAME of the interface of that name, in any version if the module's name has
 * none.
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

/* What a component may import in addition to WASI. */
typedef struct curfew__component_host {
	const wasmtime_component_t *component;
	const wasm_engine_t *engine;
	const curfew__wasm_import *imports; /* [count] */
	size_t count;
} curfew__component_host;

/* The function that one import was linked with. */
typedef struct curfew__component_function {
	const curfew__wasm_import *import;
	curfew__signature *signature; /* the type with which the component calls it */
	struct curfew__component_function *next;
} curfew__component_function;

/*
 * Adds the functions that the component imports. They and *added, a list for curfew__component_functions_destroy, must
 * outlive everything that is made with the linker. False: failure says which function is imported with another type, or
 * cannot be called; *added must be destroyed even then.
 */
bool curfew__component_link(const curfew__component_host *host, wasmtime_component_linker_t *linker,
                            curfew__component_function **added, curfew_failure *failure);
void curfew__component_functions_destroy(curfew__component_function *added);

/* Lists the imports that are neither of WASI nor one of these functions, one on each line: INTERFACE.NAME, or INTERFACE
 * if it has no name. */
void curfew__component_list_unknown(const curfew__component_host *host, curfew__buffer *list);

/* Whether the type of a function equals this one. */
bool curfew__component_has_type(const curfew__wasm_import *import, const curfew__signature *signature);
/* Handles a call of a component's; env is a curfew__component_function. A curfew__component_callback. */
void curfew__component_function_call(void *env, wasmtime_context_t *context, const wasmtime_component_val_t *params,
                                     size_t param_count, wasmtime_component_val_t *results, size_t result_count,
                                     wasmtime_error_t **error, wasmtime_async_continuation_t *continuation);

#endif
