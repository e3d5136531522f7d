/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: decoded, written, checked, cut and repaired. */
#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void test_every_character_comes_back(void **state)
{
	(void)state;
	for (uint32_t character = 0; character <= 0x10ffff; character += character < 0x900 ? 1 : 61) {
		char text[4];
		uint32_t back = 0;
		size_t length = curfew__utf8_encode(character, text);
		bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
		assert_int_equal(curfew__utf8_decode(text, length, &back), is_surrogate ? 0 : length);
		if (!is_surrogate)
			assert_int_equal(back, character);
		if (length > 1)
			assert_int_equal(curfew__utf8_decode(text, length - 1, &back), 0);
	}
}

static void test_the_first_bad_byte_is_named(void **state)
{
	size_t offset = 99;
	(void)state;
	assert_false(curfew__utf8_check("ab\xff"
	                                "c",
	                                4, &offset));
	assert_int_equal(offset, 2);
	assert_true(curfew__utf8_check("", 0, &offset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_is_repaired_as_a_browser_does),
		cmocka_unit_test(test_utf8_is_cut_between_characters),
		cmocka_unit_test(test_every_character_comes_back),
		cmocka_unit_test(test_the_first_bad_byte_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
