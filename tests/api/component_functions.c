/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host functions for components: every type as JSON, numbers, errors and results, immediate and later answers, limits,
 * stops, and link errors. Each component here lends its memory to one core function, which passes on the addresses of
 * values in it.
 */
#include "host.h"

/* ---- Functions of this host ------------------------------------------------------------------------------- */

/* Returns its first argument. */
static void first(void *context, curfew_host_call *call)
{
	size_t length;
	const char *params = curfew_host_call_get_params(call, &length);
	(void)context;
	CHECK_EQUAL(strlen(params), length);
	CHECK(curfew_host_call_get_values(call) == NULL);
	CHECK_OK(curfew_host_call_return(call, params + 1, length - 2));
}

/* Returns the text that the run passes, or throws it if it is "throw:..." */
static void say(void *context, curfew_host_call *call)
{
	const char *text = curfew_host_call_get_context(call);
	(void)context;
	if (text == NULL)
		return;
	if (strncmp(text, "throw:", 6) == 0)
		CHECK_OK(curfew_host_call_throw(call, text + 6));
	else
		CHECK_EQUAL(curfew_host_call_return(call, text, strlen(text)),
		            strcmp(text, "{") == 0 ? CURFEW_INVALID : CURFEW_OK);
}

static void say_or_first(void *context, curfew_host_call *call)
{
	if (curfew_host_call_get_context(call) != NULL)
		say(context, call);
	else
		first(context, call);
}

static void half(void *context, curfew_host_call *call)
{
	const curfew_value *values = curfew_host_call_get_values(call);
	curfew_value result = {.i32 = values[0].i32 / 2};
	(void)context;
	if (values[0].i32 % 2 != 0)
		CHECK_OK(curfew_host_call_throw(call, "odd"));
	else
		CHECK_OK(curfew_host_call_return_values(call, &result));
}

static const host_answer saying = {say_or_first};
static host_held the_held;

#define API .module = "acme:host/api"

static const curfew_host_function functions[] = {
	HOST_FUNCTION("add", host_add, .type = "ii->i", .fuel = 100000),
	HOST_FUNCTION("scale", host_scale, .type = "If->IF", .module = "maths"),
	HOST_FUNCTION("first", first, API),
	HOST_FUNCTION("say", say, API),
	HOST_FUNCTION("half", half, API, .type = "i->i"),
	HOST_FUNCTION("nothing", host_nothing),
	HOST_FUNCTION("zero", host_nothing, .type = "->F"),
	HOST_FUNCTION("spin", host_spin, .type = "->"),
	HOST_FUNCTION("later", host_later, API, .flags = CURFEW_HOST_ASYNC, .context = (void *)(uintptr_t)&saying),
	HOST_FUNCTION("twice", host_later, .flags = CURFEW_HOST_ASYNC, .type = "i->i"),
	HOST_FUNCTION("hold", host_hold, .flags = CURFEW_HOST_ASYNC, .stopped = host_on_stopped, .context = &the_held),
	HOST_FUNCTION("versioned", host_nothing, .module = "acme:host/old@1.0.0"),
};

/* ---- Components ------------------------------------------------------------------------------------------- */

/*
 * Declared after the imports, with $h to be lowered: memory; a core module with $h as it is called there, and "f" to be
 * lifted.
 */
#define COMPONENT(imports, lowered, core, type)                                                                        \
	"(component " imports                                                                                              \
	" (core module $memory (memory (export \"memory\") 8) (global $next (mut i32) (i32.const 4096))"                   \
	"  (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)"                                \
	"   (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))"                           \
	"   (global.set $next (i32.add (local.get $at) (local.get 3))) (local.get $at)))"                                  \
	" (core instance $m (instantiate $memory))"                                                                        \
	" (alias core export $m \"memory\" (core memory $memory))"                                                         \
	" (alias core export $m \"realloc\" (core func $realloc))"                                                         \
	" (core func $lowered (canon lower (func $h) (memory $memory) (realloc $realloc)))"                                \
	" (core module $glue (import \"h\" \"h\" (func $h " lowered ")) (func (export \"f\") " core "))"                   \
	" (core instance $g (instantiate $glue (with \"h\" (instance (export \"h\" (func $lowered))))))"                   \
	" (alias core export $g \"f\" (core func $f))"                                                                     \
	" (func (export \"f\") " type " (canon lift (core func $f) (memory $memory) (realloc $realloc))))"

