/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the guest that uses the JavaScript engine's internals. It includes the engine's one source file, to which
 * adapt_engine has applied guest/patches/, and then its own parts: engine_poll.c, engine_trace.c, engine_errors.c,
 * engine_describe.c, engine_dates.c, engine_clone.c, engine_modules.c, engine_imports.c. This file itself has memory,
 * columns and the set-up.
 */
#define _GNU_SOURCE

/*
 * With one thread the engine's atomics are plain operations. The engine leaves out these definitions for this target.
 */
#define CONFIG_ATOMICS
#include "quickjs-c-atomics.h"
typedef int js_mutex_t;
typedef int js_cond_t;
typedef int js_once_t;
#define JS_ONCE_INIT 0
#define js_once(guard, callback) ((void)(guard), callback())
#define js_mutex_init(mutex) ((void)(mutex))
#define js_mutex_lock(mutex) ((void)(mutex))
#define js_mutex_unlock(mutex) ((void)(mutex))
#define js_cond_init(cond) ((void)(cond))
#define js_cond_destroy(cond) ((void)(cond))
#define js_cond_signal(cond) ((void)(cond))
#define js_cond_wait(cond, mutex) ((void)(cond))
#define js_cond_timedwait(cond, mutex, timeout) (-1)

/*
 * The parser's last column. The next one is counted from there, forwards or backwards, not from the start of its line.
 */
struct curfew_columns {
	const unsigned char *line;
	const unsigned char *at;
	int characters; /* between the line's start and `at` */
};

/* Declarations of what the patches call. */
#include <stddef.h>
#include "quickjs.h"
#define CURFEW_ARGUMENTS_MAX 1000000
struct DynBuf;
struct JSStackFrame;
struct JSString;
/* If a text of an error were part of JS_CallInternal, every call of a function would take that much more stack. */
#define curfew_thrower __attribute__((noinline, cold))
static bool curfew_compiles_prelude;
static void curfew_refuse_memory(void);
static size_t curfew_next_collection(size_t alive);
static void curfew_clean_name(char *text, size_t length, size_t name_length);
static int curfew_column(struct curfew_columns *known, const unsigned char *line, const unsigned char *at);
struct JSAsyncFunctionData;
static void curfew_note_lost(struct JSRuntime *rt, struct JSAsyncFunctionData *function);
static void curfew_note_lost_cycles(struct JSRuntime *rt);
static unsigned curfew_promise_number; /* the number of the newest promise */
static unsigned curfew_promise_number_of(const void *promise);
static double curfew_parse_date(struct JSString *text);
static bool curfew_may_redeclare(JSContext *ctx);
static bool curfew_polls_for_fuel(JSContext *ctx);
static curfew_thrower JSValue curfew_throw_unusable(JSContext *ctx, JSValueConst value, const char *what);
static curfew_thrower JSValue curfew_throw_without_members(JSContext *ctx, JSValueConst value);
static curfew_thrower JSValue curfew_throw_of_value(JSContext *ctx, const char *format, JSValueConst value);
static curfew_thrower JSValue curfew_throw_without_properties(JSContext *ctx, const char *format, JSAtom name);
static curfew_thrower JSValue curfew_throw_read_only(JSContext *ctx, JSValueConst object, JSAtom name);
static curfew_thrower JSValue curfew_throw_no_setter(JSContext *ctx, JSValueConst object, JSAtom name);
static curfew_thrower JSValue curfew_throw_kept(JSContext *ctx, JSValueConst object, JSAtom name);
static curfew_thrower int curfew_not_extensible(JSContext *ctx, int flags, const char *format, JSAtom name);
static curfew_thrower JSValue curfew_throw_in(JSContext *ctx, JSValueConst key, JSValueConst object);
static curfew_thrower JSValue curfew_throw_bigint(JSContext *ctx);
static curfew_thrower JSValue curfew_throw_fraction(JSContext *ctx, double value);
static curfew_thrower JSValue curfew_throw_count(JSContext *ctx, JSValueConst value);
static curfew_thrower JSValue curfew_throw_circular(JSContext *ctx, JSValueConst stack, JSValueConst value);
struct JSParseState;
static int curfew_refuse_redeclared(struct JSParseState *s, JSAtom name);
static int curfew_refuse_type(struct JSParseState *s);
static int curfew_refuse_without_semicolon(struct JSParseState *s);
static void curfew_refuse_regexp(JSContext *ctx, const char *pattern, JSValueConst flags, const char *reason);
static int curfew_json_error(struct JSParseState *s, const uint8_t *at, const char *message);
static int curfew_json_unexpected(struct JSParseState *s, const uint8_t *at);
static int curfew_place_regexp(struct JSParseState *s);
static JSValue curfew_stack_with_header(JSContext *ctx, JSValueConst error, JSValue frames);
static void curfew_add_async_callers(JSContext *ctx, struct DynBuf *out, const struct JSStackFrame *frame, int most);
static void curfew_note_empty(JSContext *ctx, JSValueConst stack, JSValueConst value);
static void curfew_note_json_place(JSContext *ctx, JSValueConst keys, int64_t index);
static void curfew_note_match(JSContext *ctx, struct JSString *text, uint8_t **capture, const uint8_t *start, int shift,
                              int count);
