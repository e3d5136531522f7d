/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a run is stopped, and when. The host latches the cause here, once. Later causes only join the list of what
 * tripped. Any thread may call the functions of the first half. The alarm runs on the watch thread.
 */
#include "run/stop.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/invariant.h"
#include "common/clock.h"
#include "engine/interrupt.h"

/* A compiler uses several cores, so its CPU time may advance faster than the clock. */
#define CORES_MAX 64
#define RETRY_NS (50 * CURFEW__MICROSECOND)
/* The lowest bits of the latch are the cause. The others are nanoseconds, enough for two years. */
#define LATCH_SHIFT 8
_Static_assert(CURFEW_OUTCOME_COUNT <= 1 << LATCH_SHIFT, "an outcome fits");
/* CPU time within which a guest certainly responds to a signal. */
#define UNANSWERED_NS (20 * CURFEW__MILLISECOND)

/* The legal transitions. EXECUTING to READY is legal only before the run has begun: it is then queued. */
static const uint8_t may_follow[CURFEW__RUN_PHASES] = {
	[CURFEW__RUN_EXECUTING] = 1 << CURFEW__RUN_EXECUTING | 1 << CURFEW__RUN_PARKED | 1 << CURFEW__RUN_READY,
	[CURFEW__RUN_PARKED] = 1 << CURFEW__RUN_READY | 1 << CURFEW__RUN_EXECUTING,
	[CURFEW__RUN_READY] = 1 << CURFEW__RUN_EXECUTING,
};

bool curfew__run_move(curfew_run *run, enum curfew__run_phase from, enum curfew__run_phase to)
{
	unsigned seen = from;

	CURFEW__INVARIANT(may_follow[from] & 1 << to);
	return atomic_compare_exchange_strong(&run->phase, &seen, to);
}

void curfew__run_enter_phase(curfew_run *run, enum curfew__run_phase to)
{
	unsigned from = atomic_exchange(&run->phase, to);

	CURFEW__INVARIANT(may_follow[from] & 1 << to);
	CURFEW__INVARIANT(to != CURFEW__RUN_READY || run->progress < CURFEW__RUN_BEGUN);
	(void)from;
}

void curfew__run_reach(curfew_run *run, enum curfew__run_progress progress)
{
	/* Nothing executes before the run has begun. */
	CURFEW__INVARIANT(run->progress != CURFEW__RUN_NEW || progress == CURFEW__RUN_BEGUN);
	if (progress > run->progress)
		run->progress = progress;
}

void curfew__run_trip(curfew_run *run, curfew_outcome outcome)
{
	unsigned bit = 1u << outcome;

	if (atomic_fetch_or(&run->stop.tripped_set, bit) & bit)
		return;
	unsigned slot = atomic_fetch_add(&run->stop.tripped_count, 1);
	CURFEW__INVARIANT(slot < CURFEW_OUTCOME_COUNT);
	atomic_store(&run->stop.tripped[slot], (uint8_t)outcome);
}

void curfew__run_latch(curfew_run *run, curfew_outcome cause, int64_t due_ns)
{
	uint64_t none = 0, after = due_ns > run->clock.start_ns ? (uint64_t)(due_ns - run->clock.start_ns) : 0;

	curfew__run_trip(run, cause);
	/* Cause and time share one word, so the first writer decides both. */
	if (!atomic_compare_exchange_strong(&run->stop.latch, &none, after << LATCH_SHIFT | (uint64_t)cause))
		return;
	atomic_store(&run->stop.cause, (unsigned)cause);
	if (run->on_stop)
		run->on_stop(run->on_stop_context, cause);
}

int64_t curfew__run_due(const curfew_run *run)
{
	return run->clock.start_ns + (int64_t)(atomic_load(&run->stop.latch) >> LATCH_SHIFT);
}

static bool cancelled(const curfew_run *run, int64_t *when_ns, unsigned *times)
{
	bool any = false;

	*times = 0;
	*when_ns = CURFEW__NEVER;
	for (int i = 0; i < 2; i++) {
		curfew__signal *signal = run->stop.cancels[i];
		unsigned fired = signal ? atomic_load(&signal->fired) : 0;
		if (!fired)
			continue;
		any = true;
		*times += fired;
		int64_t at = atomic_load(&signal->fired_ns);
		*when_ns = at < *when_ns ? at : *when_ns;
	}
	return any;
}

