/* SPDX-License-Identifier: Apache-2.0 */
#include "host/call_queue.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/mutex.h"
#include "common/clock.h"

/* How long either side spins before it sleeps. */
#define LOOK_NS (20 * CURFEW__MICROSECOND)
/* How often a sleeping thread checks whether its run is to stop. */
#define LOOK_AGAIN_NS (2 * CURFEW__MILLISECOND)

struct curfew_call_queue {
	atomic_uint references;
	void (*on_waiting)(void *context);
	void *context;
	curfew__mutex lock;
	pthread_cond_t filled;
	/* Guarded by the lock. */
	curfew__queued *first, **last;
	unsigned takers;   /* threads that are in curfew__call_queue_next */
	unsigned sleepers; /* takers that sleep */
	bool closed;
	/* Written only under the lock. */
	atomic_uint count;
};

/* ---- Life ------------------------------------------------------------------------------------------------- */

curfew_status curfew_call_queue_create(void (*on_waiting)(void *context), void *context, curfew_call_queue **queue)
{
	pthread_condattr_t attributes;
	curfew_call_queue *made = queue ? calloc(1, sizeof *made) : NULL;

	if (!queue)
		return CURFEW_INVALID;
	*queue = made;
	if (!made)
		return CURFEW_NO_MEMORY;
	atomic_init(&made->references, 1);
	made->on_waiting = on_waiting;
	made->context = context;
	made->last = &made->first;
	curfew__mutex_init(&made->lock);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&made->filled, &attributes);
	pthread_condattr_destroy(&attributes);
	return CURFEW_OK;
}

curfew_call_queue *curfew__call_queue_ref(curfew_call_queue *queue)
{
	if (queue)
		atomic_fetch_add(&queue->references, 1);
	return queue;
}

void curfew__call_queue_unref(curfew_call_queue *queue)
{
	if (!queue || atomic_fetch_sub(&queue->references, 1) != 1)
		return;
	pthread_cond_destroy(&queue->filled);
	curfew__mutex_finish(&queue->lock);
	free(queue);
}

static void remove_call(curfew_call_queue *queue, curfew__queued *queued)
{
	*queued->place = queued->next;
	if (queued->next)
		queued->next->place = queued->place;
	else
		queue->last = queued->place;
	queued->place = NULL;
	atomic_fetch_sub(&queue->count, 1);
}

/* Ends the wait of a call. The first result wins. */
static bool settle_call(curfew__queued *queued, curfew__queued_state state)
{
	unsigned open = CURFEW__QUEUED_OPEN;

	if (!atomic_compare_exchange_strong(&queued->state, &open, state))
		return false;
	syscall(SYS_futex, &queued->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return true;
}

void curfew_call_queue_destroy(curfew_call_queue *queue)
{
	if (!queue)
		return;
	curfew__mutex_lock(&queue->lock);
	queue->closed = true;
	while (queue->first) {
		curfew__queued *queued = queue->first;
		remove_call(queue, queued);
		settle_call(queued, CURFEW__QUEUED_REFUSED);
	}
	pthread_cond_broadcast(&queue->filled);
	curfew__mutex_unlock(&queue->lock);
	curfew__call_queue_unref(queue);
}

/* ---- The executing thread --------------------------------------------------------------------------------- */

/* False: the queue is gone. */
static bool enqueue_call(curfew_call_queue *queue, curfew__queued *queued)
{
	curfew__mutex_lock(&queue->lock);
	bool open = !queue->closed, waiting = false;
	if (open) {
		queued->next = NULL;
		queued->place = queue->last;
		*queue->last = queued;
		queue->last = &queued->next;
		unsigned count = atomic_fetch_add(&queue->count, 1) + 1;
		waiting = count > queue->takers;
		if (count > queue->takers - queue->sleepers)
			pthread_cond_signal(&queue->filled);
	}
	curfew__mutex_unlock(&queue->lock);
	if (waiting && queue->on_waiting)
		queue->on_waiting(queue->context);
	return open;
}

static bool is_to_stop(const atomic_uint *const stopped[2])
{
	return atomic_load(stopped[0]) || atomic_load(stopped[1]);
}

static bool is_open(const curfew__queued *queued)
{
	return atomic_load_explicit(&queued->state, memory_order_acquire) == CURFEW__QUEUED_OPEN;
}

static void wait_for_answer(curfew__queued *queued, const atomic_uint *const stopped[2])
{
	const struct timespec again = {0, LOOK_AGAIN_NS};
	int64_t until = clock_now_ns() + LOOK_NS;

	while (is_open(queued) && clock_now_ns() < until)
		__builtin_ia32_pause();
	while (is_open(queued) && !is_to_stop(stopped))
		syscall(SYS_futex, &queued->state, FUTEX_WAIT_PRIVATE, CURFEW__QUEUED_OPEN, &again, NULL, 0);
}

curfew__queued_state curfew__call_queue_ask(curfew_call_queue *queue, curfew__queued *queued,
                                            const atomic_uint *const stopped[2], bool *taken)
{
	*taken = false;
	if (!enqueue_call(queue, queued))
		return CURFEW__QUEUED_REFUSED;
	wait_for_answer(queued, stopped);
	settle_call(queued, CURFEW__QUEUED_LEFT);
	curfew__mutex_lock(&queue->lock);
	curfew__queued_state state = (curfew__queued_state)atomic_load(&queued->state);
	*taken = !queued->place && state != CURFEW__QUEUED_REFUSED;
	if (queued->place)
		remove_call(queue, queued);
	curfew__mutex_unlock(&queue->lock);
	return state;
}

bool curfew__queued_settle(curfew__queued *queued)
{
	return settle_call(queued, CURFEW__QUEUED_ANSWERED);
}

/* ---- Who takes them --------------------------------------------------------------------------------------- */

static void spin_for_call(curfew_call_queue *queue, int64_t until)
{
	int64_t now = clock_now_ns();
	int64_t end = now + LOOK_NS < until ? now + LOOK_NS : until;

	while (!atomic_load_explicit(&queue->count, memory_order_relaxed) && clock_now_ns() < end)
		__builtin_ia32_pause();
}

/* False: the time is up. */
static bool sleep_until(curfew_call_queue *queue, int64_t until) CURFEW__REQUIRES(queue->lock);
static bool sleep_until(curfew_call_queue *queue, int64_t until)
{
	const struct timespec end = {until / CURFEW__SECOND, until % CURFEW__SECOND};
	int failed = 0;

	queue->sleepers++;
	if (until == CURFEW__NEVER)
		curfew__mutex_wait(&queue->lock, &queue->filled);
	else
		failed = curfew__mutex_wait_until(&queue->lock, &queue->filled, &end);
	queue->sleepers--;
	return !failed;
}

curfew__queued *curfew__call_queue_next(curfew_call_queue *queue, uint64_t wait_ns)
{
	int64_t until = clock_later(clock_now_ns(), wait_ns);

	curfew__mutex_lock(&queue->lock);
	queue->takers++;
	if (!queue->first && wait_ns) {
		curfew__mutex_unlock(&queue->lock);
		spin_for_call(queue, until);
		curfew__mutex_lock(&queue->lock);
	}
	while (!queue->first && !queue->closed && clock_now_ns() < until && sleep_until(queue, until))
		continue;
	queue->takers--;
	curfew__queued *queued = queue->first;
	if (queued)
		remove_call(queue, queued);
	curfew__mutex_unlock(&queue->lock);
	return queued;
}
