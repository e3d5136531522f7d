/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of runs: which run gets which, that none leaves by any way, and that none stays in memory. */
#include "engine.h"

#include <fcntl.h>
#include <sys/stat.h>

#define VALUE "5ecret\nva\"lue"
#define VALUE_IN_JS "5ecret\\nva\\\"lue"

static const curfew_secret given[] = {{"TOKEN", VALUE, sizeof VALUE - 1}, {"PIN", "73313", 5}, {"SHORT", "ab", 2}};

static curfew_report *run_with(const char *text, curfew_run_options options)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, text);
	curfew_report *report = NULL;
	curfew_failure failure;
	options.size = sizeof options;
	curfew_status status = curfew_program_run(program, &options, &report, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "run: %s\n", failure.message);
	CHECK_OK(status);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return report;
}

static curfew_report *run_given(const char *text)
{
	return run_with(text, (curfew_run_options){.secrets = given, .secret_count = 3});
}

static void expect_value(const char *text, const char *value)
{
	curfew_report *report = run_given(text);
	CHECK_TEXT(report->value, value);
	curfew_report_destroy(report);
}

/* ---- Access --------------------------------------------------------------------------------------------- */

static void asks(void)
{
	expect_value("secrets.get('TOKEN').length", "13");
	expect_value(
		"[secrets.get('NONE'), secrets.get(''), secrets.get(), secrets.get('TOKEN\\0')].every(v => v === undefined)",
		"true");
	expect_value("secrets.get('SHORT')", "\"ab\"");
	expect_value("try { secrets.get(Symbol()) } catch (e) { e.name }", "\"TypeError\"");
	expect_value("secrets.get = 1; delete secrets.get; typeof secrets.get + Object.isFrozen(secrets)",
	             "\"functiontrue\"");
	curfew_report *report = run_with("secrets.get('TOKEN') === undefined", (curfew_run_options){.user = "ann"});
	CHECK_TEXT(report->value, "true");
	CHECK_EQUAL(report->used.host_calls, 1);
	curfew_report_destroy(report);
}

static void counts_as_a_host_call(void)
{
	/* Claim L48. */
	curfew_limits limits = {.size = sizeof limits, .host_calls = 5};
	curfew_report *report = run_with("for (;;) secrets.get('TOKEN')",
	                                 (curfew_run_options){.limits = &limits, .secrets = given, .secret_count = 1});
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_HOST_CALLS);
	CHECK_EQUAL(report->used.host_calls, 5);
	curfew_report_destroy(report);
}

static void refuses_bad_ones(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	const curfew_secret bad[] = {{"a b", "x", 1}, {"A", "", 0}, {"A", NULL, 1}, {"A", "\xff", 1}, {NULL, "x", 1}};
	curfew_report *report;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		curfew_run_options options = {.size = sizeof options, .secrets = &bad[i], .secret_count = 1};
		CHECK_EQUAL(curfew_program_run(program, &options, &report, NULL), CURFEW_INVALID);
	}
	curfew_run_options none = {.size = sizeof none, .secret_count = 1};
	CHECK_EQUAL(curfew_program_run(program, &none, &report, NULL), CURFEW_INVALID);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* ---- Leaving --------------------------------------------------------------------------------------------- */

typedef struct seen {
	char text[4096];
	size_t length;
} seen;

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	seen *s = context;
	CHECK(s->length + length + 1 < sizeof s->text);
	s->text[s->length++] = (char)('0' + kind);
	memcpy(s->text + s->length, data, length);
	s->length += length;
}

/* Whether the text contains the value of TOKEN in any form. */
static bool leaks(const char *text)
{
	return text != NULL && (strstr(text, VALUE) != NULL || strstr(text, VALUE_IN_JS) != NULL ||
	                        strstr(text, "5ecret\\\\nva") != NULL || strstr(text, "5ecret?va") != NULL);
}

