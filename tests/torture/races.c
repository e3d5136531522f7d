/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops at the moments between two states: a run starts, is parked, is resumed by another thread, ends. A thread that
 * acquires a lock is delayed now and then, so that the code between two locks takes as long as possible.
 */
#include "../api/engine.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#define HELD_UP_NS 3000000
#define HELD_UP_BRIEFLY_NS 40000
#define ONE_IN 8

static atomic_int holds_up; /* for how many ns; 0: not at all */

/* The watch is prompt. It is the others that it meets at an unusual place. */
static bool is_watch(void)
{
	char name[16] = "";
	return prctl(PR_GET_NAME, name) == 0 && strcmp(name, "curfew-watch") == 0;
}

static void hold_up(int for_ns)
{
	uint64_t until_ns = harness_now() + (uint64_t)for_ns;
	if (for_ns == HELD_UP_NS)
		(void)nanosleep(&(struct timespec){.tv_nsec = for_ns}, NULL);
	else if (!is_watch())
		while (harness_now() < until_ns)
			;
}

/* Replaces the C library's function, also for the library, which is a shared one and sees only visible names. */
__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t *);
	static _Thread_local unsigned seed;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	if (seed == 0)
		seed = (unsigned)(uintptr_t)&seed >> 4;
	int for_ns = atomic_load(&holds_up);
	if (for_ns > 0 && rand_r(&seed) % ONE_IN == 0)
		hold_up(for_ns);
	return real(mutex);
}

static void *answer(void *call)
{
	static _Thread_local unsigned seed;
	seed = (unsigned)(uintptr_t)call;
	harness_sleep_us(rand_r(&seed) % 3000);
	curfew_host_call_return(call, "1", 1);
	return NULL;
}

static void begin_answer(void *context, curfew_host_call *call)
{
	pthread_t thread;
	(void)context;
	CHECK_EQUAL(pthread_create(&thread, NULL, answer, call), 0);
	(void)pthread_detach(thread);
}

static curfew_engine *engine;
static curfew_program *program;

static void prepare(const char *text)
{
	curfew_engine_options options = {.size = sizeof options, .threads = 2};
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	curfew_source source = {.size = sizeof source,
	                        .name = "p.mjs",
	                        .text = text,
	                        .text_length = strlen(text),
	                        .language = CURFEW_LANGUAGE_JS_MODULE};
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	curfew_host_function f = {.size = sizeof f, .name = "f", .call = begin_answer, .flags = CURFEW_HOST_ASYNC};
	CHECK_OK(curfew_program_set_functions(program, &f, 1, NULL));
	atomic_store(&holds_up, HELD_UP_NS);
}

static void clear_up(void)
{
	atomic_store(&holds_up, 0);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/*
 * An answer arrives while the run is being parked, and another thread resumes it. The first thread must not set the
 * alarm any more, or nothing checks the CPU time that follows.
 */
static void limits_hold_after_every_wait(void)
{
	prepare("await host.f(); for (;;);");
	for (int i = 0; i < 60; i++) {
		curfew_limits limits = {.size = sizeof limits, .cpu_ns = harness_ms(20), .timeout_ns = harness_ms(5000)};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_CPU);
		curfew_run_destroy(run);
	}
	clear_up();
}

/*
 * Cancels, deadlines and natural ends coincide. One of them is the outcome, with its own time, and first in the list.
 */
static void ends_are_one_of_those_that_came(void)
{
	prepare("for (let i = 0; i < 5; i++) { await new Promise(f => setTimeout(f, 1)); await host.f(); }");
	for (int i = 0; i < 80; i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(5 + i % 20)};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		harness_sleep_us((unsigned)(i % 8) * 3000);
		curfew_run_cancel(run);
		const curfew_report *report = curfew_run_wait(run);
		CHECK(report->outcome == CURFEW_OUTCOME_FINISHED || report->outcome == CURFEW_OUTCOME_CANCELLED ||
		      report->outcome == CURFEW_OUTCOME_DEADLINE);
		CHECK_EQUAL(report->tripped_count > 0, report->outcome != CURFEW_OUTCOME_FINISHED);
		if (report->tripped_count > 0)
			CHECK_EQUAL(report->tripped[0], report->outcome);
		CHECK(report->stop_latency_ns < harness_patience_ms(60000));
		curfew_run_destroy(run);
	}
	clear_up();
}

/* A cancel that comes while the run is being parked reaches the program, which ends within its grace. */
static void a_cancel_reaches_a_program_that_is_being_parked(void)
{
	prepare("const signal = curfew.signal;"
	        "if (!signal.aborted) await new Promise(f => signal.addEventListener('abort', f)); 'ended well'");
	for (int i = 0; i < 600; i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(60000), .grace_ns = harness_ms(20000)};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		harness_sleep_us((unsigned)(i % 60) * 50);
		curfew_run_cancel(run);
		const curfew_report *report = curfew_run_wait(run);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
		CHECK(report->used.wall_ns < limits.grace_ns);
		curfew_run_destroy(run);
	}
	clear_up();
}

/*
 * A cancel comes while the run's thread sets the alarm for a time that it computed before. The first attempts to stop
 * the run come too early, and there have to be more.
 */
static void a_cancel_while_a_run_begins_is_not_lost(void)
{
	prepare("for (;;);");
	atomic_store(&holds_up, HELD_UP_BRIEFLY_NS);
	for (int i = 0; i < 3000; i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(20000)};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		uint64_t until_ns = harness_now() + (uint64_t)(i % 100) * 4000;
		while (harness_now() < until_ns)
			;
		curfew_run_cancel(run);
		CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_CANCELLED);
		curfew_run_destroy(run);
	}
	clear_up();
}

/* Timers that become due while their run is being parked are not lost. */
static void wakes_are_not_lost(void)
{
	prepare("for (let i = 0; i < 10; i++) await new Promise(f => setTimeout(f, i % 3)); 'done'");
	for (int i = 0; i < 40; i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(20000)};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_FINISHED);
		curfew_run_destroy(run);
	}
	clear_up();
}

static const harness_test tests[] = {
	{"limits_hold_after_every_wait", limits_hold_after_every_wait},
	{"ends_are_one_of_those_that_came", ends_are_one_of_those_that_came},
	{"a_cancel_reaches_a_program_that_is_being_parked", a_cancel_reaches_a_program_that_is_being_parked},
	{"a_cancel_while_a_run_begins_is_not_lost", a_cancel_while_a_run_begins_is_not_lost},
	{"wakes_are_not_lost", wakes_are_not_lost},
};

HARNESS_MAIN(tests)
