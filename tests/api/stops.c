/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops of guests that are hard to stop: in endless tail calls and exceptions, and while they move between threads.
 * Also the usage of a stopped program.
 */
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

#define PLENTY UINT64_C(1000000000000000)

static curfew_program *make_program(curfew_engine *engine, const char *text, curfew_language language)
{
	curfew_source source = {
		.size = sizeof source, .name = "a", .text = text, .text_length = strlen(text), .language = language};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	return program;
}

/* Cancels it after that time. The report belongs to the run. */
static const curfew_report *cancel_after(curfew_program *program, const curfew_run_options *options, unsigned us,
                                         curfew_run **run)
{
	CHECK_OK(curfew_run_start(program, options, run, NULL));
	harness_sleep_us(us);
	curfew_run_cancel(*run);
	return curfew_run_wait(*run);
}

/* ---- Guests without an end --------------------------------------------------------------------------------- */

static const char tail_calls[] =
	"(module (type $t (func (param i32 i32))) (table 2 funcref) (elem (i32.const 0) $a $b)"
	" (func $a (type $t) (return_call_indirect (type $t) (local.get 1) (local.get 0) (i32.const 1)))"
	" (func $b (type $t) (return_call $c (local.get 0) (local.get 1) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6)"
	" (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10)))"
	" (func $c (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (return_call $a (local.get 9) (local.get 1)))"
	" (func (export \"run\") (call $a (i32.const 1) (i32.const 2))))";

static const char exceptions[] =
	"(module (tag $t (param i32)) (func $throw (param i32) (throw $t (local.get 0)))"
	" (func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))"
	" (else (call $throw (i32.const 1)))))"
	" (func (export \"run\") (loop $l (block $h (try_table (catch_all $h) (call $deep (i32.const 20)))) (br $l))))";

static const char rethrows[] =
	"(module (tag $t) (func $f (param i32) (local $e exnref) (if (i32.eqz (local.get 0)) (then (throw $t)))"
	" (block $h (result exnref) (try_table (catch_all_ref $h) (call $f (i32.sub (local.get 0) (i32.const 1)))) (return))"
	" (throw_ref))"
	" (func (export \"run\") (loop $l (block $h (try_table (catch_all $h) (call $f (i32.const 20)))) (br $l))))";

/* Stops it at random moments, plain and metered. Each stop must arrive, and have a stack. */
static void expect_stops(const char *text)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = make_program(engine, text, CURFEW_LANGUAGE_WAT);
	uint64_t random = 7;
	unsigned without = 0;
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	for (unsigned i = 0; i < harness_count(200); i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(60000), .fuel = i % 2 ? PLENTY : 0};
		curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = "run"};
		curfew_run *run = NULL;
		const curfew_report *report = cancel_after(program, &options, 500 + harness_random(&random) % 1500, &run);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
		without += report->frame_count == 0 && report->stop_while == CURFEW_WHILE_RUNNING;
		curfew_run_destroy(run);
	}
	/* A run that was stopped before its first instruction has no stack. */
	CHECK(without <= harness_count(200) / 10);
	curfew_program_destroy(program);
	harness_check_idle(engine);
	curfew_engine_destroy(engine);
}

static void guests_that_live_in_tail_calls(void)
{
	expect_stops(tail_calls);
}

static void guests_that_live_in_exceptions(void)
{
	/* Claim L400. */
	expect_stops(exceptions);
	expect_stops(rethrows);
}

/* ---- From thread to thread --------------------------------------------------------------------------------- */

static void *answer(void *call)
{
	curfew_host_call_return_values(call, NULL);
	return NULL;
}

static void begin_answer(void *context, curfew_host_call *call)
{
	pthread_t thread;
	(void)context;
	CHECK_EQUAL(pthread_create(&thread, NULL, answer, call), 0);
	(void)pthread_detach(thread);
}

