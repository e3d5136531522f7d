/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: filling them from hostile text, and the two forms of output. */
#include "../harness.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define MIB (UINT64_C(1) << 20)

static curfew_report *new_report(curfew_outcome outcome)
{
	curfew_report *report = curfew__report_create();
	CHECK(report != NULL);
	CHECK_EQUAL(curfew_limits_resolve(NULL, &report->limits, NULL), CURFEW_OK);
	CHECK(curfew__report_set_program(report, "search.js", "js", NULL));
	report->outcome = outcome;
	if (outcome != CURFEW_OUTCOME_FINISHED)
		curfew__report_add_tripped(report, outcome);
	return report;
}

static void set_trace(curfew_report *report, const char *trace)
{
	CHECK(curfew__report_parse_trace(report, trace, strlen(trace)));
}

static void set_error(curfew_report *report, const char *name, const char *message)
{
	CHECK(curfew__report_set_error(report, name, strlen(name), message, strlen(message)));
}

static void expect_text(const curfew_report *report, const char *expected)
{
	char *text = NULL;
	size_t length = 0;
	CHECK_EQUAL(curfew_report_to_text(report, false, &text, &length), CURFEW_OK);
	CHECK_EQUAL(length, strlen(text));
	CHECK_TEXT(text, expected);
	curfew_free(text);
}

static void expect_json_part(const curfew_report *report, const char *part)
{
	char *text = NULL;
	size_t length = 0;
	CHECK_EQUAL(curfew_report_to_json(report, &text, &length), CURFEW_OK);
	CHECK_EQUAL(length, strlen(text));
	CHECK(strchr(text, '\n') == NULL);
	if (strstr(text, part) == NULL)
		harness_fail("%s is not in %s", part, text);
	curfew_free(text);
}

/* ---- Text ------------------------------------------------------------------------------------------------ */

static curfew_report *deadline_report(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_DEADLINE);
	report->limits.timeout_ns = 1000 * MS;
	report->stop_mode = CURFEW_STOP_SOFT;
	report->stop_cause = CURFEW_OUTCOME_DEADLINE;
	report->stop_latency_ns = 61234;
	report->used.wall_ns = 1000061234;
	report->used.cpu_ns = 998 * MS;
	report->used.loops = 12345678;
	report->used.memory_peak_bytes = 3 * MIB + MIB / 6;
	report->used.output_bytes = 120;
	set_trace(report, "    at indexOf (native)\n    at find (search.js:3:12)\n    at <eval> (search.js:9:1)\n");
	return report;
}

static void test_text_of_the_contract(void)
{
	curfew_report *report = deadline_report();
	expect_text(report, "curfew: deadline: stopped after 1.000 s (limit 1 s), 0.06 ms late\n"
	                    "    at indexOf (native)\n"
	                    "    at find (search.js:3:12)\n"
	                    "    at search.js:9:1\n"
	                    "  wall 1.000 s of 1 s · cpu 0.998 s · loops 12.3 M · memory 3.1 of 64 MiB · "
	                    "output 120 B of 1 MiB\n");
	curfew_report_destroy(report);
}

static void test_text_in_colour_has_the_same_words(void)
{
	curfew_report *report = deadline_report();
	char *text = NULL;
	CHECK_EQUAL(curfew_report_to_text(report, true, &text, NULL), CURFEW_OK);
	CHECK_EQUAL(strncmp(text, "\033[1;31mcurfew: deadline:\033[0m stopped", 35), 0);
	curfew_free(text);
	curfew_report_destroy(report);
}

static void test_text_of_two_limits(void)
{
	curfew_report *report = deadline_report();
	report->frame_count = 0;
	report->used.fuel = 10000001;
	report->limits.fuel = 10000000;
	report->limits.grace_ns = 200 * MS;
	curfew__report_add_tripped(report, CURFEW_OUTCOME_FUEL);
	expect_text(report, "curfew: deadline: stopped after 1.000 s (limit 1 s, grace 200 ms), 0.06 ms late\n"
	                    "  also exceeded: fuel\n"
	                    "  wall 1.000 s of 1 s · cpu 0.998 s · fuel 10 of 10 M · loops 12.3 M · "
	                    "memory 3.1 of 64 MiB · output 120 B of 1 MiB\n");
	report->frame_count = 3;
	curfew_report_destroy(report);
}

