/* SPDX-License-Identifier: Apache-2.0 */
/* The lock guards the queue and each state in it. It is not held while something is loaded. */
#include "wasm/loader.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/owner.h"
#include "common/thread.h"

/* A program cannot choose the depth of recursion when Wasmtime reads code, so a small stack is enough. */
#define STACK_BYTES ((size_t)1 << 20)

struct curfew__loader {
	curfew__mutex lock;
	pthread_cond_t added;
	pthread_cond_t done;  /* a call has ended */
	curfew__turn *newest; /* of those that wait */
	bool is_running, is_ending;
	pthread_t thread;
	clockid_t clock;
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
	pthread_cond_signal(&loader->added);
	curfew__mutex_unlock(&loader->lock);
	if (loader->is_running)
		pthread_join(loader->thread, NULL);
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

static void *loader_main(void *argument)
{
	curfew__loader *loader = argument;

	curfew__mutex_lock(&loader->lock);
	while (!loader->is_ending) {
		curfew__load *load = CURFEW__OWNER(curfew__turn_next(loader->newest, 1), curfew__load, turn);
		if (!load) {
			curfew__mutex_wait(&loader->lock, &loader->added);
			continue;
		}
		take_out(loader, load);
		load->state = CURFEW__LOAD_CALLED;
		curfew__mutex_unlock(&loader->lock);
		load->call(load->context);
		curfew__mutex_lock(&loader->lock);
		/* Its own call may have added it again. */
		if (load->state == CURFEW__LOAD_CALLED)
			load->state = CURFEW__LOAD_NONE;
		pthread_cond_broadcast(&loader->done);
	}
	curfew__mutex_unlock(&loader->lock);
	return NULL;
}

static bool start_thread(curfew__loader *loader) CURFEW__REQUIRES(loader->lock);
static bool start_thread(curfew__loader *loader)
{
	pthread_attr_t attributes;

	if (loader->is_running)
		return true;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	loader->is_running = thread_start(&loader->thread, &attributes, loader_main, loader);
	pthread_attr_destroy(&attributes);
	if (loader->is_running && pthread_getcpuclockid(loader->thread, &loader->clock))
		loader->clock = CLOCK_MONOTONIC;
	return loader->is_running;
}

bool curfew__loader_add(curfew__loader *loader, curfew__load *load, size_t bytes)
{
	static const curfew__asker nobody = {0};

	curfew__mutex_lock(&loader->lock);
	bool started = start_thread(loader);
	if (started) {
		load->state = CURFEW__LOAD_QUEUED;
		load->turn = curfew__turn_of(&nobody, bytes, clock_now_ns());
		load->turn.next = loader->newest;
		loader->newest = &load->turn;
		pthread_cond_signal(&loader->added);
	}
	curfew__mutex_unlock(&loader->lock);
	return started;
}

void curfew__loader_remove(curfew__loader *loader, curfew__load *load)
{
	curfew__mutex_lock(&loader->lock);
	while (load->state == CURFEW__LOAD_CALLED)
		curfew__mutex_wait(&loader->lock, &loader->done);
	if (load->state == CURFEW__LOAD_QUEUED)
		take_out(loader, load);
	load->state = CURFEW__LOAD_NONE;
	curfew__mutex_unlock(&loader->lock);
}

int64_t curfew__loader_cpu(curfew__loader *loader)
{
	curfew__mutex_lock(&loader->lock);
	int64_t cpu_ns = loader->is_running ? clock_read_ns(loader->clock) : 0;
	curfew__mutex_unlock(&loader->lock);
	return cpu_ns;
}