/* A function of an interface. `types` are the declarations before it. */
#define INTERFACE(interface, types, name, type)                                                                        \
	"(import \"" interface "\" (instance $api " types " (export \"" name "\" (func " type "))))"                       \
	"(alias export $api \"" name "\" (func $h))"
#define OWN(name, type) "(import \"" name "\" (func $h " type "))"

/* The text comes back through memory at 1024, or directly. */
#define SAYS(types, alias, type)                                                                                       \
	COMPONENT(INTERFACE("acme:host/api@1.2.3", types, "say", "(result " type ")") alias, "(param i32)",                \
	          "(result i32) (call $h (i32.const 1024)) (i32.const 1024)", "(result " type ")")
#define SAYS_FLAT(type)                                                                                                \
	COMPONENT(INTERFACE("acme:host/api@1.2.3", "", "say", "(result " type ")"), "(result i32)",                        \
	          "(result i32) (call $h)", "(result " type ")")

static curfew_program *make(curfew_engine *engine, const char *text)
{
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_WAT,
	                        .name = "test",
	                        .text = text,
	                        .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK_OK(curfew_program_set_functions(program, functions, sizeof functions / sizeof *functions, NULL));
	return program;
}

typedef struct asked {
	const char *params;
	const char *says;
	const curfew_limits *limits;
} asked;

