/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling from the view of an embedding program: many at once, ended during the compilation, without processes, and
 * nothing left behind.
 */
#include "engine.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FUNCTIONS = 400, CHAIN = 400, TEXT_MAX = 8 << 20 };

/* Text of functions without branches, which takes long to compile. Each number makes another program. */
static char *make_text(unsigned number, int functions, int chain)
{
	char *text = malloc(TEXT_MAX), *at = text, *end = text + TEXT_MAX;
	CHECK(text != NULL);
	at += snprintf(at, (size_t)(end - at), "(module (memory 1) (func (export \"run\") (result i32) (i32.const %u))",
	               number);
	for (int i = 0; i < functions; i++) {
		at += snprintf(at, (size_t)(end - at), "(func (param i32) (result i32) local.get 0");
		for (int j = 0; j < chain; j++)
			at += snprintf(at, (size_t)(end - at), " i32.const 5 i32.add");
		at += snprintf(at, (size_t)(end - at), ")");
	}
	(void)snprintf(at, (size_t)(end - at), ")");
	return text;
}

static curfew_program *make_program(curfew_engine *engine, const char *text)
{
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_WAT,
	                        .name = "slow.wat",
	                        .text = text,
	                        .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	return program;
}

static curfew_program *slow_program(curfew_engine *engine, unsigned number)
{
	char *text = make_text(number, FUNCTIONS, CHAIN);
	curfew_program *program = make_program(engine, text);
	free(text);
	return program;
}

/* A program that takes more than a second of CPU time on any machine. */
static curfew_program *endless_program(curfew_engine *engine)
{
	char *text = make_text(0, 12, 25000);
	curfew_program *program = make_program(engine, text);
	free(text);
	return program;
}

/* One of an engine's own threads may release the last reference to it, shortly after. */
static void check_no_children(void)
{
	uint64_t until = harness_now() + harness_patience_ms(10000);
	siginfo_t info;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && harness_now() < until)
		harness_sleep_us(2000);
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD);
}

static void check_files(unsigned most)
{
	uint64_t until = harness_now() + harness_patience_ms(10000);
	while (harness_count_entries("/proc/self/fd") > most && harness_now() < until)
		harness_sleep_us(2000);
	CHECK(harness_count_entries("/proc/self/fd") <= most);
}

static curfew_run *start(curfew_program *program, uint64_t timeout_ns)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = timeout_ns};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = "run"};
	curfew_run *run = NULL;
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	return run;
}

static void check_stopped(curfew_run *run, curfew_outcome outcome)
{
	const curfew_report *report = curfew_run_wait(run);
	CHECK_EQUAL(report->outcome, outcome);
	CHECK_EQUAL(report->stop_while, CURFEW_WHILE_COMPILING);
	curfew_run_destroy(run);
}

/* Runs of one program wait for one compilation, and each can end by itself. */
static void each_has_its_own_end(void)
{
	unsigned files = harness_count_entries("/proc/self/fd");
	curfew_engine *engine = harness_engine(1);
	char text[] = "(module (func (export \"run\") (result i32) (i32.const 7)))";
	curfew_program *slow = slow_program(engine, 0);
	curfew_program *quick = make_program(engine, text);
	curfew_run *first = start(slow, harness_ms(100)), *second = start(slow, harness_ms(60000));
	curfew_run *other = start(quick, harness_ms(60000));
	check_stopped(first, CURFEW_OUTCOME_DEADLINE);
	/* Meanwhile the engine's only thread is free for other runs. */
	CHECK_EQUAL(curfew_run_wait(other)->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_run_destroy(other);
	curfew_run_cancel(second);
	const curfew_report *report = curfew_run_wait(second);
	CHECK(report->outcome == CURFEW_OUTCOME_CANCELLED || report->outcome == CURFEW_OUTCOME_FINISHED);
	curfew_run_destroy(second);
	curfew_program_destroy(slow);
	curfew_program_destroy(quick);
	curfew_engine_destroy(engine);
	check_no_children();
	check_files(files);
}

static void many_programs_at_once(void)
{
	enum { PROGRAMS = 12 };
	curfew_engine *engine = harness_engine(2);
	curfew_program *programs[PROGRAMS];
	curfew_run *runs[PROGRAMS];
	for (unsigned i = 0; i < PROGRAMS; i++) {
		char text[128];
		(void)snprintf(text, sizeof text, "(module (func (export \"run\") (result i32) (i32.const %u)))", i);
		programs[i] = make_program(engine, text);
		runs[i] = start(programs[i], harness_ms(60000));
	}
	for (unsigned i = 0; i < PROGRAMS; i++) {
		const curfew_report *report = curfew_run_wait(runs[i]);
		char value[16];
		(void)snprintf(value, sizeof value, "%u", i);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
		CHECK(strcmp(report->value, value) == 0);
		curfew_run_destroy(runs[i]);
		curfew_program_destroy(programs[i]);
	}
	curfew_engine_destroy(engine);
	check_no_children();
}

static curfew_run *start_for(curfew_program *program, const char *user)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(120000)};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = "run", .user = user};
	curfew_run *run = NULL;
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	return run;
}

