/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer and the JSON checker, mostly with hostile text. */
#include "../harness.h"
#include "common/json.h"
#include "common/json_reader.h"
#include "curfew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Writer ---------------------------------------------------------------------------------------------- */

static void test_writer_puts_commas(void)
{
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
	CHECK_TEXT(buffer.data, "{\"a\":[18446744073709551615,null,[],true],\"b\\\"\":null,\"c\":{\"x\": 1}}");
	curfew__buffer_finish(&buffer);
}

/* What a string becomes in an empty buffer, and in one that has room for it. */
static void expect_written(const char *text, size_t length, const char *expected)
{
	for (size_t before = 0; before <= 40; before += 40) {
		curfew__buffer buffer;
		curfew__json_writer writer;
		curfew__buffer_init(&buffer, SIZE_MAX);
		for (size_t i = 0; i < before; i++)
			curfew__buffer_add(&buffer, " ", 1);
		curfew__json_init(&writer, &buffer);
		curfew__json_string(&writer, text, length);
		CHECK_TEXT(buffer.data + before, expected);
		CHECK(curfew__json_check(buffer.data, buffer.length, NULL, NULL));
		curfew__buffer_finish(&buffer);
	}
}

static void test_writer_escapes(void)
{
	expect_written("", 0, "\"\"");
	expect_written("a\0b", 3, "\"a\\u0000b\"");
	expect_written("\"\\/\b\f\n\r\t\x01\x1f\x7f", 11, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
	expect_written("\xc3\xa9\xe2\x80\xa8", 5, "\"\xc3\xa9\xe2\x80\xa8\"");
	expect_written("\xff\"\xc3", 3, "\"\xef\xbf\xbd\\\"\xef\xbf\xbd\"");
	expect_written("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_writer_is_capped(void)
{
	curfew__buffer buffer;
	curfew__json_writer writer;
	curfew__buffer_init(&buffer, 10);
	curfew__json_init(&writer, &buffer);
	curfew__json_string(&writer, "0123456789abcdef", 16);
	CHECK(buffer.failed);
	CHECK_EQUAL(buffer.length, 10);
	curfew__buffer_finish(&buffer);
}

/* Of strings of every length, a buffer of any limit holds exactly what fits. */
static void test_writer_keeps_a_prefix(void)
{
	char text[140], expected[2 * sizeof text + 16];
	memset(text, 'x', sizeof text);
	for (size_t length = 0; length <= sizeof text; length++) {
		size_t whole = (size_t)snprintf(expected, sizeof expected, "{\"%.*s\":\"%.*s\"}", (int)length, text,
		                                (int)length, text);
		for (size_t limit = 0; limit <= whole + 1; limit++) {
			curfew__buffer buffer;
			curfew__json_writer writer;
			char key[sizeof text + 1] = {0};
			memcpy(key, text, length);
			curfew__buffer_init(&buffer, limit);
			curfew__json_init(&writer, &buffer);
			curfew__json_begin_object(&writer);
			curfew__json_key(&writer, key);
			curfew__json_string(&writer, text, length);
			curfew__json_end_object(&writer);
			CHECK_EQUAL(buffer.length, limit < whole ? limit : whole);
			CHECK(buffer.length == 0 || memcmp(buffer.data, expected, buffer.length) == 0);
			CHECK(buffer.length == 0 || buffer.data[buffer.length] == '\0');
			CHECK_EQUAL(buffer.failed, limit < whole);
			curfew__buffer_finish(&buffer);
		}
	}
}

/* ---- Checker --------------------------------------------------------------------------------------------- */

static void test_checker_accepts(void)
{
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
			harness_fail("%s: %s at %zu", texts[i], why, offset);
	}
}

static void test_checker_refuses(void)
{
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
			harness_fail("accepted: %s", texts[i]);
		CHECK(offset <= strlen(texts[i]));
		CHECK(why != NULL);
	}
	CHECK(!curfew__json_check("\"a\0b\"", 5, NULL, NULL));
	CHECK(!curfew__json_check("1\0", 2, NULL, NULL));
}

static void test_checker_reads_no_further_than_the_length(void)
{
	static const char text[] = "[\"abc\\u1234\xf0\x9f\x98\x80\",true,{\"k\":-1.5e10}]";
	size_t whole = sizeof text - 1;
	for (size_t length = 0; length < whole; length++) {
		/* An allocation of exactly that size, so that a sanitizer detects a read beyond it. */
		char *copy = malloc(length > 0 ? length : 1);
		CHECK(copy != NULL);
		memcpy(copy, text, length);
		CHECK(!curfew__json_check(copy, length, NULL, NULL));
		free(copy);
	}
	CHECK(curfew__json_check(text, whole, NULL, NULL));
}

/* A stop is noticed within a piece of 64 KiB, whatever the text contains there. */
static void test_checker_stops_between_pieces(void)
{
	/* Claim L47. */
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
		CHECK(curfew__json_check_until(text, length, &stop, &offset, &why));
		atomic_store(&stop, 1);
		CHECK(!curfew__json_check_until(text, length, &stop, &offset, &why));
		CHECK_TEXT(why, "the run is being stopped");
		CHECK(offset <= 64 << 10);
	}
	free(text);
}

