/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports. guest/node/resolve.js decides which file an import means, and what kind of module it is. The host reads the
 * files, and checks by itself that they lie below the directory. Modules are named by their paths in it.
 */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

/* The numbers are the same in guest/node/resolve.js. */
enum { NOT_FOUND = -1, NO_DIRECTORY = -6, OF_MODULE = 1, OF_COMMON = 2, OF_JSON = 3, OF_BUILTIN = 4 };

static char *entry_name;
static bool is_common; /* the program has the variables of CommonJS files */
static JSValue hooks;  /* those of guest/node/resolve.js; JS_UNDEFINED: nothing was imported yet */

/* A file that was read and has not been parsed yet. */
typedef struct text {
	struct text *next;
	char *place; /* its path, with every link resolved */
	char *bytes; /* a line break, the file's content, and a NUL; part of `answer` */
	char *answer;
	bool stripped;   /* its types, if it has any, were removed */
	uint32_t length; /* includes the line break */
} text;
static text *texts;

/* The entry lies at the top of the directory, whatever its name is, unless its name is a path. */
void curfew_modules_set_entry(const char *name)
{
	const char *slash = strrchr(name, '/');
	bool is_path = curfew_control.flags & CURFEW_CONTROL_PATH;

	free(entry_name);
	entry_name = strdup(slash && !is_path ? slash + 1 : name);
}

/* ---- Files ------------------------------------------------------------------------------------------------ */

static text *find_text(const char *place)
{
	text *found = texts;
	while (found && strcmp(found->place, place))
		found = found->next;
	return found;
}

static void drop_text(text *gone)
{
	text **at = &texts;
	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	free(gone->place);
	free(gone->answer);
	free(gone);
}

/* The host's answer: the path, a NUL and the text. NULL: it is malformed. */
static text *take_text(int32_t length)
{
	char *all = calloc(1, (size_t)length + 1);
	text *made = all ? calloc(1, sizeof *made) : NULL;

	if (!made)
		host_stop(CURFEW_STOP_MEMORY);
	host_import_read(all, (uint32_t)length);
	char *end = memchr(all, 0, (size_t)length);
	text *known = end ? find_text(all) : NULL;
	if (!end || known) {
		free(made);
		free(all);
		return known;
	}
	made->place = strdup(all);
	made->answer = all;
	made->bytes = end;
	made->length = (uint32_t)(all + length - end);
	*end = '\n';
	/* A first line for the shell becomes a comment, because after the added line break the parser does not skip it. */
	if (made->length > 2 && end[1] == '#' && end[2] == '!')
		end[1] = end[2] = '/';
	made->next = texts;
	return texts = made;
}

/* Opens a file and keeps its text. NULL: there is none, and *answer is negative. */
static text *open_text(const char *path, int32_t *answer)
{
	*answer = NO_DIRECTORY;
	if (!(curfew_control.flags & CURFEW_CONTROL_IMPORTS))
		return NULL;
	*answer = NOT_FOUND;
	if (!*path)
		return NULL;
	*answer = host_import_open(path, (uint32_t)strlen(path));
	if (curfew_stop_asked() || *answer < 0)
		return NULL;
	return take_text(*answer);
}

static JSValue stopped_or(JSValue value)
{
	return curfew_stop_asked() ? curfew_engine_stop(CURFEW_STOP_POLL) : value;
}

/* importMapText() -> [its path, its text] */
static JSValue import_map_text(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t length = host_import_open(CURFEW_IMPORT_MAP_NAME, sizeof CURFEW_IMPORT_MAP_NAME - 1);
	text *found = length > 0 && !curfew_stop_asked() ? take_text(length) : NULL;

	if (!found)
		return stopped_or(JS_UNDEFINED);
	JSValue both = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, both, 0, JS_NewString(ctx, found->place));
	JS_SetPropertyUint32(ctx, both, 1, JS_NewStringLen(ctx, found->bytes + 1, found->length - 1));
	drop_text(found);
	return both;
}

/* openModule(path) -> the path with every link resolved, or a negative number */
static JSValue open_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = argc ? JS_ToCString(ctx, argv[0]) : NULL;
	int32_t answer;

	if (!path)
		return JS_EXCEPTION;
	text *found = open_text(path, &answer);
	JS_FreeCString(ctx, path);
	return stopped_or(found ? JS_NewString(ctx, found->place) : JS_NewInt32(ctx, answer < 0 ? answer : NOT_FOUND));
}

