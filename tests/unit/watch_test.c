/* SPDX-License-Identifier: Apache-2.0 */
/* The watch: alarms in the order of their times, moved, closed, and called at once by a signal. */
#include "../harness.h"
#include "watch/watch.h"
#include "common/clock.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 64 };

/* What an alarm has done. The watch thread writes it; it is read when the alarm is disarmed, or by the count. */
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
		harness_sleep_us(200);
}

static void test_the_earliest_comes_first(void)
{
	static const int order[] = {3, 0, 4, 1, 2};
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarms[5];
	int64_t start = clock_now_ns() + CURFEW__SECOND; /* by then all are armed */
	CHECK(watch != NULL);
	for (int i = 0; i < 5; i++) {
		make_alarm(&alarms[order[i]], &calls, order[i]);
		CHECK(curfew__watch_arm(watch, &alarms[order[i]].alarm, start + order[i] * CURFEW__MILLISECOND));
	}
	wait_for_calls(&calls, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQUAL(calls.alarms[i], i);
	CHECK(clock_now_ns() >= start + 4 * CURFEW__MILLISECOND);
	curfew__watch_destroy(watch);
}

static void test_it_comes_again_when_it_says(void)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	make_alarm(&alarm, &calls, 0);
	alarm.every_ns = CURFEW__MILLISECOND;
	CHECK(curfew__watch_arm(watch, &alarm.alarm, 0));
	wait_for_calls(&calls, 5);
	curfew__watch_disarm(watch, &alarm.alarm);
	struct timespec pause = {.tv_nsec = 100 * CURFEW__MILLISECOND};
	nanosleep(&pause, NULL); /* a callback that has begun ends */
	unsigned count = atomic_load(&calls.count);
	nanosleep(&pause, NULL);
	CHECK_EQUAL(atomic_load(&calls.count), count);
	curfew__watch_destroy(watch);
}

static void test_moved_and_disarmed_alarms_do_not_come(void)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm never, moved, last;
	int64_t now = clock_now_ns();
	make_alarm(&never, &calls, 0);
	make_alarm(&moved, &calls, 1);
	make_alarm(&last, &calls, 2);
	CHECK(curfew__watch_arm(watch, &never.alarm, now + CURFEW__SECOND));
	CHECK(curfew__watch_arm(watch, &moved.alarm, now + 1000 * CURFEW__SECOND));
	curfew__watch_disarm(watch, &never.alarm);
	CHECK(curfew__watch_arm(watch, &moved.alarm, now + 10 * CURFEW__MILLISECOND)); /* before the thread would wake */
	wait_for_calls(&calls, 1);
	CHECK(curfew__watch_arm(watch, &last.alarm, now + CURFEW__SECOND + 100 * CURFEW__MILLISECOND));
	wait_for_calls(&calls, 2);
	CHECK_EQUAL(calls.alarms[0], 1);
	CHECK_EQUAL(calls.alarms[1], 2);
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

static void test_closing_waits_for_the_callback(void)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	closing own = {.watch = watch, .alarm = &alarm};
	pthread_t thread;
	make_alarm(&alarm, &calls, 0);
	atomic_store(&alarm.waits, true);
	CHECK(curfew__watch_arm(watch, &alarm.alarm, 0));
	while (!atomic_load(&alarm.is_called))
		sched_yield();
	CHECK_EQUAL(pthread_create(&thread, NULL, close_it, &own), 0);
	struct timespec pause = {.tv_nsec = 20 * CURFEW__MILLISECOND};
	nanosleep(&pause, NULL);
	CHECK(!atomic_load(&own.is_closed));
	atomic_store(&alarm.waits, false);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	CHECK_EQUAL(atomic_load(&calls.count), 1);
	/* A closed alarm cannot be armed any more. */
	CHECK(curfew__watch_arm(watch, &alarm.alarm, 0));
	nanosleep(&pause, NULL);
	CHECK_EQUAL(atomic_load(&calls.count), 1);
	curfew__watch_destroy(watch);
}

/* A thread computes a time while the callback finds out that there is something to do at once. */
static void test_a_time_out_of_date_does_not_overwrite_the_answer(void)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	int64_t later = clock_now_ns() + 1000 * CURFEW__SECOND;
	make_alarm(&alarm, &calls, 0);

	/* It is armed while the callback runs. */
	unsigned before = atomic_load(&alarm.alarm.calls);
	atomic_store(&alarm.waits, true);
	CHECK(curfew__watch_arm(watch, &alarm.alarm, 0));
	while (!atomic_load(&alarm.is_called))
		sched_yield();
	CHECK(curfew__watch_arm_since(watch, &alarm.alarm, later, before));
	atomic_store(&alarm.waits, false);
	wait_for_calls(&calls, 2);

	/* It is armed after the callback has returned. */
	while (atomic_load(&alarm.alarm.calls) < 2)
		sched_yield();
	CHECK(curfew__watch_arm_since(watch, &alarm.alarm, later, 1));
	wait_for_calls(&calls, 3);

	/* Otherwise the time counts. */
	while (atomic_load(&alarm.alarm.calls) < 3)
		sched_yield();
	CHECK(curfew__watch_arm_since(watch, &alarm.alarm, later, 3));
	harness_sleep_us(20000);
	CHECK_EQUAL(atomic_load(&calls.count), 3);
	curfew__watch_destroy(watch);
}

static void test_a_signal_calls_at_once(void)
{
	curfew__watch *watch = curfew__watch_create();
	record calls = {0};
	own_alarm alarm;
	make_alarm(&alarm, &calls, 7);
	curfew__signal *signal = curfew__signal_create(watch);
	CHECK(signal != NULL);
	CHECK(curfew__signal_bind(signal, &alarm.alarm));
	CHECK(!curfew__signal_bind(signal, &alarm.alarm)); /* it is in use */
	curfew__signal_fire(signal);
	wait_for_calls(&calls, 1);
	CHECK_EQUAL(calls.alarms[0], 7);
	CHECK_EQUAL(atomic_load(&signal->fired), 1);
	curfew__watch_close(watch, &alarm.alarm);
	curfew__signal *held = curfew__signal_ref(signal);
	curfew__signal_release(&signal);
	CHECK(signal == NULL);
	curfew__watch_destroy(watch);
	/* The signal may outlive the alarm that it fires, and the watch. */
	curfew__signal_fire(held);
	CHECK_EQUAL(atomic_load(&held->fired), 2);
	curfew__signal_unref(held);
}

static const harness_test tests[] = {
	{"the_earliest_comes_first", test_the_earliest_comes_first},
	{"it_comes_again_when_it_says", test_it_comes_again_when_it_says},
	{"moved_and_disarmed_alarms_do_not_come", test_moved_and_disarmed_alarms_do_not_come},
	{"closing_waits_for_the_callback", test_closing_waits_for_the_callback},
	{"a_time_out_of_date_does_not_overwrite_the_answer", test_a_time_out_of_date_does_not_overwrite_the_answer},
	{"a_signal_calls_at_once", test_a_signal_calls_at_once},
};

HARNESS_MAIN(tests)
