/* SPDX-License-Identifier: Apache-2.0 */
/* Why a run is stopped, and when: the latch, the grace, cancels, and the next look of the alarm. */
#include "run/stop.h"
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECONDS(n) ((n)*CURFEW__SECOND)

/* A run that began at 100 s, with a deadline at 110 s and a grace of 5 s. */
static curfew_run *make_run(void)
{
	curfew_run *run = calloc(1, sizeof *run);
	assert_non_null(run);
	assert_int_equal(curfew_limits_resolve(NULL, &run->limits, NULL), CURFEW_OK);
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
	assert_int_equal(told, CURFEW_OUTCOME_FINISHED); /* once */
	told = cause;
}

static void test_the_first_cause_stays(void **state)
{
	curfew_run *run = make_run();
	(void)state;
	told = CURFEW_OUTCOME_FINISHED;
	run->on_stop = on_stop;
	curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, SECONDS(103));
	curfew__run_latch(run, CURFEW_OUTCOME_DEADLINE, SECONDS(101));
	curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, SECONDS(102));
	assert_int_equal(atomic_load(&run->stop.cause), CURFEW_OUTCOME_MEMORY);
	assert_int_equal(told, CURFEW_OUTCOME_MEMORY);
	assert_int_equal(curfew__run_due(run), SECONDS(103));
	/* The others only join the list of what tripped, each once. */
	assert_int_equal(atomic_load(&run->stop.tripped_count), 2);
	assert_int_equal(atomic_load(&run->stop.tripped[0]), CURFEW_OUTCOME_MEMORY);
	assert_int_equal(atomic_load(&run->stop.tripped[1]), CURFEW_OUTCOME_DEADLINE);
	free(run);
}

static void test_what_was_due_before_the_start_is_late_from_there(void **state)
{
	curfew_run *run = make_run();
	(void)state;
	curfew__run_latch(run, CURFEW_OUTCOME_CANCELLED, SECONDS(1));
	assert_int_equal(curfew__run_due(run), run->clock.start_ns);
	free(run);
}

static void test_the_grace_comes_after_the_deadline(void **state)
{
	curfew_run *run = make_run();
	(void)state;
	curfew__run_look_at_clock(run, SECONDS(109));
	assert_int_equal(atomic_load(&run->stop.time_up), 0);
	assert_int_equal(curfew__run_next_alarm(run, SECONDS(109)), SECONDS(110));

	curfew__run_look_at_clock(run, SECONDS(110));
	assert_int_equal(atomic_load(&run->stop.time_up), CURFEW_OUTCOME_DEADLINE);
	assert_int_equal(atomic_load(&run->stop.cause), 0);
	assert_int_equal(curfew__run_next_alarm(run, SECONDS(110)), SECONDS(115));

	curfew__run_look_at_clock(run, SECONDS(116));
	assert_int_equal(atomic_load(&run->stop.cause), CURFEW_OUTCOME_DEADLINE);
	assert_int_equal(curfew__run_due(run), SECONDS(115));
	/* What is to be stopped is looked at now. */
	assert_int_equal(curfew__run_next_alarm(run, SECONDS(116)), SECONDS(116));
	free(run);
}

static void test_who_asks_twice_gives_no_grace(void **state)
{
	curfew_run *run = make_run();
	curfew__signal cancel = {0};
	(void)state;
	run->stop.cancels[0] = &cancel;
	atomic_store(&cancel.fired, 1);
	atomic_store(&cancel.fired_ns, SECONDS(102));
	curfew__run_look_at_clock(run, SECONDS(103));
	assert_int_equal(atomic_load(&run->stop.time_up), CURFEW_OUTCOME_CANCELLED);
	assert_int_equal(atomic_load(&run->stop.hard_ns), SECONDS(107));
	assert_int_equal(atomic_load(&run->stop.cause), 0);

	atomic_store(&cancel.fired, 2);
	curfew__run_look_at_clock(run, SECONDS(104));
	assert_int_equal(atomic_load(&run->stop.cause), CURFEW_OUTCOME_CANCELLED);
	assert_int_equal(curfew__run_due(run), SECONDS(104));
	free(run);
}

static void test_the_deadline_goes_before_the_cancel(void **state)
{
	curfew_run *run = make_run();
	curfew__signal cancel = {0};
	(void)state;
	run->limits.grace_ns = 0;
	run->stop.cancels[1] = &cancel;
	atomic_store(&cancel.fired, 1);
	atomic_store(&cancel.fired_ns, SECONDS(109));
	curfew__run_look_at_clock(run, SECONDS(111));
	assert_int_equal(atomic_load(&run->stop.cause), CURFEW_OUTCOME_DEADLINE);
	free(run);
}

static void test_a_parked_run_is_looked_at_when_it_is_to_wake(void **state)
{
	curfew_run *run = make_run();
	(void)state;
	atomic_store(&run->wait.wake_ns, SECONDS(104));
	assert_int_equal(curfew__run_next_alarm(run, SECONDS(101)), SECONDS(104));
	atomic_store(&run->wait.wake_ns, SECONDS(120));
	assert_int_equal(curfew__run_next_alarm(run, SECONDS(101)), SECONDS(110));
	free(run);
}

static void test_processor_time_is_looked_at_when_it_may_be_over(void **state)
{
	curfew_run *run = make_run();
	(void)state;
	run->limits.cpu_ns = (uint64_t)SECONDS(3);
	atomic_store(&run->clock.cpu_before_ns, SECONDS(1));
	/* While it does not execute nothing of it is used. */
	assert_int_equal(curfew__run_next_alarm(run, SECONDS(101)), SECONDS(110));
	curfew__run_begin_stretch(run);
	int64_t next = curfew__run_next_alarm(run, SECONDS(101));
	assert_true(next > SECONDS(102) && next <= SECONDS(103));
	curfew__run_end_stretch(run);
	assert_true(curfew__run_cpu(run) >= SECONDS(1));
	free(run);
}

static void test_phases_follow_each_other(void **state)
{
	curfew_run *run = make_run();
	(void)state;
	curfew__run_enter_phase(run, CURFEW__RUN_READY);
	curfew__run_enter_phase(run, CURFEW__RUN_EXECUTING);
	curfew__run_enter_phase(run, CURFEW__RUN_PARKED);
	assert_true(curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_READY));
	/* Only one of those that wake it has it. */
	assert_false(curfew__run_move(run, CURFEW__RUN_PARKED, CURFEW__RUN_READY));
	assert_int_equal(atomic_load(&run->phase), CURFEW__RUN_READY);
	free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_cause_stays),
		cmocka_unit_test(test_what_was_due_before_the_start_is_late_from_there),
		cmocka_unit_test(test_the_grace_comes_after_the_deadline),
		cmocka_unit_test(test_who_asks_twice_gives_no_grace),
		cmocka_unit_test(test_the_deadline_goes_before_the_cancel),
		cmocka_unit_test(test_a_parked_run_is_looked_at_when_it_is_to_wake),
		cmocka_unit_test(test_processor_time_is_looked_at_when_it_may_be_over),
		cmocka_unit_test(test_phases_follow_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
