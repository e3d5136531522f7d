/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of work and the threads that take from it. */
#include "helpers.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { THREADS_MAX = 16, HELPERS_NICE = 5 };

typedef struct task {
	struct task *next;
	void (*work)(void *context);
	void *context;
} task;

struct helpers {
	curfew__mutex lock;
	pthread_cond_t there_is;
	task *first, **last;
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
		if (h->first == NULL)
			h->last = &h->first;
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
	h->last = &h->first;
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

bool helpers_run(helpers *h, void (*work)(void *context), void *context)
{
	task *t = malloc(sizeof *t);
	if (t == NULL)
		return false;
	*t = (task){.work = work, .context = context};
	curfew__mutex_lock(&h->lock);
	*h->last = t;
	h->last = &t->next;
	(void)pthread_cond_signal(&h->there_is);
	curfew__mutex_unlock(&h->lock);
	return true;
}
