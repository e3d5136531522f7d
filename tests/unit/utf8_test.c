/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: decoding, encoding, checking, truncating and repairing. */
#include "../harness.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

static void expect_clean(const char *text, size_t length, const char *expected)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	CHECK(curfew__utf8_add_clean(&buffer, text, length));
	char *clean = curfew__buffer_take(&buffer, NULL);
	CHECK_TEXT(clean, expected);
	free(clean);
	bool unchanged = strlen(expected) == length && memcmp(text, expected, length) == 0;
	CHECK_EQUAL(curfew__utf8_check(text, length, NULL), unchanged);
}

#define R "\xef\xbf\xbd"

static void test_utf8_is_repaired_as_a_browser_does(void)
{
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
		{"a\xe2\x82", "a" R},          /* truncated at the end */
		{"\xf0\x9f\x98z", R "z"},
		{"\xe2\x82\xc3\xa9", R "\xc3\xa9"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_clean(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void test_utf8_is_cut_between_characters(void)
{
	static const char text[] = "a\xe2\x82\xac"
							   "b";
	CHECK_EQUAL(curfew__utf8_cut(text, 5, 9), 5);
	CHECK_EQUAL(curfew__utf8_cut(text, 5, 4), 4);
	CHECK_EQUAL(curfew__utf8_cut(text, 5, 3), 1);
	CHECK_EQUAL(curfew__utf8_cut(text, 5, 2), 1);
	CHECK_EQUAL(curfew__utf8_cut(text, 5, 1), 1);
	CHECK_EQUAL(curfew__utf8_cut(text, 5, 0), 0);
}

static void test_every_character_comes_back(void)
{
	for (uint32_t character = 0; character <= 0x10ffff; character += character < 0x900 ? 1 : 61) {
		char text[4];
		uint32_t back = 0;
		size_t length = curfew__utf8_encode(character, text);
		bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
		CHECK_EQUAL(curfew__utf8_decode(text, length, &back), is_surrogate ? 0 : length);
		if (!is_surrogate)
			CHECK_EQUAL(back, character);
		if (length > 1)
			CHECK_EQUAL(curfew__utf8_decode(text, length - 1, &back), 0);
	}
}

static void test_the_first_bad_byte_is_named(void)
{
	size_t offset = 99;
	CHECK(!curfew__utf8_check("ab\xff"
	                          "c",
	                          4, &offset));
	CHECK_EQUAL(offset, 2);
	CHECK(curfew__utf8_check("", 0, &offset));
}

static const harness_test tests[] = {
	{"utf8_is_repaired_as_a_browser_does", test_utf8_is_repaired_as_a_browser_does},
	{"utf8_is_cut_between_characters", test_utf8_is_cut_between_characters},
	{"every_character_comes_back", test_every_character_comes_back},
	{"the_first_bad_byte_is_named", test_the_first_bad_byte_is_named},
};

HARNESS_MAIN(tests)
