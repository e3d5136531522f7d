/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: starting, waiting, cancelling, many at once; their events and reports. */
#include "engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#define MS UINT64_C(1000000)

/* Long enough for programs that end by themselves, even on a busy machine. */
static const curfew_limits short_deadline = {.size = sizeof short_deadline, .timeout_ns = 300 * MS};

/* ---- Start and wait -------------------------------------------------------------------------------------- */

typedef struct done_note {
	atomic_int calls;
	_Atomic(curfew_run *) run;
} done_note;

static void note_done(void *context, curfew_run *run)
{
	done_note *note = context;
	CHECK(curfew_run_get_report(run) != NULL);
	CHECK(curfew_run_wait(run) == curfew_run_get_report(run));
	atomic_store(&note->run, run);
	atomic_fetch_add(&note->calls, 1);
}

static void start_and_wait(void)
{
	curfew_engine *engine = harness_engine(2);
	static const struct {
		const char *text;
		curfew_outcome outcome;
	} cases[] = {
		{"1 + 1", CURFEW_OUTCOME_FINISHED},
		{"throw 1", CURFEW_OUTCOME_THREW},
		{"let = =", CURFEW_OUTCOME_BAD_PROGRAM},
		{"for(;;);", CURFEW_OUTCOME_DEADLINE},
		{"setTimeout(() => {}, 1e6)", CURFEW_OUTCOME_DEADLINE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		curfew_program *program = harness_program(engine, cases[i].text);
		done_note note = {0};
		curfew_run_options options = {
			.size = sizeof options, .limits = &short_deadline, .on_done = note_done, .on_done_context = &note};
		curfew_run *run = NULL;
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		CHECK_EQUAL(curfew_run_wait(run)->outcome, cases[i].outcome);
		CHECK(curfew_run_wait(run) == curfew_run_get_report(run));
		curfew_run_cancel(run);
		CHECK_EQUAL(curfew_run_get_report(run)->outcome, cases[i].outcome);
		curfew_run_destroy(run);
		CHECK_EQUAL(atomic_load(&note.calls), 1);
		CHECK(atomic_load(&note.run) == run);
		curfew_program_destroy(program);
	}
	curfew_engine_destroy(engine);
}

static void destroy_it(void *context, curfew_run *run)
{
	curfew_run_destroy(run);
	atomic_store((atomic_int *)context, 1);
}

/* on_done may release the last reference. */
static void destroyed_by_its_callback(void)
{
	for (unsigned i = 0; i < harness_count(40); i++) {
		atomic_int ended = 0;
		curfew_engine *engine = harness_engine(1);
		curfew_program *program = harness_program(engine, "1");
		curfew_run *run = NULL;
		curfew_run_options options = {.size = sizeof options, .on_done = destroy_it, .on_done_context = &ended};
		CHECK_OK(curfew_run_start(program, &options, &run, NULL));
		curfew_program_destroy(program);
		curfew_engine_destroy(engine);
		while (atomic_load(&ended) == 0)
			harness_sleep_us(100);
	}
	harness_sleep_us(20000);
}

/* Each callback runs on an engine thread, and may start new runs. */
typedef struct chain {
	curfew_program *program;
	atomic_int left;
} chain;

static void start_another(void *context, curfew_run *run)
{
	chain *links = context;
	curfew_run_destroy(run);
	if (atomic_fetch_sub(&links->left, 1) > 1) {
		curfew_run *next = NULL;
		curfew_run_options options = {.size = sizeof options, .on_done = start_another, .on_done_context = links};
		CHECK_OK(curfew_run_start(links->program, &options, &next, NULL));
	}
}

static void started_by_a_callback(void)
{
	curfew_engine *engine = harness_engine(1);
	chain links = {.program = harness_program(engine, "1"), .left = 100};
	curfew_run *run = NULL;
	curfew_run_options options = {.size = sizeof options, .on_done = start_another, .on_done_context = &links};
	CHECK_OK(curfew_run_start(links.program, &options, &run, NULL));
	while (atomic_load(&links.left) > 0)
		harness_sleep_us(500);
	curfew_program_destroy(links.program);
	curfew_engine_destroy(engine);
}

/* ---- Many at once ---------------------------------------------------------------------------------------- */

enum { WAITING = 200 };

/* A run that only waits holds no thread: 200 of 300 ms each would take half a minute on two threads. */
static void waiting_runs_hold_no_thread(void)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = harness_program(engine, "new Promise(done => setTimeout(done, 300, 'waited'))");
	curfew_run *runs[WAITING];
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	uint64_t start = harness_now();
	for (int i = 0; i < WAITING; i++)
		CHECK_OK(curfew_run_start(program, NULL, &runs[i], NULL));
	for (int i = 0; i < WAITING; i++) {
		const curfew_report *report = curfew_run_wait(runs[i]);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
		CHECK_TEXT(report->value, "\"waited\"");
		/* A millisecond of JavaScript's clock may begin before ours. */
		CHECK(report->used.wall_ns >= 299 * MS);
	}
	CHECK(harness_now() - start < harness_patience_ms(2500));
	for (int i = 0; i < WAITING; i++)
		curfew_run_destroy(runs[i]);
	curfew_engine_stats stats = {.size = sizeof stats};
	curfew_engine_get_stats(engine, &stats);
	CHECK_EQUAL(stats.runs_total, WAITING + 1);
	harness_check_idle(engine);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* All wait for longer than they may, and all are stopped although there are only two threads. */
static void waiting_runs_meet_their_deadlines(void)
{
	/* Claim L16. */
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = harness_program(engine, "setTimeout(() => {}, 1e6)");
	curfew_run *runs[WAITING];
	curfew_limits limits = {.size = sizeof limits};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	for (int i = 0; i < WAITING; i++) {
		limits.timeout_ns = (200 + (uint64_t)i) * MS;
		CHECK_OK(curfew_run_start(program, &options, &runs[i], NULL));
	}
	for (int i = 0; i < WAITING; i++) {
		const curfew_report *report = curfew_run_wait(runs[i]);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
		CHECK(report->used.wall_ns >= report->limits.timeout_ns);
		curfew_run_destroy(runs[i]);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

typedef struct worker {
	curfew_program *program;
	unsigned index;
	unsigned rounds;
} worker;

static void *run_repeatedly(void *context)
{
	const worker *own = context;
	for (unsigned i = 0; i < own->rounds; i++) {
		char params[32];
		char expected[32];
		int length = snprintf(params, sizeof params, "[%u]", own->index * 100000 + i);
		(void)snprintf(expected, sizeof expected, "[%u,1]", (own->index * 100000 + i) * 2);
		curfew_run_options options = {.size = sizeof options, .params = params, .params_length = (size_t)length};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(own->program, &options, &report, NULL));
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
		CHECK_TEXT(report->value, expected);
		curfew_report_destroy(report);
	}
	return NULL;
}

static void one_program_on_many_threads(void)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = harness_program(engine, "let n = 0; export default x => [x * 2, ++n]");
	pthread_t threads[8];
	worker workers[8];
	for (unsigned i = 0; i < 8; i++) {
		workers[i] = (worker){program, i, harness_count(250)};
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run_repeatedly, &workers[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* ---- Threads with little stack ---------------------------------------------------------------------------- */

static uint64_t cpu_of_this_thread(void)
{
	struct timespec time;
	CHECK_EQUAL(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
	return (uint64_t)time.tv_sec * 1000 * MS + (uint64_t)time.tv_nsec;
}

/* Computes for 100 ms. Returns the CPU time that this thread used for it. */
static uint64_t compute_for_a_while(curfew_engine *engine, curfew_event_callback on_event)
{
	curfew_limits limits = {.size = sizeof limits, .cpu_ns = 100 * MS, .timeout_ns = 60000 * MS};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .on_event = on_event};
	curfew_program *program = harness_program(engine, "for (;;);");
	curfew_report *report;
	uint64_t before = cpu_of_this_thread();
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CPU);
	CHECK(report->frame_count > 0);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return cpu_of_this_thread() - before;
}

static void ignore_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)context, (void)kind, (void)data, (void)length;
}

/* Such a thread executes runs without callbacks itself, on an engine's stack. Other runs get the engine's threads. */
static void *run_on_small_stack(void *context)
{
	curfew_engine *engine = context;
	static const uint64_t stacks[] = {16 << 10, 1 << 20, 4 << 20};
	CHECK(curfew_engine_stack_bytes(NULL) > 256u << 10);
	for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
		curfew_limits limits = {.size = sizeof limits, .stack_bytes = stacks[i]};
		harness_expect(engine, "(function f() { f() })()", &limits, CURFEW_OUTCOME_THREW, NULL);
		harness_expect(engine, "let deep = 0; const f = () => { deep++; f() }; try { f() } catch {} deep > 50", &limits,
		               CURFEW_OUTCOME_FINISHED, "true");
		harness_expect(engine, "/(a+)+$/.test('a'.repeat(60) + 'b')", &short_deadline, CURFEW_OUTCOME_DEADLINE, NULL);
	}
	harness_expect(engine, "new Promise((r) => setTimeout(() => r(1), 5))", NULL, CURFEW_OUTCOME_FINISHED, "1");
	CHECK(compute_for_a_while(engine, NULL) >= 100 * MS);
	CHECK(compute_for_a_while(engine, ignore_event) < 50 * MS);
	return NULL;
}

