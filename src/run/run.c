/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One execution. A step executes a run on whichever thread calls it: it enters the guest, which ends or returns to
 * wait. A run that waits is parked: it holds only its memory, until the watch or an event makes it ready again.
 */
#include "run/run.h"

#include "common/clock.h"
#include "run/stop.h"

/* Parks the run. False: it was woken meanwhile, and this thread has to resume it. */
static bool park(curfew_run *run)
{
	curfew__watch *watch = run->engine->watch;
	int64_t now = clock_now_ns();

	curfew__run_end_stretch(run);
	/* The run is about to release memory. Until it has, the watch must not touch the memory. */
	curfew__watch_disarm(watch, &run->stop.alarm);
	atomic_store(&run->wait.wake_ns, run->kind->wait(run, now));
	/* Arm the alarm before the phase changes: afterwards the alarm belongs to the thread that resumes the run. */
	curfew__run_arm(run, now);
	curfew__run_enter_phase(run, CURFEW__RUN_PARKED);
	/* From here on another thread may execute the run. The caller's reference keeps it in memory. */
	return !(atomic_load(&run->wait.woken) && curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_EXECUTING));
}

static curfew__run_end resume_or_begin(curfew_run *run)
{
	atomic_store(&run->wait.woken, false);
	run->wait.waited_until_ns = atomic_exchange(&run->wait.wake_ns, CURFEW__NEVER);
	if (atomic_load(&run->stop.cause))
		return CURFEW__END_NOT_RUN;
	if (run->progress == CURFEW__RUN_NEW) {
		curfew__run_reach(run, CURFEW__RUN_BEGUN);
		if (!curfew__run_prepare_secrets(run))
			return atomic_load(&run->stop.cause) ? CURFEW__END_NOT_RUN : CURFEW__END_FAILED;
		return run->kind->begin(run);
	}
	curfew__run_arm(run, clock_now_ns());
	return run->kind->resume(run);
}

bool curfew__run_step(curfew_run *run)
{
	curfew__run_end end;

	curfew__run_enter_phase(run, CURFEW__RUN_EXECUTING);
	do {
		curfew__run_begin_stretch(run);
		end = resume_or_begin(run);
		if (end == CURFEW__END_WAITING && !atomic_load(&run->stop.cause) && park(run))
			return false;
	} while (end == CURFEW__END_WAITING && !atomic_load(&run->stop.cause));
	curfew__run_finish(run, end);
	return true;
}
