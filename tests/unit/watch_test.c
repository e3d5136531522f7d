/* SPDX-License-Identifier: Apache-2.0 */
/* The watch: alarms in the order of their times, moved, closed, and called at once by a signal. */
#include "watch/watch.h"
#include "common/clock.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS_MAX = 64 };

/* What alarms have done: written on the watch thread, read when they are disarmed, or by the count. */
typedef struct record {
	int alarms[CALLS_MAX];
	atomic_uint count;
} record;

typedef struct own_alarm {
	curfew__alarm alarm;
	record *record;
	int number;
	int64_t every_ns;  /* 0: once */
	atomic_bool waits; /* the callback does not return while this is set */
	atomic_bool is_called;
} own_alarm;

static int64_t on_alarm(void *context, int64_t now_ns)
{
	own_alarm *own = context;
	unsigned at = atomic_load(&own->record->count);
	if (at < CALLS_MAX)
		own->record->alarms[at] = own->number;
	atomic_store(&own->record->count, at + 1);
	atomic_store(&own->is_called, true);
	while (atomic_load(&own->waits))
		sched_yield();
	return own->every_ns > 0 ? now_ns + own->every_ns : CURFEW__NEVER;
}

static void make_alarm(own_alarm *own, record *to, int number)
{
	memset(own, 0, sizeof *own);
	own->alarm = (curfew__alarm){.call = on_alarm, .context = own};
	own->record = to;
	own->number = number;
}

static void wait_for_calls(const record *from, unsigned count)
{
	while (atomic_load(&from->count) < count)
		sched_yield();
}

static void test_the_earliest_comes_first(void **state)
{
	static const int order[] = {3, 0, 4, 1, 2};
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarms[5];
	int64_t start = clock_now_ns() + 20 * CURFEW__MILLISECOND;
	(void)state;
	assert_non_null(watch);
	for (int i = 0; i < 5; i++) {
		make_alarm(&alarms[order[i]], &calls, order[i]);
		assert_true(curfew__watch_arm(watch, &alarms[order[i]].alarm, start + order[i] * CURFEW__MILLISECOND));
	}
	wait_for_calls(&calls, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(calls.alarms[i], i);
	assert_true(clock_now_ns() >= start + 4 * CURFEW__MILLISECOND);
	curfew__watch_destroy(watch);
}

static void test_it_comes_again_when_it_says(void **state)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	(void)state;
	make_alarm(&alarm, &calls, 0);
	alarm.every_ns = CURFEW__MILLISECOND;
	assert_true(curfew__watch_arm(watch, &alarm.alarm, 0));
	wait_for_calls(&calls, 5);
	curfew__watch_disarm(watch, &alarm.alarm);
	unsigned count = atomic_load(&calls.count);
	struct timespec pause = {.tv_nsec = 20 * CURFEW__MILLISECOND};
	nanosleep(&pause, NULL);
	assert_int_equal(atomic_load(&calls.count), count);
	curfew__watch_destroy(watch);
}

static void test_moved_and_disarmed_alarms_do_not_come(void **state)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm never, moved, last;
	int64_t now = clock_now_ns();
	(void)state;
	make_alarm(&never, &calls, 0);
	make_alarm(&moved, &calls, 1);
	make_alarm(&last, &calls, 2);
	assert_true(curfew__watch_arm(watch, &never.alarm, now + 50 * CURFEW__MILLISECOND));
	assert_true(curfew__watch_arm(watch, &moved.alarm, now + 1000 * CURFEW__SECOND));
	assert_true(curfew__watch_arm(watch, &last.alarm, now + 70 * CURFEW__MILLISECOND));
	curfew__watch_disarm(watch, &never.alarm);
	assert_true(
		curfew__watch_arm(watch, &moved.alarm, now + 10 * CURFEW__MILLISECOND)); /* sooner than the thread sleeps */
	wait_for_calls(&calls, 2);
	assert_int_equal(calls.alarms[0], 1);
	assert_int_equal(calls.alarms[1], 2);
	curfew__watch_destroy(watch);
}

typedef struct closing {
	curfew__watch *watch;
	own_alarm *alarm;
	atomic_bool is_closed;
} closing;

static void *close_it(void *context)
{
	closing *own = context;
	curfew__watch_close(own->watch, &own->alarm->alarm);
	atomic_store(&own->is_closed, true);
	return NULL;
}

static void test_closing_waits_for_the_callback(void **state)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	closing own = {.watch = watch, .alarm = &alarm};
	pthread_t thread;
	(void)state;
	make_alarm(&alarm, &calls, 0);
	atomic_store(&alarm.waits, true);
	assert_true(curfew__watch_arm(watch, &alarm.alarm, 0));
	while (!atomic_load(&alarm.is_called))
		sched_yield();
	assert_int_equal(pthread_create(&thread, NULL, close_it, &own), 0);
	struct timespec pause = {.tv_nsec = 20 * CURFEW__MILLISECOND};
	nanosleep(&pause, NULL);
	assert_false(atomic_load(&own.is_closed));
	atomic_store(&alarm.waits, false);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&calls.count), 1);
	/* What is closed cannot be armed any more. */
	assert_true(curfew__watch_arm(watch, &alarm.alarm, 0));
	nanosleep(&pause, NULL);
	assert_int_equal(atomic_load(&calls.count), 1);
	curfew__watch_destroy(watch);
}

static void test_a_signal_calls_at_once(void **state)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	(void)state;
	make_alarm(&alarm, &calls, 7);
	curfew__signal *signal = curfew__signal_create(watch);
	assert_non_null(signal);
	assert_true(curfew__signal_bind(signal, &alarm.alarm));
	assert_false(curfew__signal_bind(signal, &alarm.alarm)); /* it is in use */
	curfew__signal_fire(signal);
	wait_for_calls(&calls, 1);
	assert_int_equal(calls.alarms[0], 7);
	assert_int_equal(atomic_load(&signal->fired), 1);
	curfew__watch_close(watch, &alarm.alarm);
	curfew__signal *held = curfew__signal_ref(signal);
	curfew__signal_release(&signal);
	assert_null(signal);
	curfew__watch_destroy(watch);
	/* It may outlive what it cancels, and the watch. */
	curfew__signal_fire(held);
	assert_int_equal(atomic_load(&held->fired), 2);
	curfew__signal_unref(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_earliest_comes_first),
		cmocka_unit_test(test_it_comes_again_when_it_says),
		cmocka_unit_test(test_moved_and_disarmed_alarms_do_not_come),
		cmocka_unit_test(test_closing_waits_for_the_callback),
		cmocka_unit_test(test_a_signal_calls_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
