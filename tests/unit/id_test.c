/* SPDX-License-Identifier: Apache-2.0 */
/* A written ULID is valid, and ULIDs sort by their times. */
#include "../harness.h"
#include "common/id.h"

#include <stdlib.h>
#include <string.h>

static void test_what_is_written_is_one(void)
{
	unsigned char digits[CURFEW__ID_DIGITS];
	char id[CURFEW__ID_LENGTH + 1], later[CURFEW__ID_LENGTH + 1];
	memset(digits, 0xff, sizeof digits);
	curfew__id_write(id, UINT64_C(1469918176385), digits);
	CHECK_TEXT(id, "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
	CHECK(curfew__id_is_valid(id));
	memset(digits, 0, sizeof digits);
	curfew__id_write(later, UINT64_C(1469918176386), digits);
	CHECK(strcmp(id, later) < 0);
	curfew__id_write(later, (UINT64_C(1) << 48) - 1, digits);
	CHECK_TEXT(later, "7ZZZZZZZZZ0000000000000000");
	CHECK(curfew__id_is_valid(later));
}

static void test_what_is_none(void)
{
	static const char *const none[] = {
		"",
		"01ARYZ6S41ZZZZZZZZZZZZZZZ",
		"01ARYZ6S41ZZZZZZZZZZZZZZZZZ",
		"01ARYZ6S41ZZZZZZZZZZZZZZZI",
		"01aryz6s41zzzzzzzzzzzzzzzz",
		"8ZZZZZZZZZ0000000000000000",
	};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		CHECK(!curfew__id_is_valid(none[i]));
}

static const harness_test tests[] = {
	{"what_is_written_is_one", test_what_is_written_is_one},
	{"what_is_none", test_what_is_none},
};

HARNESS_MAIN(tests)
