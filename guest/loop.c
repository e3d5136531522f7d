/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a program inside the guest. It is loaded once (an image may be taken then), started, and resumed when the
 * host has an event for it. Each entry runs until there is nothing left to do before a known time.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define EXIT_UNSETTLED 13 /* as in Node */

typedef enum phase { EVALUATING, CALLING, SETTLED } phase;

static JSValue program; /* a compiled script or module that has not run yet */
static JSValue module;  /* the module, to read its exports from; JS_UNDEFINED for a script */
static JSValue result;  /* the program's result so far: a value or a promise of it */
static phase progress;
static bool abort_notified;
static bool result_wrapped; /* the result is, or is a promise of, an object whose "value" is the real result */
static bool
	result_returned; /* a function or a module returned it on purpose; a script's last expression may be incidental */

/* The name as the host wrote it, for the engine's records. */
static char *text_at(uint32_t address, uint32_t length)
{
	char *text = malloc(length + 1);
	memcpy(text, (const void *)(uintptr_t)address, length);
	text[length] = 0;
	return text;
}

/* Memory that the host requested. It is kept until the next call, or for a program's text until it is parsed. */
typedef struct room {
	struct room *next;
	char bytes[];
} room;
static room *rooms;

static void free_buffers(void)
{
	while (rooms) {
		room *gone = rooms;
		rooms = gone->next;
		free(gone);
	}
}

CURFEW_EXPORT("curfew_alloc") uint32_t curfew_alloc(uint32_t length)
{
	/* The parser needs a NUL after the source. */
	room *made = calloc(1, sizeof *made + (size_t)length + 1);
	if (!made)
		return 0;
	made->next = rooms;
	rooms = made;
	return (uint32_t)(uintptr_t)made->bytes;
}

/* Fills the object that the prelude receives. */
static void add_natives(JSValueConst native)
{
	JSContext *ctx = curfew_context;

	curfew_natives_init(native);
	curfew_timers_init(native);
	curfew_tasks_init(native);
	curfew_operations_init(native);
	curfew_modules_natives(native);
	curfew_assets_init(native);
	curfew_functions_init(native);
	curfew_compression_init(native);
	curfew_brotli_init(native);
	curfew_crypto_init(native);
	curfew_zones_init(native);
	curfew_node_init(native);
	curfew_web_init(ctx, native);
	curfew_url_pattern_init(ctx, native);
}

CURFEW_EXPORT("curfew_setup") int32_t curfew_setup(void)
{
	program = module = result = JS_UNDEFINED;
	curfew_engine_init(add_natives);
	curfew_rejections_init();
	curfew_modules_init();
	curfew_engine_allocate_together();
	return curfew_control.error_name_length ? CURFEW_GUEST_THREW : CURFEW_GUEST_DONE;
}

/* ---- Loading ---------------------------------------------------------------------------------------------- */

static const char *loading; /* the program's name while it is being loaded */

static JSValue compile(const char *source, size_t length, const char *name, int type)
{
	JSContext *ctx = curfew_context;
	JSValue compiled = curfew_engine_compile(source, length, name, type);

	if (type == JS_EVAL_TYPE_MODULE && !JS_IsException(compiled)) {
		bool is_entry = name && !strcmp(name, loading ? loading : "");
		if (is_entry && !curfew_modules_fill_entry(compiled, source, length))
			return JS_EXCEPTION;
		if (JS_ResolveModule(ctx, compiled) < 0)
			return JS_EXCEPTION;
		if (curfew_engine_link(compiled) < 0) {
			curfew_modules_place_lacking(compiled);
			return JS_EXCEPTION;
		}
		module = JS_DupValue(ctx, compiled);
	}
	return compiled;
}