static JSValue call_hook(JSContext *ctx, const char *name, int argc, JSValueConst *argv);

char *curfew_modules_strip(const char *source, const char *name, size_t *length)
{
	JSContext *ctx = curfew_context;
	JSValue arguments[] = {JS_NewStringLen(ctx, source + 1, *length - 1), JS_NewString(ctx, name)};
	JSValue stripped = call_hook(ctx, "strip", 2, (JSValueConst *)arguments);
	size_t stripped_length = 0;
	const char *text = JS_IsException(stripped) ? NULL : JS_ToCStringLen(ctx, &stripped_length, stripped);
	char *made = text ? malloc(stripped_length + 2) : NULL;

	if (made) {
		made[0] = '\n';
		memcpy(made + 1, text, stripped_length);
		made[stripped_length + 1] = 0;
		*length = stripped_length + 1;
	}
	JS_FreeCString(ctx, text);
	JS_FreeValue(ctx, stripped);
	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, arguments[1]);
	return made;
}

static bool has_types(const char *path)
{
	size_t length = strlen(path);
	const char *dot = strrchr(path, '.');
	return length > 3 && dot && (!strcmp(dot, ".ts") || !strcmp(dot, ".mts") || !strcmp(dot, ".cts"));
}

/* Removes the types from a text, if it may have any. False: an exception is pending. */
static bool strip(text *found)
{
	size_t length = found->length;

	if (found->stripped || !has_types(found->place))
		return true;
	char *made = curfew_modules_strip(found->bytes, found->place, &length);
	if (!made)
		return false;
	free(found->answer);
	found->answer = found->bytes = made;
	found->length = (uint32_t)length;
	found->stripped = true;
	return true;
}

/* The text of a file, kept or read again. NULL: an exception is pending, or a stop was requested. */
static text *need_text(JSContext *ctx, const char *path)
{
	int32_t answer;
	text *found = find_text(path);

	if (!found && !(found = open_text(path, &answer)) && !curfew_stop_asked())
		JS_ThrowReferenceError(ctx, "/%s cannot be read any more", path);
	return found && strip(found) ? found : NULL;
}

/* moduleText(path) -> the file's content */
static JSValue module_text(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = argc ? JS_ToCString(ctx, argv[0]) : NULL;

	if (!path)
		return JS_EXCEPTION;
	text *found = need_text(ctx, path);
	JS_FreeCString(ctx, path);
	return stopped_or(found ? JS_NewStringLen(ctx, found->bytes + 1, found->length - 1) : JS_EXCEPTION);
}

/* dropModule(path): frees the file's text. */
static JSValue drop_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = argc ? JS_ToCString(ctx, argv[0]) : NULL;
	text *found = path ? find_text(path) : NULL;

	if (found)
		drop_text(found);
	JS_FreeCString(ctx, path);
	return JS_UNDEFINED;
}

/* ---- The position of an import ---------------------------------------------------------------------------- */

/* The first string literal in the text with this value. NULL: there is none. */
static const char *find_string(const char *in, size_t length, const char *string)
{
	size_t string_length = strlen(string);

	for (const char *at = in + 1; string_length && at + string_length < in + length; at++) {
		at = memchr(at, *string, (size_t)(in + length - string_length - at));
		if (!at)
			return NULL;
		if ((at[-1] == '"' || at[-1] == '\'') && at[string_length] == at[-1] && !memcmp(at, string, string_length))
			return at - 1;
	}
	return NULL;
}

