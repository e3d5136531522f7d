/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of engine.c: a fast path of structuredClone for plain data, that is objects, arrays, maps, sets, dates and
 * primitive values, without accessors. Reading such data runs no code of the program. So if anything else is found,
 * what was made so far is dropped, and the prelude starts from the beginning.
 */

enum {
	CLONES_MIN = 64,
	CLONES_PER_POLL = 256,
};

typedef struct clone_pair {
	JSObject *from;
	JSValue to;
} clone_pair;

typedef struct plain_clone {
	JSContext *ctx;
	clone_pair *pairs; /* every object found so far; the contents of the first `done` ones are copied */
	uint32_t *table;   /* of `capacity` * 2 places: the index of a pair, plus 1, by the address of its object */
	uint32_t count, done, capacity;
	bool failed; /* an exception is pending */
} plain_clone;

static uint32_t *find_clone(const plain_clone *c, const JSObject *from)
{
	uint32_t mask = c->capacity * 2 - 1, at = (uint32_t)((uintptr_t)from >> 3) * 2654435761u;

	for (at = (at ^ at >> 15) & mask; c->table[at] && c->pairs[c->table[at] - 1].from != from;)
		at = (at + 1) & mask;
	return &c->table[at];
}

static bool grow_clones(plain_clone *c)
{
	uint32_t capacity = c->capacity ? c->capacity * 2 : CLONES_MIN;
	clone_pair *pairs = js_realloc(c->ctx, c->pairs, capacity * sizeof *pairs);

	if (!pairs)
		return !(c->failed = true);
	c->pairs = pairs;
	uint32_t *table = js_mallocz(c->ctx, capacity * 2 * sizeof *table);
	if (!table)
		return !(c->failed = true);
	js_free(c->ctx, c->table);
	c->table = table;
	c->capacity = capacity;
	for (uint32_t i = 0; i < c->count; i++)
		*find_clone(c, pairs[i].from) = i + 1;
	return true;
}

/* An array without holes and without other properties. */
static bool is_dense_array(const JSObject *object)
{
	return object->fast_array && object->shape->prop_count == 1 &&
	       JS_VALUE_GET_TAG(object->prop[0].u.value) == JS_TAG_INT &&
	       (uint32_t)JS_VALUE_GET_INT(object->prop[0].u.value) == object->u.array.count;
}

/* Whether an object has exactly what one of the same shape, made by a literal, would have. */
static bool has_plain_shape(const plain_clone *c, const JSObject *object)
{
	JSShape *shape = object->shape;
	const JSShapeProperty *property = get_shape_prop(shape);

	if (!shape->is_hashed || shape->deleted_prop_count ||
	    shape->proto != JS_VALUE_GET_OBJ(c->ctx->class_proto[JS_CLASS_OBJECT]))
		return false;
	for (int i = 0; i < shape->prop_count; i++, property++) {
		if (property->atom == JS_ATOM_NULL || property->flags != JS_PROP_C_W_E)
			return false;
		if (JS_AtomGetKind(c->ctx, property->atom) != JS_ATOM_KIND_STRING)
			return false;
	}
	return true;
}

/* An empty object of the same kind. JS_UNDEFINED: the object is not plain. */
static JSValue make_clone(const plain_clone *c, JSObject *from)
{
	JSContext *ctx = c->ctx;
	JSValue to;

	switch (from->class_id) {
	case JS_CLASS_OBJECT:
		if (from->is_exotic)
			return JS_UNDEFINED;
		if (!has_plain_shape(c, from))
			return JS_NewObject(ctx);
		to = JS_NewObjectFromShape(ctx, js_dup_shape(from->shape), JS_CLASS_OBJECT, NULL);
		for (int i = 0; !JS_IsException(to) && i < from->shape->prop_count; i++)
			JS_VALUE_GET_OBJ(to)->prop[i].u.value = JS_UNDEFINED;
		return to;
	case JS_CLASS_ARRAY: return is_dense_array(from) ? js_allocate_fast_array(ctx, from->u.array.count) : JS_UNDEFINED;
	case JS_CLASS_DATE: {
		double time;
		JS_ToFloat64(ctx, &time, from->u.object_data);
		return JS_NewDate(ctx, time);
	}
	case JS_CLASS_MAP: return js_map_constructor(ctx, JS_UNDEFINED, 0, NULL, 0);
	case JS_CLASS_SET: return js_map_constructor(ctx, JS_UNDEFINED, 0, NULL, MAGIC_SET);
	default: return JS_UNDEFINED;
	}
}

