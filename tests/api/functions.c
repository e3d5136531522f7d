/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host functions: JSON and numbers, immediate and later answers, errors, limits, stops, and calls that outlive their
 * run.
 */
#include "host.h"

/* ---- Functions of this host ------------------------------------------------------------------------------- */

static void echo(void *context, curfew_host_call *call)
{
	size_t length;
	const char *params = curfew_host_call_get_params(call, &length);
	(void)context;
	CHECK_EQUAL(strlen(params), length);
	CHECK(curfew_host_call_get_values(call) == NULL);
	CHECK_OK(curfew_host_call_return(call, params, length));
}

static void whoami(void *context, curfew_host_call *call)
{
	char text[64];
	(void)snprintf(text, sizeof text, "[\"%s\",\"%s\"]", (const char *)context,
	               (const char *)curfew_host_call_get_context(call));
	CHECK_OK(curfew_host_call_return(call, text, strlen(text)));
}

static void fail(void *context, curfew_host_call *call)
{
	(void)context;
	CHECK_OK(curfew_host_call_throw(call, "no \"such\" row"));
}

static void answer_rubbish(void *context, curfew_host_call *call)
{
	(void)context;
	CHECK_EQUAL(curfew_host_call_return(call, "{", 1), CURFEW_INVALID);
}

static void fail_at_once(void *context, curfew_host_call *call)
{
	(void)context;
	CHECK_OK(curfew_host_call_throw(call, "refused"));
}

/* JSON that the host may return but the engine cannot parse, because its stack does not suffice for the nesting. */
static void answer_deep(void *context, curfew_host_call *call)
{
	enum { DEPTH = 90000 };
	char *text = malloc(2 * DEPTH);
	(void)context;
	memset(text, '[', DEPTH);
	memset(text + DEPTH, ']', DEPTH);
	CHECK_OK(curfew_host_call_return(call, text, 2 * DEPTH));
	free(text);
}

static const host_answer echoing = {echo};
static host_held the_held;

static const curfew_host_function functions[] = {
	HOST_FUNCTION("add", host_add, .type = "ii->i", .fuel = 100000),
	HOST_FUNCTION("scale", host_scale, .type = "If->IF", .module = "maths"),
	HOST_FUNCTION("echo", echo),
	HOST_FUNCTION("whoami", whoami, .context = (void *)(uintptr_t) "host"),
	HOST_FUNCTION("nothing", host_nothing),
	HOST_FUNCTION("zero", host_nothing, .type = "->F"),
	HOST_FUNCTION("fail", fail),
	HOST_FUNCTION("fail_typed", fail, .type = "->"),
	HOST_FUNCTION("rubbish", answer_rubbish),
	HOST_FUNCTION("spin", host_spin, .type = "->"),
	HOST_FUNCTION("deep", answer_deep),
	HOST_FUNCTION("deep_later", answer_deep, .flags = CURFEW_HOST_ASYNC),
	HOST_FUNCTION("later", host_later, .flags = CURFEW_HOST_ASYNC, .context = (void *)(uintptr_t)&echoing),
	HOST_FUNCTION("twice", host_later, .flags = CURFEW_HOST_ASYNC, .type = "i->i"),
	HOST_FUNCTION("refuse", fail_at_once, .flags = CURFEW_HOST_ASYNC, .type = "->"),
	HOST_FUNCTION("hold", host_hold, .flags = CURFEW_HOST_ASYNC, .type = "->", .stopped = host_on_stopped,
                  .context = &the_held),
};

static curfew_program *make(curfew_engine *engine, curfew_language language, const char *text)
{
	curfew_source source = {
		.size = sizeof source, .language = language, .name = "test", .text = text, .text_length = strlen(text)};
	curfew_program *program = NULL;
	curfew_failure failure = {.message = ""};
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	curfew_status status = curfew_program_set_functions(program, functions, sizeof functions / sizeof *functions,
	                                                    &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "%s\n", failure.message);
	CHECK_OK(status);
	return program;
}