static void expect_number(const char *text, double expected)
{
	double value = curfew__json_number(text, strlen(text));
	CHECK_BYTES(&value, &expected, sizeof value);
}

static void test_numbers(void)
{
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
	/* Halfway between two doubles, and the digit that decides comes late. */
	(void)snprintf(text, sizeof text, "9007199254740993.%0*d", 3000, 0);
	expect_number(text, 9007199254740992.0);
	text[strlen(text) - 1] = '1';
	expect_number(text, 9007199254740994.0);
	(void)snprintf(text, sizeof text, "0.%0*d1e3000", 3000, 0);
	expect_number(text, 0.1);
}

static void test_reader(void)
{
	static const char text[] =
		" { \"a\\u00e9\\ud83d\\ude00\" : [ 1 , -2.5e1,\"x\\n\\/\", true ,false,null, {} , [ ] ] ,\"\" :\"\\ud800\"} ";
	curfew__json_reader r;
	curfew__buffer string;
	size_t length;
	CHECK(curfew__json_check(text, strlen(text), NULL, NULL));
	curfew__json_reader_init(&r, text, strlen(text), NULL);
	curfew__buffer_init(&string, 100);
	CHECK_EQUAL(curfew__json_next_kind(&r), CURFEW__JSON_OBJECT);
	CHECK_EQUAL(curfew__json_count(&r), 2);
	curfew__json_enter(&r);
	CHECK(curfew__json_has_next(&r) && curfew__json_read_key(&r, &string));
	CHECK_TEXT(string.data, "a\xc3\xa9\xf0\x9f\x98\x80");
	CHECK_EQUAL(curfew__json_count(&r), 8);
	curfew__json_enter(&r);
	CHECK(curfew__json_has_next(&r));
	CHECK_BYTES(curfew__json_number_text(&r, &length), "1", 1);
	CHECK_EQUAL(length, 1);
	CHECK(curfew__json_has_next(&r));
	CHECK_BYTES(curfew__json_number_text(&r, &length), "-2.5e1", 6);
	CHECK_EQUAL(length, 6);
	CHECK(curfew__json_has_next(&r));
	string.length = 0;
	CHECK(curfew__json_read_string(&r, &string));
	CHECK_TEXT(string.data, "x\n/");
	for (int kind = CURFEW__JSON_TRUE; kind >= CURFEW__JSON_NULL; kind--) {
		CHECK(curfew__json_has_next(&r));
		CHECK_EQUAL(curfew__json_next_kind(&r), kind);
		curfew__json_skip(&r);
	}
	CHECK(curfew__json_has_next(&r));
	curfew__json_skip(&r);
	CHECK(curfew__json_has_next(&r));
	CHECK_EQUAL(curfew__json_count(&r), 0);
	curfew__json_skip(&r);
	CHECK(!curfew__json_has_next(&r));
	string.length = 0;
	CHECK(curfew__json_has_next(&r) && curfew__json_read_key(&r, &string));
	CHECK(!curfew__json_read_string(&r, &string));
	CHECK_TEXT(string.data, "\xef\xbf\xbd");
	CHECK(!curfew__json_has_next(&r));
	curfew__buffer_finish(&string);
}