/* How far the parser got in the program's own text. LONG_MAX: it parsed all of it, and the error is another one. */
static long parsed_until(JSContext *ctx, JSValueConst error, const char *name)
{
	JSValue kind = JS_GetPropertyStr(ctx, error, "name"), stack = curfew_engine_trace_of(error);
	const char *kind_text = JS_ToCString(ctx, kind), *text = JS_ToCString(ctx, stack);
	size_t name_length = strlen(name);
	long position = LONG_MAX;

	/* The stack of a syntax error begins with "    at NAME:LINE:COLUMN". */
	if (kind_text && text && !strcmp(kind_text, "SyntaxError") && strlen(text) > 7 + name_length &&
	    !strncmp(text + 7, name, name_length) && text[7 + name_length] == ':') {
		char *column;
		position = strtol(text + 8 + name_length, &column, 10) * 100000;
		position += *column == ':' ? strtol(column + 1, NULL, 10) : 0;
	}
	JS_FreeCString(ctx, kind_text);
	JS_FreeCString(ctx, text);
	JS_FreeValue(ctx, kind);
	JS_FreeValue(ctx, stack);
	return position;
}

/* Both parses failed. Throw the error of the one that got further: that is the grammar the author meant. */
static JSValue throw_further(JSContext *ctx, JSValue as_script, const char *name)
{
	JSValue other = JS_GetException(ctx);
	bool other_meant = parsed_until(ctx, other, name) > parsed_until(ctx, as_script, name);

	JS_FreeValue(ctx, other_meant ? as_script : other);
	return JS_Throw(ctx, other_meant ? other : as_script);
}

/*
 * Compiles a script, or a module if only the grammar of modules accepts the text. Node distinguishes them in the same
 * way.
 */
static JSValue compile_either(const char *source, size_t length, const char *name)
{
	JSContext *ctx = curfew_context;
	JSValue compiled = compile(source, length, name, JS_EVAL_TYPE_GLOBAL);

	if (!JS_IsException(compiled))
		return compiled;
	JSValue as_script = JS_GetException(ctx);
	compiled = compile(source, length, name, JS_EVAL_TYPE_MODULE);
	if (!JS_IsException(compiled)) {
		JS_FreeValue(ctx, as_script);
		return compiled;
	}
	return throw_further(ctx, as_script, name);
}

/* Whether a source may have imports at all. If not, it is loaded for an image as it is loaded for a run. */
static bool may_import(const char *source)
{
	return strstr(source, "import") || strstr(source, "require");
}

CURFEW_EXPORT("curfew_load") int32_t curfew_load(void)
{
	const char *source = (const char *)(uintptr_t)curfew_control.input;
	char *name = text_at(curfew_control.name, curfew_control.name_length);
	bool is_module = curfew_control.flags & CURFEW_CONTROL_MODULE;

	curfew_engine_begin();
	curfew_modules_set_entry(name);
	loading = name;
	size_t length = curfew_control.input_length;
	char *stripped = NULL;
	if ((curfew_control.flags & CURFEW_CONTROL_MAP) && curfew_modules_load_map() < 0)
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	bool reaches = (curfew_control.flags & CURFEW_CONTROL_REACH) && may_import(source);
	if (reaches && curfew_modules_begin_reaching() < 0)
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	if ((curfew_control.flags & CURFEW_CONTROL_NODE) && curfew_modules_add_globals() < 0)
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	if ((curfew_control.flags & CURFEW_CONTROL_TYPES) &&
	    !(source = stripped = curfew_modules_strip(source, name, &length)))
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	program = is_module ? compile(source, length, name, JS_EVAL_TYPE_MODULE) : compile_either(source, length, name);
	bool is_script = JS_IsUndefined(module);
	if (JS_IsException(program) || (is_script && curfew_modules_begin_script(source + 1, length - 1) < 0))
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	if (reaches && (curfew_modules_note_reached(name, source, length) < 0 || curfew_modules_reach() < 0))
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	loading = NULL;
	free(stripped);
	curfew_modules_loaded();
	free(name);
	free_buffers();
	curfew_control.input = curfew_control.input_length = 0;
	curfew_control.name = curfew_control.name_length = 0;
	curfew_engine_allocate_together();
	return CURFEW_GUEST_DONE;
}

/* ---- Running ---------------------------------------------------------------------------------------------- */

static JSModuleDef *module_definition(void)
{
	return JS_VALUE_GET_PTR(module);
}

/*
 * The function of this name: an export, or a method of a module's default export, which *receiver is then; or a
 * script's global function. JS_UNDEFINED: there is none, and the exception that says so is pending.
 */
