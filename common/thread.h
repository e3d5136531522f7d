/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the project's own threads, in a process that may belong to an embedder. */
#ifndef CURFEW_COMMON_THREAD_H
#define CURFEW_COMMON_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Starts a thread that blocks all signals. So it handles none of the process's signals, the threads that it starts
 * inherit that, and SIGPIPE becomes an error of the write. attributes may be NULL. False: it could not be started.
 */
static inline bool thread_start(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                                void *context)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(thread, attributes, run, context) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

#endif
