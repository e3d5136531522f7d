/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the guest that reaches into the JavaScript engine: set-up, the poll that stops a run, the stack of
 * what was running, and the description of what was thrown. It includes the engine's one source file, with the few
 * changes of adapt_engine.
 */
#define _GNU_SOURCE

/* On one thread the engine's atomics are plain operations: give it what it leaves out for this target. */
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

/* The parser's last column: the next one is counted from there, forwards or backwards, not from its line's start. */
struct curfew_columns {
	const unsigned char *line;
	const unsigned char *at;
	int characters; /* of the line before `at` */
};

/* What adapt_engine put into the engine calls these. */
#include <stddef.h>
#include "quickjs.h"
#define CURFEW_ARGUMENTS_MAX 1000000
struct DynBuf;
struct JSStackFrame;
struct JSString;
static bool curfew_compiles_prelude;
static void curfew_refuse_memory(void);
static size_t curfew_next_collection(size_t alive);
static void curfew_clean_name(char *text, size_t length, size_t name_length);
static int curfew_column(struct curfew_columns *known, const unsigned char *line, const unsigned char *at);
struct JSAsyncFunctionData;
static void curfew_note_lost(struct JSRuntime *rt, struct JSAsyncFunctionData *function);
static void curfew_note_lost_cycles(struct JSRuntime *rt);
static unsigned curfew_promise_number; /* of the last promise that was made */
static unsigned curfew_promise_number_of(const void *promise);
static bool curfew_may_redeclare(JSContext *ctx);
static bool curfew_polls_for_fuel(JSContext *ctx);
static JSValue curfew_throw_unusable(JSContext *ctx, JSValueConst value, const char *what);
static JSValue curfew_stack_with_header(JSContext *ctx, JSValueConst error, JSValue frames);
static void curfew_add_async_callers(JSContext *ctx, struct DynBuf *out, const struct JSStackFrame *frame, int most);
static void curfew_note_json_place(JSContext *ctx, JSValueConst keys, int64_t index);
static void curfew_note_match(JSContext *ctx, struct JSString *text, uint8_t **capture, const uint8_t *start, int shift,
                              int count);
static bool curfew_is_within_prelude(const struct JSStackFrame *frame);
struct JSObject;
static int curfew_fill_lazy(JSContext *ctx, struct JSObject *object, JSAtom key, void *make);
int64_t curfew_zone_offset(int64_t ms);
int64_t curfew_zone_offset_of_local(int64_t ms);
void curfew_zone_describe(int64_t ms, char *to, size_t room);
static int curfew_json_place_length; /* of the text that curfew_note_json_place has made */

#include "host.h"
#include "quickjs.adapted.c"

#include "guest.h"
#include "plain_json.h"
#include "prelude.h"

#define FILE_BYTES 192
#define TRACE_FRAMES 64
#define GC_SPARE ((uint64_t)64 << 20)
/*
 * Loops and calls between two polls. It differs from the engine's own refill, so that the poll can tell a count that
 * ran out from a look of the regexp matcher; a tight loop takes some microseconds for so many.
 */
#define INTERVAL_MAX (JS_INTERRUPT_COUNTER_INIT / 10)

/* Aligned so that all that is commonly written of it lies in one page, the beginning of the trace too. */
_Alignas(2048) curfew__control curfew_control;
JSRuntime *curfew_runtime;
JSContext *curfew_context;
JSValue curfew_hooks;

static bool stopping;
static uint32_t first_cause, postponed;
static JSValue stop_hook;
/* A session's: the program's own hooks, taken away while a stop unwinds. */
static JSValue kept_prepare, kept_limit;
static bool traced;
/* The interrupted frame and the position it knew before: where the poll was a loop's, that is not the new one. */
static JSStackFrame *stopped_frame;
static uint8_t *stopped_pc;
/* Functions built into the engine, by address: their names cannot be changed by redefining "name". */
typedef struct native_name {
	JSObject *function;
	JSAtom name;
} native_name;
static JSAtom prelude_name;
static native_name *native_names;
static uint32_t native_name_count;

/* ---- Memory: a refused byte stops the run where it stands ------------------------------------------------- */

/* Replaces the C library's: a refusal is not handed to the program as an exception that it could catch. */
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
 * At how many bytes the next collection comes: when there may be half as much garbage as is alive, and a share of the
 * memory limit more; but, where that is possible, before the limit is reached.
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

/* A cell stands on its own in the stack; what was declared before gives way to what it declares. */
static bool curfew_may_redeclare(JSContext *ctx)
{
	return (curfew_control.flags & CURFEW_CONTROL_CELL) && ctx->rt->current_stack_frame &&
	       !ctx->rt->current_stack_frame->prev_frame;
}

/* ---- Columns ---------------------------------------------------------------------------------------------- */

/* Bytes of UTF-8 that begin a character. */
static int count_characters(const unsigned char *from, const unsigned char *to)
{
	int count = 0;

	for (; from < to; from++)
		count += (*from & 0xc0) != 0x80;
	return count;
}

/* The column, from 1, of a place on the line that begins at `line`. */
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

/* ---- The poll --------------------------------------------------------------------------------------------- */