static bool curfew_is_within_prelude(const struct JSStackFrame *frame);
static bool curfew_is_hidden(JSContext *ctx, const struct JSStackFrame *frame);
struct JSFunctionBytecode;
static bool curfew_prepares_stack(JSContext *ctx);
static bool curfew_is_prelude(const struct JSFunctionBytecode *code);
/* The current asynchronous context. Jobs and reactions run in the one that they were created in. */
static JSValue curfew_async_context = JS_UNDEFINED;
void curfew_engine_set_async_context(JSValue context);
struct JSObject;
static int curfew_fill_lazy(JSContext *ctx, struct JSObject *object, JSAtom key, void *make);
int64_t curfew_zone_offset(int64_t ms);
int64_t curfew_zone_offset_of_local(int64_t ms);
void curfew_zone_describe(int64_t ms, char *to, size_t room);
static bool curfew_refuse_cut(JSContext *ctx, const char **text, size_t length);
/* The file that a frame's code belongs to. Text that eval or Function has compiled belongs to its caller's. */
static JSAtom curfew_file_of(JSContext *ctx, const struct JSStackFrame *frame);
/* Where the running function calls import(), as a line of a stack. JS_UNDEFINED: unknown. */
static JSValue curfew_place_of_call(JSContext *ctx);
/* Gives the pending exception, of an import that failed, that place, unless the error is in the imported file. */
static void curfew_place_failed_import(JSContext *ctx, JSValueConst place);
static void curfew_place_lacking(JSContext *ctx, struct JSModuleDef *module);
static int curfew_json_place_length; /* of the text that curfew_note_json_place has written */

#include "host.h"

/* Our warnings are off only for the engine's own source. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include "quickjs.adapted.c"
#pragma clang diagnostic pop

#include "guest.h"
#include "plain_json.h"
#include "prelude.h"

#define FILE_BYTES 192
#define TRACE_FRAMES 64
#define GC_SPARE ((uint64_t)64 << 20)
/*
 * How many loops and calls lie between two polls. The number differs from the engine's own refill, so that the poll can
 * distinguish a count that ran out from a check by the regexp matcher. A tight loop takes a few microseconds for this
 * many.
 */
#define INTERVAL_MAX (JS_INTERRUPT_COUNTER_INIT / 10)

static bool stopping;
static uint32_t first_cause, postponed;
static JSValue stop_hook;
/* In a session: the program's own hooks, removed while a stop unwinds. */
static JSValue kept_prepare, kept_limit;
static bool traced;
/* The interrupted frame and the position that it had stored before. If a loop polled, that is not the new position. */
static JSStackFrame *stopped_frame;
static uint8_t *stopped_pc;
/* Functions built into the engine, sorted by address. The program cannot change these names by redefining "name". */
typedef struct native_name {
	JSObject *function;
	JSAtom name;
} native_name;
static JSAtom prelude_name;
static native_name *native_names;
static uint32_t native_name_count;

