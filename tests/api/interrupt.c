/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops by a signal, in a process that interferes: it blocks SIGURG, ignores it, has or installs a handler for it,
 * sends it to itself, or sends a flood of it. Each stop must arrive, and exactly once.
 */
#include "engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

static const char loop_js[] = "for (;;);";
static const char builtin_js[] = "'x'.repeat(20_000_000).split('').sort()";
static const char loop_wat[] = "(module (func (export \"run\") (loop $l (br $l))))";
static const char grow_wat[] =
	"(module (memory 1 1) (func (export \"run\") (loop $l (drop (memory.grow (i32.const 0))) (br $l))))";

static curfew_engine *make_engine(void)
{
	curfew_engine_options options = {.size = sizeof options, .threads = 2};
	curfew_engine *engine = NULL;
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	return engine;
}

static curfew_program *make_program(curfew_engine *engine, const char *text, curfew_language language)
{
	curfew_source source = {
		.size = sizeof source, .name = "a", .text = text, .text_length = strlen(text), .language = language};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	return program;
}

static void expect_stop(curfew_program *program, const char *call, uint64_t timeout_ms)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(timeout_ms), .memory_bytes = 512 * MIB};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = call};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(report->tripped_count, 1);
	curfew_report_destroy(report);
}

/*
 * Tries every kind of guest: polls, a long builtin, a loop without an instruction to trap at, one that spends its time
 * in the host.
 */
static void expect_all_stops(curfew_engine *engine)
{
	static const struct {
		const char *text, *call;
		curfew_language language;
	} guests[] = {
		{loop_js, NULL, CURFEW_LANGUAGE_JS},
		{builtin_js, NULL, CURFEW_LANGUAGE_JS},
		{loop_wat, "run", CURFEW_LANGUAGE_WAT},
		{grow_wat, "run", CURFEW_LANGUAGE_WAT},
	};
	for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
		curfew_program *program = make_program(engine, guests[i].text, guests[i].language);
		expect_stop(program, guests[i].call, 30);
		curfew_program_destroy(program);
	}
}

static void set_mask(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	CHECK_EQUAL(pthread_sigmask(how, &set, NULL), 0);
}

static void callers_that_block_it(void)
{
	sigset_t now;
	set_mask(SIG_BLOCK);
	curfew_engine *engine = make_engine();
	expect_all_stops(engine);
	curfew_engine_destroy(engine);
	CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
	CHECK_EQUAL(sigismember(&now, SIGURG), 1);
}

static void processes_that_ignore_it(void)
{
	CHECK(signal(SIGURG, SIG_IGN) != SIG_ERR);
	curfew_engine *engine = make_engine();
	expect_all_stops(engine);
	curfew_engine_destroy(engine);
}

static atomic_int theirs;

static void plain_handler(int number)
{
	(void)number;
	atomic_fetch_add(&theirs, 1);
}

static void full_handler(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	CHECK(info != NULL);
	atomic_fetch_add(&theirs, 1);
}

/* A handler from before receives its own signals, and none of ours. */
static void handlers_from_before(void)
{
	/* Claim T53. */
	struct sigaction plain = {.sa_handler = plain_handler};
	CHECK_EQUAL(sigaction(SIGURG, &plain, NULL), 0);
	curfew_engine *engine = make_engine();
	expect_all_stops(engine);
	CHECK_EQUAL(atomic_load(&theirs), 0);
	CHECK_EQUAL(raise(SIGURG), 0);
	CHECK_EQUAL(atomic_load(&theirs), 1);
	curfew_engine_destroy(engine);
}

static void handlers_from_before_with_more(void)
{
	struct sigaction full = {.sa_sigaction = full_handler, .sa_flags = SA_SIGINFO};
	CHECK_EQUAL(sigaction(SIGURG, &full, NULL), 0);
	curfew_engine *engine = make_engine();
	expect_all_stops(engine);
	CHECK_EQUAL(atomic_load(&theirs), 0);
	CHECK_EQUAL(raise(SIGURG), 0);
	CHECK_EQUAL(atomic_load(&theirs), 1);
	curfew_engine_destroy(engine);
}

/* If a handler replaces ours, the next engine is refused, and runs of the first are still stopped. */
static void handlers_that_take_over(void)
{
	/* Claim T53. */
	curfew_engine *engine = make_engine(), *other = NULL;
	curfew_failure failure;
	struct sigaction plain = {.sa_handler = plain_handler};
	CHECK_EQUAL(sigaction(SIGURG, &plain, NULL), 0);
	CHECK_EQUAL(curfew_engine_create(NULL, &other, &failure), CURFEW_SYSTEM);
	CHECK(strstr(failure.message, "SIGURG") != NULL && strstr(failure.message, "another handler") != NULL);
	CHECK(other == NULL);
	/* A stop before the guest executes needs no signal, and so does not detect that. */
	for (int i = 0; i < 20 && other == NULL; i++) {
		expect_all_stops(engine);
		(void)curfew_engine_create(NULL, &other, NULL);
	}
	CHECK(other != NULL);
	curfew_engine_destroy(other);
	curfew_engine_destroy(engine);
}

/*
 * The signal is ignored from a moment on that no engine notices. The last resort detects it, and restores the handler.
 */
static void processes_that_ignore_it_later(void)
{
	/* Claim T53. */
	curfew_engine *engine = make_engine();
	for (int i = 0; i < 2; i++) {
		CHECK(signal(SIGURG, i == 0 ? SIG_IGN : SIG_DFL) != SIG_ERR);
		expect_all_stops(engine);
	}
	curfew_engine_destroy(engine);
}