static bool is_interpreting(const JSStackFrame *frame)
{
	return frame && JS_VALUE_GET_TAG(frame->cur_func) == JS_TAG_OBJECT &&
	       js_class_has_bytecode(JS_VALUE_GET_OBJ(frame->cur_func)->class_id);
}

void curfew_trace(void);

static void trace_once(void)
{
	if (!traced)
		curfew_trace();
	traced = true;
}

/*
 * The way out of a stop in a session, which leaves the guest sound: an exception that nothing catches. What becomes
 * free on the way is put by for the next call, so that a large heap does not take long; and nothing is collected. Each
 * further poll throws again, for builtins that swallow exceptions. What takes too long all the same is stopped hard.
 */
static void begin_unwinding(JSRuntime *rt)
{
	JSContext *ctx = curfew_context;

	if (first_cause != CURFEW_STOP_POLL)
		host_latch(first_cause);
	stopping = true;
	rt->gc_phase = JS_GC_PHASE_DECREF;
	JS_SetGCThreshold(rt, SIZE_MAX);
	kept_prepare = ctx->error_prepare_stack;
	kept_limit = ctx->error_stack_trace_limit;
	ctx->error_prepare_stack = JS_UNDEFINED;
	ctx->error_stack_trace_limit = JS_NewInt32(ctx, 0);
	JS_FreeValue(ctx, ctx->error_back_trace);
	ctx->error_back_trace = JS_UNDEFINED;
	rt->in_build_stack_trace = false;
}

/* As stop_at_poll: the interpreter's top frame has its position only when the hook is called. */
static int unwind_at_poll(JSRuntime *rt)
{
	JSContext *ctx = curfew_context;
	bool first = !stopping;

	if (first)
		begin_unwinding(rt);
	bool by_hook = first && is_interpreting(rt->current_stack_frame);
	if (by_hook) {
		stopped_frame = rt->current_stack_frame;
		stopped_pc = stopped_frame->cur_pc;
		ctx->error_prepare_stack = stop_hook;
	} else {
		trace_once();
	}
	/* The hook is called, too. */
	ctx->interrupt_counter = curfew_control.interval = by_hook ? 2 : 1;
	return 1;
}

bool curfew_engine_stopping(void)
{
	return stopping && curfew_is_session();
}

/*
 * Ends the run at this poll with an exact stack. Where a builtin polls, every frame below already knows its
 * position. Where the interpreter polls, the position of the top frame is still in a register: the engine writes
 * it down on its way to recording an exception, which calls the hook planted here; the hook ends the entry, so
 * nothing of the program runs again.
 */
static int stop_at_poll(JSRuntime *rt, uint32_t cause)
{
	JSContext *ctx = curfew_context;
	JSStackFrame *frame = rt->current_stack_frame;

	curfew_control.answering = 1;
	if (!stopping)
		first_cause = cause;
	/* What the counter was filled with is used up: the host reads the count from the control block. */
	if (ctx->interrupt_counter == JS_INTERRUPT_COUNTER_INIT) {
		curfew_control.polls += stopping ? 0 : curfew_control.interval;
		curfew_control.interval = 0;
		ctx->interrupt_counter = 0;
	}
	/* Between two of the program's functions: in the next one there is something to show. */
	if (!stopping && !frame && postponed++ < 1000) {
		ctx->interrupt_counter = 1;
		curfew_control.interval = 1;
		return 0;
	}
	if (curfew_is_session())
		return unwind_at_poll(rt);
	if (stopping || !is_interpreting(frame))
		host_stop(first_cause);
	stopping = true;
	stopped_frame = frame;
	stopped_pc = frame->cur_pc;
	ctx->error_prepare_stack = stop_hook;
	ctx->error_stack_trace_limit = JS_NewInt32(ctx, 0);
	ctx->error_back_trace = JS_UNDEFINED;
	rt->in_build_stack_trace = false;
	ctx->interrupt_counter = 1;
	return 1;
}

JSValue curfew_engine_stop(uint32_t cause)
{
	JSContext *ctx = curfew_context;

	if (!curfew_is_session())
		host_stop(cause);
	/* Not at a poll: what was counted down until here counts. */
	if (!stopping && ctx->interrupt_counter > 0 && curfew_control.interval > (uint32_t)ctx->interrupt_counter)
		curfew_control.polls += curfew_control.interval - (uint32_t)ctx->interrupt_counter;
	stop_at_poll(curfew_runtime, cause);
	JS_ThrowInterrupted(ctx);
	return JS_EXCEPTION;
}

static JSValue on_stop_hook(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	(void)this_value, (void)argc, (void)argv;
	if (!curfew_is_session())
		stop_at_poll(ctx->rt, CURFEW_STOP_POLL);
	trace_once();
	ctx->error_prepare_stack = JS_UNDEFINED;
	ctx->interrupt_counter = curfew_control.interval = 1;
	return JS_UNDEFINED;
}

static void refill(JSContext *ctx)
{
	uint32_t interval = INTERVAL_MAX;
	uint64_t left = curfew_control.loops_left;

	/* A limit of N lets N polls pass and stops at the next. */
	if (left != UINT64_MAX && left < interval)
		interval = (uint32_t)left + 1;
	curfew_control.interval = interval;
	ctx->interrupt_counter = (int)interval;
}

