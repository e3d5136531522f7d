/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/link.h"

#include "engine/error.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "wasm/types.h"

/* The number of imports that a message names at most. */
#define NAMED_MAX 8

bool curfew__wasm_fail(curfew__wasm_error *error, const char *name, bool internal, const char *message)
{
	*error = (curfew__wasm_error){.name = name, .message = strdup(message), .internal = internal};
	return false;
}

/* ---- Linking ---------------------------------------------------------------------------------------------- */

static const wasmtime_linker_t *linker_of(const curfew__code *code)
{
	return code->linker ? code->linker : code->machine->linker;
}

/* Lists the imports of a module that the linker does not have, one on each line. */
static void list_unknown(const curfew__code *code, curfew__buffer *list)
{
	wasm_importtype_vec_t imports;
	wasmtime_store_t *store = wasmtime_store_new(code->machine->engine, NULL, NULL);

	wasmtime_module_imports(code->module, &imports);
	for (size_t i = 0; i < imports.size; i++) {
		const wasm_name_t *module = wasm_importtype_module(imports.data[i]),
						  *name = wasm_importtype_name(imports.data[i]);
		wasmtime_extern_t found;
		if (wasmtime_linker_get(linker_of(code), wasmtime_store_context(store), module->data, module->size, name->data,
		                        name->size, &found)) {
			wasmtime_extern_delete(&found);
			continue;
		}
		curfew__buffer_add(list, "\n", list->length ? 1 : 0);
		curfew__buffer_add(list, module->data, module->size);
		curfew__buffer_add(list, ".", 1);
		curfew__buffer_add(list, name->data, name->size);
		curfew__buffer_add(list, " ", 1);
		curfew__externtype_text(wasm_importtype_type(imports.data[i]), list);
	}
	wasm_importtype_vec_delete(&imports);
	wasmtime_store_delete(store);
}

static curfew__component_host host_of(const curfew__offered *offered, const curfew__code *code)
{
	return (curfew__component_host){code->component, code->machine->engine, offered->imports, offered->count};
}

static void list_imports(const curfew__offered *offered, const curfew__code *code, curfew__buffer *list)
{
	curfew__component_host host = host_of(offered, code);

	if (code->is_component)
		curfew__component_list_unknown(&host, list);
	else
		list_unknown(code, list);
}

/* Writes the first NAMED_MAX names of a list, and how many more there are. */
static void name_some(const curfew__buffer *list, curfew__buffer *text)
{
	const char *at = list->data, *end = at + list->length;
	size_t named = 0, more = 0;

	for (const char *next; at < end; at = next + 1) {
		next = memchr(at, '\n', (size_t)(end - at));
		next = next ? next : end;
		if (named == NAMED_MAX) {
			more++;
			continue;
		}
		curfew__buffer_add(text, ", ", named++ ? 2 : 0);
		curfew__buffer_add(text, at, (size_t)(next - at));
	}
	if (more)
		curfew__buffer_printf(text, ", and %zu more ('curfew inspect' lists them)", more);
}

static bool fail_link(const curfew__offered *offered, const curfew__code *code, const char *message,
                      curfew__wasm_error *error)
{
	const char *note = offered->count && !code->is_component
	                       ? " (a module imports host functions of its type, and none that take JSON)"
	                       : "";
	curfew__buffer list, text;

	curfew__buffer_init(&list, 65536);
	curfew__buffer_init(&text, 65600);
	list_imports(offered, code, &list);
	if (list.length) {
		curfew__buffer_add_text(&text, "unknown imports: ");
		name_some(&list, &text);
		curfew__buffer_add_text(&text, note);
	}
	bool listed = list.length && !list.failed && !text.failed;
	curfew__wasm_fail(error, "LinkError", false, listed ? text.data : message);
	curfew__buffer_finish(&list);
	curfew__buffer_finish(&text);
	return false;
}