/* placeOfImport(path, specifier) -> [line, column], or undefined if it is unknown */
static JSValue place_of_import(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = argc > 1 ? JS_ToCString(ctx, argv[0]) : NULL, *string = path ? JS_ToCString(ctx, argv[1]) : NULL;
	const char *in = NULL, *found = NULL;
	size_t length = 0;
	JSValue place = JS_UNDEFINED;

	if (string && entry_name && !strcmp(path, entry_name)) {
		in = (const char *)(uintptr_t)curfew_control.input;
		length = curfew_control.input_length;
	} else if (string) {
		int32_t answer;
		text *kept = find_text(path);
		if (!kept)
			kept = open_text(path, &answer);
		in = kept ? kept->bytes : NULL;
		length = kept ? kept->length : 0;
	}
	if (in && length && (found = find_string(in, length, string))) {
		int32_t line = 0, column = 1;
		for (const char *at = in; at < found; at++) {
			line += *at == '\n';
			column = *at == '\n' ? 1 : column + ((*at & 0xc0) != 0x80);
		}
		place = JS_NewArray(ctx);
		JS_SetPropertyUint32(ctx, place, 0, JS_NewInt32(ctx, line));
		JS_SetPropertyUint32(ctx, place, 1, JS_NewInt32(ctx, column));
	}
	JS_FreeCString(ctx, path);
	JS_FreeCString(ctx, string);
	return stopped_or(place);
}

/* ---- CommonJS --------------------------------------------------------------------------------------------- */

static const char common_head[] = "(function (exports, require, module, __filename, __dirname) {";
static const char common_tail[] = "\n})";

/*
 * undici, which cheerio and others load at once, compiles a parser for its sockets with WebAssembly then. Whether that
 * failed is of interest only when a socket is used, but the promise of it lacks a handler.
 */
static const char unheard_promise[] = "llhttpPromise.catch()", heard_promise[] = "llhttpPromise.catch(()=>{})";

static const char *find_unheard_promise(const char *path, const char *bytes)
{
	return strstr(path, "undici/lib/") ? strstr(bytes, unheard_promise) : NULL;
}

/* compileText(path) -> the function whose body is the file's text */
static JSValue compile_text(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = argc ? JS_ToCString(ctx, argv[0]) : NULL;

	if (!path)
		return JS_EXCEPTION;
	text *found = need_text(ctx, path);
	if (!found) {
		JS_FreeCString(ctx, path);
		return stopped_or(JS_EXCEPTION);
	}
	const char *unheard = find_unheard_promise(path, found->bytes);
	size_t head = sizeof common_head - 1, more = unheard ? sizeof heard_promise - sizeof unheard_promise : 0;
	size_t length = head + found->length + more + sizeof common_tail - 1;
	char *source = malloc(length + 1);
	memcpy(source, common_head, head);
	memcpy(source + head, found->bytes, found->length);
	if (unheard) {
		size_t at = (size_t)(unheard - found->bytes), after = at + sizeof unheard_promise - 1;
		memcpy(source + head + at, heard_promise, sizeof heard_promise - 1);
		memcpy(source + head + after + more, found->bytes + after, found->length - after);
	}
	memcpy(source + head + found->length + more, common_tail, sizeof common_tail);
	JSValue compiled = curfew_engine_compile(source, length, path, JS_EVAL_TYPE_GLOBAL);
	free(source);
	JS_FreeCString(ctx, path);
	return JS_IsException(compiled) ? compiled : JS_EvalFunction(ctx, compiled);
}

/* ---- Modules ---------------------------------------------------------------------------------------------- */

static bool load_hooks(JSContext *ctx)
{
	if (JS_IsObject(hooks))
		return true;
	JSValue loader = JS_GetPropertyStr(ctx, curfew_hooks, "modules");
	JSValue loaded = JS_Call(ctx, loader, JS_UNDEFINED, 0, NULL);
	JS_FreeValue(ctx, loader);
	if (JS_IsException(loaded))
		return false;
	hooks = loaded;
	return true;
}

static JSValue call_hook(JSContext *ctx, const char *name, int argc, JSValueConst *argv)
{
	if (!load_hooks(ctx))
		return JS_EXCEPTION;
	JSValue hook = JS_GetPropertyStr(ctx, hooks, name);
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, argc, argv);
	JS_FreeValue(ctx, hook);
	return answer;
}

static JSValue call_hook_with(JSContext *ctx, const char *name, const char *path)
{
	JSValue argument = JS_NewString(ctx, path);
	JSValue answer = call_hook(ctx, name, 1, (JSValueConst *)&argument);
	JS_FreeValue(ctx, argument);
	return answer;
}