static void small_stacks(void)
{
	curfew_engine *engine = harness_engine(1);
	pthread_attr_t attributes;
	pthread_t threads[3];
	CHECK_EQUAL(pthread_attr_init(&attributes), 0);
	CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 256u << 10), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(pthread_create(&threads[i], &attributes, run_on_small_stack, engine), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	(void)pthread_attr_destroy(&attributes);
	harness_check_idle(engine);
	curfew_engine_destroy(engine);
}

/* ---- Cancel ---------------------------------------------------------------------------------------------- */

static void cancel_before_start(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "console.log('it ran'); for(;;);");
	curfew_cancel *cancel = NULL;
	curfew_report *report = NULL;
	CHECK_OK(curfew_cancel_create(engine, &cancel));
	curfew_cancel_fire(cancel);
	curfew_run_options options = {.size = sizeof options, .cancel = cancel};
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
	CHECK_TEXT(report->stdout_text, "");
	curfew_report_destroy(report);
	curfew_cancel_destroy(cancel);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void cancel_after_the_end(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "5");
	curfew_cancel *cancel = NULL;
	curfew_run *run = NULL;
	CHECK_OK(curfew_cancel_create(engine, &cancel));
	curfew_run_options options = {.size = sizeof options, .cancel = cancel};
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_cancel_fire(cancel);
	curfew_cancel_fire(cancel);
	CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_run_destroy(run);
	curfew_cancel_fire(cancel);
	curfew_cancel_destroy(cancel);
	harness_expect(engine, "6", NULL, CURFEW_OUTCOME_FINISHED, "6");
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static curfew_cancel *from_handler;

