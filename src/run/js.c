/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JavaScript as a kind of run. It is stopped in two ways. First the engine's own poll is asked to end the run with an
 * exact stack. If that takes too long, the guest is interrupted at whatever instruction it has reached.
 */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "host/files.h"
#include "report/report.h"
#include "run/stop.h"

#define FIXED_DATE_US (INT64_C(1767225600) * 1000000) /* the start of a deterministic program's clock: 2026-01-01 */
/* A run that waits longer than this releases memory that it does not need meanwhile. */
#define TRIM_NS (20 * CURFEW__MILLISECOND)
/* Interval between requests to the poll while the guest has a processor, and the maximum while it has none. */
#define SOFT_STEP_NS (50 * CURFEW__MICROSECOND)
#define SOFT_STEP_MAX_NS (200 * CURFEW__MICROSECOND)
/* Time for the guest's reader of its stack. Its CPU time is part of the budget for all work after the end. */
#define TRACE_NS (5 * CURFEW__MILLISECOND)
/* The maximum that is read of the engine's record of an exception: a program chooses the length of names in it. */
#define THROWN_TRACE_MAX ((uint32_t)256 << 10)
/* The maximum that is read of an error: 64 errors, each with a message and a trace of at most 4 KiB, in JSON. */
#define THROWN_DETAILS_MAX ((uint32_t)4 << 20)

/* A guest is interrupted after this time, whatever CPU time it has used. */
#define SOFT_LATEST_NS (100 * CURFEW__MILLISECOND)

/*
 * CPU time of the guest until a poll has seen that it is to stop, and until it has ended after a poll has. A guest
 * without a processor does nothing meanwhile, and sees the request as soon as it has one. In a session a hard stop
 * would lose the state, so the times are longer: as long as the sum stays below a millisecond.
 */
typedef struct stop_budget {
	int64_t unseen_cpu_ns, seen_cpu_ns;
} stop_budget;

static const stop_budget run_stop_budget = {50 * CURFEW__MICROSECOND, 250 * CURFEW__MICROSECOND};
static const stop_budget session_stop_budget = {500 * CURFEW__MICROSECOND, 800 * CURFEW__MICROSECOND};

/* ---- Before the first instruction ------------------------------------------------------------------------- */

/* Whether modules that import() names are loaded in advance: for a bundle, and for an image, which has no directory. */
static bool loads_reached(const curfew_run *run)
{
	return run->record || (run->purpose == CURFEW__RUN_COMPILE && curfew__run_may_import(run));
}

static void set_control(curfew_run *run)
{
	curfew__control *control = run->guest->control;
	const curfew_limits *limits = &run->limits;
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	int64_t now = curfew__run_clock(run);
	int64_t real_ns = clock_read_ns(CLOCK_REALTIME);

	if (!run->again) {
		control->time_origin_ns = now;
		control->evaluated = 0;
	}
	curfew_language language = run->program->language;
	control->flags =
		(language == CURFEW_LANGUAGE_JS_MODULE || language == CURFEW_LANGUAGE_TS_MODULE ? CURFEW_CONTROL_MODULE : 0) |
		(language == CURFEW_LANGUAGE_TS || language == CURFEW_LANGUAGE_TS_MODULE ? CURFEW_CONTROL_TYPES : 0) |
		(run->program->flags & CURFEW_SOURCE_NODE ? CURFEW_CONTROL_NODE : 0) |
		(run->params && run->purpose != CURFEW__RUN_EVALUATE ? CURFEW_CONTROL_PARAMS : 0) |
		(run->purpose == CURFEW__RUN_EVALUATE ? CURFEW_CONTROL_CELL : 0) | (run->kept ? CURFEW_CONTROL_SESSION : 0) |
		(run->again ? CURFEW_CONTROL_AGAIN : 0) | (run->purpose == CURFEW__RUN_DESCRIBE ? CURFEW_CONTROL_DESCRIBE : 0) |
		(curfew__run_may_import(run) ? CURFEW_CONTROL_IMPORTS : 0) |
		(run->program->import_map ? CURFEW_CONTROL_MAP : 0) | (loads_reached(run) ? CURFEW_CONTROL_REACH : 0) |
		(run->program->flags & CURFEW_SOURCE_PATH ? CURFEW_CONTROL_PATH : 0);
	control->stack_bytes = (uint32_t)limits->stack_bytes;
	control->deadline_ns = CURFEW__NEVER;
	if (limits->timeout_ns != CURFEW_UNLIMITED)
		control->deadline_ns = now + (int64_t)limits->timeout_ns -
		                       (curfew__run_is_deterministic(run) ? 0 : clock_now_ns() - run->clock.start_ns);
	control->realtime_offset_us = curfew__run_is_deterministic(run) ? FIXED_DATE_US - control->time_origin_ns / 1000
	                                                                : (real_ns - now) / 1000;
	control->seed = run->seed;
	control->loops_left = CURFEW_UNLIMITED;
	control->timers_limit = limits->timers > UINT32_MAX ? UINT32_MAX : (uint32_t)limits->timers;
	for (size_t i = 0; i < count && i < sizeof control->limits / sizeof *control->limits; i++) {
		uint64_t value = curfew_limits_get(limits, &table[i]);
		bool is_time = table[i].unit == CURFEW_UNIT_DURATION && value != CURFEW_UNLIMITED;
		control->limits[i] = is_time ? value / 1000 : value;
	}
	/* Reset these, because the image may have been made while they were set. */
	control->stop = 0;
	control->answering = 0;
	control->aborted = 0;
}

