/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with a limit, and finding the parts of an unchecked JSON text. */
#include "../harness.h"
#include "common/json_scan.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

static void expect_text(text *t, const char *expected)
{
	size_t length = 0;
	char *taken = text_take(t, &length);
	CHECK(taken != NULL);
	CHECK_TEXT(taken, expected);
	CHECK_EQUAL(length, strlen(expected));
	free(taken);
}

static void test_what_is_written_is_there(void)
{
	text t;
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

static void test_strings_are_json(void)
{
	text t;
	text_init(&t, 1000);
	text_say_json(&t, "\"\\/\b\t\n\x01\x7f\xc3\xa9\xff");
	expect_text(&t, "\"\\\"\\\\/\\b\\t\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\"");
}

static void test_nothing_is_added_after_a_failure(void)
{
	text t;
	text_init(&t, 4);
	text_say(&t, "abc");
	text_say(&t, "de");
	CHECK(t.failed);
	CHECK_TEXT(t.data, "abc");
	text_say(&t, "d");
	CHECK_EQUAL(t.length, 3);
	CHECK(text_take(&t, NULL) == NULL);
	text_say(&t, "e");
	CHECK(t.data == NULL);
	text_finish(&t);
}

static void test_members_are_found(void)
{
	static const char json[] = " {\"a\":1, \"b\" : [1,{\"c\":2}] ,\"a\":\"x\\u00e9\"} ";
	size_t length = strlen(json);
	span found = scan_member(json, length, "a"), item;
	char out[32];
	CHECK_EQUAL(found.len, 9);
	CHECK(scan_decode(found, out, &length));
	CHECK_EQUAL(length, 3);
	CHECK_BYTES(out, "x\xc3\xa9", 3);
	found = scan_member(json, strlen(json), "b");
	CHECK(scan_next_item(&found, &item) && item.len == 1);
	CHECK(scan_next_item(&found, &item) && item.len == 7);
	CHECK(!scan_next_item(&found, &item));
	CHECK((scan_member(json, strlen(json), "c").data) == NULL);
}

static void test_halves_and_bad_bytes_mean_nothing(void)
{
	static const char *const bad[] = {"\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\xff\"", "\"\xed\xa0\x80\""};
	char out[32];
	size_t length;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!scan_decode((span){bad[i], strlen(bad[i])}, out, &length));
	static const char pair[] = "\"\\ud83d\\ude00\"";
	CHECK(scan_decode((span){pair, strlen(pair)}, out, &length));
	CHECK_EQUAL(length, 4);
	CHECK_BYTES(out, "\xf0\x9f\x98\x80", 4);
	CHECK(scan_is_name((span){"\"\\u0061b\"", 9}, "ab"));
}

static const harness_test tests[] = {
	{"what_is_written_is_there", test_what_is_written_is_there},
	{"strings_are_json", test_strings_are_json},
	{"nothing_is_added_after_a_failure", test_nothing_is_added_after_a_failure},
	{"members_are_found", test_members_are_found},
	{"halves_and_bad_bytes_mean_nothing", test_halves_and_bad_bytes_mean_nothing},
};

HARNESS_MAIN(tests)