static void on_alarm(int number)
{
	(void)number;
	curfew_cancel_fire(from_handler);
}

/* Busy, in a builtin, waiting: a signal handler on the thread that executes ends each. */
static void cancel_from_a_signal_handler(void)
{
	curfew_engine *engine = harness_engine(1);
	static const char *const texts[] = {"for(;;);", "[].indexOf.call({ length: 2 ** 53 - 1 }, 1)",
	                                    "setTimeout(() => {}, 1e6)", "for (;;) console.error('x')"};
	(void)signal(SIGALRM, on_alarm);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		curfew_program *program = harness_program(engine, texts[i]);
		CHECK_OK(curfew_cancel_create(engine, &from_handler));
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(20000), .output_bytes = 1u << 28};
		curfew_run_options options = {.size = sizeof options, .cancel = from_handler, .limits = &limits};
		curfew_report *report = NULL;
		(void)ualarm(100000, 0);
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		if (report->outcome != CURFEW_OUTCOME_CANCELLED)
			(void)fprintf(stderr, "%s: %s\n", texts[i], curfew_outcome_name(report->outcome));
		CHECK(report->outcome == CURFEW_OUTCOME_CANCELLED || report->outcome == CURFEW_OUTCOME_OUTPUT);
		CHECK(report->used.wall_ns < harness_patience_ms(10000));
		curfew_report_destroy(report);
		curfew_cancel_destroy(from_handler);
		curfew_program_destroy(program);
	}
	curfew_engine_destroy(engine);
}

/* One handle serves one run at a time, and may be used again. */
static void one_handle_for_one_run(void)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = harness_program(engine, "setTimeout(() => {}, 1e6)");
	curfew_cancel *cancel = NULL;
	curfew_run *run = NULL;
	curfew_run *other = NULL;
	CHECK_OK(curfew_cancel_create(engine, &cancel));
	curfew_run_options options = {.size = sizeof options, .cancel = cancel};
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	CHECK_EQUAL(curfew_run_start(program, &options, &other, NULL), CURFEW_INVALID);
	CHECK(other == NULL);
	curfew_cancel_fire(cancel);
	CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_CANCELLED);
	curfew_run_destroy(run);
	curfew_cancel_destroy(cancel);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void second_cancel_skips_the_grace(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "for(;;);");
	curfew_limits limits = {.size = sizeof limits, .grace_ns = 3600000 * MS, .timeout_ns = CURFEW_UNLIMITED};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_run *run = NULL;
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	harness_sleep_us(20000);
	curfew_run_cancel(run);
	harness_sleep_us(100000);
	CHECK(curfew_run_get_report(run) == NULL);
	curfew_run_cancel(run);
	const curfew_report *report = curfew_run_wait(run);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
	CHECK(report->used.wall_ns < harness_patience_ms(20000));
	curfew_run_destroy(run);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* ---- Events and usage ------------------------------------------------------------------------------------ */

