/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Components. A function is named as it is exported, NAME or INTERFACE#NAME; NAME alone is enough if only one interface
 * has it. A command exports wasi:cli/run, which is called if no function is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "engine/extra.h"
#include "wasm/parts.h"

#define COMMAND "wasi:cli/run@"

/* A function that was found. */
typedef struct place {
	char interface[256]; /* "": exported by the component itself */
	char name[256];
	wasmtime_component_item_t item; /* of kind COMPONENT_FUNC */
	unsigned count;                 /* number of functions of this name */
} place;

/* What is searched for, and where. */
typedef struct search {
	curfew__wasm *wasm;
	wasmtime_component_type_t *type;
	const char *interface; /* NULL: any; a prefix, if it ends in @ */
	const char *name;
	place *found;
} search;

static bool is_interface(const char *wanted, const char *name, size_t length)
{
	size_t size = strlen(wanted);

	if (!size)
		return false;
	if (wanted[size - 1] == '@')
		return length > size && !memcmp(name, wanted, size);
	return length == size && !memcmp(name, wanted, size);
}

/* Takes ownership of an item with the wanted name. */
static void note_export(const search *s, const char *interface, size_t interface_length,
                        wasmtime_component_item_t *item)
{
	place *found = s->found;
	size_t length = strlen(s->name);

	if (item->kind != WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC || found->count++ || length >= sizeof found->name ||
	    interface_length >= sizeof found->interface) {
		wasmtime_component_item_delete(item);
		return;
	}
	memcpy(found->interface, interface, interface_length);
	memcpy(found->name, s->name, length);
	found->item = *item;
}

static void search_instance(const search *s, const char *interface, size_t length)
{
	const wasm_engine_t *engine = s->wasm->code->machine->engine;
	wasmtime_component_item_t instance, item;

	if (!wasmtime_component_type_export_get(s->type, engine, interface, length, &instance))
		return;
	if (instance.kind == WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE &&
	    wasmtime_component_instance_type_export_get(instance.of.component_instance, engine, s->name, strlen(s->name),
	                                                &item))
		note_export(s, interface, length, &item);
	wasmtime_component_item_delete(&instance);
}

static bool search_item(void *context, const char *name, size_t length, uint8_t kind)
{
	const search *s = context;

	if (kind == WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE &&
	    (!s->interface || is_interface(s->interface, name, length)))
		search_instance(s, name, length);
	return !s->wasm->host->stopped(s->wasm->context);
}

/* A function that the component itself exports takes precedence over one of an interface. */
static void find_export(search *s)
{
	const wasm_engine_t *engine = s->wasm->code->machine->engine;
	wasmtime_component_item_t item;

	s->type = wasmtime_component_type(s->wasm->code->component);
	if (!s->interface && wasmtime_component_type_export_get(s->type, engine, s->name, strlen(s->name), &item))
		note_export(s, "", 0, &item);
	if (!s->found->count)
		curfew__component_each_export(s->type, engine, search_item, s);
	wasmtime_component_type_delete(s->type);
}

static wasmtime_component_export_index_t *index_of(const curfew__code *code, const place *found)
{
	wasmtime_component_export_index_t *outer = NULL, *index;

	if (found->interface[0])
		outer = wasmtime_component_get_export_index(code->component, NULL, found->interface, strlen(found->interface));
	if (found->interface[0] && !outer)
		return NULL;
	index = wasmtime_component_get_export_index(code->component, outer, found->name, strlen(found->name));
	if (outer)
		wasmtime_component_export_index_delete(outer);
	return index;
}

static bool refuse_call(curfew__wasm *wasm, const char *call, unsigned count)
{
	curfew__fail(&wasm->failure,
	             count ? "%.120s is exported by several interfaces; name one: INTERFACE#NAME"
	                   : "no function %.120s is exported",
	             call);
	return false;
}

static bool make_call(curfew__wasm *wasm, const place *found)
{
	wasm->calls = true;
	wasm->name = strdup(found->name);
	wasm->of.component.index = index_of(wasm->code, found);
	if (!wasm->name || !wasm->of.component.index)
		return refuse_call(wasm, found->name, 0);
	wasm->of.component.signature = curfew__signature_create(found->name, found->item.of.component_func, &wasm->failure);
	wasm->of.component.has_call = wasm->of.component.signature &&
	                              curfew__component_call_init(&wasm->of.component.call, wasm->of.component.signature,
	                                                          &wasm->params, wasm->memory_limit, &wasm->failure);
	return wasm->of.component.has_call;
}

static bool prepare_call(curfew__wasm *wasm, const char *call)
{
	char interface[256] = "";
	const char *hash = call ? strrchr(call, '#') : NULL;
	place found = {.count = 0};
	search wanted = {wasm, NULL, call ? NULL : COMMAND, call ? call : "run", &found};

	if (hash && (size_t)(hash - call) < sizeof interface) {
		memcpy(interface, call, (size_t)(hash - call));
		wanted.interface = interface;
		wanted.name = hash + 1;
	}
	find_export(&wanted);
	wasm->starts = !call && found.count;
	if (!found.count && !call)
		return true;
	if (!found.count || !found.name[0])
		return refuse_call(wasm, wanted.name, found.count);
	bool good = found.count == 1 || !call ? make_call(wasm, &found) : refuse_call(wasm, call, found.count);
	wasmtime_component_item_delete(&found.item);
	return good;
}

static wasmtime_call_future_t *instantiate(curfew__wasm *wasm)
{
	return curfew__component_pre_instantiate(wasm->code->component_pre, wasm->store_context,
	                                         &wasm->of.component.instance, &wasm->error);
}

static wasmtime_call_future_t *initialize(curfew__wasm *wasm)
{
	(void)wasm;
	return NULL;
}

static wasmtime_call_future_t *call(curfew__wasm *wasm)
{
	curfew__component_call *values = &wasm->of.component.call;

	if (!wasmtime_component_instance_get_func(&wasm->of.component.instance, wasm->store_context,
	                                          wasm->of.component.index, &wasm->of.component.function)) {
		refuse_call(wasm, wasm->name, 0);
		return NULL;
	}
	return wasmtime_component_func_call_async(&wasm->of.component.function, wasm->store_context, values->params,
	                                          values->param_count, values->results, values->result_count, &wasm->error);
}

static curfew__wasm_end outcome(curfew__wasm *wasm)
{
	curfew__buffer ignored;

	curfew__buffer_init(&ignored, 0);
	bool good = curfew__component_call_result(&wasm->of.component.call, &ignored);
	curfew__buffer_finish(&ignored);
	/* A command reports its failure by this error. */
	wasm->exit_code = !good;
	return good ? CURFEW__WASM_DONE : wasm->starts ? CURFEW__WASM_EXITED : CURFEW__WASM_THREW;
}

static void value(curfew__wasm *wasm, curfew__buffer *buffer)
{
	if (!wasm->starts)
		curfew__component_call_result(&wasm->of.component.call, buffer);
}

static void release_call(curfew__wasm *wasm)
{
	if (wasm->of.component.has_call)
		curfew__component_call_finish(&wasm->of.component.call, NULL);
	curfew__signature_destroy(wasm->of.component.signature);
	if (wasm->of.component.index)
		wasmtime_component_export_index_delete(wasm->of.component.index);
	wasm->of.component.has_call = false;
	wasm->of.component.signature = NULL;
	wasm->of.component.index = NULL;
}

const curfew__part curfew__part_component = {prepare_call, instantiate, initialize, call, outcome, value, release_call};