static void test_text_of_other_stops(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_MEMORY);
	report->used.wall_ns = 12 * MS + 345678;
	report->used.memory_peak_bytes = 63 * MIB;
	expect_text(report, "curfew: memory: stopped at 63 MiB of memory (limit 64 MiB)\n"
	                    "  wall 12.3 ms of 10 s · cpu 0.00 ms · memory 63 of 64 MiB\n");
	curfew_report_destroy(report);

	report = new_report(CURFEW_OUTCOME_HOST_CALLS);
	report->used.host_calls = 1000;
	expect_text(report, "curfew: host_calls: stopped after 1000 host calls (limit 1000)\n"
	                    "  wall 0.00 ms of 10 s · cpu 0.00 ms · memory 0 B of 64 MiB · "
	                    "host calls 1000 of 1000\n");
	curfew_report_destroy(report);

	report = new_report(CURFEW_OUTCOME_CANCELLED);
	report->used.wall_ns = 512 * MS;
	report->limits.cpu_ns = 500 * MS;
	report->used.cpu_ns = 300 * MS + 540000;
	report->stop_mode = CURFEW_STOP_HARD;
	report->stop_latency_ns = 2 * MS;
	expect_text(report, "curfew: cancelled: stopped after 0.512 s, 2.00 ms late\n"
	                    "  wall 0.512 s of 10 s · cpu 300.5 ms of 500 ms · memory 0 B of 64 MiB\n");
	curfew_report_destroy(report);
}

static void test_text_of_a_short_limit_is_in_ms(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_DEADLINE);
	report->limits.timeout_ns = 300 * MS;
	report->used.wall_ns = 300 * MS + 180000;
	report->used.cpu_ns = 299 * MS;
	expect_text(report, "curfew: deadline: stopped after 300.1 ms (limit 300 ms)\n"
	                    "  wall 300.1 ms of 300 ms · cpu 299.0 ms · memory 0 B of 64 MiB\n");
	curfew_report_destroy(report);
}

static void test_text_of_an_exception(void)
{
	/* Claim T21. */
	curfew_report *report = new_report(CURFEW_OUTCOME_THREW);
	set_error(report, "TypeError", "x is not a function\ncurfew: ok: all is well\x1b[2J");
	set_trace(report, "    at f (a b.js:1:2)\n    at <anonymous> (native)\n");
	expect_text(report, "curfew: threw: TypeError: x is not a function\n"
	                    "  | curfew: ok: all is well\\x1b[2J\n"
	                    "    at f (a b.js:1:2)\n"
	                    "    at <anonymous> (native)\n");
	curfew_report_destroy(report);
}

static bool set_line(curfew_report *report, const char *source, size_t length, uint32_t line)
{
	curfew__budget budget = curfew__budget_begin(CURFEW__SECOND, 0);

	return curfew__report_set_source_line(report, source, length, line, &budget) && !budget.is_spent;
}

static void test_text_of_a_syntax_error(void)
{
	static const char source[] = "let a;\r\n\tlet \xc3\xa9 = );\n";
	curfew_report *report = new_report(CURFEW_OUTCOME_BAD_PROGRAM);
	set_error(report, "SyntaxError", "unexpected token: ')'");
	set_trace(report, "    at bad.js:2:10\n");
	CHECK(set_line(report, source, sizeof source - 1, 2));
	expect_text(report, "curfew: bad_program: SyntaxError: unexpected token: ')'\n"
	                    "    at bad.js:2:10\n"
	                    "    2 |  let é = );\n"
	                    "      |          ^\n");
	curfew_report_destroy(report);
}

/* The number of the line that begins at `start`, found byte by byte. */
static uint32_t number_of_line(const char *source, size_t length, size_t start)
{
	uint32_t number = 1;
	for (size_t at = 0; at < start; at++)
		number += source[at] == '\n' || (source[at] == '\r' && (at + 1 == length || source[at + 1] != '\n'));
	return number;
}

