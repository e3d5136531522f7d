/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks agree with each other, and future times do not overflow. */
#include "../harness.h"
#include "common/clock.h"

#include <stdlib.h>
#include <string.h>

static void test_they_are_the_same_clock(void)
{
	int64_t ns = clock_now_ns(), us = clock_now_us(), ms = clock_now_ms();
	CHECK(ns > 0 && us >= ns / 1000 && ms >= us / 1000);
	CHECK(clock_now_ns() >= ns);
	CHECK(clock_wall_us() > INT64_C(1577836800000000)); /* 2020 */
}

static void test_no_clock_reads_0(void)
{
	CHECK_EQUAL(clock_read_ns((clockid_t)12345), 0);
}

static void test_later_stays_in_range(void)
{
	CHECK_EQUAL(clock_later(5, 7), 12);
	CHECK_EQUAL(clock_later(5, CURFEW__NEVER), CURFEW__NEVER);
	CHECK_EQUAL(clock_later(5, UINT64_MAX), CURFEW__NEVER);
	CHECK_EQUAL(clock_later(CURFEW__NEVER, 1), CURFEW__NEVER);
	CHECK_EQUAL(clock_later(CURFEW__NEVER - 10, 9), CURFEW__NEVER - 1);
}

static const harness_test tests[] = {
	{"they_are_the_same_clock", test_they_are_the_same_clock},
	{"no_clock_reads_0", test_no_clock_reads_0},
	{"later_stays_in_range", test_later_stays_in_range},
};

HARNESS_MAIN(tests)