static void nothing_leaves(void)
{
	static const char text[] = "const t = secrets.get('TOKEN'), pin = Number(secrets.get('PIN'));"
							   "console.log('a', t, JSON.stringify({ t }), pin); console.error([t]);"
							   "curfew.checkpoint({ [t]: [t, pin, JSON.stringify(t)] }); curfew.progress(t);"
							   "const f = { [t]() { const e = new Error('of ' + t); e.name = t + '!'; throw e; } }[t];"
							   "if (curfew.user) f(); ({ t, pin, nested: JSON.stringify({ t, pin }) })";
	for (int throws = 0; throws < 2; throws++) {
		seen events = {.length = 0};
		char *json, *plain;
		curfew_report *report = run_with(text, (curfew_run_options){.secrets = given,
		                                                            .secret_count = 3,
		                                                            .on_event = on_event,
		                                                            .on_event_context = &events,
		                                                            .user = throws ? "ann" : NULL});
		CHECK_EQUAL(report->outcome, throws ? CURFEW_OUTCOME_THREW : CURFEW_OUTCOME_FINISHED);
		CHECK(!leaks(report->value) && !leaks(report->partial) && !leaks(report->error_message));
		CHECK(!leaks(report->stdout_text) && !leaks(report->stderr_text) && !leaks(events.text));
		CHECK_TEXT(report->stdout_text, "a [secret TOKEN] {\"t\":\"[secret TOKEN]\"} [secret PIN]\n");
		CHECK_TEXT(report->partial,
		           "{\"[secret TOKEN]\":[\"[secret TOKEN]\",\"[secret PIN]\",\"\\\"[secret TOKEN]\\\"\"]}");
		if (throws) {
			CHECK_TEXT(report->error_name, "[secret TOKEN]!");
			CHECK_TEXT(report->error_message, "of [secret TOKEN]");
			CHECK(report->frame_count > 0 && !leaks(report->frames[0].function));
		} else {
			CHECK_TEXT(report->value, "{\"t\":\"[secret TOKEN]\",\"pin\":\"[secret PIN]\",\"nested\":"
			                          "\"{\\\"t\\\":\\\"[secret TOKEN]\\\",\\\"pin\\\":[secret PIN]}\"}");
		}
		CHECK_OK(curfew_report_to_json(report, &json, NULL));
		CHECK_OK(curfew_report_to_text(report, false, &plain, NULL));
		CHECK(!leaks(json) && !leaks(plain));
		curfew_free(json);
		curfew_free(plain);
		curfew_report_destroy(report);
	}
}

/* Each line of the console is a separate write. */
static void nothing_leaves_in_pieces(void)
{
	curfew_report *report = run_given("for (const line of secrets.get('TOKEN').split('\\n')) console.log(line)");
	CHECK_TEXT(report->stdout_text, "[secret TOKEN]\n");
	curfew_report_destroy(report);
	report = run_given("console.log(secrets.get('TOKEN').split('\\n')[0]); console.log('other')");
	CHECK_TEXT(report->stdout_text, "5ecret\nother\n");
	CHECK_EQUAL(report->used.output_bytes, report->stdout_length);
	curfew_report_destroy(report);
}

static void nothing_leaves_when_cut(void)
{
	/* Claim L46. */
	curfew_limits limits = {.size = sizeof limits, .output_bytes = 20, .timeout_ns = 300000000};
	curfew_run_options options = {.limits = &limits, .secrets = given, .secret_count = 3};
	curfew_report *report = run_with("console.log('123456789 ' + secrets.get('TOKEN'))", options);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_OUTPUT);
	CHECK_TEXT(report->stdout_text, "123456789 [secret TO");
	CHECK_EQUAL(report->used.output_bytes, 20);
	curfew_report_destroy(report);
	report = run_with("console.log(secrets.get('TOKEN').split('\\n')[0]); for (;;);", options);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK_TEXT(report->stdout_text, "[secret TOKEN]");
	curfew_report_destroy(report);
}