static JSValue function_of_name(const char *name, JSValue *receiver)
{
	JSContext *ctx = curfew_context;
	bool is_script = JS_IsUndefined(module);
	JSValue exports = is_script ? curfew_modules_exports() : JS_GetModuleNamespace(ctx, module_definition());
	JSValue found = JS_IsObject(exports) ? JS_GetPropertyStr(ctx, exports, name) : JS_UNDEFINED;

	if (JS_IsUndefined(found) && is_script) {
		found = curfew_engine_global(name);
	} else if (JS_IsUndefined(found)) {
		*receiver = JS_GetPropertyStr(ctx, exports, "default");
		if (JS_IsObject(*receiver) && !JS_IsFunction(ctx, *receiver))
			found = JS_GetPropertyStr(ctx, *receiver, name);
	}
	if (!JS_IsException(found) && !JS_IsFunction(ctx, found)) {
		JS_FreeValue(ctx, found);
		curfew_engine_throw_missing(name, exports);
		found = JS_UNDEFINED;
	}
	JS_FreeValue(ctx, exports);
	return found;
}

/* What is to be called if it is a function and no class: a module's default export, or what a script left. */
static JSValue function_to_call(void)
{
	JSContext *ctx = curfew_context;
	JSValue found = JS_UNDEFINED;

	if (!JS_IsUndefined(module)) {
		JSValue exports = JS_GetModuleNamespace(ctx, module_definition());
		found = JS_GetPropertyStr(ctx, exports, "default");
		JS_FreeValue(ctx, exports);
	} else if (JS_IsFunction(ctx, found = curfew_modules_exports())) {
		return found;
	} else if (curfew_control.flags & CURFEW_CONTROL_PARAMS) {
		/* If a script's value is a function and parameters were given, call it with them. */
		found = JS_DupValue(ctx, result);
	}
	return found;
}

static void set_result(JSValue value)
{
	JS_FreeValue(curfew_context, result);
	result = value;
	curfew_engine_expect(value);
}

static int32_t call_function(JSValue function, JSValueConst receiver)
{
	JSContext *ctx = curfew_context;
	uint32_t count = 0;
	JSValue params = JS_UNDEFINED;

	if (curfew_control.input_length) {
		curfew_engine_note_native("parse");
		params = JS_ParseJSON(ctx, (const char *)(uintptr_t)curfew_control.input, curfew_control.input_length,
		                      "params");
		curfew_engine_note_native(NULL);
		if (JS_IsException(params))
			return curfew_engine_describe(CURFEW_GUEST_REFUSED);
		int64_t length = 0;
		JS_GetLength(ctx, params, &length);
		count = (uint32_t)length;
	}
	JSValue *arguments = count ? malloc(count * sizeof *arguments) : NULL;
	for (uint32_t i = 0; i < count; i++)
		arguments[i] = JS_GetPropertyUint32(ctx, params, i);
	set_result(JS_UNDEFINED);
	set_result(JS_Call(ctx, function, receiver, (int)count, (JSValueConst *)arguments));
	for (uint32_t i = 0; i < count; i++)
		JS_FreeValue(ctx, arguments[i]);
	free(arguments);
	JS_FreeValue(ctx, params);
	return JS_IsException(result) ? curfew_engine_describe(CURFEW_GUEST_THREW) : CURFEW_GUEST_DONE;
}

/* Compiles a cell as a script. If that fails, await is allowed at its top level. */
static JSValue compile_cell(const char *source, size_t length, const char *name)
{
	JSContext *ctx = curfew_context;
	JSValue compiled = compile(source, length, name, JS_EVAL_TYPE_GLOBAL);

	if (!JS_IsException(compiled) || curfew_engine_stopping())
		return compiled;
	JSValue as_script = JS_GetException(ctx);
	compiled = compile(source, length, name, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC);
	result_wrapped = !JS_IsException(compiled);
	if (result_wrapped) {
		JS_FreeValue(ctx, as_script);
		return compiled;
	}
	return throw_further(ctx, as_script, name);
}

