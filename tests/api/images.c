/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are compiled, saved and loaded; damaged images; sources that are hostile to the compiler. */
#include "engine.h"

#include <pthread.h>

#define MS UINT64_C(1000000)

static void *save(curfew_engine *engine, const char *text, size_t *length)
{
	curfew_program *program = harness_program(engine, text);
	void *image = NULL;
	CHECK_EQUAL(curfew_program_save(program, &image, length, NULL), CURFEW_INVALID); /* it is not compiled yet */
	CHECK(image == NULL);
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	CHECK_OK(curfew_program_save(program, &image, length, NULL));
	CHECK(image != NULL && *length > 0);
	CHECK(curfew_is_image(image, *length));
	curfew_program_destroy(program);
	return image;
}

static void save_and_load(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_engine *other = harness_engine(1);
	size_t length = 0;
	void *image = save(engine, "let n = 0; export default (a, b) => [a + b, ++n]", &length);
	curfew_engine_destroy(engine);
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_load(other, image, length, &program, NULL));
	memset(image, 0, length);
	curfew_free(image);
	for (int i = 0; i < 10; i++) {
		curfew_run_options options = {.size = sizeof options, .params = "[20,22]", .params_length = 7};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		CHECK_TEXT(report->value, "[42,1]");
		CHECK_EQUAL(report->used.compile_ns, 0);
		CHECK_TEXT(report->program_name, "test.js");
		CHECK_EQUAL(strlen(report->program_sha256), 64);
		curfew_report_destroy(report);
	}
	/* It can be saved again, with the same result. */
	void *again = NULL;
	size_t again_length = 0;
	CHECK_OK(curfew_program_save(program, &again, &again_length, NULL));
	CHECK_EQUAL(again_length, length);
	curfew_free(again);
	curfew_program_destroy(program);
	curfew_engine_destroy(other);
}

/* The flavour with fuel starts from the same image. */
static void image_with_fuel(void)
{
	curfew_engine *engine = harness_engine(1);
	size_t length = 0;
	void *image = save(engine, "for(;;);", &length);
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_load(engine, image, length, &program, NULL));
	curfew_limits limits = {.size = sizeof limits, .fuel = 1000000};
	curfew_report *report = harness_run(program, &limits);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FUEL);
	curfew_report_destroy(report);
	curfew_free(image);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* Damage is detected, or (should it ever not be) the run stays within its limits. */
static void try_image(curfew_engine *engine, const void *image, size_t length, const char *what, size_t at)
{
	curfew_program *program = NULL;
	curfew_failure failure = {.message = ""};
	curfew_status status = curfew_program_load(engine, image, length, &program, &failure);
	if (status != CURFEW_BAD_IMAGE && status != CURFEW_INVALID)
		(void)fprintf(stderr, "%s at %zu: status %d\n", what, at, (int)status);
	CHECK(status == CURFEW_BAD_IMAGE || (status == CURFEW_INVALID && length == 0));
	CHECK(program == NULL && failure.message[0] != '\0');
}

static void damaged_images(void)
{
	curfew_engine *engine = harness_engine(1);
	size_t length = 0;
	unsigned char *image = save(engine, "1 + 1", &length);
	unsigned char *copy = malloc(length + 64);
	uint64_t random = 11;
	CHECK(copy != NULL);
	memset(copy, 0, length + 64);
	for (size_t cut = 0; cut < 300 && cut < length; cut += 7)
		try_image(engine, image, cut, "cut", cut);
	for (unsigned i = 0; i < harness_count(100); i++) {
		size_t cut = harness_random(&random) % length;
		try_image(engine, image, cut, "cut", cut);
	}
	for (unsigned i = 0; i < harness_count(300); i++) {
		/* Half of the changes are in the first bytes, which contain the lengths. */
		size_t at = harness_random(&random) % (i % 2 == 0 ? 256 : length);
		memcpy(copy, image, length);
		copy[at] ^= (unsigned char)(1u << harness_random(&random) % 8);
		try_image(engine, copy, length, "bit", at);
	}
	memcpy(copy, image, length);
	try_image(engine, copy, length + 64, "longer", length);
	memset(copy, 0xff, length);
	try_image(engine, copy, length, "all ones", 0);
	free(copy);
	curfew_free(image);
	curfew_engine_destroy(engine);
}

/* ---- Compiling ------------------------------------------------------------------------------------------- */