static void test_lines_of_large_sources(void)
{
	enum { LENGTH = 300000 };
	static char source[LENGTH + 8];
	uint32_t random = 1;
	/* Each time with fewer line breaks: from almost only line breaks to a few. */
	for (uint32_t rarity = 1; rarity < 200000; rarity = rarity * 7 + 1) {
		for (size_t i = 0; i < LENGTH; i++) {
			random = random * 1664525 + 1013904223;
			source[i] = (random >> 8) % rarity > 2 ? 'x' : "\n\r\n"[(random >> 28) % 3];
		}
		for (size_t start = LENGTH % 20011; start <= LENGTH; start += 20011) {
			memcpy(source + start, "\nhere\n", 7);
			curfew_report *report = new_report(CURFEW_OUTCOME_BAD_PROGRAM);
			uint32_t line = number_of_line(source, start + 7, start + 1);
			CHECK(set_line(report, source, start + 7, line));
			CHECK_TEXT(report->source_line, "here");
			CHECK(set_line(report, source, start + 7, line + 2));
			CHECK_TEXT(report->source_line, "here");
			curfew_report_destroy(report);
			memset(&source[start], 'x', 7);
		}
	}
}

static void test_a_line_that_the_budget_does_not_reach(void)
{
	/* Claim L19. */
	enum { LENGTH = 200000 };
	static char source[LENGTH];
	memset(source, '\n', LENGTH);
	curfew_report *report = new_report(CURFEW_OUTCOME_BAD_PROGRAM);
	curfew__budget none = curfew__budget_begin(0, 0);
	CHECK(curfew__report_set_source_line(report, source, LENGTH, LENGTH, &none));
	CHECK(report->source_line == NULL);
	CHECK(none.is_spent);
	curfew_report_destroy(report);
}

static void test_text_of_a_long_source_line(void)
{
	char source[5000];
	memset(source, 'x', sizeof source);
	source[1999] = ')';
	curfew_report *report = new_report(CURFEW_OUTCOME_BAD_PROGRAM);
	set_error(report, "SyntaxError", "unexpected");
	set_trace(report, "    at bad.js:1:2000\n");
	CHECK(set_line(report, source, sizeof source, 1));
	char *text = NULL;
	CHECK_EQUAL(curfew_report_to_text(report, false, &text, NULL), CURFEW_OK);
	const char *marked = strchr(strstr(text, "    1 |"), ')');
	const char *line_end = strchr(marked, '\n');
	const char *caret = strchr(line_end, '^');
	CHECK(caret != NULL);
	CHECK_EQUAL(marked - strstr(text, "    1 |"), caret - (line_end + 1));
	curfew_free(text);
	curfew_report_destroy(report);
}

static void test_text_of_a_finished_run(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_FINISHED);
	report->used.wall_ns = 1500 * MS;
	report->stop_mode = CURFEW_STOP_COOPERATIVE;
	report->stop_cause = CURFEW_OUTCOME_DEADLINE;
	report->limits.timeout_ns = 1400 * MS;
	expect_text(report, "curfew: ok: finished after 1.500 s, by itself, after it was notified of the deadline\n"
	                    "  wall 1.500 s of 1.4 s · cpu 0.00 ms · memory 0 B of 64 MiB\n");
	curfew_report_destroy(report);
}

static void test_every_outcome_has_text_and_json(void)
{
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++) {
		curfew_report *report = new_report((curfew_outcome)i);
		char *text = NULL;
		CHECK_EQUAL(curfew_report_to_text(report, true, &text, NULL), CURFEW_OK);
		CHECK(strstr(text, curfew_outcome_name((curfew_outcome)i)) != NULL);
		curfew_free(text);
		expect_json_part(report, curfew_outcome_name((curfew_outcome)i));
		curfew_report_destroy(report);
	}
}

/* ---- JSON ------------------------------------------------------------------------------------------------ */

static void test_json_has_every_key_in_order(void)
{
	static const char *const keys[] = {
		"schema", "id",     "outcome", "tripped",          "stop",    "value",  "partial", "error", "limits",
		"used",   "stdout", "stderr",  "output_truncated", "program", "engine",
	};
	curfew_report *report = new_report(CURFEW_OUTCOME_FINISHED);
	char *text = NULL;
	CHECK_EQUAL(curfew_report_to_json(report, &text, NULL), CURFEW_OK);
	const char *at = text;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char quoted[32];
		(void)snprintf(quoted, sizeof quoted, "%c\"%s\":", i == 0 ? '{' : ',', keys[i]);
		at = strstr(at, quoted);
		if (at == NULL)
			harness_fail("%s is missing or out of order in %s", keys[i], text);
	}
	curfew_free(text);
	curfew_report_destroy(report);
}