/* Counting starts here, after loading, so that a run counts the same from source and from an image. */
static void set_meters(curfew_run *run)
{
	curfew__control *control = run->guest->control;

	control->loops_left = run->limits.loops;
	curfew__guest_set_fuel(run->guest, run->limits.fuel);
}

static curfew__run_end end_of_call(int32_t status)
{
	switch (status) {
	case CURFEW_GUEST_WAITING: return CURFEW__END_WAITING;
	case CURFEW_GUEST_THREW: return CURFEW__END_THREW;
	case CURFEW_GUEST_REFUSED: return CURFEW__END_REFUSED;
	case CURFEW_GUEST_UNSETTLED: return CURFEW__END_UNSETTLED;
	case CURFEW_GUEST_STOPPED: return CURFEW__END_STOPPED;
	default: return CURFEW__END_DONE;
	}
}

static curfew__run_end end_of(curfew__vm_end end, int32_t status)
{
	switch (end) {
	case CURFEW__VM_RETURNED: return end_of_call(status);
	case CURFEW__VM_STOPPED: return CURFEW__END_TRAPPED;
	case CURFEW__VM_STACK: return CURFEW__END_STACK;
	case CURFEW__VM_FUEL: return CURFEW__END_FUEL;
	case CURFEW__VM_FAILED: break;
	}
	return CURFEW__END_FAILED;
}

static curfew__run_end enter_guest(curfew_run *run, curfew__guest_entry entry)
{
	int32_t status = CURFEW_GUEST_DONE;

	curfew__run_reach(run, CURFEW__RUN_ENTERED);
	curfew__vm_end end = curfew__guest_enter(run->guest, entry, NULL, &status);
	if (run->exited && end != CURFEW__VM_RETURNED)
		return CURFEW__END_EXITED;
	return end_of(end, status);
}

/* Copies text into the guest and notes its address. False: that ended the run. */
static bool put_into_guest(curfew_run *run, const void *bytes, size_t length, uint32_t *address,
                           uint32_t *address_length, curfew__run_end *result)
{
	curfew__vm_end end;
	uint32_t at = curfew__guest_put(run->guest, bytes, length, &end);

	if (at) {
		*address = at;
		*address_length = (uint32_t)length;
		return true;
	}
	/* Write nothing, because the guest's memory may have been protected. */
	if (end != CURFEW__VM_RETURNED)
		curfew__run_reach(run, CURFEW__RUN_ENTERED);
	*result = end == CURFEW__VM_RETURNED ? CURFEW__END_FAILED : end_of(end, 0);
	return false;
}

/* From here on the watch may write to the guest. Then repeat the notification that it may have missed before. */
static void publish_to_watch(curfew_run *run)
{
	set_control(run);
	atomic_store(&run->alive, true);
	curfew__run_notify_time_up(run);
}