/* ---- Forms ------------------------------------------------------------------------------------------------ */

/* Counts letters that nothing else in these programs' output contains. */
static unsigned count_capitals(const char *text)
{
	unsigned count = 0;
	for (const char *at = text; *at != '\0'; at++)
		count += *at >= 'G' && *at <= 'Z';
	return count;
}

static void expect_none(const char *program, const curfew_secret *secret)
{
	char label[64];
	(void)snprintf(label, sizeof label, "[secret %s]", secret->name);
	curfew_report *report = run_with(program, (curfew_run_options){.secrets = secret, .secret_count = 1});
	/* In base64 the digits at either end also depend on the text beside the secret. */
	unsigned most = strstr(program, "btoa") != NULL ? 4 : 0;
	if (report->outcome != CURFEW_OUTCOME_FINISHED || count_capitals(report->stdout_text) > most)
		(void)fprintf(stderr, "%s\n%s\n", program, report->stdout_text);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_FINISHED);
	CHECK(strstr(report->stdout_text, label) != NULL);
	CHECK(count_capitals(report->stdout_text) <= most);
	curfew_report_destroy(report);
}

/* The forms in which the platform writes a value to the console: each of these leaked by mistake in some project. */
static void forms_of_the_platform(void)
{
	/* Claims L78, T48. */
	static const char *const ways[] = {
		"console.log(s)",
		"console.log(encodeURIComponent(s))",
		"console.log(encodeURI('https://a.example/?t=' + s))",
		"console.log(escape(s))",
		"console.log(new URLSearchParams({ t: s }).toString())",
		"const u = new URL('https://a.example/x'); u.searchParams.set('t', s); console.log(u.href, [u.search])",
		"console.log(new URL('https://a.example/?t=' + s).href)",
		"console.log(new URL('https://a.example/' + s + '/x').href)",
		"console.log(new URL('https://a.example/#' + s).href)",
		"const u = new URL('https://a.example/'); u.password = s; console.log(u.href)",
		"console.log({ t: s }, [s], { [s]: s })",
		"console.log({ m: 'say \"x\" `y`: ' + s + ' \\'' })",
		"console.group(); console.group(); console.log(s); console.log({ s, deep: { a: [s] } }); console.groupEnd()",
		"for (let i = 0; i < 60; i++) console.group(); console.log(s); console.log({ s })",
		"console.table([{ s }])",
		"console.log(new Error('about ' + s).message)",
		"console.log('%s and %o and %j', s, s, s)",
		"console.log(JSON.stringify({ s }))",
		"console.log(JSON.stringify(JSON.stringify({ s })))",
		"console.log(JSON.stringify(JSON.stringify(JSON.stringify({ s }))))",
		"console.group(); console.log(JSON.stringify(JSON.stringify(s)))",
		"console.log([{ url: encodeURIComponent(JSON.stringify({ s })) }])",
		"console.log(btoa(unescape(encodeURIComponent(s))))",
		"console.log(encodeURIComponent(btoa(unescape(encodeURIComponent('a' + s)))))",
		"console.log([...new TextEncoder().encode(s)].map(b => b.toString(16).padStart(2, '0')).join(''))",
		"console.log('x'.repeat(9990) + s); console.log(['x'.repeat(9990) + s])",
	};
	static const curfew_secret values[] = {
		{"s", "GHIJ@KLM NOP!/+=Q(R)~STUVW", 26},
		{"s", "GHIJ'KLMNOP-QRSTU-9", 19},
		{"s", "GHIJ\"KLM\nNOP:QRS\n\tTUV\n", 22},
		{"s", "GHIJ\xc3\xa9KLM\xe2\x82\xacNOP\\QRS%41TUV", 25},
	};
	for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
		for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
			char program[512];
			(void)snprintf(program, sizeof program, "const s = secrets.get('s'); %s; 1", ways[w]);
			expect_none(program, &values[v]);
		}
	}
}

