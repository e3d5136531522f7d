/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A budget for work that nothing can stop, because the run that decides its size has ended: CPU time of this thread and
 * bytes of memory. The work is done in pieces, and each is charged before it begins. What exceeds the budget is left
 * out, and the report says so
 * (`trace_truncated`).
 */
#ifndef CURFEW_BASE_BUDGET_H
#define CURFEW_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

/* The budget for all work after the end of a run: frames, names, lines, columns. */
#define CURFEW__AFTER_CPU_NS (5 * CURFEW__MILLISECOND)
#define CURFEW__AFTER_BYTES ((size_t)1 << 20)
/* How much text may be read between two checks of the clock: it takes some microseconds. */
#define CURFEW__BUDGET_PIECE ((size_t)64 << 10)

typedef struct curfew__budget {
	int64_t end_ns; /* on this thread's CPU clock */
	size_t bytes;   /* memory that is left */
	bool is_spent;  /* something was left out */
} curfew__budget;

static inline curfew__budget curfew__budget_begin(int64_t cpu_ns, size_t bytes)
{
	return (curfew__budget){.end_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns, .bytes = bytes};
}

/* Whether another piece of work may begin. False: it has to be left out. */
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