/* Takes a region with the program's image, or with the engine's if there is none yet. */
static bool instantiate(curfew_run *run, bool *has_program)
{
	curfew_failure failure;
	bool metered = run->limits.fuel != CURFEW_UNLIMITED;
	curfew__vm *vm = curfew__engine_vm(run->engine, metered, curfew__guest_stack_class(run->limits.stack_bytes),
	                                   &failure);
	curfew__image *image = curfew__program_image(run->program);

	*has_program = image != NULL;
	if (!image)
		image = curfew__image_ref(run->engine->image);
	size_t needed = image->length - image->layout.stack_top;
	bool fits = run->limits.memory_bytes >= needed;
	bool born = vm && fits &&
	            curfew__guest_init(run->guest, vm, metered, run->engine->pool, image, (size_t)run->limits.memory_bytes,
	                               &curfew__run_host, run);
	if (!fits)
		curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, clock_now_ns());
	curfew__image_unref(image);
	if (born)
		publish_to_watch(run);
	return born;
}

/* The watch must not touch the memory meanwhile. */
static void take_image(curfew_run *run)
{
	curfew__watch *watch = run->engine->watch;

	atomic_store(&run->alive, false);
	curfew__watch_disarm(watch, &run->stop.alarm);
	curfew__program_snapshot(run->program, run->guest->region);
	atomic_store(&run->alive, true);
	curfew__run_notify_time_up(run);
	curfew__run_arm(run, clock_now_ns());
}

static bool load_source(curfew_run *run, curfew__run_end *result)
{
	curfew__control *control = run->guest->control;

	if (!put_into_guest(run, run->program->source, run->program->text_length + 1, &control->input,
	                    &control->input_length, result) ||
	    !put_into_guest(run, run->program->name, strlen(run->program->name), &control->name, &control->name_length,
	                    result))
		return false;
	*result = enter_guest(run, CURFEW__GUEST_LOAD);
	if (*result != CURFEW__END_DONE || atomic_load(&run->stop.cause))
		return false;
	run->guest->scratch_used = 0;
	run->clock.compiled_ns = clock_now_ns();
	if (run->purpose == CURFEW__RUN_COMPILE || !(run->program->flags & CURFEW_SOURCE_ONCE))
		take_image(run);
	return run->purpose != CURFEW__RUN_COMPILE;
}

static bool put_env(curfew_run *run, curfew__run_end *result)
{
	curfew__control *control = run->guest->control;
	size_t length;

	if (!run->given->wasi || !run->given->wasi->env_count)
		return true;
	char *json = curfew__wasi_env_json(run->given->wasi, &length);
	bool ok = json && put_into_guest(run, json, length, &control->env, &control->env_length, result);
	if (!json)
		*result = CURFEW__END_FAILED;
	free(json);
	return ok;
}

static bool put_arguments(curfew_run *run, curfew__run_end *result)
{
	curfew__control *control = run->guest->control;

	control->name = control->user = control->input = 0;
	control->name_length = control->user_length = control->input_length = 0;
	control->functions = control->functions_length = 0;
	control->env = control->env_length = 0;
	control->timezone = control->timezone_length = 0;
	control->files = control->files_length = 0;
	const curfew__host_functions *functions = run->program->functions;
	if (functions && !run->again &&
	    !put_into_guest(run, functions->names, functions->names_length, &control->functions, &control->functions_length,
	                    result))
		return false;
	return put_env(run, result) &&
	       (!run->call ||
	        put_into_guest(run, run->call, strlen(run->call), &control->name, &control->name_length, result)) &&
	       (!run->given->user || put_into_guest(run, run->given->user, strlen(run->given->user), &control->user,
	                                            &control->user_length, result)) &&
	       (!run->given->timezone || put_into_guest(run, run->given->timezone, strlen(run->given->timezone),
	                                                &control->timezone, &control->timezone_length, result)) &&
	       (!run->given->files || put_into_guest(run, run->given->files, run->given->files_length, &control->files,
	                                             &control->files_length, result)) &&
	       (!run->params ||
	        put_into_guest(run, run->params, run->params_length, &control->input, &control->input_length, result));
}

/* Attaches the guest that the session's last call has left. */
static void rebind_guest(curfew_run *run)
{
	curfew__guest_again(run->guest, run);
	publish_to_watch(run);
}

