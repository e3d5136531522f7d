/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue of work and the threads that take from it. The queue is in the order of turns: the first work of each owner,
 * then the second of each, and so on. So one that queues much delays another's by one piece of its own.
 */
#include "helpers.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { THREADS_MAX = 16, HELPERS_NICE = 5 };

typedef struct task {
	struct task *next;
	const void *owner;
	uint64_t turn;
	void (*work)(void *context);
	void *context;
} task;

struct helpers {
	curfew__mutex lock;
	pthread_cond_t there_is;
	task *first;
	uint64_t turn; /* of the work that was taken last */
	bool ends;
	unsigned count;
	pthread_t threads[THREADS_MAX];
};

static void *help(void *argument)
{
	helpers *h = argument;

	(void)prctl(PR_SET_NAME, "curfew-helper");

	/* Small requests come first: on Linux each thread has its own nice value. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), HELPERS_NICE);
	curfew__mutex_lock(&h->lock);
	while (h->first != NULL || !h->ends) {
		task *t = h->first;
		if (t == NULL) {
			curfew__mutex_wait(&h->lock, &h->there_is);
			continue;
		}
		h->first = t->next;
		h->turn = t->turn;
		curfew__mutex_unlock(&h->lock);
		t->work(t->context);
		free(t);
		curfew__mutex_lock(&h->lock);
	}

	curfew__mutex_unlock(&h->lock);
	return NULL;
}

helpers *helpers_start(unsigned count)
{
	helpers *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	curfew__mutex_init(&h->lock);
	(void)pthread_cond_init(&h->there_is, NULL);
	while (h->count < count && h->count < THREADS_MAX && pthread_create(&h->threads[h->count], NULL, help, h) == 0)
		h->count++;
	if (h->count > 0)
		return h;
	helpers_stop(h);
	return NULL;
}

void helpers_stop(helpers *h)
{
	if (h == NULL)
		return;
	curfew__mutex_lock(&h->lock);
	h->ends = true;
	(void)pthread_cond_broadcast(&h->there_is);
	curfew__mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->count; i++)
		(void)pthread_join(h->threads[i], NULL);
	curfew__mutex_finish(&h->lock);
	(void)pthread_cond_destroy(&h->there_is);
	free(h);
}

/* Under the lock. */
static void enqueue(helpers *h, task *t)
{
	task **at = &h->first;
	t->turn = h->turn;
	for (const task *other = h->first; other != NULL; other = other->next) {
		if (other->owner == t->owner)
			t->turn = other->turn + 1;
	}
	while (*at != NULL && (*at)->turn <= t->turn)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

bool helpers_run(helpers *h, const void *owner, void (*work)(void *context), void *context)
{
	task *t = malloc(sizeof *t);
	if (t == NULL)
		return false;
	*t = (task){.owner = owner, .work = work, .context = context};
	curfew__mutex_lock(&h->lock);
	enqueue(h, t);
	(void)pthread_cond_signal(&h->there_is);
	curfew__mutex_unlock(&h->lock);
	return true;
}
