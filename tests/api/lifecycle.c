/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines, programs, runs and reports are created and destroyed in every order. Wrong arguments are refused and change
 * nothing.
 */
#include "engine.h"

#include <sys/stat.h>

/* ---- Orders of destruction ------------------------------------------------------------------------------- */

/* Destroys the four objects that a caller may hold, in the order of a permutation's digits. */
static void destroy_in_order(const int *order)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "[1, 2]");
	curfew_cancel *cancel = NULL;
	curfew_run *run = NULL;
	CHECK_OK(curfew_cancel_create(engine, &cancel));
	curfew_run_options options = {.size = sizeof options, .cancel = cancel};
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	for (int i = 0; i < 4; i++) {
		switch (order[i]) {
		case 0: curfew_engine_destroy(engine); break;
		case 1: curfew_program_destroy(program); break;
		case 2: curfew_cancel_destroy(cancel); break;
		default:
			CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_FINISHED);
			CHECK_TEXT(curfew_run_wait(run)->value, "[1,2]");
			curfew_run_destroy(run);
			break;
		}
	}
}

static void every_order(void)
{
	for (int n = 0; n < 256; n++) {
		int order[4] = {n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3};
		if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) == 15)
			destroy_in_order(order);
	}
}

static void report_outlives_everything(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "console.log('out'); throw new TypeError('why')");
	curfew_report *report = harness_run(program, NULL);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_THREW);
	CHECK_TEXT(report->error_name, "TypeError");
	CHECK_TEXT(report->error_message, "why");
	CHECK_TEXT(report->stdout_text, "out\n");
	CHECK_TEXT(report->program_name, "test.js");
	char *text = NULL;
	size_t length = 0;
	CHECK_OK(curfew_report_to_json(report, &text, &length));
	CHECK_EQUAL(strlen(text), length);
	curfew_free(text);
	curfew_report_destroy(report);
}

/* Destroying a run in progress cancels it and waits for its end. */
static void destroy_while_running(void)
{
	for (unsigned i = 0; i < harness_count(50); i++) {
		curfew_engine *engine = harness_engine(2);
		curfew_program *program = harness_program(engine, i % 2 == 0 ? "for(;;);" : "setTimeout(() => {}, 1e6)");
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, NULL, &run, NULL));
		curfew_engine_destroy(engine);
		curfew_program_destroy(program);
		harness_sleep_us(i % 10 * 100);
		curfew_run_destroy(run);
	}
}

static void engines_come_and_go(void)
{
	for (unsigned i = 0; i < harness_count(100); i++) {
		curfew_engine *engine = harness_engine(1);
		if (i % 3 == 0)
			harness_expect(engine, "6 * 7", NULL, CURFEW_OUTCOME_FINISHED, "42");
		curfew_engine_destroy(engine);
	}
}

static void two_engines(void)
{
	curfew_engine *a = harness_engine(1);
	curfew_engine *b = harness_engine(1);
	curfew_program *in_a = harness_program(a, "globalThis.x = (globalThis.x ?? 0) + 1");
	curfew_program *in_b = harness_program(b, "globalThis.x = (globalThis.x ?? 10) + 1");
	for (int i = 0; i < 20; i++) {
		curfew_report *from_a = harness_run(in_a, NULL);
		curfew_report *from_b = harness_run(in_b, NULL);
		CHECK_TEXT(from_a->value, "1");
		CHECK_TEXT(from_b->value, "11");
		curfew_report_destroy(from_a);
		curfew_report_destroy(from_b);
		if (i == 10)
			curfew_engine_destroy(a);
	}
	curfew_program_destroy(in_a);
	harness_expect(b, "for(;;);", &(curfew_limits){.size = sizeof(curfew_limits), .timeout_ns = 20000000},
	               CURFEW_OUTCOME_DEADLINE, NULL);
	curfew_program_destroy(in_b);
	curfew_engine_destroy(b);
}

/* ---- NULL and sizes -------------------------------------------------------------------------------------- */