/* A program without a directory finds Node's modules, and what an image of it has resolved already. */
static char *normalize(JSContext *ctx, const char *base, const char *specifier, JSValueConst attributes, void *opaque)
{
	(void)opaque, (void)attributes;
	const char *slash = strrchr(base, '/');
	bool is_entry = !entry_name || !strcmp(base, entry_name) || (slash && !strcmp(slash + 1, entry_name));
	JSValue arguments[] = {JS_NewString(ctx, is_entry && entry_name ? entry_name : base), JS_NewString(ctx, specifier)};
	JSValue found = call_hook(ctx, "resolve", 2, (JSValueConst *)arguments);
	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, arguments[1]);
	if (JS_IsException(found))
		return NULL;
	const char *name = JS_ToCString(ctx, found);
	char *copy = name ? js_strdup(ctx, name) : NULL;
	JS_FreeCString(ctx, name);
	JS_FreeValue(ctx, found);
	return copy;
}

/* Fills import.meta if the text mentions it. */
static bool fill_meta(JSContext *ctx, JSModuleDef *module, const char *bytes, size_t length, const char *path)
{
	static const char word[] = "import.meta";
	bool found = false;

	for (const char *at = bytes; !found && (at = memchr(at, 'i', (size_t)(bytes + length - at))); at++)
		found = (size_t)(bytes + length - at) >= sizeof word - 1 && !memcmp(at, word, sizeof word - 1);
	if (!found)
		return true;
	JSValue arguments[] = {JS_GetImportMeta(ctx, module), JS_NewString(ctx, path)};
	JSValue answer = call_hook(ctx, "meta", 2, (JSValueConst *)arguments);
	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, arguments[1]);
	JS_FreeValue(ctx, answer);
	return !JS_IsException(answer);
}

bool curfew_modules_fill_entry(JSValueConst module, const char *bytes, size_t length)
{
	return fill_meta(curfew_context, JS_VALUE_GET_PTR(module), bytes, length, entry_name);
}

/* Whether the text, which a NUL ends and a line break precedes, mentions the variables of CommonJS files. */
static bool is_like_common(const char *source)
{
	static const char *const words[] = {"require(", "require.",  "module.exports",
	                                    "exports.", "__dirname", "__filename"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		for (const char *at = source; (at = strstr(at, words[i])); at++)
			if (!strchr("'\"`", at[-1]))
				return true;
	return false;
}

int curfew_modules_begin_script(const char *source, size_t length)
{
	JSContext *ctx = curfew_context;

	if (!is_like_common(source))
		return 0;
	JSValue arguments[] = {JS_NewString(ctx, entry_name), JS_NewStringLen(ctx, source, length)};
	JSValue answer = call_hook(ctx, "main", 2, (JSValueConst *)arguments);
	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, arguments[1]);
	JS_FreeValue(ctx, answer);
	is_common = !JS_IsException(answer);
	return is_common ? 0 : -1;
}

JSValue curfew_modules_exports(void)
{
	if (!is_common)
		return JS_UNDEFINED;
	return call_hook(curfew_context, "mainExports", 0, NULL);
}

/* The file of a module. Its path is the module's name, unless it was imported with a query. */
static text *need_text_of(JSContext *ctx, const char *name)
{
	if (!strpbrk(name, "?#"))
		return need_text(ctx, name);
	JSValue file = call_hook_with(ctx, "fileOf", name);
	const char *path = JS_IsException(file) ? NULL : JS_ToCString(ctx, file);
	text *found = path ? need_text(ctx, path) : NULL;
	JS_FreeCString(ctx, path);
	JS_FreeValue(ctx, file);
	return found;
}

int curfew_modules_note_reached(const char *name, const char *text, size_t length)
{
	JSContext *ctx = curfew_context;

	if (!(curfew_control.flags & CURFEW_CONTROL_REACH))
		return 0;
	JSValue arguments[] = {JS_NewString(ctx, name), JS_NewStringLen(ctx, text, length)};
	JSValue answer = call_hook(ctx, "noteReached", 2, (JSValueConst *)arguments);
	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, arguments[1]);
	JS_FreeValue(ctx, answer);
	return JS_IsException(answer) ? -1 : 0;
}

