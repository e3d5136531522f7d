/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from brokers to the workers of their runs. A worker gets only a limited amount at a time. The rest stays
 * with the brokers, which keep no more than their runs' limits allow; then the servers have to wait.
 */
#include "inside.h"

#include <sys/eventfd.h>

/* While a worker has this many unread bytes, no answer is added. */
#define ENOUGH_BYTES ((size_t)1 << 20)

void worker_answers_note(void *context)
{
	worker_run *run = context;
	worker_pool *pool = run->pool;
	if (atomic_exchange(&run->in_ready, true))
		return;
	atomic_fetch_add(&run->references, 1);
	worker_run *first = atomic_load(&pool->ready);
	do
		atomic_store(&run->next_ready, first);
	while (!atomic_compare_exchange_weak(&pool->ready, &first, run));
	if (first == NULL)
		(void)eventfd_write(pool->wake, 1);
}

/* Returns the worker of a run, if messages to it still matter. */
static process *worker_of(worker_run *run, bool *has_capacity)
{
	worker_lock(run->pool);
	process *p = run->process != NULL && run->process->state == PROCESS_READY ? run->process : NULL;
	*has_capacity = p != NULL && worker_bytes_count(&p->out) < ENOUGH_BYTES;
	worker_unlock(run->pool);
	return p;
}

/* Passes messages of a run's broker to its worker. True: the worker has enough, and there may be more. */
static bool pass_messages(worker_run *run)
{
	const void *message;
	size_t length;
	for (;;) {
		bool has_capacity;
		process *p = worker_of(run, &has_capacity);
		if (p == NULL || run->broker == NULL)
			return false;
		if (!has_capacity)
			return true;
		if ((message = curfew_broker_next(run->broker, &length)) == NULL)
			return false;
		worker_lock(run->pool);
		bool added = worker_frame_add_whole(&p->out, WORKER_FRAME_ANSWER, run->number, message, length, NULL, 0);
		worker_unlock(run->pool);
		/* End the run: it would wait for this message for ever. */
		if (!added)
			worker_process_kill(p);
	}
}

/* Passes the messages of all runs of a list. Runs that have more are held. */
static void pass_list(worker_pool *pool, worker_run *run)
{
	while (run != NULL) {
		worker_run *next = atomic_load(&run->next_ready);
		/* From here on other threads may note the run again. */
		atomic_store(&run->in_ready, false);
		if (pass_messages(run) && !atomic_exchange(&run->in_ready, true)) {
			atomic_store(&run->next_ready, pool->held);
			pool->held = run;
		} else {
			worker_run_unref(run);
		}
		run = next;
	}
}

void worker_answers_pass(worker_pool *pool)
{
	worker_run *held = pool->held;
	pool->held = NULL;
	pass_list(pool, held);
	pass_list(pool, atomic_exchange(&pool->ready, NULL));
}

bool worker_answers_can_go_on(const worker_pool *pool)
{
	for (const worker_run *run = pool->held; run != NULL; run = atomic_load(&run->next_ready)) {
		if (run->process != NULL && worker_bytes_count(&run->process->out) < ENOUGH_BYTES)
			return true;
	}
	return false;
}

void worker_run_abort(worker_run *run)
{
	curfew_broker_destroy(run->broker);
	run->broker = NULL;
}

void worker_process_abort(process *p)
{
	for (size_t slot = 0; slot < p->slot_count; slot++) {
		if (p->runs[slot] != NULL && p->runs[slot]->published)
			worker_run_abort(p->runs[slot]);
	}
}

static void drop_list(worker_run *run)
{
	while (run != NULL) {
		worker_run *next = atomic_load(&run->next_ready);
		worker_run_unref(run);
		run = next;
	}
}

void worker_answers_drop(worker_pool *pool)
{
	drop_list(pool->held);
	pool->held = NULL;
	drop_list(atomic_exchange(&pool->ready, NULL));
}