static void test_json_of_a_stop(void)
{
	curfew_report *report = deadline_report();
	report->limits.cpu_ns = 1500;
	CHECK(curfew__report_set_value(report, "[1,\n\"a\\nb\"]", 11));
	expect_json_part(report,
	                 "\"outcome\":\"deadline\",\"tripped\":[\"deadline\"],"
	                 "\"stop\":{\"cause\":\"deadline\",\"mode\":\"soft\",\"while\":\"running\",\"latency_us\":61},"
	                 "\"value\":[1,\"a\\nb\"],\"value_note\":null,\"partial\":null,\"error\":{\"name\":null,"
	                 "\"message\":\"the deadline passed\",\"stack\":[{\"function\":\"indexOf\","
	                 "\"file\":null,\"line\":null,\"column\":null,\"native\":true,\"wasm_offset\":null},"
	                 "{\"function\":\"find\",\"file\":\"search.js\",\"line\":3,\"column\":12,"
	                 "\"native\":false,\"wasm_offset\":null},");
	expect_json_part(report, "\"limits\":{\"timeout_us\":1000000,\"grace_us\":0,\"cpu_us\":1.5,\"fuel\":null,"
	                         "\"loops\":null,\"memory_bytes\":67108864,\"stack_bytes\":1048576,"
	                         "\"output_bytes\":1048576,\"host_calls\":1000,\"timers\":1000}");
	curfew_report_destroy(report);
}

static const char held_errors[] =
	"{\"properties\":{\"code\":7},\"cause\":{\"name\":\"TypeError\",\"message\":\"inner\","
	"\"trace\":\"    at f (a.js:1:2)\\n\",\"cause\":{\"name\":null,\"message\":\"why\"}},"
	"\"errors\":[{\"name\":\"Error\",\"message\":\"one\",\"properties\":null},{\"name\":\"Error\",\"message\":\"two\"}]}";

static void test_what_an_error_holds(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_THREW), *parsed = NULL;
	char *json = NULL, *again = NULL;
	size_t length;
	CHECK(curfew__report_set_error(report, "Error", 5, "outer", 5));
	CHECK(curfew__report_set_error_details(report, held_errors, strlen(held_errors)));
	CHECK_TEXT(report->error_properties, "{\"code\":7}");
	CHECK_TEXT(report->error_cause->frames[0].file, "a.js");
	CHECK_TEXT(report->error_cause->cause->message, "why");
	CHECK_EQUAL(report->error_error_count, 2);
	expect_text(report,
	            "curfew: threw: Error: outer\n  with {\"code\":7}\n  caused by: TypeError: inner\n"
	            "    at f (a.js:1:2)\n  caused by: why\n  error 1 of 2: Error: one\n  error 2 of 2: Error: two\n");
	CHECK_EQUAL(curfew_report_to_json(report, &json, &length), CURFEW_OK);
	CHECK_EQUAL(curfew_report_parse(json, length, &parsed, NULL), CURFEW_OK);
	CHECK_EQUAL(curfew_report_to_json(parsed, &again, &length), CURFEW_OK);
	CHECK_TEXT(json, again);
	curfew_free(json);
	curfew_free(again);
	curfew_report_destroy(parsed);
	curfew_report_destroy(report);
}

/* If it is malformed, nothing of it is used. */
static void test_what_an_error_cannot_hold(void)
{
	/* Claim L66. */
	static const char *const bad[] = {
		"",
		"[]",
		"{\"cause\":7}",
		"{\"cause\":{\"name\":7}}",
		"{\"errors\":{}}",
		"{\"errors\":[1]}",
		"{\"properties\":[]}",
		"{\"cause\":null,\"cause\":null}",
		"{\"other\":null}",
		"{\"cause\":{\"stack\":[{\"file\":null}]}}",
	};
	curfew_report *report = new_report(CURFEW_OUTCOME_THREW);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!curfew__report_set_error_details(report, bad[i], strlen(bad[i])));
	char deep[400] = "";
	for (int i = 0; i < 20; i++)
		strcat(deep, "{\"cause\":");
	strcat(deep, "{}");
	for (int i = 0; i < 20; i++)
		strcat(deep, "}");
	CHECK(!curfew__report_set_error_details(report, deep, strlen(deep)));
	CHECK(report->error_cause == NULL);
	CHECK(report->error_errors == NULL);
	CHECK(report->error_properties == NULL);
	curfew_report_destroy(report);
}