static JSModuleDef *load_module(JSContext *ctx, const char *path)
{
	text *found = need_text_of(ctx, path);

	if (!found)
		return NULL;
	JSValue compiled = curfew_engine_compile(found->bytes, found->length, path, JS_EVAL_TYPE_MODULE);
	if (JS_IsException(compiled))
		return NULL;
	JSModuleDef *definition = JS_VALUE_GET_PTR(compiled);
	JS_FreeValue(ctx, compiled);
	bool ok = fill_meta(ctx, definition, found->bytes, found->length, path) &&
	          curfew_modules_note_reached(path, found->bytes, found->length) == 0;
	drop_text(found);
	return ok ? definition : NULL;
}

/* Sets the exports of a module that is not ECMAScript's to those of this value. */
static int set_exports(JSContext *ctx, JSModuleDef *module, JSValue value)
{
	JSValue names = JS_GetModulePrivateValue(ctx, module);
	int64_t count = 0;
	int result = 0;

	if (JS_IsArray(names))
		JS_GetLength(ctx, names, &count);
	for (int64_t i = 0; result == 0 && i < count; i++) {
		JSValue item = JS_GetPropertyInt64(ctx, names, i);
		const char *name = JS_ToCString(ctx, item);
		JSValue exported = JS_IsObject(value) ? JS_GetPropertyStr(ctx, value, name) : JS_UNDEFINED;
		result = JS_IsException(exported) ? -1 : JS_SetModuleExport(ctx, module, name, exported);
		JS_FreeCString(ctx, name);
		JS_FreeValue(ctx, item);
	}
	JS_FreeValue(ctx, names);
	if (result == 0)
		result = JS_SetModuleExport(ctx, module, "module.exports", JS_DupValue(ctx, value));
	if (result == 0)
		return JS_SetModuleExport(ctx, module, "default", value);
	JS_FreeValue(ctx, value);
	return result;
}

static int begin_common(JSContext *ctx, JSModuleDef *module)
{
	JSAtom atom = JS_GetModuleName(ctx, module);
	const char *path = JS_AtomToCString(ctx, atom);
	JSValue value = path ? call_hook_with(ctx, "common", path) : JS_EXCEPTION;

	JS_FreeCString(ctx, path);
	JS_FreeAtom(ctx, atom);
	return JS_IsException(value) ? -1 : set_exports(ctx, module, value);
}

/* Creates a module whose exports a hook lists, and `begin` sets. */
static JSModuleDef *load_other(JSContext *ctx, const char *path, const char *hook, JSModuleInitFunc *begin)
{
	JSValue names = call_hook_with(ctx, hook, path);
	JSModuleDef *module = JS_IsException(names) ? NULL : JS_NewCModule(ctx, path, begin);
	int64_t count = 0;

	if (!module) {
		JS_FreeValue(ctx, names);
		return NULL;
	}
	JS_GetLength(ctx, names, &count);
	for (int64_t i = 0; i < count; i++) {
		JSValue item = JS_GetPropertyInt64(ctx, names, i);
		const char *name = JS_ToCString(ctx, item);
		JS_AddModuleExport(ctx, module, name);
		JS_FreeCString(ctx, name);
		JS_FreeValue(ctx, item);
	}
	JS_AddModuleExport(ctx, module, "default");
	JS_AddModuleExport(ctx, module, "module.exports");
	JS_SetModulePrivateValue(ctx, module, names);
	return module;
}

static JSModuleDef *load_common(JSContext *ctx, const char *path)
{
	JSModuleDef *module = load_other(ctx, path, "exports", begin_common);
	JSValue prepared = module ? call_hook_with(ctx, "prepare", path) : JS_EXCEPTION;

	JS_FreeValue(ctx, prepared);
	return JS_IsException(prepared) ? NULL : module;
}

static int begin_builtin(JSContext *ctx, JSModuleDef *module)
{
	JSAtom atom = JS_GetModuleName(ctx, module);
	const char *path = JS_AtomToCString(ctx, atom);
	JSValue value = path ? call_hook_with(ctx, "builtin", path) : JS_EXCEPTION;

	JS_FreeCString(ctx, path);
	JS_FreeAtom(ctx, atom);
	return JS_IsException(value) ? -1 : set_exports(ctx, module, value);
}

