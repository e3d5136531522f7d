/* SPDX-License-Identifier: Apache-2.0 */
/* The host's work for a guest uses no more of the host's memory and time than the guest's limits allow. */
#include "host.h"

#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

/* The peak memory of the process so far. */
static size_t peak_bytes(void)
{
	struct rusage usage;
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	return (size_t)usage.ru_maxrss * 1024;
}

static curfew_program *make(curfew_engine *engine, curfew_language language, const char *text,
                            const curfew_host_function *functions, size_t count)
{
	curfew_source source = {
		.size = sizeof source, .language = language, .name = "test", .text = text, .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	if (count > 0)
		CHECK_OK(curfew_program_set_functions(program, functions, count, NULL));
	return program;
}

static curfew_report *run(curfew_program *program, const char *call, const char *params, size_t length,
                          const curfew_limits *limits)
{
	curfew_run_options options = {
		.size = sizeof options, .limits = limits, .call = call, .params = params, .params_length = length};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	return report;
}

/* "[item,item...]" of this many bytes; free it. */
static char *list_of(const char *item, size_t size, size_t *count)
{
	size_t part = strlen(item) + 1;
	char *text = malloc(size + part + 2), *at = text + 1;
	CHECK(text != NULL);
	text[0] = '[';
	for (*count = 0; (size_t)(at - text) + part < size; (*count)++, at += part) {
		memcpy(at, item, part - 1);
		at[part - 1] = ',';
	}
	at[-1] = ']';
	*at = '\0';
	return text;
}

/* Parameters that the function does not have are parsed, but not kept. */
static void large_parameters(void)
{
	/* Claim T2. */
	static const char *const items[] = {"{}", "[]", "\"\"", "1", "{\"a\":[1]}"};
	static const char *const texts[] = {
		"(module (func (export \"f\") (param i32) (result i32) (local.get 0)))",
		"(component (core module $m (func (export \"f\") (param i32) (result i32) (local.get 0)))"
		" (core instance $i (instantiate $m)) (func (export \"f\") (param \"a\" u32) (result u32) (canon lift (core func $i \"f\"))))",
	};
	const curfew_limits unhurried = {.size = sizeof unhurried, .timeout_ns = 600000000000, .cpu_ns = 600000000000};
	curfew_engine *engine = harness_engine(1);
	for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
		curfew_program *program = make(engine, CURFEW_LANGUAGE_WAT, texts[t], NULL, 0);
		curfew_report_destroy(run(program, "f", "[1]", 3, NULL));
		for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
			char expected[128];
			size_t count;
			char *params = list_of(items[i], 16 * MIB, &count);
			size_t before = peak_bytes();
			curfew_report *report = run(program, "f", params, strlen(params), &unhurried);
			CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_BAD_PROGRAM);
			(void)snprintf(expected, sizeof expected, "f takes 1 parameter (%s), got %zu", t == 0 ? "i32" : "u32",
			               count);
			CHECK_TEXT(report->error_message, expected);
			/* One copy of the text, but no tree of it. */
			CHECK(peak_bytes() - before < 48 * MIB || harness_factor("CURFEW_TEST_SLOWER") > 1);
			curfew_report_destroy(report);
			free(params);
		}
		curfew_program_destroy(program);
	}
	curfew_engine_destroy(engine);
}

/*
 * The deadline also counts while these options are read. An error after the point where the time was up is not reached.
 */
static void check_read_in_time(curfew_run_options *options)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_JS, "1", NULL, 0);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(1)};
	curfew_report *report = run(program, NULL, NULL, 0, NULL);
	curfew_run *started = NULL;
	options->limits = &limits;
	curfew_report_destroy(report);
	for (int i = 0; i < 5; i++) {
		CHECK_OK(curfew_program_run(program, options, &report, NULL));
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
		curfew_report_destroy(report);
		CHECK_OK(curfew_run_start(program, options, &started, NULL));
		CHECK_EQUAL(curfew_run_wait(started)->outcome, CURFEW_OUTCOME_DEADLINE);
		curfew_run_destroy(started);
	}
	limits.timeout_ns = harness_ms(60000);
	CHECK_EQUAL(curfew_program_run(program, options, &report, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_run_start(program, options, &started, NULL), CURFEW_INVALID);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void time_is_up_while_parameters_are_read(void)
{
	/* Claim T1. */
	curfew_run_options options = {.size = sizeof options};
	size_t count;
	char *params = list_of("[1]", 16 * MIB, &count);
	options.params = params;
	options.params_length = strlen(params);
	params[options.params_length - 1] = '!';
	check_read_in_time(&options);
	free(params);
}

/* Files whose error is in their last bytes, so that each pass over them reaches it. */
static void time_is_up_while_files_are_read(void)
{
	/* Claim T1, L641. */
	static const struct {
		const char *start, *end;
		char filler;
	} shapes[] = {
		{"{\"a\":\"", "\"]", 'A'},               /* not JSON */
		{"{\"a\":{\"base64\":\"", "!\"}}", 'A'}, /* not base64 */
		{"{\"a\":1", "}", ' '},                  /* not text */
		{"{\"", "/\":\"\"}", 'A'},               /* not a path */
	};
	char *files = malloc(16 * MIB);
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		size_t end = strlen(shapes[i].end);
		curfew_run_options options = {.size = sizeof options, .files = files, .files_length = 16 * MIB};
		memset(files, shapes[i].filler, 16 * MIB);
		memcpy(files, shapes[i].start, strlen(shapes[i].start));
		memcpy(files + 16 * MIB - end, shapes[i].end, end);
		check_read_in_time(&options);
	}
	free(files);
}

