/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops at random moments, thousands of times: each run has exactly one outcome, nothing crashes or hangs, and the next
 * run in the same memory starts afresh.
 */
#include "../api/engine.h"

#include <pthread.h>
#include <stdatomic.h>

#define MS UINT64_C(1000000)

/* Where a stop may fall: the interpreter, builtins, the allocator, host calls, jobs, waiting, parsing. */
static const char *const texts[] = {
	"let n = 0; for (let i = 0; i < 2000; i++) n += i; n",
	"Array.from({ length: 300 }, (_, i) => (i * 7919) % 301 + '').sort().length",
	"JSON.parse(JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ i, s: 'x'.repeat(i % 9) })))).length",
	"for (let i = 0; i < 40; i++) console.log('line', i, { i }); 1",
	"(async () => { for (let i = 0; i < 60; i++) await null; return 1 })()",
	"new Promise(done => setTimeout(done, 1, 1))",
	"/^(a+)+$/.test('a'.repeat(13) + '!')",
	"for (let i = 0; i < 10; i++) { curfew.checkpoint({ i }); new Function('return ' + i)() } 1",
	"let s = ''; for (let i = 0; i < 300; i++) s += String.fromCharCode(97 + i % 26).repeat(9); s.replace(/a/g, x => x + x).length",
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

typedef struct canceller {
	_Atomic(curfew_cancel *) target;
	atomic_uint armed; /* incremented with each run */
	atomic_uint fired; /* the last run that was cancelled */
	atomic_bool ending;
	uint64_t random;
} canceller;

static void *cancel_at_random(void *context)
{
	canceller *own = context;
	unsigned seen = 0;
	while (!atomic_load(&own->ending)) {
		unsigned armed = atomic_load(&own->armed);
		if (armed == seen)
			continue;
		seen = armed;
		/* From before the guest's first instruction until after its last. */
		unsigned us = harness_random(&own->random) % (unsigned)(600 * harness_factor("CURFEW_TEST_SLOWER"));
		uint64_t until = harness_now() + us * 1000;
		while (harness_now() < until)
			;
		curfew_cancel_fire(atomic_load(&own->target));
		atomic_store(&own->fired, armed);
	}
	return NULL;
}

static void check_exactly_one(const curfew_report *report, const char *text)
{
	bool expected = report->outcome == CURFEW_OUTCOME_FINISHED || report->outcome == CURFEW_OUTCOME_CANCELLED;
	if (!expected)
		(void)fprintf(stderr, "%s: %s: %s\n", text, curfew_outcome_name(report->outcome),
		              report->error_message != NULL ? report->error_message : "-");
	CHECK(expected);
	if (report->outcome == CURFEW_OUTCOME_CANCELLED)
		CHECK(report->tripped_count >= 1 && report->tripped[0] == CURFEW_OUTCOME_CANCELLED);
	else
		CHECK(report->value != NULL && report->tripped_count == 0);
}

/* 10,000 cancels from another thread. Each has a new handle, which is fired once. */
static void cancels(bool started)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *programs[TEXTS];
	canceller other = {.random = 42};
	pthread_t thread;
	unsigned counts[2] = {0, 0};
	for (int i = 0; i < TEXTS; i++) {
		programs[i] = harness_program(engine, texts[i]);
		if (i % 2 == 0)
			CHECK_OK(curfew_program_compile(programs[i], NULL, NULL, NULL));
	}
	CHECK_EQUAL(pthread_create(&thread, NULL, cancel_at_random, &other), 0);
	for (unsigned i = 1; i <= harness_count(10000); i++) {
		const char *text = texts[i % TEXTS];
		curfew_cancel *cancel = NULL;
		CHECK_OK(curfew_cancel_create(engine, &cancel));
		atomic_store(&other.target, cancel);
		atomic_store(&other.armed, i);
		curfew_run_options options = {.size = sizeof options, .cancel = cancel};
		curfew_report *report = NULL;
		if (started) {
			curfew_run *run = NULL;
			CHECK_OK(curfew_run_start(programs[i % TEXTS], &options, &run, NULL));
			check_exactly_one(curfew_run_wait(run), text);
			counts[curfew_run_wait(run)->outcome == CURFEW_OUTCOME_CANCELLED]++;
			curfew_run_destroy(run);
		} else {
			CHECK_OK(curfew_program_run(programs[i % TEXTS], &options, &report, NULL));
			check_exactly_one(report, text);
			counts[report->outcome == CURFEW_OUTCOME_CANCELLED]++;
			curfew_report_destroy(report);
		}
		while (atomic_load(&other.fired) != i)
			;
		curfew_cancel_destroy(cancel);
	}
	atomic_store(&other.ending, true);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	/* Both must happen, or the moments are not random. */
	CHECK(counts[0] > 0 && counts[1] > 0);
	for (int i = 0; i < TEXTS; i++)
		curfew_program_destroy(programs[i]);
	harness_check_idle(engine);
	curfew_engine_destroy(engine);
}

