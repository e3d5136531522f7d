/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One execution from birth to report. A run is carried on by whichever thread steps it: a step enters the guest,
 * which ends, or comes back to wait; then the run is parked, holding nothing but its memory, until the watch says
 * that it is to go on.
 */
#include "run/run.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/copy_in.h"
#include "base/json.h"
#include "base/utf8.h"
#include "report/report.h"
#include "run/stop.h"

/* What a deterministic program sees: a clock that starts here and moves only while it waits. */
#define FIXED_NOW_NS (INT64_C(1000) * CURFEW__SECOND)
#define FIXED_DATE_US (INT64_C(1767225600) * 1000000) /* 2026-01-01T00:00:00Z */
#define FIXED_SEED 0x9e3779b97f4a7c15u
#define TRACE_NS (5 * CURFEW__MILLISECOND)
/* What waits longer than this gives back memory that it does not need meanwhile. */
#define TRIM_NS (20 * CURFEW__MILLISECOND)
#define PARAMS_BYTES_MAX ((size_t)16 << 20)

static curfew_status refuse(curfew_failure *failure, curfew_status status, const char *message)
{
	if (failure)
		snprintf(failure->message, sizeof failure->message, "%s", message);
	return status;
}

static bool deterministic(const curfew_run *run)
{
	return run->flags & CURFEW_RUN_DETERMINISTIC;
}

/* ---- What the guest asks of the host ---------------------------------------------------------------------- */

/* Charges output; how many of the bytes may still pass. Latches the limit when not all may. */
static size_t charge_output(curfew_run *run, size_t length)
{
	uint64_t used = atomic_load(&run->output_bytes), limit = run->limits.output_bytes;
	size_t room = limit > used ? (size_t)(limit - used) : 0;

	if (length > room) {
		run->output_truncated = true;
		curfew__run_latch(run, CURFEW_OUTCOME_OUTPUT, curfew__now());
		length = room;
	}
	atomic_store(&run->output_bytes, used + length);
	return length;
}

static bool charge_host_call(curfew_run *run)
{
	if (run->host_calls >= run->limits.host_calls) {
		curfew__run_latch(run, CURFEW_OUTCOME_HOST_CALLS, curfew__now());
		return false;
	}
	run->host_calls++;
	return true;
}

static bool on_write(void *context, uint32_t stream, const char *bytes, size_t length)
{
	curfew_run *run = context;
	bool is_error = stream == 2;
	size_t passed = charge_output(run, length);

	curfew__buffer_add(&run->streams[is_error], bytes, passed);
	if (run->on_event && passed)
		run->on_event(run->on_event_context, is_error ? CURFEW_EVENT_STDERR : CURFEW_EVENT_STDOUT, bytes, passed);
	return passed == length;
}

static bool on_emit(void *context, uint32_t kind, const char *json, size_t length, int32_t *answer)
{
	curfew_run *run = context;

	if (!charge_host_call(run))
		return false;
	*answer = -1;
	if (length > run->limits.output_bytes || !curfew__json_check(json, length, NULL, NULL))
		return true;
	if (kind == 0) {
		char *copy = malloc(length + 1);
		if (!copy)
			return true;
		memcpy(copy, json, length);
		copy[length] = 0;
		free(run->partial);
		run->partial = copy;
		run->partial_length = length;
	}
	*answer = 0;
	if (run->on_event)
		run->on_event(run->on_event_context, kind ? CURFEW_EVENT_PROGRESS : CURFEW_EVENT_CHECKPOINT, json, length);
	return true;
}

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t next_seeded(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool fill_random(void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = getrandom((char *)bytes + done, length - done, 0);
		if (got < 0 && errno != EINTR)
			return false;
		done += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static bool on_random(void *context, void *bytes, size_t length)
{
	curfew_run *run = context;
	uint8_t *to = bytes;

	if (!charge_host_call(run))
		return false;
	if (!deterministic(run))
		return fill_random(bytes, length);
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)next_seeded(&run->seed);
	return true;
}

static int64_t on_clock(void *context)
{
	curfew_run *run = context;
	return deterministic(run) ? run->virtual_ns : curfew__now();
}

static bool on_import_open(void *context, const char *name, size_t length, int32_t *answer)
{
	curfew_run *run = context;

	if (run->started && !charge_host_call(run))
		return false;
	free(run->import_text);
	run->import_length = 0;
	*answer = -1;
	run->import_text =
		run->program->import_dir ? curfew__import_open(run->program->import_dir, name, length, answer) : NULL;
	if (run->import_text)
		run->import_length = *answer;
	return true;
}

static void on_import_read(void *context, void *bytes, size_t length)
{
	curfew_run *run = context;
	if (run->import_text && length <= (size_t)run->import_length)
		memcpy(bytes, run->import_text, length);
}

static void on_stop(void *context, uint32_t cause)
{
	curfew_run *run = context;
	static const curfew_outcome causes[] = {
		[CURFEW_STOP_MEMORY] = CURFEW_OUTCOME_MEMORY,
		[CURFEW_STOP_TIMERS] = CURFEW_OUTCOME_TIMERS,
		[CURFEW_STOP_LOOPS] = CURFEW_OUTCOME_LOOPS,
		[CURFEW_STOP_FUEL] = CURFEW_OUTCOME_FUEL,
	};

	if (cause == CURFEW_STOP_POLL || cause >= sizeof causes / sizeof *causes || atomic_load(&run->cause))
		return;
	curfew__run_latch(run, causes[cause], curfew__now());
}

static bool on_stopped(void *context)
{
	const curfew_run *run = context;
	return atomic_load(&run->cause) != 0;
}

static void on_growth(void *context, size_t bytes, bool refused)
{
	curfew_run *run = context;

	atomic_store_explicit(&run->memory_bytes, bytes, memory_order_relaxed);
	/* What is being stopped for something else may run short on its way out. */
	if (refused && !atomic_load(&run->cause))
		curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, curfew__now());
}