/* The program's time is up. Notify it and start its grace, in which it may end by itself. */
static void time_is_up(curfew_run *run, curfew_outcome why, int64_t when_ns)
{
	unsigned none = 0;

	atomic_store(&run->stop.hard_ns, clock_later(when_ns, run->limits.grace_ns));
	if (!atomic_compare_exchange_strong(&run->stop.time_up, &none, (unsigned)why))
		return;
	curfew__run_trip(run, why);
	curfew__run_notify_time_up(run);
}

void curfew__run_notify_time_up(curfew_run *run)
{
	unsigned why = atomic_load(&run->stop.time_up);
	if (why && run->limits.grace_ns && atomic_load(&run->alive))
		run->kind->notify_time_up(run, (curfew_outcome)why);
}

void curfew__run_look_at_clock(curfew_run *run, int64_t now)
{
	int64_t cancelled_ns;
	unsigned times;
	bool cancel = cancelled(run, &cancelled_ns, &times);

	/* Check the deadline before the cancel: if one check finds both, the deadline is the cause. */
	if (!atomic_load(&run->stop.time_up)) {
		if (now >= run->clock.deadline_ns)
			time_is_up(run, CURFEW_OUTCOME_DEADLINE, run->clock.deadline_ns);
		else if (cancel)
			time_is_up(run, CURFEW_OUTCOME_CANCELLED,
			           cancelled_ns > run->clock.start_ns ? cancelled_ns : run->clock.start_ns);
	}
	unsigned up = atomic_load(&run->stop.time_up);
	if (!up)
		return;
	if (now >= run->clock.deadline_ns)
		curfew__run_trip(run, CURFEW_OUTCOME_DEADLINE);
	if (times > 1 && atomic_load(&run->stop.hard_ns) > now)
		atomic_store(&run->stop.hard_ns, now); /* a second cancel ends the grace */
	if (now >= atomic_load(&run->stop.hard_ns))
		curfew__run_latch(run, (curfew_outcome)up, atomic_load(&run->stop.hard_ns));
}

/* ---- CPU time --------------------------------------------------------------------------------------------- */

void curfew__run_begin_stretch(curfew_run *run)
{
	clockid_t clock = CLOCK_THREAD_CPUTIME_ID;

	pthread_getcpuclockid(pthread_self(), &clock);
	atomic_store(&run->clock.cpu_clock, clock);
	atomic_store(&run->clock.thread, curfew__thread_id());
	atomic_store(&run->clock.cpu_segment_ns, clock_read_ns(CLOCK_THREAD_CPUTIME_ID));
}

void curfew__run_end_stretch(curfew_run *run)
{
	int64_t since = atomic_load(&run->clock.cpu_segment_ns);

	atomic_store(&run->clock.thread, 0);
	if (since < 0)
		return;
	int64_t used = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - since;
	atomic_store(&run->clock.cpu_segment_ns, -1);
	atomic_fetch_add(&run->clock.cpu_before_ns, used);
}

int64_t curfew__run_own_cpu(curfew_run *run)
{
	int64_t before = atomic_load(&run->clock.cpu_before_ns);
	int64_t since = atomic_load(&run->clock.cpu_segment_ns);
	int64_t now;

	if (atomic_load(&run->wait.compiling))
		before += (int64_t)curfew__wasm_waiter_cpu(run->program->wasm, &run->wait.compiled);
	if (since < 0)
		return before;
	now = clock_read_ns(run->clock.cpu_clock);
	return before + (now > since ? now - since : 0);
}

int64_t curfew__run_cpu(curfew_run *run)
{
	return curfew__run_own_cpu(run) + curfew__operations_cpu(atomic_load(&run->operations));
}

bool curfew__run_is_deaf(curfew_run *run)
{
	int64_t cpu = curfew__run_own_cpu(run);

	if (!run->stop.hard_cpu_ns)
		run->stop.hard_cpu_ns = cpu;
	/* A guest without a processor responds as soon as it has one. */
	if (cpu - run->stop.hard_cpu_ns < UNANSWERED_NS)
		return false;
	run->stop.hard_cpu_ns = cpu;
	curfew__interrupt_reclaim();
	return true;
}

/*
 * CPU time of one thread cannot advance faster than the clock, so check again when the limit could first be reached. A
 * run that executes nothing itself is late by up to a millisecond.
 */