/* The limit of fuel was passed: this is a poll, though the count of loops and calls has not run out. */
static __attribute__((noinline, cold)) bool curfew_polls_for_fuel(JSContext *ctx)
{
	if (stopping)
		return false;
	curfew_control.interval -= (uint32_t)ctx->interrupt_counter;
	return true;
}

static int on_poll(JSRuntime *rt, void *opaque)
{
	JSContext *ctx = curfew_context;
	(void)opaque;

	if (stopping)
		return stop_at_poll(rt, CURFEW_STOP_POLL);
	if (*(volatile uint32_t *)&curfew_control.stop)
		return stop_at_poll(rt, CURFEW_STOP_POLL);
	/* The regexp matcher looks in between: the count goes on. */
	if (ctx->interrupt_counter != JS_INTERRUPT_COUNTER_INIT)
		return host_is_out_of_fuel() ? stop_at_poll(rt, CURFEW_STOP_FUEL) : 0;
	uint32_t taken = curfew_control.interval;
	if (curfew_control.loops_left != UINT64_MAX) {
		if (taken > curfew_control.loops_left) {
			curfew_control.interval = (uint32_t)curfew_control.loops_left;
			return stop_at_poll(rt, CURFEW_STOP_LOOPS);
		}
		curfew_control.loops_left -= taken;
	}
	if (host_is_out_of_fuel())
		return stop_at_poll(rt, CURFEW_STOP_FUEL);
	curfew_control.polls += taken;
	refill(ctx);
	return 0;
}

/* ---- The stack of what was running ------------------------------------------------------------------------ */

static void trace_text(const char *text)
{
	uint32_t at = curfew_control.trace_length;
	for (; *text && at < CURFEW_GUEST_TRACE_BYTES; text++)
		curfew_control.trace[at++] = *text;
	curfew_control.trace_length = at;
}

static void trace_number(int number)
{
	char digits[12];
	int at = sizeof digits - 1;
	unsigned left = number > 0 ? (unsigned)number : 0;

	digits[at] = 0;
	do
		digits[--at] = (char)('0' + left % 10);
	while ((left /= 10) && at);
	trace_text(digits + at);
}

/* Cleans a name at the end of a recorded stack, as trace_clean does. */
static void curfew_clean_name(char *text, size_t length, size_t name_length)
{
	for (size_t i = length - name_length; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '(' || text[i] == ')')
			text[i] = '?';
}

/* A name must not look like more frames than one. */
static void trace_clean(const char *text, bool is_file)
{
	char one[2] = {0, 0};
	for (; *text; text++) {
		bool bad = (unsigned char)*text < ' ' || (!is_file && (*text == '(' || *text == ')'));
		one[0] = bad ? '?' : *text;
		trace_text(one);
	}
}

/* The own "name" where it is plain data: no getter is called, nothing is allocated. */
static const char *own_name(JSRuntime *rt, JSObject *function, char *buffer)
{
	JSProperty *property;
	JSShapeProperty *shape = find_own_property(&property, function, JS_ATOM_name);

	(void)rt;
	if (!shape || (shape->flags & JS_PROP_TMASK) || JS_VALUE_GET_TAG(property->u.value) != JS_TAG_STRING)
		return "";
	JSString *string = JS_VALUE_GET_STRING(property->u.value);
	size_t length = 0;
	for (uint32_t i = 0; i < string->len && length + UTF8_CHAR_LEN_MAX < CURFEW_GUEST_NAME_BYTES; i++) {
		uint32_t c = string->is_wide_char ? str16(string)[i] : str8(string)[i];
		if (is_hi_surrogate(c) && i + 1 < string->len && is_lo_surrogate(str16(string)[i + 1]))
			c = from_surrogate(c, str16(string)[++i]);
		length += utf8_encode((uint8_t *)buffer + length, c);
	}
	buffer[length] = 0;
	return buffer;
}

static const char *native_function_name(JSRuntime *rt, JSObject *function, char *buffer)
{
	uint32_t low = 0, high = native_name_count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (native_names[middle].function == function)
			return JS_AtomGetStrRT(rt, buffer, CURFEW_GUEST_NAME_BYTES, native_names[middle].name);
		if (native_names[middle].function < function)
			low = middle + 1;
		else
			high = middle;
	}
	return own_name(rt, function, buffer);
}

static void trace_frame(JSRuntime *rt, JSStackFrame *frame)
{
	char name[CURFEW_GUEST_NAME_BYTES], file[FILE_BYTES];
	JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
	const char *shown;

	if (!js_class_has_bytecode(function->class_id)) {
		shown = native_function_name(rt, function, name);
		trace_text("    at ");
		trace_clean(*shown ? shown : "<anonymous>", false);
		trace_text(" (native)\n");
		return;
	}
	JSFunctionBytecode *code = function->u.func.function_bytecode;
	int line = code->line_num, column = code->col_num;
	/* A frame that calls is behind the call; one that was stopped at the end of a loop is at its beginning. */
	bool at_loop = frame == stopped_frame && frame->cur_pc != stopped_pc;
	if (frame->cur_pc)
		line = find_line_num(curfew_context, code, (uint32_t)(frame->cur_pc - code->byte_code_buf - !at_loop), &column);
	shown = code->func_name ? JS_AtomGetStrRT(rt, name, CURFEW_GUEST_NAME_BYTES, code->func_name)
	                        : own_name(rt, function, name);
	trace_text("    at ");
	trace_clean(*shown ? shown : "<anonymous>", false);
	trace_text(" (");
	trace_clean(JS_AtomGetStrRT(rt, file, FILE_BYTES, code->filename), true);
	trace_text(":");
	trace_number(line > 0 ? line : 1);
	trace_text(":");
	trace_number(column);
	trace_text(")\n");
}