static void nothing_is_destroyed(void)
{
	curfew_engine_destroy(NULL);
	curfew_program_destroy(NULL);
	curfew_cancel_destroy(NULL);
	curfew_run_destroy(NULL);
	curfew_report_destroy(NULL);
	curfew_free(NULL);
}

static void null_arguments(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_source source = {.size = sizeof source, .name = "a.js", .text = "1", .text_length = 1};
	curfew_program *other = NULL;
	curfew_report *report = NULL;
	curfew_run *run = NULL;
	curfew_cancel *cancel = NULL;
	char *text = NULL;
	void *image = NULL;
	size_t length = 0;
	CHECK_EQUAL(curfew_engine_create(NULL, NULL, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_create(NULL, &source, &other, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_create(engine, NULL, &other, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_create(engine, &source, NULL, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_run(NULL, NULL, &report, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_run(program, NULL, NULL, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_compile(NULL, NULL, NULL, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_save(NULL, &image, &length, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_save(program, NULL, &length, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_load(NULL, "x", 1, &other, NULL), CURFEW_INVALID);
	CHECK(curfew_program_load(engine, NULL, 0, &other, NULL) != CURFEW_OK);
	CHECK_EQUAL(curfew_run_start(NULL, NULL, &run, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_run_start(program, NULL, NULL, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_cancel_create(NULL, &cancel), CURFEW_INVALID);
	CHECK_EQUAL(curfew_cancel_create(engine, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_report_to_json(NULL, &text, &length), CURFEW_INVALID);
	CHECK_EQUAL(curfew_limits_resolve(NULL, NULL, NULL), CURFEW_INVALID);
	CHECK(!curfew_is_image(NULL, 0));
	CHECK(other == NULL && report == NULL && run == NULL && cancel == NULL && text == NULL && image == NULL);
	curfew_cancel_fire(NULL);
	curfew_run_cancel(NULL);
	/* failure and options may be NULL everywhere. */
	CHECK_OK(curfew_program_run(program, NULL, &report, NULL));
	CHECK_TEXT(report->value, "1");
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void unknown_values(void)
{
	CHECK(curfew_outcome_name((curfew_outcome)-1) == NULL);
	CHECK(curfew_outcome_name(CURFEW_OUTCOME_COUNT) == NULL);
	CHECK(curfew_outcome_text((curfew_outcome)99) == NULL);
	CHECK_EQUAL(curfew_outcome_exit_code((curfew_outcome)99), 125);
	CHECK_TEXT(curfew_status_text((curfew_status)99), "unknown status");
	CHECK_TEXT(curfew_version(), CURFEW_VERSION);
	CHECK(strlen(curfew_wasmtime_version()) > 0 && strlen(curfew_quickjs_version()) > 0);
}

/* As in openat2(2), a longer struct is accepted if the rest is zero, and otherwise refused. */
static void struct_sizes(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_report *report = NULL;
	curfew_failure failure;

	struct {
		curfew_run_options known;
		uint64_t later[2];
	} options = {.known = {.size = sizeof options}};
	CHECK_OK(curfew_program_run(program, &options.known, &report, &failure));
	curfew_report_destroy(report);
	options.later[1] = 1;
	CHECK_EQUAL(curfew_program_run(program, &options.known, &report, &failure), CURFEW_INVALID);
	CHECK(report == NULL && failure.message[0] != '\0');

	struct {
		curfew_limits known;
		uint64_t later[2];
	} limits = {.known = {.size = sizeof limits}};
	curfew_run_options with_limits = {.size = sizeof with_limits, .limits = &limits.known};
	CHECK_OK(curfew_program_run(program, &with_limits, &report, &failure));
	curfew_report_destroy(report);
	limits.later[0] = 1;
	CHECK_EQUAL(curfew_program_run(program, &with_limits, &report, &failure), CURFEW_INVALID);

	struct {
		curfew_source known;
		uint64_t later[2];
	} source = {.known = {.size = sizeof source, .name = "a.js", .text = "1", .text_length = 1}};
	curfew_program *other = NULL;
	CHECK_OK(curfew_program_create(engine, &source.known, &other, &failure));
	curfew_program_destroy(other);
	source.later[0] = 1;
	other = NULL;
	CHECK_EQUAL(curfew_program_create(engine, &source.known, &other, &failure), CURFEW_INVALID);
	CHECK(other == NULL);

	struct {
		curfew_engine_options known;
		uint64_t later[2];
	} of_engine = {.known = {.size = sizeof of_engine}};
	curfew_engine *second = NULL;
	CHECK_OK(curfew_engine_create(&of_engine.known, &second, &failure));
	curfew_engine_destroy(second);
	of_engine.later[0] = 1;
	second = NULL;
	CHECK_EQUAL(curfew_engine_create(&of_engine.known, &second, &failure), CURFEW_INVALID);
	CHECK(second == NULL);

	const uint32_t bad[] = {0, 1, 3};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		curfew_run_options short_one = {.size = bad[i]};
		CHECK_EQUAL(curfew_program_run(program, &short_one, &report, &failure), CURFEW_INVALID);
		curfew_limits short_limits = {.size = bad[i]};
		CHECK_EQUAL(curfew_limits_resolve(&short_limits, &short_limits, &failure), CURFEW_INVALID);
		curfew_engine_options short_options = {.size = bad[i]};
		CHECK_EQUAL(curfew_engine_create(&short_options, &second, &failure), CURFEW_INVALID);
		curfew_source short_source = {.size = bad[i], .name = "a.js", .text = "1", .text_length = 1};
		CHECK_EQUAL(curfew_program_create(engine, &short_source, &other, &failure), CURFEW_INVALID);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* Fields beyond the size of a caller's struct are not written. */
static void short_outputs(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_engine_stats stats;
	memset(&stats, 0xaa, sizeof stats);
	stats.size = 16; /* up to runs_active */
	curfew_engine_get_stats(engine, &stats);
	CHECK_EQUAL(stats.runs_active, 0);
	CHECK(stats.runs_total == UINT64_C(0xaaaaaaaaaaaaaaaa));
	curfew_engine_destroy(engine);
}

static void bad_sources(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = NULL;
	curfew_failure failure;
	const curfew_source bad[] = {
		{.size = sizeof bad[0], .name = NULL, .text = "1", .text_length = 1},
		{.size = sizeof bad[0], .name = "a.js", .text = NULL, .text_length = 1},
		{.size = sizeof bad[0], .name = "curfew:a.js", .text = "1", .text_length = 1},
		{.size = sizeof bad[0], .name = "a.js", .text = "1", .text_length = ((size_t)16 << 20) + 1},
		{.size = sizeof bad[0], .name = "a.js", .text = "1", .text_length = 1, .flags = 0x80},
		{.size = sizeof bad[0], .name = "a.js", .text = "1", .text_length = 1, .language = (curfew_language)7},
		{.size = sizeof bad[0], .name = "a.js", .text = "1", .text_length = 1, .import_dir = "/proc/nowhere/at/all"},
		{.size = sizeof bad[0], .name = "a.js", .text = "1", .text_length = 1, .reserved = 1},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		failure.message[0] = '\0';
		if (curfew_program_create(engine, &bad[i], &program, &failure) == CURFEW_OK)
			(void)fprintf(stderr, "bad source %zu was taken\n", i);
		CHECK(program == NULL);
		CHECK(failure.message[0] != '\0' && strchr(failure.message, '\n') == NULL);
	}
	curfew_engine_destroy(engine);
}

static void bad_params(void)
{
	/* Claim L63. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_report *report = NULL;
	curfew_failure failure;
	static const char *const bad[] = {"", "{}", "1", "[1", "[1]]", "[\xff]", "[nan]"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		curfew_run_options options = {.size = sizeof options, .params = bad[i], .params_length = strlen(bad[i])};
		CHECK_EQUAL(curfew_program_run(program, &options, &report, &failure), CURFEW_INVALID);
		CHECK(failure.message[0] != '\0');
		CHECK_EQUAL(curfew_params_check(bad[i], strlen(bad[i]), &failure), CURFEW_INVALID);
	}
	curfew_run_options options = {.size = sizeof options, .flags = 0x100};
	CHECK_EQUAL(curfew_program_run(program, &options, &report, &failure), CURFEW_INVALID);
	CHECK(report == NULL);
	CHECK_OK(curfew_params_check("[1, [2]]", 8, NULL));
	/* Not NUL-terminated: only the length counts. */
	options = (curfew_run_options){.size = sizeof options, .params = "[1]garbage", .params_length = 3};
	CHECK_OK(curfew_program_run(program, &options, &report, &failure));
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void cache_directories(void)
{
	/* Claim T20. */
	char path[HARNESS_PATH], inner[2 * HARNESS_PATH];
	harness_directory(path, "cache");
	(void)snprintf(inner, sizeof inner, "%s/cache", path);
	curfew_engine *engine = NULL;
	curfew_failure failure;
	curfew_engine_options options = {.size = sizeof options, .threads = 1, .cache_dir = inner};
	CHECK_OK(curfew_engine_create(&options, &engine, &failure));
	struct stat status;
	CHECK_EQUAL(stat(inner, &status), 0);
	CHECK_EQUAL(status.st_mode & 0777, 0700);
	harness_expect(engine, "2", NULL, CURFEW_OUTCOME_FINISHED, "2");
	curfew_engine_destroy(engine);
	for (int shared = 0; shared < 2; shared++) {
		CHECK_EQUAL(chmod(inner, shared != 0 ? 0770 : 0707), 0);
		engine = NULL;
		CHECK(curfew_engine_create(&options, &engine, &failure) != CURFEW_OK);
		CHECK(engine == NULL && strstr(failure.message, inner) != NULL);
	}
	CHECK_EQUAL(chmod(inner, 0700), 0);
	options.cache_dir = "/dev/null/x";
	CHECK(curfew_engine_create(&options, &engine, &failure) != CURFEW_OK);
	char command[96];
	(void)snprintf(command, sizeof command, "rm -r %s", path);
	CHECK_EQUAL(system(command), 0);
}

/* A failed report needs no engine. */
static void failed_report(void)
{
	curfew_report *report = NULL;
	CHECK_OK(curfew_report_create_failed(CURFEW_OUTCOME_BAD_PROGRAM, "x.js", "it is gone", NULL, &report));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_BAD_PROGRAM);
	CHECK_TEXT(report->error_message, "it is gone");
	CHECK_EQUAL(strlen(report->id), 26);
	curfew_report_destroy(report);
	report = NULL;
	CHECK_EQUAL(curfew_report_create_failed(CURFEW_OUTCOME_FINISHED, "x.js", "m", NULL, &report), CURFEW_INVALID);
	CHECK(report == NULL);
}

static void languages_have_names(void)
{
	static const char *const names[] = {"js", "mjs", "wasm", "wat", "ts", "mts", "tar"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		CHECK_TEXT(curfew_language_name((curfew_language)i), names[i]);
	CHECK(curfew_language_name((curfew_language)(sizeof names / sizeof names[0])) == NULL);
	CHECK(curfew_language_name((curfew_language)-1) == NULL);
}

static const harness_test tests[] = {
	{"every_order", every_order},
	{"report_outlives_everything", report_outlives_everything},
	{"destroy_while_running", destroy_while_running},
	{"engines_come_and_go", engines_come_and_go},
	{"two_engines", two_engines},
	{"nothing_is_destroyed", nothing_is_destroyed},
	{"null_arguments", null_arguments},
	{"unknown_values", unknown_values},
	{"struct_sizes", struct_sizes},
	{"short_outputs", short_outputs},
	{"bad_sources", bad_sources},
	{"bad_params", bad_params},
	{"cache_directories", cache_directories},
	{"failed_report", failed_report},
	{"languages_have_names", languages_have_names},
};

HARNESS_MAIN(tests)
