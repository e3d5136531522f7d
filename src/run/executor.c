/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that execute runs, first come, first served. As many runs compute at once as the engine has threads. A
 * run that has computed for a while without waiting no longer counts, so that the next run can begin: from then on both
 * share the processors as threads do. There is always one thread more than runs that may compute; it notices when that
 * time has come. A thread that has nothing to do and is no longer needed ends.
 *
 * The engine may end on one of these threads, if that thread drops the last reference to the last run. That thread then
 * joins the others and cleans up.
 */
#include "run/run.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/invariant.h"
#include "common/mutex.h"
#include "common/clock.h"
#include "engine/interrupt.h"

/* After a run has computed for this long, another one may begin. */
#define SLICE_NS (10 * CURFEW__MILLISECOND)
/*
 * If runs follow each other closely, an idle thread polls the queue for this long before it sleeps, because waking it
 * takes longer than a small run.
 */
#define LOOK_OUT_NS (50 * CURFEW__MICROSECOND)
/*
 * A thread that looks out in vain delays who would submit the next run, if both share a processor because the others
 * are busy. The more often that happens, the more runs pass before the next try, up to so many.
 */
#define MOST_PASSED 63u
/* The maximum of additional threads for a slice. */
#define MORE_THREADS 64

enum slot_state { SLOT_FREE, SLOT_LIVE, SLOT_LEFT };

typedef struct slot {
	struct curfew__executor *executor;
	pthread_t thread;
	enum slot_state state; /* SLOT_LEFT: the thread has ended and must be joined */
	int64_t since_ns;      /* when the thread took its run; 0: it has none */
	atomic_bool leaving;   /* its run has ended, and the thread drops its reference */
} slot;

struct curfew__executor {
	curfew__pool *pool;
	curfew__work_calls calls;
	curfew__mutex lock;
	pthread_cond_t work, left; /* left: a thread has dropped its reference to an ended run */
	curfew_run *first, **last;
	atomic_uint queued; /* number of runs in the queue; written under the lock */
	slot *slots;        /* [slot_count] */
	uint32_t slot_count;
	uint32_t thread_limit; /* threads that may compute at once within a slice */
	uint32_t live, idle;
	uint32_t coming;   /* threads that start, tidy or poll; they check the queue next */
	uint32_t woken;    /* idle threads that were woken and have not run yet; they check the queue next */
	int64_t ended_ns;  /* when a thread last had nothing more to do */
	bool is_brisk;     /* the last run was submitted soon after that */
	uint32_t passes;   /* so many runs pass without looking out after the next time in vain... */
	uint32_t passing;  /* ... and so many pass now */
	bool may_look_out; /* there are several processors, and one for each thread: not in one worker of several */
	bool watched;      /* an idle thread wakes at the end of the next slice */
	bool ending;
	bool orphaned; /* it was destroyed on one of its own threads, which frees it at its end */
	pthread_t orphan;
};

static void free_executor(curfew__executor *executor)
{
	curfew__mutex_finish(&executor->lock);
	pthread_cond_destroy(&executor->work);
	pthread_cond_destroy(&executor->left);
	free(executor->slots);
	free(executor);
}

static void *executor_main(void *argument);

static bool start_thread(curfew__executor *executor) CURFEW__REQUIRES(executor->lock);
static bool start_thread(curfew__executor *executor)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	slot *place = executor->slots;
	pthread_attr_t attributes;
	sigset_t all, before;

	while (place < executor->slots + executor->slot_count && place->state == SLOT_LIVE)
		place++;
	if (place == executor->slots + executor->slot_count)
		return false;
	if (place->state == SLOT_LEFT)
		pthread_join(place->thread, NULL); /* the thread no longer needs the lock */
	place->state = SLOT_FREE;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes,
	                          curfew__guest_native_stack(CURFEW__STACK_LARGE) + 2 * CURFEW__NATIVE_STACK_MORE);
	/* Block the host program's signals. Faults stay unblocked, because guest code traps by them, and so does SIGURG,
	 * which interrupts it. */
	sigfillset(&all);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all, faults[i]);
	sigdelset(&all, curfew__interrupt_signal());
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = !pthread_create(&place->thread, &attributes, executor_main, place);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (started)
		place->state = SLOT_LIVE;
	executor->live += started;
	executor->coming += started;
	return started;
}