enum frame_kind { FRAME_NONE, FRAME_NATIVE, FRAME_PRELUDE, FRAME_PROGRAM };

static enum frame_kind frame_kind(const JSStackFrame *frame)
{
	if (JS_VALUE_GET_TAG(frame->cur_func) != JS_TAG_OBJECT ||
	    JS_VALUE_GET_OBJ(frame->cur_func) == JS_VALUE_GET_OBJ(stop_hook))
		return FRAME_NONE;
	JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
	if (!js_class_has_bytecode(function->class_id))
		return FRAME_NATIVE;
	return function->u.func.function_bytecode->filename == prelude_name ? FRAME_PRELUDE : FRAME_PROGRAM;
}

/* Called by the prelude, whose own outermost frame is enough. */
static bool curfew_is_within_prelude(const JSStackFrame *frame)
{
	return frame->prev_frame && frame_kind(frame) != FRAME_PROGRAM && frame_kind(frame->prev_frame) == FRAME_PRELUDE;
}

/* The function that the current job is to call, where the engine itself is between two of the program's frames. */
static JSObject *job_function;

static void trace_job(JSRuntime *rt)
{
	JSStackFrame frame = {0};

	if (job_function->class_id == JS_CLASS_ASYNC_FUNCTION_RESOLVE ||
	    job_function->class_id == JS_CLASS_ASYNC_FUNCTION_REJECT) {
		JSAsyncFunctionData *data = job_function->u.async_function_data;
		if (data && data->is_active && JS_VALUE_GET_TAG(data->func_state.frame.cur_func) == JS_TAG_OBJECT)
			trace_frame(rt, &data->func_state.frame);
		return;
	}
	frame.cur_func = JS_MKPTR(JS_TAG_OBJECT, job_function);
	trace_frame(rt, &frame);
}

static void note_job(JSRuntime *rt)
{
	job_function = NULL;
	if (list_empty(&rt->job_list))
		return;
	JSJobEntry *job = list_entry(rt->job_list.next, JSJobEntry, link);
	for (int i = 0; i < job->argc; i++) {
		if (JS_VALUE_GET_TAG(job->argv[i]) != JS_TAG_OBJECT)
			continue;
		JSObject *object = JS_VALUE_GET_OBJ(job->argv[i]);
		if (js_class_has_bytecode(object->class_id) || object->class_id == JS_CLASS_ASYNC_FUNCTION_RESOLVE ||
		    object->class_id == JS_CLASS_ASYNC_FUNCTION_REJECT) {
			job_function = object;
			return;
		}
	}
}

int curfew_engine_run_job(void)
{
	JSContext *ctx;

	note_job(curfew_runtime);
	int more = JS_ExecutePendingJob(curfew_runtime, &ctx);
	job_function = NULL;
	return more;
}

/* ---- Where a program waits that has nothing to run -------------------------------------------------------- */

/* How many suspended functions, and links of a chain of promises, are looked at. */
#define LOOKS 4096
#define PROMISE_LINKS 64

static JSObject *object_of_class(JSValue value, JSClassID class)
{
	JSObject *object = JS_VALUE_GET_TAG(value) == JS_TAG_OBJECT ? JS_VALUE_GET_OBJ(value) : NULL;
	return object && object->class_id == class ? object : NULL;
}

/* The promise that this function fulfils. */
static JSObject *promise_of(JSValue resolve)
{
	JSObject *function = object_of_class(resolve, JS_CLASS_PROMISE_RESOLVE_FUNCTION);
	JSPromiseFunctionData *data = function ? function->u.promise_function_data : NULL;
	return data ? object_of_class(data->promise, JS_CLASS_PROMISE) : NULL;
}

static unsigned curfew_promise_number_of(const void *promise)
{
	const JSObject *object = promise;
	return object && object->class_id == JS_CLASS_PROMISE && object->u.promise_data
	           ? object->u.promise_data->curfew_number
	           : 0;
}

/*
 * The function that awaits this promise, or a promise that follows from it: `return promise` and then() hand it on.
 * Where none does, *last is the number of the promise that all of this comes to.
 */
static JSAsyncFunctionData *awaiting(JSObject *promise, uint32_t *last)
{
	*last = 0;
	for (int i = 0; promise && promise->u.promise_data && i < PROMISE_LINKS; i++) {
		struct list_head *reactions = &promise->u.promise_data->promise_reactions[0];
		*last = promise->u.promise_data->curfew_number;
		if (list_empty(reactions))
			return NULL;
		JSPromiseReactionData *reaction = list_entry(reactions->next, JSPromiseReactionData, link);
		JSObject *resume = object_of_class(reaction->handler, JS_CLASS_ASYNC_FUNCTION_RESOLVE);
		if (resume)
			return resume->u.async_function_data;
		JSObject *next = promise_of(reaction->handler);
		promise = next ? next : promise_of(reaction->resolving_funcs[0]);
	}
	return NULL;
}