/* Claim L423. Programs of one user that take long to compile do not keep another user's from being compiled. */
static void another_user_is_not_kept_waiting(void)
{
	enum { PROGRAMS = 10 };
	curfew_engine *engine = harness_engine(2);
	curfew_program *programs[PROGRAMS];
	curfew_run *runs[PROGRAMS];
	unsigned waiting = 0;
	for (unsigned i = 0; i < PROGRAMS; i++) {
		char *text = make_text(i, 12, 25000);
		programs[i] = make_program(engine, text);
		free(text);
		runs[i] = start_for(programs[i], "many");
	}
	curfew_program *quick = make_program(engine, "(module (func (export \"run\") (result i32) (i32.const 7)))");
	curfew_run *other = start_for(quick, "one");
	CHECK_EQUAL(curfew_run_wait(other)->outcome, CURFEW_OUTCOME_FINISHED);
	for (unsigned i = 0; i < PROGRAMS; i++)
		waiting += curfew_run_get_report(runs[i]) == NULL;
	CHECK(waiting > PROGRAMS / 2);
	curfew_run_destroy(other);
	curfew_program_destroy(quick);
	for (unsigned i = 0; i < PROGRAMS; i++) {
		curfew_run_destroy(runs[i]);
		curfew_program_destroy(programs[i]);
	}
	curfew_engine_destroy(engine);
	check_no_children();
}

/* Destroying a run cancels it, and releases what only it used. */
static void destroyed_while_compiling(void)
{
	for (unsigned i = 0; i < 4; i++) {
		curfew_engine *engine = harness_engine(1);
		curfew_program *program = slow_program(engine, i);
		curfew_run *run = start(program, harness_ms(60000));
		harness_sleep_us(i * 20000);
		curfew_run_destroy(run);
		curfew_program_destroy(program);
		curfew_engine_destroy(engine);
		check_no_children();
	}
}

static void without_processes(void)
{
	curfew_engine_options options = {.size = sizeof options, .threads = 1, .compile = CURFEW_COMPILE_IN_PROCESS};
	curfew_engine *engine = NULL;
	char text[] = "(module (func (export \"run\") (result i32) (i32.const 7)))";
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	curfew_program *quick = make_program(engine, text);
	curfew_run *run = start(quick, harness_ms(60000));
	CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_run_destroy(run);
	check_no_children();
	curfew_program_destroy(quick);
	curfew_engine_destroy(engine);
}

static void a_compiler_that_is_not_there(void)
{
	curfew_engine_options options = {.size = sizeof options,
	                                 .threads = 1,
	                                 .compiler = "/nonexistent/curfew-compiler",
	                                 .compile = CURFEW_COMPILE_PROCESS};
	curfew_engine *engine = NULL;
	char text[] = "(module (func (export \"run\")))";
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	curfew_program *program = make_program(engine, text);
	curfew_run *run = start(program, harness_ms(60000));
	const curfew_report *report = curfew_run_wait(run);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_INTERNAL_ERROR);
	CHECK(strstr(report->error_message, "/nonexistent/curfew-compiler") != NULL);
	curfew_run_destroy(run);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/*
 * Claim L420. A compiler has its own CPU limit, whatever the run's limit is. A program that takes longer is refused
 * with that reason.
 */
