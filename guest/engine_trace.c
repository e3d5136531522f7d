/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a program is, or waits: the frames that were running, the chain of awaits, and functions that became garbage
 * while they waited. A part of engine.c, which includes it, because it needs the engine's internals.
 */

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

/* Cleans a name at the end of a recorded stack, like trace_clean. */
static void curfew_clean_name(char *text, size_t length, size_t name_length)
{
	for (size_t i = length - name_length; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '(' || text[i] == ')')
			text[i] = '?';
}

/* A name must not be able to imitate further frames. */
static void trace_clean(const char *text, bool is_file)
{
	char one[2] = {0, 0};
	for (; *text; text++) {
		bool bad = (unsigned char)*text < ' ' || (!is_file && (*text == '(' || *text == ')'));
		one[0] = bad ? '?' : *text;
		trace_text(one);
	}
}

/* The own property "name", if it is plain data. It calls no getter and allocates nothing. */
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
	/*
	 * A frame that made a call points after the call. A frame that was stopped at the end of a loop points at its
	 * beginning.
	 */
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

/* Whether the prelude called this frame. Of the prelude's own frames, the outermost one is enough. */
static bool curfew_is_within_prelude(const JSStackFrame *frame)
{
	return frame->prev_frame && frame_kind(frame) != FRAME_PROGRAM && frame_kind(frame->prev_frame) == FRAME_PRELUDE;
}

/*
 * The function that the current job is going to call, while the engine itself is between two functions of the program.
 */
static JSObject *job_function;
/* What resolves the promise that follows from the current job. It is not owned. */
static JSValue job_resolver = JS_UNDEFINED;

/* Whether the stack of an error leaves the frame out. The functions of the prelude that a job calls have no names. */
static bool curfew_is_hidden(JSContext *ctx, const JSStackFrame *frame)
{
	if (curfew_is_within_prelude(frame))
		return true;
	if (JS_IsUndefined(job_resolver) || frame->prev_frame || frame_kind(frame) != FRAME_PRELUDE)
		return false;
	const char *name = get_func_name(ctx, frame->cur_func);
	bool is_named = name && *name;
	JS_FreeCString(ctx, name);
	return !is_named;
}

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
	if (job->argc > 0)
		job_resolver = job->argv[0];
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

JSValue curfew_engine_async_context(void)
{
	return js_dup(curfew_async_context);
}

void curfew_engine_set_async_context(JSValue context)
{
	/* Write only if the value changes: each page that a run writes to is copied for the run, and restored after it. */
	if (!JS_IsUndefined(context) || !JS_IsUndefined(curfew_async_context))
		set_value(curfew_context, &curfew_async_context, context);
}

/*
 * Ticks (process.nextTick) are jobs in a list of their own. As in Node, all of them run before the next other job when
 * the program is entered, and again whenever no other job is left.
 */
static struct list_head ticks = {&ticks, &ticks};
static uint32_t tick_count, ticks_queued; /* in the list; at the head of the queue of jobs */
static bool are_ticks_due;

int curfew_engine_queue_tick(JSValueConst function)
{
	if (JS_EnqueueJob(curfew_context, js_microtask_job, 1, &function) < 0)
		return -1;
	struct list_head *last = curfew_runtime->job_list.prev;
	list_del(last);
	list_add_tail(last, &ticks);
	tick_count++;
	return 0;
}

void curfew_engine_begin_jobs(void)
{
	if (tick_count)
		are_ticks_due = true;
}

bool curfew_engine_has_jobs(void)
{
	return tick_count || JS_IsJobPending(curfew_runtime);
}

static void queue_ticks(void)
{
	if (ticks_queued || !(tick_count || are_ticks_due))
		return;
	are_ticks_due = tick_count && (are_ticks_due || !JS_IsJobPending(curfew_runtime));
	if (!are_ticks_due)
		return;
	while (!list_empty(&ticks)) {
		struct list_head *last = ticks.prev;
		list_del(last);
		list_add(last, &curfew_runtime->job_list);
	}
	ticks_queued = tick_count;
	tick_count = 0;
}

int curfew_engine_run_job(void)
{
	JSContext *ctx;

	queue_ticks();
	if (ticks_queued)
		ticks_queued--;
	note_job(curfew_runtime);
	int more = JS_ExecutePendingJob(curfew_runtime, &ctx);
	job_function = NULL;
	job_resolver = JS_UNDEFINED;
	return more;
}

/* ---- Where a program waits that has nothing to run --------------------------------------------------------- */

/* The maximum number of suspended functions, and of links in a chain of promises, that are examined. */
#define LOOKS 4096
#define PROMISE_LINKS 64

static JSObject *object_of_class(JSValue value, JSClassID class)
{
	JSObject *object = JS_VALUE_GET_TAG(value) == JS_TAG_OBJECT ? JS_VALUE_GET_OBJ(value) : NULL;
	return object && object->class_id == class ? object : NULL;
}

/* The promise that this function resolves. */
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

/* The promise of Promise.all and the like, if the reaction's handler passes on one of its results. */
static JSObject *promise_of_all(JSValue handler)
{
	JSObject *function = object_of_class(handler, JS_CLASS_C_FUNCTION_DATA);
	JSCFunctionDataRecord *data = function ? function->u.c_function_data_record : NULL;
	return data && data->func == js_promise_all_resolve_element ? promise_of(data->data[3]) : NULL;
}

