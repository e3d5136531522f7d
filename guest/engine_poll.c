/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The poll that stops a run, and finds the exact position of what was running. A part of engine.c, which includes it,
 * because it needs the engine's internals.
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
 * Unwinds a stop in a session and leaves the guest consistent: it throws an exception that nothing catches. Objects
 * that are freed on the way are deferred to the next call, and no collection starts, so that a large heap does not take
 * long. Some builtins swallow exceptions, so each further poll throws again. If unwinding takes too long, the host
 * stops the run hard.
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

/* As in stop_at_poll, the interpreter's top frame stores its position only when the hook is called. */
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
	/* The call of the hook is counted as well. */
	ctx->interrupt_counter = curfew_control.interval = by_hook ? 2 : 1;
	return 1;
}

bool curfew_engine_stopping(void)
{
	return stopping && curfew_is_session();
}

/*
 * Ends the run at this poll with an exact stack. If a builtin polls, every frame below it has stored its position
 * already. If the interpreter polls, the position of the top frame is still in a register. The engine stores it when it
 * records an exception, and then calls the hook that is set here. The hook ends the entry, so no more code of the
 * program runs.
 */
static int stop_at_poll(JSRuntime *rt, uint32_t cause)
{
	JSContext *ctx = curfew_context;
	JSStackFrame *frame = rt->current_stack_frame;

	curfew_control.answering = 1;
	if (!stopping)
		first_cause = cause;
	/* The counter has run out. The host reads the count from the control block, so add it there. */
	if (ctx->interrupt_counter == JS_INTERRUPT_COUNTER_INIT) {
		curfew_control.polls += stopping ? 0 : curfew_control.interval;
		curfew_control.interval = 0;
		ctx->interrupt_counter = 0;
	}
	/* No function of the program is running, so the trace would be empty. Stop in the next one. */
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
	/* This is not a poll, so add what has been counted since the last refill. */
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

/* The fuel limit was exceeded. This counts as a poll, though the count of loops and calls has not run out. */
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
	/* The regexp matcher checks at other times too. The count continues. */
	if (ctx->interrupt_counter != JS_INTERRUPT_COUNTER_INIT)
		return host_is_out_of_fuel() ? stop_at_poll(rt, CURFEW_STOP_FUEL) : 0;
	uint32_t taken = curfew_control.interval;
	if (curfew_control.loops_left != UINT64_MAX) {
		if (taken > curfew_control.loops_left) {
			/* If the stop is postponed, the next poll exceeds the limit too. The host shows no more than the limit. */
			curfew_control.loops_left = 0;
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
