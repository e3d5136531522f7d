/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that carry runs on, first come, first served. They are started when the first run is submitted. The engine
 * may end on one of them, with the last run's last reference: that thread then lets the others go and cleans up.
 */
#include "run/run.h"

#include <signal.h>
#include <stdlib.h>

struct curfew__executor {
	pthread_mutex_t lock;
	pthread_cond_t work;
	curfew_run *first, **last;
	uint32_t queued;       /* runs between them; a thread that was woken is idle until it has taken one */
	pthread_t *threads;    /* [thread_count] */
	uint32_t thread_count, thread_limit;
	uint32_t idle;
	bool ending;
	bool orphaned; /* destroyed on one of its own threads, which frees it when it leaves */
};

static void free_executor(curfew__executor *executor)
{
	pthread_mutex_destroy(&executor->lock);
	pthread_cond_destroy(&executor->work);
	free(executor->threads);
	free(executor);
}

static void *work(void *argument)
{
	curfew__executor *executor = argument;

	pthread_mutex_lock(&executor->lock);
	while (!executor->ending) {
		curfew_run *run = executor->first;
		if (!run) {
			executor->idle++;
			pthread_cond_wait(&executor->work, &executor->lock);
			executor->idle--;
			continue;
		}
		executor->first = run->next;
		executor->queued--;
		if (!executor->first)
			executor->last = &executor->first;
		pthread_mutex_unlock(&executor->lock);
		curfew__run_step(run);
		curfew__run_unref(run); /* the queue's reference: maybe the last of everything */
		pthread_mutex_lock(&executor->lock);
	}
	bool mine = executor->orphaned && pthread_equal(executor->threads[0], pthread_self());
	pthread_mutex_unlock(&executor->lock);
	if (mine)
		free_executor(executor);
	return NULL;
}

curfew__executor *curfew__executor_create(uint32_t threads)
{
	curfew__executor *executor = calloc(1, sizeof *executor);

	if (!executor || !(executor->threads = calloc(threads, sizeof(pthread_t)))) {
		free(executor);
		return NULL;
	}
	pthread_mutex_init(&executor->lock, NULL);
	pthread_cond_init(&executor->work, NULL);
	executor->last = &executor->first;
	executor->thread_limit = threads;
	return executor;
}

void curfew__executor_destroy(curfew__executor *executor)
{
	bool on_own_thread = false;

	if (!executor)
		return;
	pthread_mutex_lock(&executor->lock);
	executor->ending = true;
	pthread_cond_broadcast(&executor->work);
	pthread_mutex_unlock(&executor->lock);
	for (uint32_t i = 0; i < executor->thread_count; i++) {
		if (pthread_equal(executor->threads[i], pthread_self()))
			on_own_thread = true;
		else
			pthread_join(executor->threads[i], NULL);
	}
	if (!on_own_thread) {
		free_executor(executor);
		return;
	}
	executor->threads[0] = pthread_self();
	executor->orphaned = true;
	pthread_detach(pthread_self());
}

/* Under the lock. */
static bool start_thread(curfew__executor *executor)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	pthread_attr_t attributes;
	sigset_t all, before;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, curfew__guest_native_stack(CURFEW__STACK_LARGE) + 2 * CURFEW__NATIVE_STACK_MORE);
	/* Signals of the host program are not for this thread; faults are how guest code traps. */
	sigfillset(&all);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&executor->threads[executor->thread_count], &attributes, work, executor);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	executor->thread_count += !failed;
	return !failed;
}

bool curfew__executor_submit(curfew__executor *executor, curfew_run *run)
{
	pthread_mutex_lock(&executor->lock);
	if (executor->queued >= executor->idle && executor->thread_count < executor->thread_limit && !start_thread(executor) &&
	    !executor->thread_count) {
		pthread_mutex_unlock(&executor->lock);
		return false;
	}
	atomic_fetch_add(&run->references, 1);
	run->next = NULL;
	executor->queued++;
	*executor->last = run;
	executor->last = &run->next;
	pthread_cond_signal(&executor->work);
	pthread_mutex_unlock(&executor->lock);
	return true;
}