static int begin_json(JSContext *ctx, JSModuleDef *module)
{
	return JS_SetModuleExport(ctx, module, "default", JS_GetModulePrivateValue(ctx, module));
}

static JSModuleDef *load_json(JSContext *ctx, const char *path)
{
	JSValue value = call_hook_with(ctx, "json", path);

	if (JS_IsException(value))
		return NULL;
	JSModuleDef *module = JS_NewCModule(ctx, path, begin_json);
	if (module)
		JS_AddModuleExport(ctx, module, "default");
	if (module)
		JS_SetModulePrivateValue(ctx, module, value);
	return module;
}

static JSModuleDef *load(JSContext *ctx, const char *path, void *opaque, JSValueConst attributes)
{
	(void)opaque;
	JSValue type = JS_IsObject(attributes) ? JS_GetPropertyStr(ctx, attributes, "type") : JS_UNDEFINED;
	JSValue arguments[] = {JS_NewString(ctx, path), type};
	JSValue answer = call_hook(ctx, "kind", 2, (JSValueConst *)arguments);
	int32_t kind = 0;

	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, type);
	if (JS_IsException(answer) || JS_ToInt32(ctx, &kind, answer))
		return NULL;
	JSModuleDef *module = kind == OF_JSON      ? load_json(ctx, path)
	                      : kind == OF_COMMON  ? load_common(ctx, path)
	                      : kind == OF_BUILTIN ? load_other(ctx, path, "builtinExports", begin_builtin)
	                                           : load_module(ctx, path);
	if (!module && curfew_stop_asked())
		curfew_engine_stop(CURFEW_STOP_POLL);
	return module;
}

