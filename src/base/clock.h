/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks, in nanoseconds. All of them are async-signal-safe. */
#ifndef CURFEW_BASE_CLOCK_H
#define CURFEW_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CURFEW__NEVER INT64_MAX
#define CURFEW__MICROSECOND INT64_C(1000)
#define CURFEW__MILLISECOND INT64_C(1000000)
#define CURFEW__SECOND INT64_C(1000000000)

static inline int64_t curfew__clock(clockid_t id)
{
	struct timespec t;
	return clock_gettime(id, &t) ? 0 : t.tv_sec * CURFEW__SECOND + t.tv_nsec;
}

/* Time that never jumps. */
static inline int64_t curfew__now(void)
{
	return curfew__clock(CLOCK_MONOTONIC);
}

/* a + b, where b may be CURFEW__NEVER or anything else that overflows. */
static inline int64_t curfew__later(int64_t a, uint64_t b)
{
	return b >= (uint64_t)(INT64_MAX - a) ? CURFEW__NEVER : a + (int64_t)b;
}

#endif
