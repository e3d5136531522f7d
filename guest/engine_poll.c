/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The poll that stops a run, with the exact position of what was running. A part of engine.c, which includes it: it
 * needs the engine's internals.
 */

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