/* A function that is named by a secret: its name is truncated before the secret is searched. */
static void names_that_are_cut(void)
{
	/* Claim L80. */
	char value[221];
	for (int i = 0; i < 220; i++)
		value[i] = (char)('G' + i * 7 % 20);
	value[220] = '\0';
	const curfew_secret secret = {"s", value, 220};
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 200000000};
	curfew_report *report = run_with("const f = { [secrets.get('s')]() { for (;;); } }[secrets.get('s')]; f()",
	                                 (curfew_run_options){.limits = &limits, .secrets = &secret, .secret_count = 1});
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK(report->frame_count > 0);
	CHECK_TEXT(report->frames[0].function, "[secret s]");
	curfew_report_destroy(report);
}

/* The largest set of secrets does not delay a stop, even if many runs search for it at once. */
static void many_secrets(void)
{
	/* Claims L82, T2. */
	enum { COUNT = 250, RUNS = 8 };
	static char names[COUNT][16], values[COUNT][1024];
	static curfew_secret many[COUNT];
	uint64_t seed = 3;
	for (int i = 0; i < COUNT; i++) {
		for (int at = 0; at < 1024; at++)
			values[i][at] = "\"\\\n%&{}<>$"[harness_random(&seed) % 10];
		(void)snprintf(names[i], sizeof names[i], "s%d", i);
		many[i] = (curfew_secret){names[i], values[i], 1024};
	}
	curfew_limits brief = {.size = sizeof brief, .timeout_ns = 1000000};
	curfew_run_options options = {.size = sizeof options, .limits = &brief, .secrets = many, .secret_count = COUNT};
	curfew_report *report = run_with("for (;;);", options);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK(report->stop_latency_ns < (uint64_t)(200e6 * harness_factor("CURFEW_TEST_SLOWER")));
	curfew_report_destroy(report);

	curfew_engine *engine = harness_engine(2);
	curfew_program *program = harness_program(engine, "console.log('<' + secrets.get('s249') + '>')");
	curfew_run *runs[RUNS];
	options.limits = NULL;
	for (int i = 0; i < RUNS; i++)
		CHECK_OK(curfew_run_start(program, &options, &runs[i], NULL));
	for (int i = 0; i < RUNS; i++) {
		CHECK_TEXT(curfew_run_wait(runs[i])->stdout_text, "<[secret s249]>\n");
		curfew_run_destroy(runs[i]);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void short_ones_are_left(void)
{
	/* Claims L84, T48. */
	curfew_report *report = run_given("console.log(secrets.get('SHORT'))");
	CHECK_TEXT(report->stdout_text, "ab\n");
	curfew_report_destroy(report);
}

/* ---- From a store ---------------------------------------------------------------------------------------- */

static const unsigned char key[CURFEW_SECRETS_KEY_BYTES] = "a key of tests, no secret";

static void of_its_user_only(void)
{
	/* Claim T23. */
	char directory[HARNESS_PATH], path[2 * HARNESS_PATH];
	harness_directory(directory, "secrets");
	(void)snprintf(path, sizeof path, "%s/store", directory);
	curfew_secrets *store = NULL;
	CHECK_OK(curfew_secrets_open(path, key, CURFEW_SECRETS_CREATE, &store, NULL));
	CHECK_OK(curfew_secrets_set(store, "ann", &given[0], NULL));
	CHECK_OK(curfew_secrets_set(store, "bob", &given[1], NULL));
	static const char text[] = "JSON.stringify(['TOKEN', 'PIN'].map(n => secrets.get(n)?.length ?? 0))";
	const char *const users[] = {"ann", "bob", "eve"}, *const values[] = {"\"[13,0]\"", "\"[0,5]\"", "\"[0,0]\""};
	for (int i = 0; i < 3; i++) {
		curfew_report *report = run_with(text, (curfew_run_options){.store = store, .user = users[i]});
		CHECK_TEXT(report->value, values[i]);
		curfew_report_destroy(report);
	}
	const curfew_secret other = {"TOKEN", "given", 5};
	curfew_report *report = run_with(
		text, (curfew_run_options){.store = store, .user = "ann", .secrets = &other, .secret_count = 1});
	CHECK_TEXT(report->value, "\"[5,0]\"");
	curfew_report_destroy(report);
	curfew_secrets_close(store);
	(void)unlink(path);
	CHECK_EQUAL(rmdir(directory), 0);
}

/* ---- Wiped ----------------------------------------------------------------------------------------------- */

enum { MARK_BYTES = 24 };

/* Counts the readable pages that contain the mark, which is never complete in the memory of this function. */
static int count_in_memory(const unsigned char mark[MARK_BYTES], unsigned char mask)
{
	static unsigned char page[1 << 16];
	char line[512];
	int found = 0;
	int memory = open("/proc/self/mem", O_RDONLY);
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(memory >= 0 && maps != NULL);
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long start, end;
		char rights[5];
		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || rights[0] != 'r' || rights[1] != 'w')
			continue;
		for (unsigned long at = start; at < end; at += sizeof page - MARK_BYTES) {
			if (at <= (unsigned long)page && (unsigned long)page < at + sizeof page)
				continue;
			ssize_t length = pread(memory, page, end - at < sizeof page ? end - at : sizeof page, (off_t)at);
			for (ssize_t i = 0; i + MARK_BYTES <= length; i++) {
				int same = 0;
				while (same < MARK_BYTES && page[i + same] == (mark[same] ^ mask))
					same++;
				found += same == MARK_BYTES;
			}
			memset(page, 0, sizeof page);
			if (length <= 0)
				break;
		}
	}
	(void)fclose(maps);
	(void)close(memory);
	return found;
}

