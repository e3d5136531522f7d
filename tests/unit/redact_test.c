/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets are removed from texts, however these are divided into pieces, and JSON stays valid. */
#include "../harness.h"
#include "common/json.h"
#include "common/utf8.h"
#include "host/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET(name, value)                                                                                            \
	{                                                                                                                  \
		name, value, sizeof(value) - 1                                                                                 \
	}

static const curfew_secret few[] = {
	SECRET("TOKEN", "hunter2hunter"),
	SECRET("LONG", "hunter2hunter-and-more"),
	SECRET("PEM", "-----\n\"key\"\\\x01-----\n"),
	SECRET("PIN", "73313"),
	SECRET("SHORT", "abc"),
	SECRET("PAIR", "{\"a\":[1,2]}"),
	SECRET("GREEK", "κλειδί ☃ 𝄞"),
	SECRET("AFTER", "more-of-it"),
};

static curfew__redactors *shared;

static void *open_shared(void)
{
	shared = curfew__redactors_create();
	CHECK(shared != NULL);
	return shared;
}

/* Every test has released its tables. */
static void close_shared(void *state)
{
	(void)state;
	CHECK_EQUAL(curfew__redactors_count(shared), 0);
	curfew__redactors_destroy(shared);
}

static curfew__redactor *build(const curfew_secret *secrets, size_t count)
{
	curfew__redactor *redactor = curfew__redactors_get(shared, secrets, count);
	CHECK(redactor != NULL);
	while (curfew__redactor_build(redactor) == CURFEW__REDACTOR_BUILDING)
		;
	CHECK(curfew__redactor_is_ready(redactor));
	return redactor;
}

static curfew__redactor *make_redactor(void)
{
	return build(few, sizeof few / sizeof few[0]);
}

static void expect_text(const curfew__redactor *redactor, const char *text, bool cut, const char *expected)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	CHECK(curfew__redact_text(redactor, &buffer, text, strlen(text), cut));
	CHECK_TEXT(buffer.data != NULL ? buffer.data : "", expected);
	curfew__buffer_finish(&buffer);
}

static void test_takes_out(void)
{
	/* Claim L77. */
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
	curfew__redactor_unref(r);
}

static void test_leaves_nothing_of_those_that_overlap(void)
{
	curfew__redactor *r = make_redactor();
	expect_text(r, "<hunter2hunter-and-more-of-it>", false, "<[secret LONG]>");
	curfew__redactor_unref(r);
}

static void test_a_cut_text_shows_no_beginning(void)
{
	/* Claim L80. */
	curfew__redactor *r = make_redactor();
	expect_text(r, "x hunter2hunte", true, "x [secret TOKEN]");
	expect_text(r, "x hun", true, "x hun");
	expect_text(r, "x hunter2hunter-and", true, "x [secret LONG]");
	expect_text(r, "all of it: 73313", true, "all of it: [secret PIN]");
	curfew__redactor_unref(r);
}

static void test_knows_other_forms(void)
{
	curfew__redactor *r = make_redactor();
	expect_text(r, "{\"pem\":\"-----\\n\\\"key\\\"\\\\\\u0001-----\\n\"}", false, "{\"pem\":\"[secret PEM]\"}");
	expect_text(r, "q=%CE%BA%CE%BB%CE%B5%CE%B9%CE%B4%CE%AF%20%E2%98%83%20%F0%9D%84%9E&", false, "q=[secret GREEK]&");
	/* base64 of "hunter2hunter", and of it after one and two more bytes. */
	expect_text(r, "Basic aHVudGVyMmh1bnRlcg==", false, "Basic [secret TOKEN]g==");
	expect_text(r, "Basic Omh1bnRlcjJodW50ZXI=", false, "Basic Om[secret TOKEN]I=");
	expect_text(r, "Basic YTpodW50ZXIyaHVudGVy", false, "Basic YTp[secret TOKEN]");
	curfew__redactor_unref(r);
}

static void test_forms_of_the_console(void)
{
	/* Claim L81. */
	static const curfew_secret keys[] = {SECRET("KEY", "-- BEGIN A KEY --\nAAAABBBBCCCCDDDD\nEE\n"),
	                                     SECRET("ODD", "a\tb\x1b\"(\xc2\x85)")};
	curfew__redactor *r = build(keys, 2);
	expect_text(r, "[ '-- BEGIN A KEY --\\nAAAABBBBCCCCDDDD\\nEE\\n' ]", false, "[ '[secret KEY]' ]");
	expect_text(r, "  '-- BEGIN A KEY --\\n' +\n    'AAAABBBBCCCCDDDD\\n' +\n  'EE\\n'", false, "  '[secret KEY]'");
	expect_text(r, "'a\\tb\\x1B\"(\\x85)' a?b?\"?\xc2\x85?", false, "'[secret ODD]' [secret ODD]");
	curfew__redactor_unref(r);
}