/*
 * The function that awaits this promise, or a promise that follows from it (`return promise` and then() pass it on, and
 * Promise.all if through_all). If no function does, *last is the number of the promise at the end of the chain.
 */
static JSAsyncFunctionData *awaiting(JSObject *promise, bool through_all, uint32_t *last)
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
		if (!next && through_all)
			next = promise_of_all(reaction->handler);
		promise = next ? next : promise_of(reaction->resolving_funcs[0]);
	}
	return NULL;
}

static bool is_suspended(const JSAsyncFunctionData *data)
{
	return data->is_active && JS_VALUE_GET_TAG(data->func_state.frame.cur_func) == JS_TAG_OBJECT;
}

/* The next suspended function of the list, after another one or from the beginning. NULL: there is none. */
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

/* The number of the promise that the program waits for. 0: it is not known yet which promise will be its result. */
static uint32_t expected_number;

/* The number for the top level of the program or of an import: the program waits for all of these. */
#define TOP_LEVEL 0

/* The function that awaits this one. NULL: none does, and *end is the number of the promise at the end of the chain. */
static JSAsyncFunctionData *caller_of(const JSAsyncFunctionData *data, uint32_t *end)
{
	JSObject *function = JS_VALUE_GET_OBJ(data->func_state.frame.cur_func);
	JSAsyncFunctionData *caller = awaiting(promise_of(data->resolving_funcs[0]), false, end);

	if (!caller && js_class_has_bytecode(function->class_id) &&
	    function->u.func.function_bytecode->func_name == JS_ATOM__eval_)
		*end = TOP_LEVEL;
	return caller;
}

static bool leads_to_result(uint32_t end)
{
	return end == TOP_LEVEL || end == expected_number;
}

/* The function that this one awaits. NULL: there is none that still exists. */
static JSAsyncFunctionData *awaited_by(const JSAsyncFunctionData *caller)
{
	int looks = LOOKS;
	uint32_t end;
	JSAsyncFunctionData *at = next_suspended(NULL, &looks);

	while (at && caller_of(at, &end) != caller)
		at = next_suspended(at, &looks);
	return at;
}

/* The oldest function that no function awaits. If there is one, the program's result comes from it. */
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

/*
 * Writes a chain of awaits, innermost first, as if they were calls. Of the prelude's functions, it shows only the one
 * that the program called.
 */
static void trace_chain(JSRuntime *rt, JSAsyncFunctionData *const *chain, int length)
{
	int at = 0;

	while (at + 1 < length && frame_kind(&chain[at]->func_state.frame) == FRAME_PRELUDE &&
	       frame_kind(&chain[at + 1]->func_state.frame) == FRAME_PRELUDE)
		at++;
	while (at < length)
		trace_frame(rt, &chain[at++]->func_state.frame);
}

/* ---- Where functions waited that became garbage ------------------------------------------------------------ */

/* How many such functions are remembered, and how many of their callers for each. */
#define LOST 8
#define LOST_FRAMES 16
#define LOST_TEXT 1024

/* A function that became garbage while it waited, and the chain of those that awaited it. */
typedef struct lost_chain {
	uint32_t numbers[LOST_FRAMES]; /* the promises of its functions, innermost first */
	uint32_t count;
	uint32_t end;   /* the promise at the end of the chain */
	uint32_t order; /* 0: this entry is free */
	uint32_t length;
	char text[LOST_TEXT]; /* in the form of a trace */
} lost_chain;
static lost_chain
	*lost; /* [LOST]; allocated at the first one, so that the memory that every run writes to stays compact */
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

/* Forgets all chains, since another call begins. */
static void forget_lost(void)
{
	free(lost);
	lost = NULL;
	expected_number = 0;
}

/* An entry for another chain: a free one, or the oldest one that does not lead to the result. */
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

/*
 * Appends a chain's functions, and its frames as text. It builds the text in the trace, which nobody reads while the
 * program runs.
 */
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

/* This function and the functions that await it. *end is the promise at the end of the chain. */
static int chain_outwards(JSAsyncFunctionData *function, JSAsyncFunctionData **chain, uint32_t *end)
{
	int length = 0;

	for (JSAsyncFunctionData *at = function; at && is_suspended(at) && length < LOST_FRAMES; at = caller_of(at, end))
		chain[length++] = at;
	return length;
}

/* The newest chain that has this function, or that ended at its promise. NULL: there is none. */
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

/* The chain that begins with one of these functions. A function lost inside of it replaces it. */
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
	/* The functions that awaited a function are often lost together with it. */
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

/* A collection is about to free the objects in cycles. All of them are still intact. */
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

/* The newest chain that leads to the result. NULL: there is none. */
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

/*
 * Writes where the program waits: the chain of awaits that its result depends on, including functions that became
 * garbage.
 */
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
	/* The innermost function may await the promise of a function that no longer exists. */
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

/* What the engine does for no function of the program, as the name of a builtin. NULL: nothing. */
static const char *native_step;

void curfew_engine_note_native(const char *name)
{
	native_step = name;
}

static void trace_native_step(void)
{
	trace_text("    at ");
	trace_text(native_step);
	trace_text(" (native)\n");
}

/*
 * Writes the frames that were running into the control block. The host calls it after a stop, whatever instruction the
 * stop interrupted. So it allocates nothing, changes nothing, and relies on as little state as possible.
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
	if (!frames && native_step)
		trace_native_step();
	else if (!frames && job_function)
		trace_job(rt);
	else if (!frames)
		trace_waiting(rt);
}
