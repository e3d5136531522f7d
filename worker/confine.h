/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking away from this process what a worker does not need. Each protection is taken where the system gives it; only
 * the system call filter is a must. In two steps, since the engine is made between them: it needs the calls that start
 * threads of another scheduling class, and the filter then covers its threads as well.
 */
#ifndef CURFEW_WORKER_CONFINE_H
#define CURFEW_WORKER_CONFINE_H

#include "pool.h"

/* The descriptor of the pool's socket; those below it are /dev/null. */
enum { WORKER_SOCKET = 3 };

/* Before anything else, while there is one thread. *pagemap is /proc/self/pagemap, or -1. Returns WORKER_HAS_*. */
uint32_t worker_confine(uint64_t data_bytes, int *pagemap);

/* The system call filter, for all threads. False, and why: there is none, and nothing may be run here. */
bool worker_confine_calls(int pagemap, curfew_failure *failure);

#endif
