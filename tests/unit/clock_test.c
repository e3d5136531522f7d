/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks: they agree with each other, and times to come do not overflow. */
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_they_are_the_same_clock(void **state)
{
	(void)state;
	int64_t ns = clock_now_ns(), us = clock_now_us(), ms = clock_now_ms();
	assert_true(ns > 0 && us >= ns / 1000 && ms >= us / 1000);
	assert_true(clock_now_ns() >= ns);
	assert_true(clock_wall_us() > INT64_C(1577836800000000)); /* 2020 */
}

static void test_no_clock_reads_0(void **state)
{
	(void)state;
	assert_int_equal(clock_read_ns((clockid_t)12345), 0);
}

static void test_later_stays_in_range(void **state)
{
	(void)state;
	assert_int_equal(clock_later(5, 7), 12);
	assert_int_equal(clock_later(5, CURFEW__NEVER), CURFEW__NEVER);
	assert_int_equal(clock_later(5, UINT64_MAX), CURFEW__NEVER);
	assert_int_equal(clock_later(CURFEW__NEVER, 1), CURFEW__NEVER);
	assert_int_equal(clock_later(CURFEW__NEVER - 10, 9), CURFEW__NEVER - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_they_are_the_same_clock),
		cmocka_unit_test(test_no_clock_reads_0),
		cmocka_unit_test(test_later_stays_in_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