static void test_base64_for_urls(void)
{
	/* Claim L79. */
	static const curfew_secret odd[] = {SECRET("ODD", "~~~???~~~???")};
	curfew__redactor *r = build(odd, 1);
	expect_text(r, "fn5+Pz8/fn5+Pz8/", false, "[secret ODD]");
	expect_text(r, "fn5-Pz8_fn5-Pz8_", false, "[secret ODD]");
	curfew__redactor_unref(r);
}

static void test_no_secrets(void)
{
	curfew__redactor *r = build(NULL, 0);
	expect_text(r, "anything", false, "anything");
	curfew__redactor_unref(r);
	curfew__redactor_unref(NULL);
}

/* ---- JSON ------------------------------------------------------------------------------------------------ */

static void expect_json(const char *json, const char *expected)
{
	curfew__redactor *r = make_redactor();
	curfew__buffer buffer;
	CHECK(curfew__json_check(json, strlen(json), NULL, NULL));
	curfew__buffer_init(&buffer, SIZE_MAX);
	CHECK(curfew__redact_json(r, &buffer, json, strlen(json), NULL));
	CHECK_TEXT(buffer.data, expected);
	CHECK(curfew__json_check(buffer.data, buffer.length, NULL, NULL));
	curfew__buffer_finish(&buffer);
	curfew__redactor_unref(r);
}

static void test_json(void)
{
	/* Claim L81. */
	expect_json("{\"a\":[1,\"x\",null,true,-1.5e3],\"\":\"\\ud800\\n\"}",
	            "{\"a\":[1,\"x\",null,true,-1.5e3],\"\":\"\\ud800\\n\"}");
	expect_json("\"hunter2hunter\"", "\"[secret TOKEN]\"");
	expect_json("{\"hunter2hunter\":\" hunter2hunter \"}", "{\"[secret TOKEN]\":\" [secret TOKEN] \"}");
	expect_json("\"\\u0068unter2hunter\\n\"", "\"[secret TOKEN]\\n\"");
	expect_json("\"-----\\n\\\"key\\\"\\\\\\u0001-----\\n\"", "\"[secret PEM]\"");
	expect_json("\"\\u03ba\\u03BBειδί \\u2603 \\ud834\\udd1e\"", "\"[secret GREEK]\"");
	expect_json("[73313, 173313.5, 7331]", "[\"[secret PIN]\", \"1[secret PIN].5\", 7331]");
	/* JSON inside a string of JSON. */
	expect_json("\"{\\\"a\\\":\\\"-----\\\\n\\\\\\\"key\\\\\\\"\\\\\\\\\\\\u0001-----\\\\n\\\"}\"",
	            "\"{\\\"a\\\":\\\"[secret PEM]\\\"}\"");
}

static void test_json_that_is_a_secret(void)
{
	expect_json("{\"a\":[1,2]}", "\"[secret PAIR]\"");
	expect_json("[{\"a\":[1,2]},\"hunter2hunter\"]", "\"[secret PAIR]\"");
	expect_json("{\"a\":[1,3]}", "{\"a\":[1,3]}");
}

/* A stop arrives while a large text is searched: the rest is left out. */
static void test_json_that_is_stopped(void)
{
	/* Claim L47. */
	enum { LENGTH = 1 << 20 };
	char *json = malloc(LENGTH);
	memset(json, 'h', LENGTH);
	json[0] = json[LENGTH - 1] = '"';
	curfew__redactor *r = make_redactor();
	curfew__buffer buffer;
	atomic_uint stop = 1;
	curfew__buffer_init(&buffer, SIZE_MAX);
	CHECK(!curfew__redact_json(r, &buffer, json, LENGTH, &stop));
	curfew__buffer_finish(&buffer);
	stop = 0;
	curfew__buffer_init(&buffer, SIZE_MAX);
	CHECK(curfew__redact_json(r, &buffer, json, LENGTH, &stop));
	CHECK_EQUAL(buffer.length, LENGTH);
	curfew__buffer_finish(&buffer);
	curfew__redactor_unref(r);
	free(json);
}

/* ---- Pieces, compared with a simple search ----------------------------------------------------------------- */

static uint32_t next_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * UINT64_C(2685821657736338717)) >> 32);
}

enum { SECRETS = 6, TEXT_MAX = 200 };

typedef struct trial {
	char names[SECRETS][24];
	char values[SECRETS][24];
	curfew_secret secrets[SECRETS];
	size_t count;
	char text[TEXT_MAX + 1];
	size_t length;
} trial;

