/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of our own, in a process that may be somebody else's. */
#ifndef CURFEW_COMMON_THREAD_H
#define CURFEW_COMMON_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Starts a thread that blocks all signals: those of the process are not for it, what it starts begins without them, and
 * SIGPIPE becomes an error of the write. attributes may be NULL. False: it could not be started.
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
