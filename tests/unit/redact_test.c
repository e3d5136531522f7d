/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets are taken out of texts, however they are cut into pieces, and JSON stays JSON. */
#include "base/json.h"
#include "host/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECRET(name, value) {name, value, sizeof(value) - 1}

static const curfew_secret few[] = {
	SECRET("TOKEN", "hunter2hunter"), SECRET("LONG", "hunter2hunter-and-more"), SECRET("PEM", "-----\n\"key\"\\\x01-----\n"),
	SECRET("PIN", "73313"), SECRET("SHORT", "abc"), SECRET("PAIR", "{\"a\":[1,2]}"), SECRET("GREEK", "κλειδί ☃ 𝄞"),
	SECRET("AFTER", "more-of-it"),
};

static curfew__redactor *make_redactor(void)
{
	curfew__redactor *redactor = curfew__redactor_create(few, sizeof few / sizeof few[0]);
	assert_non_null(redactor);
	return redactor;
}

static void expect_text(const curfew__redactor *redactor, const char *text, bool cut, const char *expected)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	assert_true(curfew__redact_text(redactor, &buffer, text, strlen(text), cut));
	assert_string_equal(buffer.data != NULL ? buffer.data : "", expected);
	curfew__buffer_finish(&buffer);
}

static void test_takes_out(void **state)
{
	(void)state;
	curfew__redactor *r = make_redactor();
	expect_text(r, "", false, "");
	expect_text(r, "nothing in here", false, "nothing in here");
	expect_text(r, "a hunter2hunter b", false, "a [secret TOKEN] b");
	expect_text(r, "hunter2hunter-and-more", false, "[secret LONG]");
	expect_text(r, "hunter2hunter-and-mor", false, "[secret TOKEN]-and-mor");
	expect_text(r, "hunter2hunterhunter2hunter", false, "[secret TOKEN][secret TOKEN]");
	expect_text(r, "hunter2hunter2hunter", false, "[secret TOKEN]");
	expect_text(r, "abc", false, "abc");
	expect_text(r, "hunter2hunte", false, "hunter2hunte");
	curfew__redactor_destroy(r);
}

static void test_leaves_nothing_of_those_that_overlap(void **state)
{
	(void)state;
	curfew__redactor *r = make_redactor();
	expect_text(r, "<hunter2hunter-and-more-of-it>", false, "<[secret LONG]>");
	curfew__redactor_destroy(r);
}

static void test_a_cut_text_shows_no_beginning(void **state)
{
	(void)state;
	curfew__redactor *r = make_redactor();
	expect_text(r, "x hunter2hunte", true, "x [secret TOKEN]");
	expect_text(r, "x hun", true, "x hun");
	expect_text(r, "x hunter2hunter-and", true, "x [secret LONG]");
	expect_text(r, "all of it: 73313", true, "all of it: [secret PIN]");
	curfew__redactor_destroy(r);
}

static void test_knows_other_forms(void **state)
{
	(void)state;
	curfew__redactor *r = make_redactor();
	expect_text(r, "{\"pem\":\"-----\\n\\\"key\\\"\\\\\\u0001-----\\n\"}", false, "{\"pem\":\"[secret PEM]\"}");
	expect_text(r, "q=%CE%BA%CE%BB%CE%B5%CE%B9%CE%B4%CE%AF%20%E2%98%83%20%F0%9D%84%9E&", false, "q=[secret GREEK]&");
	/* base64 of "hunter2hunter", and of it behind one and two more bytes. */
	expect_text(r, "Basic aHVudGVyMmh1bnRlcg==", false, "Basic [secret TOKEN]g==");
	expect_text(r, "Basic Omh1bnRlcjJodW50ZXI=", false, "Basic Om[secret TOKEN]I=");
	expect_text(r, "Basic YTpodW50ZXIyaHVudGVy", false, "Basic YTp[secret TOKEN]");
	curfew__redactor_destroy(r);
}

static void test_forms_of_the_console(void **state)
{
	(void)state;
	static const curfew_secret keys[] = {SECRET("KEY", "-- BEGIN A KEY --\nAAAABBBBCCCCDDDD\nEE\n"), SECRET("ODD", "a\tb\x1b\"(\xc2\x85)")};
	curfew__redactor *r = curfew__redactor_create(keys, 2);
	expect_text(r, "[ '-- BEGIN A KEY --\\nAAAABBBBCCCCDDDD\\nEE\\n' ]", false, "[ '[secret KEY]' ]");
	expect_text(r, "  '-- BEGIN A KEY --\\n' +\n    'AAAABBBBCCCCDDDD\\n' +\n  'EE\\n'", false,
	            "  '[secret KEY]\\n' +\n    '[secret KEY]\\n' +\n  'EE\\n'");
	expect_text(r, "'a\\tb\\x1B\"(\\x85)' a?b?\"?\xc2\x85?", false, "'[secret ODD]' [secret ODD]");
	curfew__redactor_destroy(r);
}