/* call: the function to call, or NULL. */
static void expect_of(curfew_language language, const char *text, const char *call, const curfew_limits *limits,
                      curfew_outcome outcome, const char *value, const char *message)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = make(engine, language, text);
	for (int again = 0; again < 2; again++) {
		curfew_run_options options = {
			.size = sizeof options, .limits = limits, .call = call, .host_context = (void *)(uintptr_t) "run"};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		if (report->outcome != outcome)
			(void)fprintf(stderr, "%.100s: %s: %s\n", text, curfew_outcome_name(report->outcome),
			              report->error_message != NULL ? report->error_message : "-");
		CHECK_EQUAL(report->outcome, outcome);
		if (value != NULL || call != NULL)
			CHECK_TEXT(report->value, value);
		if (message != NULL)
			CHECK_TEXT(report->error_message, message);
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void expect(curfew_language language, const char *text, const curfew_limits *limits, curfew_outcome outcome,
                   const char *value, const char *message)
{
	expect_of(language, text, NULL, limits, outcome, value, message);
}

static void js(const char *text, const char *value)
{
	expect(CURFEW_LANGUAGE_JS, text, NULL, CURFEW_OUTCOME_FINISHED, value, NULL);
}

/* ---- JavaScript ------------------------------------------------------------------------------------------- */

static void test_js_numbers(void)
{
	js("host.add(40, 2)", "42");
	js("[host.scale('9007199254740993', 1.5), host.zero()]", "[[\"18014398509481986\",3],0]");
	js("try { host.add(1) } catch (e) { [e instanceof Error, e.message] }", "[true,\"add takes 2 arguments, got 1\"]");
	js("try { host.add(1, 'x') } catch (e) { e.message.startsWith('argument 2: expected i32') }", "true");
}

static void test_js_json(void)
{
	js("host.echo({a: [1, 'ü', null]}, undefined)", "[{\"a\":[1,\"ü\",null]},null]");
	js("host.echo('x'.repeat(100000))[0].length", "100000");
	js("host.whoami()", "[\"host\",\"run\"]");
	js("[typeof host.nothing(), Object.isFrozen(host), Object.isFrozen(host.echo), host.later.name, `${host}`]",
	   "[\"undefined\",true,true,\"later\",\"[object host]\"]");
	js("try { host.fail() } catch (e) { [e.message, e.stack.includes('fail')] }", "[\"no \\\"such\\\" row\",true]");
	js("try { host.rubbish() } catch (e) { e.message }", "\"the host function did not answer with JSON\"");
	js("const o = {}; o.o = o; try { host.echo(o) } catch (e) { e.name }", "\"TypeError\"");
	js("Array.prototype.toJSON = () => undefined; try { host.echo(1) } catch (e) { e.name }", "\"TypeError\"");
}

/* The same name in two modules: JavaScript sees the first one, WebAssembly the one that it imports. */
static void test_same_name(void)
{
	static const curfew_host_function given[] = {
		HOST_FUNCTION("size", host_nothing, .type = "->i"),
		HOST_FUNCTION("add", host_add, .type = "ii->i", .module = "one"),
		HOST_FUNCTION("add", host_nothing, .type = "ii->i", .module = "two"),
		HOST_FUNCTION("sum", host_add, .type = "ii->i"),
	};
	const char *texts[] = {"[host.add(1, 2), host.sum(3, 4)]",
	                       "(module (import \"two\" \"add\" (func $a (param i32 i32) (result i32)))"
	                       "(func (export \"f\") (result i32) (call $a (i32.const 1) (i32.const 2))))"};
	curfew_engine *engine = harness_engine(1);
	for (int i = 0; i < 2; i++) {
		curfew_source source = {.size = sizeof source,
		                        .language = i == 0 ? CURFEW_LANGUAGE_JS : CURFEW_LANGUAGE_WAT,
		                        .name = "test",
		                        .text = texts[i],
		                        .text_length = strlen(texts[i])};
		curfew_run_options options = {.size = sizeof options, .call = i == 0 ? NULL : "f"};
		curfew_program *program = NULL;
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
		CHECK_OK(curfew_program_set_functions(program, given, 4, NULL));
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		CHECK_TEXT(report->value, i == 0 ? "[3,7]" : "0");
		curfew_report_destroy(report);
		curfew_program_destroy(program);
	}
	curfew_engine_destroy(engine);
}

static void test_js_without(void)
{
	curfew_engine *engine = harness_engine(1);
	harness_expect(engine, "typeof host", NULL, CURFEW_OUTCOME_FINISHED, "\"undefined\"");
	curfew_engine_destroy(engine);
}

static void test_js_later(void)
{
	js("host.later(1, {b: 2})", "[1,{\"b\":2}]");
	js("Promise.all([host.twice(1), host.twice(2), host.later()])", "[2,4,[]]");
	js("host.refuse().catch((e) => [e instanceof Error, e.message])", "[true,\"refused\"]");
	js("host.twice('x').catch((e) => e.message.startsWith('argument 1'))", "true");
	js("host.later(Symbol.iterator).then((v) => v)", "[null]");
	/* An answer that cannot be parsed fails only the call that it answers. */
	js("try { host.deep() } catch (e) { e instanceof Error }", "true");
	js("Promise.all([host.deep_later().catch((e) => e instanceof Error), host.twice(4)])", "[true,8]");
	expect(CURFEW_LANGUAGE_JS, "export default async () => { const o = {}; o.o = o; await host.later(o); };", NULL,
	       CURFEW_OUTCOME_THREW, NULL, NULL);
	js("let n = 0; for (let i = 0; i < 200; i++) host.twice(i).then((v) => n += v);\n"
	   "new Promise((r) => { const t = setInterval(() => { if (n === 39800) { clearInterval(t); r(n); } }, 5); })",
	   "39800");
}

static void test_limits(void)
{
	/* Claims L34, L49. */
	curfew_limits calls = {.size = sizeof calls, .host_calls = 3};
	curfew_limits fuel = {.size = sizeof fuel, .fuel = 1000000};
	curfew_limits plenty = {.size = sizeof plenty, .fuel = 10000000};
	expect(CURFEW_LANGUAGE_JS, "for (;;) try { host.add(1, 2) } catch {}", &calls, CURFEW_OUTCOME_HOST_CALLS, NULL,
	       NULL);
	expect(CURFEW_LANGUAGE_JS, "for (;;) host.later()", &calls, CURFEW_OUTCOME_HOST_CALLS, NULL, NULL);
	expect(CURFEW_LANGUAGE_JS, "for (let i = 0; i < 20; i++) try { host.add(1, 2) } catch {}", &fuel,
	       CURFEW_OUTCOME_FUEL, NULL, NULL);
	expect(CURFEW_LANGUAGE_JS, "for (let i = 0; i < 20; i++) host.add(1, 2)", &plenty, CURFEW_OUTCOME_FINISHED, NULL,
	       NULL);
	const char *wat = "(module (import \"host\" \"add\" (func $add (param i32 i32) (result i32)))"
					  "(func (export \"_start\") (local $i i32) (loop $l (drop (call $add (i32.const 1) (i32.const 2)))"
					  "(br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))))";
	expect(CURFEW_LANGUAGE_WAT, wat, &calls, CURFEW_OUTCOME_HOST_CALLS, NULL, NULL);
	expect(CURFEW_LANGUAGE_WAT, wat, &fuel, CURFEW_OUTCOME_FUEL, NULL, NULL);
	expect(CURFEW_LANGUAGE_WAT, wat, &plenty, CURFEW_OUTCOME_FINISHED, NULL, NULL);
}

/* ---- WebAssembly ------------------------------------------------------------------------------------------ */

#define WAT(imports, body) "(module " imports "(func (export \"f\") " body "))"

static void wat(const char *text, curfew_outcome outcome, const char *value, const char *message)
{
	expect_of(CURFEW_LANGUAGE_WAT, text, "f", NULL, outcome, value, message);
}

static void test_wasm_numbers(void)
{
	wat(WAT("(import \"host\" \"add\" (func $a (param i32 i32) (result i32)))",
	        "(result i32) (call $a (i32.const 40) (i32.const 2))"),
	    CURFEW_OUTCOME_FINISHED, "42", NULL);
	wat(WAT("(import \"maths\" \"scale\" (func $a (param i64 f32) (result i64 f64)))",
	        "(result i64 f64) (call $a (i64.const -3) (f32.const 1.5))"),
	    CURFEW_OUTCOME_FINISHED, "[-6,3]", NULL);
	wat(WAT("(import \"host\" \"zero\" (func $a (result f64)))", "(result f64) (call $a)"), CURFEW_OUTCOME_FINISHED,
	    "0", NULL);
	wat(WAT("(import \"host\" \"fail_typed\" (func $a))", "(call $a)"), CURFEW_OUTCOME_TRAPPED, NULL,
	    "no \"such\" row");
	wat("(module (import \"host\" \"fail_typed\" (func $a)) (start $a) (func (export \"f\")))", CURFEW_OUTCOME_TRAPPED,
	    NULL, "no \"such\" row");
}

static void test_wasm_links(void)
{
	wat(WAT("(import \"host\" \"echo\" (func $a (param i32)))", ""), CURFEW_OUTCOME_BAD_PROGRAM, NULL,
	    "unknown imports: host.echo (i32) -> () (a module imports host functions of its type, and none that take JSON)");
	wat(WAT("(import \"host\" \"add\" (func $a (param i32)))", ""), CURFEW_OUTCOME_BAD_PROGRAM, NULL, NULL);
}

static void test_wasm_later(void)
{
	wat(WAT("(import \"host\" \"twice\" (func $a (param i32) (result i32)))",
	        "(result i32) (call $a (call $a (i32.const 21)))"),
	    CURFEW_OUTCOME_FINISHED, "84", NULL);
	wat(WAT("(import \"host\" \"refuse\" (func $a))", "(call $a)"), CURFEW_OUTCOME_TRAPPED, NULL, "refused");
}

/* ---- Stops ------------------------------------------------------------------------------------------------ */

/* If nobody answers, the deadline ends the run. The host is notified, and may answer at any time. */
static void outlive(curfew_language language, const char *text, bool waits)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, language, text);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_patience_ms(100)};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_run *started = NULL;
	CHECK_OK(curfew_run_start(program, &options, &started, NULL));
	const curfew_report *report = curfew_run_wait(started);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK(!waits || report->used.cpu_ns < 50000000);
	/* Claim L17. */
	CHECK(language == CURFEW_LANGUAGE_JS || report->frame_count > 0);
	CHECK_EQUAL(atomic_load(&the_held.told), 1);
	curfew_run_destroy(started);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	CHECK(curfew_host_call_is_stopped(atomic_load(&the_held.call)));
	CHECK_OK(curfew_host_call_return_values(atomic_load(&the_held.call), NULL));
}