static void compiler_uses_up_its_time(void)
{
	curfew_engine_options options = {
		.size = sizeof options, .compile = CURFEW_COMPILE_PROCESS, .compiler_cpu_ns = UINT64_C(1000000000)};
	curfew_engine *engine = NULL;
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	curfew_program *program = endless_program(engine);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(120000)};
	curfew_report *report = NULL;
	CHECK_EQUAL(curfew_program_compile(program, &limits, &report, NULL), CURFEW_BAD_PROGRAM);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_BAD_PROGRAM);
	CHECK_TEXT(report->error_message, "compiling it takes more than 1 s of CPU time, the limit of a compiler");
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	check_no_children();
}

/* ---- Loading -------------------------------------------------------------------------------------------------- */

enum { EXPORTS = 90000, LOADED_BYTES = 2 << 20 };

static size_t put_number(char *at, size_t number)
{
	size_t length = 0;
	for (; number > 127; number >>= 7)
		at[length++] = (char)(number | 128);
	at[length] = (char)number;
	return length + 1;
}

/* A module with one function under many names, which takes long to load. */
static size_t make_exports(char *bytes)
{
	static const char head[] = "\0asm\1\0\0\0\1\5\1\x60\0\1\x7f\3\2\1\0\7", code[] = "\n\6\1\4\0\x41\7\x0b";
	char *section = malloc(LOADED_BYTES);
	size_t at = put_number(section, EXPORTS), length = sizeof head - 1;
	for (unsigned i = 0; i < EXPORTS; i++) {
		size_t name = (size_t)sprintf(section + at + 1, i == 0 ? "run" : "name%u", i);
		section[at] = (char)name;
		memcpy(section + at + 1 + name, "\0\0", 2);
		at += name + 3;
	}
	memcpy(bytes, head, length);
	length += put_number(bytes + length, at);
	memcpy(bytes + length, section, at);
	memcpy(bytes + length + at, code, sizeof code - 1);
	free(section);
	return length + at + sizeof code - 1;
}

static curfew_engine *engine_that_keeps(const char *cache_dir)
{
	curfew_engine_options options = {.size = sizeof options, .threads = 1, .cache_dir = cache_dir};
	curfew_engine *engine = NULL;
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	return engine;
}

static curfew_program *module_program(curfew_engine *engine, const char *bytes, size_t length)
{
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_WASM,
	                        .name = "names.wasm",
	                        .text = bytes,
	                        .text_length = length};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	return program;
}

/* Runs a new program of these bytes, and returns how long that took. */
static uint64_t time_of(curfew_engine *engine, const char *bytes, size_t length)
{
	curfew_program *program = module_program(engine, bytes, length);
	curfew_run *run = start(program, harness_ms(60000));
	const curfew_report *report = curfew_run_wait(run);
	uint64_t wall_ns = report->used.wall_ns;
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	CHECK_TEXT(report->value, "7");
	curfew_run_destroy(run);
	curfew_program_destroy(program);
	return wall_ns;
}

/* A run that waits for the code of a large program is stopped in time. Another run that waits for it still gets it. */
static void check_stopped_while_loading(curfew_engine *engine, const char *bytes, size_t length)
{
	uint64_t whole_ns = UINT64_MAX, min_ns = UINT64_MAX;
	for (int i = 0; i < 3; i++) {
		uint64_t took_ns = time_of(engine, bytes, length);
		whole_ns = took_ns < whole_ns ? took_ns : whole_ns;
	}
	for (int i = 0; i < 20; i++) {
		curfew_program *program = module_program(engine, bytes, length);
		curfew_run *run = start(program, whole_ns / 4), *other = start(program, harness_ms(60000));
		const curfew_report *report = curfew_run_wait(run);
		CHECK(report->outcome == CURFEW_OUTCOME_DEADLINE || report->outcome == CURFEW_OUTCOME_FINISHED);
		if (report->outcome == CURFEW_OUTCOME_DEADLINE && report->stop_latency_ns < min_ns)
			min_ns = report->stop_latency_ns;
		curfew_run_destroy(run);
		if (i % 2 == 0)
			curfew_run_cancel(other);
		else
			CHECK_EQUAL(curfew_run_wait(other)->outcome, CURFEW_OUTCOME_FINISHED);
		curfew_run_destroy(other);
		curfew_program_destroy(program);
	}
	CHECK(min_ns < whole_ns / 4);
}