typedef struct event_log {
	char text[512];
	size_t length;
} event_log;

static void log_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	event_log *log = context;
	static const char letters[] = "OEPC";
	int written = snprintf(log->text + log->length, sizeof log->text - log->length, "%c:%.*s;", letters[kind],
	                       (int)length, data);
	log->length += (size_t)written;
}

static void events_in_order(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine,
	                                          "console.log('a'); curfew.progress({ at: 1 }); console.error('b');"
	                                          "curfew.checkpoint([1]); setTimeout(() => {"
	                                          " curfew.checkpoint([2]); console.log('c') }, 5); 'value'");
	event_log log = {0};
	curfew_run_options options = {.size = sizeof options, .on_event = log_event, .on_event_context = &log};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_TEXT(log.text, "O:a\n;P:{\"at\":1};E:b\n;C:[1];C:[2];O:c\n;");
	CHECK_TEXT(report->partial, "[2]");
	CHECK_TEXT(report->stdout_text, "a\nc\n");
	CHECK_TEXT(report->stderr_text, "b\n");
	CHECK_TEXT(report->value, "\"value\"");
	CHECK_EQUAL(report->used.host_calls, 3);
	CHECK_EQUAL(report->used.output_bytes, 6 + strlen("\"value\""));
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void fire_handle(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)kind, (void)data, (void)length;
	curfew_cancel_fire(context);
}

/* A run can be cancelled during an event like at any other moment. */
static void cancel_from_an_event(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "(function tell() { for (;;) curfew.progress(1) })()");
	curfew_cancel *cancel = NULL;
	curfew_report *report = NULL;
	CHECK_OK(curfew_cancel_create(engine, &cancel));
	curfew_limits limits = {.size = sizeof limits, .host_calls = CURFEW_UNLIMITED};
	curfew_run_options options = {.size = sizeof options,
	                              .limits = &limits,
	                              .cancel = cancel,
	                              .on_event = fire_handle,
	                              .on_event_context = cancel};
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
	CHECK(report->frame_count > 0);
	curfew_report_destroy(report);
	curfew_cancel_destroy(cancel);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void usage_while_it_runs(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "console.log('12345'); for(;;);");
	curfew_run *run = NULL;
	CHECK_OK(curfew_run_start(program, NULL, &run, NULL));
	curfew_run_usage before = {.size = sizeof before};
	curfew_run_usage after = {.size = sizeof after};
	uint64_t end = harness_now() + harness_patience_ms(5000);
	do {
		harness_sleep_us(2000);
		curfew_run_get_usage(run, &before);
	} while (before.output_bytes == 0 && harness_now() < end);
	CHECK_EQUAL(before.output_bytes, 6);
	end = harness_now() + harness_patience_ms(5000);
	do {
		harness_sleep_us(20000);
		curfew_run_get_usage(run, &after);
	} while (after.cpu_ns <= before.cpu_ns && harness_now() < end);
	CHECK(after.wall_ns > before.wall_ns && after.cpu_ns > before.cpu_ns);
	CHECK(after.cpu_ns <= after.wall_ns + MS);
	CHECK(after.memory_bytes > 0);
	curfew_run_cancel(run);
	const curfew_report *report = curfew_run_wait(run);
	CHECK(report->used.wall_ns >= after.wall_ns);
	curfew_run_destroy(run);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void ids_differ(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	char last[27] = "";
	for (int i = 0; i < 200; i++) {
		curfew_report *report = harness_run(program, NULL);
		CHECK_EQUAL(strlen(report->id), 26);
		CHECK(strcmp(report->id, last) != 0);
		memcpy(last, report->id, sizeof last);
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"start_and_wait", start_and_wait},
	{"destroyed_by_its_callback", destroyed_by_its_callback},
	{"started_by_a_callback", started_by_a_callback},
	{"waiting_runs_hold_no_thread", waiting_runs_hold_no_thread},
	{"waiting_runs_meet_their_deadlines", waiting_runs_meet_their_deadlines},
	{"one_program_on_many_threads", one_program_on_many_threads},
	{"small_stacks", small_stacks},
	{"cancel_before_start", cancel_before_start},
	{"cancel_after_the_end", cancel_after_the_end},
	{"cancel_from_a_signal_handler", cancel_from_a_signal_handler},
	{"one_handle_for_one_run", one_handle_for_one_run},
	{"second_cancel_skips_the_grace", second_cancel_skips_the_grace},
	{"events_in_order", events_in_order},
	{"cancel_from_an_event", cancel_from_an_event},
	{"usage_while_it_runs", usage_while_it_runs},
	{"ids_differ", ids_differ},
};

HARNESS_MAIN(tests)