/* Drops what the last call has left pending. False: that took too long. */
static bool drop_pending(curfew_run *run, curfew__run_end *result)
{
	*result = enter_guest(run, CURFEW__GUEST_AGAIN);
	return *result == CURFEW__END_DONE && !atomic_load(&run->stop.cause);
}

/* Does everything up to the program's first instruction, and executes it. */
static curfew__run_end load_and_start(curfew_run *run)
{
	curfew__run_end result = CURFEW__END_FAILED;
	bool has_program = true;

	if (run->again)
		rebind_guest(run);
	else if (!instantiate(run, &has_program))
		return atomic_load(&run->stop.cause) ? CURFEW__END_NOT_RUN : result;
	run->clock.loaded_ns = clock_now_ns();
	if (has_program)
		run->clock.compiled_ns = run->clock.loaded_ns;
	atomic_store(&run->memory_bytes, curfew__guest_memory(run->guest));
	if (!curfew__run_arm(run, run->clock.loaded_ns))
		return result;
	if (!has_program && !load_source(run, &result))
		return result;
	if (run->purpose == CURFEW__RUN_COMPILE)
		return CURFEW__END_NOT_RUN;
	if (run->again && !drop_pending(run, &result))
		return result;
	if (!put_arguments(run, &result))
		return result;
	set_meters(run);
	curfew__run_reach(run, CURFEW__RUN_STARTED);
	run->clock.entered_ns = clock_now_ns();
	return enter_guest(run, CURFEW__GUEST_START);
}

static curfew__run_end resume(curfew_run *run)
{
	/* Something else may have woken it before that time. */
	if (run->clock.virtual_wake_ns > run->clock.virtual_ns && clock_now_ns() >= run->wait.waited_until_ns)
		run->clock.virtual_ns = run->clock.virtual_wake_ns;
	return enter_guest(run, CURFEW__GUEST_RESUME);
}

static int64_t prepare_wait(curfew_run *run, int64_t now)
{
	int64_t wake = run->guest->control->wake_ns;

	if (curfew__run_is_deterministic(run) && wake != CURFEW__NEVER) {
		int64_t waits = wake > run->clock.virtual_ns ? wake - run->clock.virtual_ns : 0; /* both are positive */
		run->clock.virtual_wake_ns = run->clock.virtual_ns + waits;
		wake = clock_later(now, (uint64_t)waits);
	}
	/* The guest wrote this number, so it may have any value. */
	if (wake > now && wake - now > TRIM_NS)
		curfew__guest_trim(run->guest);
	return wake;
}

/* ---- Stops ------------------------------------------------------------------------------------------------ */

static void notify_time_up(curfew_run *run, curfew_outcome why)
{
	curfew__guest_dispatch_abort(run->guest, why == CURFEW_OUTCOME_DEADLINE ? 1 : 2);
}

static int64_t stop_trace(curfew_run *run, int64_t now)
{
	if (curfew__run_own_cpu(run) < CURFEW__AFTER_CPU_NS)
		return now + CURFEW__MILLISECOND;
	return curfew__guest_interrupt(run->guest, now);
}

/* Asks the poll to stop. False: the poll has had enough time. */
static bool ask_poll_to_stop(curfew_run *run, int64_t now)
{
	int64_t cpu = curfew__run_own_cpu(run);
	bool is_first = !run->stop.soft_ns;
	bool has_processor = is_first || cpu != run->stop.soft_seen_cpu_ns;
	bool is_answering = curfew__guest_stop_soft(run->guest);
	const stop_budget *has = run->kept ? &session_stop_budget : &run_stop_budget;

	if (is_first) {
		run->stop.soft_ns = now;
		run->stop.soft_cpu_ns = cpu;
	}
	int64_t longer = run->stop.soft_step_ns * 2 < SOFT_STEP_MAX_NS ? run->stop.soft_step_ns * 2 : SOFT_STEP_MAX_NS;
	run->stop.soft_step_ns = has_processor ? SOFT_STEP_NS : longer;
	if (!has_processor)
		curfew__guest_hurry(run->guest);
	run->stop.soft_seen_cpu_ns = cpu;
	int64_t used = cpu - run->stop.soft_cpu_ns;
	return is_first ||
	       (used < (is_answering ? has->seen_cpu_ns : has->unseen_cpu_ns) && now - run->stop.soft_ns < SOFT_LATEST_NS);
}