static void expect(const char *text, asked given, curfew_outcome outcome, const char *value, const char *message)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = make(engine, text);
	for (int again = 0; again < 2; again++) {
		curfew_run_options options = {.size = sizeof options,
		                              .call = "f",
		                              .limits = given.limits,
		                              .host_context = (void *)(uintptr_t)given.says,
		                              .params = given.params,
		                              .params_length = given.params != NULL ? strlen(given.params) : 0};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		if (report->outcome != outcome)
			(void)fprintf(stderr, "%.200s: %s: %s\n", text, curfew_outcome_name(report->outcome),
			              report->error_message != NULL ? report->error_message : "-");
		CHECK_EQUAL(report->outcome, outcome);
		CHECK_TEXT(report->value, value);
		if (message != NULL)
			CHECK_TEXT(report->error_message, message);
		if (outcome == CURFEW_OUTCOME_FINISHED || outcome == CURFEW_OUTCOME_TRAPPED)
			CHECK(report->used.host_calls > 0);
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void works(const char *text, const char *params, const char *value)
{
	expect(text, (asked){.params = params}, CURFEW_OUTCOME_FINISHED, value, NULL);
}

/* ---- Values ----------------------------------------------------------------------------------------------- */

static void test_numbers(void)
{
	works(COMPONENT(OWN("add", "(param \"a\" u32) (param \"b\" s32) (result u32)"), "(param i32 i32) (result i32)",
	                "(param i32 i32) (result i32) (call $h (local.get 0) (local.get 1))",
	                "(param \"a\" u32) (param \"b\" s32) (result u32)"),
	      "[3000000000, -2]", "2999999998");
	works(COMPONENT(INTERFACE("host", "", "zero", "(result f64)"), "(result f64)", "(result f64) (call $h)",
	                "(result f64)"),
	      NULL, "0");
	works(COMPONENT(
			  INTERFACE("maths", "", "scale", "(param \"a\" s64) (param \"b\" f32) (result (tuple s64 f64))"),
			  "(param i64 f32 i32)",
			  "(param i64 f32) (result i32) (call $h (local.get 0) (local.get 1) (i32.const 1024)) (i32.const 1024)",
			  "(param \"a\" s64) (param \"b\" f32) (result (tuple s64 f64))"),
	      "[-3, 1.5]", "[-6,3]");
}

/* A result type: answers are its ok, and thrown errors its err. */
static void test_numbers_or_error(void)
{
	const char *text = COMPONENT(
		INTERFACE("acme:host/api", "", "half", "(param \"n\" s32) (result (result s32 (error string)))"),
		"(param i32 i32)", "(param i32) (result i32) (call $h (local.get 0) (i32.const 1024)) (i32.const 1024)",
		"(param \"n\" s32) (result (result s32 (error string)))");
	works(text, "[-8]", "-4");
	expect(text, (asked){.params = "[7]"}, CURFEW_OUTCOME_THREW, NULL, "\"odd\"");
}

#define PADS " u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8"
#define ZEROES ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
#define PADDED(type) "(tuple " type PADS ")"
/* There and back, always through memory. $t is the type that is named in the interface. */
#define ECHO(types, alias, type)                                                                                       \
	COMPONENT(INTERFACE("acme:host/api@0.1.0", types, "first",                                                         \
	                    "(param \"x\" " PADDED(type) ") (result " PADDED(type) ")") alias,                             \
	          "(param i32 i32)", "(param i32) (result i32) (call $h (local.get 0) (i32.const 1024)) (i32.const 1024)", \
	          "(param \"x\" " PADDED(type) ") (result " PADDED(type) ")")
#define NAMED(type) "(type $t_ " type ") (export \"t\" (type $t (eq $t_)))"
#define ALIAS "(alias export $api \"t\" (type $t))"
#define BACK(type, value) works(ECHO("", "", type), "[[" value ZEROES "]]", "[" value ZEROES "]")
#define BACK_NAMED(type, value) works(ECHO(NAMED(type), ALIAS, "$t"), "[[" value ZEROES "]]", "[" value ZEROES "]")

static void test_values(void)
{
	BACK("bool", "true");
	BACK("s8", "-128");
	BACK("s16", "-32768");
	BACK("s32", "-2147483648");
	BACK("s64", "\"-9223372036854775808\"");
	BACK("u8", "255");
	BACK("u16", "65535");
	BACK("u32", "4294967295");
	BACK("u64", "\"18446744073709551615\"");
	BACK("f32", "1.5");
	BACK("f64", "\"NaN\"");
	BACK("char", "\"😀\"");
	BACK("string", "\"a \\\"b\\\" ü\\n\"");
	BACK("string", "\"\"");
}

static void test_compounds(void)
{
	BACK("(list u16)", "[1,2,65535]");
	BACK("(list (list string))", "[[],[\"a\",\"b\"]]");
	BACK("(tuple u8 string)", "[7,\"x\"]");
	BACK("(option u8)", "null");
	BACK("(option (option u8))", "{\"some\":null}");
	BACK("(result u8 (error string))", "{\"err\":\"no\"}");
	BACK("(result)", "{\"ok\":null}");
	BACK_NAMED("(record (field \"a\" u8) (field \"b\" (list string)))", "{\"a\":1,\"b\":[\"x\"]}");
	BACK_NAMED("(variant (case \"none\") (case \"some\" (tuple f64 bool)))", "{\"some\":[0.25,false]}");
	BACK_NAMED("(variant (case \"none\") (case \"some\" u8))", "\"none\"");
	BACK_NAMED("(enum \"red\" \"green\")", "\"green\"");
	BACK_NAMED("(flags \"r\" \"w\" \"x\")", "[\"r\",\"x\"]");
}

/* ---- Answers ---------------------------------------------------------------------------------------------- */

static void says(const char *text, const char *answer, const char *value)
{
	expect(text, (asked){.says = answer}, CURFEW_OUTCOME_FINISHED, value, NULL);
}

static void traps(const char *text, const char *answer, const char *message)
{
	expect(text, (asked){.says = answer}, CURFEW_OUTCOME_TRAPPED, NULL, message);
}

static void throws(const char *text, const char *answer, const char *error)
{
	expect(text, (asked){.says = answer}, CURFEW_OUTCOME_THREW, NULL, error);
}

static void test_answers(void)
{
	const char *number = SAYS_FLAT("u8"), *text = SAYS("", "", "string");
	const char *record = SAYS(NAMED("(record (field \"age\" u8) (field \"name\" string))"), ALIAS, "$t");
	says(number, "7", "7");
	says(text, "\"seven\"", "\"seven\"");
	says(record, "{\"name\":\"Ada\",\"age\":36}", "{\"age\":36,\"name\":\"Ada\"}");
	says(SAYS("", "", "(option u8)"), NULL, "null");
	traps(number, "256", "result: expected u8 (0 to 255), got 256");
	traps(number, NULL, "result: expected u8 (0 to 255), got null");
	traps(record, "{\"age\":1,\"name\":\"x\",\"more\":1}", NULL);
	traps(record, "{\"age\":\"x\",\"name\":\"x\"}", "result, at .age: expected u8 (0 to 255), got \"x\"");
	traps(number, "{", "the host function did not answer with JSON");
	traps(number, "throw:no \"such\" row", "no \"such\" row");
}

/* The maximum nesting of JSON, on the stack that the guest leaves. */
static void test_deep_answer(void)
{
	enum { DEEP = 2048, EACH = 5 };
	static char text[DEEP * (EACH + 1) + 8];
	for (int i = 0; i < DEEP; i++)
		memcpy(text + (size_t)i * EACH, i + 1 < DEEP ? "{\"a\":" : "[   ]", EACH);
	memset(text + (size_t)DEEP * EACH, '}', DEEP - 1);
	traps(SAYS("", "", "(list u8)"), text, "result: expected list<u8> (an array), got an object");
}

static void test_answers_or_errors(void)
{
	const char *text = SAYS("", "", "(result u32 (error string))"), *none = SAYS_FLAT("(result)");
	const char *both = SAYS(NAMED("(variant (case \"gone\") (case \"busy\" u32))"), ALIAS, "(result (error $t))");
	says(text, "7", "7");
	throws(text, "throw:no \"such\" row", "\"no \\\"such\\\" row\"");
	throws(text, "throw:7", "\"7\"");
	traps(text, "\"x\"", "result, at .ok: expected u32 (0 to 4294967295), got \"x\"");
	says(none, "7", "null");
	throws(none, "throw:x", "null");
	says(both, NULL, "null");
	throws(both, "throw:gone", "\"gone\"");
	throws(both, "throw:{\"busy\":3}", "{\"busy\":3}");
	traps(both, "throw:unheard of", "unheard of");
}

/* ---- Later ------------------------------------------------------------------------------------------------ */

#define TWICE(core)                                                                                                    \
	COMPONENT(OWN("twice", "(param \"n\" s32) (result s32)"), "(param i32) (result i32)",                              \
	          "(param i32) (result i32) " core, "(param \"n\" s32) (result s32)")
#define TEXT_OR_ERROR "(param \"x\" string) (result (result string (error string)))"

static void test_later(void)
{
	const char *answer = COMPONENT(
		INTERFACE("acme:host/api", "", "later", TEXT_OR_ERROR), "(param i32 i32 i32)",
		"(param i32 i32) (result i32) (call $h (local.get 0) (local.get 1) (i32.const 1024)) (i32.const 1024)",
		TEXT_OR_ERROR);
	works(TWICE("(call $h (call $h (local.get 0)))"), "[21]", "84");
	works(answer, "[\"hello\"]", "\"hello\"");
	expect(answer, (asked){.params = "[\"\"]", .says = "throw:late"}, CURFEW_OUTCOME_THREW, NULL, "\"late\"");
	expect(COMPONENT(INTERFACE("acme:host/api", "", "later", ""), "", "(call $h)", ""), (asked){.says = "throw:late"},
	       CURFEW_OUTCOME_TRAPPED, NULL, "late");
	expect(COMPONENT(INTERFACE("acme:host/api", "", "later", "(result u8)"), "(result i32)", "(result i32) (call $h)",
	                 "(result u8)"),
	       (asked){.says = "\"x\""}, CURFEW_OUTCOME_TRAPPED, NULL, "result: expected u8 (0 to 255), got \"x\"");
}

/* ---- Limits and stops ------------------------------------------------------------------------------------- */

#define AGAIN "(loop (drop (call $h (i32.const 1) (i32.const 2))) (br 0))"
#define ADDS(core)                                                                                                     \
	COMPONENT(OWN("add", "(param \"a\" s32) (param \"b\" s32) (result s32)"), "(param i32 i32) (result i32)", core, "")

static void test_limits(void)
{
	curfew_limits calls = {.size = sizeof calls, .host_calls = 3};
	curfew_limits fuel = {.size = sizeof fuel, .fuel = 1000000};
	curfew_limits plenty = {.size = sizeof plenty, .fuel = 10000000, .host_calls = 20};
	const char *twenty = ADDS("(local $i i32) (loop (drop (call $h (i32.const 1) (i32.const 2))) (br_if 0 (i32.lt_s"
	                          "(local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))");
	expect(ADDS(AGAIN), (asked){.limits = &calls}, CURFEW_OUTCOME_HOST_CALLS, NULL, NULL);
	expect(ADDS(AGAIN), (asked){.limits = &fuel}, CURFEW_OUTCOME_FUEL, NULL, NULL);
	expect(twenty, (asked){.limits = &fuel}, CURFEW_OUTCOME_FUEL, NULL, NULL);
	expect(twenty, (asked){.limits = &plenty}, CURFEW_OUTCOME_FINISHED, "null", NULL);
	expect(TWICE("(loop (drop (call $h (local.get 0))) (br 0)) (unreachable)"),
	       (asked){.params = "[1]", .limits = &calls}, CURFEW_OUTCOME_HOST_CALLS, NULL, NULL);
}

/* The values of a call count against the memory limit: a list is larger in the host than in the guest. */
static void test_large(void)
{
	/* Claim L73. */
	curfew_limits limits = {.size = sizeof limits, .memory_bytes = 4 << 20};
	const char *text = COMPONENT(INTERFACE("acme:host/api", "", "say", "(param \"x\" (list u8))"), "(param i32 i32)",
	                             "(param i32) (call $h (i32.const 0) (local.get 0))", "(param \"size\" u32)");
	expect(text, (asked){.params = "[10000]", .limits = &limits}, CURFEW_OUTCOME_FINISHED, "null", NULL);
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, text);
	curfew_run_options options = {
		.size = sizeof options, .call = "f", .limits = &limits, .params = "[500000]", .params_length = 8};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_TRAPPED);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