/* Few different letters make many overlaps. JSON and URLs do not change them, and their base64 has other letters. */
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
	t->length = next_random(seed) % TEXT_MAX;
	for (size_t at = 0; at < t->length; at++)
		t->text[at] = (char)('a' + next_random(seed) % (letters + 1));
}

/*
 * Every byte of every occurrence is removed. Overlapping occurrences count as one, named by the longest value found
 * first.
 */
static void redact_simply(const trial *t, curfew__buffer *out)
{
	for (size_t at = 0; at < t->length;) {
		size_t end = at;
		const curfew_secret *longest = NULL;
		for (size_t start = at; start < t->length && (start == at || start < end); start++) {
			for (size_t i = 0; i < t->count; i++) {
				const curfew_secret *s = &t->secrets[i];
				bool here = s->value_length >= CURFEW__REDACT_MIN && s->value_length <= t->length - start &&
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

/* Names of equal length are equivalent: the length of the value stands for the name. */
static void redact_in_pieces(const trial *t, uint64_t *seed, curfew__buffer *out)
{
	char labels[SECRETS][8];
	curfew_secret secrets[SECRETS];
	for (size_t i = 0; i < t->count; i++) {
		(void)snprintf(labels[i], sizeof labels[i], "%zu", t->secrets[i].value_length);
		secrets[i] = (curfew_secret){labels[i], t->secrets[i].value, t->secrets[i].value_length};
	}
	curfew__redactor *r = build(secrets, t->count);
	curfew__redact_stream stream;
	curfew__redact_init(&stream, r, (curfew__redact_sink)curfew__buffer_add, out);
	for (size_t at = 0; at < t->length;) {
		size_t piece = next_random(seed) % 9;
		piece = piece < t->length - at ? piece : t->length - at;
		/* Each piece has an allocation of its own, so that a read beyond it is detected. */
		char *copy = malloc(piece + 1);
		memcpy(copy, t->text + at, piece);
		CHECK(curfew__redact_write(&stream, copy, piece));
		free(copy);
		at += piece;
	}
	CHECK(curfew__redact_end(&stream, false));
	curfew__redact_finish(&stream);
	curfew__redactor_unref(r);
}

static void test_any_pieces_give_the_same(void)
{
	/* Claim L83. */
	uint64_t seed = 20260101;
	for (int i = 0; i < 20000; i++) {
		trial t = {.count = 0};
		curfew__buffer expected, seen;
		curfew__buffer_init(&expected, SIZE_MAX);
		curfew__buffer_init(&seen, SIZE_MAX);
		make_trial(&t, &seed);
		redact_simply(&t, &expected);
		redact_in_pieces(&t, &seed, &seen);
		CHECK_TEXT(seen.data != NULL ? seen.data : "", expected.data != NULL ? expected.data : "");
		curfew__buffer_finish(&expected);
		curfew__buffer_finish(&seen);
	}
}

/* ---- Encoders, applied one after the other ----------------------------------------------------------------- */

enum { ENCODED_MAX = 1 << 16 };

static size_t put_text(char *out, size_t at, const char *text)
{
	size_t length = strlen(text);
	memcpy(out + at, text, length);
	return at + length;
}

/*
 * Like JSON.stringify, or like the console with one of its quotation marks. Quotes that need no backslash may have one.
 */
static size_t encode_quoted(const char *text, size_t length, char quote, bool more_backslashes, char *out)
{
	static const char specials[] = "\n\r\t\b\f";
	size_t at = 0;
	out[at++] = quote;
	for (size_t i = 0; i < length; i++) {
		char escape[8];
		const char *special = memchr(specials, text[i], sizeof specials - 1);
		if (special != NULL)
			(void)snprintf(escape, sizeof escape, "\\%c", "nrtbf"[special - specials]);
		else if (text[i] == quote || text[i] == '\\' || (more_backslashes && strchr("'\"`", text[i]) != NULL))
			(void)snprintf(escape, sizeof escape, "\\%c", text[i]);
		else if ((unsigned char)text[i] < ' ')
			(void)snprintf(escape, sizeof escape, quote == '"' ? "\\u%04x" : "\\x%02X", (unsigned)text[i]);
		else
			(void)snprintf(escape, sizeof escape, "%c", text[i]);
		at = put_text(out, at, escape);
	}
	out[at++] = quote;
	return at;
}

/* Keeps some bytes, and writes '+' for a space in forms. Other bytes become %XX, or what the function writes. */
static size_t encode_percent(const char *text, size_t length, const char *kept, bool for_forms, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t at = 0;
	for (size_t i = 0; i < length; i++) {
		bool is_kept = text[i] != '\0' && (strchr(letters, text[i]) != NULL || strchr(kept, text[i]) != NULL);
		if (for_forms && text[i] == ' ')
			out[at++] = '+';
		else if (is_kept)
			out[at++] = text[i];
		else
			at += (size_t)sprintf(out + at, "%%%02X", (unsigned char)text[i]);
	}
	return at;
}

/* Paths and queries of a URL lose line breaks and tabs, and backslashes of a path become slashes. */
static size_t encode_url(const char *text, size_t length, bool is_path, char *out)
{
	char kept[ENCODED_MAX];
	size_t count = 0;
	for (size_t i = 0; i < length; i++) {
		if (strchr("\n\r\t", text[i]) == NULL)
			kept[count++] = is_path && text[i] == '\\' ? '/' : text[i];
	}
	return encode_percent(kept, count, is_path ? "!$%&'()*+,-./:;=@[]\\^_|~" : "!$%&()*+,-./:;=?@[]\\^_`{|}~", false,
	                      out);
}

/* Like the console's groups. */
static size_t encode_indented(const char *text, size_t length, size_t spaces, char *out)
{
	size_t at = 0;
	for (size_t i = 0; i < length; i++) {
		out[at++] = text[i];
		for (size_t n = 0; text[i] == '\n' && n < spaces; n++)
			out[at++] = ' ';
	}
	return at;
}

static size_t encode_escape(const char *text, size_t length, char *out)
{
	size_t at = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte >= 0xc2 && byte <= 0xc3 && i + 1 < length)
			at += (size_t)sprintf(out + at, "%%%02X", (byte & 3) << 6 | (text[++i] & 0x3f));
		else if (byte >= 0xe0 && i + 2 < length)
			at += (size_t)sprintf(out + at, "%%u%04X",
			                      (byte & 15) << 12 | (text[i + 1] & 0x3f) << 6 | (text[i + 2] & 0x3f)),
				i += 2;
		else
			at += encode_percent(text + i, 1, "@*_+-./", false, out + at);
	}
	return at;
}

/* Like a name in a stack. */
static size_t encode_name(const char *text, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == '(' || text[i] == ')' ? '?' : text[i];
	return length;
}

enum { ENCODERS = 13 };

static size_t encode(unsigned which, const char *text, size_t length, char *out)
{
	switch (which) {
	case 0: return encode_quoted(text, length, '"', false, out);
	case 1: return encode_quoted(text, length, '\'', false, out);
	case 2: return encode_quoted(text, length, '`', false, out);
	case 3: return encode_quoted(text, length, '\'', true, out);
	case 4: return encode_percent(text, length, "-_.!~*'()", false, out);
	case 5: return encode_percent(text, length, "-_.!~*'();/?:@&=+$,#", false, out);
	case 6: return encode_percent(text, length, "*-._", true, out);
	case 7: return encode_url(text, length, true, out);
	case 8: return encode_url(text, length, false, out);
	case 9: return encode_indented(text, length, 2, out);
	case 10: return encode_indented(text, length, 8, out);
	case 11: return encode_name(text, length, out);
	default: memcpy(out, text, length); return length;
	}
}

/* Only the secret has capital letters. The rest of an escape, or of a value that is only partly visible, has digits. */
static void expect_no_capitals(const char *what, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		bool is_capital = *at >= 'G' && *at <= 'Z';
		if (is_capital)
			(void)fprintf(stderr, "%s\nleft: %s\n", what, text);
		CHECK(!is_capital);
	}
	CHECK(strstr(text, "[secret s]") != NULL);
}

/* Letters G to Z, and characters that encoders change. */
static size_t make_value(uint64_t *seed, char *value)
{
	static const char *const parts[] = {
		"\n", "\t",   " ",        "\"",           "'", "`", "\\", "/", "%", "+", "&", "=", "(", ")", "?",
		"#",  "\x1b", "\xc3\xa9", "\xe2\x82\xac", "{", ":", "@",  "~", "!", "<", "n", "u", "x"};
	size_t length = 0;
	for (unsigned i = 0, count = 8 + next_random(seed) % 30; i < count; i++) {
		value[length++] = (char)('G' + next_random(seed) % 20);
		if (next_random(seed) % 2 == 0 && i + 1 < count)
			length = put_text(value, length, parts[next_random(seed) % (sizeof parts / sizeof parts[0])]);
	}
	return length;
}

static void test_any_encoders_in_any_order(void)
{
	/* Claim L78. */
	static char text[ENCODED_MAX], next[ENCODED_MAX];
	uint64_t seed = 20261130;
	for (int i = 0; i < 4000; i++) {
		char value[256], what[256] = "";
		size_t length = make_value(&seed, value);
		const curfew_secret secret = {"s", value, length};
		curfew__redactor *r = build(&secret, 1);
		memcpy(text, value, length);
		for (unsigned levels = next_random(&seed) % 4, level = 0; level < levels; level++) {
			unsigned which = next_random(&seed) % ENCODERS;
			/* In a path the backslashes of another encoder become slashes, and their meaning is lost. */
			which += which == 7 && level > 0;
			length = encode(which, text, length, next);
			memcpy(text, next, length);
			(void)sprintf(what + strlen(what), "%u ", which);
		}
		(void)snprintf(what + strlen(what), sizeof what - strlen(what), "<%.*s>", (int)secret.value_length, value);
		curfew__buffer out;
		curfew__buffer_init(&out, SIZE_MAX);
		curfew__redact_stream stream;
		curfew__redact_init(&stream, r, (curfew__redact_sink)curfew__buffer_add, &out);
		CHECK(curfew__redact_write(&stream, "a=", 2));
		for (size_t at = 0; at < length;) {
			size_t piece = 1 + next_random(&seed) % 40;
			piece = piece < length - at ? piece : length - at;
			CHECK(curfew__redact_write(&stream, text + at, piece));
			at += piece;
		}
		CHECK(curfew__redact_write(&stream, "&b", 2) && curfew__redact_end(&stream, false));
		expect_no_capitals(what, out.data);
		curfew__redact_finish(&stream);
		curfew__buffer_finish(&out);
		curfew__redactor_unref(r);
	}
}

static void test_escape(void)
{
	/* Claim L78. */
	static const curfew_secret odd = SECRET("s", "GH\xc3\xa9/J \xe2\x82\xac@K\xc3\xbcL");
	char text[256] = "a=";
	curfew__redactor *r = build(&odd, 1);
	size_t length = 2 + encode_escape(odd.value, odd.value_length, text + 2);
	text[length] = '\0';
	expect_text(r, text, false, "a=[secret s]");
	curfew__redactor_unref(r);
}

/* Text that only resembles the secret passes unchanged, though much of it is removed. */
static void test_texts_that_only_look_alike(void)
{
	static const curfew_secret given[] = {SECRET("PIN", "1234"), SECRET("DASH", "12+56"),
	                                      SECRET("PATH", "/srv/data/key-7")};
	curfew__redactor *r = build(given, 3);
	expect_text(r, "12 34, 12/34, 1 2 3 4, '12' + '34'", false, "12 34, 12/34, 1 2 3 4, '12' + '34'");
	expect_text(r, "%31%32%33%34 \\x31234 1256", false, "[secret PIN] [secret PIN] 1256");
	expect_text(r, "12%2B56 12 56", false, "[secret DASH] [secret DASH]");
	expect_text(r, "50%1234 C:\\1234 \\u12341234", false,
	            "50%[secret PIN] C:\\[secret PIN] \\u[secret PIN][secret PIN]");
	expect_text(r, "/srv/data/key-8 /srv/data/key-7", false, "/srv/data/key-8 [secret PATH]");
	expect_text(r, "100% \\ % %2 %zz \\u12 \\", false, "100% \\ % %2 %zz \\u12 \\");
	curfew__redactor_unref(r);
}

/* A string that the console has truncated is marked; its beginning is that of the secret. */
static void test_strings_that_the_console_cut(void)
{
	/* Claim L80. */
	static const curfew_secret odd = SECRET("KEY", "first \"half\"\nand the second one");
	curfew__redactor *r = build(&odd, 1);
	expect_text(r, "[ 'say: first \"half\"\\nand the'... 11 more characters ]", false,
	            "[ 'say: [secret KEY]'... 11 more characters ]");
	expect_text(r, "`first \"ha`... 20 more characters", false, "`[secret KEY]`... 20 more characters");
	expect_text(r, "'first'...", false, "'first'...");
	expect_text(r, "'first', 'x'... 5 more characters", false, "'first', 'x'... 5 more characters");
	curfew__redactor_unref(r);
}

static void test_hexadecimal_and_long_base64(void)
{
	/* Claim L79. */
	char value[201], text[600] = "x ";
	for (int i = 0; i < 200; i++)
		value[i] = (char)('a' + i * 7 % 26);
	const curfew_secret secret = {"s", value, 200};
	curfew__redactor *r = build(&secret, 1);
	for (int i = 0; i < 200; i++)
		(void)sprintf(text + 2 + 2 * i, "%02x", (unsigned)value[i]);
	strcat(text, " y");
	expect_text(r, text, false, "x [secret s]y");
	for (int i = 0; i < 60; i++)
		(void)sprintf(text + 2 + 3 * i, "%02X ", (unsigned)value[i]);
	text[2 + 3 * 60] = '\0';
	expect_text(r, text, false, "x [secret s]");
	curfew__redactor_unref(r);
}

/* Values of the minimum length, and values in Latin-1, which is what btoa() encodes. */
static void test_base64_of_any_value(void)
{
	/* Claim L79. */
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const curfew_secret given[] = {
		SECRET("s", "hunt"), SECRET("s", "hun\xff\xbe"), SECRET("s", "hunter2"), SECRET("s", "p\xe4ssw\xf6rt"),
		SECRET("s", "\xfcjust-as-many-bytes-as-needed-\xe4\xf6\xfc\xe4\xf6\xfc-yes-\xe9\xe8\xe9")};
	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
		char utf8[128], text[160], encoded[256], hex[256];
		size_t length = 0;
		for (size_t at = 0; at < given[i].value_length; at++)
			length += curfew__utf8_encode((unsigned char)given[i].value[at], utf8 + length);
		curfew__redactor *r = build(&(curfew_secret){"s", utf8, length}, 1);
		for (unsigned before = 0; before < 3; before++) {
			for (int is_latin1 = 0; is_latin1 < 2; is_latin1++) {
				const char *value = is_latin1 ? given[i].value : utf8;
				size_t count = is_latin1 ? given[i].value_length : length, at = 0, used = 0;
				memset(text, 0, sizeof text);
				memcpy(text + before, value, count);
				for (; at < (before + count) * 8 / 6; at++) {
					unsigned pair = (unsigned)(unsigned char)text[at * 6 / 8] << 8 |
					                (unsigned char)text[at * 6 / 8 + 1];
					encoded[at] = digits[pair >> (10 - at * 6 % 8) & 63];
				}
				encoded[at] = '\0';
				curfew__buffer buffer;
				curfew__buffer_init(&buffer, SIZE_MAX);
				CHECK(curfew__redact_text(r, &buffer, encoded, at, false));
				/* The digits at either end depend on what is beside the value. */
				if (buffer.length > strlen("[secret s]") + before + 1 || strstr(buffer.data, "[secret s]") == NULL)
					harness_fail("%s: %s is left as %s\n", given[i].value, encoded, buffer.data);
				curfew__buffer_finish(&buffer);
				for (at = 0; at < count; at++)
					used += (size_t)sprintf(hex + used, "%02x", (unsigned char)value[at]);
				expect_text(r, hex, false, "[secret s]");
			}
		}
		curfew__redactor_unref(r);
	}
}