static int64_t step_stop(curfew_run *run, int64_t now)
{
	if (run->stop.tracing)
		return stop_trace(run, now);
	if (ask_poll_to_stop(run, now))
		return now + run->stop.soft_step_ns;
	if (curfew__run_is_deaf(run))
		curfew__guest_protect(run->guest);
	int64_t next = curfew__guest_interrupt(run->guest, now);
	if (next == CURFEW__NEVER)
		curfew__run_note_stopped(run);
	return next;
}

/* ---- What it left ----------------------------------------------------------------------------------------- */

static bool settle_stop(curfew_run *run, bool *hard)
{
	*hard = curfew__guest_was_stopped_hard(run->guest);
	return curfew__guest_settle(run->guest);
}

/* The source text of a frame: the program's or the cell's. NULL: it is not available. */
static const char *text_of(const curfew_run *run, const curfew_frame *frame, size_t *length)
{
	const curfew_program *program = run->program;

	if (!frame->file)
		return NULL;
	if (run->purpose == CURFEW__RUN_EVALUATE && !strcmp(frame->file, run->call)) {
		*length = run->params_length - 1;
		return run->params + 1;
	}
	*length = program->text_length;
	return strcmp(frame->file, program->name) ? NULL : program->text;
}

static void read_trace(curfew_run *run)
{
	const curfew__control *control = run->guest->control;
	uint32_t length = control->trace_length;

	if (length <= CURFEW_GUEST_TRACE_BYTES)
		curfew__report_parse_trace(run->report, control->trace, length);
	/* The guest's reader ends where its buffer does. */
	run->after.is_spent |= length >= CURFEW_GUEST_TRACE_BYTES;
}

/* Reads the frames that were running. The guest's reader gets little time, and the limits of the run do not apply to
 * it. */
static void fill_trace(curfew_run *run)
{
	curfew__guest *guest = run->guest;
	int32_t ignored;

	run->stop.tracing = true;
	run->stop.alarm.closed = false;
	curfew__guest_set_fuel(guest, CURFEW_UNLIMITED);
	/* The run's CPU time has been recorded, so this is counted separately. */
	atomic_store(&run->clock.cpu_before_ns, 0);
	curfew__run_begin_stretch(run);
	if (!curfew__watch_arm(run->engine->watch, &run->stop.alarm, clock_now_ns() + TRACE_NS))
		return;
	curfew__vm_end end = curfew__guest_enter(guest, CURFEW__GUEST_TRACE, NULL, &ignored);
	run->after.is_spent |= end != CURFEW__VM_RETURNED;
	curfew__watch_close(run->engine->watch, &run->stop.alarm);
	atomic_store(&run->clock.cpu_segment_ns, -1);
	if (!curfew__guest_settle(guest))
		return;
	read_trace(run);
}

/* The text of an imported file, without the path before it. NULL: it is not available. */
static char *imported_text(curfew_run *run, const char *name, size_t *length)
{
	const char *directory = run->program->import_dir;
	int32_t answer;
	char *text = run->program->bundle ? curfew__bundle_open(run->program->bundle, name, strlen(name), &answer)
	             : run->flags & CURFEW_RUN_IMPORTS
	                 ? curfew__remote_import(run->remote, name, strlen(name), &run->stop.cause, &answer)
	             : directory ? curfew__import_open(directory, name, strlen(name), CURFEW__AFTER_BYTES, &answer)
	                         : NULL;
	size_t before = text ? strnlen(text, (size_t)answer) + 1 : 0;

	if (!text)
		return NULL;
	*length = (size_t)answer > before ? (size_t)answer - before : 0;
	memmove(text, text + before, *length);
	return text;
}

/* Sets the text of the line of the error, if its file is available. */
static void fill_source_line(curfew_run *run)
{
	const curfew_frame *frame = curfew__report_placed_frame(run->report);
	size_t length;
	const char *text = frame ? text_of(run, frame, &length) : NULL;
	char *imported = frame && !text ? imported_text(run, frame->file, &length) : NULL;

	if (text || imported)
		curfew__report_set_source_line(run->report, text ? text : imported, length, frame->line, &run->after);
	free(imported);
}

