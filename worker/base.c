/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of the pool need: its references, waking its thread, error messages. */
#include "inside.h"
#include "common/mutex.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

curfew_status worker_refuse(curfew_failure *failure, curfew_status status, const char *message)
{
	if (failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "%s", message);
	return status;
}

void worker_pool_unref(worker_pool *pool)
{
	if (atomic_fetch_sub(&pool->references, 1) != 1)
		return;
	(void)close(pool->executable);
	(void)close(pool->epoll);
	(void)close(pool->wake);
	curfew_network_destroy(pool->network);
	curfew_compiler_destroy(pool->compiling.compiler);
	curfew__mutex_finish(&pool->lock);
	(void)pthread_cond_destroy(&pool->changed);
	free(pool->programs);
	free(pool);
}

bool worker_pool_note_work(worker_pool *pool)
{
	bool sleeps = pool->sleeping;
	pool->has_work = true;
	pool->sleeping = false;
	return sleeps;
}

void worker_pool_wake(worker_pool *pool)
{
	if (worker_pool_note_work(pool))
		(void)eventfd_write(pool->wake, 1);
}
