/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly as a kind of run. The program is compiled at first use, executed until it waits or ends, and interrupted
 * at whatever instruction it has reached. What it waits for wakes the run from any thread, perhaps after the run is
 * gone.
 */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mutex.h"
#include "common/clock.h"
#include "report/report.h"
#include "run/stop.h"
#include "wasm/fuel.h"

/* The start of a deterministic program's clock: 2026-01-01. */
#define FIXED_DATE_NS (UINT64_C(1767225600) * 1000000000)

/* ---- Waking ----------------------------------------------------------------------------------------------- */

struct curfew__run_waker {
	atomic_uint references;
	curfew__mutex lock; /* guards run */
	curfew_run *run;    /* NULL: the run has ended */
};

static void drop_waker(void *context)
{
	curfew__run_waker *waker = context;

	if (atomic_fetch_sub(&waker->references, 1) != 1)
		return;
	curfew__mutex_finish(&waker->lock);
	free(waker);
}

static void wake_run(void *context)
{
	curfew__run_waker *waker = context;

	curfew__mutex_lock(&waker->lock);
	if (waker->run)
		curfew__run_wake(waker->run);
	curfew__mutex_unlock(&waker->lock);
}

static curfew__run_waker *create_waker(curfew_run *run)
{
	curfew__run_waker *waker = calloc(1, sizeof *waker);

	if (!waker)
		return NULL;
	atomic_init(&waker->references, 1);
	curfew__mutex_init(&waker->lock);
	waker->run = run;
	return waker;
}

static void end_waker(curfew__run_waker *waker)
{
	curfew__mutex_lock(&waker->lock);
	waker->run = NULL;
	curfew__mutex_unlock(&waker->lock);
	drop_waker(waker);
}

/* ---- What the instance asks for --------------------------------------------------------------------------- */

static void on_growth(void *context, size_t bytes, bool refused)
{
	curfew__run_growth(context, bytes, refused);
}

static bool on_call(void *context)
{
	curfew_run *run = context;
	return !atomic_load(&run->stop.cause) && curfew__run_charge_call(run);
}

static bool on_write(void *context, uint32_t stream, const char *bytes, size_t length)
{
	curfew_run *run = context;

	curfew__wasm_set_away(run->wasm, true);
	bool may_go_on = curfew__run_write(run, stream, bytes, length);
	curfew__wasm_set_away(run->wasm, false);
	return may_go_on;
}

static bool on_stopped(void *context)
{
	const curfew_run *run = context;
	return atomic_load(&run->stop.cause) != 0;
}

static bool on_woken(void *context)
{
	curfew_run *run = context;
	return atomic_exchange(&run->wait.woken, false);
}

static curfew__waker on_waker(void *context)
{
	const curfew_run *run = context;
	atomic_fetch_add(&run->wait.waker->references, 1);
	return (curfew__waker){run->wait.waker, wake_run, drop_waker};
}

static void on_function(void *context, size_t index, const curfew__host_params *params, curfew__host_answer *answer)
{
	curfew_run *run = context;

	curfew__wasm_set_away(run->wasm, true);
	curfew__run_function(run, index, params, answer);
	curfew__wasm_set_away(run->wasm, false);
}

static uint32_t on_function_start(void *context, size_t index, const curfew__host_params *params)
{
	return curfew__run_function_start(context, index, params);
}

static bool on_function_take(void *context, size_t index, uint32_t id, curfew__host_answer *answer)
{
	return curfew__run_function_take(context, index, id, answer);
}

static uint32_t on_fetch_start(void *context, const char *request, size_t length)
{
	return curfew__run_fetch(context, request, length);
}

static bool on_fetch_send(void *context, uint32_t id, uint32_t kind, const void *bytes, size_t length)
{
	return curfew__run_send(context, id, kind, bytes, length);
}

static void on_fetch_cancel(void *context, uint32_t id)
{
	curfew__run_end_operation(context, id);
}

/* While it waits for a host function, on_function_take looks for events. */
static void on_fetch_serve(void *context)
{
	curfew_run *run = context;

	if (!run->awaited)
		curfew__run_next_answer(run, 0);
}

static const curfew__wasm_host wasm_host = {
	on_growth,         on_call,          on_write,       on_stopped,    on_woken,        on_waker,       on_function,
	on_function_start, on_function_take, on_fetch_start, on_fetch_send, on_fetch_cancel, on_fetch_serve,
};

/* ---- Going on --------------------------------------------------------------------------------------------- */

