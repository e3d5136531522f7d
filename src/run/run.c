/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One execution. Whichever thread steps a run executes it. A step enters the guest, which ends or comes back to wait. A
 * run that waits is parked: it holds nothing but its memory, until the watch or an event makes it ready again.
 */
#include "run/run.h"

#include "common/clock.h"
#include "run/stop.h"

/* False: it was woken meanwhile, and is to go on here. */
static bool park(curfew_run *run)
{
	curfew__watch *watch = run->engine->watch;
	int64_t now = clock_now_ns();

	curfew__run_end_stretch(run);
	/* The watch keeps its hands off the memory while the run gives of it back. */
	curfew__watch_disarm(watch, &run->alarm);
	atomic_store(&run->wake_ns, run->kind->wait(run, now));
	/* Armed before anybody can see that it is parked: the alarm belongs to whoever takes it up next. */
	curfew__watch_arm(watch, &run->alarm, curfew__run_next_alarm(run, now));
	curfew__run_enter_phase(run, CURFEW__RUN_PARKED);
	/* From here on the run may be elsewhere; the reference of whoever steps it keeps it in memory. */
	return !(atomic_load(&run->woken) && curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_EXECUTING));
}

static curfew__run_end resume_or_begin(curfew_run *run)
{
	atomic_store(&run->woken, false);
	run->waited_until_ns = atomic_exchange(&run->wake_ns, CURFEW__NEVER);
	if (atomic_load(&run->cause))
		return CURFEW__END_NOT_RUN;
	if (!run->begun) {
		run->begun = true;
		if (!curfew__run_prepare_secrets(run))
			return atomic_load(&run->cause) ? CURFEW__END_NOT_RUN : CURFEW__END_FAILED;
		return run->kind->begin(run);
	}
	curfew__watch_arm(run->engine->watch, &run->alarm, curfew__run_next_alarm(run, clock_now_ns()));
	return run->kind->resume(run);
}

bool curfew__run_step(curfew_run *run)
{
	curfew__run_end end;

	curfew__run_enter_phase(run, CURFEW__RUN_EXECUTING);
	do {
		curfew__run_begin_stretch(run);
		end = resume_or_begin(run);
		if (end == CURFEW__END_WAITING && !atomic_load(&run->cause) && park(run))
			return false;
	} while (end == CURFEW__END_WAITING && !atomic_load(&run->cause));
	curfew__run_finish(run, end);
	return true;
}