/* If the total time of a session was up while its files were read, no call starts. */
static void time_of_a_session_is_up_while_files_are_read(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_JS, "1", NULL, 0);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(1)};
	char *files = malloc(16 * MIB);
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .files = files, .files_length = 16 * MIB};
	curfew_session *session = NULL;
	curfew_report *report = NULL;
	memset(files, ' ', 16 * MIB);
	files[16 * MIB - 1] = '!';
	CHECK_OK(curfew_session_create(program, &options, &session, NULL));
	CHECK_OK(curfew_session_call(session, NULL, NULL, NULL, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	curfew_report_destroy(report);
	curfew_session_destroy(session);
	limits.timeout_ns = harness_ms(60000);
	CHECK_EQUAL(curfew_session_create(program, &options, &session, NULL), CURFEW_INVALID);
	free(files);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* The parameters of a component's function count against the memory limit. */
static void parameters_within_the_memory_limit(void)
{
	/* Claim L42. */
	static const char text[] =
		"(component (core module $m (memory (export \"memory\") 200)"
		"  (func (export \"f\") (param i32 i32) (result i32) (local.get 1))"
		"  (func (export \"r\") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))"
		" (core instance $i (instantiate $m)) (alias core export $i \"memory\" (core memory $memory))"
		" (alias core export $i \"r\" (core func $realloc))"
		" (func (export \"f\") (param \"a\" (list u8)) (result u32)"
		"  (canon lift (core func $i \"f\") (memory $memory) (realloc $realloc))))";
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_WAT, text, NULL, 0);
	curfew_limits limits = {.size = sizeof limits, .memory_bytes = 32 * MIB};
	size_t count, length;
	char *list = list_of("1", 4 * MIB, &count), *params = malloc(strlen(list) + 3);
	length = (size_t)sprintf(params, "[%s]", list);
	size_t before = peak_bytes();
	curfew_report *report = run(program, "f", params, length, &limits);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_BAD_PROGRAM);
	CHECK(strstr(report->error_message, "more than is left of 33554432") != NULL);
	CHECK(peak_bytes() - before < 64 * MIB || harness_factor("CURFEW_TEST_SLOWER") > 1);
	curfew_report_destroy(report);
	limits.memory_bytes = 256 * MIB;
	report = run(program, "f", params, length, &limits);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_report_destroy(report);
	free(list);
	free(params);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* A host function with a type takes numbers. Any other arguments are parsed, but not kept. */
static void large_arguments(void)
{
	/* Claim L49. */
	static const curfew_host_function functions[] = {
		HOST_FUNCTION("add", host_add, .type = "ii->i"),
		HOST_FUNCTION("twice", host_later, .flags = CURFEW_HOST_ASYNC, .type = "i->i"),
	};
	static const char text[] =
		"export default async () => { const big = Array(4000000).fill([]), seen = [];"
		" for (const call of [() => host.add(big, 1), () => host.add(...Array(20000).fill(1)), () => host.twice(big)])"
		"  try { seen.push(await call()); } catch (e) { seen.push(e.message); }"
		" return seen; }";
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_JS_MODULE, text, functions, 2);
	curfew_limits limits = {.size = sizeof limits, .memory_bytes = 256 * MIB, .timeout_ns = harness_ms(60000)};
	size_t before = peak_bytes();
	curfew_report *report = run(program, NULL, NULL, 0, &limits);
	if (report->outcome != CURFEW_OUTCOME_FINISHED)
		(void)fprintf(stderr, "%s: %s\n", curfew_outcome_name(report->outcome), report->error_message);
	CHECK_TEXT(report->value, "[\"argument 1: expected i32 (-2147483648 to 4294967295), got an array of 4000000\","
	                          "\"add takes 2 arguments, got 20000\","
	                          "\"argument 1: expected i32 (-2147483648 to 4294967295), got an array of 4000000\"]");
	CHECK(peak_bytes() - before < 288 * MIB || harness_factor("CURFEW_TEST_SLOWER") > 1);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* ---- Labels ------------------------------------------------------------------------------------------------- */

enum { LABEL = CURFEW_SECRET_NAME_BYTES + sizeof "[secret ]" - 1, OUTPUT = 65536 };

/* A name so long that its label has 34 times the length of the value. */
static curfew_secret long_named(void)
{
	static char name[CURFEW_SECRET_NAME_BYTES + 1];
	memset(name, 'N', CURFEW_SECRET_NAME_BYTES);
	return (curfew_secret){name, "abcd", 4};
}

static void no_longer_than_the_limit(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)context, (void)kind, (void)data;
	CHECK(length <= OUTPUT);
}