static curfew__run_end end_of(curfew_run *run, curfew__wasm_end end)
{
	switch (end) {
	case CURFEW__WASM_WAITS: return CURFEW__END_WAITING;
	case CURFEW__WASM_DONE: return CURFEW__END_DONE;
	case CURFEW__WASM_THREW: return CURFEW__END_THREW;
	case CURFEW__WASM_REFUSED: return CURFEW__END_REFUSED;
	case CURFEW__WASM_EXITED: run->report->exit_code = run->wasm->exit_code; return CURFEW__END_EXITED;
	case CURFEW__WASM_TRAPPED: return CURFEW__END_TRAPPED;
	case CURFEW__WASM_STACK: return CURFEW__END_STACK;
	case CURFEW__WASM_FUEL: return CURFEW__END_FUEL;
	case CURFEW__WASM_FAILED: break;
	}
	return CURFEW__END_FAILED;
}

/* Reports why the program does not load, and where in its text. */
static curfew__run_end report_refusal(curfew_run *run, curfew__wasm_error *error)
{
	const char *message = error->message ? error->message : "out of memory";
	curfew_frame frame = {
		.function = "<anonymous>", .file = run->program->name, .line = error->line, .column = error->column};

	curfew__report_set_error(run->report, error->name, error->name ? strlen(error->name) : 0, message, strlen(message));
	if (error->line) {
		size_t length;
		bool is_text;
		const char *text = curfew__wasm_program_bytes(run->program->wasm, &length, &is_text);
		curfew__report_add_frame(run->report, &frame);
		curfew__budget budget = curfew__budget_begin(CURFEW__AFTER_CPU_NS, CURFEW__AFTER_BYTES);
		curfew__report_set_source_line(run->report, text, length, error->line, &budget);
		run->report->trace_truncated |= budget.is_spent;
	}
	free(error->message);
	return error->internal || !error->message ? CURFEW__END_FAILED : CURFEW__END_REFUSED;
}

static void free_list(curfew__wasi_file *files, size_t count)
{
	for (size_t i = 0; files && i < count; i++) {
		free(files[i].name);
		free(files[i].bytes);
	}
	free(files);
}

/* Creates an instance, or (code is NULL) takes the one that the session's last call has left. */
static curfew__wasm_end bring_to_life(curfew_run *run, const curfew__code *code)
{
	const curfew_limits *limits = &run->limits;
	const curfew__wasi_given *given = run->given->wasi;
	curfew__wasm_options options = {
		.host = &wasm_host,
		.context = run,
		.memory_bytes = (size_t)limits->memory_bytes,
		.fuel = limits->fuel,
		.call = run->call,
		.params = run->params,
		.params_length = run->params_length,
		.stop = &run->stop.cause,
		.wasi =
			{
				.arguments = given->args,
				.argument_count = given->arg_count,
				.environment = given->env,
				.environment_count = given->env_count,
				.directories = given->dirs,
				.directory_count = given->dir_count,
				.stdin_file = given->stdin_file,
				.deterministic = curfew__run_is_deterministic(run),
				.fixed_wall_ns = FIXED_DATE_NS,
				.seed = run->seed,
			},
	};

	/* What a session's guest was given it has already. */
	if (!code)
		return curfew__wasm_again(run->wasm, &options);
	curfew__wasi_file *files = NULL;
	if (run->given->files &&
	    !curfew__files_decode(run->given->files, run->given->files_length, &run->stop.cause, &files,
	                          &options.wasi.file_count) &&
	    !atomic_load(&run->stop.cause)) {
		free_list(files, options.wasi.file_count);
		return CURFEW__WASM_FAILED;
	}
	options.wasi.files = files;
	curfew__wasm_end end = curfew__wasm_init(run->wasm, code, &options);
	free(files);
	return end;
}

/* Sets the call's arguments, and executes it. */
static curfew__run_end begin_call(curfew_run *run, const curfew__code *code)
{
	run->wait.waker = create_waker(run);
	if (!run->wait.waker)
		return CURFEW__END_FAILED;
	curfew__wasm_end end = bring_to_life(run, code);
	atomic_store(&run->alive, true);
	if (end != CURFEW__WASM_WAITS)
		return end_of(run, end);
	curfew__run_reach(run, CURFEW__RUN_STARTED);
	run->clock.entered_ns = clock_now_ns();
	if (!curfew__run_arm(run, run->clock.entered_ns))
		return CURFEW__END_FAILED;
	return end_of(run, curfew__wasm_go_on(run->wasm));
}

/* ---- Loading ---------------------------------------------------------------------------------------------- */