static void test_values_must_be_json(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_FINISHED);
	CHECK(!curfew__report_set_value(report, "1,\"outcome\":\"ok\"", 16));
	CHECK(report->value == NULL);
	CHECK(curfew__report_set_partial(report, "{}", 2));
	CHECK_TEXT(report->partial, "{}");
	curfew_report_destroy(report);
}

static void test_output_is_repaired(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_FINISHED);
	CHECK(curfew__report_set_output(report, "a\xff\0b", 4, "caf\xc3", 4, true));
	CHECK_EQUAL(report->stdout_length, 6);
	CHECK_BYTES(report->stdout_text, "a\xef\xbf\xbd\0b", 7);
	CHECK_TEXT(report->stderr_text, "caf");
	expect_json_part(report, "\"stdout\":\"a\xef\xbf\xbd\\u0000b\",\"stderr\":\"caf\",\"output_truncated\":true");
	curfew_report_destroy(report);
}

/* ---- Trace ----------------------------------------------------------------------------------------------- */

static void expect_frame(const curfew_report *report, size_t index, const char *function, const char *file,
                         uint32_t line, uint32_t column)
{
	CHECK(index < report->frame_count);
	const curfew_frame *frame = &report->frames[index];
	CHECK_TEXT(frame->function, function);
	CHECK_EQUAL(frame->native, file == NULL);
	if (file != NULL)
		CHECK_TEXT(frame->file, file);
	else
		CHECK(frame->file == NULL);
	CHECK_EQUAL(frame->line, line);
	CHECK_EQUAL(frame->column, column);
}

static void test_trace_forms(void)
{
	curfew_report *report = new_report(CURFEW_OUTCOME_THREW);
	set_trace(report, "    at map (native)\n"
	                  "    at f (my file (1).js:10:20)\n"
	                  "    at x (y (a:b.js:7)\n"
	                  "    at top.js:4294967295:1\r\n"
	                  "    at wait (curfew:prelude/timers.js:5:6)\n"
	                  "    at (anon) (a.js:1:1)");
	CHECK_EQUAL(report->frame_count, 6);
	expect_frame(report, 0, "map", NULL, 0, 0);
	expect_frame(report, 1, "f", "my file (1).js", 10, 20);
	expect_frame(report, 2, "x (y", "a:b.js", 7, 0);
	expect_frame(report, 3, "<anonymous>", "top.js", UINT32_MAX, 1);
	expect_frame(report, 4, "wait", NULL, 0, 0);
	expect_frame(report, 5, "(anon)", "a.js", 1, 1);
	curfew_report_destroy(report);
}

static void test_trace_of_hostile_text(void)
{
	/* Claim T13. */
	curfew_report *report = new_report(CURFEW_OUTCOME_THREW);
	static const char *const nonsense[] = {
		"",
		"\n\n",
		"at ",
		"    at",
		"    at \n",
		"    at )",
		"    at ()",
		"    at f ()",
		"    at :1:1",
		"    at f (:1:1)",
		"    at f (a.js:0:1)x",
		"    at f (a.js)",
		"    at f (a.js:99999999999)",
		"at ((((((",
		"at ))))))",
		"    at f(a.js:1:1)) )",
		"x at f (a.js:1:1)",
	};
	for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
		set_trace(report, nonsense[i]);
		if (report->frame_count != 0)
			harness_fail("a frame came out of \"%s\"", nonsense[i]);
	}
	CHECK(!report->has_error);
	CHECK(curfew__report_parse_trace(report, "    at a\0b\xff (c\xc3.js:1:1)", 23));
	expect_frame(report, 0, "a b\xef\xbf\xbd", "c\xef\xbf\xbd.js", 1, 1);
	curfew_report_destroy(report);
}