/* The text of labels is output as well: it is charged, wherever it goes. */
static void labels_are_charged(void)
{
	static const char *const texts[] = {
		/* A value that fits only without labels is refused; one that fits with them is not. */
		"'abcd'.repeat(470)",
		"'abcd'.repeat(500)",
		"const seen = []; for (const n of [470, 500]) for (const give of [curfew.checkpoint, curfew.progress])"
		" try { give('abcd'.repeat(n)); seen.push(1); } catch (e) { seen.push(e.name); } seen",
		"throw new Error('abcd'.repeat(16000))",
		"throw Object.assign(new Error(''), { all: 'abcd'.repeat(10000) })",
	};
	curfew_engine *engine = harness_engine(1);
	curfew_secret secret = long_named();
	curfew_limits limits = {.size = sizeof limits, .output_bytes = OUTPUT};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		curfew_program *program = make(engine, CURFEW_LANGUAGE_JS, texts[i], NULL, 0);
		curfew_run_options options = {.size = sizeof options,
		                              .limits = &limits,
		                              .secrets = &secret,
		                              .secret_count = 1,
		                              .on_event = no_longer_than_the_limit};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		CHECK(report->value == NULL || strlen(report->value) <= OUTPUT);
		CHECK(report->partial == NULL || strlen(report->partial) <= OUTPUT);
		CHECK(report->error_message == NULL || strlen(report->error_message) <= OUTPUT);
		CHECK(report->error_properties == NULL || strlen(report->error_properties) <= 3 * OUTPUT);
		if (i == 0)
			CHECK_EQUAL(strlen(report->value), 470 * LABEL + 2);
		if (i == 1)
			CHECK(report->outcome == CURFEW_OUTCOME_OUTPUT && report->value == NULL && report->output_truncated);
		if (i == 2)
			CHECK_TEXT(report->value, "[1,1,\"RangeError\",\"RangeError\"]");
		if (i == 0 || i == 2)
			CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
		if (i > 2)
			CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_THREW);
		curfew_report_destroy(report);
		curfew_program_destroy(program);
	}
	curfew_engine_destroy(engine);
}

/* ---- Many exports ------------------------------------------------------------------------------------------- */

/* A text with this many exports, of which the last is called; free it. */
static char *many_exports(bool component, size_t count)
{
	char *text = malloc(256 + count * 64), *at = text;
	if (text == NULL)
		abort();
	at += sprintf(at, component
	                      ? "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))"
	                        " (func $f (canon lift (core func $i \"f\")))"
	                      : "(module (func $f)");
	for (size_t i = 0; i + 1 < count; i++)
		at += sprintf(at, component ? "(export \"f%zu\" (func $f))" : "(export \"f%zu\" (func $f))", i);
	(void)sprintf(at, "(export \"last\" (func $f)))");
	return text;
}

/*
 * The time of calling a function among this many exports, and of calling a missing one. The program was compiled
 * before.
 */
static uint64_t time_of_calls(curfew_engine *engine, bool component, size_t count)
{
	char *text = many_exports(component, count);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_WAT, text, NULL, 0);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(60000)};
	static const char *const names[] = {"last", "none", "none#last"};
	uint64_t shortest = UINT64_MAX;
	curfew_report_destroy(run(program, "last", NULL, 0, &limits));
	for (int again = 0; again < 3; again++) {
		uint64_t start = harness_now();
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			curfew_report *report = run(program, names[i], NULL, 0, &limits);
			CHECK_EQUAL(report->outcome, i == 0 ? CURFEW_OUTCOME_FINISHED : CURFEW_OUTCOME_BAD_PROGRAM);
			curfew_report_destroy(report);
		}
		uint64_t took = harness_now() - start;
		shortest = took < shortest ? took : shortest;
	}
	curfew_program_destroy(program);
	free(text);
	return shortest;
}

/* Ten times as many exports take about ten times as long, not a hundred times. */
static void exports_are_found(void)
{
	curfew_engine *engine = harness_engine(1);
	for (int component = 0; component < 2; component++) {
		uint64_t few = time_of_calls(engine, component, 2000), many = time_of_calls(engine, component, 20000);
		if (many >= few * 40)
			(void)fprintf(stderr, "2,000 exports: %llu us, 20,000: %llu us\n", (unsigned long long)few / 1000,
			              (unsigned long long)many / 1000);
		CHECK(many < few * 40);
	}
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"large_parameters", large_parameters},
	{"time_is_up_while_parameters_are_read", time_is_up_while_parameters_are_read},
	{"time_is_up_while_files_are_read", time_is_up_while_files_are_read},
	{"time_of_a_session_is_up_while_files_are_read", time_of_a_session_is_up_while_files_are_read},
	{"parameters_within_the_memory_limit", parameters_within_the_memory_limit},
	{"large_arguments", large_arguments},
	{"labels_are_charged", labels_are_charged},
	{"exports_are_found", exports_are_found},
};

HARNESS_MAIN(tests)