static bool is_suspended(const JSAsyncFunctionData *data)
{
	return data->is_active && JS_VALUE_GET_TAG(data->func_state.frame.cur_func) == JS_TAG_OBJECT;
}

/* The next of the list that is suspended, after another one or from the beginning; NULL: there is none. */
static JSAsyncFunctionData *next_suspended(const JSAsyncFunctionData *after, int *looks)
{
	const struct list_head *link = after ? after->curfew_link.next : curfew_async_functions.next;

	for (; link != &curfew_async_functions && (*looks)-- > 0; link = link->next) {
		JSAsyncFunctionData *data = list_entry(link, JSAsyncFunctionData, curfew_link);
		if (is_suspended(data))
			return data;
	}
	return NULL;
}

/* The program waits for this promise; 0: it is not known yet which one will be its result. */
static uint32_t expected_number;

/* What the top level of the program or of an import comes to: the program waits for all of them. */
#define TOP_LEVEL 0

/* The function that awaits this one; NULL: none does, and *end is what it comes to in the end. */
static JSAsyncFunctionData *caller_of(const JSAsyncFunctionData *data, uint32_t *end)
{
	JSObject *function = JS_VALUE_GET_OBJ(data->func_state.frame.cur_func);
	JSAsyncFunctionData *caller = awaiting(promise_of(data->resolving_funcs[0]), end);

	if (!caller && js_class_has_bytecode(function->class_id) &&
	    function->u.func.function_bytecode->func_name == JS_ATOM__eval_)
		*end = TOP_LEVEL;
	return caller;
}

static bool leads_to_result(uint32_t end)
{
	return end == TOP_LEVEL || end == expected_number;
}

/* The function that this one awaits; NULL: none that is still there. */
static JSAsyncFunctionData *awaited_by(const JSAsyncFunctionData *caller)
{
	int looks = LOOKS;
	uint32_t end;
	JSAsyncFunctionData *at = next_suspended(NULL, &looks);

	while (at && caller_of(at, &end) != caller)
		at = next_suspended(at, &looks);
	return at;
}

/* The oldest function that none awaits: if there is one, the one that the program's result comes from. */
static JSAsyncFunctionData *outermost_waiting(void)
{
	int looks = LOOKS;
	JSAsyncFunctionData *oldest = NULL;

	for (JSAsyncFunctionData *at = next_suspended(NULL, &looks); at; at = next_suspended(at, &looks)) {
		uint32_t end;
		if (caller_of(at, &end))
			continue;
		if (leads_to_result(end))
			return at;
		oldest = oldest ? oldest : at;
	}
	return oldest;
}

/* Writes a chain of awaits, innermost first, as if they were calls. Of ours, only the one that the program called. */
static void trace_chain(JSRuntime *rt, JSAsyncFunctionData *const *chain, int length)
{
	int at = 0;

	while (at + 1 < length && frame_kind(&chain[at]->func_state.frame) == FRAME_PRELUDE &&
	       frame_kind(&chain[at + 1]->func_state.frame) == FRAME_PRELUDE)
		at++;
	while (at < length)
		trace_frame(rt, &chain[at++]->func_state.frame);
}

/* ---- Where functions waited that are garbage -------------------------------------------------------------- */

/* How many of them are remembered, each with so many of those that awaited it. */
#define LOST 8
#define LOST_FRAMES 16
#define LOST_TEXT 1024

/* A function that became garbage while it waited, and the chain of those that awaited it. */
typedef struct lost_chain {
	uint32_t numbers[LOST_FRAMES]; /* of the promises of its functions, innermost first */
	uint32_t count;
	uint32_t end;   /* what the outermost one comes to */
	uint32_t order; /* 0: this place is free */
	uint32_t length;
	char text[LOST_TEXT]; /* as in a trace */
} lost_chain;
static lost_chain *lost; /* [LOST], once there was one: the memory that every run writes to stays close together */
static uint32_t lost_order;

static uint32_t number_of(const JSAsyncFunctionData *data)
{
	return curfew_promise_number_of(promise_of(data->resolving_funcs[0]));
}

static bool has_number(const lost_chain *chain, uint32_t number)
{
	for (uint32_t i = 0; i < chain->count; i++)
		if (chain->numbers[i] == number)
			return true;
	return false;
}

/* Lets go of all that is remembered, since another call begins. */
static void forget_lost(void)
{
	free(lost);
	lost = NULL;
	expected_number = 0;
}

/* A place for another chain: a free one, else the oldest that does not lead to the result. */
static lost_chain *place_for_lost(void)
{
	lost_chain *place = &lost[lost_order % LOST];
	bool may_go = false;

	for (int i = 0; i < LOST; i++) {
		bool needed = lost[i].order && leads_to_result(lost[i].end);
		if (!needed && (!may_go || lost[i].order < place->order))
			place = &lost[i];
		may_go |= !needed;
	}
	return place;
}

