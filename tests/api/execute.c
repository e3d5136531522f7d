/* SPDX-License-Identifier: Apache-2.0 */
/* One call of a function for one user: what the result contains, and that nothing of one call reaches the next. */
#include "engine.h"

static curfew_result *execute(curfew_program *program, const char *function, const char *params, const char *user,
                              const curfew_limits *limits)
{
	curfew_result *result = NULL;
	curfew_failure failure = {.message = ""};
	curfew_status status = curfew_execute(program, function, params, user, limits, NULL, &result, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "%s\n", failure.message);
	CHECK_OK(status);
	CHECK(result != NULL);
	return result;
}

static void test_result(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine,
	                                          "function f(a, b) { console.log('hi', curfew.user); return a + b; }");
	curfew_result *result = execute(program, "f", "[1, 2]", "ann", NULL);
	CHECK_EQUAL(result->outcome, CURFEW_OUTCOME_FINISHED);
	CHECK_TEXT(result->status, "ok");
	CHECK_TEXT(result->value, "3");
	CHECK_TEXT(result->output, "hi ann\n");
	CHECK_EQUAL(result->output_length, 7);
	CHECK(result->error_name == NULL && result->limit_name == NULL && result->stack == NULL && !result->is_stopped);
	CHECK(result->loops > 0 && result->elapsed_ns > 0 && result->report != NULL);
	curfew_result_destroy(result);
	curfew_result_destroy(NULL);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void test_timeout(void)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_patience_ms(50)};
	curfew_limits loops = {.size = sizeof loops, .loops = 1000};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "function f() {\n\tfor (;;);\n}\nfunction g() { null.x }");
	curfew_result *result = execute(program, "f", NULL, NULL, &limits);
	CHECK_TEXT(result->status, "deadline");
	CHECK(result->is_stopped && result->value == NULL);
	CHECK_TEXT(result->limit_name, "timeout");
	CHECK_EQUAL(result->limit, limits.timeout_ns);
	CHECK(result->elapsed_ns >= result->limit && result->loops > 1000);
	CHECK_TEXT(result->error_name, "deadline");
	CHECK(result->stack != NULL && strstr(result->stack, "at f (test.js:") != NULL);
	curfew_result_destroy(result);
	result = execute(program, "f", NULL, NULL, &loops);
	CHECK_TEXT(result->limit_name, "loops");
	CHECK_EQUAL(result->limit, 1000);
	CHECK_EQUAL(result->loops, 1000);
	curfew_result_destroy(result);
	result = execute(program, "g", NULL, NULL, NULL);
	CHECK_TEXT(result->error_name, "TypeError");
	CHECK(!result->is_stopped && result->limit_name == NULL && strncmp(result->stack, "at g (", 6) == 0);
	curfew_result_destroy(result);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void test_leaves_nothing(void)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(20)};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(
		engine, "let n = 0;\nfunction f(user, spin) {\n"
				"\tconst before = [globalThis.last ?? null, n++, [].constructor.last ?? null];\n"
				"\tglobalThis.last = Array.last = user;\n\tMath.abs = () => user;\n"
				"\twhile (spin);\n\treturn before;\n}");
	for (int i = 0; i < 5; i++) {
		curfew_result *result = execute(program, "f", "[\"ann\", false]", "ann", NULL);
		CHECK_TEXT(result->value, "[null,0,null]");
		curfew_result_destroy(result);
		result = execute(program, "f", "[\"bob\", true]", "bob", &limits);
		CHECK_TEXT(result->status, "deadline");
		curfew_result_destroy(result);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void test_refusals(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_run_options options = {.size = sizeof options, .user = "ann"};
	curfew_result *result = NULL;
	CHECK_EQUAL(curfew_execute(program, NULL, NULL, NULL, NULL, &options, &result, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_execute(program, NULL, "{}", NULL, NULL, NULL, &result, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_execute(NULL, NULL, NULL, NULL, NULL, NULL, &result, NULL), CURFEW_INVALID);
	CHECK(result == NULL);
	result = execute(program, "missing", NULL, NULL, NULL);
	CHECK_TEXT(result->status, "bad_program");
	curfew_result_destroy(result);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"result", test_result},
	{"timeout", test_timeout},
	{"leaves_nothing", test_leaves_nothing},
	{"refusals", test_refusals},
};
HARNESS_MAIN(tests)