static struct sigaction ours;

static void passing_handler(int number, siginfo_t *info, void *context)
{
	ours.sa_sigaction(number, info, context);
}

/* A handler that calls the previous one causes no problem. */
static void handlers_that_pass_it_on(void)
{
	curfew_engine *engine = make_engine(), *other = NULL;
	struct sigaction passing = {.sa_sigaction = passing_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	CHECK_EQUAL(sigaction(SIGURG, &passing, &ours), 0);
	CHECK_OK(curfew_engine_create(NULL, &other, NULL));
	expect_all_stops(engine);
	expect_all_stops(other);
	curfew_engine_destroy(other);
	curfew_engine_destroy(engine);
}

/* ---- Host functions that block it ------------------------------------------------------------------------- */

/* Leaves the signal blocked after this many calls from the program. */
typedef struct blocker {
	unsigned calls, last;
} blocker;

static void block_at_last(void *context, curfew_host_call *call)
{
	blocker *b = context;
	(void)call;
	if (++b->calls >= b->last)
		set_mask(SIG_BLOCK);
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)context, (void)kind, (void)data, (void)length;
	set_mask(SIG_BLOCK);
}

static void expect_stop_after_block(curfew_engine *engine, curfew_language language, const char *text, unsigned calls)
{
	blocker b = {.last = calls};
	curfew_host_function f = {.size = sizeof f, .name = "f", .type = "->", .call = block_at_last, .context = &b};
	curfew_program *program = make_program(engine, text, language);
	CHECK_OK(curfew_program_set_functions(program, &f, 1, NULL));
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_patience_ms(50), .memory_bytes = 2048 * MIB};
	curfew_run_options options = {.size = sizeof options,
	                              .limits = &limits,
	                              .call = language == CURFEW_LANGUAGE_WAT ? "run" : NULL,
	                              .on_event = on_event};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(b.calls, calls);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
}

static void host_functions_that_block_it(void)
{
	/* Claim T53. */
	static const char js[] = "host.f(); curfew.checkpoint(1); for (;;) 'x'.repeat(5_000_000).split('').sort()";
	static const char late_js[] =
		"for (let i = 0; i < 21; i++) host.f(); for (;;) 'x'.repeat(5_000_000).split('').sort()";
	static const char wat[] =
		"(module (import \"host\" \"f\" (func $f)) (func (export \"run\") (call $f) (loop $l (br $l))))";
	static const char late_wat[] =
		"(module (import \"host\" \"f\" (func $f)) (global $i (mut i32) (i32.const 21)) (func (export \"run\")"
		" (loop $calls (call $f) (global.set $i (i32.sub (global.get $i) (i32.const 1)))"
		" (br_if $calls (global.get $i))) (loop $l (br $l))))";
	curfew_engine *engine = make_engine();
	expect_stop_after_block(engine, CURFEW_LANGUAGE_JS, js, 1);
	expect_stop_after_block(engine, CURFEW_LANGUAGE_JS, late_js, 21);
	expect_stop_after_block(engine, CURFEW_LANGUAGE_WAT, wat, 1);
	expect_stop_after_block(engine, CURFEW_LANGUAGE_WAT, late_wat, 21);
	curfew_engine_destroy(engine);
}

/* The child of a fork has another thread id. Its own engine can stop its runs. */
static void children_of_a_fork(void)
{
	curfew_engine *engine = make_engine();
	expect_all_stops(engine);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		curfew_engine *own = make_engine();
		expect_all_stops(own);
		curfew_engine_destroy(own);
		_exit(0);
	}
	int status = -1;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
	curfew_engine_destroy(engine);
}

/* ---- A flood of signals ----------------------------------------------------------------------------------- */

static atomic_bool raining;

static void *rain(void *argument)
{
	pthread_t *threads = argument;
	while (atomic_load(&raining)) {
		for (int i = 0; i < 2; i++)
			(void)pthread_kill(threads[i], SIGURG);
		harness_sleep_us(1);
	}
	return NULL;
}

static void *stop_often(void *engine)
{
	for (int i = 0; i < 5; i++)
		expect_all_stops(engine);
	return NULL;
}

static void signals_in_a_rain(void)
{
	/* Claim T53. */
	pthread_t threads[2], cloud;
	curfew_engine *engine = make_engine();
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, stop_often, engine), 0);
	atomic_store(&raining, true);
	CHECK_EQUAL(pthread_create(&cloud, NULL, rain, threads), 0);
	/* The threads must not receive signals any more when they are joined. */
	harness_sleep_us(1000000);
	atomic_store(&raining, false);
	CHECK_EQUAL(pthread_join(cloud, NULL), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"callers_that_block_it", callers_that_block_it},
	{"processes_that_ignore_it", processes_that_ignore_it},
	{"handlers_from_before", handlers_from_before},
	{"handlers_from_before_with_more", handlers_from_before_with_more},
	{"handlers_that_take_over", handlers_that_take_over},
	{"processes_that_ignore_it_later", processes_that_ignore_it_later},
	{"handlers_that_pass_it_on", handlers_that_pass_it_on},
	{"host_functions_that_block_it", host_functions_that_block_it},
	{"children_of_a_fork", children_of_a_fork},
	{"signals_in_a_rain", signals_in_a_rain},
};

HARNESS_MAIN(tests)