/* If nobody answers, the deadline ends the run. The host is notified, and may answer at any time. */
static void test_outlives(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = make(engine, COMPONENT(OWN("hold", ""), "", "(call $h)", ""));
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 100000000};
	curfew_run_options options = {.size = sizeof options, .call = "f", .limits = &limits};
	curfew_run *started = NULL;
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	CHECK_OK(curfew_run_start(program, &options, &started, NULL));
	const curfew_report *report = curfew_run_wait(started);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK(report->used.cpu_ns < 50000000);
	/* Claim L17. The call that it waited in. */
	CHECK_EQUAL(report->frame_count, 1);
	CHECK_TEXT(report->frames[0].function, "f");
	CHECK_EQUAL(atomic_load(&the_held.told), 1);
	curfew_run_destroy(started);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	CHECK(curfew_host_call_is_stopped(atomic_load(&the_held.call)));
	CHECK_OK(curfew_host_call_return(atomic_load(&the_held.call), NULL, 0));
}

/* A waiting run holds no thread: with one thread, another run continues. */
static void test_waits_without_thread(void)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *waiting = make(engine, COMPONENT(OWN("hold", ""), "", "(call $h)", ""));
	curfew_program *other = make(engine, TWICE("(call $h (local.get 0))"));
	curfew_run_options options = {.size = sizeof options, .call = "f"};
	curfew_run *first_run = NULL, *second = NULL;
	CHECK_OK(curfew_run_start(waiting, &options, &first_run, NULL));
	options.params = "[4]";
	options.params_length = 3;
	CHECK_OK(curfew_run_start(other, &options, &second, NULL));
	CHECK_TEXT(curfew_run_wait(second)->value, "8");
	while (atomic_load(&the_held.call) == NULL)
		harness_sleep_us(1000);
	CHECK(curfew_run_get_report(first_run) == NULL);
	CHECK_OK(curfew_host_call_return(atomic_load(&the_held.call), NULL, 0));
	CHECK_EQUAL(curfew_run_wait(first_run)->outcome, CURFEW_OUTCOME_FINISHED);
	curfew_run_destroy(second);
	curfew_run_destroy(first_run);
	curfew_program_destroy(other);
	curfew_program_destroy(waiting);
	curfew_engine_destroy(engine);
}