/* Other secrets of the same letters, or text behind a value that ends in a percent sign, hide no secret. */
static void test_secrets_that_hide_others(void)
{
	/* Claim L78. */
	static const curfew_secret alike[] = {SECRET("NEAR", "1256"), SECRET("PLUS", "12+56"), SECRET("LONG", "9 12+567"),
	                                      SECRET("PART", "GHIJKLMNOP%"), SECRET("HALF", "QRSTUVWXYZ%4")};
	curfew__redactor *r = build(alike, sizeof alike / sizeof alike[0]);
	expect_text(r, "12%2B56 %31256 9++12%2B56 9+12%2B567", false,
	            "[secret PLUS] [secret NEAR] 9++[secret PLUS] [secret LONG]");
	expect_text(r, "%47HIJKLMNOP%25ab %47HIJKLMNOP%25 %47HIJKLMNOP%25zz", false,
	            "[secret PART]%25ab [secret PART] [secret PART]zz");
	expect_text(r, "%51RSTUVWXYZ%2541 %51RSTUVWXYZ%254 ", false, "[secret HALF]%2541 [secret HALF] ");
	curfew__redactor_unref(r);
}

/* Indentation of any depth. */
static void test_deep_indentation(void)
{
	/* Claim L78. */
	static const curfew_secret key = SECRET("KEY", "GHIJ\nKLMN\nOPQR\n");
	static char spaces[1001], text[4096];
	memset(spaces, ' ', sizeof spaces - 1);
	curfew__redactor *r = build(&key, 1);
	(void)snprintf(text, sizeof text, "GHIJ\n%sKLMN\n%sOPQR\n!", spaces, spaces);
	expect_text(r, text, false, "[secret KEY]!");
	curfew__redactor_unref(r);
}

