/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer and the JSON checker, mostly on hostile text. */
#include "common/json.h"
#include "common/json_reader.h"
#include "curfew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Writer ---------------------------------------------------------------------------------------------- */

static void test_writer_puts_commas(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__json_writer writer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__json_init(&writer, &buffer);
	curfew__json_begin_object(&writer);
	curfew__json_key(&writer, "a");
	curfew__json_begin_array(&writer);
	curfew__json_u64(&writer, UINT64_MAX);
	curfew__json_null(&writer);
	curfew__json_begin_array(&writer);
	curfew__json_end_array(&writer);
	curfew__json_bool(&writer, true);
	curfew__json_end_array(&writer);
	curfew__json_key(&writer, "b\"");
	curfew__json_text(&writer, NULL);
	curfew__json_key(&writer, "c");
	curfew__json_raw(&writer, "{\r\n\"x\": 1}", 10);
	curfew__json_end_object(&writer);
	assert_string_equal(buffer.data, "{\"a\":[18446744073709551615,null,[],true],\"b\\\"\":null,\"c\":{\"x\": 1}}");
	curfew__buffer_finish(&buffer);
}

static void expect_written(const char *text, size_t length, const char *expected)
{
	curfew__buffer buffer;
	curfew__json_writer writer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__json_init(&writer, &buffer);
	curfew__json_string(&writer, text, length);
	assert_string_equal(buffer.data, expected);
	assert_true(curfew__json_check(buffer.data, buffer.length, NULL, NULL));
	curfew__buffer_finish(&buffer);
}

static void test_writer_escapes(void **state)
{
	(void)state;
	expect_written("", 0, "\"\"");
	expect_written("a\0b", 3, "\"a\\u0000b\"");
	expect_written("\"\\/\b\f\n\r\t\x01\x1f\x7f", 11, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
	expect_written("\xc3\xa9\xe2\x80\xa8", 5, "\"\xc3\xa9\xe2\x80\xa8\"");
	expect_written("\xff\"\xc3", 3, "\"\xef\xbf\xbd\\\"\xef\xbf\xbd\"");
	expect_written("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_writer_is_capped(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__json_writer writer;
	curfew__buffer_init(&buffer, 10);
	curfew__json_init(&writer, &buffer);
	curfew__json_string(&writer, "0123456789abcdef", 16);
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 10);
	curfew__buffer_finish(&buffer);
}

/* ---- Checker --------------------------------------------------------------------------------------------- */

static void test_checker_accepts(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"0",
		"-0",
		"1",
		"-1.5e+10",
		"1E5",
		"0.0",
		"1e-400",
		"-0e999",
		"0e99999999999999999999",
		"1.7976931348623157e308",
		"17976931348623157e292",
		"0.00001e312",
		"1e308",
		"\"\"",
		"\"\\ud800\"",
		"\"\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\xf0\x9f\x98\x80\x7f\"",
		"true",
		"false",
		"null",
		"[]",
		"{}",
		" [ ] ",
		"\t\r\n{ \"a\" : [ 1 , { } ] , \"a\" : null }\n",
		"[[],[[]],{\"\":{}}]",
		"123456789012345678901234567890",
		"{\"__proto__\":1}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t offset = 0;
		const char *why = "";
		if (!curfew__json_check(texts[i], strlen(texts[i]), &offset, &why))
			fail_msg("%s: %s at %zu", texts[i], why, offset);
	}
}

static void test_checker_refuses(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		" ",
		"tru",
		"truee",
		"nul",
		"True",
		"undefined",
		"NaN",
		"Infinity",
		"-Infinity",
		"-",
		"+1",
		"01",
		"-01",
		"1.",
		".5",
		"1e",
		"1e+",
		"1.e5",
		"0x10",
		"1_000",
		"1e309",
		"-1e309",
		"1e99999999999999999999",
		"1.7976931348623159e308",
		"0.0001e313",
		"1 2",
		"[1,]",
		"[,1]",
		"[1 2]",
		"[",
		"]",
		"[}",
		"{]",
		"{",
		"}",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"{1:1}",
		"{\"a\" 1}",
		"{\"a\":1 \"b\":2}",
		"[1}",
		"{\"a\":1]",
		"'a'",
		"\"",
		"\"a",
		"\"\\",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\\"",
		"\"\n\"",
		"\"\x01\"",
		"\"\xff\"",
		"\"\xc3\"",
		"\"\xed\xa0\x80\"",
		"\"\xc0\x80\"",
		"\xef\xbb\xbf[]",
		"/**/1",
		"1//",
		"[1]x",
		"null,",
		"\v1",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t offset = SIZE_MAX;
		const char *why = NULL;
		if (curfew__json_check(texts[i], strlen(texts[i]), &offset, &why))
			fail_msg("accepted: %s", texts[i]);
		assert_true(offset <= strlen(texts[i]));
		assert_non_null(why);
	}
	assert_false(curfew__json_check("\"a\0b\"", 5, NULL, NULL));
	assert_false(curfew__json_check("1\0", 2, NULL, NULL));
}