static const curfew__guest_host host = {
	on_write, on_emit, on_random, on_clock, on_import_open, on_import_read, on_stop, on_stopped, on_growth,
};

/* ---- Stretches of execution ------------------------------------------------------------------------------- */

static void begin_stretch(curfew_run *run)
{
	pthread_getcpuclockid(pthread_self(), &run->cpu_clock);
	atomic_store(&run->cpu_segment_ns, curfew__clock(CLOCK_THREAD_CPUTIME_ID));
}

static void end_stretch(curfew_run *run)
{
	int64_t since = atomic_load(&run->cpu_segment_ns);

	if (since < 0)
		return;
	int64_t used = curfew__clock(CLOCK_THREAD_CPUTIME_ID) - since;
	atomic_store(&run->cpu_segment_ns, -1);
	atomic_fetch_add(&run->cpu_before_ns, used);
}

static void set_control(curfew_run *run)
{
	curfew__control *control = run->guest.control;
	const curfew_limits *limits = &run->limits;
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	int64_t now = on_clock(run);
	int64_t real_ns = curfew__clock(CLOCK_REALTIME);

	control->flags = (run->program->language == CURFEW_LANGUAGE_JS_MODULE ? CURFEW_CONTROL_MODULE : 0) |
	                 (deterministic(run) ? CURFEW_CONTROL_DETERMINISTIC : 0) |
	                 (run->params ? CURFEW_CONTROL_PARAMS : 0) |
	                 (run->program->import_dir ? CURFEW_CONTROL_IMPORTS : 0);
	control->stack_bytes = (uint32_t)limits->stack_bytes;
	control->now_ns = control->time_origin_ns = now;
	control->deadline_ns = CURFEW__NEVER;
	if (limits->timeout_ns != CURFEW_UNLIMITED)
		control->deadline_ns = now + (int64_t)limits->timeout_ns - (deterministic(run) ? 0 : curfew__now() - run->start_ns);
	control->realtime_offset_us = deterministic(run) ? FIXED_DATE_US - now / 1000 : (real_ns - now) / 1000;
	control->seed = run->seed;
	control->loops_left = CURFEW_UNLIMITED;
	control->timers_limit = limits->timers > UINT32_MAX ? UINT32_MAX : (uint32_t)limits->timers;
	for (size_t i = 0; i < count && i < sizeof control->limits / sizeof *control->limits; i++) {
		uint64_t value;
		memcpy(&value, (const char *)limits + table[i].offset, sizeof value);
		bool is_time = table[i].unit == CURFEW_UNIT_DURATION && value != CURFEW_UNLIMITED;
		control->limits[i] = is_time ? value / 1000 : value;
	}
	/* An image may have been taken while these were set. */
	control->stop = 0;
	control->answering = 0;
	control->aborted = 0;
}

/* Counting starts here, behind the loading: the same from source and from an image. */
static void set_meters(curfew_run *run)
{
	curfew__control *control = run->guest.control;

	control->loops_left = run->limits.loops;
	if (run->limits.fuel == CURFEW_UNLIMITED)
		return;
	control->flags |= CURFEW_CONTROL_METERED;
	curfew__guest_set_fuel(&run->guest, run->limits.fuel);
}

/* ---- The end ---------------------------------------------------------------------------------------------- */

static void fill_error_of_stop(curfew_run *run, curfew_outcome cause)
{
	const char *name = curfew_outcome_name(cause), *text = curfew_outcome_text(cause);
	curfew__report_set_error(run->report, name, strlen(name), text, strlen(text));
}