/* The clone of a value, whose contents may not be copied yet. False: it is not plain, or an exception is pending. */
static bool clone_plain(plain_clone *c, JSValueConst value, JSValue *to)
{
	switch (JS_VALUE_GET_NORM_TAG(value)) {
	case JS_TAG_OBJECT: break;
	case JS_TAG_SYMBOL:
	case JS_TAG_UNINITIALIZED: return false;
	default: *to = JS_DupValue(c->ctx, value); return true;
	}

	JSObject *from = JS_VALUE_GET_OBJ(value);
	if (c->count == c->capacity && !grow_clones(c))
		return false;
	uint32_t *place = find_clone(c, from);
	if (!*place) {
		JSValue made = make_clone(c, from);
		c->failed = JS_IsException(made);
		if (!JS_IsObject(made))
			return false;
		c->pairs[c->count] = (clone_pair){from, made};
		*place = ++c->count;
	}
	*to = JS_DupValue(c->ctx, c->pairs[*place - 1].to);
	return true;
}

static bool copy_elements(plain_clone *c, const JSObject *from, JSObject *to)
{
	for (uint32_t i = 0; i < from->u.array.count; i++)
		if (!clone_plain(c, from->u.array.u.values[i], &to->u.array.u.values[i]))
			return false;
	return true;
}

static bool copy_records(plain_clone *c, const JSObject *from, JSObject *to)
{
	struct list_head *link;
	JSMapState *source = from->u.map_state, *target = to->u.map_state;

	list_for_each(link, &source->records)
	{
		JSMapRecord *record = list_entry(link, JSMapRecord, link);
		JSValue key, value = JS_UNDEFINED;
		if (record->empty)
			continue;
		if (!clone_plain(c, record->key, &key))
			return false;
		if (from->class_id == JS_CLASS_MAP && !clone_plain(c, record->value, &value)) {
			JS_FreeValue(c->ctx, key);
			return false;
		}
		JSMapRecord *added = map_add_record(c->ctx, target, key);
		JS_FreeValue(c->ctx, key);
		if (!added) {
			JS_FreeValue(c->ctx, value);
			return !(c->failed = true);
		}
		added->value = value;
	}
	return true;
}

static bool copy_property(plain_clone *c, const JSShapeProperty *property, JSValueConst value, JSValueConst to)
{
	JSValue clone;

	if (!clone_plain(c, value, &clone))
		return false;
	c->failed = JS_DefinePropertyValue(c->ctx, to, property->atom, clone, JS_PROP_C_W_E) < 0;
	return !c->failed;
}

/* Properties that are private belong to classes, which only the prelude knows. */
static bool copy_properties(plain_clone *c, const JSObject *from, JSValueConst target)
{
	JSObject *to = JS_VALUE_GET_OBJ(target);
	bool same_shape = to->shape == from->shape;

	for (int i = 0; i < from->shape->prop_count; i++) {
		const JSShapeProperty *property = get_shape_prop(from->shape) + i;
		if (same_shape) {
			if (!clone_plain(c, from->prop[i].u.value, &to->prop[i].u.value))
				return false;
			continue;
		}
		if (property->atom == JS_ATOM_NULL)
			continue;
		JSAtomKindEnum kind = JS_AtomGetKind(c->ctx, property->atom);
		if (kind == JS_ATOM_KIND_PRIVATE)
			return false;
		if (kind != JS_ATOM_KIND_STRING || !(property->flags & JS_PROP_ENUMERABLE))
			continue;
		if ((property->flags & JS_PROP_TMASK) || !copy_property(c, property, from->prop[i].u.value, target))
			return false;
	}
	return true;
}

static bool copy_contents(plain_clone *c, const JSObject *from, JSValueConst to)
{
	switch (from->class_id) {
	case JS_CLASS_OBJECT: return copy_properties(c, from, to);
	case JS_CLASS_ARRAY: return copy_elements(c, from, JS_VALUE_GET_OBJ(to));
	case JS_CLASS_MAP:
	case JS_CLASS_SET: return copy_records(c, from, JS_VALUE_GET_OBJ(to));
	default: return true;
	}
}

/* The clone of an object and of everything in it. JS_UNDEFINED: it is not plain, and nothing was done. */
JSValue curfew_engine_clone_plain(JSValueConst value)
{
	JSContext *ctx = curfew_context;
	plain_clone c = {.ctx = ctx};
	JSValue result = JS_UNDEFINED;
	bool ok = JS_IsObject(value) && clone_plain(&c, value, &result);

	for (; ok && c.done < c.count; c.done++) {
		if (c.done % CLONES_PER_POLL == CLONES_PER_POLL - 1 && js_poll_interrupts(ctx))
			c.failed = true;
		ok = !c.failed && copy_contents(&c, c.pairs[c.done].from, c.pairs[c.done].to);
	}
	for (uint32_t i = 0; i < c.count; i++)
		JS_FreeValue(ctx, c.pairs[i].to);
	js_free(ctx, c.pairs);
	js_free(ctx, c.table);
	if (ok)
		return result;
	JS_FreeValue(ctx, result);
	return c.failed ? JS_EXCEPTION : JS_UNDEFINED;
}
