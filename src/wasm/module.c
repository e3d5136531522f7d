/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core modules: a command starts with _start; a reactor is readied by _initialize before a function of it is called; and
 * a module that is neither is done once it is instantiated, if no function was asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm/core_values.h"
#include "wasm/parts.h"
#include "wasm/types.h"

static bool is_name(const wasm_exporttype_t *export, const char *name)
{
	const wasm_name_t *own = wasm_exporttype_name(export);
	return own->size == strlen(name) && !memcmp(own->data, name, own->size);
}

static const wasm_exporttype_t *find_export(const wasm_exporttype_vec_t *exports, const char *name)
{
	for (size_t i = 0; i < exports->size; i++)
		if (is_name(exports->data[i], name))
			return exports->data[i];
	return NULL;
}

static const wasm_functype_t *function_of(const wasm_exporttype_t *export)
{
	const wasm_externtype_t *type = export ? wasm_exporttype_type(export) : NULL;
	return type && wasm_externtype_kind(type) == WASM_EXTERN_FUNC ? wasm_externtype_as_functype_const(type) : NULL;
}

/* "no function x is exported; there are: a, b". */
static void refuse_name(curfew__wasm *wasm, const wasm_exporttype_vec_t *exports, const char *call)
{
	const wasm_exporttype_t *other = find_export(exports, call);
	curfew__buffer text;
	const char *between = "; there are: ";

	curfew__buffer_init(&text, 4096);
	curfew__buffer_printf(&text, "no function %.100s is exported", call);
	if (other) {
		curfew__buffer_printf(&text, ": it is ");
		static const char *const kinds[] = { [WASM_EXTERN_FUNC] = "a function", [WASM_EXTERN_GLOBAL] = "a global",
			                                 [WASM_EXTERN_TABLE] = "a table", [WASM_EXTERN_MEMORY] = "a memory" };
		wasm_externkind_t kind = wasm_externtype_kind(wasm_exporttype_type(other));
		curfew__buffer_printf(&text, "%s", kind < sizeof kinds / sizeof *kinds ? kinds[kind] : "something else");
	}
	for (size_t i = 0; i < exports->size; i++) {
		const wasm_name_t *name = wasm_exporttype_name(exports->data[i]);
		if (!function_of(exports->data[i]))
			continue;
		curfew__buffer_printf(&text, "%s%.*s", between, (int)(name->size < 60 ? name->size : 60), name->data);
		between = ", ";
	}
	snprintf(wasm->message, sizeof wasm->message, "%s", text.data ? text.data : "no such function is exported");
	curfew__buffer_finish(&text);
}

static bool make_call(curfew__wasm *wasm, const char *name, const wasm_functype_t *type)
{
	size_t params = wasm_functype_params(type)->size, results = wasm_functype_results(type)->size;

	wasm->calls = true;
	wasm->name = strdup(name);
	wasm->of.module.type = wasm_functype_copy(type);
	wasm->of.module.params = calloc(params ? params : 1, sizeof *wasm->of.module.params);
	wasm->of.module.results = calloc(results ? results : 1, sizeof *wasm->of.module.results);
	if (!wasm->name || !wasm->of.module.params || !wasm->of.module.results) {
		snprintf(wasm->message, sizeof wasm->message, "out of memory");
		return false;
	}
	return curfew__core_params(name, type, &wasm->params, wasm->of.module.params, wasm->message);
}

static bool prepare(curfew__wasm *wasm, const char *call)
{
	wasm_exporttype_vec_t exports;
	const char *name = call ? call : "_start";
	bool good = true;

	wasmtime_module_exports(wasm->code->module, &exports);
	const wasm_functype_t *type = function_of(find_export(&exports, name));
	wasm->starts = !call && type;
	if (type)
		good = make_call(wasm, name, type);
	else if (call)
		refuse_name(wasm, &exports, call);
	wasm_exporttype_vec_delete(&exports);
	return good && (type || !call);
}

static wasmtime_call_future_t *instantiate(curfew__wasm *wasm)
{
	return wasmtime_instance_pre_instantiate_async(wasm->code->module_pre, wasm->store_context, &wasm->of.module.instance,
	                                               &wasm->trap, &wasm->error);
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
	bool wanted = !wasm->starts && strcmp(wasm->name, "_initialize") && find_function(wasm, "_initialize");
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
		snprintf(wasm->message, sizeof wasm->message, "the function is gone");
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

static void finish(curfew__wasm *wasm)
{
	if (wasm->of.module.type)
		wasm_functype_delete(wasm->of.module.type);
	free(wasm->of.module.params);
	free(wasm->of.module.results);
	wasm->of.module.type = NULL;
	wasm->of.module.params = wasm->of.module.results = NULL;
}

const curfew__part curfew__part_module = { prepare, instantiate, initialize, call, outcome, value, finish };
