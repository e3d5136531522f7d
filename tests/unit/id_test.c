/* SPDX-License-Identifier: Apache-2.0 */
/* ULIDs: what is written is one, and is as old as it sorts. */
#include "common/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_what_is_written_is_one(void **state)
{
	unsigned char digits[CURFEW__ID_DIGITS];
	char id[CURFEW__ID_LENGTH + 1], later[CURFEW__ID_LENGTH + 1];
	(void)state;
	memset(digits, 0xff, sizeof digits);
	curfew__id_write(id, UINT64_C(1469918176385), digits);
	assert_string_equal(id, "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
	assert_true(curfew__id_is_valid(id));
	memset(digits, 0, sizeof digits);
	curfew__id_write(later, UINT64_C(1469918176386), digits);
	assert_true(strcmp(id, later) < 0);
	curfew__id_write(later, (UINT64_C(1) << 48) - 1, digits);
	assert_string_equal(later, "7ZZZZZZZZZ0000000000000000");
	assert_true(curfew__id_is_valid(later));
}

static void test_what_is_none(void **state)
{
	static const char *const none[] = {
		"",
		"01ARYZ6S41ZZZZZZZZZZZZZZZ",
		"01ARYZ6S41ZZZZZZZZZZZZZZZZZ",
		"01ARYZ6S41ZZZZZZZZZZZZZZZI",
		"01aryz6s41zzzzzzzzzzzzzzzz",
		"8ZZZZZZZZZ0000000000000000",
	};
	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_false(curfew__id_is_valid(none[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_one),
		cmocka_unit_test(test_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
