/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduling of threads, see sched_setattr(2). The C library has no type and no function for it. */
#ifndef CURFEW_COMMON_SCHEDULING_H
#define CURFEW_COMMON_SCHEDULING_H

#include <stdint.h>

/* The argument of sched_setattr. */
typedef struct curfew__scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
} curfew__scheduling;

/* A flag: threads and processes that the thread starts do not inherit its scheduling. */
#define CURFEW__RESET_ON_FORK 1

/* The shortest time slice, in ns, which makes the scheduler prefer a thread when it wakes (Linux 6.12). */
#define CURFEW__SLICE_MIN_NS 100000

/*
 * Priorities under SCHED_FIFO. The watch needs the higher one: it stops guests, and a thread never gets a processor on
 * which one of the same priority computes.
 */
enum { CURFEW__PRIORITY_GUEST = 1, CURFEW__PRIORITY_WATCH };

#endif
