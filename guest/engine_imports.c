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

bool curfew_engine_find_lacking(JSValue *base, JSValue *specifier)
{
	JSContext *ctx = curfew_context;
	struct list_head *at;

	list_for_each(at, &ctx->loaded_modules)
	{
		const JSModuleDef *module = list_entry(at, JSModuleDef, link);
		int request = module->resolved ? lacking_request(ctx, module) : -1;
		if (request < 0)
			continue;
		*base = JS_AtomToString(ctx, module->module_name);
		*specifier = JS_AtomToString(ctx, module->req_module_entries[request].module_name);
		return true;
	}
	return false;
}