/* "type" is the only supported attribute. */
static int check_attributes(JSContext *ctx, void *opaque, JSValueConst attributes)
{
	JSPropertyEnum *names;
	uint32_t count;
	bool ok = true;
	(void)opaque;

	if (JS_GetOwnPropertyNames(ctx, &names, &count, attributes, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0)
		return -1;
	for (uint32_t i = 0; ok && i < count; i++) {
		const char *name = JS_AtomToCString(ctx, names[i].atom);
		ok = name && !strcmp(name, "type");
		if (!ok && name)
			JS_ThrowTypeError(ctx, "the import attribute '%s' is not known: only type is", name);
		JS_FreeCString(ctx, name);
	}
	JS_FreePropertyEnum(ctx, names, count);
	return ok ? 0 : -1;
}

/* entryPath() -> the program's path, or undefined */
static JSValue entry_path(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	return entry_name ? JS_NewString(ctx, entry_name) : JS_UNDEFINED;
}

void curfew_modules_loaded(void)
{
	JSContext *ctx = curfew_context;

	if (!JS_IsObject(hooks))
		return;
	JSValue had = call_hook(ctx, "forget", 0, NULL);

	if (JS_ToBool(ctx, had) > 0)
		JS_RunGC(curfew_runtime);
	JS_FreeValue(ctx, had);
}

static bool has_process; /* Node's `process` was created; it may listen for the end */

static JSValue note_process(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	has_process = true;
	return JS_UNDEFINED;
}

static int call_end_hook(const char *name)
{
	JSContext *ctx = curfew_context;
	JSValue answer = has_process ? call_hook(ctx, name, 0, NULL) : JS_FALSE;
	int result = JS_IsException(answer) ? -1 : JS_ToBool(ctx, answer);

	JS_FreeValue(ctx, answer);
	return result;
}

void curfew_modules_failed(int code)
{
	JSContext *ctx = curfew_context;
	JSValue argument = JS_NewInt32(ctx, code);
	JSValue answer = has_process ? call_hook(ctx, "failed", 1, (JSValueConst *)&argument) : JS_UNDEFINED;

	/* An error of a listener hides none of what failed before. */
	if (JS_IsException(answer))
		JS_FreeValue(ctx, JS_GetException(ctx));
	JS_FreeValue(ctx, answer);
}

int curfew_modules_before_end(void)
{
	return call_end_hook("beforeEnd");
}

int curfew_modules_end(void)
{
	return call_end_hook("end");
}

void curfew_modules_place_lacking(JSValueConst module)
{
	JSContext *ctx = curfew_context;
	JSValue error = JS_GetException(ctx), arguments[3] = {error, JS_UNDEFINED, JS_UNDEFINED};

	if (JS_IsObject(error) && curfew_engine_find_lacking(module, &arguments[1], &arguments[2])) {
		JSValue answer = call_hook(ctx, "place", 3, (JSValueConst *)arguments);
		if (JS_IsException(answer))
			JS_FreeValue(ctx, JS_GetException(ctx));
		JS_FreeValue(ctx, answer);
	}
	JS_FreeValue(ctx, arguments[1]);
	JS_FreeValue(ctx, arguments[2]);
	JS_Throw(ctx, error);
}

int curfew_modules_begin_reaching(void)
{
	JSValue answer = call_hook(curfew_context, "beginReaching", 0, NULL);
	JS_FreeValue(curfew_context, answer);
	return JS_IsException(answer) ? -1 : 0;
}

/* Parses a generated module ([name, text]) that imports the file that was found. It is never evaluated. */
static void load_reached(JSContext *ctx, JSValueConst next)
{
	JSValue base = JS_GetPropertyUint32(ctx, next, 0), text = JS_GetPropertyUint32(ctx, next, 1);
	size_t length = 0;
	const char *name = JS_ToCString(ctx, base), *source = JS_ToCStringLen(ctx, &length, text);
	JSValue compiled = name && source ? curfew_engine_compile(source, length, name, JS_EVAL_TYPE_MODULE) : JS_EXCEPTION;

	if (JS_IsException(compiled) || JS_ResolveModule(ctx, compiled) < 0)
		JS_FreeValue(ctx, JS_GetException(ctx));
	JS_FreeValue(ctx, compiled);
	JS_FreeCString(ctx, name);
	JS_FreeCString(ctx, source);
	JS_FreeValue(ctx, base);
	JS_FreeValue(ctx, text);
}

int curfew_modules_reach(void)
{
	JSContext *ctx = curfew_context;
	bool found = true;

	while (found && !curfew_stop_asked()) {
		JSValue next = call_hook(ctx, "nextReached", 0, NULL);
		found = JS_IsObject(next);
		if (found)
			load_reached(ctx, next);
		JS_FreeValue(ctx, next);
		if (JS_IsException(next))
			return -1;
	}
	return 0;
}

int curfew_modules_load_map(void)
{
	JSValue answer = call_hook(curfew_context, "loadImportMap", 0, NULL);
	JS_FreeValue(curfew_context, answer);
	return JS_IsException(answer) ? -1 : 0;
}

int curfew_modules_add_globals(void)
{
	JSValue answer = call_hook(curfew_context, "globals", 0, NULL);
	JS_FreeValue(curfew_context, answer);
	return JS_IsException(answer) ? -1 : 0;
}

/* requireModule(path) -> the namespace of an ECMAScript module, which must not wait for anything */
static JSValue require_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = argc ? JS_ToCString(ctx, argv[0]) : NULL;

	if (!path)
		return JS_EXCEPTION;
	JSModuleDef *module = curfew_engine_loaded(path);
	if (!module)
		module = load_module(ctx, path);
	JS_FreeCString(ctx, path);
	return stopped_or(module ? curfew_engine_require(module) : JS_EXCEPTION);
}

void curfew_modules_natives(JSValueConst native)
{
	JSContext *ctx = curfew_context;
	static const struct {
		const char *name;
		JSCFunction *function;
	} functions[] = {
		{"openModule", open_module},        {"moduleText", module_text},   {"dropModule", drop_module},
		{"placeOfImport", place_of_import}, {"compileText", compile_text}, {"requireModule", require_module},
		{"entryPath", entry_path},          {"noteProcess", note_process}, {"importMapText", import_map_text},
	};

	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		JS_SetPropertyStr(ctx, native, functions[i].name,
		                  JS_NewCFunction(ctx, functions[i].function, functions[i].name, 0));
}

void curfew_modules_init(void)
{
	hooks = JS_UNDEFINED;
	JS_SetModuleLoaderFunc2(curfew_runtime, NULL, load, check_attributes, NULL);
	JS_SetModuleNormalizeFunc2(curfew_runtime, normalize);
	curfew_engine_set_lacking_hook(curfew_modules_place_lacking);
}
