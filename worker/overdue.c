/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds workers that do not respond. The watch of a worker notifies the pool at the instant at which it decides to stop
 * a run. A worker that was given time and whose watch stays silent cannot be trusted to stop anything. After that
 * notification the worker has much more time, because only the end of the guest and the report are left.
 */
#include "inside.h"

#include "common/clock.h"
#define MS ((int64_t)1000000)

/*
 * Time for a worker to become ready, to begin with a run (it may have much to read before), or to report a run that its
 * watch has stopped.
 */
#define LONG_PATIENCE_NS (10000 * MS)
/* An observation costs some reads in /proc, so wait before the first one: most workers respond at once. */
#define FIRST_LOOK_NS (10 * MS)
#define LOOK_EVERY_NS (10 * MS)
#define LOOK_SELDOM_NS (100 * MS)

static int64_t time_limit_of(const worker_run *run)
{
	bool answers = run->state == RUN_STARTED && (run->job.flags & WORKER_JOB_INSPECT) == 0;
	return answers ? (int64_t)run->pool->options.patience_ns : LONG_PATIENCE_NS;
}

static void look_again(worker_pool *pool, worker_run *run, int64_t when_ns)
{
	run->look_ns = when_ns;
	if (when_ns < pool->look_ns)
		pool->look_ns = when_ns;
}

void worker_run_expect(worker_run *run, int64_t due_ns, curfew_outcome why)
{
	run->due_ns = due_ns;
	run->due_why = why;
	run->overdue_since_ns = -1;
	look_again(run->pool, run,
	           clock_later(due_ns, (uint64_t)(run->state == RUN_SENT ? LOOK_SELDOM_NS : FIRST_LOOK_NS)));
}

void worker_run_note_stopped(worker_run *run)
{
	worker_run_move(run, RUN_STOPPED);
	run->overdue_since_ns = -1;
	look_again(run->pool, run, clock_later(clock_now_ns(), (uint64_t)LOOK_SELDOM_NS));
}

/* Whether the worker was given the run's patience since it was first late. */
static bool is_overdue(process *p, worker_run *run)
{
	if (run->overdue_since_ns < 0)
		run->overdue_since_ns = p->given_ns;
	return p->given_ns - run->overdue_since_ns >= time_limit_of(run);
}

worker_run *worker_process_find_overdue(process *p, int64_t now)
{
	worker_run *overdue = NULL;
	bool was_observed = false;

	for (size_t slot = 0; slot < p->slot_count; slot++) {
		worker_run *run = p->runs[slot];
		if (run == NULL)
			continue;
		if (run->look_ns > now) {
			look_again(p->pool, run, run->look_ns);
			continue;
		}
		int64_t every_ns = time_limit_of(run) < LONG_PATIENCE_NS ? LOOK_EVERY_NS : LOOK_SELDOM_NS;
		if (!was_observed)
			(void)worker_process_observe(p, now, 2 * every_ns);
		was_observed = true;
		if (is_overdue(p, run))
			overdue = run;
		else
			look_again(p->pool, run, now + every_ns);
	}
	return overdue;
}

bool worker_process_hangs(process *p, int64_t now)
{
	if (p->state != PROCESS_STARTING || now < p->ready_look_ns)
		return false;
	p->ready_look_ns = now + LOOK_SELDOM_NS;
	return worker_process_observe(p, now, 2 * LOOK_SELDOM_NS) >= LONG_PATIENCE_NS;
}
