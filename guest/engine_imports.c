/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of imports that the engine does not report itself. A part of engine.c, which includes it, because it needs the
 * engine's internals.
 */

/* The engine's texts end at a NUL, so the rest of such a text would be ignored. Frees the text and throws. */
static bool curfew_refuse_cut(JSContext *ctx, const char **text, size_t length)
{
	if (!*text || strlen(*text) == length)
		return false;
	JS_ThrowTypeError(ctx, "cannot import '%.200s': a NUL follows, which no name of a module has", *text);
	JS_FreeCString(ctx, *text);
	*text = NULL;
	return true;
}

static bool has_export(JSContext *ctx, const JSModuleDef *module, int index, JSAtom name)
{
	JSModuleDef *from = module->req_module_entries[index].module, *found;
	JSExportEntry *entry;

	if (!from || name == JS_ATOM__star_)
		return true;
	return js_resolve_export(ctx, &found, &entry, from, name) == JS_RESOLVE_RES_FOUND;
}

/* The request of this module that lacks a wanted export. -1: none does. */
static int lacking_request(JSContext *ctx, const JSModuleDef *module)
{
	for (int i = 0; i < module->import_entries_count; i++) {
		const JSImportEntry *wanted = &module->import_entries[i];
		if (!has_export(ctx, module, wanted->req_module_idx, wanted->import_name))
			return wanted->req_module_idx;
	}
	for (int i = 0; i < module->export_entries_count; i++) {
		const JSExportEntry *given = &module->export_entries[i];
		if (given->export_type == JS_EXPORT_TYPE_INDIRECT &&
		    !has_export(ctx, module, given->u.req_module_idx, given->local_name))
			return given->u.req_module_idx;
	}
	return -1;
}

/* Adds a module to those that are to be looked at, unless it was added under this number already. */
static JSModuleDef *add_unlinked(JSModuleDef *list, JSModuleDef *module, int number)
{
	if (!module || module->status != JS_MODULE_STATUS_UNLINKED || module->dfs_index == number)
		return list;
	module->dfs_index = number;
	module->stack_prev = list;
	return module;
}

bool curfew_engine_find_lacking(JSValueConst root, JSValue *base, JSValue *specifier)
{
	static int number; /* the engine's own are not negative */
	JSContext *ctx = curfew_context;
	JSModuleDef *list = add_unlinked(NULL, JS_VALUE_GET_PTR(root), --number);

	while (list) {
		JSModuleDef *module = list;
		int request = lacking_request(ctx, module);

		if (request >= 0) {
			*base = JS_AtomToString(ctx, module->module_name);
			*specifier = JS_AtomToString(ctx, module->req_module_entries[request].module_name);
			return true;
		}
		list = module->stack_prev;
		for (int i = 0; i < module->req_module_entries_count; i++)
			list = add_unlinked(list, module->req_module_entries[i].module, number);
	}
	return false;
}

static void (*lacking_hook)(JSValueConst module);

void curfew_engine_set_lacking_hook(void (*hook)(JSValueConst module))
{
	lacking_hook = hook;
}

static void curfew_place_lacking(JSContext *ctx, JSModuleDef *module)
{
	(void)ctx;
	lacking_hook(JS_MKPTR(JS_TAG_MODULE, module));
}

/* ---- import() --------------------------------------------------------------------------------------------- */

#define EVAL_NAME "<input>" /* the file name of what eval and Function compile */

static JSFunctionBytecode *code_of(const JSStackFrame *frame)
{
	JSObject *function = JS_IsObject(frame->cur_func) ? JS_VALUE_GET_OBJ(frame->cur_func) : NULL;
	return function && js_class_has_bytecode(function->class_id) ? function->u.func.function_bytecode : NULL;
}

static JSAtom curfew_file_of(JSContext *ctx, const JSStackFrame *frame)
{
	JSAtom own = code_of(frame)->filename;
	char name[FILE_BYTES];

	for (; frame; frame = frame->prev_frame) {
		const JSFunctionBytecode *code = code_of(frame);
		if (!code || curfew_is_prelude(code))
			continue;
		JS_AtomGetStrRT(ctx->rt, name, sizeof name, code->filename);
		if (strcmp(name, EVAL_NAME) != 0)
			return code->filename;
	}
	return own;
}

static JSValue curfew_place_of_call(JSContext *ctx)
{
	const JSStackFrame *frame = ctx->rt->current_stack_frame;
	JSFunctionBytecode *code = frame ? code_of(frame) : NULL;
	char file[FILE_BYTES], text[FILE_BYTES + 48];
	int column;

	if (!code)
		return JS_UNDEFINED;
	int line = find_line_num(ctx, code, (uint32_t)(frame->cur_pc - code->byte_code_buf - 1), &column);
	JS_AtomGetStrRT(ctx->rt, file, sizeof file, code->filename);
	curfew_clean_name(file, strlen(file), strlen(file));
	snprintf(text, sizeof text, "    at %s:%d:%d\n", file, line, column);
	return JS_NewString(ctx, text);
}

/* Whether an error's record begins in a file: where its text is wrong, or with a static import that failed. */
static bool has_place(JSContext *ctx, JSValueConst error)
{
	JSValue trace = curfew_engine_trace_of(error);
	const char *text = JS_IsString(trace) ? JS_ToCString(ctx, trace) : NULL, *end = text ? strchr(text, '\n') : NULL;
	/* A line of a function, here of guest/node, ends with a bracket. */
	bool has = end && end > text && end[-1] != ')';

	JS_FreeCString(ctx, text);
	JS_FreeValue(ctx, trace);
	return has;
}

static void curfew_place_failed_import(JSContext *ctx, JSValueConst place)
{
	JSValue error = JS_GetException(ctx);

	if (!has_place(ctx, error))
		curfew_engine_set_trace(error, place);
	JS_Throw(ctx, error);
}