static int32_t evaluate_cell(void)
{
	JSContext *ctx = curfew_context;
	char *name = text_at(curfew_control.name, curfew_control.name_length);
	JSValue compiled = compile_cell((const char *)(uintptr_t)curfew_control.input, curfew_control.input_length, name);

	free(name);
	if (JS_IsException(compiled))
		return curfew_engine_describe(CURFEW_GUEST_REFUSED);
	set_result(JS_EvalFunction(ctx, compiled));
	return JS_IsException(result) ? curfew_engine_describe(CURFEW_GUEST_THREW) : CURFEW_GUEST_DONE;
}

/* The program's top level has been evaluated. Calls the function to be called, or takes the value that is there. */
static int32_t after_evaluation(void)
{
	JSContext *ctx = curfew_context;

	progress = CALLING;
	curfew_control.evaluated = 1;
	if (curfew_control.flags & CURFEW_CONTROL_CELL)
		return evaluate_cell();
	char *name = curfew_control.name ? text_at(curfew_control.name, curfew_control.name_length) : NULL;
	JSValue receiver = JS_UNDEFINED;
	JSValue function = name ? function_of_name(name, &receiver) : function_to_call();
	bool is_called = JS_IsFunction(ctx, function) && (name || !curfew_engine_is_class(function));
	int32_t status = CURFEW_GUEST_DONE;

	if (JS_IsException(function) || (name && JS_IsUndefined(function)))
		status = curfew_engine_describe(JS_IsException(function) ? CURFEW_GUEST_THREW : CURFEW_GUEST_REFUSED);
	result_returned = is_called || !JS_IsUndefined(module);
	if (is_called)
		status = call_function(function, receiver);
	else if (status == CURFEW_GUEST_DONE && !JS_IsUndefined(module))
		set_result(JS_DupValue(ctx, function));
	JS_FreeValue(ctx, function);
	JS_FreeValue(ctx, receiver);
	free(name);
	return status;
}

/* Advances if the awaited promise has settled. DONE: there is nothing to report. */
static int32_t advance(void)
{
	JSContext *ctx = curfew_context;

	while (progress != SETTLED) {
		if (JS_IsPromise(result)) {
			JSPromiseStateEnum state = JS_PromiseState(ctx, result);
			if (state == JS_PROMISE_PENDING)
				return CURFEW_GUEST_DONE;
			JSValue settled = JS_PromiseResult(ctx, result);
			if (state == JS_PROMISE_REJECTED) {
				JS_Throw(ctx, settled);
				return curfew_engine_describe(CURFEW_GUEST_THREW);
			}
			JS_FreeValue(ctx, result);
			result = settled;
		}
		if (progress == CALLING && result_wrapped) {
			JSValue value = JS_GetPropertyStr(ctx, result, "value");
			JS_FreeValue(ctx, result);
			result = value;
			result_wrapped = false;
		} else if (progress == CALLING) {
			progress = SETTLED;
		} else {
			int32_t status = after_evaluation();
			if (status != CURFEW_GUEST_DONE)
				return status;
		}
	}
	return CURFEW_GUEST_DONE;
}

/* Aborts the program's signal when its time is up, once, between two of its own steps. */
static int32_t notify_abort(void)
{
	JSContext *ctx = curfew_context;
	uint32_t aborted = curfew_aborted();

	if (!aborted || abort_notified)
		return CURFEW_GUEST_DONE;
	abort_notified = true;
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "abort");
	JSValue kind = JS_NewInt32(ctx, (int32_t)aborted);
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, 1, (JSValueConst *)&kind);
	JS_FreeValue(ctx, hook);
	if (JS_IsException(answer))
		return curfew_engine_describe(CURFEW_GUEST_THREW);
	JS_FreeValue(ctx, answer);
	return CURFEW_GUEST_DONE;
}

/* Passes an error that nothing caught to the program's own handlers. If none takes it, the program ends. */
static int32_t report_uncaught(void)
{
	JSContext *ctx = curfew_context;

	if (curfew_engine_stopping())
		return CURFEW_GUEST_STOPPED;
	JSValue error = JS_GetException(ctx);
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "uncaught");
	JSValue taken = JS_Call(ctx, hook, JS_UNDEFINED, 1, (JSValueConst *)&error);

	JS_FreeValue(ctx, hook);
	curfew_engine_set_async_context(JS_UNDEFINED);
	if (JS_IsException(taken)) {
		JS_FreeValue(ctx, error);
		return curfew_engine_describe(CURFEW_GUEST_THREW);
	}
	if (JS_ToBool(ctx, taken)) {
		JS_FreeValue(ctx, error);
		return CURFEW_GUEST_DONE;
	}
	JS_Throw(ctx, error);
	return curfew_engine_describe(CURFEW_GUEST_THREW);
}