/* Appends a chain's functions, and its frames as text: nobody reads the trace while the program runs. */
static void add_to_lost(JSRuntime *rt, lost_chain *place, JSAsyncFunctionData *const *chain, int length)
{
	for (int i = 0; i < length && place->count < LOST_FRAMES; i++)
		place->numbers[place->count++] = number_of(chain[i]);

	curfew_control.trace_length = 0;
	trace_chain(rt, chain, length);
	uint32_t added = curfew_control.trace_length;
	while (added > LOST_TEXT - place->length || (added && curfew_control.trace[added - 1] != '\n'))
		added--;
	memcpy(place->text + place->length, curfew_control.trace, added);
	place->length += added;
	curfew_control.trace_length = 0;
}

/* The functions that await this one, itself first; *end is what the outermost comes to. */
static int chain_outwards(JSAsyncFunctionData *function, JSAsyncFunctionData **chain, uint32_t *end)
{
	int length = 0;

	for (JSAsyncFunctionData *at = function; at && is_suspended(at) && length < LOST_FRAMES; at = caller_of(at, end))
		chain[length++] = at;
	return length;
}

/* The chain lost last that has this function, or that it awaited the end of; NULL: neither. */
static lost_chain *lost_within(const JSAsyncFunctionData *function)
{
	uint32_t number = number_of(function);
	lost_chain *found = NULL;

	for (int i = 0; lost && i < LOST; i++) {
		bool fits = has_number(&lost[i], number) || (function->curfew_awaits && lost[i].end == function->curfew_awaits);
		if (lost[i].order && fits && (!found || lost[i].order > found->order))
			found = &lost[i];
	}
	return found;
}

/* The chain that begins with one of these functions: what is lost inside of it takes its place. */
static lost_chain *lost_outside(JSAsyncFunctionData *const *chain, int length)
{
	for (int i = 0; i < LOST; i++)
		for (int at = 0; lost[i].order && at < length; at++)
			if (lost[i].numbers[0] == number_of(chain[at]))
				return &lost[i];
	return NULL;
}

static void curfew_note_lost(JSRuntime *rt, JSAsyncFunctionData *function)
{
	JSAsyncFunctionData *chain[LOST_FRAMES];
	uint32_t end = 0;

	if (stopping || !is_suspended(function))
		return;
	lost = lost ? lost : checked(calloc(LOST, sizeof *lost));
	lost_chain *place = lost_within(function);
	/* Those that awaited a function are often lost with it. */
	if (place && has_number(place, number_of(function)))
		return;

	int length = chain_outwards(function, chain, &end);
	if (!place) {
		place = lost_outside(chain, length);
		place = place ? place : place_for_lost();
		place->count = place->length = 0;
	}
	place->order = ++lost_order;
	place->end = end;
	add_to_lost(rt, place, chain, length);
}

/* A collection is about to free what is in cycles: everything is still whole. */
static void curfew_note_lost_cycles(JSRuntime *rt)
{
	struct list_head *link;

	list_for_each(link, &rt->tmp_obj_list)
	{
		JSGCObjectHeader *header = list_entry(link, JSGCObjectHeader, link);
		if (JS_GC_TYPE(header) == JS_GC_OBJ_TYPE_ASYNC_FUNCTION)
			curfew_note_lost(rt, (JSAsyncFunctionData *)header);
	}
}

/* The chain lost last that leads to the result; NULL: none was. */
static const lost_chain *lost_result(void)
{
	const lost_chain *found = NULL;

	for (int i = 0; lost && i < LOST; i++)
		if (lost[i].order && leads_to_result(lost[i].end) && (!found || lost[i].order > found->order))
			found = &lost[i];
	return found;
}

static void trace_lost(const lost_chain *chain)
{
	memcpy(curfew_control.trace, chain->text, chain->length);
	curfew_control.trace_length = chain->length;
}

/* Where the program waits: the chain of awaits that its result hangs on, also as far as it is garbage. */
static void trace_waiting(JSRuntime *rt)
{
	JSAsyncFunctionData *inwards[TRACE_FRAMES], *chain[TRACE_FRAMES];
	int length = 0;
	uint32_t end = 0;
	JSAsyncFunctionData *outermost = outermost_waiting();
	bool is_result = outermost && !caller_of(outermost, &end) && leads_to_result(end);

	const lost_chain *gone = is_result ? NULL : lost_result();
	if (gone) {
		trace_lost(gone);
		return;
	}
	for (JSAsyncFunctionData *at = outermost; at && length < TRACE_FRAMES; at = awaited_by(at))
		inwards[length++] = at;
	/* What the innermost one awaits may have been the promise of a function that is no more. */
	gone = length ? lost_within(inwards[length - 1]) : NULL;
	if (gone)
		trace_lost(gone);
	if (gone && has_number(gone, number_of(inwards[length - 1])))
		return;
	for (int i = 0; i < length; i++)
		chain[i] = inwards[length - 1 - i];
	trace_chain(rt, chain, length);
}

void curfew_engine_expect(JSValueConst result)
{
	expected_number = curfew_promise_number_of(object_of_class(result, JS_CLASS_PROMISE));
}

