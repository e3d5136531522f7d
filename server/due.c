/* SPDX-License-Identifier: Apache-2.0 */
/* This is a separate thread, because the store may be slow and nothing else should wait for it. */
#include "due.h"

#include "common/clock.h"
#include "schedules.h"
#include "store.h"
#include "webhooks.h"

#include <stdlib.h>

enum { LOOK_EVERY_US = 500000, SECOND_US = 1000000 };

struct due {
	server *server;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_ending;
};

static bool wait_for_end(due *d)
{
	int64_t until_us = clock_now_us() + LOOK_EVERY_US;
	struct timespec at = {until_us / SECOND_US, until_us % SECOND_US * 1000};
	(void)pthread_mutex_lock(&d->lock);
	if (!d->is_ending)
		(void)pthread_cond_timedwait(&d->changed, &d->lock, &at);
	bool is_ending = d->is_ending;
	(void)pthread_mutex_unlock(&d->lock);
	return is_ending;
}

/* If a shared database is unavailable, only the thread that renews the lease logs that. */
static bool may_look(server *s)
{
	store_stats disk;
	store_get_stats(s->store, &disk);
	return !s->stopping && (!s->is_shared || disk.healthy);
}

static void *due_main(void *argument)
{
	due *d = argument;
	do {
		if (may_look(d->server)) {
			schedules_look(d->server);
			webhooks_look(d->server);
		}
	} while (!wait_for_end(d));
	return NULL;
}

due *due_start(server *s)
{
	pthread_condattr_t monotonic;
	due *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->server = s;
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&d->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (pthread_create(&d->thread, NULL, due_main, d) == 0)
		return d;
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

void due_stop(due *d)
{
	if (d == NULL)
		return;
	(void)pthread_mutex_lock(&d->lock);
	d->is_ending = true;
	(void)pthread_cond_signal(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
	(void)pthread_join(d->thread, NULL);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}