static int32_t run_pending_jobs(void)
{
	int32_t status;
	int ran;

	do {
		if (curfew_engine_stopping())
			return CURFEW_GUEST_STOPPED;
		if ((status = notify_abort()) != CURFEW_GUEST_DONE)
			return status;
		ran = curfew_engine_run_job();
		if (ran < 0 && (status = report_uncaught()) != CURFEW_GUEST_DONE)
			return status;
	} while (ran);
	if ((status = advance()) != CURFEW_GUEST_DONE)
		return status;
	return CURFEW_GUEST_DONE;
}

/* Reports a rejected promise that nothing handles to the program. If the program does not take the report, it ends. */
static int32_t report_rejection(JSValue promise)
{
	JSContext *ctx = curfew_context;
	int taken = curfew_rejections_report(promise);

	if (!taken)
		JS_Throw(ctx, JS_PromiseResult(ctx, promise));
	JS_FreeValue(ctx, promise);
	return taken > 0 ? CURFEW_GUEST_DONE : curfew_engine_describe(CURFEW_GUEST_THREW);
}

static int32_t run_jobs(void)
{
	for (;;) {
		int32_t status = run_pending_jobs();
		if (status != CURFEW_GUEST_DONE)
			return status;
		if (curfew_engine_has_jobs())
			continue;
		JSValue rejected = curfew_rejections_take();
		if (JS_IsUndefined(rejected))
			return CURFEW_GUEST_DONE;
		if ((status = report_rejection(rejected)) != CURFEW_GUEST_DONE)
			return status;
	}
}

static int32_t run_timer(JSValue callback, JSValue arguments)
{
	JSContext *ctx = curfew_context;
	JSValue values[8], *list = values;
	int64_t count = 0;

	JS_GetLength(ctx, arguments, &count);
	if (count > 8)
		list = malloc((size_t)count * sizeof *list);
	for (int64_t i = 0; i < count; i++)
		list[i] = JS_GetPropertyInt64(ctx, arguments, i);
	JSValue answer = JS_Call(ctx, callback, JS_UNDEFINED, (int)count, (JSValueConst *)list);
	/* An error is reported in the context in which it was thrown. */
	if (!JS_IsException(answer))
		curfew_engine_set_async_context(JS_UNDEFINED);
	for (int64_t i = 0; i < count; i++)
		JS_FreeValue(ctx, list[i]);
	if (list != values)
		free(list);
	JS_FreeValue(ctx, callback);
	JS_FreeValue(ctx, arguments);
	curfew_engine_begin_jobs();
	if (JS_IsException(answer)) {
		int32_t status = report_uncaught();
		return status == CURFEW_GUEST_DONE ? run_jobs() : status;
	}
	JS_FreeValue(ctx, answer);
	return run_jobs();
}

static void keep_text(JSValue value, uint32_t *text, uint32_t *text_length)
{
	JSContext *ctx = curfew_context;
	size_t length;
	const char *kept = JS_ToCStringLen(ctx, &length, value);

	curfew_engine_keep_text(kept);
	*text = (uint32_t)(uintptr_t)kept;
	*text_length = kept ? (uint32_t)length : 0;
	if (curfew_is_session())
		JS_FreeValue(ctx, value);
}

/* The value contains something that has no JSON, and the engine has thrown. Makes an error that says where and why. */
static JSValue refusal_of_value(void)
{
	JSContext *ctx = curfew_context;
	JSValue arguments[] = {JS_GetException(ctx), curfew_engine_json_place()};
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "refuseValue");
	JSValue error = JS_Call(ctx, hook, JS_UNDEFINED, 2, (JSValueConst *)arguments);

	JS_FreeValue(ctx, hook);
	JS_FreeValue(ctx, arguments[0]);
	JS_FreeValue(ctx, arguments[1]);
	return error;
}

