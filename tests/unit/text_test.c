/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with a limit, and finding the parts of a JSON text that nobody has checked. */
#include "common/json_scan.h"
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_text(text *t, const char *expected)
{
	size_t length = 0;
	char *taken = text_take(t, &length);
	assert_non_null(taken);
	assert_string_equal(taken, expected);
	assert_int_equal(length, strlen(expected));
	free(taken);
}

static void test_what_is_written_is_there(void **state)
{
	text t;
	(void)state;
	text_init(&t, 1000);
	text_say(&t, "a");
	text_add(&t, "bcd", 2);
	text_print(&t, "%d", 42);
	text_say_json(&t, NULL);
	text_say_time(&t, 0);
	text_say_time(&t, INT64_C(1700000000123456));
	expect_text(&t, "abc42nullnull\"2023-11-14T22:13:20.123Z\"");
	text_init(&t, 1000);
	expect_text(&t, "");
}

static void test_strings_are_json(void **state)
{
	text t;
	(void)state;
	text_init(&t, 1000);
	text_say_json(&t, "\"\\/\b\t\n\x01\x7f\xc3\xa9\xff");
	expect_text(&t, "\"\\\"\\\\/\\b\\t\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\"");
}

static void test_nothing_is_added_after_a_failure(void **state)
{
	text t;
	(void)state;
	text_init(&t, 4);
	text_say(&t, "abc");
	text_say(&t, "de");
	assert_true(t.failed);
	assert_string_equal(t.data, "abc");
	text_say(&t, "d");
	assert_int_equal(t.length, 3);
	assert_null(text_take(&t, NULL));
	text_say(&t, "e");
	assert_null(t.data);
	text_finish(&t);
}

static void test_members_are_found(void **state)
{
	static const char json[] = " {\"a\":1, \"b\" : [1,{\"c\":2}] ,\"a\":\"x\\u00e9\"} ";
	size_t length = strlen(json);
	span found = scan_member(json, length, "a"), item;
	(void)state;
	char out[32];
	assert_int_equal(found.len, 9);
	assert_true(scan_decode(found, out, &length));
	assert_int_equal(length, 3);
	assert_memory_equal(out, "x\xc3\xa9", 3);
	found = scan_member(json, strlen(json), "b");
	assert_true(scan_next_item(&found, &item) && item.len == 1);
	assert_true(scan_next_item(&found, &item) && item.len == 7);
	assert_false(scan_next_item(&found, &item));
	assert_null(scan_member(json, strlen(json), "c").data);
}

static void test_halves_and_bad_bytes_mean_nothing(void **state)
{
	static const char *const bad[] = {"\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\xff\"", "\"\xed\xa0\x80\""};
	char out[32];
	size_t length;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(scan_decode((span){bad[i], strlen(bad[i])}, out, &length));
	static const char pair[] = "\"\\ud83d\\ude00\"";
	assert_true(scan_decode((span){pair, strlen(pair)}, out, &length));
	assert_int_equal(length, 4);
	assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
	assert_true(scan_is_name((span){"\"\\u0061b\"", 9}, "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_there),          cmocka_unit_test(test_strings_are_json),
		cmocka_unit_test(test_nothing_is_added_after_a_failure),  cmocka_unit_test(test_members_are_found),
		cmocka_unit_test(test_halves_and_bad_bytes_mean_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