static void stopped_while_loading(void)
{
	/* Claim T19, L21. */
	char directory[HARNESS_PATH], command[96];
	char *bytes = malloc(LOADED_BYTES);
	size_t length = make_exports(bytes);
	harness_directory(directory, "loading");
	curfew_engine *engine = engine_that_keeps(directory);
	(void)time_of(engine, bytes, length);
	curfew_engine_destroy(engine); /* it waits until the code is stored */
	engine = engine_that_keeps(directory);
	check_stopped_while_loading(engine, bytes, length);
	curfew_engine_destroy(engine);
	check_no_children();
	(void)snprintf(command, sizeof command, "rm -r %s", directory);
	CHECK_EQUAL(system(command), 0);
	free(bytes);
}

/* ---- Compiling elsewhere ------------------------------------------------------------------------------------- */

enum { ASKED_MAX = 8 };

/* The requests of an engine, which another thread executes. */
static struct asked {
	uint64_t number;
	const curfew_program *program;
	uint32_t what;
	bool ended;
	curfew_code_request *request;
} asked[ASKED_MAX];
static atomic_uint asked_count, ended_count;

static void on_compile(void *context, uint64_t number, const curfew_program *program, uint32_t what)
{
	(void)context;
	for (unsigned i = 0; i < atomic_load(&asked_count) && what == CURFEW_CODE_NONE; i++)
		asked[i].ended |= asked[i].number == number;
	if (what == CURFEW_CODE_NONE) {
		CHECK(program == NULL);
		atomic_fetch_add(&ended_count, 1);
		return;
	}
	asked[atomic_load(&asked_count)] = (struct asked){.number = number, .program = program, .what = what};
	atomic_fetch_add(&asked_count, 1);
}

static void on_ready(void *context)
{
	(void)context;
}

static curfew_engine *engine_that_asks(void)
{
	curfew_engine_options options = {
		.size = sizeof options, .threads = 1, .compile = CURFEW_COMPILE_ELSEWHERE, .on_compile = on_compile};
	curfew_engine *engine = NULL;
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	atomic_store(&asked_count, 0);
	atomic_store(&ended_count, 0);
	return engine;
}

/* Executes one request up to its last answer, which is returned. Each answer is passed to the engine. */
static curfew_code_answer carry_out(curfew_engine *engine, curfew_code *code, struct asked *own)
{
	curfew_code_answer answer = {.size = sizeof answer};
	CHECK_OK(curfew_code_ask(code, own->what, on_ready, NULL, &own->request, NULL));
	do {
		harness_sleep_us(1000);
		curfew_code_next(own->request, &answer);
		if (answer.kind != CURFEW_CODE_GOES_ON)
			CHECK_OK(curfew_engine_receive(engine, own->number, &answer, NULL));
	} while (answer.kind != CURFEW_CODE_DONE && answer.kind != CURFEW_CODE_FAILED);
	curfew_code_request_destroy(own->request);
	return answer;
}

static struct asked *wait_for_request(unsigned number)
{
	while (atomic_load(&asked_count) <= number)
		harness_sleep_us(1000);
	return &asked[number];
}