static void test_checker_reads_no_further_than_the_length(void **state)
{
	(void)state;
	static const char text[] = "[\"abc\\u1234\xf0\x9f\x98\x80\",true,{\"k\":-1.5e10}]";
	size_t whole = sizeof text - 1;
	for (size_t length = 0; length < whole; length++) {
		/* An allocation of exactly that size, so that a sanitizer sees a byte read beyond it. */
		char *copy = malloc(length > 0 ? length : 1);
		assert_non_null(copy);
		memcpy(copy, text, length);
		assert_false(curfew__json_check(copy, length, NULL, NULL));
		free(copy);
	}
	assert_true(curfew__json_check(text, whole, NULL, NULL));
}

/* A stop is seen within a piece of 64 KiB, whatever the text is in the middle of. */
static void test_checker_stops_between_pieces(void **state)
{
	/* Claim L47. */
	(void)state;
	static const char *const texts[][3] = {
		{"[", "1,", "1]"}, {"\"", "a", "\""},  {"\"", "\\n", "\""},
		{"", " ", "1"},    {"0.", "1", ""},    {"0.", "0", "1"},
		{"1e0", "0", "1"}, {"[", "[],", "0]"}, {"{\"a\":1", ",\"b\":2", "}"},
	};
	size_t size = 4 << 20;
	char *text = malloc(size + 16);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		atomic_uint stop = 0;
		size_t offset = 0, part = strlen(texts[i][1]), length = strlen(texts[i][0]);
		const char *why = NULL;
		memcpy(text, texts[i][0], length);
		for (; length < size; length += part)
			memcpy(text + length, texts[i][1], part);
		memcpy(text + length, texts[i][2], strlen(texts[i][2]));
		length += strlen(texts[i][2]);
		assert_true(curfew__json_check_until(text, length, &stop, &offset, &why));
		atomic_store(&stop, 1);
		assert_false(curfew__json_check_until(text, length, &stop, &offset, &why));
		assert_string_equal(why, "the run is being stopped");
		assert_true(offset <= 64 << 10);
	}
	free(text);
}

static void expect_number(const char *text, double expected)
{
	double value = curfew__json_number(text, strlen(text));
	assert_memory_equal(&value, &expected, sizeof value);
}

static void test_numbers(void **state)
{
	(void)state;
	static const char *const texts[] = {"0",
	                                    "-0",
	                                    "1",
	                                    "-1.5",
	                                    "0.1",
	                                    "1e308",
	                                    "5e-324",
	                                    "2.5e-324",
	                                    "2.4e-324",
	                                    "1e-400",
	                                    "123456789012345678901234567890",
	                                    "0.000000000000000000001",
	                                    "1E+2",
	                                    "1e-2",
	                                    "1.7976931348623157e308",
	                                    "9007199254740993",
	                                    "100e-2",
	                                    "0.30000000000000004"};
	char text[4096];
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect_number(texts[i], strtod(texts[i], NULL));
	/* Halfway between two doubles, with what decides it far behind. */
	(void)snprintf(text, sizeof text, "9007199254740993.%0*d", 3000, 0);
	expect_number(text, 9007199254740992.0);
	text[strlen(text) - 1] = '1';
	expect_number(text, 9007199254740994.0);
	(void)snprintf(text, sizeof text, "0.%0*d1e3000", 3000, 0);
	expect_number(text, 0.1);
}