/* A run computes and waits in turns. Any free thread resumes it, while another run may be on its last thread. */
static void guests_that_change_threads(void)
{
	enum { AT_ONCE = 6 };
	static const char *const texts[] = {
		"(module (import \"host\" \"f\" (func $f)) (func (export \"run\") (local $i i32) (loop $l (call $f)"
		" (local.set $i (i32.const 20000)) (loop $k (br_if $k (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (br $l))))",
		"export default async () => { for (;;) { await host.f(); for (let i = 0; i < 300; i++); } }",
	};
	curfew_engine *engine = harness_engine(3);
	curfew_program *programs[2];
	curfew_host_function f = {
		.size = sizeof f, .name = "f", .type = "->", .call = begin_answer, .flags = CURFEW_HOST_ASYNC};
	uint64_t random = 3;
	for (int i = 0; i < 2; i++) {
		programs[i] = make_program(engine, texts[i], i == 0 ? CURFEW_LANGUAGE_WAT : CURFEW_LANGUAGE_JS_MODULE);
		CHECK_OK(curfew_program_set_functions(programs[i], &f, 1, NULL));
		CHECK_OK(curfew_program_compile(programs[i], NULL, NULL, NULL));
	}
	for (unsigned round = 0; round < harness_count(40); round++) {
		curfew_run *runs[AT_ONCE];
		curfew_limits limits = {.size = sizeof limits,
		                        .timeout_ns = 2000000 + harness_random(&random) % 6000000,
		                        .host_calls = CURFEW_UNLIMITED,
		                        .fuel = round % 2 ? PLENTY : 0};
		for (int i = 0; i < AT_ONCE; i++) {
			curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = i % 2 == 0 ? "run" : NULL};
			CHECK_OK(curfew_run_start(programs[i % 2], &options, &runs[i], NULL));
		}
		harness_sleep_us(harness_random(&random) % 4000);
		curfew_run_cancel(runs[0]);
		curfew_run_cancel(runs[1]);
		for (int i = 0; i < AT_ONCE; i++) {
			const curfew_report *report = curfew_run_wait(runs[i]);
			bool expected = report->outcome == CURFEW_OUTCOME_DEADLINE ||
			                (i < 2 && report->outcome == CURFEW_OUTCOME_CANCELLED);
			if (!expected)
				(void)fprintf(stderr, "%s: %s\n", curfew_outcome_name(report->outcome), report->error_message);
			CHECK(expected);
			CHECK_EQUAL(report->tripped[0], report->outcome);
			curfew_run_destroy(runs[i]);
		}
	}
	for (int i = 0; i < 2; i++)
		curfew_program_destroy(programs[i]);
	harness_check_idle(engine);
	curfew_engine_destroy(engine);
}

/* ---- The usage of a stopped program ------------------------------------------------------------------------ */

/* The fuel of the same program if it ends by itself after this many turns. */
static uint64_t fuel_of_turns(curfew_program *program, long turns)
{
	char params[32];
	curfew_limits limits = {.size = sizeof limits, .fuel = PLENTY, .host_calls = CURFEW_UNLIMITED};
	curfew_run_options options = {
		.size = sizeof options, .limits = &limits, .params = params, .flags = CURFEW_RUN_DETERMINISTIC};
	curfew_report *report = NULL;
	options.params_length = (size_t)snprintf(params, sizeof params, "[%ld]", turns);
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	uint64_t fuel = report->used.fuel;
	curfew_report_destroy(report);
	return fuel;
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)data, (void)length;
	if (kind == CURFEW_EVENT_CHECKPOINT)
		atomic_store((atomic_bool *)context, true);
}

/*
 * Its last checkpoint shows its progress: it used as much as a program that ends there, and less than one that ends
 * some turns later.
 */
static void fuel_after_a_cancel(void)
{
	/* Claim L26. */
	static const char text[] =
		"export default turns => { for (let i = 0; i < turns; i++) { curfew.checkpoint(i); [3, 1, 2, i].sort(); } }";
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = make_program(engine, text, CURFEW_LANGUAGE_JS_MODULE);
	for (unsigned i = 1; i <= 5; i++) {
		curfew_limits limits = {
			.size = sizeof limits, .timeout_ns = harness_ms(60000), .fuel = PLENTY, .host_calls = CURFEW_UNLIMITED};
		curfew_run_options options = {.size = sizeof options,
		                              .limits = &limits,
		                              .params = "[1000000000]",
		                              .params_length = 12,
		                              .flags = CURFEW_RUN_DETERMINISTIC,
		                              .on_event = on_event};
		atomic_bool has_begun = false;
		curfew_run *run = NULL;
		options.on_event_context = &has_begun;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		while (!atomic_load(&has_begun))
			harness_sleep_us(100);
		harness_sleep_us(i * 7000);
		curfew_run_cancel(run);
		const curfew_report *report = curfew_run_wait(run);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
		CHECK(report->partial != NULL);
		long turns = strtol(report->partial, NULL, 10);
		uint64_t least = fuel_of_turns(program, turns), most = fuel_of_turns(program, turns + 3);
		if (report->used.fuel < least || report->used.fuel > most)
			(void)fprintf(stderr, "%ld turns: %llu of fuel, not between %llu and %llu\n", turns,
			              (unsigned long long)report->used.fuel, (unsigned long long)least, (unsigned long long)most);
		CHECK(report->used.fuel >= least && report->used.fuel <= most);
		curfew_run_destroy(run);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"guests_that_live_in_tail_calls", guests_that_live_in_tail_calls},
	{"guests_that_live_in_exceptions", guests_that_live_in_exceptions},
	{"guests_that_change_threads", guests_that_change_threads},
	{"fuel_after_a_cancel", fuel_after_a_cancel},
};

HARNESS_MAIN(tests)
