/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The imports and exports of a component as JSON. Types that have a name are shown by it. So all names of a scope (the
 * component, or one instance in it) are gathered first, and then its items are written.
 */
#include "wasm/types.h"

#include "common/json.h"
#include "engine/extra.h"
#include "wasm/shape.h"

#include <string.h>

/* The budget of items and their shapes for one component. */
enum { DESCRIBED = 1000000 };

typedef struct description {
	curfew__json_writer json;
	const wasm_engine_t *engine;
	size_t budget;
} description;

static bool give_up(description *d)
{
	d->json.buffer->failed = true;
	return false;
}

/* Charges one more item. False: the budget is used up. */
static bool spend(description *d)
{
	if (d->budget == 0 || d->json.buffer->failed)
		return give_up(d);
	d->budget--;
	return true;
}

/* The names of one scope. */
typedef struct scope {
	description *description;
	curfew__type_names *names;
} scope;

static bool add_name(description *d, const char *name, size_t length, const wasmtime_component_item_t *item,
                     curfew__type_names *names)
{
	bool added = true;
	if (item->kind == WASMTIME_COMPONENT_ITEM_TYPE)
		added = curfew__type_names_add(names, name, length, &item->of.type, &d->budget);
	else if (item->kind == WASMTIME_COMPONENT_ITEM_RESOURCE)
		added = curfew__type_names_add_resource(names, name, length, item->of.resource);
	return added || give_up(d);
}

static bool gather_name(void *context, const char *name, size_t length, const wasmtime_component_item_t *item)
{
	const scope *own = context;
	return spend(own->description) && add_name(own->description, name, length, item, own->names);
}

static void gather_names(description *d, const curfew__items *list, curfew__type_names *names)
{
	curfew__each_item(list, d->engine, gather_name, &(scope){d, names});
}

/* ---- Types as text --------------------------------------------------------------------------------------- */

/* Takes ownership of the type. top: this item gives the type its name, so it is spelled out. */
static void add_type(description *d, wasmtime_component_valtype_t *type, const curfew__type_names *names, bool top,
                     curfew__buffer *text)
{
	curfew__shape shape;
	bool made = curfew__shape_init(&shape, type, names, &d->budget);
	wasmtime_component_valtype_delete(type);
	if (!made) {
		(void)give_up(d);
		return;
	}
	if (top)
		shape.name = NULL;
	curfew__shape_text(&shape, text);
	curfew__shape_finish(&shape);
}

static void add_function(description *d, const wasmtime_component_func_type_t *type, const curfew__type_names *names,
                         curfew__buffer *text)
{
	wasmtime_component_valtype_t inner;
	size_t count = wasmtime_component_func_type_param_count(type);
	curfew__buffer_add_text(text, wasmtime_component_func_type_async(type) ? "async func(" : "func(");
	for (size_t i = 0; i < count; i++) {
		const char *name;
		size_t length;
		if (!wasmtime_component_func_type_param_nth(type, i, &name, &length, &inner))
			break;
		curfew__buffer_printf(text, "%s%.*s: ", i > 0 ? ", " : "", (int)length, name);
		add_type(d, &inner, names, false, text);
	}
	curfew__buffer_add_text(text, ")");
	if (!wasmtime_component_func_type_result(type, &inner))
		return;
	curfew__buffer_add_text(text, " -> ");
	add_type(d, &inner, names, false, text);
}

static void add_item_type(description *d, const wasmtime_component_item_t *item, const curfew__type_names *names,
                          curfew__buffer *text)
{
	static const char *const kinds[] = {"component", "instance", "module", "func", "resource", "func", "type"};
	wasmtime_component_valtype_t type;
	switch (item->kind) {
	case WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC: add_function(d, item->of.component_func, names, text); break;
	case WASMTIME_COMPONENT_ITEM_CORE_FUNC: curfew__functype_text(item->of.core_func, text); break;
	case WASMTIME_COMPONENT_ITEM_TYPE:
		wasmtime_component_valtype_clone(&item->of.type, &type);
		add_type(d, &type, names, true, text);
		break;
	default: curfew__buffer_add_text(text, kinds[item->kind]);
	}
}

/* ---- Items ----------------------------------------------------------------------------------------------- */

static void write_items(description *d, const char *key, const curfew__items *list, curfew__type_names *names);

static void write_type(description *d, const wasmtime_component_item_t *item, const curfew__type_names *names)
{
	curfew__buffer text;
	curfew__buffer_init(&text, d->json.buffer->limit);
	add_item_type(d, item, names, &text);
	curfew__json_key(&d->json, "type");
	curfew__json_string(&d->json, text.data != NULL ? text.data : "", text.length);
	d->json.buffer->failed |= text.failed;
	curfew__buffer_finish(&text);
}

static void write_instance(description *d, const wasmtime_component_instance_type_t *type,
                           const curfew__type_names *outer)
{
	curfew__items list = {.instance = type};
	curfew__type_names names = {.outer = outer};
	gather_names(d, &list, &names);
	write_items(d, "exports", &list, &names);
	curfew__type_names_finish(&names);
}

static void write_item(description *d, const char *name, size_t length, const wasmtime_component_item_t *item,
                       curfew__type_names *names)
{
	static const char *const kinds[] = {"component", "instance",      "module", "function",
	                                    "resource",  "core function", "type"};
	curfew__json_begin_object(&d->json);
	curfew__json_key(&d->json, "name");
	curfew__json_string(&d->json, name, length);
	curfew__json_key(&d->json, "kind");
	curfew__json_text(&d->json, kinds[item->kind]);
	if (item->kind == WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE)
		write_instance(d, item->of.component_instance, names);
	else
		write_type(d, item, names);
	curfew__json_end_object(&d->json);
}

static bool write_next(void *context, const char *name, size_t length, const wasmtime_component_item_t *item)
{
	const scope *own = context;
	if (!spend(own->description))
		return false;
	write_item(own->description, name, length, item, own->names);
	return true;
}

static void write_items(description *d, const char *key, const curfew__items *list, curfew__type_names *names)
{
	curfew__json_key(&d->json, key);
	curfew__json_begin_array(&d->json);
	curfew__each_item(list, d->engine, write_next, &(scope){d, names});
	curfew__json_end_array(&d->json);
}

void curfew__component_describe(const wasmtime_component_t *component, const wasm_engine_t *engine,
                                curfew__buffer *buffer)
{
	description d = {.engine = engine, .budget = DESCRIBED};
	curfew__json_init(&d.json, buffer);
	wasmtime_component_type_t *type = wasmtime_component_type(component);
	curfew__items imports = {.component = type, .imports = true};
	curfew__items exports = {.component = type};
	curfew__type_names names = {.outer = NULL};
	gather_names(&d, &imports, &names);
	gather_names(&d, &exports, &names);
	curfew__json_begin_object(&d.json);
	write_items(&d, "imports", &imports, &names);
	write_items(&d, "exports", &exports, &names);
	curfew__json_end_object(&d.json);
	curfew__type_names_finish(&names);
	wasmtime_component_type_delete(type);
}
