/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts and modules: compiles, links and evaluates them, and lists their imports and exports. A part of engine.c,
 * which includes it, because it needs the engine's internals.
 */

/*
 * The engine counts the columns of the first line from 0, since no line break precedes it. So a line break is put
 * before every text, and lines are counted from 0.
 */
JSValue curfew_engine_compile(const char *source, size_t length, const char *name, int type)
{
	JSContext *ctx = curfew_context;
	JSValue prepare = ctx->error_prepare_stack;

	/* A text that does not parse may be parsed in another way next, so the program does not see this error yet. */
	ctx->error_prepare_stack = JS_UNDEFINED;
	JSValue compiled = JS_EvalInternal(ctx, ctx->global_obj, source, length, name, 0, type | JS_EVAL_FLAG_COMPILE_ONLY,
	                                   -1);
	if (stopping)
		kept_prepare = prepare;
	else
		ctx->error_prepare_stack = prepare;
	return compiled;
}

int curfew_engine_link(JSValueConst module)
{
	JSContext *ctx = curfew_context;
	JSModuleDef *definition = JS_VALUE_GET_PTR(module);
	return js_create_module_function(ctx, definition) < 0 || js_link_module(ctx, definition) < 0 ? -1 : 0;
}

JSModuleDef *curfew_engine_loaded(const char *name)
{
	JSContext *ctx = curfew_context;
	JSAtom atom = JS_NewAtom(ctx, name);
	JSModuleDef *found = js_find_loaded_module_by_name(ctx, atom);
	JS_FreeAtom(ctx, atom);
	return found;
}

JSValue curfew_engine_require(JSModuleDef *module)
{
	JSContext *ctx = curfew_context;

	if (module->status == JS_MODULE_STATUS_LINKING || module->status == JS_MODULE_STATUS_EVALUATING)
		return JS_ThrowTypeError(
			ctx, "cannot require an ECMAScript module that is being evaluated: the imports are a circle");
	JSValue value = js_dup(JS_MKPTR(JS_TAG_MODULE, module));
	if (JS_ResolveModule(ctx, value) < 0) {
		JS_FreeValue(ctx, value);
		return JS_EXCEPTION;
	}
	JSValue promise = JS_EvalFunction(ctx, value);
	if (JS_IsException(promise))
		return promise;
	JSPromiseStateEnum state = JS_PromiseState(ctx, promise);
	JSValue result = state == JS_PROMISE_REJECTED ? JS_PromiseResult(ctx, promise) : JS_UNDEFINED;
	if (state == JS_PROMISE_REJECTED)
		JS_PromiseMarkAsHandled(ctx, promise);
	JS_FreeValue(ctx, promise);
	if (state == JS_PROMISE_REJECTED)
		return JS_Throw(ctx, result);
	if (state == JS_PROMISE_PENDING)
		return JS_ThrowTypeError(ctx, "cannot require an ECMAScript module that awaits at its top level: import() it");
	return JS_GetModuleNamespace(ctx, module);
}

/* Adds { name, kind } to an array. */
static JSValue add_item(JSContext *ctx, JSValueConst list, JSAtom name, const char *kind)
{
	JSValue item = JS_NewObject(ctx);
	int64_t count = 0;

	JS_SetPropertyStr(ctx, item, "name", JS_AtomToString(ctx, name));
	JS_SetPropertyStr(ctx, item, "kind", JS_NewString(ctx, kind));
	JS_GetLength(ctx, list, &count);
	JS_SetPropertyInt64(ctx, list, count, JS_DupValue(ctx, item));
	return item;
}

JSValue curfew_engine_imports(JSValueConst module)
{
	JSContext *ctx = curfew_context;
	const JSModuleDef *definition = JS_VALUE_GET_PTR(module);
	JSValue list = JS_NewArray(ctx);

	for (int i = 0; i < definition->req_module_entries_count; i++)
		JS_FreeValue(ctx, add_item(ctx, list, definition->req_module_entries[i].module_name, "module"));
	return list;
}

JSValue curfew_engine_exports(JSValueConst module)
{
	JSContext *ctx = curfew_context;
	JSValue exports = JS_GetModuleNamespace(ctx, JS_VALUE_GET_PTR(module)), list = JS_NewArray(ctx);
	JSPropertyEnum *names = NULL;
	uint32_t count = 0;

	if (JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK) < 0)
		count = 0;
	for (uint32_t i = 0; i < count; i++) {
		JSValue item = add_item(ctx, list, names[i].atom, "value");
		JS_SetPropertyStr(ctx, item, "type", JS_NULL);
		JS_FreeValue(ctx, item);
	}
	JS_FreePropertyEnum(ctx, names, count);
	JS_FreeValue(ctx, exports);
	return list;
}

JSValue curfew_engine_global(const char *name)
{
	JSContext *ctx = curfew_context;
	JSAtom atom = JS_NewAtom(ctx, name);
	JSValue value = JS_GetGlobalVar(ctx, atom, false);

	if (JS_IsException(value)) {
		JS_FreeValue(ctx, JS_GetException(ctx));
		value = JS_UNDEFINED;
	}
	JS_FreeAtom(ctx, atom);
	return value;
}

/* A class cannot be called, and its prototype cannot be replaced, unlike that of a function. */
bool curfew_engine_is_class(JSValueConst value)
{
	JSContext *ctx = curfew_context;
	JSPropertyDescriptor descriptor;

	if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT || JS_VALUE_GET_OBJ(value)->class_id != JS_CLASS_BYTECODE_FUNCTION ||
	    JS_GetOwnProperty(ctx, &descriptor, value, JS_ATOM_prototype) <= 0)
		return false;
	JS_FreeValue(ctx, descriptor.value);
	JS_FreeValue(ctx, descriptor.getter);
	JS_FreeValue(ctx, descriptor.setter);
	return !(descriptor.flags & JS_PROP_WRITABLE);
}

void curfew_engine_throw_missing(const char *name, JSValueConst exports)
{
	JSContext *ctx = curfew_context;
	JSPropertyEnum *names = NULL;
	uint32_t count = 0;
	char list[160] = "";
	size_t length = 0;

	if (!JS_IsObject(exports)) {
		JS_ThrowReferenceError(ctx, "there is no global function '%s' to call", name);
		return;
	}
	if (JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK) < 0)
		count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const char *one = JS_AtomToCString(ctx, names[i].atom);
		size_t size = one ? strlen(one) : sizeof list;
		if (length + size + 6 < sizeof list)
			length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", length ? ", " : "", one);
		else if (length && list[length - 1] != '.')
			length += (size_t)snprintf(list + length, sizeof list - length, "...");
		JS_FreeCString(ctx, one);
	}
	JS_FreePropertyEnum(ctx, names, count);
	JS_ThrowReferenceError(ctx, "there is no exported function '%s' to call; exported %s %s", name,
	                       count == 1 ? "is" : "are", count ? list : "no names");
}