static bool count_bytes(void *context, const char *bytes, size_t length)
{
	(void)bytes;
	*(size_t *)context += length;
	return true;
}

/* No text has more than a bounded part of it held back: escapes and gaps that never end, and secrets that overlap. */
static void test_what_is_held_back_is_bounded(void)
{
	/* Claim L83. */
	enum { PIECE = 1 << 12, PIECES = 1 << 10, MOST = 1 << 18 };
	static const struct {
		const char *begin, *repeated;
		bool is_secret;
	} texts[] = {
		{"", "\\", false},         {"%", "25", false},       {"hunter2", " ", false},
		{"hunter2", "%20", false}, {"hunter2", "\\", false}, {"hunter2%", "25", false},
		{"", "aaaa", true},        {"", "aaaa%61\\", true},  {"hunter2\\ud83d", "\\", false},
	};
	static const curfew_secret given[] = {SECRET("s", "hunter2hunter"), SECRET("s", "aaaa")};
	static char piece[PIECE + 16];
	curfew__redactor *r = build(given, 2);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t passed = 0, length = 0;
		curfew__redact_stream stream;
		while (length < PIECE)
			length = put_text(piece, length, texts[i].repeated);
		curfew__redact_init(&stream, r, count_bytes, &passed);
		CHECK(curfew__redact_write(&stream, texts[i].begin, strlen(texts[i].begin)));
		for (int n = 0; n < PIECES; n++)
			CHECK(curfew__redact_write(&stream, piece, length));
		if (stream.held_capacity > MOST || (passed + MOST < PIECES * length && !texts[i].is_secret))
			harness_fail("%s%s...: %zu bytes are held back, %zu have passed\n", texts[i].begin, texts[i].repeated,
			             stream.held_capacity, passed);
		/* Secrets behind it are found. */
		passed = 0;
		CHECK(curfew__redact_write(&stream, " \n!", 3) && curfew__redact_end(&stream, false));
		size_t before = passed;
		CHECK(curfew__redact_write(&stream, "hunter2hunter", 13) && curfew__redact_end(&stream, false));
		CHECK_EQUAL(passed - before, strlen("[secret s]"));
		curfew__redact_finish(&stream);
	}
	curfew__redactor_unref(r);
}