static void test_base64_for_urls(void **state)
{
	(void)state;
	static const curfew_secret odd[] = {SECRET("ODD", "~~~???~~~???")};
	curfew__redactor *r = curfew__redactor_create(odd, 1);
	expect_text(r, "fn5+Pz8/fn5+Pz8/", false, "[secret ODD]");
	expect_text(r, "fn5-Pz8_fn5-Pz8_", false, "[secret ODD]");
	curfew__redactor_destroy(r);
}

static void test_no_secrets(void **state)
{
	(void)state;
	curfew__redactor *r = curfew__redactor_create(NULL, 0);
	expect_text(r, "anything", false, "anything");
	curfew__redactor_destroy(r);
	curfew__redactor_destroy(NULL);
}

/* ---- JSON ------------------------------------------------------------------------------------------------ */

static void expect_json(const char *json, const char *expected)
{
	curfew__redactor *r = make_redactor();
	curfew__buffer buffer;
	assert_true(curfew__json_check(json, strlen(json), NULL, NULL));
	curfew__buffer_init(&buffer, SIZE_MAX);
	assert_true(curfew__redact_json(r, &buffer, json, strlen(json)));
	assert_string_equal(buffer.data, expected);
	assert_true(curfew__json_check(buffer.data, buffer.length, NULL, NULL));
	curfew__buffer_finish(&buffer);
	curfew__redactor_destroy(r);
}

static void test_json(void **state)
{
	(void)state;
	expect_json("{\"a\":[1,\"x\",null,true,-1.5e3],\"\":\"\\ud800\\n\"}", "{\"a\":[1,\"x\",null,true,-1.5e3],\"\":\"\\ud800\\n\"}");
	expect_json("\"hunter2hunter\"", "\"[secret TOKEN]\"");
	expect_json("{\"hunter2hunter\":\" hunter2hunter \"}", "{\"[secret TOKEN]\":\" [secret TOKEN] \"}");
	expect_json("\"\\u0068unter2hunter\\n\"", "\"[secret TOKEN]\\n\"");
	expect_json("\"-----\\n\\\"key\\\"\\\\\\u0001-----\\n\"", "\"[secret PEM]\"");
	expect_json("\"\\u03ba\\u03BBειδί \\u2603 \\ud834\\udd1e\"", "\"[secret GREEK]\"");
	expect_json("[73313, 173313.5, 7331]", "[\"[secret PIN]\", \"1[secret PIN].5\", 7331]");
	/* JSON inside a string of JSON. */
	expect_json("\"{\\\"a\\\":\\\"-----\\\\n\\\\\\\"key\\\\\\\"\\\\\\\\\\\\u0001-----\\\\n\\\"}\"", "\"{\\\"a\\\":\\\"[secret PEM]\\\"}\"");
}

static void test_json_that_is_a_secret(void **state)
{
	(void)state;
	expect_json("{\"a\":[1,2]}", "\"[secret PAIR]\"");
	expect_json("[{\"a\":[1,2]},\"hunter2hunter\"]", "\"[secret PAIR]\"");
	expect_json("{\"a\":[1,3]}", "{\"a\":[1,3]}");
}

/* ---- Pieces, and a simple search to compare with ---------------------------------------------------------- */

static uint32_t next_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * UINT64_C(2685821657736338717)) >> 32);
}

enum { SECRETS = 6, TEXT_MOST = 200 };

typedef struct trial {
	char names[SECRETS][24];
	char values[SECRETS][24];
	curfew_secret secrets[SECRETS];
	size_t count;
	char text[TEXT_MOST + 1];
	size_t length;
} trial;

/* Letters that are few make overlaps many. None is changed by JSON or in a URL, and base64 of them has other ones. */
static void make_trial(trial *t, uint64_t *seed)
{
	unsigned letters = 1 + next_random(seed) % 3;
	t->count = 1 + next_random(seed) % SECRETS;
	for (size_t i = 0; i < t->count; i++) {
		size_t length = 1 + next_random(seed) % 12;
		for (size_t at = 0; at < length; at++)
			t->values[i][at] = (char)('a' + next_random(seed) % letters);
		(void)snprintf(t->names[i], sizeof t->names[i], "S%zu", i);
		t->secrets[i] = (curfew_secret){t->names[i], t->values[i], length};
	}
	t->length = next_random(seed) % TEXT_MOST;
	for (size_t at = 0; at < t->length; at++)
		t->text[at] = (char)('a' + next_random(seed) % (letters + 1));
}