/* The engine counts columns in bytes; people and editors count characters. */
static void fix_columns(curfew_run *run)
{
	const char *text = run->program->text, *end = text + run->program->text_length;
	curfew_frame *frames = (curfew_frame *)(uintptr_t)run->report->frames;

	for (size_t i = 0; text && i < run->report->frame_count; i++) {
		const char *line = text;
		if (!frames[i].file || strcmp(frames[i].file, run->program->name))
			continue;
		for (uint32_t n = 1; line && n < frames[i].line; n++) {
			line = memchr(line, '\n', (size_t)(end - line));
			line = line ? line + 1 : NULL;
		}
		uint32_t bytes = frames[i].column ? frames[i].column - 1 : 0;
		if (!line || bytes > (size_t)(end - line))
			continue;
		for (uint32_t at = 0; at < bytes; at++)
			frames[i].column -= ((uint8_t)line[at] & 0xc0) == 0x80;
	}
}

/* Reads the frames that were running; the guest's own reader gets little time, and none of its limits. */
static void fill_trace(curfew_run *run)
{
	curfew__guest *guest = &run->guest;
	int32_t ignored;

	run->tracing = true;
	run->alarm.closed = false;
	if (guest->metered)
		curfew__instance_set_fuel(guest->instance, UINT64_MAX / 4);
	/* The CPU time of the run is on record by now: this is a count of its own. */
	atomic_store(&run->cpu_before_ns, 0);
	begin_stretch(run);
	if (!curfew__watch_arm(run->engine->watch, &run->alarm, curfew__now() + TRACE_NS))
		return;
	curfew__guest_enter(guest, CURFEW__GUEST_TRACE, NULL, &ignored);
	curfew__watch_close(run->engine->watch, &run->alarm);
	atomic_store(&run->cpu_segment_ns, -1);
	if (!curfew__guest_settle(guest))
		return;
	uint32_t length = guest->control->trace_length;
	if (length <= CURFEW_GUEST_TRACE_BYTES)
		curfew__report_parse_trace(run->report, guest->control->trace, length);
	fix_columns(run);
}

static void fill_thrown(curfew_run *run, bool refused)
{
	const curfew__guest *guest = &run->guest;
	const curfew__control *c = guest->control;
	const char *name = curfew__guest_bytes(guest, c->error_name, c->error_name_length);
	const char *message = curfew__guest_bytes(guest, c->error_message, c->error_message_length);
	const char *trace = curfew__guest_bytes(guest, c->error_trace, c->error_trace_length);

	curfew__report_set_error(run->report, name, name ? c->error_name_length : 0, message,
	                         message ? c->error_message_length : 0);
	if (trace)
		curfew__report_parse_trace(run->report, trace, c->error_trace_length);
	fix_columns(run);
	if (refused && run->program->text && run->report->frame_count && run->report->frames[0].file &&
	    !strcmp(run->report->frames[0].file, run->program->name))
		curfew__report_set_source_line(run->report, run->program->text, run->program->text_length,
		                               run->report->frames[0].line);
}

static void fill_value(curfew_run *run)
{
	const curfew__control *c = run->guest.control;
	const char *value = curfew__guest_bytes(&run->guest, c->value, c->value_length);

	if (!value || !c->value_length)
		return;
	if (charge_output(run, c->value_length) == c->value_length)
		curfew__report_set_value(run->report, value, c->value_length);
}

/* Looks once more at every limit that is measured, so that a run over two of them says so. */
static void look_at_all(curfew_run *run, int64_t ended_ns)
{
	curfew__run_look_at_clock(run, ended_ns);
	if (run->limits.cpu_ns != CURFEW_UNLIMITED && atomic_load(&run->cpu_before_ns) >= (int64_t)run->limits.cpu_ns)
		curfew__run_latch(run, CURFEW_OUTCOME_CPU, ended_ns);
	if (run->started && run->limits.fuel != CURFEW_UNLIMITED && run->report->used.fuel > run->limits.fuel)
		curfew__run_latch(run, CURFEW_OUTCOME_FUEL, ended_ns);
}

static void fill_usage(curfew_run *run)
{
	curfew_used *used = &run->report->used;
	const curfew__control *control = run->guest.control;

	used->loops = curfew__guest_loops(&run->guest);
	if (used->loops > run->limits.loops)
		used->loops = run->limits.loops;
	used->timers_peak = control->timers_peak;
	used->memory_peak_bytes = curfew__guest_memory(&run->guest);
	if (run->limits.fuel != CURFEW_UNLIMITED && run->started)
		used->fuel = curfew__guest_fuel_used(&run->guest);
}