/* ---- Tables ------------------------------------------------------------------------------------------------ */

static void test_tables_are_shared(void)
{
	/* Claim L82. */
	static const curfew_secret same[] = {SECRET("A", "alpha-value"), SECRET("B", "beta-value")},
							   other[] = {SECRET("A", "alpha-valueB")};
	curfew__redactor *a = build(same, 2), *b = build(same, 2), *c = build(other, 1), *d = build(same, 1);
	CHECK(a == b);
	CHECK(c != a && d != a && c != d);
	CHECK_EQUAL(curfew__redactors_count(shared), 3);
	curfew__redactor_unref(a);
	expect_text(b, "alpha-value", false, "[secret A]");
	curfew__redactor_unref(b);
	curfew__redactor_unref(c);
	curfew__redactor_unref(d);
	CHECK_EQUAL(curfew__redactors_count(shared), 0);
	curfew__redactor_unref(NULL);
}

/* The maximum set, in pieces, none of which takes long. */
static void test_the_largest_set(void)
{
	/* Claim L82. */
	enum { COUNT = 256, LENGTH = 1024 };
	static char values[COUNT][LENGTH], names[COUNT][16];
	curfew_secret given[COUNT];
	uint64_t seed = 7;
	for (int i = 0; i < COUNT; i++) {
		for (int at = 0; at < LENGTH; at++)
			values[i][at] = at % 40 == 39 ? '\n' : "\"\\%&{}<>$ab"[next_random(&seed) % 11];
		(void)snprintf(names[i], sizeof names[i], "S%d", i);
		given[i] = (curfew_secret){names[i], values[i], LENGTH};
	}
	curfew__redactor *r = curfew__redactors_get(shared, given, COUNT);
	unsigned pieces = 0;
	while (curfew__redactor_build(r) == CURFEW__REDACTOR_BUILDING)
		pieces++;
	CHECK(curfew__redactor_is_ready(r) && pieces > 20);
	char text[LENGTH + 3] = "x";
	memcpy(text + 1, values[200], LENGTH);
	expect_text(r, text, false, "x[secret S200]");
	curfew__redactor_unref(r);
}