/* Whether a run may begin now. If not, *when_ns is the end of the slice of a run that computes. */
static bool may_take(const curfew__executor *executor, int64_t *when_ns) CURFEW__REQUIRES(executor->lock);
static bool may_take(const curfew__executor *executor, int64_t *when_ns)
{
	int64_t now = clock_now_ns();
	uint32_t computing = 0;

	*when_ns = CURFEW__NEVER;
	for (const slot *at = executor->slots; at < executor->slots + executor->slot_count; at++) {
		if (at->state != SLOT_LIVE || !at->since_ns || now - at->since_ns >= SLICE_NS)
			continue;
		computing++;
		if (at->since_ns + SLICE_NS < *when_ns)
			*when_ns = at->since_ns + SLICE_NS;
	}
	return computing < executor->thread_limit;
}

static curfew_run *dequeue(curfew__executor *executor)
{
	curfew_run *run = executor->first;

	CURFEW__INVARIANT(run != NULL && executor->queued > 0);
	executor->first = run->next;
	executor->queued--;
	if (!executor->first)
		executor->last = &executor->first;
	return run;
}

/*
 * Ensures that a thread begins the queued runs as soon as they may begin. If *wakes is set, the caller wakes one after
 * releasing the lock, so that it does not wait for the lock at once. False: there is no thread.
 */
static bool want_thread(curfew__executor *executor, bool *wakes) CURFEW__REQUIRES(executor->lock);
static bool want_thread(curfew__executor *executor, bool *wakes)
{
	int64_t when_ns;

	*wakes = false;
	/*
	 * The first thread that is ready takes the run; at the latest the one that waits for the end of a slice. A thread
	 * that is on its way takes one run, and calls this for the others.
	 */
	if (executor->coming || executor->woken || (executor->watched && !may_take(executor, &when_ns)))
		return true;
	if (!executor->idle)
		return start_thread(executor) || executor->live;
	*wakes = true;
	executor->woken++;
	return true;
}

/* Releases the lock meanwhile. */
static void wait_for_work(curfew__executor *executor, int64_t until_ns) CURFEW__REQUIRES(executor->lock);
static void wait_for_work(curfew__executor *executor, int64_t until_ns)
{
	struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

	executor->idle++;
	if (until_ns == CURFEW__NEVER) {
		curfew__mutex_wait(&executor->lock, &executor->work);
	} else {
		executor->watched = true;
		curfew__mutex_wait_until(&executor->lock, &executor->work, &until);
		executor->watched = false;
	}
	executor->idle--;
	/* If another thread was meant, this one checks the queue in its place. */
	executor->woken -= executor->woken > 0;
}

/* Executes one run until it waits or ends. Releases the lock meanwhile. */
static void carry_on(curfew__executor *executor, slot *own) CURFEW__REQUIRES(executor->lock);
static void carry_on(curfew__executor *executor, slot *own)
{
	curfew_run *run = dequeue(executor);
	bool wakes = false;

	own->since_ns = clock_now_ns();
	if (executor->queued)
		want_thread(executor, &wakes);
	curfew__mutex_unlock(&executor->lock);
	if (wakes)
		pthread_cond_signal(&executor->work);
	if (executor->calls.step(run)) {
		atomic_store(&own->leaving, true);
		executor->calls.release(run);
	}
	executor->calls.unref(run); /* the queue's reference, which may be the last one of the run and of the engine */
	curfew__mutex_lock(&executor->lock);
	own->since_ns = 0;
	if (atomic_exchange(&own->leaving, false))
		pthread_cond_broadcast(&executor->left);
	executor->ended_ns = clock_now_ns();
}

static bool expects_work(const curfew__executor *executor) CURFEW__REQUIRES(executor->lock);
static bool expects_work(const curfew__executor *executor)
{
	return executor->is_brisk && executor->may_look_out && !executor->passing && !executor->queued &&
	       !executor->coming && clock_now_ns() < executor->ended_ns + LOOK_OUT_NS;
}

/* Polls the queue for the next run. Releases the lock meanwhile. */
static void look_out(curfew__executor *executor) CURFEW__REQUIRES(executor->lock);
static void look_out(curfew__executor *executor)
{
	int64_t until_ns = executor->ended_ns + LOOK_OUT_NS;

	executor->coming++;
	curfew__mutex_unlock(&executor->lock);
	while (!atomic_load_explicit(&executor->queued, memory_order_relaxed) && clock_now_ns() < until_ns)
		__builtin_ia32_pause();
	curfew__mutex_lock(&executor->lock);
	executor->coming--;
	if (executor->queued) {
		executor->passes -= executor->passes > 0;
	} else {
		executor->passes = executor->passes < MOST_PASSED ? 2 * executor->passes + 1 : MOST_PASSED;
		executor->passing = executor->passes;
	}
}

