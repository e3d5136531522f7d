/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing is carried from one run to the next, whatever the first one did and however it ended. Limits are tried at
 * their extremes.
 */
#include "engine.h"

#define MS UINT64_C(1000000)

/* Changes everything within reach, then ends in the way that its parameter names. */
static const char vandal[] =
	"globalThis.left = 1; var declared = 1; Object.prototype.left = 2; Array.prototype.map = null;"
	"Promise.prototype.then = null; JSON.stringify = JSON.parse = null; Math.random = () => 4; Date.now = () => 4;"
	"Error.stackTraceLimit = 0; Error.prepareStackTrace = () => 'x'; Symbol.for('left'); delete globalThis.Map;"
	"String.prototype.toString = () => 'x'; Function.prototype.call = null; globalThis.console = null;"
	"globalThis.setTimeout(() => { globalThis.late = 1 }, 1); Object.freeze(Array.prototype);"
	"Object.setPrototypeOf(globalThis, null); globalThis.secret = 'secret'.repeat(1000);";

static const char vandal_that_waits[] =
	"globalThis.left = 1; Object.prototype.left = 2; globalThis.secret = 'secret'.repeat(1000); Error.stackTraceLimit = 0;"
	"delete globalThis.Map; await new Promise(() => setTimeout(() => {}, 1e9));";

static const char witness[] =
	"JSON.stringify([typeof left, typeof declared, typeof late, typeof secret, [].left, [1, 2].map(x => x + 1), typeof Map,"
	" Error.stackTraceLimit, typeof Error.prepareStackTrace, Object.isFrozen(Array.prototype), Math.random() === 4,"
	" Date.now() > 1e12, typeof console.log, Object.getPrototypeOf(globalThis) === null, new Error().stack === 'x'])";

static const struct {
	const char *text;
	curfew_outcome outcome;
} endings[] = {
	{"1", CURFEW_OUTCOME_FINISHED},
	{"throw 1", CURFEW_OUTCOME_THREW},
	{"Promise.reject(1)", CURFEW_OUTCOME_THREW},
	{"for(;;);", CURFEW_OUTCOME_DEADLINE},
	{"Array.prototype.indexOf.apply({ length: 2 ** 53 - 1 }, [1])", CURFEW_OUTCOME_DEADLINE},
	{"/^(a+)+$/.test('a'.repeat(40) + '!')", CURFEW_OUTCOME_DEADLINE},
	{"const a = []; for(;;) a.push({ a: [1] })", CURFEW_OUTCOME_MEMORY},
	{"(function f() { f() })()", CURFEW_OUTCOME_THREW},
	{"for(;;) curfew.progress(1)", CURFEW_OUTCOME_HOST_CALLS},
	{"for(;;) setInterval(() => {}, 1)", CURFEW_OUTCOME_TIMERS},
	{"({ toJSON() { for(;;); } })", CURFEW_OUTCOME_DEADLINE},
};

static char *value_of(curfew_engine *engine, const char *text)
{
	curfew_program *program = harness_program(engine, text);
	curfew_report *report = harness_run(program, NULL);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	char *value = strdup(report->value != NULL ? report->value : "null");
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return value;
}

/* After each ending the witness sees what it saw in a new engine, also in the vandal's own program. */
static void nothing_is_carried_over(void)
{
	/* Claims T1, T17. */
	curfew_engine *engine = harness_engine(1);
	char *expected = value_of(engine, witness);
	CHECK(strstr(expected, "undefined") != NULL && strstr(expected, "[2,3]") != NULL);
	/* Running the vandal needs JSON parameters, so it leaves the JSON parser alone. */
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 2000 * MS, .memory_bytes = 24u << 20};
	for (unsigned round = 0; round < harness_count(3); round++) {
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
			char text[2048];
			if (endings[i].outcome == CURFEW_OUTCOME_DEADLINE)
				limits.timeout_ns = 30 * MS;
			else
				limits.timeout_ns = harness_ms(20000);
			(void)snprintf(text, sizeof text, "%s %s", vandal, endings[i].text);
			harness_expect(engine, text, &limits, endings[i].outcome, NULL);
			char *seen = value_of(engine, witness);
			if (strcmp(seen, expected) != 0)
				(void)fprintf(stderr, "after: %s\n", endings[i].text);
			CHECK_TEXT(seen, expected);
			free(seen);
		}
	}
	free(expected);
	curfew_engine_destroy(engine);
}

