/* SPDX-License-Identifier: Apache-2.0 */
/* The other inputs of runs and programs: standard input and files as bytes, import maps, bundles. */
#include "engine.h"

#include <sys/stat.h>

static curfew_program *make(curfew_engine *engine, const curfew_source *given)
{
	curfew_program *program = NULL;
	curfew_failure failure = {.message = ""};
	curfew_source source = *given;

	source.size = sizeof source;
	if (source.text_length == 0 && source.text != NULL)
		source.text_length = strlen(source.text);
	(void)curfew_program_create(engine, &source, &program, &failure);
	CHECK_TEXT(failure.message, "");
	return program;
}

static const char reads[] = "export default [await new Response(curfew.stdin).text(), Object.keys(curfew.files), "
							"await curfew.files['a']?.text()]";

/* The run copies the bytes: the caller may free them once it has started. */
static void bytes(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine,
	                               &(curfew_source){.language = CURFEW_LANGUAGE_JS, .name = "a.js", .text = reads});
	char input[] = "in", files[] = "{\"a\": \"x\", \"b/c\": {\"base64\": \"AA==\"}}";
	curfew_run_options options = {.size = sizeof options,
	                              .stdin_bytes = input,
	                              .stdin_length = 2,
	                              .files = files,
	                              .files_length = sizeof files - 1};
	curfew_run *run = NULL;

	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	memset(input, 'x', sizeof input);
	memset(files, 'x', sizeof files);
	CHECK_TEXT(curfew_run_wait(run)->value, "[\"in\",[\"a\",\"b/c\"],\"x\"]");
	curfew_run_destroy(run);
	options.files = NULL;
	options.stdin_length = 0;
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_TEXT(report->value, "[\"\",[],null]");
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void refused(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_report *report = NULL;
	curfew_run_options both = {.size = sizeof both, .stdin_bytes = "", .flags = CURFEW_RUN_STDIN};
	curfew_run_options large = {.size = sizeof large, .stdin_bytes = "", .stdin_length = (16u << 20) + 1};
	curfew_run_options wrong = {.size = sizeof wrong, .files = "[]", .files_length = 2};

	CHECK_EQUAL(curfew_program_run(program, &both, &report, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_run(program, &large, &report, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_run(program, &wrong, &report, NULL), CURFEW_INVALID);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* Each call of a session sees the same files, and the memory for them is returned after each call. */
static void session(void)
{
	static char files[(1 << 20) + 64];
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, &(curfew_source){.language = CURFEW_LANGUAGE_JS_MODULE,
	                                                        .name = "a.mjs",
	                                                        .text = "export const size = () => curfew.files.a.size"});
	curfew_limits limits = {.size = sizeof limits, .memory_bytes = 16u << 20};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .files = files};
	curfew_session *made = NULL;

	(void)snprintf(files, sizeof files, "{\"a\": \"%0*d\"}", 1 << 20, 0);
	options.files_length = strlen(files);
	CHECK_OK(curfew_session_create(program, &options, &made, NULL));
	for (int i = 0; i < 20; i++) {
		curfew_report *report = NULL;
		CHECK_OK(curfew_session_call(made, "size", NULL, NULL, &report, NULL));
		CHECK_TEXT(report->value, "1048576");
		curfew_report_destroy(report);
	}
	curfew_session_destroy(made);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[600];
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* The same files make the same bytes. A bundle needs no directory, and contains its import map. */
static void bundles(void)
{
	curfew_engine *engine = harness_engine(1);
	char directory[HARNESS_PATH], inner[2 * HARNESS_PATH];
	static const char map[] = "{\"imports\": {\"b\": \"./lib/b.mjs\"}}";
	curfew_source source = {.language = CURFEW_LANGUAGE_JS,
	                        .name = "a.mjs",
	                        .text = "import b from 'b'; export default [b, (await import('./lib/c.mjs')).default]",
	                        .import_map = map,
	                        .import_map_length = sizeof map - 1};
	void *bundle[2] = {NULL, NULL};
	size_t length[2] = {0, 0};

	harness_directory(directory, "given");
	(void)snprintf(inner, sizeof inner, "%s/lib", directory);
	CHECK(mkdir(inner, 0700) == 0);
	write_file(directory, "lib/b.mjs", "export default 'b'");
	write_file(directory, "lib/c.mjs", "export default 'c'");
	source.import_dir = directory;
	for (int i = 0; i < 2; i++) {
		curfew_program *program = make(engine, &source);
		CHECK_OK(curfew_program_bundle(program, NULL, &bundle[i], &length[i], NULL, NULL));
		void *again = NULL;
		size_t again_length = 0;
		CHECK_EQUAL(curfew_program_bundle(program, NULL, &again, &again_length, NULL, NULL), CURFEW_INVALID);
		curfew_program_destroy(program);
	}
	CHECK(length[0] > 0 && length[0] == length[1] && memcmp(bundle[0], bundle[1], length[0]) == 0);
	write_file(directory, "lib/b.mjs", "throw new Error('it is not looked at')");

	curfew_program *program = make(
		engine, &(curfew_source){
					.language = CURFEW_LANGUAGE_BUNDLE, .name = "a.tar", .text = bundle[0], .text_length = length[0]});
	memset(bundle[0], 0, length[0]);
	curfew_report *report = harness_run(program, NULL);
	CHECK_TEXT(report->value, "[\"b\",\"c\"]");
	CHECK_TEXT(report->program_name, "a.mjs");
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_free(bundle[0]);
	curfew_free(bundle[1]);
	curfew_engine_destroy(engine);
}

/* A program without imports is its own bundle. One that does not load is reported as by a run. */
static void no_bundle(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_report *report = NULL;
	void *bundle = NULL;
	size_t length = 1;

	CHECK_OK(curfew_program_bundle(program, NULL, &bundle, &length, &report, NULL));
	CHECK(bundle == NULL && length == 0 && report == NULL);
	curfew_program_destroy(program);
	program = make(engine, &(curfew_source){.language = CURFEW_LANGUAGE_JS,
	                                        .name = "a.mjs",
	                                        .text = "\n import './nothing.mjs'",
	                                        .import_dir = "/tmp"});
	CHECK_EQUAL(curfew_program_bundle(program, NULL, &bundle, &length, &report, NULL), CURFEW_BAD_PROGRAM);
	CHECK(report != NULL && report->frame_count == 1 && report->frames[0].line == 2);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"bytes", bytes}, {"refused", refused}, {"session", session}, {"bundles", bundles}, {"no_bundle", no_bundle},
};

HARNESS_MAIN(tests)