/* Text that is held back for longest: it nearly matches the secret again and again. */
static void test_long_secrets(void)
{
	/* Claim L83. */
	size_t length = CURFEW_SECRET_BYTES;
	char *value = malloc(length);
	memset(value, 'a', length);
	value[length - 1] = 'b';
	const curfew_secret secret = {"BIG", value, length};
	curfew__redactor *r = build(&secret, 1);
	curfew__buffer out;
	curfew__buffer_init(&out, SIZE_MAX);
	curfew__redact_stream stream;
	curfew__redact_init(&stream, r, (curfew__redact_sink)curfew__buffer_add, &out);
	for (int i = 0; i < 300000; i++)
		CHECK(curfew__redact_write(&stream, "a", 1));
	CHECK(out.length >= 300000 - length && out.length <= 300000 - length + 1);
	CHECK(curfew__redact_write(&stream, "b!", 2));
	CHECK(curfew__redact_end(&stream, false));
	curfew__redact_finish(&stream);
	CHECK_EQUAL(out.length, 300001 - length + strlen("[secret BIG]!"));
	CHECK_BYTES(out.data + 300001 - length, "[secret BIG]!", 13);
	curfew__buffer_finish(&out);
	curfew__redactor_unref(r);
	free(value);
}

static void test_stops_with_its_sink(void)
{
	curfew__redactor *r = make_redactor();
	curfew__buffer out;
	curfew__buffer_init(&out, 10);
	CHECK(!curfew__redact_text(r, &out, "12345 hunter2hunter", 19, false));
	CHECK_TEXT(out.data, "12345 [sec");
	curfew__buffer_finish(&out);
	curfew__redactor_unref(r);
}