/* Every byte of every occurrence goes; occurrences that overlap are one, named by the longest value found first. */
static void redact_simply(const trial *t, curfew__buffer *out)
{
	for (size_t at = 0; at < t->length;) {
		size_t end = at;
		const curfew_secret *longest = NULL;
		for (size_t start = at; start < t->length && (start == at || start < end); start++) {
			for (size_t i = 0; i < t->count; i++) {
				const curfew_secret *s = &t->secrets[i];
				bool here = s->value_length >= CURFEW__REDACT_LEAST && s->value_length <= t->length - start &&
				            memcmp(t->text + start, s->value, s->value_length) == 0;
				if (here && start + s->value_length > end)
					end = start + s->value_length;
				if (here && (longest == NULL || s->value_length > longest->value_length))
					longest = s;
			}
		}
		if (longest != NULL)
			curfew__buffer_printf(out, "[secret %zu]", longest->value_length);
		else
			curfew__buffer_add(out, &t->text[end = at], 1);
		at = longest != NULL ? end : at + 1;
	}
}

/* Names of equal length are as good as each other: the length of the value stands for the name. */
static void redact_in_pieces(const trial *t, uint64_t *seed, curfew__buffer *out)
{
	char labels[SECRETS][8];
	curfew_secret secrets[SECRETS];
	for (size_t i = 0; i < t->count; i++) {
		(void)snprintf(labels[i], sizeof labels[i], "%zu", t->secrets[i].value_length);
		secrets[i] = (curfew_secret){labels[i], t->secrets[i].value, t->secrets[i].value_length};
	}
	curfew__redactor *r = curfew__redactor_create(secrets, t->count);
	assert_non_null(r);
	curfew__redact_stream stream;
	curfew__redact_init(&stream, r, (curfew__redact_sink)curfew__buffer_add, out);
	for (size_t at = 0; at < t->length;) {
		size_t piece = next_random(seed) % 9;
		piece = piece < t->length - at ? piece : t->length - at;
		/* Each piece is in memory of its own, so that reading beyond it is seen. */
		char *copy = malloc(piece + 1);
		memcpy(copy, t->text + at, piece);
		assert_true(curfew__redact_write(&stream, copy, piece));
		free(copy);
		at += piece;
	}
	assert_true(curfew__redact_end(&stream, false));
	curfew__redactor_destroy(r);
}

static void test_any_pieces_give_the_same(void **state)
{
	(void)state;
	uint64_t seed = 20260101;
	for (int i = 0; i < 20000; i++) {
		trial t = {.count = 0};
		curfew__buffer expected, seen;
		curfew__buffer_init(&expected, SIZE_MAX);
		curfew__buffer_init(&seen, SIZE_MAX);
		make_trial(&t, &seed);
		redact_simply(&t, &expected);
		redact_in_pieces(&t, &seed, &seen);
		assert_string_equal(seen.data != NULL ? seen.data : "", expected.data != NULL ? expected.data : "");
		curfew__buffer_finish(&expected);
		curfew__buffer_finish(&seen);
	}
}

/* What is held back for longest: a text that is nearly the secret again and again. */
static void test_long_secrets(void **state)
{
	(void)state;
	size_t length = CURFEW_SECRET_BYTES;
	char *value = malloc(length);
	memset(value, 'a', length);
	value[length - 1] = 'b';
	const curfew_secret secret = {"BIG", value, length};
	curfew__redactor *r = curfew__redactor_create(&secret, 1);
	curfew__buffer out;
	curfew__buffer_init(&out, SIZE_MAX);
	curfew__redact_stream stream;
	curfew__redact_init(&stream, r, (curfew__redact_sink)curfew__buffer_add, &out);
	for (int i = 0; i < 300000; i++)
		assert_true(curfew__redact_write(&stream, "a", 1));
	assert_true(out.length >= 300000 - length && out.length <= 300000 - length + 1);
	assert_true(curfew__redact_write(&stream, "b!", 2));
	assert_true(curfew__redact_end(&stream, false));
	assert_int_equal(out.length, 300001 - length + strlen("[secret BIG]!"));
	assert_memory_equal(out.data + 300001 - length, "[secret BIG]!", 13);
	curfew__buffer_finish(&out);
	curfew__redactor_destroy(r);
	free(value);
}

static void test_stops_with_its_sink(void **state)
{
	(void)state;
	curfew__redactor *r = make_redactor();
	curfew__buffer out;
	curfew__buffer_init(&out, 10);
	assert_false(curfew__redact_text(r, &out, "12345 hunter2hunter", 19, false));
	assert_string_equal(out.data, "12345 [sec");
	curfew__buffer_finish(&out);
	curfew__redactor_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_out),
		cmocka_unit_test(test_leaves_nothing_of_those_that_overlap),
		cmocka_unit_test(test_a_cut_text_shows_no_beginning),
		cmocka_unit_test(test_knows_other_forms),
		cmocka_unit_test(test_forms_of_the_console),
		cmocka_unit_test(test_base64_for_urls),
		cmocka_unit_test(test_no_secrets),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_that_is_a_secret),
		cmocka_unit_test(test_any_pieces_give_the_same),
		cmocka_unit_test(test_long_secrets),
		cmocka_unit_test(test_stops_with_its_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