static void compile_refuses_a_bad_program(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "let a = 1;\nlet b = ;");
	curfew_report *report = NULL;
	CHECK_EQUAL(curfew_program_compile(program, NULL, &report, NULL), CURFEW_BAD_PROGRAM);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_BAD_PROGRAM);
	CHECK_TEXT(report->error_name, "SyntaxError");
	CHECK_EQUAL(report->frame_count, 1);
	CHECK_EQUAL(report->frames[0].line, 2);
	CHECK_TEXT(report->source_line, "let b = ;");
	curfew_report_destroy(report);
	CHECK_EQUAL(curfew_program_compile(program, NULL, NULL, NULL), CURFEW_BAD_PROGRAM);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* A text that takes long to parse: millions of nested or chained parts. */
static char *hostile_source(const char *part, size_t times)
{
	size_t length = strlen(part);
	char *text = malloc(length * times + 1);
	CHECK(text != NULL);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * length, part, length);
	text[length * times] = '\0';
	return text;
}

static void hostile_sources_meet_the_deadline(void)
{
	/* Claims L76, T4. */
	static const char *const parts[] = {"x=>",
	                                    "(",
	                                    "[",
	                                    "{",
	                                    "a?b:",
	                                    "`${",
	                                    "a+",
	                                    "x[",
	                                    "!",
	                                    "/*",
	                                    "async x=>",
	                                    "class A{static{",
	                                    "function f(){",
	                                    "var a;",
	                                    "a:",
	                                    "\xc3\xa9",
	                                    "0,",
	                                    "if(1){}else ",
	                                    "label:{"};
	curfew_engine *engine = harness_engine(1);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 60 * MS};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char *text = hostile_source(parts[i], ((size_t)4 << 20) / strlen(parts[i]));
		curfew_program *program = harness_program(engine, text);
		curfew_report *report = NULL;
		uint64_t start = harness_now();
		curfew_status status = curfew_program_compile(program, &limits, &report, NULL);
		CHECK(harness_now() - start < harness_patience_ms(1000));
		CHECK(status == CURFEW_OK || status == CURFEW_BAD_PROGRAM);
		CHECK((status == CURFEW_OK) == (report == NULL));
		if (report != NULL && report->outcome == CURFEW_OUTCOME_DEADLINE)
			CHECK(report->used.wall_ns >= limits.timeout_ns);
		curfew_report_destroy(report);
		curfew_program_destroy(program);
		free(text);
	}
	curfew_engine_destroy(engine);
}

static void *compile_it(void *context)
{
	CHECK_OK(curfew_program_compile(context, NULL, NULL, NULL));
	curfew_report *report = harness_run(context, NULL);
	CHECK_TEXT(report->value, "3");
	curfew_report_destroy(report);
	return NULL;
}

/* Several threads compile and run the same program at once. */
static void compile_on_many_threads(void)
{
	curfew_engine *engine = harness_engine(2);
	for (unsigned round = 0; round < harness_count(20); round++) {
		curfew_program *program = harness_program(engine, "1 + 2");
		pthread_t threads[4];
		for (int i = 0; i < 4; i++)
			CHECK_EQUAL(pthread_create(&threads[i], NULL, compile_it, program), 0);
		for (int i = 0; i < 4; i++)
			CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
		curfew_program_destroy(program);
	}
	curfew_engine_destroy(engine);
}

/* Only this run's limit counts: a large image cannot run under a small limit. */
static void image_larger_than_the_limit(void)
{
	curfew_engine *engine = harness_engine(1);
	char *text = hostile_source("var a = [1, 2, 3, 'text'];\n", 150000);
	curfew_program *program = harness_program(engine, text);
	curfew_limits roomy = {.size = sizeof roomy, .memory_bytes = 512u << 20, .timeout_ns = harness_ms(30000)};
	CHECK_OK(curfew_program_compile(program, &roomy, NULL, NULL));
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	curfew_limits small = {.size = sizeof small};
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, "memory") == 0)
			small.memory_bytes = table[i].minimum;
	}
	curfew_report *report = harness_run(program, &small);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_MEMORY);
	curfew_report_destroy(report);
	report = harness_run(program, &roomy);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	free(text);
}

static const harness_test tests[] = {
	{"save_and_load", save_and_load},
	{"image_with_fuel", image_with_fuel},
	{"damaged_images", damaged_images},
	{"compile_refuses_a_bad_program", compile_refuses_a_bad_program},
	{"hostile_sources_meet_the_deadline", hostile_sources_meet_the_deadline},
	{"compile_on_many_threads", compile_on_many_threads},
	{"image_larger_than_the_limit", image_larger_than_the_limit},
};

HARNESS_MAIN(tests)
