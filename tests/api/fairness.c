/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that share an engine: long ones do not keep short ones from starting, and their number is limited. */
#include "engine.h"

#define LONG_RUNS 8

static curfew_run *start(curfew_program *program, uint64_t timeout_ns)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = timeout_ns};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_run *run = NULL;
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	return run;
}

/* Starts endless runs, then one that is short, or that waits in between. It ends long before their deadlines. */
static void behind_long_ones(const char *long_text, const char *short_text)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *endless = harness_program(engine, long_text), *brief = harness_program(engine, short_text);
	curfew_run *runs[LONG_RUNS];
	curfew_report_destroy(harness_run(brief, NULL));
	for (int i = 0; i < LONG_RUNS; i++)
		runs[i] = start(endless, harness_ms(600000));
	curfew_run *run = start(brief, harness_ms(600000));
	CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_FINISHED);
	for (int i = 0; i < LONG_RUNS; i++)
		CHECK(curfew_run_get_report(runs[i]) == NULL);
	CHECK(curfew_run_get_report(run)->used.wall_ns < harness_patience_ms(2000));
	curfew_run_destroy(run);
	for (int i = 0; i < LONG_RUNS; i++) {
		curfew_run_cancel(runs[i]);
		CHECK_EQUAL(curfew_run_wait(runs[i])->outcome, CURFEW_OUTCOME_CANCELLED);
		curfew_run_destroy(runs[i]);
	}
	curfew_program_destroy(endless);
	curfew_program_destroy(brief);
	curfew_engine_destroy(engine);
}

static void test_short_behind_long(void)
{
	behind_long_ones("for (;;);", "6 * 7");
}

static void test_waiting_behind_flood(void)
{
	behind_long_ones("(function flood() { queueMicrotask(flood); })()",
	                 "new Promise((r) => setTimeout(() => setTimeout(r, 10), 10))");
}

/* With more runs than there can be threads, each still meets its deadline. */
static void test_more_than_threads(void)
{
	/* Claim L22. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *endless = harness_program(engine, "for (;;);");
	curfew_run *runs[100];
	for (int i = 0; i < 100; i++)
		runs[i] = start(endless, harness_ms(500));
	for (int i = 0; i < 100; i++) {
		const curfew_report *report = curfew_run_wait(runs[i]);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
		CHECK(report->used.wall_ns < harness_patience_ms(5000));
		curfew_run_destroy(runs[i]);
	}
	/* Its threads are leaving or have left, and it continues to work. */
	for (int i = 0; i < 200; i++)
		harness_expect(engine, "1", NULL, CURFEW_OUTCOME_FINISHED, "1");
	curfew_program_destroy(endless);
	curfew_engine_destroy(engine);
}

static void test_refused_when_full(void)
{
	/* Claim L74. */
	curfew_engine_options options = {.size = sizeof options, .threads = 1, .max_runs = 3};
	curfew_engine *engine = NULL;
	curfew_run *runs[3], *more = NULL;
	curfew_failure failure;
	CHECK_OK(curfew_engine_create(&options, &engine, NULL));
	curfew_program *program = harness_program(engine, "new Promise(() => setInterval(() => {}, 1000))");
	for (int i = 0; i < 3; i++)
		runs[i] = start(program, harness_ms(60000));
	CHECK_EQUAL(curfew_run_start(program, NULL, &more, &failure), CURFEW_OVERLOADED);
	CHECK(more == NULL && failure.message[0] != 0);
	curfew_run_destroy(runs[0]);
	runs[0] = start(program, harness_ms(60000));
	for (int i = 0; i < 3; i++)
		curfew_run_destroy(runs[i]);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"short_behind_long", test_short_behind_long},
	{"waiting_behind_flood", test_waiting_behind_flood},
	{"more_than_threads", test_more_than_threads},
	{"refused_when_full", test_refused_when_full},
};
HARNESS_MAIN(tests)
