/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: reads the guest before its memory is released, and fills the report. */
#include "run/run.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "report/report.h"
#include "run/stop.h"

static void fill_error_of_stop(curfew_run *run, curfew_outcome cause)
{
	const char *name = curfew_outcome_name(cause), *text = curfew_outcome_text(cause);
	curfew__report_set_error(run->report, name, strlen(name), text, strlen(text));
}

/* What the run was doing when it was stopped. */
static curfew_stop_while find_while(const curfew_run *run)
{
	if (!run->clock.loaded_ns)
		return CURFEW_WHILE_LOADING;
	if (!run->clock.compiled_ns && !run->again)
		return CURFEW_WHILE_COMPILING;
	if (!run->clock.entered_ns)
		return CURFEW_WHILE_LOADING;
	return run->stop.was_waiting ? CURFEW_WHILE_WAITING : CURFEW_WHILE_RUNNING;
}

/* If a run was stopped while its program was compiled, the message suggests compiling it once, with more time. */
static void fill_error_of_compiling(curfew_run *run, curfew_outcome cause)
{
	const char *name = curfew_outcome_name(cause), *text = curfew_outcome_text(cause);
	char message[256], size[32];
	uint64_t bytes = run->program->given_bytes;

	if (bytes >= 1000000)
		snprintf(size, sizeof size, "%llu MB", (unsigned long long)((bytes + 500000) / 1000000));
	else
		snprintf(size, sizeof size, "%llu kB", (unsigned long long)((bytes + 999) / 1000));
	snprintf(message, sizeof message, "%s while compiling (%s): compile it once with 'curfew compile', or allow more",
	         text, size);
	curfew__report_set_error(run->report, name, strlen(name), message, strlen(message));
}

/* Checks every measured limit once more, so that a run that exceeded two of them reports both. */
static void check_all_limits(curfew_run *run, int64_t ended_ns)
{
	bool was_stopped = atomic_load(&run->stop.cause);

	curfew__run_look_at_clock(run, ended_ns);
	if (run->limits.cpu_ns != CURFEW_UNLIMITED && atomic_load(&run->clock.cpu_before_ns) >= (int64_t)run->limits.cpu_ns)
		curfew__run_latch(run, CURFEW_OUTCOME_CPU, ended_ns);
	if (run->progress >= CURFEW__RUN_STARTED && run->limits.fuel != CURFEW_UNLIMITED &&
	    run->report->used.fuel > run->limits.fuel)
		curfew__run_latch(run, CURFEW_OUTCOME_FUEL, ended_ns);
	/* A poll outside of the program's functions leaves the stop to the next poll, and the program may end before it. */
	if (!was_stopped && run->report->used.loops > run->limits.loops)
		curfew__run_latch(run, CURFEW_OUTCOME_LOOPS, ended_ns);
}

static void fill_counts(curfew_run *run, int64_t ended_ns)
{
	curfew_report *report = run->report;
	curfew_used *used = &report->used;

	used->wall_ns = (uint64_t)(ended_ns - run->clock.start_ns);
	used->host_calls = run->host_calls;
	used->output_bytes = atomic_load(&run->output.bytes);
	/* A metered run that ended before its program began has used none. */
	if (run->limits.fuel != CURFEW_UNLIMITED && used->fuel == CURFEW_UNLIMITED)
		used->fuel = 0;
	if (used->fuel != CURFEW_UNLIMITED && used->fuel > run->limits.fuel)
		used->fuel = run->limits.fuel;
	if (used->loops > run->limits.loops)
		used->loops = run->limits.loops;
	int64_t loaded = run->clock.loaded_ns ? run->clock.loaded_ns : ended_ns;
	int64_t compiled = run->clock.compiled_ns ? run->clock.compiled_ns : loaded;
	int64_t entered = run->clock.entered_ns ? run->clock.entered_ns : compiled;
	used->load_ns = (uint64_t)(loaded - run->clock.start_ns);
	used->compile_ns = (uint64_t)(compiled - loaded);
	used->start_ns = (uint64_t)(entered - compiled);
	used->run_ns = run->clock.entered_ns ? (uint64_t)(ended_ns - entered) : 0;
	report->limits = run->limits;
	report->output_truncated = run->output.truncated;
	curfew__report_set_program(report, run->program->name, curfew_program_kind(run->program), run->program->sha256);
	curfew__report_set_output(report, run->output.streams[0].data, run->output.streams[0].length,
	                          run->output.streams[1].data, run->output.streams[1].length, run->output.truncated);
	if (run->output.partial)
		curfew__report_set_partial(report, run->output.partial, run->output.partial_length);
	/* The cause of the stop comes first in the list, even if another limit was added to it earlier. */
	if (atomic_load(&run->stop.tripped_set) & 1u << report->outcome)
		curfew__report_add_tripped(report, report->outcome);
	unsigned count = atomic_load(&run->stop.tripped_count);
	for (unsigned i = 0; i < count && i < CURFEW_OUTCOME_COUNT; i++) {
		curfew_outcome tripped = (curfew_outcome)atomic_load(&run->stop.tripped[i]);
		if (tripped != report->outcome)
			curfew__report_add_tripped(report, tripped);
	}
}