static void fill_counts(curfew_run *run, int64_t ended_ns)
{
	curfew_report *report = run->report;
	curfew_used *used = &report->used;

	used->wall_ns = (uint64_t)(ended_ns - run->start_ns);
	used->host_calls = run->host_calls;
	used->output_bytes = atomic_load(&run->output_bytes);
	if (used->fuel != CURFEW_UNLIMITED && used->fuel > run->limits.fuel)
		used->fuel = run->limits.fuel;
	int64_t loaded = run->loaded_ns ? run->loaded_ns : ended_ns;
	int64_t compiled = run->compiled_ns ? run->compiled_ns : loaded;
	int64_t entered = run->entered_ns ? run->entered_ns : compiled;
	used->load_ns = (uint64_t)(loaded - run->start_ns);
	used->compile_ns = (uint64_t)(compiled - loaded);
	used->start_ns = (uint64_t)(entered - compiled);
	used->run_ns = run->entered_ns ? (uint64_t)(ended_ns - entered) : 0;
	report->limits = run->limits;
	report->output_truncated = run->output_truncated;
	curfew__report_set_program(report, run->program->name, "js", run->program->sha256);
	curfew__report_set_output(report, run->streams[0].data, run->streams[0].length, run->streams[1].data,
	                          run->streams[1].length, run->output_truncated);
	if (run->partial)
		curfew__report_set_partial(report, run->partial, run->partial_length);
	unsigned count = atomic_load(&run->tripped_count);
	for (unsigned i = 0; i < count && i < CURFEW_OUTCOME_COUNT; i++)
		curfew__report_add_tripped(report, (curfew_outcome)atomic_load(&run->tripped[i]));
}