static void cancel_runs(void)
{
	cancels(false);
}

static void cancel_started_runs(void)
{
	cancels(true);
}

/* Deadlines at any moment, beginning before the first instruction. The witness shows that the memory is intact. */
static void deadlines_anywhere(void)
{
	/* Claim T22. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *witness = harness_program(engine,
	                                          "JSON.stringify([1, 'a', { b: [2] }].map(x => x)) + 'é'.repeat(3)");
	uint64_t random = 9;
	for (unsigned i = 0; i < harness_count(4000); i++) {
		curfew_program *program = harness_program(engine, texts[i % TEXTS]);
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = 1000 + harness_random(&random) % 1500000};
		curfew_report *report = harness_run(program, &limits);
		CHECK(report->outcome == CURFEW_OUTCOME_FINISHED || report->outcome == CURFEW_OUTCOME_DEADLINE);
		curfew_report_destroy(report);
		curfew_program_destroy(program);
		report = harness_run(witness, NULL);
		CHECK_TEXT(report->value, "\"[1,\\\"a\\\",{\\\"b\\\":[2]}]ééé\"");
		curfew_report_destroy(report);
	}
	curfew_program_destroy(witness);
	curfew_engine_destroy(engine);
}

/*
 * Every limit at a random value with hostile programs: the outcome is one of these limits, usage is within them, and
 * the JSON is valid.
 */
static const char *const hostile[] = {
	"for(;;);",
	"const a = []; for (;;) a.push({ a: [a.length] })",
	"for (;;) console.log('x'.repeat(100))",
	"for (;;) setTimeout(() => {}, 1)",
	"for (;;) curfew.progress({ a: 1 })",
	"(function f() { try { f() } finally { f() } })()",
	"let x = 'x'; for (;;) x += x",
	"(async () => { for (;;) await null })()",
	"setInterval(() => { for (let i = 0; i < 1e4; i++); }, 1)",
	"eval('['.repeat(1e5))",
	"for (;;) try { null.x } catch { new Error().stack }",
	"/(a+)+b/.test('a'.repeat(30))",
};
enum { HOSTILE = sizeof hostile / sizeof hostile[0] };

static uint64_t random_limit(uint64_t *random, uint64_t least, unsigned bits)
{
	return least + (harness_random(random) & ((UINT64_C(1) << (1 + harness_random(random) % bits)) - 1));
}

static void random_limits(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *programs[HOSTILE];
	uint64_t random = 5;
	for (int i = 0; i < HOSTILE; i++)
		programs[i] = harness_program(engine, hostile[i]);
	for (unsigned i = 0; i < harness_count(3000); i++) {
		curfew_limits limits = {
			.size = sizeof limits,
			.timeout_ns = 1000 + harness_random(&random) % (8 * MS),
			.grace_ns = i % 5 == 0 ? harness_random(&random) % MS : 0,
			.cpu_ns = i % 3 == 0 ? 1000 + harness_random(&random) % (4 * MS) : 0,
			.fuel = i % 7 == 0 ? random_limit(&random, 1, 24) : 0,
			.loops = i % 4 == 0 ? random_limit(&random, 1, 18) : 0,
			.memory_bytes = (16u << 20) + (uint64_t)(harness_random(&random) % 64) * 65536,
			.stack_bytes = (128u << 10) + (uint64_t)(harness_random(&random) % 900) * 1024,
			.output_bytes = random_limit(&random, 1, 16),
			.host_calls = random_limit(&random, 1, 8),
			.timers = random_limit(&random, 1, 10),
		};
		curfew_report *report = harness_run(programs[i % HOSTILE], &limits);
		char *text = NULL;
		size_t length = 0;
		if (report->outcome == CURFEW_OUTCOME_INTERNAL_ERROR || report->outcome == CURFEW_OUTCOME_TRAPPED ||
		    report->outcome == CURFEW_OUTCOME_BAD_PROGRAM)
			(void)fprintf(stderr, "%u: %s: %s: %s\n", i, hostile[i % HOSTILE], curfew_outcome_name(report->outcome),
			              report->error_message);
		CHECK(report->outcome != CURFEW_OUTCOME_INTERNAL_ERROR && report->outcome != CURFEW_OUTCOME_TRAPPED &&
		      report->outcome != CURFEW_OUTCOME_BAD_PROGRAM);
		CHECK(report->used.wall_ns < limits.timeout_ns + limits.grace_ns + harness_patience_ms(500));
		CHECK(report->used.memory_peak_bytes <= limits.memory_bytes);
		CHECK(report->used.output_bytes <= limits.output_bytes);
		CHECK(report->used.host_calls <= limits.host_calls);
		CHECK(report->used.timers_peak <= limits.timers);
		CHECK_OK(curfew_report_to_json(report, &text, &length));
		curfew_free(text);
		CHECK_OK(curfew_report_to_text(report, i % 2 == 0, &text, &length));
		curfew_free(text);
		curfew_report_destroy(report);
	}
	for (int i = 0; i < HOSTILE; i++)
		curfew_program_destroy(programs[i]);
	curfew_engine_destroy(engine);
}

/* Several threads start, cancel, await and destroy runs on one engine. */
typedef struct crowd {
	curfew_program **programs;
	uint64_t random;
	unsigned rounds;
} crowd;

static void *crowd_member(void *context)
{
	crowd *own = context;
	for (unsigned i = 0; i < own->rounds; i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = 1000 + harness_random(&own->random) % (3 * MS)};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		curfew_run *runs[4];
		for (int r = 0; r < 4; r++)
			CHECK_OK(curfew_run_start(own->programs[harness_random(&own->random) % HOSTILE], &options, &runs[r], NULL));
		for (int r = 0; r < 4; r++) {
			unsigned how = harness_random(&own->random) % 4;
			curfew_run_usage usage = {.size = sizeof usage};
			if (how == 0)
				curfew_run_cancel(runs[r]);
			else if (how == 1)
				curfew_run_get_usage(runs[r], &usage);
			if (how < 3)
				CHECK(curfew_run_wait(runs[r])->outcome != CURFEW_OUTCOME_INTERNAL_ERROR);
			curfew_run_destroy(runs[r]);
		}
	}
	return NULL;
}

static void many_threads(void)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *programs[HOSTILE];
	pthread_t threads[4];
	crowd members[4];
	for (int i = 0; i < HOSTILE; i++)
		programs[i] = harness_program(engine, hostile[i]);
	for (unsigned i = 0; i < 4; i++) {
		members[i] = (crowd){programs, 100 + i, harness_count(150)};
		CHECK_EQUAL(pthread_create(&threads[i], NULL, crowd_member, &members[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < HOSTILE; i++)
		curfew_program_destroy(programs[i]);
	harness_check_idle(engine);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"cancel_runs", cancel_runs},
	{"cancel_started_runs", cancel_started_runs},
	{"deadlines_anywhere", deadlines_anywhere},
	{"random_limits", random_limits},
	{"many_threads", many_threads},
};

HARNESS_MAIN(tests)
