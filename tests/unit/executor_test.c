/* SPDX-License-Identifier: Apache-2.0 */
/* The executor, with runs that only record which thread steps them. */
#include "../harness.h"
#include "run/run.h"
#include "common/clock.h"

#include <time.h>

#include <stdlib.h>
#include <string.h>

enum { RUNS = 200 };

static atomic_uint stepped, released, freed, inside;
static atomic_bool holds, lingers;

static void nap(void)
{
	struct timespec pause = {.tv_nsec = 100 * CURFEW__MICROSECOND};
	nanosleep(&pause, NULL);
}

static bool step(curfew_run *run)
{
	atomic_fetch_add(&inside, 1);
	while (run->flags != 0 && atomic_load(&holds))
		nap();
	atomic_fetch_sub(&inside, 1);
	atomic_fetch_add(&stepped, 1);
	return true;
}

/* From now on the run's user may destroy it. */
static void release(curfew_run *run)
{
	(void)run;
	atomic_fetch_add(&released, 1);
}

static void unref(curfew_run *run)
{
	for (int i = 0; i < 2000 && atomic_load(&lingers); i++)
		nap();
	if (atomic_fetch_sub(&run->references, 1) != 1)
		return;
	free(run);
	atomic_fetch_add(&freed, 1);
}

static curfew_run *make_run(bool is_held)
{
	curfew_run *run = calloc(1, sizeof *run);
	CHECK(run != NULL);
	atomic_init(&run->references, 1);
	run->flags = is_held;
	return run;
}

static void wait_until(const atomic_uint *word, unsigned at_least)
{
	while (atomic_load(word) < at_least)
		nap();
}

typedef struct fixture {
	curfew__pool *pool;
	curfew__executor *executor;
} fixture;

static fixture set_up(uint32_t threads)
{
	fixture made = {.pool = curfew__pool_create(0, 0, false)};
	CHECK(made.pool != NULL);
	made.executor = curfew__executor_create(threads, made.pool, (curfew__work_calls){step, release, unref});
	CHECK(made.executor != NULL);
	atomic_store(&stepped, 0);
	atomic_store(&released, 0);
	atomic_store(&freed, 0);
	atomic_store(&holds, true);
	return made;
}

static void tear_down(fixture *made)
{
	curfew__executor_destroy(made->executor);
	curfew__pool_destroy(made->pool);
}

static void submit(const fixture *to, bool is_held)
{
	curfew_run *run = make_run(is_held);
	CHECK(curfew__executor_submit(to->executor, run));
	unref(run); /* the queue has its own reference */
}

static void test_each_is_stepped_once(void)
{
	fixture own = set_up(2);
	for (int i = 0; i < RUNS; i++)
		submit(&own, false);
	wait_until(&freed, RUNS);
	CHECK_EQUAL(atomic_load(&stepped), RUNS);
	tear_down(&own);
	CHECK_EQUAL(atomic_load(&stepped), RUNS);
}

static void test_what_computes_long_does_not_hold_up_others(void)
{
	fixture own = set_up(1);
	/* With one thread that may compute, three runs that never end by themselves. */
	for (int i = 0; i < 3; i++)
		submit(&own, true);
	submit(&own, false);
	wait_until(&stepped, 1);
	CHECK_EQUAL(atomic_load(&inside), 3);
	atomic_store(&holds, false);
	wait_until(&freed, 4);
	tear_down(&own);
}

static void test_threads_go_when_they_are_not_needed(void)
{
	fixture own = set_up(1);
	for (int round = 0; round < 3; round++) {
		atomic_store(&holds, true);
		for (int i = 0; i < 8; i++)
			submit(&own, true);
		wait_until(&inside, 8);
		atomic_store(&holds, false);
		wait_until(&freed, (unsigned)(round + 1) * 8);
	}
	/* Threads that have left are joined, threads that wait are woken. */
	tear_down(&own);
}

/* The thread that executed a run may be late to drop it. */
static void test_ended_runs_are_waited_for(void)
{
	fixture own = set_up(1);
	atomic_store(&lingers, true);
	curfew_run *run = make_run(false);
	atomic_store(&run->references, 0); /* only the queue has one */
	CHECK(curfew__executor_submit(own.executor, run));
	wait_until(&released, 1);
	curfew__executor_settle(own.executor);
	CHECK_EQUAL(atomic_load(&freed), 1);
	atomic_store(&lingers, false);
	/* The call does not wait for a run that has not ended. */
	submit(&own, true);
	wait_until(&inside, 1);
	curfew__executor_settle(own.executor);
	CHECK_EQUAL(atomic_load(&freed), 1);
	atomic_store(&holds, false);
	wait_until(&freed, 2);
	tear_down(&own);
}

static const harness_test tests[] = {
	{"each_is_stepped_once", test_each_is_stepped_once},
	{"what_computes_long_does_not_hold_up_others", test_what_computes_long_does_not_hold_up_others},
	{"threads_go_when_they_are_not_needed", test_threads_go_when_they_are_not_needed},
	{"ended_runs_are_waited_for", test_ended_runs_are_waited_for},
};

HARNESS_MAIN(tests)