/* ---- Memory: a refused allocation stops the run at once ---------------------------------------------------- */

/* Replaces the C library's function: a refusal must not become an exception that the program could catch. */
void *sbrk(intptr_t increment)
{
	size_t page = 65536;
	size_t pages = ((size_t)increment + page - 1) / page;
	size_t before = __builtin_wasm_memory_size(0);
	if (increment == 0)
		return (void *)(before * page);
	if (increment < 0 || __builtin_wasm_memory_grow(0, pages) == SIZE_MAX)
		host_stop(CURFEW_STOP_MEMORY);
	return (void *)(before * page);
}

static void curfew_refuse_memory(void)
{
	host_stop(CURFEW_STOP_MEMORY);
}

/*
 * The heap size at which the next collection starts: half as much garbage as live memory, plus a share of the memory
 * limit. If possible, it lies below the limit.
 */
static size_t curfew_next_collection(size_t alive)
{
	uint64_t limit = curfew_control.limits[CURFEW_LIMIT_MEMORY];
	uint64_t spare = limit / 8 < GC_SPARE ? limit / 8 : GC_SPARE;
	uint64_t next = alive + alive / 2 + spare, last = limit - limit / 8;

	if (next > last)
		next = alive + alive / 16 < last ? last : limit;
	return (size_t)next;
}

static void *checked(void *memory)
{
	if (!memory)
		host_stop(CURFEW_STOP_MEMORY);
	return memory;
}

static void *on_calloc(void *opaque, size_t count, size_t size)
{
	(void)opaque;
	return checked(calloc(count ? count : 1, size ? size : 1));
}

static void *on_malloc(void *opaque, size_t size)
{
	(void)opaque;
	return checked(malloc(size ? size : 1));
}

static void on_free(void *opaque, void *memory)
{
	(void)opaque;
	free(memory);
}

static void *on_realloc(void *opaque, void *memory, size_t size)
{
	(void)opaque;
	return checked(realloc(memory, size ? size : 1));
}

static size_t on_usable_size(const void *memory)
{
	return malloc_usable_size((void *)(uintptr_t)memory);
}

static const JSMallocFunctions allocator = {on_calloc, on_malloc, on_free, on_realloc, on_usable_size};

/* Whether the current declaration may replace an earlier one. In a cell's own frame it may. */
static bool curfew_may_redeclare(JSContext *ctx)
{
	return (curfew_control.flags & CURFEW_CONTROL_CELL) && ctx->rt->current_stack_frame &&
	       !ctx->rt->current_stack_frame->prev_frame;
}

/* ---- Columns ---------------------------------------------------------------------------------------------- */

/* Counts the bytes of UTF-8 that begin a character. */
static int count_characters(const unsigned char *from, const unsigned char *to)
{
	int count = 0;

	for (; from < to; from++)
		count += (*from & 0xc0) != 0x80;
	return count;
}

/* The column, counted from 1, of a place on the line that begins at `line`. */
static int curfew_column(struct curfew_columns *known, const unsigned char *line, const unsigned char *at)
{
	if (at <= line)
		return 1;
	if (known->line != line)
		*known = (struct curfew_columns){line, line, 0};

	known->characters += at > known->at ? count_characters(known->at, at) : -count_characters(at, known->at);
	known->at = at;
	return known->characters + 1;
}

#include "engine_poll.c"
#include "engine_trace.c"
#include "engine_errors.c"
#include "engine_describe.c"
#include "engine_dates.c"
#include "engine_clone.c"

/* ---- Set-up ----------------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const native_name *x = a, *y = b;
	return x->function < y->function ? -1 : x->function > y->function;
}

/*
 * Notes the name of every builtin that is reachable from this object, and holds a reference to each, so that its
 * address is not reused. Visiting them also creates the builtins that the engine creates at first use.
 */
