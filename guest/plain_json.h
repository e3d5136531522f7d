/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of engine.c: a fast path of JSON.stringify for plain data. The engine's own way looks up keys by their text,
 * asks every value for toJSON and makes several strings for each value. Only a program with something unusual in its
 * data can observe those steps. So plain data is written directly, and if anything else is found, the engine starts
 * from the beginning.
 */

/* Deeper data is left to the engine, which checks its stack and finds cycles. */
#define PLAIN_DEPTH 64

/* The output, and the prototypes that plain data has. */
typedef struct plain_json {
	JSContext *ctx;
	StringBuffer out;
	JSObject *object_prototype;
	JSObject *array_prototype;
} plain_json;

static bool write_plain(plain_json *json, JSValueConst value, int depth);

static bool write_text(plain_json *json, const char *text, size_t length)
{
	return !string_buffer_write8(&json->out, (const uint8_t *)text, (int)length);
}

static bool is_quiet(uint8_t byte)
{
	return byte >= ' ' && byte != '"' && byte != '\\';
}

static bool write_escape(plain_json *json, uint8_t byte)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char escape[8] = "\\u00";

	for (const char *at = shorts; *at; at += 2) {
		if ((uint8_t)at[0] != byte)
			continue;
		escape[1] = at[1];
		return write_text(json, escape, 2);
	}
	escape[4] = (char)('0' + (byte >> 4));
	escape[5] = "0123456789abcdef"[byte & 15];
	return write_text(json, escape, 6);
}

static bool write_quoted(plain_json *json, JSString *string)
{
	if (string->is_wide_char)
		return false;

	const uint8_t *at = str8(string), *end = at + string->len;
	bool ok = write_text(json, "\"", 1);
	while (ok && at < end) {
		const uint8_t *from = at;
		while (at < end && is_quiet(*at))
			at++;
		ok = write_text(json, (const char *)from, (size_t)(at - from));
		if (ok && at < end)
			ok = write_escape(json, *at++);
	}
	return ok && write_text(json, "\"", 1);
}

static bool write_number(plain_json *json, JSValueConst number)
{
	char digits[16];

	if (JS_VALUE_GET_TAG(number) == JS_TAG_INT)
		return write_text(json, digits, i32toa(digits, JS_VALUE_GET_INT(number)));
	if (!isfinite(JS_VALUE_GET_FLOAT64(number)))
		return write_text(json, "null", 4);
	JSValue text = JS_ToString(json->ctx, number);
	bool ok = !JS_IsException(text) && !string_buffer_concat_value(&json->out, text);
	JS_FreeValue(json->ctx, text);
	return ok;
}

/* An array without holes and without other properties. */
static bool is_plain_array(const plain_json *json, const JSObject *object)
{
	return object->class_id == JS_CLASS_ARRAY && object->fast_array && object->shape->prop_count == 1 &&
	       object->shape->proto == json->array_prototype && JS_VALUE_GET_TAG(object->prop[0].u.value) == JS_TAG_INT &&
	       (uint32_t)JS_VALUE_GET_INT(object->prop[0].u.value) == object->u.array.count;
}

static bool write_array(plain_json *json, const JSObject *array, int depth)
{
	bool ok = write_text(json, "[", 1);

	for (uint32_t i = 0; ok && i < array->u.array.count; i++) {
		JSValueConst element = array->u.array.u.values[i];
		ok = i == 0 || write_text(json, ",", 1);
		ok = ok && (JS_IsUndefined(element) || JS_IsSymbol(element) ? write_text(json, "null", 4)
		                                                            : write_plain(json, element, depth));
	}
	return ok && write_text(json, "]", 1);
}

/* Keys that are indexes or toJSON are excluded: their order or meaning needs the engine. */
static bool is_plain_key(const plain_json *json, JSAtom atom)
{
	if (__JS_AtomIsTaggedInt(atom) || atom == JS_ATOM_toJSON)
		return false;
	const JSString *text = json->ctx->rt->atom_array[atom];
	return !text->len || text->is_wide_char || str8((JSString *)text)[0] > '9';
}

/* Writes one property. *first: none was written yet. */
static bool write_property(plain_json *json, const JSShapeProperty *shape, JSValueConst value, int depth, bool *first)
{
	JSString *key = json->ctx->rt->atom_array[shape->atom];

	if (JS_IsUndefined(value) || JS_IsSymbol(value))
		return true;
	bool ok = (*first || write_text(json, ",", 1)) && write_quoted(json, key) && write_text(json, ":", 1);
	*first = false;
	return ok && write_plain(json, value, depth);
}

static bool write_object(plain_json *json, const JSObject *object, int depth)
{
	const JSShapeProperty *shape = get_shape_prop(object->shape);
	bool ok = write_text(json, "{", 1), first = true;

	for (int i = 0; ok && i < object->shape->prop_count; i++, shape++) {
		if (shape->atom == JS_ATOM_NULL)
			continue;
		if (!__JS_AtomIsTaggedInt(shape->atom) &&
		    json->ctx->rt->atom_array[shape->atom]->atom_type != JS_ATOM_TYPE_STRING)
			continue;
		ok = is_plain_key(json, shape->atom) && !(shape->flags & JS_PROP_TMASK);
		if (ok && (shape->flags & JS_PROP_ENUMERABLE))
			ok = write_property(json, shape, object->prop[i].u.value, depth, &first);
	}
	return ok && write_text(json, "}", 1);
}

/* False: the value is not plain, or memory ran out. What was written so far is useless then. */
static bool write_plain(plain_json *json, JSValueConst value, int depth)
{
	switch (JS_VALUE_GET_NORM_TAG(value)) {
	case JS_TAG_INT:
	case JS_TAG_FLOAT64: return write_number(json, value);
	case JS_TAG_STRING: return write_quoted(json, JS_VALUE_GET_STRING(value));
	case JS_TAG_BOOL: return JS_VALUE_GET_BOOL(value) ? write_text(json, "true", 4) : write_text(json, "false", 5);
	case JS_TAG_NULL: return write_text(json, "null", 4);
	case JS_TAG_OBJECT: break;
	default: return false;
	}

	const JSObject *object = JS_VALUE_GET_OBJ(value);
	if (depth == PLAIN_DEPTH)
		return false;
	if (is_plain_array(json, object))
		return write_array(json, object, depth + 1);
	bool is_plain = object->class_id == JS_CLASS_OBJECT && !object->is_exotic &&
	                (!object->shape->proto || object->shape->proto == json->object_prototype);
	return is_plain && write_object(json, object, depth + 1);
}

/* Whether no prototype of plain data changes how its JSON is made. */
static bool prototypes_are_plain(const plain_json *json)
{
	JSProperty *property;

	return json->array_prototype->shape->proto == json->object_prototype &&
	       !find_own_property(&property, json->object_prototype, JS_ATOM_toJSON) &&
	       !find_own_property(&property, json->array_prototype, JS_ATOM_toJSON);
}

/* The JSON text of an object or array. JS_UNDEFINED: it is not plain, and nothing was done. */
static JSValue curfew_plain_json(JSContext *ctx, JSValueConst value)
{
	plain_json json = {.ctx = ctx};

	if (!JS_IsObject(value))
		return JS_UNDEFINED;
	json.object_prototype = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT]);
	json.array_prototype = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]);
	if (!prototypes_are_plain(&json) || string_buffer_init(ctx, &json.out, 0))
		return JS_UNDEFINED;
	if (write_plain(&json, value, 0))
		return string_buffer_end(&json.out);
	string_buffer_free(&json.out);
	return JS_UNDEFINED;
}
