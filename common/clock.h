/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks. Measuring and waiting use the monotonic clock, which never steps. The wall clock is only for times that
 * are stored or displayed. All functions are async-signal-safe.
 */
#ifndef CURFEW_COMMON_CLOCK_H
#define CURFEW_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CURFEW__NEVER INT64_MAX
#define CURFEW__MICROSECOND INT64_C(1000)
#define CURFEW__MILLISECOND INT64_C(1000000)
#define CURFEW__SECOND INT64_C(1000000000)

/* Reads any clock in nanoseconds. 0: the clock does not exist (any more). */
static inline int64_t clock_read_ns(clockid_t id)
{
	struct timespec t;
	return clock_gettime(id, &t) ? 0 : t.tv_sec * CURFEW__SECOND + t.tv_nsec;
}

/* Nanoseconds since an arbitrary start. */
static inline int64_t clock_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* Microseconds since the same start. */
static inline int64_t clock_now_us(void)
{
	return clock_now_ns() / CURFEW__MICROSECOND;
}

/* Milliseconds since the same start. */
static inline int64_t clock_now_ms(void)
{
	return clock_now_ns() / CURFEW__MILLISECOND;
}

/* Microseconds since 1970. */
static inline int64_t clock_wall_us(void)
{
	return clock_read_ns(CLOCK_REALTIME) / CURFEW__MICROSECOND;
}

/* a + b, or CURFEW__NEVER if the sum overflows or b is CURFEW__NEVER. */
static inline int64_t clock_later(int64_t a, uint64_t b)
{
	return b >= (uint64_t)(INT64_MAX - a) ? CURFEW__NEVER : a + (int64_t)b;
}

#endif