/* The next step of `done`. Only threads that wait are woken: each wake-up is a system call. */
static void set_done(curfew_run *run, unsigned step)
{
	atomic_store(&run->done, step);
	if (atomic_load(&run->waiting) > 0)
		syscall(SYS_futex, &run->done, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
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
	set_done(run, 1);
	if (run->on_done)
		run->on_done(run->on_done_context, run);
}

void curfew__run_release(curfew_run *run)
{
	set_done(run, 2);
}

static curfew_outcome outcome_without_cause(curfew__run_end end)
{
	switch (end) {
	case CURFEW__END_STACK: return CURFEW_OUTCOME_STACK;
	case CURFEW__END_FUEL: return CURFEW_OUTCOME_FUEL;
	case CURFEW__END_STOPPED: /* cannot happen without a cause */
	case CURFEW__END_TRAPPED: return CURFEW_OUTCOME_TRAPPED;
	case CURFEW__END_FAILED: return CURFEW_OUTCOME_INTERNAL_ERROR;
	case CURFEW__END_THREW: return CURFEW_OUTCOME_THREW;
	case CURFEW__END_REFUSED: return CURFEW_OUTCOME_BAD_PROGRAM;
	case CURFEW__END_EXITED: return CURFEW_OUTCOME_EXITED;
	case CURFEW__END_UNSETTLED: return CURFEW_OUTCOME_UNSETTLED;
	case CURFEW__END_NOT_RUN:
	case CURFEW__END_WAITING:
	case CURFEW__END_DONE: break;
	}
	return CURFEW_OUTCOME_FINISHED;
}

/* A report as JSON has the exit code only here. */
static void fill_error_of_exit(curfew_run *run)
{
	char text[32];
	int length = snprintf(text, sizeof text, "exit code %d", (int)run->report->exit_code);
	curfew__report_set_error(run->report, "exit", 4, text, (size_t)length);
}

/* Fills in how the run was stopped, if it was. */
static void fill_stop(curfew_run *run, int64_t ended_ns, bool hard)
{
	curfew_report *report = run->report;
	curfew_outcome cause = (curfew_outcome)atomic_load(&run->stop.cause);
	int64_t stopped_ns = atomic_load(&run->stop.stopped_ns);

	report->stop_cause = cause ? cause : report->outcome;
	if (cause) {
		int64_t late = (stopped_ns && stopped_ns < ended_ns ? stopped_ns : ended_ns) - curfew__run_due(run);
		report->stop_mode = hard ? CURFEW_STOP_HARD : CURFEW_STOP_SOFT;
		report->stop_latency_ns = late > 0 ? (uint64_t)late : 0;
		report->stop_while = find_while(run);
		bool by_time = cause == CURFEW_OUTCOME_DEADLINE || cause == CURFEW_OUTCOME_CPU;
		if (report->stop_while == CURFEW_WHILE_COMPILING && by_time && run->program->wasm)
			fill_error_of_compiling(run, cause);
		else
			fill_error_of_stop(run, cause);
	} else if (atomic_load(&run->stop.time_up)) {
		report->stop_mode = CURFEW_STOP_COOPERATIVE;
		report->stop_while = CURFEW_WHILE_RUNNING;
	}
}

/* Withdraws from the compilation, and charges the run for the compiler's work so far. */
static void leave_compiler(curfew_run *run)
{
	curfew__wasm_program_leave(run->program->wasm, &run->wait.compiled);
	atomic_store(&run->wait.compiling, false);
	atomic_fetch_add(&run->clock.cpu_before_ns, (int64_t)run->wait.compiled.cpu_ns);
}

/* Releases the guest, which has been read, or leaves it for the next call of its session. */
static void release_guest(curfew_run *run, curfew__run_end end, bool readable)
{
	curfew_report *report = run->report;
	uint64_t stack_limit = run->limits.stack_bytes;

	if (!run->alive)
		return;
	run->stays = run->kept && readable && run->kind->is_sound(run, end);
	run->kind->finish(run);
	atomic_store(&run->alive, false);
	if (run->kept)
		run->kept->on_settled(run->kept->context, run, end);
	/* The peak is counted in pages, and the last page may reach beyond the limit. */
	if (report->used.stack_peak_bytes > stack_limit && atomic_load(&run->stop.cause) != CURFEW_OUTCOME_STACK)
		report->used.stack_peak_bytes = stack_limit;
}

void curfew__run_finish(curfew_run *run, curfew__run_end end)
{
	const curfew__kind *kind = run->kind;
	curfew_report *report = run->report;
	int64_t ended_ns = clock_now_ns();
	bool hard = false;

	curfew__run_end_stretch(run);
	curfew__watch_close(run->engine->watch, &run->stop.alarm);
	if (run->program->wasm)
		leave_compiler(run);
	curfew__operations_close(atomic_load(&run->operations));
	atomic_fetch_add(&run->clock.cpu_before_ns, curfew__operations_take_cpu(atomic_load(&run->operations)));
	report->used.cpu_ns = (uint64_t)atomic_load(&run->clock.cpu_before_ns);
	bool readable = run->alive && kind->settle(run, &hard);

	if (readable)
		kind->fill_usage(run);
	curfew__calm(&run->stop.hurried); /* what follows may call the embedder */
	curfew__run_end_output(run);
	if (end == CURFEW__END_STACK || end == CURFEW__END_FUEL)
		curfew__run_latch(run, outcome_without_cause(end), ended_ns);
	check_all_limits(run, ended_ns);
	/* The program has ended, so its grace is over. */
	if (end == CURFEW__END_UNSETTLED && atomic_load(&run->stop.time_up))
		curfew__run_latch(run, (curfew_outcome)atomic_load(&run->stop.time_up), ended_ns);
	curfew__signal_release(&run->stop.cancels[0]); /* it may serve the next run */
	if (readable && end == CURFEW__END_DONE && !atomic_load(&run->stop.cause))
		kind->fill_value(run);
	curfew_outcome cause = (curfew_outcome)atomic_load(&run->stop.cause);
	curfew_outcome up = (curfew_outcome)atomic_load(&run->stop.time_up);
	/* Once a program was notified that its time is up, that is its outcome, whatever stopped it within its grace. */
	report->outcome = up ? up : cause ? cause : outcome_without_cause(end);
	fill_stop(run, ended_ns, hard);
	if (report->outcome == CURFEW_OUTCOME_UNSETTLED)
		fill_error_of_stop(run, CURFEW_OUTCOME_UNSETTLED);
	if (report->outcome == CURFEW_OUTCOME_EXITED)
		fill_error_of_exit(run);
	/* A program that finished has no frames or errors to read. */
	if (end != CURFEW__END_DONE)
		run->after = curfew__budget_begin(CURFEW__AFTER_CPU_NS, CURFEW__AFTER_BYTES);
	if (readable)
		kind->fill_error(run, end);
	report->trace_truncated |= run->after.is_spent;
	release_guest(run, end, readable);
	fill_counts(run, ended_ns);
	curfew__run_redact_report(run);
	curfew__run_give_back(run);
	publish(run);
}
