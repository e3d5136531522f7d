/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks: monotonic for everything measured or waited for, the wall clock only for what is kept on disk. */
#ifndef CURFEW_SERVER_CLOCK_H
#define CURFEW_SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_us(clockid_t clock)
{
	struct timespec now = {0};
	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Microseconds since some start; never steps. */
static inline int64_t clock_now_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

/* Microseconds since 1970. */
static inline int64_t clock_wall_us(void)
{
	return clock_read_us(CLOCK_REALTIME);
}

#endif
