/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: what is read from the guest before its memory goes back, and the report made of it. */
#include "run/run.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/report.h"
#include "run/stop.h"

#define TRACE_NS (5 * CURFEW__MILLISECOND)

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
	curfew__run_begin_stretch(run);
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
	if (curfew__run_charge_output(run, c->value_length) == c->value_length)
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
	run->done_thread = pthread_self();
	atomic_store(&run->done, 1);
	syscall(SYS_futex, &run->done, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
	if (run->on_done)
		run->on_done(run->on_done_context, run);
	atomic_store(&run->done, 2);
	syscall(SYS_futex, &run->done, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static curfew_outcome outcome_without_cause(const curfew__run_ending *ending)
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

void curfew__run_finish(curfew_run *run, const curfew__run_ending *ending)
{
	curfew_report *report = run->report;
	int64_t ended_ns = curfew__now();

	curfew__run_end_stretch(run);
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
	curfew__signal_release(&run->cancels[0]); /* it may serve the next run */
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