/* A synchronous function that takes long sees the stop, which takes effect when it returns. */
static void test_sees_stop(void)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 50000000};
	expect(COMPONENT(OWN("spin", ""), "", "(loop (call $h) (br 0))", ""), (asked){.limits = &limits},
	       CURFEW_OUTCOME_DEADLINE, NULL, NULL);
}

/* The run is cancelled while the answer arrives from another thread, again and again. */
static void test_race(void)
{
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = make(engine, TWICE("(loop (drop (call $h (local.get 0))) (br 0)) (unreachable)"));
	curfew_run_options options = {.size = sizeof options, .call = "f", .params = "[1]", .params_length = 3};
	harness_cancel_often(program, &options);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	harness_sleep_us(50000); /* until the threads have ended */
}

/* ---- Linking ---------------------------------------------------------------------------------------------- */

/* Together with WASI, whose calls are charged in another way. */
static void test_wasi_beside(void)
{
	works(
		"(component"
		"(import \"wasi:clocks/monotonic-clock@0.2.0\" (instance $clock (export \"now\" (func (result u64)))))"
		"(import \"zero\" (func $zero (result f64)))"
		"(core func $n (canon lower (func $clock \"now\"))) (core func $z (canon lower (func $zero)))"
		"(core module $c (import \"h\" \"n\" (func $n (result i64))) (import \"h\" \"z\" (func $z (result f64)))"
		" (func (export \"f\") (result f64) (drop (call $n)) (call $z) (drop (call $n))))"
		"(core instance $i (instantiate $c (with \"h\" (instance (export \"n\" (func $n)) (export \"z\" (func $z))))))"
		"(func (export \"f\") (result f64) (canon lift (core func $i \"f\"))))",
		NULL, "0");
}