/*
 * Writes the frames that were running into the control block. Called by the host after a stop, at whatever
 * instruction that fell: allocates nothing, changes nothing, trusts no more than it must.
 */
CURFEW_EXPORT("curfew_trace") void curfew_trace(void)
{
	JSRuntime *rt = curfew_runtime;
	int frames = 0;

	curfew_control.trace_length = 0;
	for (JSStackFrame *frame = rt->current_stack_frame; frame && frames < TRACE_FRAMES; frame = frame->prev_frame) {
		if (frame_kind(frame) == FRAME_NONE)
			continue;
		if (curfew_is_within_prelude(frame))
			continue;
		trace_frame(rt, frame);
		frames++;
	}
	if (!frames && job_function)
		trace_job(rt);
	else if (!frames)
		trace_waiting(rt);
}

#include "engine_errors.c"

/* ---- Exceptions ------------------------------------------------------------------------------------------- */

static void set_text(uint32_t *text, uint32_t *text_length, const char *source, size_t length)
{
	*text = (uint32_t)(uintptr_t)source;
	*text_length = source ? (uint32_t)length : 0;
}

int32_t curfew_engine_refuse(const char *name, const char *message)
{
	set_text(&curfew_control.error_name, &curfew_control.error_name_length, name, strlen(name));
	set_text(&curfew_control.error_message, &curfew_control.error_message_length, message, strlen(message));
	return CURFEW_GUEST_REFUSED;
}

/* Of one call: an error's four texts, a value and the note on it. */
static const char *kept_texts[6];
static uint32_t kept_text_count;

void curfew_engine_keep_text(const char *text)
{
	if (text && kept_text_count < countof(kept_texts))
		kept_texts[kept_text_count++] = text;
}

/* Reading what was thrown may run the program's code (a getter, toString): it is still under its limits. */
static void describe_text(JSContext *ctx, JSValue value, uint32_t *text, uint32_t *text_length)
{
	size_t length = 0;
	const char *string = JS_IsUndefined(value) ? NULL : JS_ToCStringLen(ctx, &length, value);
	if (!string)
		JS_FreeValue(ctx, JS_GetException(ctx));
	set_text(text, text_length, string, length);
	curfew_engine_keep_text(string);
}

/* What the prelude makes of an error, in its order. */
static const struct {
	uint32_t *text, *length;
} described_texts[] = {
	{&curfew_control.error_name, &curfew_control.error_name_length},
	{&curfew_control.error_message, &curfew_control.error_message_length},
	{&curfew_control.error_details, &curfew_control.error_details_length},
};

/* [name, message, details]; where the prelude is not there yet, or cannot do it any more, what there is of it. */
static JSValue describe_error(JSContext *ctx, JSValueConst error)
{
	JSValue hook = JS_IsObject(curfew_hooks) ? JS_GetPropertyStr(ctx, curfew_hooks, "describe") : JS_UNDEFINED;
	JSValue description = JS_IsFunction(ctx, hook) ? JS_Call(ctx, hook, JS_UNDEFINED, 1, &error) : JS_EXCEPTION;

	JS_FreeValue(ctx, hook);
	if (!JS_IsException(description))
		return description;
	JS_FreeValue(ctx, JS_GetException(ctx));
	description = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, description, 0, text_property(ctx, error, JS_ATOM_name, "Uncaught"));
	JS_SetPropertyUint32(ctx, description, 1, text_property(ctx, error, JS_ATOM_message, ""));
	return description;
}

int32_t curfew_engine_describe(int32_t result)
{
	JSContext *ctx = curfew_context;

	if (curfew_engine_stopping())
		return CURFEW_GUEST_STOPPED;
	JSValue trace = JS_DupValue(ctx, ctx->error_back_trace);
	JSValue error = JS_GetException(ctx);
	bool is_object = JS_IsObject(error);

	if (is_object && JS_VALUE_GET_OBJ(error)->class_id == JS_CLASS_ERROR &&
	    JS_IsString(JS_VALUE_GET_OBJ(error)->u.object_data))
		trace = JS_DupValue(ctx, JS_VALUE_GET_OBJ(error)->u.object_data);
	if (JS_IsString(trace))
		describe_text(ctx, trace, &curfew_control.error_trace, &curfew_control.error_trace_length);

	JSValue description = describe_error(ctx, error);
	for (uint32_t i = 0; i < countof(described_texts); i++) {
		JSValue text = JS_GetPropertyUint32(ctx, description, i);
		describe_text(ctx, text, described_texts[i].text, described_texts[i].length);
		JS_FreeValue(ctx, text);
	}
	if (curfew_is_session()) {
		JS_FreeValue(ctx, trace);
		JS_FreeValue(ctx, error);
		JS_FreeValue(ctx, description);
	}
	return result;
}

/* ---- Set-up ----------------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const native_name *x = a, *y = b;
	return x->function < y->function ? -1 : x->function > y->function;
}

/*
 * Notes the name of every builtin that can be reached from this object, and holds a reference to each so that
 * its address stays its own. Reaching them also creates those that the engine would create at first use.
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

/* What is made for threads has no place here, nor what speaks for the engine. */
static void remove_unwanted(JSContext *ctx)
{
	JSValue atomics = JS_GetPropertyStr(ctx, ctx->global_obj, "Atomics");
	static const char *const names[] = {"wait", "notify", "waitAsync"};
	for (size_t i = 0; i < countof(names); i++)
		remove_property(ctx, atomics, names[i]);
	JS_FreeValue(ctx, atomics);
	remove_property(ctx, ctx->global_obj, "SharedArrayBuffer");
}

