/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the imports of a component among the host's functions. They are checked once, when it is linked, within a
 * bound. */
#include "wasm/component_functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "engine/error.h"
#include "wasm/component_convert.h"
#include "wasm/json_values.h"
#include "wasm/machine.h"

/* The maximum number of imports to check. */
enum { LOOKED_AT_MAX = 1000000 };

/* The name of an import, or of an export of an imported instance. */
typedef struct name {
	const char *text;
	size_t length;
} name;

/* The state of the check. */
typedef struct walk {
	const curfew__component_host *host;
	size_t budget;
	wasmtime_component_linker_t *linker; /* NULL: unknown imports are listed */
	curfew__component_function **added;
	curfew_failure *failure;
	curfew__buffer *list;
	bool failed;    /* failure says why */
	name interface; /* the instance whose exports are checked */
	bool is_served; /* some host function serves it */
} walk;

static bool is_equal(const char *text, name other)
{
	return strlen(text) == other.length && !memcmp(text, other.text, other.length);
}

/* Whether functions of this module belong to the interface. */
static bool is_interface(const char *module, name interface)
{
	size_t length = strlen(module);

	if (length > interface.length || memcmp(module, interface.text, length) != 0)
		return false;
	return length == interface.length || (interface.text[length] == '@' && !strchr(module, '@'));
}

/* Finds a function of an interface by name, or any (NULL). A module with a version takes precedence. NULL: none. */
static const curfew__wasm_import *find_import(const curfew__component_host *host, name interface, const name *wanted)
{
	const curfew__wasm_import *found = NULL;

	for (size_t i = 0; i < host->count; i++) {
		const curfew__wasm_import *import = &host->imports[i];
		bool is_named = !wanted || is_equal(import->name, *wanted);
		if (is_named && is_interface(import->module, interface) && (!found || is_equal(import->module, interface)))
			found = import;
	}
	return found;
}