/* An engine that compiles nothing receives code, a reason why there is none, and a description. */
static void compiled_elsewhere(void)
{
	static const char *const texts[] = {"(module (func (export \"run\") (result i32) (i32.const 7)))",
	                                    "(module (func (export \"run\") (result i32) (i64.const 7)))"};
	unsigned files = harness_count_entries("/proc/self/fd");
	curfew_engine *engine = engine_that_asks();
	curfew_compiler *compiler = NULL;
	CHECK_OK(curfew_compiler_create(NULL, &compiler, NULL));
	for (unsigned i = 0; i < 2; i++) {
		curfew_source source = {.size = sizeof source,
		                        .language = CURFEW_LANGUAGE_WAT,
		                        .name = "t.wat",
		                        .text = texts[i],
		                        .text_length = strlen(texts[i])};
		curfew_code *code = NULL;
		CHECK_OK(curfew_code_create(compiler, &source, &code, NULL));
		curfew_program *program = make_program(engine, texts[i]);
		curfew_run *run = start(program, harness_ms(60000));
		struct asked *own = wait_for_request(i);
		CHECK(own->program == program && own->what == CURFEW_CODE_PLAIN);
		CHECK_EQUAL(carry_out(engine, code, own).kind, i == 0 ? CURFEW_CODE_DONE : CURFEW_CODE_FAILED);
		const curfew_report *report = curfew_run_wait(run);
		CHECK_EQUAL(report->outcome, i == 0 ? CURFEW_OUTCOME_FINISHED : CURFEW_OUTCOME_BAD_PROGRAM);
		curfew_run_destroy(run);
		curfew_program_destroy(program);
		curfew_code_destroy(code);
	}
	CHECK_EQUAL(atomic_load(&ended_count), 0);
	curfew_engine_destroy(engine);
	curfew_compiler_destroy(compiler);
	check_no_children();
	check_files(files);
}

/* A run that ends meanwhile needs the code no longer. An answer that arrives too late is dropped with its file. */
static void stopped_while_elsewhere(void)
{
	curfew_engine *engine = engine_that_asks();
	curfew_program *program = slow_program(engine, 0);
	unsigned files = harness_count_entries("/proc/self/fd");
	check_stopped(start(program, harness_ms(50)), CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(atomic_load(&asked_count), 1);
	CHECK_EQUAL(atomic_load(&ended_count), 1);
	curfew_code_answer late = {.size = sizeof late, .kind = CURFEW_CODE_DONE, .file = dup(0)};
	CHECK_OK(curfew_engine_receive(engine, asked[0].number, &late, NULL));
	CHECK_EQUAL(harness_count_entries("/proc/self/fd"), files);
	late.kind = CURFEW_CODE_FAILED + 1;
	CHECK_EQUAL(curfew_engine_receive(engine, asked[0].number, &late, NULL), CURFEW_INVALID);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void bad_options_for_compiling(void)
{
	curfew_engine_options options = {.size = sizeof options, .compile = CURFEW_COMPILE_ELSEWHERE};
	curfew_engine *engine = NULL;
	curfew_compiler *compiler = NULL;
	curfew_source source = {.size = sizeof source, .name = "t.js", .text = "1", .text_length = 1};
	curfew_code *code = NULL;
	CHECK_EQUAL(curfew_engine_create(&options, &engine, NULL), CURFEW_INVALID);
	options = (curfew_engine_options){.size = sizeof options, .on_compile = on_compile};
	CHECK_EQUAL(curfew_engine_create(&options, &engine, NULL), CURFEW_INVALID);
	options = (curfew_engine_options){
		.size = sizeof options, .compile = CURFEW_COMPILE_ELSEWHERE, .on_compile = on_compile};
	CHECK_EQUAL(curfew_compiler_create(&options, &compiler, NULL), CURFEW_INVALID);
	CHECK_OK(curfew_compiler_create(NULL, &compiler, NULL));
	CHECK_EQUAL(curfew_code_create(compiler, &source, &code, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_code_load(compiler, "curfew\3\n", 8, &code, NULL), CURFEW_BAD_IMAGE);
	curfew_compiler_destroy(compiler);
	curfew_code_destroy(NULL);
	curfew_code_request_destroy(NULL);
	curfew_compiler_destroy(NULL);
}

static const harness_test tests[] = {
	{"each_has_its_own_end", each_has_its_own_end},
	{"many_programs_at_once", many_programs_at_once},
	{"another_user_is_not_kept_waiting", another_user_is_not_kept_waiting},
	{"destroyed_while_compiling", destroyed_while_compiling},
	{"without_processes", without_processes},
	{"a_compiler_that_is_not_there", a_compiler_that_is_not_there},
	{"compiler_uses_up_its_time", compiler_uses_up_its_time},
	{"stopped_while_loading", stopped_while_loading},
	{"compiled_elsewhere", compiled_elsewhere},
	{"stopped_while_elsewhere", stopped_while_elsewhere},
	{"bad_options_for_compiling", bad_options_for_compiling},
};

HARNESS_MAIN(tests)
