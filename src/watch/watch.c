/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A heap of absolute times behind a lock, and a thread that sleeps on a futex until the first of them. It never spins:
 * on a busy machine that would hold the very core on which the guest has to reach its next poll. The futex word counts
 * the reasons to check again, so that none is lost between a check and the sleep. The lock is never held during a
 * callback. `current` is the alarm that is being served, and disarm waits for it.
 */
#include "watch/watch.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mutex.h"
#include "common/clock.h"
#include "common/scheduling.h"
#include "common/thread.h"

struct curfew__watch {
	atomic_uint references;
	pthread_t thread;
	curfew__mutex lock;
	pthread_cond_t served; /* `current` has changed; disarm waits for this */
	unsigned waiting;      /* threads in disarm */
	curfew__heap alarms;
	curfew__alarm *current;
	bool current_moved; /* it was armed or disarmed while it was served, so its answer is ignored */
	int64_t sleeping_until_ns;
	atomic_uint wakes; /* the futex word */
	_Atomic(curfew__signal *) fired;
	atomic_bool ending;
};

static bool put_in(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns) CURFEW__REQUIRES(watch->lock);
static bool put_in(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns)
{
	if (when_ns != CURFEW__NEVER)
		return curfew__heap_put(&watch->alarms, &alarm->due, when_ns);
	curfew__heap_remove(&watch->alarms, &alarm->due);
	return true;
}

/* ---- The thread ------------------------------------------------------------------------------------------- */