/*
 * If a function or module returned the value, that is an error. If it is only a script's last expression, it is noted.
 */
static int32_t refuse_value(void)
{
	JSContext *ctx = curfew_context;

	if (curfew_engine_stopping())
		return CURFEW_GUEST_STOPPED;
	JSValue error = refusal_of_value();
	if (JS_IsException(error))
		return curfew_engine_describe(CURFEW_GUEST_THREW);
	if (result_returned) {
		JS_Throw(ctx, error);
		return curfew_engine_describe(CURFEW_GUEST_THREW);
	}
	keep_text(JS_GetPropertyStr(ctx, error, "message"), &curfew_control.value_note, &curfew_control.value_note_length);
	JS_FreeValue(ctx, error);
	return CURFEW_GUEST_DONE;
}

static void note_kind(const char *note)
{
	curfew_control.value_note = (uint32_t)(uintptr_t)note;
	curfew_control.value_note_length = (uint32_t)strlen(note);
}

/* Finishes with the JSON of the value, if it has one. */
static int32_t finish(void)
{
	JSContext *ctx = curfew_context;
	curfew_engine_note_native("stringify");
	curfew_engine_note_empty(true);
	JSValue json = JS_JSONStringify(ctx, result, JS_UNDEFINED, JS_UNDEFINED);
	curfew_engine_note_empty(false);
	curfew_engine_note_native(NULL);

	if (JS_IsException(json))
		return refuse_value();
	if (JS_IsString(json)) {
		keep_text(json, &curfew_control.value, &curfew_control.value_length);
		if (curfew_engine_empty_note())
			note_kind(curfew_engine_empty_note());
	} else if (JS_IsFunction(ctx, result))
		note_kind("the value is a function, which has no JSON");
	else if (JS_IsSymbol(result))
		note_kind("the value is a symbol, which has no JSON");
	else if (JS_IsObject(result))
		note_kind("the value's toJSON gave nothing that has JSON");
	return CURFEW_GUEST_DONE;
}

/* Whether the program listens for the end of its time, and has a grace to continue in. */
static bool awaits_abort(void)
{
	JSContext *ctx = curfew_context;

	if (abort_notified || !curfew_control.limits[CURFEW_LIMIT_GRACE])
		return false;
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "awaitsAbort");
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, 0, NULL);
	JS_FreeValue(ctx, hook);
	bool awaits = JS_ToBool(ctx, answer) > 0;
	JS_FreeValue(ctx, answer);
	return awaits;
}

/* Whether nothing remains that could settle the promise that the program waits for. */
static bool is_unsettled(void)
{
	return progress != SETTLED && curfew_timers_next() == INT64_MAX && !curfew_operations_go_on() && !awaits_abort();
}

static bool is_done(void)
{
	return progress == SETTLED && !curfew_timers_wanted() && !curfew_operations_wanted();
}

static int32_t end_unsettled(void)
{
	curfew_trace();
	return CURFEW_GUEST_UNSETTLED;
}

/* Runs jobs, then the timers that are due and one event, until none is left. */
static int32_t turn(void)
{
	/* As in Node, a module's own text is a job, so its ticks come after the jobs that it queued. */
	if (progress != EVALUATING || JS_IsUndefined(module))
		curfew_engine_begin_jobs();
	for (;; curfew_engine_begin_jobs()) {
		int32_t status = run_jobs();
		if (status != CURFEW_GUEST_DONE)
			return status;
		int64_t now = host_clock();
		JSValue arguments, callback;
		bool ran = false;
		while (!JS_IsUndefined(callback = curfew_timers_take(now, &arguments))) {
			ran = true;
			if ((status = run_timer(callback, arguments)) != CURFEW_GUEST_DONE)
				return status;
		}
		if (curfew_tasks_pending()) {
			ran = true;
			if ((status = run_timer(curfew_tasks_take(), JS_NewArray(curfew_context))) != CURFEW_GUEST_DONE)
				return status;
		}
		int taken = curfew_operations_turn();
		if (taken < 0 && (status = report_uncaught()) != CURFEW_GUEST_DONE)
			return status;
		if (ran || taken)
			continue;
		if (is_done()) {
			int begun = curfew_modules_before_end();
			if (begun > 0 && (curfew_engine_has_jobs() || curfew_tasks_pending() || !is_done()))
				continue;
			return begun < 0 || curfew_modules_end() < 0 ? curfew_engine_describe(CURFEW_GUEST_THREW) : finish();
		}
		if (is_unsettled())
			return end_unsettled();
		curfew_control.wake_ns = curfew_timers_next();
		return CURFEW_GUEST_WAITING;
	}
}