static void fill_thrown(curfew_run *run)
{
	const curfew__guest *guest = run->guest;
	const curfew__control *c = guest->control;
	const char *name = curfew__guest_bytes(guest, c->error_name, c->error_name_length);
	const char *message = curfew__guest_bytes(guest, c->error_message, c->error_message_length);
	const char *trace = curfew__guest_bytes(guest, c->error_trace, c->error_trace_length);
	const char *details = curfew__guest_bytes(guest, c->error_details, c->error_details_length);

	curfew__report_set_error(run->report, name, name ? c->error_name_length : 0, message,
	                         message ? c->error_message_length : 0);
	uint32_t trace_length = c->error_trace_length < THROWN_TRACE_MAX ? c->error_trace_length : THROWN_TRACE_MAX;
	if (trace)
		curfew__report_parse_trace(run->report, trace, trace_length);
	run->after.is_spent |= trace_length < c->error_trace_length && run->report->frame_count < CURFEW__FRAMES_MAX;
	/* Genuine texts of the guest are shorter. A longer one is meant to waste the host's time. */
	if (details && c->error_details_length <= THROWN_DETAILS_MAX)
		curfew__report_set_error_details(run->report, details, c->error_details_length);
	fill_source_line(run);
}

static void fill_value(curfew_run *run)
{
	const curfew__control *c = run->guest->control;
	const char *value = curfew__guest_bytes(run->guest, c->value, c->value_length);
	const char *note = curfew__guest_bytes(run->guest, c->value_note, c->value_note_length);

	if (note && c->value_note_length)
		curfew__report_set_value_note(run->report, note, c->value_note_length);
	if (!value || !c->value_length)
		return;
	curfew__run_set_value(run, value, c->value_length);
}

static void fill_usage(curfew_run *run)
{
	curfew_used *used = &run->report->used;
	const curfew__control *control = run->guest->control;

	used->loops = curfew__guest_loops(run->guest);
	used->timers_peak = control->timers_peak;
	used->memory_peak_bytes = curfew__guest_memory(run->guest);
	if (run->limits.fuel != CURFEW_UNLIMITED && run->progress >= CURFEW__RUN_STARTED)
		used->fuel = curfew__guest_fuel_used(run->guest);
}

static void fill_error(curfew_run *run, curfew__run_end end)
{
	bool caused = atomic_load(&run->stop.cause);
	bool waited = caused && (end == CURFEW__END_WAITING || end == CURFEW__END_NOT_RUN);

	if (end == CURFEW__END_THREW || end == CURFEW__END_REFUSED) {
		if (!caused)
			fill_thrown(run);
	} else if (end == CURFEW__END_STOPPED || end == CURFEW__END_UNSETTLED) {
		read_trace(run);
	} else if ((end >= CURFEW__END_TRAPPED || waited) && run->progress >= CURFEW__RUN_ENTERED) {
		fill_trace(run);
	}
	if (!caused && end == CURFEW__END_TRAPPED) {
		const char *message = curfew__instance_message(run->guest->instance);
		curfew__report_set_error(run->report, "trap", 4, message, message ? strlen(message) : 0);
	}
}

/*
 * Whether a session's guest can be called again. A guest that returned by itself is sound, and so is one that waits;
 * its program must have been loaded, too. A guest that exited was in the middle of a function.
 */
static bool is_sound(const curfew_run *run, curfew__run_end end)
{
	return end < CURFEW__END_TRAPPED && end != CURFEW__END_EXITED && run->guest->control->evaluated;
}

static void release_guest(curfew_run *run)
{
	/* The executor's threads clear regions later, but secrets must not stay in memory until then. */
	bool may_put_off = !run->inline_run && !run->given->grants;
	size_t stack_peak;

	curfew__files_destroy(run->open_files);
	run->open_files = NULL;
	if (run->stays)
		curfew__guest_rest(run->guest, &stack_peak);
	else
		curfew__guest_finish(run->guest, may_put_off, &stack_peak);
	run->report->used.stack_peak_bytes = stack_peak;
}

const curfew__kind curfew__kind_js = {
	load_and_start, resume,     prepare_wait, notify_time_up, step_stop,     settle_stop,
	fill_usage,     fill_value, fill_error,   is_sound,       release_guest,
};