/*
 * Properties that are made when they are first looked at: the engine's own kind for it, with a function in place of a
 * number. While it is made the property is undefined: what makes it may look at it, or change it.
 */
static int curfew_fill_lazy(JSContext *ctx, JSObject *object, JSAtom key, void *make)
{
	JSValue holder = JS_DupValue(ctx, JS_MKPTR(JS_TAG_OBJECT, object));
	JSValue value = JS_Call(ctx, JS_MKPTR(JS_TAG_OBJECT, make), JS_UNDEFINED, 0, NULL);
	JSProperty *property;
	bool failed = JS_IsException(value);
	JSShapeProperty *shape = failed ? NULL : find_own_property(&property, object, key);

	if (shape && !(shape->flags & JS_PROP_TMASK))
		set_value(ctx, &property->u.value, value);
	else
		JS_FreeValue(ctx, value);
	JS_FreeValue(ctx, holder);
	return failed ? -1 : 0;
}

void curfew_engine_define_lazy(JSValueConst object, JSValueConst key, JSValueConst make)
{
	JSContext *ctx = curfew_context;
	JSAtom atom = JS_ValueToAtom(ctx, key);
	JSValue kept = JS_DupValue(ctx, make); /* for as long as there is a guest */

	JS_DeleteProperty(ctx, object, atom, 0);
	JS_DefineAutoInitProperty(ctx, object, atom, JS_AUTOINIT_ID_BYTECODE, JS_VALUE_GET_PTR(kept),
	                          JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
	JS_FreeAtom(ctx, atom);
}

/* For the build: the bytecode of the script at input, as the value. */
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

/* Without its source text: a program has no use for it, and every image would carry it. */
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

void curfew_engine_init(void)
{
	JSRuntime *rt = curfew_runtime = JS_NewRuntime2(&allocator, NULL);
	JSContext *ctx = curfew_context = JS_NewContext(rt);

	prelude_name = JS_NewAtom(ctx, "curfew:prelude");
	JS_AddIntrinsicDOMException(ctx);
	add_match_properties(ctx);
	remove_unwanted(ctx);
	JS_SetCanBlock(rt, false);
	stop_hook = JS_NewCFunction(ctx, on_stop_hook, "", 0);

	JSValue native = JS_NewObject(ctx);
	curfew_natives_init(native);
	curfew_timers_init(native);
	curfew_tasks_init(native);
	curfew_operations_init(native);
	curfew_modules_natives(native);
	curfew_assets_init(native);
	curfew_functions_init(native);
	curfew_compression_init(native);
	curfew_crypto_init(native);
	curfew_zones_init(native);
	curfew_web_init(ctx, native);
	curfew_url_pattern_init(ctx, native);
	JSValue prelude = evaluate_prelude(ctx);
	curfew_hooks = JS_Call(ctx, prelude, JS_UNDEFINED, 1, (JSValueConst *)&native);
	if (JS_IsException(prelude) || JS_IsException(curfew_hooks)) {
		curfew_engine_describe(CURFEW_GUEST_THREW);
		return;
	}
	JS_FreeValue(ctx, prelude);
	/* With it a program could write the engine's record of where something was thrown. */
	remove_property(ctx, ctx->error_ctor, "prepareStackTrace");
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

/* Where the next call waits is not for the functions to say that the last one left suspended. */
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
	curfew_control.trace_length = 0;
	refill(ctx);
	JS_FreeValue(ctx, JS_GetException(ctx));
	drop_jobs(rt);
	forget_async_functions();
	while (kept_text_count)
		JS_FreeCString(ctx, kept_texts[--kept_text_count]);
	/* What unwinding put by. */
	rt->gc_phase = JS_GC_PHASE_NONE;
	free_zero_refcount(rt);
}

/*
 * The engine counts columns of a first line from 0, since no line break stands before it. So one does, in what is
 * compiled here, and lines are counted from 0 instead.
 */
JSValue curfew_engine_compile(const char *source, size_t length, const char *name, int type)
{
	JSContext *ctx = curfew_context;
	return JS_EvalInternal(ctx, ctx->global_obj, source, length, name, 0, type | JS_EVAL_FLAG_COMPILE_ONLY, -1);
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

/* Where the host finds what it writes to. */
CURFEW_EXPORT("curfew_control_address") uint32_t curfew_control_address(void)
{
	return (uint32_t)(uintptr_t)&curfew_control;
}

CURFEW_EXPORT("curfew_counter_address") uint32_t curfew_counter_address(void)
{
	return (uint32_t)(uintptr_t)&curfew_context->interrupt_counter;
}

/* The stack comes first in memory, and the data right behind it. */
CURFEW_EXPORT("curfew_stack_top") uint32_t curfew_stack_top(void)
{
	extern char __global_base;
	return (uint32_t)(uintptr_t)&__global_base;
}
