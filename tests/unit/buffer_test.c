/* SPDX-License-Identifier: Apache-2.0 */
/* The capped buffer, and UTF-8 on top of it. */
#include "base/buffer.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_starts_empty(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 100);
	assert_null(buffer.data);
	size_t length = 1;
	char *data = curfew__buffer_take(&buffer, &length);
	assert_non_null(data);
	assert_string_equal(data, "");
	assert_int_equal(length, 0);
	free(data);
	curfew__buffer_finish(&buffer);
}

static void test_grows_and_keeps_nuls(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	for (int i = 0; i < 10000; i++)
		assert_true(curfew__buffer_add(&buffer, "a\0b", 3));
	assert_int_equal(buffer.length, 30000);
	assert_memory_equal(buffer.data + 29997, "a\0b", 4);
	assert_false(buffer.failed);
	curfew__buffer_finish(&buffer);
	curfew__buffer_finish(&buffer);
}

static void test_is_capped(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 5);
	assert_true(curfew__buffer_add(&buffer, "abc", 3));
	assert_false(curfew__buffer_add(&buffer, "defg", 4));
	assert_true(buffer.failed);
	assert_string_equal(buffer.data, "abcde");
	assert_false(curfew__buffer_add_text(&buffer, "x"));
	assert_true(curfew__buffer_add(&buffer, NULL, 0));
	assert_int_equal(buffer.length, 5);
	assert_true(buffer.capacity <= 6);
	curfew__buffer_finish(&buffer);
}

static void test_nothing_fits_a_limit_of_0(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 0);
	assert_false(curfew__buffer_add(&buffer, "a", 1));
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 0);
	curfew__buffer_finish(&buffer);
}

static void test_printf_of_any_length(void **state)
{
	(void)state;
	char text[1001];
	memset(text, 'x', 1000);
	text[1000] = '\0';
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 2000);
	assert_true(curfew__buffer_printf(&buffer, "%d-", 42));
	assert_true(curfew__buffer_printf(&buffer, "%s", text));
	assert_int_equal(buffer.length, 1003);
	assert_false(curfew__buffer_printf(&buffer, "%s", text));
	assert_int_equal(buffer.length, 2000);
	curfew__buffer_finish(&buffer);
}

static void test_take_gives_the_bytes_away(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 100);
	curfew__buffer_add_text(&buffer, "abc");
	char *data = curfew__buffer_take(&buffer, NULL);
	assert_string_equal(data, "abc");
	assert_null(buffer.data);
	curfew__buffer_add_text(&buffer, "d");
	assert_string_equal(buffer.data, "d");
	free(data);
	curfew__buffer_finish(&buffer);
}

static void expect_clean(const char *text, size_t length, const char *expected)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	assert_true(curfew__utf8_add_clean(&buffer, text, length));
	char *clean = curfew__buffer_take(&buffer, NULL);
	assert_string_equal(clean, expected);
	free(clean);
	bool unchanged = strlen(expected) == length && memcmp(text, expected, length) == 0;
	assert_int_equal(curfew__utf8_check(text, length, NULL), unchanged);
}

#define R "\xef\xbf\xbd"

static void test_utf8_is_repaired_as_a_browser_does(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xff", R},
		{"\x80\x80", R R},
		{"\xc0\xaf", R R},             /* overlong "/" */
		{"\xe0\x80\xaf", R R R},       /* overlong "/" */
		{"\xed\xa0\x80", R R R},       /* a surrogate */
		{"\xf4\x90\x80\x80", R R R R}, /* above U+10FFFF */
		{"a\xe2\x82", "a" R},          /* cut at the end */
		{"\xf0\x9f\x98z", R "z"},
		{"\xe2\x82\xc3\xa9", R "\xc3\xa9"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_clean(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void test_utf8_is_cut_between_characters(void **state)
{
	(void)state;
	static const char text[] = "a\xe2\x82\xac"
							   "b";
	assert_int_equal(curfew__utf8_cut(text, 5, 9), 5);
	assert_int_equal(curfew__utf8_cut(text, 5, 4), 4);
	assert_int_equal(curfew__utf8_cut(text, 5, 3), 1);
	assert_int_equal(curfew__utf8_cut(text, 5, 2), 1);
	assert_int_equal(curfew__utf8_cut(text, 5, 1), 1);
	assert_int_equal(curfew__utf8_cut(text, 5, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_empty),
		cmocka_unit_test(test_grows_and_keeps_nuls),
		cmocka_unit_test(test_is_capped),
		cmocka_unit_test(test_nothing_fits_a_limit_of_0),
		cmocka_unit_test(test_printf_of_any_length),
		cmocka_unit_test(test_take_gives_the_bytes_away),
		cmocka_unit_test(test_utf8_is_repaired_as_a_browser_does),
		cmocka_unit_test(test_utf8_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