static void publish(curfew_run *run)
{
	curfew_engine *engine = run->engine;

	atomic_fetch_sub(&engine->runs_active, 1);
	if (run->inline_run) {
		atomic_store(&run->done, 2); /* nobody waits */
		return;
	}
	atomic_store(&run->done, 1);
	syscall(SYS_futex, &run->done, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
	if (run->on_done) {
		run->done_thread = pthread_self();
		run->on_done(run->on_done_context, run);
	}
	atomic_store(&run->done, 2);
	syscall(SYS_futex, &run->done, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* How the last entry came out. */
typedef struct run_ending {
	bool entered;      /* the guest was executing when it ended */
	curfew__vm_end end;
	int32_t status;
} run_ending;

static curfew_outcome outcome_without_cause(const run_ending *ending)
{
	switch (ending->end) {
	case CURFEW__VM_STACK:
		return CURFEW_OUTCOME_STACK;
	case CURFEW__VM_FUEL:
		return CURFEW_OUTCOME_FUEL;
	case CURFEW__VM_STOPPED:
		return CURFEW_OUTCOME_TRAPPED;
	case CURFEW__VM_FAILED:
		return CURFEW_OUTCOME_INTERNAL_ERROR;
	case CURFEW__VM_RETURNED:
		break;
	}
	switch (ending->status) {
	case CURFEW_GUEST_THREW:
		return CURFEW_OUTCOME_THREW;
	case CURFEW_GUEST_REFUSED:
		return CURFEW_OUTCOME_BAD_PROGRAM;
	default:
		return CURFEW_OUTCOME_FINISHED;
	}
}

/* A handle may serve the next run from here on. */
static void let_go_of_cancels(curfew_run *run)
{
	if (run->cancels[0]) {
		curfew__signal_bind(run->cancels[0], NULL);
		curfew__signal_unref(run->cancels[0]);
		run->cancels[0] = NULL;
	}
}

/* Closes the books: nothing of the guest runs after this, and the watch has let go of it. */
static void finish(curfew_run *run, const run_ending *ending)
{
	curfew_report *report = run->report;
	int64_t ended_ns = curfew__now();

	end_stretch(run);
	report->used.cpu_ns = (uint64_t)atomic_load(&run->cpu_before_ns);
	curfew__watch_close(run->engine->watch, &run->alarm);
	bool hard = run->alive && atomic_load(&run->guest.state) == CURFEW__GUEST_STOPPING;
	bool readable = run->alive && curfew__guest_settle(&run->guest);
	bool returned = !ending->entered || ending->end == CURFEW__VM_RETURNED;

	if (readable)
		fill_usage(run);
	if (ending->end == CURFEW__VM_STACK || ending->end == CURFEW__VM_FUEL)
		curfew__run_latch(run, outcome_without_cause(ending), ended_ns);
	look_at_all(run, ended_ns);
	let_go_of_cancels(run);
	if (readable && returned && ending->entered && ending->status == CURFEW_GUEST_DONE && !atomic_load(&run->cause))
		fill_value(run);
	curfew_outcome cause = (curfew_outcome)atomic_load(&run->cause);
	curfew_outcome up = (curfew_outcome)atomic_load(&run->time_up);
	/* Told that its time was up, it has no other outcome, whatever stopped it within its grace. */
	report->outcome = up ? up : cause ? cause : outcome_without_cause(ending);
	report->stop_cause = cause ? cause : report->outcome;
	if (cause) {
		int64_t stopped_ns = atomic_load(&run->stopped_ns);
		int64_t late = (stopped_ns && stopped_ns < ended_ns ? stopped_ns : ended_ns) - atomic_load(&run->due_ns);
		report->stop_mode = hard ? CURFEW_STOP_HARD : CURFEW_STOP_SOFT;
		report->stop_latency_ns = late > 0 ? (uint64_t)late : 0;
		fill_error_of_stop(run, cause);
	} else if (up) {
		report->stop_mode = CURFEW_STOP_COOPERATIVE;
	}
	if (!cause && readable && returned && ending->status >= CURFEW_GUEST_THREW)
		fill_thrown(run, ending->status == CURFEW_GUEST_REFUSED);
	else if (readable && !returned)
		fill_trace(run);
	if (!cause && ending->end == CURFEW__VM_STOPPED) {
		const char *message = curfew__instance_message(run->guest.instance);
		curfew__report_set_error(report, "trap", 4, message, message ? strlen(message) : 0);
	}
	if (run->alive) {
		size_t stack_peak;
		curfew__guest_finish(&run->guest, &stack_peak);
		atomic_store(&run->alive, false);
		/* Counted in pages, of which the last may reach a little beyond the limit. */
		uint64_t limit = run->limits.stack_bytes;
		report->used.stack_peak_bytes = stack_peak > limit && cause != CURFEW_OUTCOME_STACK ? limit : stack_peak;
	}
	fill_counts(run, ended_ns);
	publish(run);
}

/* ---- Steps ------------------------------------------------------------------------------------------------ */

static run_ending enter(curfew_run *run, curfew__guest_entry entry)
{
	run_ending result = { .entered = true };
	result.end = curfew__guest_enter(&run->guest, entry, NULL, &result.status);
	return result;
}

/* Puts text into the guest and notes where; false: that ended the run. */
static bool put(curfew_run *run, const void *bytes, size_t length, uint32_t *address, uint32_t *address_length,
                run_ending *result)
{
	*address_length = 0;
	*address = curfew__guest_put(&run->guest, bytes, length, &result->end);
	result->entered = result->end != CURFEW__VM_RETURNED;
	if (!*address && result->end == CURFEW__VM_RETURNED)
		result->end = CURFEW__VM_FAILED;
	*address_length = (uint32_t)length;
	return *address != 0;
}

/* A memory with the program's image, or the engine's where there is none yet. */
static bool give_birth(curfew_run *run, bool *has_program)
{
	char message[256];
	bool metered = run->limits.fuel != CURFEW_UNLIMITED;
	curfew__vm *vm = curfew__engine_vm(run->engine, metered, curfew__guest_stack_class(run->limits.stack_bytes), message);
	curfew__image *image = curfew__program_image(run->program);

	*has_program = image != NULL;
	if (!image)
		image = curfew__image_ref(run->engine->image);
	size_t needed = image->length - image->layout.stack_top;
	bool fits = run->limits.memory_bytes >= needed;
	bool born = vm && fits && curfew__guest_init(&run->guest, vm, metered, run->engine->pool, image,
	                                             (size_t)run->limits.memory_bytes, &host, run);
	if (!fits)
		curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, curfew__now());
	curfew__image_unref(image);
	if (!born)
		return false;
	set_control(run);
	/* From here on the watch may write to the guest; what it could not tell it before is made up for. */
	atomic_store(&run->alive, true);
	curfew__run_tell_time_up(run);
	return true;
}

/* The watch keeps its hands off the memory meanwhile. */
static void take_image(curfew_run *run)
{
	curfew__watch *watch = run->engine->watch;

	atomic_store(&run->alive, false);
	curfew__watch_disarm(watch, &run->alarm);
	curfew__program_snapshot(run->program, run->guest.region);
	atomic_store(&run->alive, true);
	curfew__run_tell_time_up(run);
	curfew__watch_arm(watch, &run->alarm, curfew__run_next_alarm(run, curfew__now()));
}

static bool load_source(curfew_run *run, run_ending *result)
{
	curfew__control *control = run->guest.control;

	if (!put(run, run->program->source, run->program->text_length + 1, &control->input, &control->input_length, result) ||
	    !put(run, run->program->name, strlen(run->program->name), &control->name, &control->name_length, result))
		return false;
	*result = enter(run, CURFEW__GUEST_LOAD);
	if (result->end != CURFEW__VM_RETURNED || result->status != CURFEW_GUEST_DONE || atomic_load(&run->cause))
		return false;
	run->guest.scratch_used = 0;
	run->compiled_ns = curfew__now();
	if (run->compile_only || !(run->program->flags & CURFEW_SOURCE_ONCE))
		take_image(run);
	return !run->compile_only;
}

static bool put_arguments(curfew_run *run, run_ending *result)
{
	curfew__control *control = run->guest.control;

	control->name = control->user = control->input = 0;
	control->name_length = control->user_length = control->input_length = 0;
	return (!run->call || put(run, run->call, strlen(run->call), &control->name, &control->name_length, result)) &&
	       (!run->user || put(run, run->user, strlen(run->user), &control->user, &control->user_length, result)) &&
	       (!run->params || put(run, run->params, run->params_length, &control->input, &control->input_length, result));
}

/* Everything up to the program's first instruction, and on. */
static run_ending first_entry(curfew_run *run)
{
	run_ending result = { .end = CURFEW__VM_FAILED };
	bool has_program;

	if (atomic_load(&run->cause))
		return (run_ending){ .end = CURFEW__VM_RETURNED };
	if (!give_birth(run, &has_program))
		return atomic_load(&run->cause) ? (run_ending){ .end = CURFEW__VM_RETURNED } : result;
	run->loaded_ns = curfew__now();
	atomic_store(&run->memory_bytes, curfew__guest_memory(&run->guest));
	if (!curfew__watch_arm(run->engine->watch, &run->alarm, curfew__run_next_alarm(run, run->loaded_ns)))
		return result;
	if (!has_program && !load_source(run, &result))
		return result;
	if (run->compile_only)
		return (run_ending){ .end = CURFEW__VM_RETURNED };
	if (!put_arguments(run, &result))
		return result;
	set_meters(run);
	run->started = true;
	run->guest.control->now_ns = on_clock(run);
	run->entered_ns = curfew__now();
	return enter(run, CURFEW__GUEST_START);
}

static void park(curfew_run *run)
{
	int64_t now = curfew__now();
	int64_t wake = run->guest.control->wake_ns;

	if (deterministic(run) && wake != CURFEW__NEVER) {
		int64_t waits = wake > run->virtual_ns ? wake - run->virtual_ns : 0; /* both are positive */
		run->virtual_ns += waits;
		wake = curfew__later(now, (uint64_t)waits);
	}
	end_stretch(run);
	curfew__watch_disarm(run->engine->watch, &run->alarm);
	if (wake - now > TRIM_NS)
		curfew__guest_trim(&run->guest);
	atomic_store(&run->wake_ns, wake);
	curfew__watch *watch = run->engine->watch;
	atomic_store(&run->phase, CURFEW__RUN_PARKED);
	/* From here on the run may be elsewhere; the reference of whoever steps it keeps it in memory. */
	curfew__watch_arm(watch, &run->alarm, curfew__run_next_alarm(run, now));
}

bool curfew__run_step(curfew_run *run)
{
	run_ending result;

	atomic_store(&run->phase, CURFEW__RUN_EXECUTING);
	begin_stretch(run);
	if (!run->alive) {
		result = first_entry(run);
	} else if (atomic_load(&run->cause)) {
		result = (run_ending){ .end = CURFEW__VM_RETURNED };
	} else {
		curfew__watch_arm(run->engine->watch, &run->alarm, curfew__run_next_alarm(run, curfew__now()));
		run->guest.control->now_ns = on_clock(run);
		result = enter(run, CURFEW__GUEST_RESUME);
	}
	bool waits = result.entered && result.end == CURFEW__VM_RETURNED && result.status == CURFEW_GUEST_WAITING &&
	             run->started && !atomic_load(&run->cause) &&
	             atomic_load(&run->guest.state) == CURFEW__GUEST_IDLE;
	if (waits) {
		park(run);
		return false;
	}
	finish(run, &result);
	return true;
}

/* ---- The public functions --------------------------------------------------------------------------------- */

static void free_run(curfew_run *run)
{
	let_go_of_cancels(run);
	if (run->cancels[1]) {
		curfew__signal_bind(run->cancels[1], NULL);
		curfew__signal_unref(run->cancels[1]);
	}
	curfew__buffer_finish(&run->streams[0]);
	curfew__buffer_finish(&run->streams[1]);
	curfew_report_destroy(run->report);
	free(run->call);
	free(run->params);
	free(run->user);
	free(run->partial);
	free(run->import_text);
	curfew_program_destroy(run->program);
	curfew_engine_destroy(run->engine);
	free(run);
}

void curfew__run_unref(curfew_run *run)
{
	if (atomic_fetch_sub(&run->references, 1) == 1)
		free_run(run);
}

static curfew_status check_options(const curfew_run_options *options, curfew_failure *failure)
{
	char message[256];
	size_t offset;
	const char *why;

	if (options->flags & ~CURFEW_RUN_DETERMINISTIC)
		return refuse(failure, CURFEW_INVALID, "unknown flag in run options");
	if (!options->params)
		return CURFEW_OK;
	if (options->params_length > PARAMS_BYTES_MAX)
		return refuse(failure, CURFEW_INVALID, "params are larger than 16 MiB");
	if (!curfew__json_check(options->params, options->params_length, &offset, &why)) {
		snprintf(message, sizeof message, "params are not JSON: %s at byte %zu", why, offset);
		return refuse(failure, CURFEW_INVALID, message);
	}
	if (!curfew__json_is_array(options->params, options->params_length))
		return refuse(failure, CURFEW_INVALID, "params must be a JSON array");
	return CURFEW_OK;
}

static char *copy(const char *text, size_t length, bool *ok)
{
	char *made = malloc(length + 1);

	if (!made) {
		*ok = false;
		return NULL;
	}
	memcpy(made, text, length);
	made[length] = 0;
	return made;
}

/* Whether this thread's stack has room for guest code with such a stack limit. */
static bool stack_has_room(uint64_t stack_bytes)
{
	static _Thread_local uintptr_t lowest;
	char here;

	if (!lowest) {
		pthread_attr_t attributes;
		void *address = NULL;
		size_t size = 0;
		if (pthread_getattr_np(pthread_self(), &attributes))
			return false;
		pthread_attr_getstack(&attributes, &address, &size);
		pthread_attr_destroy(&attributes);
		lowest = (uintptr_t)address;
	}
	size_t needed = curfew__guest_native_stack(curfew__guest_stack_class(stack_bytes)) + CURFEW__NATIVE_STACK_MORE;
	return (uintptr_t)&here - lowest > needed;
}

static curfew_status create_run(curfew_program *program, const curfew_run_options *given, bool waited_for,
                                curfew_run **result, curfew_failure *failure)
{
	curfew_run_options options = { .size = sizeof options };
	curfew_limits limits;
	curfew_status status;
	bool ok = true;

	refuse(failure, CURFEW_OK, "");
	*result = NULL;
	if (given && !curfew__copy_in(&options, sizeof options, given))
		return refuse(failure, CURFEW_INVALID, "options.size is not that of a curfew_run_options");
	if ((status = curfew_limits_resolve(options.limits, &limits, failure)) != CURFEW_OK ||
	    (status = check_options(&options, failure)) != CURFEW_OK)
		return status;
	curfew_run *run = calloc(1, sizeof *run);
	if (!run)
		return refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_init(&run->references, 1);
	run->start_ns = curfew__now();
	run->program = curfew__program_ref(program);
	run->engine = curfew__engine_ref(program->engine);
	run->limits = limits;
	run->flags = options.flags;
	run->inline_run = waited_for && stack_has_room(limits.stack_bytes);
	run->on_event = options.on_event;
	run->on_event_context = options.on_event_context;
	run->call = options.call ? copy(options.call, strlen(options.call), &ok) : NULL;
	run->params = options.params ? copy(options.params, options.params_length, &ok) : NULL;
	run->params_length = options.params ? options.params_length : 0;
	run->user = options.user ? copy(options.user, strlen(options.user), &ok) : NULL;
	run->deadline_ns = curfew__later(run->start_ns, limits.timeout_ns);
	run->virtual_ns = FIXED_NOW_NS;
	run->seed = FIXED_SEED;
	run->alarm = (curfew__alarm){ .call = curfew__run_on_alarm, .context = run };
	atomic_init(&run->cpu_segment_ns, -1);
	curfew__buffer_init(&run->streams[0], (size_t)limits.output_bytes);
	curfew__buffer_init(&run->streams[1], (size_t)limits.output_bytes);
	run->report = curfew__report_create();
	if (run->report)
		run->report->used.fuel = CURFEW_UNLIMITED;
	if (!ok || !run->report || (!deterministic(run) && !fill_random(&run->seed, sizeof run->seed))) {
		free_run(run);
		return refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	if (!waited_for) {
		run->on_done = options.on_done;
		run->on_done_context = options.on_done_context;
		run->cancels[1] = curfew__signal_create(run->engine->watch);
		if (run->cancels[1])
			curfew__signal_bind(run->cancels[1], &run->alarm);
	}
	/* Last: it may be fired at any time, and the watch then sees the run. */
	if (options.cancel) {
		run->cancels[0] = curfew__signal_ref((curfew__signal *)options.cancel);
		if (!curfew__signal_bind(run->cancels[0], &run->alarm)) {
			curfew__signal_unref(run->cancels[0]);
			run->cancels[0] = NULL;
			free_run(run);
			return refuse(failure, CURFEW_INVALID, "the cancel handle serves another run");
		}
	}
	*result = run;
	return CURFEW_OK;
}

/* From here on the run counts, and has a deadline. */
static void begin(curfew_run *run)
{
	atomic_fetch_add(&run->engine->runs_active, 1);
	atomic_fetch_add(&run->engine->runs_total, 1);
	curfew__run_look_at_clock(run, curfew__now());
	/* What waits for a thread has its deadline too. */
	if (!run->inline_run) {
		atomic_store(&run->phase, CURFEW__RUN_READY);
		curfew__watch_arm(run->engine->watch, &run->alarm, curfew__run_next_alarm(run, run->start_ns));
	}
}

static void wait_for(atomic_uint *word, unsigned at_least)
{
	unsigned seen;
	while ((seen = atomic_load(word)) < at_least)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void run_here(curfew_run *run)
{
	while (!curfew__run_step(run)) {
		while (atomic_load(&run->phase) == CURFEW__RUN_PARKED)
			syscall(SYS_futex, &run->phase, FUTEX_WAIT_PRIVATE, CURFEW__RUN_PARKED, NULL, NULL, 0);
	}
}

static curfew_status run_to_end(curfew_run *run, curfew_failure *failure)
{
	begin(run);
	if (run->inline_run) {
		run_here(run);
	} else {
		if (!curfew__executor_submit(run->engine->executor, run)) {
			atomic_fetch_sub(&run->engine->runs_active, 1);
			return refuse(failure, CURFEW_SYSTEM, "no thread can be started");
		}
		wait_for(&run->done, 2);
	}
	return CURFEW_OK;
}

curfew_status curfew_program_run(curfew_program *program, const curfew_run_options *options, curfew_report **report,
                                 curfew_failure *failure)
{
	curfew_run *run;

	if (!program || !report)
		return refuse(failure, CURFEW_INVALID, "program or report is NULL");
	*report = NULL;
	curfew_status status = create_run(program, options, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	if ((status = run_to_end(run, failure)) == CURFEW_OK) {
		*report = run->report;
		run->report = NULL;
	}
	curfew__run_unref(run);
	return status;
}

curfew_status curfew_program_compile(curfew_program *program, const curfew_limits *limits, curfew_report **report,
                                     curfew_failure *failure)
{
	curfew_run_options options = { .size = sizeof options, .limits = limits };
	curfew_run *run;

	if (report)
		*report = NULL;
	if (!program)
		return refuse(failure, CURFEW_INVALID, "program is NULL");
	curfew__image *image = curfew__program_image(program);
	curfew__image_unref(image);
	if (image)
		return refuse(failure, CURFEW_OK, "");
	curfew_status status = create_run(program, &options, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	run->compile_only = true;
	status = run_to_end(run, failure);
	if (status == CURFEW_OK && run->report->outcome != CURFEW_OUTCOME_FINISHED) {
		status = refuse(failure, CURFEW_BAD_PROGRAM, "the program does not load: the report says why");
		if (report) {
			*report = run->report;
			run->report = NULL;
		}
	} else if (status == CURFEW_OK && !(image = curfew__program_image(program))) {
		status = refuse(failure, CURFEW_NO_MEMORY, "there is no memory for the program's image");
	} else if (status == CURFEW_OK) {
		curfew__image_unref(image);
	}
	curfew__run_unref(run);
	return status;
}

curfew_status curfew_run_start(curfew_program *program, const curfew_run_options *options, curfew_run **result,
                               curfew_failure *failure)
{
	curfew_run *run;

	if (!program || !result)
		return refuse(failure, CURFEW_INVALID, "program or run is NULL");
	*result = NULL;
	curfew_status status = create_run(program, options, false, &run, failure);
	if (status != CURFEW_OK)
		return status;
	if (!run->cancels[1]) {
		curfew__run_unref(run);
		return refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	begin(run);
	*result = run;
	if (!curfew__executor_submit(run->engine->executor, run)) {
		atomic_fetch_sub(&run->engine->runs_active, 1);
		*result = NULL;
		curfew__run_unref(run);
		return refuse(failure, CURFEW_SYSTEM, "no thread can be started");
	}
	return CURFEW_OK;
}

const curfew_report *curfew_run_wait(curfew_run *run)
{
	if (!run)
		return NULL;
	wait_for(&run->done, 1);
	return run->report;
}

const curfew_report *curfew_run_get_report(curfew_run *run)
{
	return run && atomic_load(&run->done) ? run->report : NULL;
}

void curfew_run_cancel(curfew_run *run)
{
	if (run)
		curfew__signal_fire(run->cancels[1]);
}

void curfew_run_get_usage(curfew_run *run, curfew_run_usage *result)
{
	curfew_run_usage known = { .size = result->size }, *usage = &known;
	bool done = atomic_load(&run->done);
	const curfew_report *report = run->report;

	usage->wall_ns = done ? report->used.wall_ns : (uint64_t)(curfew__now() - run->start_ns);
	usage->cpu_ns = done ? report->used.cpu_ns : (uint64_t)curfew__run_cpu(run);
	usage->memory_bytes = done ? report->used.memory_peak_bytes : atomic_load(&run->memory_bytes);
	usage->output_bytes = atomic_load(&run->output_bytes);
	curfew__copy_out(result, &known, sizeof known);
}

void curfew_run_destroy(curfew_run *run)
{
	if (!run)
		return;
	if (!atomic_load(&run->done))
		curfew_run_cancel(run);
	bool in_callback = atomic_load(&run->done) == 1 && run->on_done && pthread_equal(run->done_thread, pthread_self());
	if (!in_callback)
		wait_for(&run->done, 2);
	curfew__run_unref(run);
}