static void wake_watch(curfew__watch *watch)
{
	atomic_fetch_add(&watch->wakes, 1);
	syscall(SYS_futex, &watch->wakes, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void sleep_until(curfew__watch *watch, unsigned seen, int64_t until_ns)
{
	struct timespec until = {until_ns / CURFEW__SECOND, until_ns % CURFEW__SECOND};
	syscall(SYS_futex, &watch->wakes, FUTEX_WAIT_BITSET_PRIVATE, seen, until_ns == CURFEW__NEVER ? NULL : &until, NULL,
	        FUTEX_BITSET_MATCH_ANY);
}

/* Calls an alarm without the lock, and arms it again for the time that it returns. */
static void call_alarm(curfew__watch *watch, curfew__alarm *alarm, int64_t now) CURFEW__REQUIRES(watch->lock);
static void call_alarm(curfew__watch *watch, curfew__alarm *alarm, int64_t now)
{
	curfew__heap_remove(&watch->alarms, &alarm->due);
	watch->current = alarm;
	watch->current_moved = false;
	curfew__mutex_unlock(&watch->lock);
	int64_t next = alarm->call(alarm->context, now);
	curfew__mutex_lock(&watch->lock);
	if (!watch->current_moved && !alarm->closed)
		put_in(watch, alarm, next);
	atomic_fetch_add(&alarm->calls, 1);
	watch->current = NULL;
	if (watch->waiting)
		pthread_cond_broadcast(&watch->served);
}

/* Calls the alarms of fired signals. The list is newest first; the order does not matter. */
static void serve_fired(curfew__watch *watch) CURFEW__REQUIRES(watch->lock);
static void serve_fired(curfew__watch *watch)
{
	curfew__signal *signal = atomic_exchange(&watch->fired, NULL);

	while (signal) {
		curfew__signal *next = signal->next;
		atomic_store(&signal->queued, false);
		if (signal->alarm && !signal->alarm->closed)
			call_alarm(watch, signal->alarm, clock_now_ns());
		curfew__mutex_unlock(&watch->lock);
		curfew__signal_unref(signal);
		curfew__mutex_lock(&watch->lock);
		signal = next;
	}
}

static void *watch_main(void *argument)
{
	curfew__watch *watch = argument;

	curfew__mutex_lock(&watch->lock);
	while (!atomic_load(&watch->ending)) {
		unsigned seen = atomic_load(&watch->wakes);
		serve_fired(watch);
		int64_t now = clock_now_ns();
		curfew__due *first = curfew__heap_first(&watch->alarms);
		if (first != NULL && first->when <= now) {
			call_alarm(watch, CURFEW__OWNER(first, curfew__alarm, due), now);
			continue;
		}
		int64_t until_ns = first != NULL ? first->when : CURFEW__NEVER;
		watch->sleeping_until_ns = until_ns;
		curfew__mutex_unlock(&watch->lock);
		sleep_until(watch, seen, until_ns);
		curfew__mutex_lock(&watch->lock);
		watch->sleeping_until_ns = 0;
	}
	curfew__mutex_unlock(&watch->lock);
	return NULL;
}

static void *run_promptly(void *argument)
{
	/*
	 * If allowed, this thread has priority: it runs for microseconds at a time, and others wait for it, also the guests
	 * that curfew__target_hurry gives priority.
	 */
	curfew__scheduling first = {
		.size = sizeof first, .policy = SCHED_FIFO, .flags = CURFEW__RESET_ON_FORK, .priority = CURFEW__PRIORITY_WATCH};
	curfew__scheduling brief = {.size = sizeof brief, .policy = SCHED_OTHER, .runtime = CURFEW__SLICE_MIN_NS};

	prctl(PR_SET_NAME, "curfew-watch");
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (syscall(SYS_sched_setattr, 0, &first, 0))
		syscall(SYS_sched_setattr, 0, &brief, 0);
	return watch_main(argument);
}

curfew__watch *curfew__watch_create(void)
{
	curfew__watch *watch = calloc(1, sizeof *watch);

	if (!watch)
		return NULL;
	atomic_init(&watch->references, 1);
	curfew__mutex_init(&watch->lock);
	pthread_cond_init(&watch->served, NULL);
	if (!thread_start(&watch->thread, NULL, run_promptly, watch)) {
		free(watch);
		return NULL;
	}
	return watch;
}

static void unref(curfew__watch *watch)
{
	if (atomic_fetch_sub(&watch->references, 1) != 1)
		return;
	curfew__mutex_finish(&watch->lock);
	pthread_cond_destroy(&watch->served);
	curfew__heap_finish(&watch->alarms);
	free(watch);
}

void curfew__watch_destroy(curfew__watch *watch)
{
	if (!watch)
		return;
	atomic_store(&watch->ending, true);
	wake_watch(watch);
	pthread_join(watch->thread, NULL);
	for (curfew__signal *signal = atomic_exchange(&watch->fired, NULL), *next; signal; signal = next) {
		next = signal->next;
		curfew__signal_unref(signal);
	}
	/* Signals that still exist keep the memory; firing them wakes nobody. */
	unref(watch);
}

/* calls: for curfew__watch_arm_since; NULL: the time counts in any case. */
static bool arm(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns, const unsigned *calls)
{
	curfew__mutex_lock(&watch->lock);
	bool is_current = watch->current == alarm;
	if (calls && (is_current || atomic_load(&alarm->calls) != *calls))
		when_ns = 0; /* at once */
	bool ok = alarm->closed || put_in(watch, alarm, when_ns);
	if (is_current)
		watch->current_moved = true;
	/* A thread that will wake before this alarm is due need not be woken. */
	bool early = watch->sleeping_until_ns && when_ns < watch->sleeping_until_ns;
	curfew__mutex_unlock(&watch->lock);
	if (early)
		wake_watch(watch);
	return ok;
}

bool curfew__watch_arm(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns)
{
	return arm(watch, alarm, when_ns, NULL);
}

bool curfew__watch_arm_since(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns, unsigned calls)
{
	return arm(watch, alarm, when_ns, &calls);
}

static void disarm(curfew__watch *watch, curfew__alarm *alarm, bool close)
{
	curfew__mutex_lock(&watch->lock);
	alarm->closed = close;
	curfew__heap_remove(&watch->alarms, &alarm->due);
	if (watch->current == alarm) {
		watch->current_moved = true;
		watch->waiting++;
		while (watch->current == alarm)
			curfew__mutex_wait(&watch->lock, &watch->served);
		watch->waiting--;
	}
	curfew__mutex_unlock(&watch->lock);
}

void curfew__watch_disarm(curfew__watch *watch, curfew__alarm *alarm)
{
	disarm(watch, alarm, false);
}

void curfew__watch_close(curfew__watch *watch, curfew__alarm *alarm)
{
	disarm(watch, alarm, true);
}

/* ---- Signals ---------------------------------------------------------------------------------------------- */

curfew__signal *curfew__signal_create(curfew__watch *watch)
{
	curfew__signal *signal = calloc(1, sizeof *signal);

	if (!signal)
		return NULL;
	atomic_init(&signal->references, 1);
	atomic_fetch_add(&watch->references, 1);
	signal->watch = watch;
	return signal;
}

curfew__signal *curfew__signal_ref(curfew__signal *signal)
{
	atomic_fetch_add(&signal->references, 1);
	return signal;
}

void curfew__signal_unref(curfew__signal *signal)
{
	if (!signal || atomic_fetch_sub(&signal->references, 1) != 1)
		return;
	unref(signal->watch);
	free(signal);
}

void curfew__signal_fire(curfew__signal *signal)
{
	curfew__watch *watch = signal->watch;
	int saved = errno;
	int64_t never = 0;

	atomic_compare_exchange_strong(&signal->fired_ns, &never, clock_now_ns());
	atomic_fetch_add(&signal->fired, 1);
	/* The list holds each signal once, with a reference of its own. */
	if (!atomic_load(&watch->ending) && !atomic_exchange(&signal->queued, true)) {
		curfew__signal_ref(signal);
		curfew__signal *head = atomic_load(&watch->fired);
		do
			signal->next = head;
		while (!atomic_compare_exchange_weak(&watch->fired, &head, signal));
		wake_watch(watch);
	}
	errno = saved;
}

bool curfew__signal_bind(curfew__signal *signal, curfew__alarm *alarm)
{
	curfew__watch *watch = signal->watch;

	curfew__mutex_lock(&watch->lock);
	bool ok = !alarm || !signal->alarm;
	if (ok)
		signal->alarm = alarm;
	curfew__mutex_unlock(&watch->lock);
	return ok;
}

void curfew__signal_release(curfew__signal **signal)
{
	if (*signal)
		curfew__signal_bind(*signal, NULL);
	curfew__signal_unref(*signal);
	*signal = NULL;
}