static void note_natives(JSContext *ctx, JSValueConst value)
{
	JSPropertyEnum *properties;
	uint32_t count;

	if (!JS_IsObject(value))
		return;
	JSObject *object = JS_VALUE_GET_OBJ(value);
	for (uint32_t i = 0; i < native_name_count; i++)
		if (native_names[i].function == object)
			return;
	native_names = realloc(native_names, (native_name_count + 1) * sizeof *native_names);
	native_names[native_name_count++] = (native_name){object, JS_ATOM_NULL};
	JS_DupValue(ctx, value);
	if (object->class_id == JS_CLASS_C_FUNCTION) {
		char buffer[CURFEW_GUEST_NAME_BYTES];
		native_names[native_name_count - 1].name = JS_NewAtom(ctx, own_name(ctx->rt, object, buffer));
	}
	if (object->class_id == JS_CLASS_PROXY ||
	    JS_GetOwnPropertyNames(ctx, &properties, &count, value, JS_GPN_STRING_MASK | JS_GPN_SYMBOL_MASK) < 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		JSPropertyDescriptor descriptor;
		if (JS_GetOwnProperty(ctx, &descriptor, value, properties[i].atom) <= 0)
			continue;
		note_natives(ctx, descriptor.value);
		note_natives(ctx, descriptor.getter);
		note_natives(ctx, descriptor.setter);
		JS_FreeValue(ctx, descriptor.value);
		JS_FreeValue(ctx, descriptor.getter);
		JS_FreeValue(ctx, descriptor.setter);
	}
	JS_FreePropertyEnum(ctx, properties, count);
	JSValue prototype = JS_GetPrototype(ctx, value);
	note_natives(ctx, prototype);
	JS_FreeValue(ctx, prototype);
}

/* Prototypes that no global names. */
static const char hidden_prototypes[] =
	"[[][Symbol.iterator](),''[Symbol.iterator](),new Map()[Symbol.iterator](),new Set()[Symbol.iterator](),"
	"''.matchAll(/x/g),function*(){}(),async function*(){}(),async()=>{},Iterator.from([]).map(x=>x)]";

static void keep_natives(JSContext *ctx)
{
	JSValue hidden = JS_Eval(ctx, hidden_prototypes, sizeof hidden_prototypes - 1, "curfew:setup", JS_EVAL_TYPE_GLOBAL);
	uint32_t kept = 0;

	note_natives(ctx, ctx->global_obj);
	note_natives(ctx, hidden);
	for (uint32_t i = 0; i < native_name_count; i++)
		if (native_names[i].name != JS_ATOM_NULL)
			native_names[kept++] = native_names[i];
	native_name_count = kept;
	qsort(native_names, native_name_count, sizeof *native_names, by_address);
}

static void remove_property(JSContext *ctx, JSValueConst object, const char *name)
{
	JSAtom atom = JS_NewAtom(ctx, name);
	JS_DeleteProperty(ctx, object, atom, 0);
	JS_FreeAtom(ctx, atom);
}

/* Removes what is meant for threads, and what identifies the engine. */
static void remove_unwanted(JSContext *ctx)
{
	JSValue atomics = JS_GetPropertyStr(ctx, ctx->global_obj, "Atomics");
	static const char *const names[] = {"wait", "notify", "waitAsync"};
	for (size_t i = 0; i < countof(names); i++)
		remove_property(ctx, atomics, names[i]);
	JS_FreeValue(ctx, atomics);
	remove_property(ctx, ctx->global_obj, "SharedArrayBuffer");
}