static void test_outlives_js(void)
{
	/* Claim T52. */
	outlive(CURFEW_LANGUAGE_JS, "host.hold()", true);
}

static void test_outlives_spinning(void)
{
	/* Claim T51. */
	outlive(CURFEW_LANGUAGE_JS, "host.hold(); for (;;);", false);
}

static void test_outlives_wasm(void)
{
	outlive(CURFEW_LANGUAGE_WAT, "(module (import \"host\" \"hold\" (func $a)) (func (export \"_start\") (call $a)))",
	        true);
}

/* A synchronous function that takes long sees the stop, which takes effect when it returns. */
static void test_sees_stop(void)
{
	/* Claim T51. */
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 50000000};
	expect(CURFEW_LANGUAGE_JS, "for (;;) host.spin()", &limits, CURFEW_OUTCOME_DEADLINE, NULL, NULL);
	expect(CURFEW_LANGUAGE_WAT,
	       "(module (import \"host\" \"spin\" (func $a)) (func (export \"_start\") (loop (call $a) (br 0))))", &limits,
	       CURFEW_OUTCOME_DEADLINE, NULL, NULL);
}

/* The run is cancelled while the answer arrives from another thread, again and again. */
static void test_race(void)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_JS, "(async () => { for (;;) await host.twice(1); })()");
	harness_cancel_often(program, NULL);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	harness_sleep_us(50000); /* until the threads have ended */
}

