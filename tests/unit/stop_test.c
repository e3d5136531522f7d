/* SPDX-License-Identifier: Apache-2.0 */
/* Why and when a run is stopped: the latch, the grace, cancels, and the next check of the alarm. */
#include "../harness.h"
#include "run/stop.h"
#include "common/clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS(n) ((n)*CURFEW__SECOND)

/* A run that started at 100 s, with a deadline at 110 s and a grace of 5 s. */
static curfew_run *make_run(void)
{
	curfew_run *run = calloc(1, sizeof *run);
	CHECK(run != NULL);
	CHECK_EQUAL(curfew_limits_resolve(NULL, &run->limits, NULL), CURFEW_OK);
	run->limits.grace_ns = (uint64_t)SECONDS(5);
	run->clock.start_ns = SECONDS(100);
	run->clock.deadline_ns = SECONDS(110);
	atomic_init(&run->wait.wake_ns, CURFEW__NEVER);
	atomic_init(&run->clock.cpu_segment_ns, -1);
	return run;
}

static curfew_outcome told;

static void on_stop(void *context, curfew_outcome cause)
{
	(void)context;
	CHECK_EQUAL(told, CURFEW_OUTCOME_FINISHED); /* only once */
	told = cause;
}

static void test_the_first_cause_stays(void)
{
	curfew_run *run = make_run();
	told = CURFEW_OUTCOME_FINISHED;
	run->on_stop = on_stop;
	curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, SECONDS(103));
	curfew__run_latch(run, CURFEW_OUTCOME_DEADLINE, SECONDS(101));
	curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, SECONDS(102));
	CHECK_EQUAL(atomic_load(&run->stop.cause), CURFEW_OUTCOME_MEMORY);
	CHECK_EQUAL(told, CURFEW_OUTCOME_MEMORY);
	CHECK_EQUAL(curfew__run_due(run), SECONDS(103));
	/* The others are only added to the list of exceeded limits, each once. */
	CHECK_EQUAL(atomic_load(&run->stop.tripped_count), 2);
	CHECK_EQUAL(atomic_load(&run->stop.tripped[0]), CURFEW_OUTCOME_MEMORY);
	CHECK_EQUAL(atomic_load(&run->stop.tripped[1]), CURFEW_OUTCOME_DEADLINE);
	free(run);
}

static void test_what_was_due_before_the_start_is_late_from_there(void)
{
	curfew_run *run = make_run();
	curfew__run_latch(run, CURFEW_OUTCOME_CANCELLED, SECONDS(1));
	CHECK_EQUAL(curfew__run_due(run), run->clock.start_ns);
	free(run);
}

