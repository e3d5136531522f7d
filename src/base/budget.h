/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be spent on work that nothing can stop, because the run whose sizes decide about it is over: CPU time of
 * this thread and bytes of memory. The work is done in pieces, and each is charged before it is begun. What does not
 * fit is left out, and the report says so (`trace_truncated`).
 */
#ifndef CURFEW_BASE_BUDGET_H
#define CURFEW_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

/* For everything that is done after a run has ended: frames, names, lines, columns. */
#define CURFEW__AFTER_CPU_NS (5 * CURFEW__MILLISECOND)
#define CURFEW__AFTER_BYTES ((size_t)1 << 20)
/* How much text may be gone through between two looks at the clock: it takes some microseconds. */
#define CURFEW__BUDGET_PIECE ((size_t)64 << 10)

typedef struct curfew__budget {
	int64_t end_ns; /* on the clock of this thread's CPU time */
	size_t bytes;   /* of memory that may still be taken */
	bool is_spent;  /* something was left out */
} curfew__budget;

static inline curfew__budget curfew__budget_begin(int64_t cpu_ns, size_t bytes)
{
	return (curfew__budget){.end_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns, .bytes = bytes};
}

/* Whether another piece of work may be begun. False: it has to be left out. */
static inline bool curfew__budget_has_time(curfew__budget *budget)
{
	if (!budget->is_spent && clock_read_ns(CLOCK_THREAD_CPUTIME_ID) >= budget->end_ns)
		budget->is_spent = true;
	return !budget->is_spent;
}

/* Charges memory before it is allocated. False: what it was for has to be left out. */
static inline bool curfew__budget_take(curfew__budget *budget, size_t bytes)
{
	if (bytes > budget->bytes)
		budget->is_spent = true;
	else
		budget->bytes -= bytes;
	return !budget->is_spent;
}

#endif