/* The same compiled program, ended in every way in turn, starts afresh each time. */
static void one_program_begins_anew(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(
		engine,
		"let n = 0; globalThis.m = globalThis.m || 0; const kept = []; export default how => {"
		" n++; m++; kept.push(how); const seen = [n, m, kept.length, typeof late];"
		" Object.prototype.late = 1; setTimeout(() => { n = 100 }, 0);"
		" if (how === 1) throw seen.join(); if (how === 2) for(;;); if (how === 3) for (;;) kept.push([1, 2, 3]);"
		" if (how === 4) return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);"
		" if (how === 5) for (;;) console.log('x'); return seen }");
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	static const curfew_outcome outcomes[] = {CURFEW_OUTCOME_FINISHED, CURFEW_OUTCOME_THREW,    CURFEW_OUTCOME_DEADLINE,
	                                          CURFEW_OUTCOME_MEMORY,   CURFEW_OUTCOME_DEADLINE, CURFEW_OUTCOME_OUTPUT};
	uint64_t random = 7;
	for (unsigned i = 0; i < harness_count(300); i++) {
		unsigned how = harness_random(&random) % 6;
		char params[8];
		(void)snprintf(params, sizeof params, "[%u]", how);
		bool is_timed = outcomes[how] == CURFEW_OUTCOME_DEADLINE;
		curfew_limits limits = {.size = sizeof limits,
		                        .timeout_ns = is_timed ? 5 * MS : harness_ms(20000),
		                        .memory_bytes = 16u << 20,
		                        .output_bytes = 64u << 10};
		curfew_run_options options = {.size = sizeof options, .limits = &limits, .params = params, .params_length = 3};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		CHECK_EQUAL(report->outcome, outcomes[how]);
		if (how == 0)
			CHECK_TEXT(report->value, "[1,1,1,\"undefined\"]");
		if (how == 1)
			CHECK_TEXT(report->error_message, "1,1,1,undefined");
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* Random numbers differ from run to run, even if the runs start from the same image. */
static void random_is_not_repeated(void)
{
	/* Claim T54. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "[Math.random(), crypto.randomUUID()]");
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	curfew_report *first = harness_run(program, NULL);
	for (int i = 0; i < 20; i++) {
		curfew_report *report = harness_run(program, NULL);
		CHECK(strcmp(report->value, first->value) != 0);
		CHECK(strncmp(report->value, first->value, 10) != 0);
		curfew_report_destroy(report);
	}
	curfew_report_destroy(first);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static curfew_report *run_deterministic(curfew_program *program, uint64_t fuel)
{
	curfew_limits limits = {.size = sizeof limits, .fuel = fuel, .timeout_ns = harness_ms(30000)};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .flags = CURFEW_RUN_DETERMINISTIC};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	return report;
}

/* From source, from an image, on another engine, and after other runs, the results are the same. */
static void deterministic_runs(void)
{
	/* Claims L85, T54. */
	static const char text[] = "const seen = [Math.random(), Date.now(), performance.now(), crypto.randomUUID()];"
							   "for (let i = 0; i < 1000; i++) seen.push(Math.random() > 0.5 ? 1 : 0);"
							   "setTimeout(() => console.log(Date.now(), performance.now(), Math.random()), 25);"
							   "console.log(new Error().stack, new Date().toString()); seen";
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, text);
	curfew_report *first = run_deterministic(program, 1000000000);
	CHECK_EQUAL(first->outcome, CURFEW_OUTCOME_FINISHED);
	CHECK(first->used.fuel > 0 && first->used.fuel != CURFEW_UNLIMITED);
	for (int i = 0; i < 6; i++) {
		if (i == 2)
			CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
		if (i == 4) {
			curfew_program_destroy(program);
			curfew_engine_destroy(engine);
			engine = harness_engine(2);
			program = harness_program(engine, text);
		}
		harness_expect(engine, "Math.random(); for (let i = 0; i < 1e4; i++);", NULL, CURFEW_OUTCOME_FINISHED, NULL);
		curfew_report *again = run_deterministic(program, 1000000000);
		CHECK_TEXT(again->value, first->value);
		CHECK_TEXT(again->stdout_text, first->stdout_text);
		CHECK_EQUAL(again->used.loops, first->used.loops);
		CHECK_EQUAL(again->used.fuel, first->used.fuel);
		curfew_report_destroy(again);
	}
	curfew_report_destroy(first);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* ---- Edges of limits ------------------------------------------------------------------------------------- */

static const curfew_limit_info *limit_named(const char *name)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

/* The minimum and the maximum of every limit are accepted, and a run with them ends. */
static void every_limit_at_its_edges(void)
{
	/* Claims L14, L24, L40, L46, L52, T16. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine,
	                                          "const a = []; for (let i = 0; i < 100; i++) a.push({ i }); a.length");
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		const uint64_t edges[] = {table[i].minimum, table[i].ceiling, CURFEW_UNLIMITED};
		for (int edge = 0; edge < (table[i].may_be_unlimited ? 3 : 2); edge++) {
			curfew_limits limits = {.size = sizeof limits};
			memcpy((char *)&limits + table[i].offset, &edges[edge], sizeof edges[edge]);
			curfew_report *report = harness_run(program, &limits);
			bool is_small = edge == 0 && table[i].minimum > 0;
			if (report->outcome != CURFEW_OUTCOME_FINISHED && !(is_small && report->outcome == table[i].outcome))
				(void)fprintf(stderr, "%s, edge %d: %s\n", table[i].name, edge, curfew_outcome_name(report->outcome));
			CHECK(report->outcome == CURFEW_OUTCOME_FINISHED || (is_small && report->outcome == table[i].outcome));
			curfew_report_destroy(report);
		}
		curfew_limits limits = {.size = sizeof limits};
		curfew_run_options options = {.size = sizeof options, .limits = &limits};
		uint64_t beyond = table[i].ceiling + 1;
		curfew_report *report = NULL;
		curfew_failure failure;
		memcpy((char *)&limits + table[i].offset, &beyond, sizeof beyond);
		CHECK_EQUAL(curfew_program_run(program, &options, &report, &failure), CURFEW_INVALID);
		CHECK(strstr(failure.message, table[i].name) != NULL);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* A limit of N lets N pass and stops the next. */
static void counts_are_exact(void)
{
	/* Claim L51. */
	curfew_engine *engine = harness_engine(1);
	for (uint64_t n = 1; n <= 20; n++) {
		char text[128];
		curfew_limits limits = {.size = sizeof limits, .timers = n};
		(void)snprintf(text, sizeof text, "for (let i = 0; i < %d; i++) setTimeout(() => {}, 0); 'x'", (int)n);
		harness_expect(engine, text, &limits, CURFEW_OUTCOME_FINISHED, "\"x\"");
		limits.timers = n + 1 > 2 ? n - (n > 1) : 1;
		harness_expect(engine, text, &limits, n > 1 ? CURFEW_OUTCOME_TIMERS : CURFEW_OUTCOME_FINISHED, NULL);

		limits = (curfew_limits){.size = sizeof limits, .host_calls = n};
		(void)snprintf(text, sizeof text, "for (let i = 0; i < %d; i++) curfew.progress(i); 'x'", (int)n);
		harness_expect(engine, text, &limits, CURFEW_OUTCOME_FINISHED, "\"x\"");
		(void)snprintf(text, sizeof text, "for (let i = 0; i < %d; i++) curfew.progress(i); 'x'", (int)n + 1);
		harness_expect(engine, text, &limits, CURFEW_OUTCOME_HOST_CALLS, NULL);

		limits = (curfew_limits){.size = sizeof limits, .output_bytes = n + 2};
		(void)snprintf(text, sizeof text, "'%.*s'", (int)n, "xxxxxxxxxxxxxxxxxxxxxxxx");
		harness_expect(engine, text, &limits, CURFEW_OUTCOME_FINISHED, NULL);
		(void)snprintf(text, sizeof text, "'%.*s'", (int)n + 1, "xxxxxxxxxxxxxxxxxxxxxxxx");
		harness_expect(engine, text, &limits, CURFEW_OUTCOME_OUTPUT, NULL);
	}
	curfew_engine_destroy(engine);
}

/* However the count is divided, the run stops when it is used up, and not earlier. */
static void loops_are_exact(void)
{
	/* Claims L38, L39. */
	curfew_engine *engine = harness_engine(1);
	static const char text[] = "let n = 0; for (let i = 0; i < 3000; i++) n++; n";
	curfew_program *program = harness_program(engine, text);
	curfew_report *report = harness_run(program, NULL);
	uint64_t needed = report->used.loops;
	CHECK(needed >= 3000 && needed < 6100); /* a test and a backward jump for each iteration */
	curfew_report_destroy(report);
	const uint64_t limits_tried[] = {1, 2, 10, needed / 2, needed - 2, needed - 1, needed, needed + 1, needed * 2};
	for (size_t i = 0; i < sizeof limits_tried / sizeof limits_tried[0]; i++) {
		curfew_limits limits = {.size = sizeof limits, .loops = limits_tried[i]};
		report = harness_run(program, &limits);
		bool enough = limits_tried[i] >= needed;
		if (report->outcome != (enough ? CURFEW_OUTCOME_FINISHED : CURFEW_OUTCOME_LOOPS))
			(void)fprintf(stderr, "loops %llu of %llu\n", (unsigned long long)limits_tried[i],
			              (unsigned long long)needed);
		CHECK_EQUAL(report->outcome, enough ? CURFEW_OUTCOME_FINISHED : CURFEW_OUTCOME_LOOPS);
		CHECK_EQUAL(report->used.loops, enough ? needed : limits_tried[i]);
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* Exactly the fuel that is needed suffices; one unit less does not. */
static void fuel_is_exact(void)
{
	/* Claims L25, L37. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "let n = 0; for (let i = 0; i < 3000; i++) n += i; n");
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	curfew_report *report = run_deterministic(program, 1000000000);
	uint64_t needed = report->used.fuel;
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_report_destroy(report);
	const uint64_t tried[] = {1, 1000, needed / 2, needed - needed / 20, needed + needed / 20, needed * 2};
	for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
		report = run_deterministic(program, tried[i]);
		bool enough = tried[i] >= needed;
		CHECK_EQUAL(report->outcome, enough ? CURFEW_OUTCOME_FINISHED : CURFEW_OUTCOME_FUEL);
		CHECK(report->used.fuel <= tried[i]);
		CHECK(enough || report->used.fuel >= tried[i] / 2);
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void text_of_limits(void)
{
	curfew_limits limits = {.size = sizeof limits};
	curfew_failure failure;
	CHECK_OK(curfew_limits_set(&limits, "timeout", "1.5s", &failure));
	CHECK_EQUAL(limits.timeout_ns, 1500 * MS);
	CHECK_EQUAL(curfew_limits_set(&limits, "timeout", "0", &failure), CURFEW_INVALID);
	CHECK_EQUAL(limits.timeout_ns, 1500 * MS);
	CHECK(strstr(failure.message, "timeout") != NULL);
	CHECK_EQUAL(curfew_limits_set(&limits, "nothing", "1", &failure), CURFEW_INVALID);
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		const uint64_t values[] = {table[i].minimum, table[i].default_value, table[i].ceiling};
		for (int v = 0; v < 3; v++) {
			char text[32];
			uint64_t back;
			curfew_limit_format(&table[i], values[v], text, sizeof text);
			if (values[v] == 0)
				continue;
			CHECK_OK(curfew_limits_set(&limits, table[i].name, text, &failure));
			memcpy(&back, (char *)&limits + table[i].offset, sizeof back);
			CHECK_EQUAL(back, values[v]);
		}
	}
	CHECK(limit_named("memory") != NULL && limit_named("host-calls") != NULL);
}

/*
 * Runs that wait and are all stopped at once are reported before their memory is reset. Runs that start in between find
 * nothing of them, and afterwards nothing is in use.
 */
static void nothing_is_carried_over_from_many_that_waited(void)
{
	/* Claim T17. */
	enum { MANY = 300 };
	static curfew_run *runs[MANY];
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = harness_program(engine, vandal_that_waits);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = CURFEW_UNLIMITED};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	char *expected = value_of(engine, witness);
	for (unsigned round = 0; round < harness_count(3); round++) {
		for (size_t i = 0; i < MANY; i++)
			CHECK_OK(curfew_run_start(program, &options, &runs[i], NULL));
		harness_sleep_us((unsigned)(harness_patience_ms(75) / 1000));
		for (size_t i = 0; i < MANY; i++)
			curfew_run_cancel(runs[i]);
		for (size_t i = 0; i < MANY; i++) {
			CHECK_EQUAL(curfew_run_wait(runs[i])->outcome, CURFEW_OUTCOME_CANCELLED);
			CHECK(curfew_run_wait(runs[i])->used.stack_peak_bytes > 0);
			char *seen = value_of(engine, witness);
			CHECK_TEXT(seen, expected);
			free(seen);
		}
		for (size_t i = 0; i < MANY; i++)
			curfew_run_destroy(runs[i]);
	}
	curfew_engine_stats stats = {.size = sizeof stats};
	curfew_engine_get_stats(engine, &stats);
	CHECK_EQUAL(stats.regions_in_use, 0);
	free(expected);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"nothing_is_carried_over", nothing_is_carried_over},
	{"nothing_is_carried_over_from_many_that_waited", nothing_is_carried_over_from_many_that_waited},
	{"one_program_begins_anew", one_program_begins_anew},
	{"random_is_not_repeated", random_is_not_repeated},
	{"deterministic_runs", deterministic_runs},
	{"every_limit_at_its_edges", every_limit_at_its_edges},
	{"counts_are_exact", counts_are_exact},
	{"loops_are_exact", loops_are_exact},
	{"fuel_is_exact", fuel_is_exact},
	{"text_of_limits", text_of_limits},
};

HARNESS_MAIN(tests)