/* Called during instantiation, by a start function. */
static void test_start(void)
{
	const char *text = "(component (import \"acme:host/api\" (instance $api (export \"say\" (func))))"
					   "(core func $h (canon lower (func $api \"say\")))"
					   "(core module $c (import \"h\" \"h\" (func $h))"
					   " (func $s (call $h)) (start $s) (func (export \"f\")))"
					   "(core instance $i (instantiate $c (with \"h\" (instance (export \"h\" (func $h))))))"
					   "(func (export \"f\") (canon lift (core func $i \"f\"))))";
	works(text, NULL, "null");
	traps(text, "throw:not now", "not now");
}

static void refuse(const char *text, const char *message)
{
	expect(text, (asked){0}, CURFEW_OUTCOME_BAD_PROGRAM, NULL, message);
}

static void test_links(void)
{
	refuse("(component (import \"missing\" (func))"
	       "(import \"add\" (func (param \"a\" u32) (param \"b\" u32) (result u32)))"
	       "(import \"acme:host/api\" (instance (export \"say\" (func)) (export \"none\" (func))))"
	       "(import \"acme:host/types\" (instance (type $t (record (field \"a\" u8))) (export \"t\" (type (eq $t)))))"
	       "(import \"other:host/api\" (instance (export \"a\" (func)) (export \"b\" (func)))))",
	       "unknown imports: missing, acme:host/api.none, other:host/api");
	refuse("(component (import \"scale\" (func (param \"a\" s64) (param \"b\" f32) (result (tuple s64 f64)))))",
	       "unknown imports: scale");
	refuse("(component (import \"acme:host/old@1.1.0\" (instance (export \"versioned\" (func)))))",
	       "unknown imports: acme:host/old@1.1.0");
	refuse("(component (import \"add\" (func (param \"a\" u32) (param \"b\" string) (result u32))))",
	       "host function add has the type ii->i, and add is imported as (u32, string) -> u32");
	refuse("(component (import \"maths\" (instance (export \"scale\" (func (param \"a\" s64) (param \"b\" f32)))))",
	       NULL);
	refuse("(component (import \"acme:host/api@2.0.0\" (instance (export \"thing\" (type $r (sub resource)))"
	       "(export \"say\" (func (param \"x\" (own $r)))))))",
	       "acme:host/api@2.0.0.say cannot be served: parameter 1 has the type own, which JSON cannot take");
	works("(component (import \"acme:host/old@1.0.0\" (instance $i (export \"versioned\" (func))))"
	      "(core func $h (canon lower (func $i \"versioned\"))) (core module $c (import \"h\" \"h\" (func $h))"
	      "(func (export \"f\") (call $h)))"
	      "(core instance $g (instantiate $c (with \"h\" (instance (export \"h\" (func $h))))))"
	      "(func (export \"f\") (canon lift (core func $g \"f\"))))",
	      NULL, "null");
}

static const harness_test tests[] = {
	{"numbers", test_numbers},
	{"numbers_or_error", test_numbers_or_error},
	{"values", test_values},
	{"compounds", test_compounds},
	{"answers", test_answers},
	{"deep_answer", test_deep_answer},
	{"answers_or_errors", test_answers_or_errors},
	{"later", test_later},
	{"limits", test_limits},
	{"large", test_large},
	{"outlives", test_outlives},
	{"waits_without_thread", test_waits_without_thread},
	{"sees_stop", test_sees_stop},
	{"race", test_race},
	{"wasi_beside", test_wasi_beside},
	{"start", test_start},
	{"links", test_links},
};
HARNESS_MAIN(tests)
