/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The five things that every sandbox has to stop: a wait that is too long, an endless loop, heavy computation, deep
 * nesting, and asynchronous work with timers. Each is tried plainly, and in a program that hides: it catches
 * everything, replaces everything it can reach, and starves the job queue.
 */
#include "engine.h"

#define HIDING                                                                                                         \
	"for (const k of ['Error', 'setTimeout', 'queueMicrotask', 'Promise', 'Date']) globalThis[k] = function () {};\n"  \
	"Array.prototype.push = Object.prototype.toString = Function.prototype.call = () => { for (;;); };\n"              \
	"Object.defineProperty(Object.prototype, 'then', { get() { for (;;); } });\n"

/* A program that got less processor time than this may not have begun, on a machine that others keep busy. */
#define BEGUN_MS 50

static void expect(const char *text, curfew_outcome outcome, const char *function)
{
	/* Enough memory for programs that flood it, because under a sanitizer the deadline is long. */
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(150), .memory_bytes = UINT64_C(2) << 30};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, text);
	curfew_report *report = harness_run(program, &limits);
	bool named = function == NULL;
	while (!named && report->outcome == outcome && report->used.cpu_ns < harness_ms(BEGUN_MS)) {
		curfew_report_destroy(report);
		limits.timeout_ns *= 2;
		report = harness_run(program, &limits);
	}
	if (report->outcome != outcome)
		(void)fprintf(stderr, "%s: %s\n", curfew_outcome_name(report->outcome),
		              report->error_message != NULL ? report->error_message : "-");
	CHECK_EQUAL(report->outcome, outcome);
	if (outcome == CURFEW_OUTCOME_DEADLINE)
		CHECK(report->used.wall_ns >= limits.timeout_ns &&
		      report->used.wall_ns < limits.timeout_ns + harness_patience_ms(2000));
	for (size_t i = 0; i < report->frame_count; i++)
		named = named || strcmp(report->frames[i].function, function) == 0;
	CHECK(named);
	curfew_report_destroy(report);
	/* The next run is not affected. */
	harness_expect(engine, "[1, 2].map((n) => n * 2)", NULL, CURFEW_OUTCOME_FINISHED, "[2,4]");
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void test_basic_timeout(void)
{
	expect("new Promise((r) => setTimeout(r, 60000))", CURFEW_OUTCOME_DEADLINE, NULL);
	expect("(async () => { for (;;) try { await new Promise((r, x) => setTimeout(x, 10)); } catch {} })()",
	       CURFEW_OUTCOME_DEADLINE, NULL);
}

static void test_infinite_loop(void)
{
	/* Claim T8. */
	expect("function forever() { for (;;); }\nforever()", CURFEW_OUTCOME_DEADLINE, "forever");
	expect(HIDING "function forever() { for (;;) try { for (;;) null.x; } catch {} finally { continue; } }\nforever()",
	       CURFEW_OUTCOME_DEADLINE, "forever");
}

static void test_heavy_computing(void)
{
	expect("function heavy() { let n = 2n; for (;;) n = n * n % (2n ** 4096n - 1n); }\nheavy()",
	       CURFEW_OUTCOME_DEADLINE, "heavy");
	expect(HIDING "function heavy() { for (;;) try { /(a*)*b/.test('a'.repeat(40)); } catch {} }\nheavy()",
	       CURFEW_OUTCOME_DEADLINE, "heavy");
}

static void test_deep_nesting(void)
{
	/* Claims L45, T15. */
	curfew_engine *engine = harness_engine(1);
	harness_expect(engine, "(function deep() { deep(); })()", NULL, CURFEW_OUTCOME_THREW, NULL);
	harness_expect(engine,
	               "let d = 0; const deep = () => { d++; deep(); }; try { deep() } catch (e) { [e.name, d > 100] }",
	               NULL, CURFEW_OUTCOME_FINISHED, "[\"RangeError\",true]");
	curfew_engine_destroy(engine);
	expect("function deep() { try { deep(); } catch { deep(); } finally { deep(); } }\ndeep()", CURFEW_OUTCOME_DEADLINE,
	       "deep");
	expect(HIDING "const deep = new Proxy(function () {}, { apply() { try { deep(); } finally { deep(); } } });\n"
	              "for (;;) try { deep(); } catch {}",
	       CURFEW_OUTCOME_DEADLINE, NULL);
}

static void test_asynchronous_work(void)
{
	expect("setInterval(() => {}, 1)", CURFEW_OUTCOME_DEADLINE, NULL);
	expect("const again = () => Promise.resolve().then(again); again()", CURFEW_OUTCOME_DEADLINE, NULL);
	expect("function work() { queueMicrotask(work); }\nwork(); setTimeout(() => { throw 1; }, 0)",
	       CURFEW_OUTCOME_DEADLINE, NULL);
	expect("const wait = setTimeout, more = queueMicrotask, own = Promise.prototype.then;\n"
	       "Promise.prototype.then = function (...a) { more(spin); return own.apply(this, a); };\n"
	       "function spin() { try { more(spin); wait(spin, 0); throw 0; } catch { for (let i = 0; i < 1e6; i++); } }\n"
	       "curfew.signal.addEventListener('abort', (e) => { e.stopImmediatePropagation(); for (;;); });\n"
	       "spin()",
	       CURFEW_OUTCOME_DEADLINE, NULL);
}

static const harness_test tests[] = {
	{"basic_timeout", test_basic_timeout},         {"infinite_loop", test_infinite_loop},
	{"heavy_computing", test_heavy_computing},     {"deep_nesting", test_deep_nesting},
	{"asynchronous_work", test_asynchronous_work},
};
HARNESS_MAIN(tests)
