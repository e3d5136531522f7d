/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core modules. A command starts with _start. A reactor is initialised by _initialize before a function of it is
 * called. A module that is neither is finished once it is instantiated, if no function was named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "common/bytes.h"
#include "engine/extra.h"
#include "wasm/core_values.h"
#include "wasm/parts.h"
#include "wasm/types.h"

static const char *const kinds[] = {[WASM_EXTERN_FUNC] = "a function",
                                    [WASM_EXTERN_GLOBAL] = "a global",
                                    [WASM_EXTERN_TABLE] = "a table",
                                    [WASM_EXTERN_MEMORY] = "a memory"};

static bool add_function_name(void *context, const char *name, size_t length, uint8_t kind)
{
	curfew__buffer *text = context;

	if (kind == WASM_EXTERN_FUNC)
		curfew__buffer_printf(text, "%s%.*s", text->length ? ", " : "; there are: ", (int)(length < 60 ? length : 60),
		                      name);
	return !text->failed;
}

/* "no function x is exported; there are: a, b". */
static void refuse_name(curfew__wasm *wasm, const char *call, const char *other)
{
	curfew__buffer names;

	curfew__buffer_init(&names, sizeof wasm->failure.message);
	curfew__module_each_export(wasm->code->module, add_function_name, &names);
	curfew__fail(&wasm->failure, "no function %.100s is exported%s%s%s", call, other ? ": it is " : "",
	             other ? other : "", names.data ? names.data : "");
	curfew__buffer_finish(&names);
}

/* Takes ownership of the type. */
static bool make_call(curfew__wasm *wasm, const char *name, wasm_functype_t *type)
{
	size_t params = wasm_functype_params(type)->size, results = wasm_functype_results(type)->size;

	wasm->calls = true;
	wasm->name = strdup(name);
	wasm->of.module.type = type;
	wasm->of.module.params = calloc(params ? params : 1, sizeof *wasm->of.module.params);
	wasm->of.module.results = calloc(results ? results : 1, sizeof *wasm->of.module.results);
	if (!wasm->name || !wasm->of.module.params || !wasm->of.module.results) {
		curfew__fail(&wasm->failure, "out of memory");
		return false;
	}
	return curfew__core_params(name, type, &wasm->params, wasm->of.module.params, &wasm->failure);
}

static bool prepare_call(curfew__wasm *wasm, const char *call)
{
	const char *name = call ? call : "_start";
	wasm_functype_t *type = NULL;
	uint8_t kind = 0;
	bool found = curfew__module_find_export(wasm->code->module, name, strlen(name), &kind, &type);

	wasm->starts = !call && type;
	if (type)
		return make_call(wasm, name, type);
	if (call)
		refuse_name(wasm, call, !found ? NULL : kind < sizeof kinds / sizeof *kinds ? kinds[kind] : "something else");
	return !call;
}

static wasmtime_call_future_t *instantiate(curfew__wasm *wasm)
{
	return wasmtime_instance_pre_instantiate_async(wasm->code->module_pre, wasm->store_context,
	                                               &wasm->of.module.instance, &wasm->trap, &wasm->error);
}

static bool find_function(curfew__wasm *wasm, const char *name)
{
	wasmtime_extern_t found;

	if (!wasmtime_instance_export_get(wasm->store_context, &wasm->of.module.instance, name, strlen(name), &found) ||
	    found.kind != WASMTIME_EXTERN_FUNC)
		return false;
	wasm->of.module.function = found.of.func;
	return true;
}

static wasmtime_call_future_t *call_function(curfew__wasm *wasm, size_t params, size_t results)
{
	return wasmtime_func_call_async(wasm->store_context, &wasm->of.module.function, wasm->of.module.params, params,
	                                wasm->of.module.results, results, &wasm->trap, &wasm->error);
}

static wasmtime_call_future_t *initialize(curfew__wasm *wasm)
{
	bool wanted = !wasm->starts && strcmp(wasm->name, "_initialize") != 0 && find_function(wasm, "_initialize");
	wasm_functype_t *type = wanted ? wasmtime_func_type(wasm->store_context, &wasm->of.module.function) : NULL;

	wanted = type && !wasm_functype_params(type)->size && !wasm_functype_results(type)->size;
	if (type)
		wasm_functype_delete(type);
	return wanted ? call_function(wasm, 0, 0) : NULL;
}

static wasmtime_call_future_t *call(curfew__wasm *wasm)
{
	const wasm_functype_t *type = wasm->of.module.type;

	if (!find_function(wasm, wasm->name)) {
		curfew__fail(&wasm->failure, "the function is gone");
		return NULL;
	}
	return call_function(wasm, wasm_functype_params(type)->size, wasm_functype_results(type)->size);
}

static curfew__wasm_end outcome(curfew__wasm *wasm)
{
	(void)wasm;
	return CURFEW__WASM_DONE;
}

static void value(curfew__wasm *wasm, curfew__buffer *buffer)
{
	if (!wasm->starts)
		curfew__core_results(wasm->of.module.results, wasm_functype_results(wasm->of.module.type)->size, buffer);
}

static void release_call(curfew__wasm *wasm)
{
	if (wasm->of.module.type)
		wasm_functype_delete(wasm->of.module.type);
	free(wasm->of.module.params);
	free(wasm->of.module.results);
	wasm->of.module.type = NULL;
	wasm->of.module.params = wasm->of.module.results = NULL;
}

const curfew__part curfew__part_module = {prepare_call, instantiate, initialize, call, outcome, value, release_call};