/* Makes a linker from the machine's and the host functions. False: *failure says which cannot be linked. */
static bool make_linker(const curfew__offered *offered, curfew__code *code, curfew_failure *failure)
{
	curfew__component_host host = host_of(offered, code);

	if (!offered->count)
		return true;
	if (code->is_component) {
		code->component_linker = curfew__component_linker_clone(code->machine->component_linker);
		return curfew__component_link(&host, code->component_linker, &code->functions, failure);
	}
	code->linker = wasmtime_linker_clone(code->machine->linker);
	return !curfew__failed(curfew__linker_add_functions(code->linker, offered->imports, offered->count), failure);
}

static bool link(const curfew__offered *offered, curfew__code *code, curfew__wasm_error *error)
{
	curfew_failure failure;
	wasmtime_error_t *failed = NULL;

	if (!make_linker(offered, code, &failure))
		return curfew__wasm_fail(error, "LinkError", false, failure.message);
	if (code->is_component)
		code->component_pre = curfew__component_pre_create(code->component_linker ? code->component_linker
		                                                                          : code->machine->component_linker,
		                                                   code->component, &failed);
	else
		failed = wasmtime_linker_instantiate_pre(linker_of(code), code->module, &code->module_pre);
	return !curfew__failed(failed, &failure) || fail_link(offered, code, failure.message, error);
}

/* ---- Loading ---------------------------------------------------------------------------------------------- */

/* A module's file is mapped, so only what is executed is read. A component is copied. */
static bool load(const curfew__compiled *compiled, curfew__code *code, curfew__wasm_error *error)
{
	curfew_failure failure = {.message = "out of descriptors"};
	wasm_engine_t *engine = code->machine->engine;
	wasmtime_error_t *failed;

	if (compiled->is_component) {
		failed = wasmtime_component_deserialize(engine, compiled->bytes, compiled->code_length, &code->component);
	} else {
		int file = fcntl(compiled->file, F_DUPFD_CLOEXEC, 0);
		if (file < 0)
			return curfew__wasm_fail(error, "CompileError", true, failure.message);
		failed = curfew__module_open(engine, file, &code->module);
	}
	return !curfew__failed(failed, &failure) || curfew__wasm_fail(error, "CompileError", true, failure.message);
}

/* Registers the address range of the code, and where it can be interrupted. */
static bool find_range(curfew__code *code, curfew__wasm_error *error)
{
	bool is_known = curfew__code_range_find(code->module, code->component, &code->range);

	if (is_known && (code->range.first == code->range.end || code->range.landing))
		return true;
	return curfew__wasm_fail(error, "CompileError", true,
	                         "the compiled code has an unknown layout: it could not be interrupted");
}

curfew__code *curfew__code_create(const curfew__compiled *compiled, curfew__machine *machine,
                                  const curfew__offered *offered, curfew__wasm_error *error)
{
	curfew__code *code = calloc(1, sizeof *code);

	if (!code) {
		curfew__wasm_fail(error, "CompileError", true, "out of memory");
		return NULL;
	}
	code->machine = machine;
	code->is_component = compiled->is_component;
	code->imports_wasi = compiled->imports_wasi;
	if (load(compiled, code, error) && find_range(code, error) && link(offered, code, error))
		return code;
	curfew__code_destroy(code);
	return NULL;
}

void curfew__code_destroy(curfew__code *code)
{
	if (code->component_pre)
		curfew__component_pre_destroy(code->component_pre);
	if (code->component)
		wasmtime_component_delete(code->component);
	if (code->module_pre)
		wasmtime_instance_pre_delete(code->module_pre);
	if (code->module)
		wasmtime_module_delete(code->module);
	if (code->linker)
		wasmtime_linker_delete(code->linker);
	if (code->component_linker)
		wasmtime_component_linker_delete(code->component_linker);
	curfew__component_functions_destroy(code->functions);
	free(code);
}