/* ---- Refused functions ------------------------------------------------------------------------------------ */

static void refuse(curfew_program *program, curfew_host_function function, const char *message)
{
	curfew_failure failure;
	function.size = sizeof function;
	CHECK_EQUAL(curfew_program_set_functions(program, &function, 1, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, message);
}

static void test_refusals(void)
{
	/* Claim L72. */
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "typeof host");
	curfew_host_function twice[2] = {functions[0], functions[0]};
	curfew_failure failure;
	const char *bad_name = "a host function's name is not printable ASCII of at most 128 bytes";
	refuse(program, (curfew_host_function){.name = "a b", .call = host_add}, bad_name);
	refuse(program, (curfew_host_function){.name = "", .call = host_add}, bad_name);
	refuse(program, (curfew_host_function){.call = host_add}, bad_name);
	refuse(program, (curfew_host_function){.name = "a", .type = "ix->", .call = host_add},
	       "host function a: type ix-> is not like \"iI->f\"");
	refuse(program, (curfew_host_function){.name = "a", .type = "iiiiiiiiiiiiiiiii->", .call = host_add},
	       "host function a: type iiiiiiiiiiiiiiiii-> is not like \"iI->f\"");
	refuse(program, (curfew_host_function){.name = "a"},
	       "host function a: it needs a callback, or a queue if it is not asynchronous");
	refuse(program, (curfew_host_function){.name = "a", .call = host_add, .flags = 2},
	       "host function a: an unknown flag, or stopped without CURFEW_HOST_ASYNC");
	CHECK_EQUAL(curfew_program_set_functions(program, twice, 2, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, "two host functions are called add");
	curfew_report_destroy(harness_run(program, NULL));
	CHECK_EQUAL(curfew_program_set_functions(program, functions, 1, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, "the program was used before, or has host functions");
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* An image of a program does not contain its functions: they must be given again. */
static void test_image(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, CURFEW_LANGUAGE_JS, "host.add(1, 2)"), *loaded = NULL;
	void *image;
	size_t length;
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	CHECK_OK(curfew_program_save(program, &image, &length, NULL));
	CHECK_OK(curfew_program_load(engine, image, length, &loaded, NULL));
	CHECK_OK(curfew_program_set_functions(loaded, functions, 1, NULL));
	curfew_report *report = harness_run(loaded, NULL);
	CHECK_TEXT(report->value, "3");
	curfew_report_destroy(report);
	curfew_free(image);
	curfew_program_destroy(loaded);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* ---- Releasing functions ---------------------------------------------------------------------------------- */

static void count_released(void *context)
{
	atomic_fetch_add((atomic_int *)context, 1);
}

/* They are kept while the program, a run of it, or an unanswered call exists. */
static void test_released(void)
{
	atomic_int released = 0;
	host_held held = {0};
	curfew_host_function given[] = {
		HOST_FUNCTION("add", host_add, .type = "ii->i", .context = &released, .released = count_released),
		HOST_FUNCTION("hold", host_hold, .flags = CURFEW_HOST_ASYNC, .context = &held),
	};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "host.hold(1)");
	curfew_run *run;

	given[1].released = NULL;
	CHECK_OK(curfew_program_set_functions(program, given, 2, NULL));
	CHECK_OK(curfew_run_start(program, NULL, &run, NULL));
	curfew_program_destroy(program);
	while (!atomic_load(&held.call))
		harness_sleep_us(1000);
	CHECK_EQUAL(atomic_load(&released), 0);
	curfew_run_cancel(run);
	(void)curfew_run_wait(run);
	curfew_run_destroy(run);
	CHECK_EQUAL(atomic_load(&released), 0);
	CHECK_OK(curfew_host_call_return(atomic_load(&held.call), "1", 1));
	curfew_engine_destroy(engine);
	CHECK_EQUAL(atomic_load(&released), 1);
}

/* Functions that were refused still belong to the caller. */
static void test_not_released(void)
{
	atomic_int released = 0;
	curfew_host_function given[] = {
		HOST_FUNCTION("add", host_add, .type = "ii->i", .context = &released, .released = count_released),
		HOST_FUNCTION("a b", host_add, .type = "ii->i", .context = &released, .released = count_released),
	};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");

	CHECK_EQUAL(curfew_program_set_functions(program, given, 2, NULL), CURFEW_INVALID);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	CHECK_EQUAL(atomic_load(&released), 0);
}

static const harness_test tests[] = {
	{"released", test_released},
	{"not_released", test_not_released},
	{"js_numbers", test_js_numbers},
	{"js_json", test_js_json},
	{"same_name", test_same_name},
	{"js_without", test_js_without},
	{"js_later", test_js_later},
	{"limits", test_limits},
	{"wasm_numbers", test_wasm_numbers},
	{"wasm_links", test_wasm_links},
	{"wasm_later", test_wasm_later},
	{"outlives_js", test_outlives_js},
	{"outlives_spinning", test_outlives_spinning},
	{"outlives_wasm", test_outlives_wasm},
	{"sees_stop", test_sees_stop},
	{"race", test_race},
	{"refusals", test_refusals},
	{"image", test_image},
};
HARNESS_MAIN(tests)