static void expect_nesting(size_t depth, bool accepted)
{
	char *text = malloc(depth * 6 + 1);
	CHECK(text != NULL);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	CHECK_EQUAL(curfew__json_check(text, depth * 2, NULL, NULL), accepted);
	CHECK(!curfew__json_check(text, depth * 2 - 1, NULL, NULL));
	CHECK(!curfew__json_check(text, depth, NULL, NULL));
	for (size_t i = 0; i < depth; i++)
		memcpy(text + i * 5, "{\"\":[", 5);
	CHECK(!curfew__json_check(text, depth * 5, NULL, NULL));
	free(text);
}

static void test_checker_bounds_nesting(void)
{
	expect_nesting(1000, true);
	expect_nesting(CURFEW__JSON_DEPTH, true);
	expect_nesting(CURFEW__JSON_DEPTH + 1, false);
	expect_nesting(1000000, false);
}

static void test_checker_tells_brackets_apart_at_any_depth(void)
{
	char text[2048];
	for (size_t depth = 1; depth < 40; depth++) {
		size_t length = 0;
		for (size_t i = 0; i < depth; i++)
			length += (size_t)snprintf(text + length, sizeof text - length, "%s", i % 3 == 0 ? "{\"a\":" : "[");
		text[length++] = '1';
		for (size_t i = depth; i-- > 0;)
			text[length++] = i % 3 == 0 ? '}' : ']';
		CHECK(curfew__json_check(text, length, NULL, NULL));
		text[length - 1] = ']';
		CHECK(!curfew__json_check(text, length, NULL, NULL));
	}
}

static void test_arrays(void)
{
	CHECK(curfew__json_is_array(" \n[1]", 5));
	CHECK(!curfew__json_is_array("{}", 2));
	CHECK(!curfew__json_is_array("  ", 2));
}

static void test_params(void)
{
	curfew_failure failure;
	CHECK_EQUAL(curfew_params_check("[1,2]", 5, &failure), CURFEW_OK);
	CHECK_TEXT(failure.message, "");
	CHECK_EQUAL(curfew_params_check("{}", 2, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, "params: must be a JSON array (at byte 0)");
	CHECK_EQUAL(curfew_params_check("[1e999]", 7, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, "params: a number is out of range (at byte 1)");
	CHECK_EQUAL(curfew_params_check("", 0, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_params_check(NULL, 0, NULL), CURFEW_INVALID);
}

static const harness_test tests[] = {
	{"writer_puts_commas", test_writer_puts_commas},
	{"writer_escapes", test_writer_escapes},
	{"writer_is_capped", test_writer_is_capped},
	{"writer_keeps_a_prefix", test_writer_keeps_a_prefix},
	{"checker_accepts", test_checker_accepts},
	{"checker_refuses", test_checker_refuses},
	{"checker_reads_no_further_than_the_length", test_checker_reads_no_further_than_the_length},
	{"checker_stops_between_pieces", test_checker_stops_between_pieces},
	{"numbers", test_numbers},
	{"reader", test_reader},
	{"checker_bounds_nesting", test_checker_bounds_nesting},
	{"checker_tells_brackets_apart_at_any_depth", test_checker_tells_brackets_apart_at_any_depth},
	{"arrays", test_arrays},
	{"params", test_params},
};

HARNESS_MAIN(tests)