/* The fixture of each test. */
#define FIXTURE .set_up = open_shared, .tear_down = close_shared

/* The CPU time of this thread for searching a text: the minimum of several attempts. */
static int64_t time_of(const curfew__redactor *redactor, const char *text, size_t length)
{
	int64_t least = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		struct timespec before, after;
		curfew__buffer buffer;
		curfew__buffer_init(&buffer, SIZE_MAX);
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
		CHECK(curfew__redact_text(redactor, &buffer, text, length, false));
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
		curfew__buffer_finish(&buffer);
		int64_t took = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
		least = took < least ? took : least;
	}
	return least;
}

/*
 * Claim L82. Hundreds of secrets with a common beginning, like the keys of one service, and a text of that beginning.
 */
static void test_secrets_that_begin_alike(void)
{
	enum { COUNT = 240, LENGTH = 1 << 19 };
	static char values[COUNT][16], names[COUNT][16], text[LENGTH];
	static curfew_secret secrets[COUNT];
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(names[i], sizeof names[i], "S%d", i);
		(void)snprintf(values[i], sizeof values[i], "aaaa%cxyzt", i < 'a' - 1 ? i + 1 : i + 2);
		secrets[i] = (curfew_secret){names[i], values[i], strlen(values[i])};
	}
	memset(text, 'a', sizeof text);
	curfew__redactor *one = build(secrets, 1), *all = build(secrets, COUNT);
	int64_t with_one = time_of(one, text, sizeof text), with_all = time_of(all, text, sizeof text);
	if (with_all > 6 * with_one)
		harness_fail("a text takes %lld us to search for one secret, and %lld for %d\n", (long long)with_one / 1000,
		             (long long)with_all / 1000, COUNT);
	for (int i = 0; i < COUNT; i++) {
		char expected[64];
		bool is_letter = values[i][4] >= 'a' && values[i][4] <= 'z';
		if (!is_letter)
			continue;
		(void)snprintf(expected, sizeof expected, "[secret %.7s]", names[i]);
		expect_text(all, values[i], false, expected);
	}
	curfew__redactor_unref(one);
	curfew__redactor_unref(all);
}

static const harness_test tests[] = {
	{"takes_out", test_takes_out, FIXTURE},
	{"leaves_nothing_of_those_that_overlap", test_leaves_nothing_of_those_that_overlap, FIXTURE},
	{"a_cut_text_shows_no_beginning", test_a_cut_text_shows_no_beginning, FIXTURE},
	{"knows_other_forms", test_knows_other_forms, FIXTURE},
	{"forms_of_the_console", test_forms_of_the_console, FIXTURE},
	{"base64_for_urls", test_base64_for_urls, FIXTURE},
	{"no_secrets", test_no_secrets, FIXTURE},
	{"json", test_json, FIXTURE},
	{"json_that_is_a_secret", test_json_that_is_a_secret, FIXTURE},
	{"json_that_is_stopped", test_json_that_is_stopped, FIXTURE},
	{"any_pieces_give_the_same", test_any_pieces_give_the_same, FIXTURE},
	{"any_encoders_in_any_order", test_any_encoders_in_any_order, FIXTURE},
	{"escape", test_escape, FIXTURE},
	{"texts_that_only_look_alike", test_texts_that_only_look_alike, FIXTURE},
	{"strings_that_the_console_cut", test_strings_that_the_console_cut, FIXTURE},
	{"hexadecimal_and_long_base64", test_hexadecimal_and_long_base64, FIXTURE},
	{"base64_of_any_value", test_base64_of_any_value, FIXTURE},
	{"secrets_that_hide_others", test_secrets_that_hide_others, FIXTURE},
	{"deep_indentation", test_deep_indentation, FIXTURE},
	{"what_is_held_back_is_bounded", test_what_is_held_back_is_bounded, FIXTURE},
	{"tables_are_shared", test_tables_are_shared, FIXTURE},
	{"the_largest_set", test_the_largest_set, FIXTURE},
	{"long_secrets", test_long_secrets, FIXTURE},
	{"secrets_that_begin_alike", test_secrets_that_begin_alike, FIXTURE},
	{"stops_with_its_sink", test_stops_with_its_sink, FIXTURE},
};

HARNESS_MAIN(tests)