void curfew__run_compiled(void *context)
{
	curfew__run_wake(context);
}

/* The result of a step of loading. CURFEW__END_DONE: continue. */
static curfew__run_end after_step(curfew_run *run, curfew__wasm_step step, curfew__wasm_error *error)
{
	bool waits = step == CURFEW__WASM_COMPILING || step == CURFEW__WASM_LOADING;

	atomic_store(&run->wait.compiling, waits);
	/* The cache does not have it, so compile it. */
	run->clock.compiled_ns = step == CURFEW__WASM_COMPILING ? 0 : clock_now_ns();
	if (waits)
		return CURFEW__END_WAITING;
	return step == CURFEW__WASM_LOADED ? CURFEW__END_DONE : report_refusal(run, error);
}

static curfew__run_end find_code(curfew_run *run, bool metered, const curfew__code **code)
{
	curfew__wasm_error error;
	curfew__wasm_step step = curfew__wasm_program_code(run->program->wasm, run->engine->machines, metered,
	                                                   run->limits.stack_bytes, &run->wait.compiled, code, &error);
	return after_step(run, step, &error);
}

static curfew__run_end describe(curfew_run *run)
{
	curfew__wasm_error error;
	curfew__wasm_step step = curfew__wasm_program_describe(run->program->wasm, &run->wait.compiled, &run->description,
	                                                       &run->description_length, &error);
	curfew__run_end end = after_step(run, step, &error);
	return end == CURFEW__END_DONE ? CURFEW__END_NOT_RUN : end;
}

/* An image contains the code of both flavours. */
static curfew__run_end compile_both(curfew_run *run)
{
	const curfew__code *code;
	curfew__run_end end = find_code(run, false, &code);

	if (end == CURFEW__END_DONE)
		end = find_code(run, true, &code);
	return end == CURFEW__END_DONE ? CURFEW__END_NOT_RUN : end;
}

/* Continues to the program's first instruction, or as far as the compiler is. */
static curfew__run_end load(curfew_run *run)
{
	const curfew__code *code = NULL;

	if (run->purpose == CURFEW__RUN_DESCRIBE)
		return describe(run);
	if (run->purpose == CURFEW__RUN_COMPILE)
		return compile_both(run);
	curfew__run_end end = find_code(run, run->limits.fuel != CURFEW_UNLIMITED, &code);
	if (end != CURFEW__END_DONE)
		return end;
	run->wasm = calloc(1, sizeof *run->wasm);
	return run->wasm ? begin_call(run, code) : CURFEW__END_FAILED;
}

static curfew__run_end load_and_start(curfew_run *run)
{
	run->clock.loaded_ns = clock_now_ns();
	if (!run->again)
		return load(run);
	atomic_store(&run->memory_bytes, run->wasm->memory_bytes);
	return begin_call(run, NULL);
}

static curfew__run_end resume(curfew_run *run)
{
	return run->wasm ? end_of(run, curfew__wasm_go_on(run->wasm)) : load(run);
}

static int64_t prepare_wait(curfew_run *run, int64_t now)
{
	(void)run, (void)now;
	return CURFEW__NEVER;
}

/* WASI has no way to notify a program. One that reads the clock may notice. */
static void notify_time_up(curfew_run *run, curfew_outcome why)
{
	(void)run, (void)why;
}

static int64_t step_stop(curfew_run *run, int64_t now)
{
	curfew__run_is_deaf(run);
	int64_t next = curfew__wasm_interrupt(run->wasm, now);

	if (next == CURFEW__NEVER)
		curfew__run_note_stopped(run);
	return next;
}

/* ---- What it left ----------------------------------------------------------------------------------------- */

static bool settle_stop(curfew_run *run, bool *hard)
{
	curfew__calm(&run->wasm->target.hurried);
	*hard = curfew__target_has_landed(&run->wasm->target);
	return true;
}

static void fill_usage(curfew_run *run)
{
	curfew_used *used = &run->report->used;

	used->memory_peak_bytes = run->wasm->memory_peak;
	if (run->limits.fuel != CURFEW_UNLIMITED && run->progress >= CURFEW__RUN_STARTED)
		used->fuel = curfew__wasm_fuel_used(run->wasm);
}

/* Says why there is no value if nothing was called. */
static void note_idle(curfew_run *run)
{
	const char *note =
		run->wasm->code->is_component
			? "no function was called: the component exports no wasi:cli/run; --call NAME calls a function that it exports"
			: "no function was called: the module exports no _start; --call NAME calls a function that it exports";
	curfew__report_set_value_note(run->report, note, strlen(note));
}

