/* SPDX-License-Identifier: Apache-2.0 */
/* The lock guards the list and each load in it. It is not held while something is loaded. */
#include "wasm/loader.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/owner.h"
#include "common/thread.h"

/* One large program never keeps all others waiting. */
#define THREADS 2
/* A program cannot choose the depth of recursion when Wasmtime reads code, so a small stack is enough. */
#define STACK_BYTES ((size_t)1 << 20)

typedef struct curfew__loader_thread {
	curfew__loader *loader;
	pthread_t thread;
	clockid_t clock;
} loader_thread;

struct curfew__loader {
	curfew__mutex lock;
	pthread_cond_t added;
	pthread_cond_t done;  /* a call has ended */
	curfew__turn *newest; /* of those that wait, or are called */
	curfew__shares shares;
	bool is_ending;
	unsigned busy;    /* threads that call */
	unsigned started; /* of threads */
	loader_thread threads[THREADS];
};

curfew__loader *curfew__loader_create(void)
{
	curfew__loader *loader = calloc(1, sizeof *loader);

	if (!loader)
		return NULL;
	curfew__mutex_init(&loader->lock);
	pthread_cond_init(&loader->added, NULL);
	pthread_cond_init(&loader->done, NULL);
	return loader;
}

void curfew__loader_destroy(curfew__loader *loader)
{
	if (!loader)
		return;
	curfew__mutex_lock(&loader->lock);
	loader->is_ending = true;
	pthread_cond_broadcast(&loader->added);
	curfew__mutex_unlock(&loader->lock);
	for (unsigned i = 0; i < loader->started; i++)
		pthread_join(loader->threads[i].thread, NULL);
	pthread_cond_destroy(&loader->done);
	pthread_cond_destroy(&loader->added);
	curfew__mutex_finish(&loader->lock);
	free(loader);
}

static void take_out(curfew__loader *loader, curfew__load *load) CURFEW__REQUIRES(loader->lock);
static void take_out(curfew__loader *loader, curfew__load *load)
{
	curfew__turn **at = &loader->newest;

	while (*at != &load->turn)
		at = &(*at)->next;
	*at = load->turn.next;
}

static uint64_t cpu_of_call(const curfew__load *load)
{
	return load->thread ? (uint64_t)(clock_read_ns(load->thread->clock) - load->start_ns) : 0;
}

/* Calls a load. Releases the lock meanwhile. */
static void call(curfew__loader *loader, const loader_thread *own, curfew__load *load) CURFEW__REQUIRES(loader->lock);
static void call(curfew__loader *loader, const loader_thread *own, curfew__load *load)
{
	curfew__turn_begin(&load->turn, &loader->shares);
	load->thread = own;
	load->start_ns = clock_read_ns(own->clock);
	loader->busy++;
	curfew__mutex_unlock(&loader->lock);
	load->call(load->context);
	curfew__mutex_lock(&loader->lock);
	loader->busy--;
	load->cpu_ns += cpu_of_call(load);
	load->thread = NULL;
	load->turn.is_begun = false;
	/* Its own call may have added it again. */
	if (!load->turn.is_waiting)
		take_out(loader, load);
	pthread_cond_broadcast(&loader->done);
	/* It had a place, which another one may have now. */
	pthread_cond_signal(&loader->added);
}

static void *loader_main(void *argument)
{
	const loader_thread *own = argument;
	curfew__loader *loader = own->loader;

	curfew__mutex_lock(&loader->lock);
	while (!loader->is_ending) {
		curfew__load *load = CURFEW__OWNER(curfew__turn_next(loader->newest, THREADS, &loader->shares), curfew__load,
		                                   turn);
		if (load)
			call(loader, own, load);
		else
			curfew__mutex_wait(&loader->lock, &loader->added);
	}
	curfew__mutex_unlock(&loader->lock);
	return NULL;
}

/* Starts a thread if all there are call. False: there is none at all. */
static bool start_thread(curfew__loader *loader) CURFEW__REQUIRES(loader->lock);
static bool start_thread(curfew__loader *loader)
{
	pthread_attr_t attributes;
	loader_thread *own = &loader->threads[loader->started];

	if (loader->busy < loader->started || loader->started == THREADS)
		return true;
	own->loader = loader;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	bool is_started = thread_start(&own->thread, &attributes, loader_main, own);
	pthread_attr_destroy(&attributes);
	if (is_started && pthread_getcpuclockid(own->thread, &own->clock))
		own->clock = CLOCK_MONOTONIC;
	loader->started += is_started;
	return loader->started > 0;
}

bool curfew__loader_add(curfew__loader *loader, curfew__load *load, const curfew__asker *asker, size_t bytes)
{
	curfew__mutex_lock(&loader->lock);
	bool started = start_thread(loader);
	if (started) {
		curfew__turn turn = curfew__turn_of(asker, bytes, clock_now_ns());
		bool is_listed = load->thread != NULL;
		turn.is_begun = is_listed;
		turn.next = is_listed ? load->turn.next : loader->newest;
		load->turn = turn;
		if (!is_listed)
			loader->newest = &load->turn;
		pthread_cond_signal(&loader->added);
	}
	curfew__mutex_unlock(&loader->lock);
	return started;
}

void curfew__loader_remove(curfew__loader *loader, curfew__load *load)
{
	curfew__mutex_lock(&loader->lock);
	if (load->turn.is_waiting && !load->thread)
		take_out(loader, load);
	load->turn.is_waiting = false;
	while (load->thread)
		curfew__mutex_wait(&loader->lock, &loader->done);
	curfew__mutex_unlock(&loader->lock);
}

uint64_t curfew__loader_cpu(curfew__loader *loader, const curfew__load *load)
{
	curfew__mutex_lock(&loader->lock);
	uint64_t cpu_ns = load->cpu_ns + cpu_of_call(load);
	curfew__mutex_unlock(&loader->lock);
	return cpu_ns;
}