static void test_reader(void **state)
{
	(void)state;
	static const char text[] =
		" { \"a\\u00e9\\ud83d\\ude00\" : [ 1 , -2.5e1,\"x\\n\\/\", true ,false,null, {} , [ ] ] ,\"\" :\"\\ud800\"} ";
	curfew__json_reader r;
	curfew__buffer string;
	size_t length;
	assert_true(curfew__json_check(text, strlen(text), NULL, NULL));
	curfew__json_reader_init(&r, text, strlen(text), NULL);
	curfew__buffer_init(&string, 100);
	assert_int_equal(curfew__json_next_kind(&r), CURFEW__JSON_OBJECT);
	assert_int_equal(curfew__json_count(&r), 2);
	curfew__json_enter(&r);
	assert_true(curfew__json_has_next(&r) && curfew__json_read_key(&r, &string));
	assert_string_equal(string.data, "a\xc3\xa9\xf0\x9f\x98\x80");
	assert_int_equal(curfew__json_count(&r), 8);
	curfew__json_enter(&r);
	assert_true(curfew__json_has_next(&r));
	assert_memory_equal(curfew__json_number_text(&r, &length), "1", 1);
	assert_int_equal(length, 1);
	assert_true(curfew__json_has_next(&r));
	assert_memory_equal(curfew__json_number_text(&r, &length), "-2.5e1", 6);
	assert_int_equal(length, 6);
	assert_true(curfew__json_has_next(&r));
	string.length = 0;
	assert_true(curfew__json_read_string(&r, &string));
	assert_string_equal(string.data, "x\n/");
	for (int kind = CURFEW__JSON_TRUE; kind >= CURFEW__JSON_NULL; kind--) {
		assert_true(curfew__json_has_next(&r));
		assert_int_equal(curfew__json_next_kind(&r), kind);
		curfew__json_skip(&r);
	}
	assert_true(curfew__json_has_next(&r));
	curfew__json_skip(&r);
	assert_true(curfew__json_has_next(&r));
	assert_int_equal(curfew__json_count(&r), 0);
	curfew__json_skip(&r);
	assert_false(curfew__json_has_next(&r));
	string.length = 0;
	assert_true(curfew__json_has_next(&r) && curfew__json_read_key(&r, &string));
	assert_false(curfew__json_read_string(&r, &string));
	assert_string_equal(string.data, "\xef\xbf\xbd");
	assert_false(curfew__json_has_next(&r));
	curfew__buffer_finish(&string);
}

static void expect_nesting(size_t depth, bool accepted)
{
	char *text = malloc(depth * 6 + 1);
	assert_non_null(text);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	assert_int_equal(curfew__json_check(text, depth * 2, NULL, NULL), accepted);
	assert_false(curfew__json_check(text, depth * 2 - 1, NULL, NULL));
	assert_false(curfew__json_check(text, depth, NULL, NULL));
	for (size_t i = 0; i < depth; i++)
		memcpy(text + i * 5, "{\"\":[", 5);
	assert_false(curfew__json_check(text, depth * 5, NULL, NULL));
	free(text);
}

static void test_checker_bounds_nesting(void **state)
{
	(void)state;
	expect_nesting(1000, true);
	expect_nesting(CURFEW__JSON_DEPTH, true);
	expect_nesting(CURFEW__JSON_DEPTH + 1, false);
	expect_nesting(1000000, false);
}

static void test_checker_tells_brackets_apart_at_any_depth(void **state)
{
	(void)state;
	char text[2048];
	for (size_t depth = 1; depth < 40; depth++) {
		size_t length = 0;
		for (size_t i = 0; i < depth; i++)
			length += (size_t)snprintf(text + length, sizeof text - length, "%s", i % 3 == 0 ? "{\"a\":" : "[");
		text[length++] = '1';
		for (size_t i = depth; i-- > 0;)
			text[length++] = i % 3 == 0 ? '}' : ']';
		assert_true(curfew__json_check(text, length, NULL, NULL));
		text[length - 1] = ']';
		assert_false(curfew__json_check(text, length, NULL, NULL));
	}
}

static void test_arrays(void **state)
{
	(void)state;
	assert_true(curfew__json_is_array(" \n[1]", 5));
	assert_false(curfew__json_is_array("{}", 2));
	assert_false(curfew__json_is_array("  ", 2));
}

static void test_params(void **state)
{
	(void)state;
	curfew_failure failure;
	assert_int_equal(curfew_params_check("[1,2]", 5, &failure), CURFEW_OK);
	assert_string_equal(failure.message, "");
	assert_int_equal(curfew_params_check("{}", 2, &failure), CURFEW_INVALID);
	assert_string_equal(failure.message, "params: must be a JSON array (at byte 0)");
	assert_int_equal(curfew_params_check("[1e999]", 7, &failure), CURFEW_INVALID);
	assert_string_equal(failure.message, "params: a number is out of range (at byte 1)");
	assert_int_equal(curfew_params_check("", 0, NULL), CURFEW_INVALID);
	assert_int_equal(curfew_params_check(NULL, 0, NULL), CURFEW_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_puts_commas),
		cmocka_unit_test(test_writer_escapes),
		cmocka_unit_test(test_writer_is_capped),
		cmocka_unit_test(test_checker_accepts),
		cmocka_unit_test(test_checker_refuses),
		cmocka_unit_test(test_checker_reads_no_further_than_the_length),
		cmocka_unit_test(test_checker_stops_between_pieces),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_checker_bounds_nesting),
		cmocka_unit_test(test_checker_tells_brackets_apart_at_any_depth),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_params),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