static void fill_value(curfew_run *run)
{
	curfew__buffer value;

	if (!run->wasm->calls)
		note_idle(run);
	curfew__buffer_init(&value, (size_t)run->limits.output_bytes);
	curfew__wasm_value(run->wasm, &value);
	/* A value that does not fit into the buffer exceeds the limit. */
	size_t length = value.failed ? (size_t)run->limits.output_bytes + 1 : value.length;
	if (length)
		curfew__run_set_value(run, value.data, length);
	curfew__buffer_finish(&value);
}

static void place(void *context, const curfew__location *location)
{
	curfew_run *run = context;
	curfew_frame frame = {
		.function = location->function && location->function[0] ? location->function : "<anonymous>",
		.file = location->file ? location->file : run->program->name,
		.line = location->line,
		.column = location->column,
		.has_wasm_offset = location->offset != CURFEW__NO_OFFSET,
		.wasm_offset = location->offset != CURFEW__NO_OFFSET ? location->offset : 0,
	};
	curfew__report_add_frame(run->report, &frame);
}

static void set_error(curfew_run *run, const char *name, const char *message)
{
	curfew__report_set_error(run->report, name, strlen(name), message, strlen(message));
}

/* Reads the payload of the error that a component's function returned. */
static void fill_thrown(curfew_run *run)
{
	curfew__buffer value;

	curfew__buffer_init(&value, CURFEW__ERROR_MESSAGE_MAX);
	curfew__wasm_value(run->wasm, &value);
	set_error(run, "error", value.data ? value.data : "null");
	curfew__buffer_finish(&value);
}

static void fill_trap(curfew_run *run)
{
	const char *sentence, *name = curfew__wasm_trap_name(run->wasm, &sentence);
	char *message = name ? NULL : curfew__wasm_failure_text(run->wasm);

	set_error(run, name ? name : "trap", name ? sentence : message ? message : "the guest trapped");
	free(message);
}

/* Says how much memory the program begins with, if that is more than the limit. */
static void fill_beginning(curfew_run *run)
{
	size_t bytes = run->wasm->memory_bytes + run->wasm->memory_host.refused_bytes;
	char message[128];

	snprintf(message, sizeof message, "%s: the program begins with %zu MiB, so give it more (--memory)",
	         curfew_outcome_text(CURFEW_OUTCOME_MEMORY), (bytes + (1 << 20) - 1) >> 20);
	set_error(run, curfew_outcome_name(CURFEW_OUTCOME_MEMORY), message);
}

static void fill_error(curfew_run *run, curfew__run_end end)
{
	unsigned caused = atomic_load(&run->stop.cause);

	if (caused == CURFEW_OUTCOME_MEMORY && run->wasm->memory_host.refused_bytes)
		fill_beginning(run);
	if (end == CURFEW__END_THREW && !caused) {
		fill_thrown(run);
	} else if ((end == CURFEW__END_REFUSED || end == CURFEW__END_FAILED) && !caused) {
		char *message = curfew__wasm_failure_text(run->wasm);
		set_error(run, "TypeError", message ? message : "out of memory");
		free(message);
	} else if (end == CURFEW__END_TRAPPED && !caused) {
		fill_trap(run);
	}
	/* One that was stopped while it waited did not run again. */
	if (end >= CURFEW__END_TRAPPED || end == CURFEW__END_NOT_RUN)
		run->report->trace_truncated |= !curfew__wasm_trace(run->wasm, run->program->wasm, place, run);
}

/* The guest was stopped in the middle of a function, which nobody can finish. */
static bool is_sound(const curfew_run *run, curfew__run_end end)
{
	bool returned = end == CURFEW__END_DONE || end == CURFEW__END_THREW || end == CURFEW__END_REFUSED;
	return returned && curfew__wasm_is_sound(run->wasm);
}

static void release_instance(curfew_run *run)
{
	if (!run->stays)
		curfew__wasm_finish(run->wasm);
	/* The peak is counted in pages, and host functions use the pages below the guest's last one. */
	size_t peak = run->wasm->stack_peak, limit = (size_t)run->limits.stack_bytes;
	run->report->used.stack_peak_bytes = peak < limit ? peak : limit;
	end_waker(run->wait.waker);
	run->wait.waker = NULL;
}

const curfew__kind curfew__kind_wasm = {
	load_and_start, resume,     prepare_wait, notify_time_up, step_stop,        settle_stop,
	fill_usage,     fill_value, fill_error,   is_sound,       release_instance,
};
