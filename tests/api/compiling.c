/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling as an embedding program sees it: many at once, ended while it goes on, without processes, nothing left behind. */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

enum { FUNCTIONS = 400, CHAIN = 400, TEXT_MOST = 8 << 20 };

/* Text that takes seconds to compile; each number makes another program. */
static char *slow_text(unsigned number)
{
	char *text = malloc(TEXT_MOST);
	size_t length = (size_t)sprintf(text, "(module (memory 1) (func (export \"run\") (result i32) (i32.const %u))", number);
	for (int i = 0; i < FUNCTIONS; i++) {
		length += (size_t)sprintf(text + length, "(func (param i32) (result i32) local.get 0");
		for (int j = 0; j < CHAIN; j++)
			length += (size_t)sprintf(text + length, " i32.const 5 i32.add");
		length += (size_t)sprintf(text + length, ")");
	}
	(void)sprintf(text + length, ")");
	return text;
}

static curfew_program *make_program(curfew_engine *engine, const char *text)
{
	curfew_source source = {.size = sizeof source, .language = CURFEW_LANGUAGE_WAT, .name = "slow.wat", .text = text,
	                        .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	return program;
}

static curfew_program *slow_program(curfew_engine *engine, unsigned number)
{
	char *text = slow_text(number);
	curfew_program *program = make_program(engine, text);
	free(text);
	return program;
}

/* The last reference to an engine may be let go of by one of its own threads, soon after. */
static void check_no_children(void)
{
	uint64_t until = harness_now() + harness_ms(10000);
	siginfo_t info;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && harness_now() < until)
		harness_sleep_us(2000);
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD);
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

/* Runs of one program wait for one compilation, each with its own end. */
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
	/* Meanwhile the engine's one thread is free for others. */
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
	CHECK(harness_count_entries("/proc/self/fd") <= files);
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

/* Destroying a run cancels it; what is behind it goes with it. */
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
	curfew_engine_options options = {.size = sizeof options, .threads = 1, .compiler = "/nonexistent/curfew-compiler",
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

static const harness_test tests[] = {
	{"each_has_its_own_end", each_has_its_own_end},
	{"many_programs_at_once", many_programs_at_once},
	{"destroyed_while_compiling", destroyed_while_compiling},
	{"without_processes", without_processes},
	{"a_compiler_that_is_not_there", a_compiler_that_is_not_there},
};

HARNESS_MAIN(tests)