/* Lists a program's imports and exports. A script's functions are known only when it runs. */
static int32_t describe(void)
{
	JSContext *ctx = curfew_context;
	bool is_script = JS_IsUndefined(module);

	result = JS_NewObject(ctx);
	JS_SetPropertyStr(ctx, result, "imports", is_script ? JS_NewArray(ctx) : curfew_engine_imports(module));
	JS_SetPropertyStr(ctx, result, "exports", is_script ? JS_NULL : curfew_engine_exports(module));
	return finish();
}

static int32_t evaluate_program(void)
{
	if (curfew_functions_begin() < 0)
		return curfew_engine_describe(CURFEW_GUEST_THREW);
	progress = EVALUATING;
	set_result(JS_EvalFunction(curfew_context, program));
	curfew_engine_set_async_context(JS_UNDEFINED);
	program = JS_UNDEFINED;
	return JS_IsException(result) ? curfew_engine_describe(CURFEW_GUEST_THREW) : CURFEW_GUEST_DONE;
}

/*
 * The result of an entry. A stop may have come where nobody looked at the exception. A program that failed is notified
 * of its end, as in Node; its error is described already.
 */
static int32_t leave(int32_t status)
{
	bool failed = status == CURFEW_GUEST_THREW || status == CURFEW_GUEST_UNSETTLED;

	if (failed && !curfew_is_session() && !curfew_engine_stopping())
		curfew_modules_failed(status == CURFEW_GUEST_THREW ? 1 : EXIT_UNSETTLED);
	return curfew_engine_stopping() ? CURFEW_GUEST_STOPPED : status;
}

CURFEW_EXPORT("curfew_start") int32_t curfew_start(void)
{
	curfew_engine_begin();
	if (curfew_control.flags & CURFEW_CONTROL_DESCRIBE)
		return describe();
	int32_t status = curfew_control.flags & CURFEW_CONTROL_AGAIN ? after_evaluation() : evaluate_program();
	return leave(status == CURFEW_GUEST_DONE ? turn() : status);
}

CURFEW_EXPORT("curfew_resume") int32_t curfew_resume(void)
{
	curfew_engine_enter();
	return leave(turn());
}

/* Between two calls of a session: drops everything that the last call left pending. */
CURFEW_EXPORT("curfew_again") int32_t curfew_again(void)
{
	JSContext *ctx = curfew_context;

	curfew_engine_again();
	free_buffers();
	curfew_timers_clear();
	curfew_tasks_clear();
	curfew_engine_set_async_context(JS_UNDEFINED);
	curfew_operations_clear();
	curfew_rejections_clear();
	JS_FreeValue(ctx, result);
	result = JS_UNDEFINED;
	result_wrapped = abort_notified = false;
	curfew_control.value = curfew_control.value_length = 0;
	curfew_control.error_name = curfew_control.error_name_length = 0;
	curfew_control.error_message = curfew_control.error_message_length = 0;
	curfew_control.error_trace = curfew_control.error_trace_length = 0;
	curfew_control.error_details = curfew_control.error_details_length = 0;
	curfew_control.value_note = curfew_control.value_note_length = 0;
	JSValue hook = JS_GetPropertyStr(ctx, curfew_hooks, "again");
	JSValue answer = JS_Call(ctx, hook, JS_UNDEFINED, 0, NULL);
	JS_FreeValue(ctx, hook);
	if (JS_IsException(answer))
		return leave(curfew_engine_describe(CURFEW_GUEST_THREW));
	JS_FreeValue(ctx, answer);
	return leave(CURFEW_GUEST_DONE);
}
