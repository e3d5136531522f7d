/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that are stopped again and again, at any moment: a session that is usable is consistent, one that is not can
 * be reset, and nothing grows. Then every attack as a cell of one session.
 */
#include "../api/engine.h"

#include <dirent.h>

static const char begin_text[] = "globalThis.bag = []; globalThis.broken = 0; globalThis.model = new Map()";

/* Each runs for ever, and keeps a little of its results. */
static const char *const cells[] = {
	"for (;;) { const m = new Map(); for (let i = 0; i < 50; i++) m.set(i, { s: 'x'.repeat(i) });"
	" keep([...m.values()].map(v => v.s.length)) }",
	"for (;;) { const g = (function* () { try { for (let i = 0; ; i++) yield { i } } finally { broken++ } })();"
	" for (let n = 0; n < 30; n++) keep(g.next()) }",
	"(async () => { for (;;) { await Promise.all([1, 2, 3].map(async x => { await null; keep(x) })) } })()",
	"for (;;) { bag.sort((a, b) => ('' + a).localeCompare('' + b) || 1); keep(Math.random()) }",
	"for (;;) keep('aaaaaaaaaaaaaaaaab'.replace(/(a+)+c|b/g, m => m + JSON.stringify({ m })))",
	"class A { #x = 1; static all = new Set(); get x() { return this.#x } constructor() { A.all.add(this);"
	" if (A.all.size > 100) A.all.clear() } }\n"
	"for (;;) { const a = new A(); Reflect.get(a, 'x', a);"
	" new Proxy(a, { get() { for (let i = 0; i < 10; i++); return 1 } }).any }",
	"for (;;) (function down(d) { const o = { d, a: new Array(5).fill(d) }; if (d < 200) down(d + 1); keep(o) })(0)",
	"for (;;) { try { null.x } catch (e) { keep(e.stack) } }",
	"for (;;) { keep(structuredClone({ a: [1, { b: new Date(0) }], m: new Map([[1, 2]]) }));"
	" new URL('http://a/b?c=d').searchParams.forEach((v, k) => keep(k)) }",
	"for (;;) console.log({ a: [1, 2, 3], b: new Map([[1, { c: 2 }]]) }, 'x')",
	"const registry = new FinalizationRegistry(() => {}); for (;;) { const o = {}; registry.register(o, 1);"
	" new WeakRef(o).deref(); new WeakMap([[o, 1]]).get(o) }",
	"for (;;) { [...Iterator.from([1, 2, 3]).map(x => x + 1).filter(x => x)];"
	" new Promise(done => { for (let i = 0; i < 50; i++); done() }).then(() => {}) }",
	"for (;;) { let s = ''; for (let i = 0; i < 300; i++) s += i; keep(s.split('1').join('2')); eval('var q = bag.length') }",
};
static const char keep_text[] = "const keep = x => { bag.push(x); if (bag.length > 100) bag.length = 0 }";
static const char look_text[] =
	"model.set(model.size % 100, {}); [1, 2, 3].map(x => x * 2).join() + JSON.stringify({ a: [broken] }) +"
	" /b+/.exec('abbb')[0] + [...(function* () { yield typeof bag })()]";

static curfew_report *evaluate(curfew_session *session, const char *text, size_t length, const curfew_limits *limits)
{
	curfew_report *report = NULL;
	CHECK_OK(curfew_session_eval(session, NULL, text, length, limits, &report, NULL));
	return report;
}

static void expect(curfew_session *session, const char *text, const char *value)
{
	curfew_report *report = evaluate(session, text, strlen(text), NULL);
	if (report->outcome != CURFEW_OUTCOME_FINISHED)
		(void)fprintf(stderr, "%s: %s\n", curfew_outcome_name(report->outcome), report->error_message);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	if (value != NULL)
		CHECK_TEXT(report->value, value);
	curfew_report_destroy(report);
}

static void begin(curfew_session *session)
{
	expect(session, begin_text, NULL);
	expect(session, keep_text, NULL);
}

static curfew_session *open_session(curfew_program *program)
{
	curfew_session *session = NULL;
	CHECK_OK(curfew_session_create(program, NULL, &session, NULL));
	return session;
}

static void stop_one(curfew_session *session, uint64_t *seed)
{
	const char *text = cells[harness_random(seed) % (sizeof cells / sizeof *cells)];
	curfew_limits limits = {.size = sizeof limits, .output_bytes = 2000};
	limits.timeout_ns = 200000 + harness_random(seed) % 3000000;
	if (harness_random(seed) % 3 == 0)
		limits.loops = 1 + harness_random(seed) % 5000;
	curfew_report *report = evaluate(session, text, strlen(text), &limits);
	if (report->stop_mode == CURFEW_STOP_NONE)
		(void)fprintf(stderr, "%s: %s: %s\n", text, curfew_outcome_name(report->outcome), report->error_message);
	CHECK(report->stop_mode == CURFEW_STOP_SOFT || report->stop_mode == CURFEW_STOP_HARD);
	curfew_report_destroy(report);
}

static void test_storm(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "");
	curfew_session *session = open_session(program);
	curfew_session_totals totals = {.size = sizeof totals};
	uint64_t seed = 20251121;
	begin(session);
	for (unsigned i = 0; i < harness_count(2000); i++) {
		stop_one(session, &seed);
		if (curfew_session_is_usable(session)) {
			expect(session, look_text, "\"2,4,6{\\\"a\\\":[0]}bbbobject\"");
		} else {
			CHECK_OK(curfew_session_reset(session, NULL));
			begin(session);
		}
	}
	curfew_session_get_totals(session, &totals);
	CHECK(totals.memory_bytes < 32 << 20);
	curfew_session_destroy(session);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static size_t read_attack(const char *name, char *text, size_t size)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", ATTACKS_JS, name);
	FILE *file = fopen(path, "rb");
	CHECK(file != NULL);
	size_t length = fread(text, 1, size, file);
	CHECK(length < size);
	(void)fclose(file);
	return length;
}

static void test_attacks(void)
{
	static char text[1 << 20];
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "");
	curfew_session *session = open_session(program);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(50), .output_bytes = 65536};
	DIR *directory = opendir(ATTACKS_JS);
	unsigned seen = 0;
	CHECK(directory != NULL);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (strstr(entry->d_name, ".js") == NULL)
			continue;
		curfew_report_destroy(evaluate(session, text, read_attack(entry->d_name, text, sizeof text), &limits));
		/* Some remove most built-ins, but the language works. */
		if (curfew_session_is_usable(session))
			expect(session, "var six = 6; six * 7", "42");
		if (!curfew_session_is_usable(session) || ++seen % 8 == 0)
			CHECK_OK(curfew_session_reset(session, NULL));
	}
	(void)closedir(directory);
	CHECK(seen > 50);
	CHECK_OK(curfew_session_reset(session, NULL));
	expect(session, "typeof six", "\"undefined\"");
	curfew_session_destroy(session);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"storm", test_storm},
	{"attacks", test_attacks},
};

HARNESS_MAIN(tests)