/* Each byte of the mark is stored with a mask, so that the mark is in memory only where the library put it. */
static void is_wiped(void)
{
	/* Claims L82, T49. */
	/* A sanitizer maps terabytes of its own. */
	if (harness_factor("CURFEW_TEST_SCALE") > 1)
		return;
	unsigned char mark[MARK_BYTES], value[MARK_BYTES];
	uint64_t seed = harness_now() | 1;
	for (int i = 0; i < MARK_BYTES; i++) {
		value[i] = (unsigned char)('a' + harness_random(&seed) % 26);
		mark[i] = value[i] ^ 0x80;
	}
	const curfew_secret secret = {"MARK", (const char *)value, MARK_BYTES};
	CHECK(count_in_memory(mark, 0x80) > 0);
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(
		engine,
		"const m = secrets.get('MARK'); console.log(m, JSON.stringify({ m }).repeat(100)); curfew.checkpoint([m]);"
		"throw new Error('about ' + m)");
	curfew_run_options options = {.size = sizeof options, .secrets = &secret, .secret_count = 1};
	curfew_run *run;
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	explicit_bzero(value, sizeof value);
	const curfew_report *report = curfew_run_wait(run);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_THREW);
	CHECK_TEXT(report->error_message, "about [secret MARK]");
	/* The run itself still exists. */
	CHECK_EQUAL(count_in_memory(mark, 0x80), 0);
	curfew_run_destroy(run);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"asks", asks},
	{"counts_as_a_host_call", counts_as_a_host_call},
	{"refuses_bad_ones", refuses_bad_ones},
	{"nothing_leaves", nothing_leaves},
	{"nothing_leaves_in_pieces", nothing_leaves_in_pieces},
	{"nothing_leaves_when_cut", nothing_leaves_when_cut},
	{"forms_of_the_platform", forms_of_the_platform},
	{"names_that_are_cut", names_that_are_cut},
	{"many_secrets", many_secrets},
	{"short_ones_are_left", short_ones_are_left},
	{"of_its_user_only", of_its_user_only},
	{"is_wiped", is_wiped},
};

HARNESS_MAIN(tests)