static int64_t check_cpu(curfew_run *run, int64_t now)
{
	bool is_compiling = atomic_load(&run->wait.compiling), is_executing = atomic_load(&run->clock.cpu_segment_ns) >= 0;
	bool has_operations = atomic_load(&run->operations);

	if (run->limits.cpu_ns == CURFEW_UNLIMITED || (!is_executing && !is_compiling && !has_operations))
		return CURFEW__NEVER;
	int64_t used = curfew__run_cpu(run), limit = (int64_t)run->limits.cpu_ns;
	if (used < limit)
		return now + (limit - used) / (is_compiling ? CORES_MAX : 1 + has_operations) +
		       !is_executing * CURFEW__MILLISECOND;
	curfew__run_latch(run, CURFEW_OUTCOME_CPU, now - (used - limit));
	return CURFEW__NEVER;
}

/* ---- The alarm -------------------------------------------------------------------------------------------- */

static void make_ready(curfew_run *run)
{
	bool inline_run = run->inline_run;
	curfew__executor *executor = run->engine->executor;

	if (inline_run) {
		/* The run's thread waits on the phase, and keeps the run in memory until the alarm is closed. */
		if (curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_READY))
			syscall(SYS_futex, &run->phase, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	} else if (curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_READY)) {
		curfew__executor_submit(executor, run);
	}
}

void curfew__run_wake(curfew_run *run)
{
	atomic_store(&run->wait.woken, true);
	make_ready(run);
}

void curfew__run_note_stopped(curfew_run *run)
{
	int64_t unset = 0;
	atomic_compare_exchange_strong(&run->stop.stopped_ns, &unset, clock_now_ns());
}

/* Does one step of stopping a run. Returns the time of the next step. */
static int64_t stop_step(curfew_run *run, int64_t now)
{
	/* A run that is not executing needs no stop step: whichever thread resumes it checks `cause` first. */
	if (atomic_load(&run->phase) != CURFEW__RUN_EXECUTING) {
		run->stop.was_waiting = true;
		curfew__run_note_stopped(run);
		/* Close its operations here: a thread may finish the run much later. */
		curfew__operations_close(atomic_load(&run->operations));
		make_ready(run);
		return CURFEW__NEVER;
	}
	if (atomic_load(&run->alive))
		return run->kind->stop(run, now);
	curfew__hurry(&run->stop.hurried, atomic_load(&run->clock.thread));
	return now + RETRY_NS;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t curfew__run_next_alarm(curfew_run *run, int64_t now)
{
	if (atomic_load(&run->stop.cause))
		return now;
	int64_t next = atomic_load(&run->stop.time_up) ? atomic_load(&run->stop.hard_ns) : run->clock.deadline_ns;
	next = earlier(next, check_cpu(run, now));
	/* A run that is ready needs no alarm for its wake time, which has passed. */
	if (atomic_load(&run->phase) != CURFEW__RUN_READY)
		next = earlier(next, atomic_load(&run->wait.wake_ns));
	return atomic_load(&run->stop.cause) ? now : next;
}

bool curfew__run_arm(curfew_run *run, int64_t now)
{
	curfew__alarm *alarm = &run->stop.alarm;
	unsigned calls = atomic_load(&alarm->calls);

	return curfew__watch_arm_since(run->engine->watch, alarm, curfew__run_next_alarm(run, now), calls);
}

int64_t curfew__run_on_alarm(void *context, int64_t now)
{
	curfew_run *run = context;
	bool was_up = atomic_load(&run->stop.time_up);

	if (run->stop.tracing)
		return run->kind->stop(run, now);
	curfew__run_look_at_clock(run, now);
	check_cpu(run, now);
	if (atomic_load(&run->stop.cause))
		return stop_step(run, now);
	bool told = !was_up && atomic_load(&run->stop.time_up);
	if (told)
		curfew__run_wake(run); /* also if it is about to be parked: it may have looked before it was told */
	else if (atomic_load(&run->phase) == CURFEW__RUN_PARKED && now >= atomic_load(&run->wait.wake_ns))
		make_ready(run);
	int64_t next = curfew__run_next_alarm(run, now);
	/* The alarm is due already: the run is about to be parked, or was resumed a moment ago. */
	return next > now || atomic_load(&run->stop.cause) ? next : now + RETRY_NS;
}