static void define_lazy(JSContext *ctx, JSValueConst object, JSAtom key, JSValueConst make)
{
	JS_DeleteProperty(ctx, object, key, 0);
	JS_DefineAutoInitProperty(ctx, object, key, JS_AUTOINIT_ID_BYTECODE, JS_VALUE_GET_PTR(make),
	                          JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
}

/*
 * Lazy properties use the engine's own mechanism, with a function in place of a number. While make() runs, the property
 * is undefined, because make() may read or change it. If make() fails, the next access to the property calls it again.
 */
static int curfew_fill_lazy(JSContext *ctx, JSObject *object, JSAtom key, void *make)
{
	JSValue holder = JS_DupValue(ctx, JS_MKPTR(JS_TAG_OBJECT, object));
	JSValue value = JS_Call(ctx, JS_MKPTR(JS_TAG_OBJECT, make), JS_UNDEFINED, 0, NULL);
	JSProperty *property;
	bool failed = JS_IsException(value);
	JSShapeProperty *shape = find_own_property(&property, object, key);
	bool is_ours = shape && !(shape->flags & JS_PROP_TMASK);

	if (is_ours && !failed) {
		set_value(ctx, &property->u.value, value);
	} else {
		JS_FreeValue(ctx, value);
		if (is_ours && JS_IsUndefined(property->u.value))
			define_lazy(ctx, holder, key, JS_MKPTR(JS_TAG_OBJECT, make));
	}
	JS_FreeValue(ctx, holder);
	return failed ? -1 : 0;
}

void curfew_engine_define_lazy(JSValueConst object, JSValueConst key, JSValueConst make)
{
	JSContext *ctx = curfew_context;
	JSAtom atom = JS_ValueToAtom(ctx, key);

	/* kept as long as the guest exists */
	define_lazy(ctx, object, atom, JS_DupValue(ctx, make));
	JS_FreeAtom(ctx, atom);
}

void curfew_engine_replace(JSValueConst object, const char *name, JSValueConst value)
{
	JSContext *ctx = curfew_context;
	JSAtom atom = JS_NewAtom(ctx, name);
	JSProperty *property;
	JSShapeProperty *shape = find_own_property(&property, JS_VALUE_GET_OBJ(object), atom);

	if (shape && !(shape->flags & JS_PROP_TMASK))
		set_value(ctx, &property->u.value, JS_DupValue(ctx, value));
	JS_FreeAtom(ctx, atom);
}

/* For the build: compiles the script at `input`; its bytecode is the value. */
CURFEW_EXPORT("curfew_compile") int32_t curfew_compile(void)
{
	JSContext *ctx = curfew_context;
	size_t size = 0;
	JSValue compiled = JS_Eval(ctx, (const char *)(uintptr_t)curfew_control.input, curfew_control.input_length,
	                           "curfew:prelude", JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
	uint8_t *bytes = JS_IsException(compiled)
	                     ? NULL
	                     : JS_WriteObject(ctx, &size, compiled, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);

	if (!bytes)
		return curfew_engine_describe(CURFEW_GUEST_THREW);
	JS_FreeValue(ctx, compiled);
	curfew_control.value = (uint32_t)(uintptr_t)bytes;
	curfew_control.value_length = (uint32_t)size;
	return CURFEW_GUEST_DONE;
}

/* Compiles without keeping the source text: a program cannot use it, and every image would contain it. */
static JSValue evaluate_prelude(JSContext *ctx)
{
	size_t size;
	curfew_compiles_prelude = true;
	JSValue compiled = JS_Eval(ctx, (const char *)curfew_prelude, sizeof curfew_prelude - 1, "curfew:prelude",
	                           JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
	curfew_compiles_prelude = false;
	if (JS_IsException(compiled))
		return compiled;
	uint8_t *bytes = JS_WriteObject(ctx, &size, compiled, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
	JS_FreeValue(ctx, compiled);
	if (!bytes)
		return JS_EXCEPTION;
	compiled = JS_ReadObject(ctx, bytes, size, JS_READ_OBJ_BYTECODE);
	js_free(ctx, bytes);
	return JS_IsException(compiled) ? compiled : JS_EvalFunction(ctx, compiled);
}

void curfew_engine_init(void (*add_natives)(JSValueConst native))
{
	JSRuntime *rt = curfew_runtime = JS_NewRuntime2(&allocator, NULL);
	JSContext *ctx = curfew_context = JS_NewContext(rt);

	prelude_name = JS_NewAtom(ctx, "curfew:prelude");
	JS_AddIntrinsicDOMException(ctx);
	add_match_properties(ctx);
	add_call_site_functions(ctx);
	remove_unwanted(ctx);
	JS_SetCanBlock(rt, false);
	stop_hook = JS_NewCFunction(ctx, on_stop_hook, "", 0);

	JSValue native = JS_NewObject(ctx);
	add_natives(native);
	JSValue prelude = evaluate_prelude(ctx);
	curfew_hooks = JS_Call(ctx, prelude, JS_UNDEFINED, 1, (JSValueConst *)&native);
	if (JS_IsException(prelude) || JS_IsException(curfew_hooks)) {
		curfew_engine_describe(CURFEW_GUEST_THREW);
		return;
	}
	JS_FreeValue(ctx, prelude);
	keep_natives(ctx);
	JSValue make_intl = JS_GetPropertyStr(ctx, curfew_hooks, "intl"), intl_name = JS_NewString(ctx, "Intl");
	curfew_engine_define_lazy(ctx->global_obj, intl_name, make_intl);
	JS_FreeValue(ctx, intl_name);
	JS_FreeValue(ctx, make_intl);
	JS_RunGC(rt);
	JS_SetInterruptHandler(rt, on_poll, NULL);
}

void curfew_engine_enter(void)
{
	JS_UpdateStackTop(curfew_runtime);
	curfew_runtime->stack_limit = curfew_runtime->stack_top > curfew_control.stack_bytes
	                                  ? curfew_runtime->stack_top - curfew_control.stack_bytes
	                                  : 1;
}

void curfew_engine_begin(void)
{
	JSContext *ctx = curfew_context;

	if (!(curfew_control.flags & CURFEW_CONTROL_AGAIN)) {
		ctx->random_state = curfew_control.seed ? curfew_control.seed : 1;
		ctx->time_origin = (double)curfew_control.time_origin_ns / 1e6;
	}
	curfew_control.polls = 0;
	JS_SetGCThreshold(curfew_runtime, curfew_next_collection(curfew_runtime->malloc_state.malloc_size));
	refill(ctx);
	curfew_engine_enter();
}

void curfew_engine_allocate_together(void)
{
	curfew_allocate_together(curfew_runtime);
}

static void drop_jobs(JSRuntime *rt)
{
	while (!list_empty(&rt->job_list)) {
		JSJobEntry *job = list_entry(rt->job_list.next, JSJobEntry, link);
		list_del(&job->link);
		for (int i = 0; i < job->argc; i++)
			JS_FreeValueRT(rt, job->argv[i]);
		js_free_rt(rt, job);
	}
}

/* Functions that the last call left suspended do not show where the next call waits. */
static void forget_async_functions(void)
{
	while (!list_empty(&curfew_async_functions)) {
		struct list_head *link = curfew_async_functions.next;
		list_del(link);
		init_list_head(link);
	}
}

void curfew_engine_again(void)
{
	JSRuntime *rt = curfew_runtime;
	JSContext *ctx = curfew_context;

	curfew_engine_enter();
	if (stopping) {
		ctx->error_prepare_stack = kept_prepare;
		ctx->error_stack_trace_limit = kept_limit;
	}
	stopping = traced = false;
	first_cause = postponed = 0;
	stopped_frame = NULL;
	forget_lost();
	job_function = NULL;
	job_resolver = JS_UNDEFINED;
	curfew_control.trace_length = 0;
	refill(ctx);
	JS_FreeValue(ctx, JS_GetException(ctx));
	drop_jobs(rt);
	curfew_engine_set_async_context(JS_UNDEFINED);
	forget_async_functions();
	while (kept_text_count)
		JS_FreeCString(ctx, kept_texts[--kept_text_count]);
	/* Free what unwinding has deferred. */
	rt->gc_phase = JS_GC_PHASE_NONE;
	free_zero_refcount(rt);
}

#include "engine_modules.c"
#include "engine_imports.c"

/* The addresses that the host writes to. */
CURFEW_EXPORT("curfew_control_address") uint32_t curfew_control_address(void)
{
	return (uint32_t)(uintptr_t)&curfew_control;
}

CURFEW_EXPORT("curfew_counter_address") uint32_t curfew_counter_address(void)
{
	return (uint32_t)(uintptr_t)&curfew_context->interrupt_counter;
}

/* The stack comes first in memory, and the data directly after it. */
CURFEW_EXPORT("curfew_stack_top") uint32_t curfew_stack_top(void)
{
	extern char __global_base;
	return (uint32_t)(uintptr_t)&__global_base;
}
