/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space: that of a run is bounded, and when runs have used up all of it, it is available again after their end.
 */
#include "engine.h"

#include <sys/resource.h>

enum { MEMORIES = 12, RUNS = 16, TEXT_BYTES = 1 << 16 };

/* A component that creates this many memories and calls a host function, which answers whenever the test wants. */
static char *make_component(unsigned memories)
{
	char *text = malloc(TEXT_BYTES);
	size_t at = (size_t)snprintf(
		text, TEXT_BYTES,
		"(component (import \"wait\" (func $wait)) (core func $lowered (canon lower (func $wait)))\n"
		"(core module $part (memory 1) (func (export \"f\") (drop (i32.load (i32.const 0)))))\n");
	for (unsigned i = 0; i < memories; i++)
		at += (size_t)snprintf(text + at, TEXT_BYTES - at, "(core instance (instantiate $part))\n");
	(void)snprintf(
		text + at, TEXT_BYTES - at,
		"(core module $main (import \"host\" \"wait\" (func $wait)) (func (export \"run\") (call $wait)))\n"
		"(core instance $i (instantiate $main (with \"host\" (instance (export \"wait\" (func $lowered))))))\n"
		"(func (export \"run\") (canon lift (core func $i \"run\"))))");
	return text;
}

static void on_call(void *context, curfew_host_call *call)
{
	(void)context, (void)call; /* it is answered when the run is over */
}

static void on_stopped(void *context, curfew_host_call *call)
{
	(void)context;
	curfew_host_call_return(call, NULL, 0);
}

static void on_call_at_once(void *context, curfew_host_call *call)
{
	(void)context;
	curfew_host_call_return(call, NULL, 0);
}

static curfew_program *make_program(curfew_engine *engine, unsigned memories, bool waits)
{
	char *text = make_component(memories);
	curfew_source source = {.size = sizeof source,
	                        .name = "parts.wat",
	                        .text = text,
	                        .text_length = strlen(text),
	                        .language = CURFEW_LANGUAGE_WAT};
	curfew_host_function wait = {.size = sizeof wait,
	                             .name = "wait",
	                             .call = waits ? on_call : on_call_at_once,
	                             .stopped = waits ? on_stopped : NULL,
	                             .flags = waits ? CURFEW_HOST_ASYNC : 0};
	curfew_program *program;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK_OK(curfew_program_set_functions(program, &wait, 1, NULL));
	free(text);
	return program;
}

static curfew_report *run_component(curfew_program *program)
{
	curfew_run_options options = {.size = sizeof options, .call = "run"};
	curfew_report *report;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	return report;
}

static curfew_outcome run_script(curfew_engine *engine)
{
	curfew_source source = {.size = sizeof source, .name = "script.js", .text = "40 + 2", .text_length = 6};
	curfew_program *program;
	curfew_report *report;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK_OK(curfew_program_run(program, NULL, &report, NULL));
	curfew_outcome outcome = report->outcome;
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return outcome;
}

static void memories_of_a_run_are_bounded(void)
{
	/* Claim L86. */
	curfew_engine *engine;
	CHECK_OK(curfew_engine_create(NULL, &engine, NULL));
	curfew_program *most = make_program(engine, 64, false), *more = make_program(engine, 65, false);
	curfew_report *report = run_component(most);
	CHECK_TEXT(curfew_outcome_name(report->outcome), "ok");
	curfew_report_destroy(report);
	report = run_component(more);
	CHECK_TEXT(curfew_outcome_name(report->outcome), "bad_program");
	CHECK(strstr(report->error_message, "at most 64 memories") != NULL);
	curfew_report_destroy(report);

	/* The limit is of the run, not of the program. */
	for (int i = 0; i < 3; i++) {
		report = run_component(most);
		CHECK_TEXT(curfew_outcome_name(report->outcome), "ok");
		curfew_report_destroy(report);
	}
	curfew_program_destroy(most);
	curfew_program_destroy(more);
	curfew_engine_destroy(engine);
}

static void using_it_up_is_not_for_good(void)
{
	struct rlimit limit = {(rlim_t)400 << 30, (rlim_t)400 << 30};
	curfew_engine *engine;
	curfew_run *runs[RUNS];
	size_t internal = 0;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return; /* the tests need more address space than there is here */
#endif
	CHECK_OK(curfew_engine_create(NULL, &engine, NULL));
	CHECK_TEXT(curfew_outcome_name(run_script(engine)), "ok");
	CHECK_EQUAL(setrlimit(RLIMIT_AS, &limit), 0);
	curfew_program *program = make_program(engine, MEMORIES, true);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(60000)};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = "run"};
	for (size_t i = 0; i < RUNS; i++)
		CHECK_OK(curfew_run_start(program, &options, &runs[i], NULL));

	/* Some runs do not get all of their memories, and end at once. */
	for (size_t i = 0; i < RUNS && internal == 0; harness_sleep_us(1000)) {
		i = (i + 1) % RUNS;
		internal += curfew_run_get_report(runs[i]) != NULL;
	}
	for (size_t i = 0; i < RUNS; i++) {
		curfew_run_cancel(runs[i]);
		(void)curfew_run_wait(runs[i]);
		curfew_run_destroy(runs[i]);
	}

	/* The pool now holds the address space as memories of modules, and JavaScript still gets some of it. */
	for (int i = 0; i < 3; i++)
		CHECK_TEXT(curfew_outcome_name(run_script(engine)), "ok");
	curfew_program *small = make_program(engine, MEMORIES, false);
	curfew_report *report = run_component(small);
	CHECK_TEXT(curfew_outcome_name(report->outcome), "ok");
	curfew_report_destroy(report);
	curfew_program_destroy(small);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

int main(int argc, char **argv)
{
	static const harness_test tests[] = {
		{"memories_of_a_run_are_bounded", memories_of_a_run_are_bounded},
		{"using_it_up_is_not_for_good", using_it_up_is_not_for_good},
	};
	return harness_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