/* Clears a region that an ended run has left. Releases the lock meanwhile. */
static void tidy(curfew__executor *executor) CURFEW__REQUIRES(executor->lock);
static void tidy(curfew__executor *executor)
{
	executor->coming++;
	curfew__mutex_unlock(&executor->lock);
	curfew__pool_tidy(executor->pool);
	curfew__mutex_lock(&executor->lock);
	executor->coming--;
}

static void *executor_main(void *argument)
{
	slot *own = argument;
	curfew__executor *executor = own->executor;
	int64_t when_ns = CURFEW__NEVER;

	curfew__mutex_lock(&executor->lock);
	executor->coming--;
	while (!executor->ending) {
		if (executor->queued && may_take(executor, &when_ns))
			carry_on(executor, own);
		else if (!executor->queued && curfew__pool_is_untidy(executor->pool))
			tidy(executor);
		else if (expects_work(executor))
			look_out(executor);
		else if (executor->idle && executor->live > executor->thread_limit + 1)
			break; /* another idle thread waits already */
		else
			wait_for_work(executor, executor->queued ? when_ns : CURFEW__NEVER);
	}
	if (!executor->ending) {
		pthread_cond_signal(
			&executor->work); /* the signal for a queued run may have gone to this thread, so pass it on */
		own->state = SLOT_LEFT;
		executor->live--;
	}
	bool mine = executor->orphaned && pthread_equal(executor->orphan, pthread_self());
	curfew__mutex_unlock(&executor->lock);
	if (mine)
		free_executor(executor);
	return NULL;
}

curfew__executor *curfew__executor_create(uint32_t threads, curfew__pool *pool, curfew__work_calls calls)
{
	curfew__executor *executor = calloc(1, sizeof *executor);
	pthread_condattr_t attributes;

	if (!executor || !(executor->slots = calloc((size_t)threads + 1 + MORE_THREADS, sizeof(slot)))) {
		free(executor);
		return NULL;
	}
	executor->pool = pool;
	executor->calls = calls;
	executor->slot_count = threads + 1 + MORE_THREADS;
	for (uint32_t i = 0; i < executor->slot_count; i++)
		executor->slots[i].executor = executor;
	curfew__mutex_init(&executor->lock);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&executor->work, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_cond_init(&executor->left, NULL);
	executor->last = &executor->first;
	executor->thread_limit = threads;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	executor->may_look_out = processors > 1 && (long)threads <= processors;
	return executor;
}

void curfew__executor_destroy(curfew__executor *executor)
{
	bool on_own_thread = false;

	if (!executor)
		return;
	curfew__mutex_lock(&executor->lock);
	executor->ending = true;
	pthread_cond_broadcast(&executor->work);
	curfew__mutex_unlock(&executor->lock);
	for (slot *at = executor->slots; at < executor->slots + executor->slot_count; at++) {
		if (at->state == SLOT_FREE)
			continue;
		if (pthread_equal(at->thread, pthread_self()))
			on_own_thread = true;
		else
			pthread_join(at->thread, NULL);
	}
	if (!on_own_thread) {
		free_executor(executor);
		return;
	}
	executor->orphan = pthread_self();
	executor->orphaned = true;
	pthread_detach(pthread_self());
}

/* Whether no other thread still has a reference to an ended run. */
static bool is_left_by_all(const curfew__executor *executor)
{
	for (const slot *at = executor->slots; at < executor->slots + executor->slot_count; at++)
		if (atomic_load(&at->leaving) && !pthread_equal(at->thread, pthread_self()))
			return false;
	return true;
}

void curfew__executor_settle(curfew__executor *executor)
{
	curfew__mutex_lock(&executor->lock);
	while (!is_left_by_all(executor))
		curfew__mutex_wait(&executor->lock, &executor->left);
	curfew__mutex_unlock(&executor->lock);
}

bool curfew__executor_submit(curfew__executor *executor, curfew_run *run)
{
	bool wakes;

	curfew__mutex_lock(&executor->lock);
	atomic_fetch_add(&run->references, 1);
	run->next = NULL;
	executor->queued++;
	executor->is_brisk = clock_now_ns() - executor->ended_ns < LOOK_OUT_NS;
	executor->passing -= executor->passing > 0;
	*executor->last = run;
	executor->last = &run->next;
	bool ok = want_thread(executor, &wakes);
	if (!ok) {
		dequeue(executor); /* without threads, this run is the only one in the queue */
		atomic_fetch_sub(&run->references, 1);
	}
	curfew__mutex_unlock(&executor->lock);
	if (wakes)
		pthread_cond_signal(&executor->work);
	return ok;
}