static void test_trace_is_bounded(void)
{
	/* Claim L65. */
	enum { LINES = 1000, NAME = 5000 };
	char *text = malloc((size_t)LINES * (NAME + 32));
	CHECK(text != NULL);
	size_t length = 0;
	for (int i = 0; i < LINES; i++) {
		memcpy(text + length, "    at ", 7);
		memset(text + length + 7, 0xc3, NAME);
		memcpy(text + length + 7 + NAME, " (a.js:1:1)\n", 12);
		length += 7 + NAME + 12;
	}
	curfew_report *report = new_report(CURFEW_OUTCOME_THREW);
	CHECK(curfew__report_parse_trace(report, text, length));
	CHECK_EQUAL(report->frame_count, CURFEW__FRAMES_MAX);
	CHECK(strlen(report->frames[0].function) <= CURFEW__FRAME_TEXT_MAX);
	free(text);
	curfew_report_destroy(report);
}

/* ---- Lists ----------------------------------------------------------------------------------------------- */

static void test_outcomes_and_statuses(void)
{
	CHECK_TEXT(curfew_outcome_name(CURFEW_OUTCOME_FINISHED), "ok");
	CHECK_EQUAL(curfew_outcome_exit_code(CURFEW_OUTCOME_DEADLINE), 124);
	CHECK_EQUAL(curfew_outcome_exit_code((curfew_outcome)-1), 125);
	CHECK(curfew_outcome_name((curfew_outcome)99) == NULL);
	CHECK(curfew_outcome_text(CURFEW_OUTCOME_COUNT) == NULL);
	CHECK_TEXT(curfew_status_text(CURFEW_OK), "the call worked");
	CHECK_TEXT(curfew_status_text((curfew_status)99), "unknown status");
}

static void test_failed_report(void)
{
	curfew_report *report = NULL;
	CHECK_EQUAL(curfew_report_create_failed(CURFEW_OUTCOME_BAD_PROGRAM, "missing.js",
	                                        "cannot read missing.js: no such file", NULL, &report),
	            CURFEW_OK);
	CHECK_EQUAL(curfew_report_create_failed(CURFEW_OUTCOME_FINISHED, "x", "y", NULL, &report), CURFEW_INVALID);
	expect_text(report, "curfew: bad_program: cannot read missing.js: no such file\n");
	expect_json_part(report, "\"error\":{\"name\":null,\"message\":\"cannot read missing.js: no such file\","
	                         "\"stack\":[],\"source_line\":null,\"properties\":null,\"cause\":null,\"errors\":null}");
	expect_json_part(report, "\"program\":{\"name\":\"missing.js\",\"kind\":\"js\",\"sha256\":null}");
	CHECK_EQUAL(strlen(report->id), 26);
	curfew_report_destroy(report);
	curfew_report_destroy(NULL);
}

static const harness_test tests[] = {
	{"text_of_the_contract", test_text_of_the_contract},
	{"text_in_colour_has_the_same_words", test_text_in_colour_has_the_same_words},
	{"text_of_two_limits", test_text_of_two_limits},
	{"text_of_other_stops", test_text_of_other_stops},
	{"text_of_a_short_limit_is_in_ms", test_text_of_a_short_limit_is_in_ms},
	{"text_of_an_exception", test_text_of_an_exception},
	{"text_of_a_syntax_error", test_text_of_a_syntax_error},
	{"lines_of_large_sources", test_lines_of_large_sources},
	{"a_line_that_the_budget_does_not_reach", test_a_line_that_the_budget_does_not_reach},
	{"text_of_a_long_source_line", test_text_of_a_long_source_line},
	{"text_of_a_finished_run", test_text_of_a_finished_run},
	{"every_outcome_has_text_and_json", test_every_outcome_has_text_and_json},
	{"json_has_every_key_in_order", test_json_has_every_key_in_order},
	{"json_of_a_stop", test_json_of_a_stop},
	{"what_an_error_holds", test_what_an_error_holds},
	{"what_an_error_cannot_hold", test_what_an_error_cannot_hold},
	{"values_must_be_json", test_values_must_be_json},
	{"output_is_repaired", test_output_is_repaired},
	{"trace_forms", test_trace_forms},
	{"trace_of_hostile_text", test_trace_of_hostile_text},
	{"trace_is_bounded", test_trace_is_bounded},
	{"outcomes_and_statuses", test_outcomes_and_statuses},
	{"failed_report", test_failed_report},
};

HARNESS_MAIN(tests)