static void test_the_grace_comes_after_the_deadline(void)
{
	curfew_run *run = make_run();
	curfew__run_look_at_clock(run, SECONDS(109));
	CHECK_EQUAL(atomic_load(&run->stop.time_up), 0);
	CHECK_EQUAL(curfew__run_next_alarm(run, SECONDS(109)), SECONDS(110));

	curfew__run_look_at_clock(run, SECONDS(110));
	CHECK_EQUAL(atomic_load(&run->stop.time_up), CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(atomic_load(&run->stop.cause), 0);
	CHECK_EQUAL(curfew__run_next_alarm(run, SECONDS(110)), SECONDS(115));

	curfew__run_look_at_clock(run, SECONDS(116));
	CHECK_EQUAL(atomic_load(&run->stop.cause), CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(curfew__run_due(run), SECONDS(115));
	/* A run that is to be stopped is checked at once. */
	CHECK_EQUAL(curfew__run_next_alarm(run, SECONDS(116)), SECONDS(116));
	free(run);
}

static void test_who_asks_twice_gives_no_grace(void)
{
	curfew_run *run = make_run();
	curfew__signal cancel = {0};
	run->stop.cancels[0] = &cancel;
	atomic_store(&cancel.fired, 1);
	atomic_store(&cancel.fired_ns, SECONDS(102));
	curfew__run_look_at_clock(run, SECONDS(103));
	CHECK_EQUAL(atomic_load(&run->stop.time_up), CURFEW_OUTCOME_CANCELLED);
	CHECK_EQUAL(atomic_load(&run->stop.hard_ns), SECONDS(107));
	CHECK_EQUAL(atomic_load(&run->stop.cause), 0);

	atomic_store(&cancel.fired, 2);
	curfew__run_look_at_clock(run, SECONDS(104));
	CHECK_EQUAL(atomic_load(&run->stop.cause), CURFEW_OUTCOME_CANCELLED);
	CHECK_EQUAL(curfew__run_due(run), SECONDS(104));
	free(run);
}

static void test_the_deadline_goes_before_the_cancel(void)
{
	curfew_run *run = make_run();
	curfew__signal cancel = {0};
	run->limits.grace_ns = 0;
	run->stop.cancels[1] = &cancel;
	atomic_store(&cancel.fired, 1);
	atomic_store(&cancel.fired_ns, SECONDS(109));
	curfew__run_look_at_clock(run, SECONDS(111));
	CHECK_EQUAL(atomic_load(&run->stop.cause), CURFEW_OUTCOME_DEADLINE);
	free(run);
}

static void test_a_parked_run_is_looked_at_when_it_is_to_wake(void)
{
	curfew_run *run = make_run();
	atomic_store(&run->wait.wake_ns, SECONDS(104));
	CHECK_EQUAL(curfew__run_next_alarm(run, SECONDS(101)), SECONDS(104));
	atomic_store(&run->wait.wake_ns, SECONDS(120));
	CHECK_EQUAL(curfew__run_next_alarm(run, SECONDS(101)), SECONDS(110));
	free(run);
}

static void test_processor_time_is_looked_at_when_it_may_be_over(void)
{
	curfew_run *run = make_run();
	run->limits.cpu_ns = (uint64_t)SECONDS(3);
	atomic_store(&run->clock.cpu_before_ns, SECONDS(1));
	/* While it does not execute, it uses no CPU time. */
	CHECK_EQUAL(curfew__run_next_alarm(run, SECONDS(101)), SECONDS(110));
	curfew__run_begin_stretch(run);
	int64_t next = curfew__run_next_alarm(run, SECONDS(101));
	CHECK(next > SECONDS(102) && next <= SECONDS(103));
	curfew__run_end_stretch(run);
	CHECK(curfew__run_cpu(run) >= SECONDS(1));
	free(run);
}

static void test_phases_follow_each_other(void)
{
	curfew_run *run = make_run();
	curfew__run_enter_phase(run, CURFEW__RUN_READY);
	curfew__run_enter_phase(run, CURFEW__RUN_EXECUTING);
	curfew__run_enter_phase(run, CURFEW__RUN_PARKED);
	CHECK(curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_READY));
	/* Only one of the threads that wake it gets it. */
	CHECK(!curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_READY));
	CHECK_EQUAL(atomic_load(&run->phase), CURFEW__RUN_READY);
	free(run);
}

/* The watch's part: it has the priority of the watch, which stops the run while its guest is still being made. */
static void *stop_as_the_watch(void *context)
{
	curfew_run *run = context;
	struct sched_param first = {.sched_priority = CURFEW__PRIORITY_WATCH};
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &first) != 0)
		return NULL;
	int64_t next = curfew__run_on_alarm(run, SECONDS(120));
	CHECK(next > SECONDS(120) && next < SECONDS(121));
	return run;
}

/* On a busy machine the thread would otherwise wait for its turn, long after the deadline. */
static void test_a_run_without_a_guest_is_hurried_to_its_end(void)
{
	curfew_run *run = make_run();
	pthread_t watch;
	void *stopped;
	run->limits.grace_ns = 0;
	curfew__run_begin_stretch(run);
	CHECK_EQUAL(pthread_create(&watch, NULL, stop_as_the_watch, run), 0);
	CHECK_EQUAL(pthread_join(watch, &stopped), 0);
	if (stopped == NULL)
		harness_skip("threads may not have priority here");
	CHECK_EQUAL(atomic_load(&run->stop.cause), CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, SCHED_FIFO);
	curfew__run_end_stretch(run);
	curfew__calm(&run->stop.hurried);
	CHECK_EQUAL(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, SCHED_OTHER);
	free(run);
}

static const harness_test tests[] = {
	{"the_first_cause_stays", test_the_first_cause_stays},
	{"what_was_due_before_the_start_is_late_from_there", test_what_was_due_before_the_start_is_late_from_there},
	{"the_grace_comes_after_the_deadline", test_the_grace_comes_after_the_deadline},
	{"who_asks_twice_gives_no_grace", test_who_asks_twice_gives_no_grace},
	{"the_deadline_goes_before_the_cancel", test_the_deadline_goes_before_the_cancel},
	{"a_parked_run_is_looked_at_when_it_is_to_wake", test_a_parked_run_is_looked_at_when_it_is_to_wake},
	{"processor_time_is_looked_at_when_it_may_be_over", test_processor_time_is_looked_at_when_it_may_be_over},
	{"a_run_without_a_guest_is_hurried_to_its_end", test_a_run_without_a_guest_is_hurried_to_its_end},
	{"phases_follow_each_other", test_phases_follow_each_other},
};

HARNESS_MAIN(tests)
