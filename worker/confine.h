/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes away from this process what a worker does not need. Each protection is used if the system offers it; only the
 * system call filter is required. There are two steps, because the engine is created between them: it needs the calls
 * that start threads of another scheduling class, and the filter then covers its threads as well.
 */
#ifndef CURFEW_WORKER_CONFINE_H
#define CURFEW_WORKER_CONFINE_H

#include "pool.h"

/* The descriptor of the pool's socket; those below it are /dev/null. */
enum { WORKER_SOCKET = 3 };

/* Call this before anything else, while there is only one thread. *pagemap is /proc/self/pagemap, or -1. Returns
 * WORKER_HAS_*. */
uint32_t worker_confine(uint64_t data_bytes, int *pagemap);

/* Installs the system call filter for all threads. False, and why: it failed, and this process must run nothing. */
bool worker_confine_calls(int pagemap, curfew_failure *failure);

#endif