static bool is_wasi(name interface)
{
	static const char *const known[] = {
		"wasi:cli/",        "wasi:clocks/", "wasi:filesystem/", "wasi:http/outgoing-handler@",
		"wasi:http/types@", "wasi:io/",     "wasi:random/",     "wasi:sockets/"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (interface.length > strlen(known[i]) && !memcmp(interface.text, known[i], strlen(known[i])))
			return true;
	return false;
}

/* "INTERFACE.NAME", "NAME". */
static void add_name(curfew__buffer *buffer, name interface, name item)
{
	curfew__buffer_add(buffer, interface.text, interface.length);
	curfew__buffer_add(buffer, ".", interface.length && item.length);
	curfew__buffer_add(buffer, item.text, item.length);
}

static bool refuse_type(const walk *w, const curfew__wasm_import *import, const curfew__signature *signature)
{
	curfew__buffer text;

	curfew__buffer_init(&text, SIZE_MAX / 2);
	curfew__buffer_printf(&text, "host function %s has the type %s->%s, and %s is imported as ", import->name,
	                      import->params, import->results, signature->name);
	curfew__signature_text(signature, &text);
	return curfew__message_take(w->failure, &text);
}

static wasmtime_error_t *add_to_linker(const walk *w, name interface, name item, curfew__component_function *function)
{
	wasmtime_component_linker_instance_t *root = wasmtime_component_linker_root(w->linker), *inner = NULL;
	wasmtime_error_t *error = NULL;

	if (interface.length)
		error = wasmtime_component_linker_instance_add_instance(root, interface.text, interface.length, &inner);
	if (!error)
		error = curfew__component_linker_add_function(inner ? inner : root, item.text, item.length,
		                                              curfew__component_function_call, function);
	if (inner)
		wasmtime_component_linker_instance_delete(inner);
	wasmtime_component_linker_instance_delete(root);
	return error;
}

static curfew__component_function *make_function(const walk *w, const curfew__wasm_import *import)
{
	curfew__component_function *function = calloc(1, sizeof *function);

	if (!function)
		return NULL;
	function->import = import;
	function->next = *w->added;
	return *w->added = function;
}

static bool add_function(const walk *w, name interface, name item, const wasmtime_component_func_type_t *type,
                         const curfew__wasm_import *import)
{
	curfew__component_function *function = make_function(w, import);
	curfew__buffer text;

	curfew__fail(w->failure, "out of memory");
	curfew__buffer_init(&text, 120);
	add_name(&text, interface, item);
	if (function)
		function->signature = curfew__signature_create_imported(text.data ? text.data : "", type, w->failure);
	curfew__buffer_finish(&text);
	if (!function || !function->signature)
		return false;
	if (import->typed && !curfew__component_has_type(import, function->signature))
		return refuse_type(w, import, function->signature);
	return !curfew__failed(add_to_linker(w, interface, item, function), w->failure);
}

static void list(const walk *w, name interface, name item)
{
	curfew__buffer_add(w->list, "\n", w->list->length ? 1 : 0);
	add_name(w->list, interface, item);
}

/* interface without text: an import of the component itself. */
static bool visit(const walk *w, name interface, name item, const wasmtime_component_item_t *what)
{
	static const name own = {"host", 4};
	bool is_function = what->kind == WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC;
	const curfew__wasm_import *import = is_function ? find_import(w->host, interface.length ? interface : own, &item)
	                                                : NULL;

	if (w->linker)
		return !import || add_function(w, interface, item, what->of.component_func, import);
	/* Imported types are allowed, because a type grants nothing. */
	if (!import && what->kind != WASMTIME_COMPONENT_ITEM_TYPE)
		list(w, interface, item);
	return true;
}

/* Charges a check. False: the bound is exceeded. */
static bool spend(walk *w)
{
	if (w->budget == 0) {
		curfew__fail(w->failure, "it has too many imports for host functions");
		w->failed = true;
		return false;
	}
	w->budget--;
	return true;
}

static bool visit_export(void *context, const char *text, size_t length, const wasmtime_component_item_t *what)
{
	walk *w = context;

	if (!spend(w))
		return false;
	size_t listed = w->linker ? 0 : w->list->length;
	w->failed = !visit(w, w->interface, w->is_served ? (name){text, length} : (name){"", 0}, what);
	/* List each interface only once. */
	return !w->failed && (w->is_served || w->list->length == listed);
}

static void visit_instance(walk *w, name interface, const wasmtime_component_instance_type_t *type)
{
	curfew__items exports = {.instance = type};

	w->interface = interface;
	w->is_served = find_import(w->host, interface, NULL);
	if (w->is_served || !w->linker)
		curfew__each_item(&exports, w->host->engine, visit_export, w);
}

static bool visit_import(void *context, const char *text, size_t length, const wasmtime_component_item_t *what)
{
	walk *w = context;
	name item = {text, length};

	if (!spend(w))
		return false;
	if (!is_wasi(item) && what->kind == WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE)
		visit_instance(w, item, what->of.component_instance);
	else if (!is_wasi(item))
		w->failed = !visit(w, (name){"", 0}, item, what);
	return !w->failed;
}

static bool visit_all(walk *w)
{
	wasmtime_component_type_t *type = wasmtime_component_type(w->host->component);
	curfew__items imports = {.component = type, .imports = true};

	curfew__each_item(&imports, w->host->engine, visit_import, w);
	wasmtime_component_type_delete(type);
	return !w->failed;
}

bool curfew__component_link(const curfew__component_host *host, wasmtime_component_linker_t *linker,
                            curfew__component_function **added, curfew_failure *failure)
{
	return visit_all(
		&(walk){.host = host, .budget = LOOKED_AT_MAX, .linker = linker, .added = added, .failure = failure});
}

void curfew__component_functions_destroy(curfew__component_function *added)
{
	for (curfew__component_function *next; added; added = next) {
		next = added->next;
		curfew__signature_destroy(added->signature);
		free(added);
	}
}

void curfew__component_list_unknown(const curfew__component_host *host, curfew__buffer *list)
{
	curfew_failure ignored;

	visit_all(&(walk){.host = host, .budget = LOOKED_AT_MAX, .failure = &ignored, .list = list});
}
