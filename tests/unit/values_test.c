/* SPDX-License-Identifier: Apache-2.0 */
/* Values and types of core modules: real calls of modules in text form, bounds, and every message. */
#include "../harness.h"
#include "wasm/core_values.h"
#include "wasm/json_values.h"
#include "wasm/types.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 8 };

/* ---- A module and its functions -------------------------------------------------------------------------- */

/* An identity for every type, and the other functions that the tests call. */
static const char functions[] =
	"(module"
	" (func (export \"i32\") (param i32) (result i32) local.get 0)"
	" (func (export \"i64\") (param i64) (result i64) local.get 0)"
	" (func (export \"f32\") (param f32) (result f32) local.get 0)"
	" (func (export \"f64\") (param f64) (result f64) local.get 0)"
	" (func (export \"v128\") (param v128) (result v128) local.get 0)"
	" (func (export \"funcref\") (param funcref) (result funcref) local.get 0)"
	" (func (export \"externref\") (param externref) (result externref) local.get 0)"
	" (func (export \"lane\") (param v128) (result i32) (i8x16.extract_lane_u 0 (local.get 0)))"
	" (func (export \"a function\") (result funcref) (ref.func 0))"
	" (func (export \"plain\") (param (ref func)))"
	" (func (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))"
	" (func (export \"one\") (param i32))"
	" (func (export \"none\"))"
	" (func (export \"swap\") (param i32 f64) (result f64 i32) local.get 1 local.get 0))";

typedef struct world {
	wasm_engine_t *engine;
	wasmtime_store_t *store;
	wasmtime_context_t *context;
	wasmtime_module_t *module;
	wasmtime_instance_t instance;
} world;

static wasmtime_module_t *compile(wasm_engine_t *engine, const char *text)
{
	wasm_byte_vec_t binary;
	wasmtime_module_t *module = NULL;
	CHECK(wasmtime_wat2wasm(text, strlen(text), &binary) == NULL);
	CHECK(wasmtime_module_new(engine, (const uint8_t *)binary.data, binary.size, &module) == NULL);
	wasm_byte_vec_delete(&binary);
	return module;
}

static void *make_world(void)
{
	world *w = calloc(1, sizeof *w);
	wasm_config_t *config = wasm_config_new();
	wasmtime_config_wasm_function_references_set(config, true);
	w->engine = wasm_engine_new_with_config(config);
	w->module = compile(w->engine, functions);
	w->store = wasmtime_store_new(w->engine, NULL, NULL);
	w->context = wasmtime_store_context(w->store);
	wasm_trap_t *trap = NULL;
	CHECK(wasmtime_instance_new(w->context, w->module, NULL, 0, &w->instance, &trap) == NULL);
	return w;
}

static void end_world(void *state)
{
	world *w = state;
	wasmtime_store_delete(w->store);
	wasmtime_module_delete(w->module);
	wasm_engine_delete(w->engine);
	free(w);
}

/* The result as JSON, or the message; free it. */
static char *call(world *w, const char *name, const char *text)
{
	curfew_failure failure = {.message = ""};
	wasmtime_val_t values[VALUES_MAX];
	wasmtime_val_t results[VALUES_MAX];
	wasmtime_extern_t item;
	curfew__json_reader params;
	if (!curfew__params_open(&params, text, strlen(text), NULL, "params", &failure))
		return strdup(failure.message);
	CHECK(wasmtime_instance_export_get(w->context, &w->instance, name, strlen(name), &item));
	wasm_functype_t *type = wasmtime_func_type(w->context, &item.of.func);
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	if (curfew__core_params(name, type, &params, values, &failure)) {
		size_t given = wasm_functype_params(type)->size;
		size_t count = wasm_functype_results(type)->size;
		wasm_trap_t *trap = NULL;
		CHECK(wasmtime_func_call(w->context, &item.of.func, values, given, results, count, &trap) == NULL);
		curfew__core_results(results, count, &buffer);
	} else {
		curfew__buffer_add_text(&buffer, failure.message);
	}
	wasm_functype_delete(type);
	return curfew__buffer_take(&buffer, NULL);
}

static void expect(world *w, const char *name, const char *params, const char *expected)
{
	char *result = call(w, name, params);
	CHECK_TEXT(result, expected);
	free(result);
}

/* Expects that the result is the argument. */
static void expect_same(world *w, const char *name, const char *value)
{
	char params[128];
	(void)snprintf(params, sizeof params, "[%s]", value);
	expect(w, name, params, value);
}

/* A call and its result or message. */
typedef struct row {
	const char *params, *expected;
} row;

static void expect_rows(world *w, const char *name, const row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(w, name, rows[i].params, rows[i].expected);
}

/* Calls a function with each of these values, which it must return, and with each of these rows. */
#define EXPECT_ALL(name, same, rows)                                                                                   \
	do {                                                                                                               \
		for (size_t i = 0; i < sizeof same / sizeof *same; i++)                                                        \
			expect_same(state, name, same[i]);                                                                         \
		expect_rows(state, name, rows, sizeof rows / sizeof *rows);                                                    \
	} while (false)

/* ---- Numbers --------------------------------------------------------------------------------------------- */

#define I32 "parameter 1: expected i32 (-2147483648 to 4294967295), got "

static void test_i32(void *state)
{
	static const char *const same[] = {"0", "-2147483648", "2147483647"};
	static const row rows[] = {
		{"[4294967295]", "-1"},
		{"[2147483648]", "-2147483648"},
		{"[1e3]", "1000"},
		{"[-0]", "0"},
		{"[4294967296]", I32 "4294967296"},
		{"[-2147483649]", I32 "-2147483649"},
		{"[1.5]", I32 "1.5"},
		{"[\"1\"]", I32 "\"1\""},
		{"[null]", I32 "null"},
		{"[true]", I32 "true"},
		{"[false]", I32 "false"},
		{"[[]]", I32 "an array of 0"},
		{"[{\"a\": 1}]", I32 "an object"},
		{"[\"\\u0000\\n\"]", I32 "\"\\u0000\\n\""},
		{"[\"0123456789012345678901234567890123456789x\"]",
	     I32 "\"0123456789012345678901234567890123456789\"... (41 bytes)"},
	};

	EXPECT_ALL("i32", same, rows);
}

#define I64 "parameter 1: expected i64 (-9223372036854775808 to 18446744073709551615; beyond 2^53 as a string), got "

static void test_i64(void *state)
{
	static const char *const same[] = {"9007199254740992", "-9007199254740992", "\"9007199254740993\"",
	                                   "\"-9223372036854775808\""};
	static const row rows[] = {
		{"[9007199254740993]", "\"9007199254740993\""},
		{"[9223372036854775807]", "\"9223372036854775807\""},
		{"[-9223372036854775808]", "\"-9223372036854775808\""},
		{"[\"18446744073709551615\"]", "-1"},
		{"[\"-1\"]", "-1"},
		{"[9007199254740992.0]", "9007199254740992"},
		{"[\"18446744073709551616\"]", I64 "\"18446744073709551616\""},
		{"[\"-9223372036854775809\"]", I64 "\"-9223372036854775809\""},
		{"[18446744073709551615]", I64 "1.8446744073709552e+19"},
		{"[9007199254740994.0]", I64 "9007199254740994"},
		{"[\"\"]", I64 "\"\""},
		{"[\"-\"]", I64 "\"-\""},
		{"[\" 1\"]", I64 "\" 1\""},
		{"[\"+1\"]", I64 "\"+1\""},
		{"[\"1\\u0000\"]", I64 "\"1\\u0000\""},
		{"[\"0x10\"]", I64 "\"0x10\""},
	};

	EXPECT_ALL("i64", same, rows);
}

#define F64 "parameter 1: expected f64 (a number, \"NaN\", \"Infinity\" or \"-Infinity\"), got "

static void test_f64(void *state)
{
	static const char *const same[] = {"0",
	                                   "-0.0",
	                                   "0.1",
	                                   "1",
	                                   "-1.5",
	                                   "1e+20",
	                                   "1.7976931348623157e+308",
	                                   "5e-324",
	                                   "2.2250738585072014e-308",
	                                   "0.30000000000000004",
	                                   "123456789.12345679",
	                                   "\"NaN\"",
	                                   "\"Infinity\"",
	                                   "\"-Infinity\"",
	                                   "999999999999999",
	                                   "1e+15"};
	static const row rows[] = {
		{"[-0]", "-0.0"},
		{"[100000000000000000000]", "1e+20"},
		{"[ 18446744073709551615 ]", "1.8446744073709552e+19"},
		{"[\"nan\"]", F64 "\"nan\""},
		{"[\"NaN\\u0000\"]", F64 "\"NaN\\u0000\""},
		{"[null]", F64 "null"},
	};

	EXPECT_ALL("f64", same, rows);
}

static void test_f32(void *state)
{
	static const char *const same[] = {"0",       "-0.0",         "0.1",           "3.4028235e+38",
	                                   "1e-45",   "16777216",     "1.1754944e-38", "0.33333334",
	                                   "\"NaN\"", "\"Infinity\"", "\"-Infinity\""};
	static const row rows[] = {
		{"[0.1000000001]", "0.1"},
		{"[16777217]", "16777216"},
		{"[1e39]",
	     "parameter 1: expected f32 (a number up to 3.4028235e38, \"NaN\", \"Infinity\" or \"-Infinity\"), got "
	     "1e+39"},
	};

	EXPECT_ALL("f32", same, rows);
}

/* Random bit patterns: a written number reads back as the same number. */
static void test_floats_read_back(void)
{
	srand(1);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
		double wide;
		float narrow;
		memcpy(&wide, &bits, sizeof wide);
		memcpy(&narrow, &bits, sizeof narrow);
		if (!isfinite(wide) || !isfinite(narrow))
			continue;
		curfew__buffer buffer;
		curfew__json_writer writer;
		curfew__buffer_init(&buffer, SIZE_MAX);
		curfew__json_init(&writer, &buffer);
		curfew__json_begin_array(&writer);
		curfew__json_double(&writer, wide);
		curfew__json_float(&writer, narrow);
		curfew__json_end_array(&writer);
		curfew_failure failure;
		curfew__json_reader read;
		double wide_read;
		float narrow_read;
		CHECK(curfew__params_open(&read, buffer.data, buffer.length, NULL, "params", &failure));
		curfew__json_enter(&read);
		CHECK(curfew__json_has_next(&read) && curfew__double_read(&read, &wide_read));
		CHECK(curfew__json_has_next(&read) && curfew__float_read(&read, &narrow_read));
		CHECK(!curfew__json_has_next(&read));
		CHECK_BYTES(&wide, &wide_read, sizeof wide);
		CHECK_BYTES(&narrow, &narrow_read, sizeof narrow);
		curfew__buffer_finish(&buffer);
	}
}

/* The decimal point is that of JSON, whatever the host's locale. */
static void test_locale(void *state)
{
	if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
		harness_skip("this database has no such thing");
	expect_same(state, "f64", "-1234.5");
	expect_same(state, "f32", "1.5e-10");
	(void)setlocale(LC_ALL, "C");
}

/* ---- Everything else ------------------------------------------------------------------------------------- */

static void test_v128(void *state)
{
	expect_same(state, "v128", "\"0x000102030405060708090a0b0c0d0eff\"");
	expect(state, "lane", "[\"0x000102030405060708090A0B0C0D0EFF\"]", "255");
#define V128 "parameter 1: expected v128 (a string of 0x and 32 hexadecimal digits), got "
	expect(state, "v128", "[1]", V128 "1");
	expect(state, "v128", "[\"0x00\"]", V128 "\"0x00\"");
	expect(state, "v128", "[\"0x000102030405060708090a0b0c0d0e0g\"]", V128 "\"0x000102030405060708090a0b0c0d0e0g\"");
	expect(state, "v128", "[\"00000102030405060708090a0b0c0d0e0f\"]", V128 "\"00000102030405060708090a0b0c0d0e0f\"");
}

static void test_references(void *state)
{
	expect_same(state, "funcref", "null");
	expect_same(state, "externref", "null");
	expect(state, "a function", "[]", "null");
	expect(state, "funcref", "[1]", "parameter 1: expected funcref (null), got 1");
	expect(state, "externref", "[{}]", "parameter 1: expected externref (null), got an object");
	expect(state, "plain", "[null]", "parameter 1: expected (ref func), which JSON cannot give, got null");
}

static void test_counts(void *state)
{
	expect(state, "add", "[2, 3]", "5");
	expect(state, "none", "[]", "null");
	expect(state, "swap", "[1, 2.5]", "[2.5,1]");
	expect(state, "add", "[1, \"x\"]", "parameter 2: expected i32 (-2147483648 to 4294967295), got \"x\"");
	expect(state, "add", "[1, 2, 3]", "add takes 2 parameters (i32, i32), got 3");
	expect(state, "one", "[]", "one takes 1 parameter (i32), got 0");
	expect(state, "none", "[1]", "none takes no parameters, got 1");
}

static void test_params_text(void *state)
{
	expect(state, "none", "{}", "params: must be a JSON array (at byte 0)");
	expect(state, "none", "[1,]", "params: unexpected character (at byte 3)");
	expect(state, "none", "[{\"a\":1,\"a\":2}]", "none takes no parameters, got 1");
	expect(state, "one", "[\"\\ud800\"]",
	       "parameter 1: expected i32 (-2147483648 to 4294967295), got \"\xef\xbf\xbd\"");
	/* Integers are distinguished from texts that look like one. */
	expect(state, "one", "[\"-0 \\\" 99999999999999999999 -0\"]",
	       "parameter 1: expected i32 (-2147483648 to 4294967295), got \"-0 \\\" 99999999999999999999 -0\"");
}

/* ---- Types ----------------------------------------------------------------------------------------------- */

static void test_describe_module(void *state)
{
	world *w = state;
	wasmtime_module_t *module = compile(w->engine,
	                                    "(module"
	                                    " (import \"env\" \"log\" (func (param i32 i64)))"
	                                    " (import \"env\" \"\\\"\" (global i32))"
	                                    " (func (export \"f\") (param f32 v128) (result f64 externref) unreachable)"
	                                    " (func (export \"g\") (param (ref null func) (ref extern)) (result i32) "
	                                    "unreachable)"
	                                    " (global (export \"m\") (mut i64) (i64.const 0))"
	                                    " (table (export \"t\") 0 10 funcref) (table (export \"u\") 2 externref)"
	                                    " (memory (export \"memory\") 1 65536))");
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__module_describe(module, &buffer);
	CHECK_TEXT(buffer.data, "{\"imports\":[{\"module\":\"env\",\"name\":\"log\",\"kind\":\"function\","
	                        "\"type\":\"(i32, i64) -> ()\"},"
	                        "{\"module\":\"env\",\"name\":\"\\\"\",\"kind\":\"global\",\"type\":\"i32\"}],\"exports\":["
	                        "{\"name\":\"f\",\"kind\":\"function\",\"type\":\"(f32, v128) -> (f64, externref)\"},"
	                        "{\"name\":\"g\",\"kind\":\"function\",\"type\":\"(funcref, (ref extern)) -> i32\"},"
	                        "{\"name\":\"m\",\"kind\":\"global\",\"type\":\"mut i64\"},"
	                        "{\"name\":\"t\",\"kind\":\"table\",\"type\":\"0 to 10 funcref\"},"
	                        "{\"name\":\"u\",\"kind\":\"table\",\"type\":\"2 or more externref\"},"
	                        "{\"name\":\"memory\",\"kind\":\"memory\",\"type\":\"1 to 65536 pages\"}]}");
	curfew__buffer_finish(&buffer);
	curfew__buffer_init(&buffer, 100);
	curfew__module_describe(module, &buffer);
	CHECK(buffer.failed);
	curfew__buffer_finish(&buffer);
	wasmtime_module_delete(module);
}

/* The fixture of each test. */
#define FIXTURE .set_up = make_world, .tear_down = end_world

static const harness_test tests[] = {
	{"i32", .run_on = test_i32, FIXTURE},
	{"i64", .run_on = test_i64, FIXTURE},
	{"f64", .run_on = test_f64, FIXTURE},
	{"f32", .run_on = test_f32, FIXTURE},
	{"floats_read_back", test_floats_read_back, FIXTURE},
	{"locale", .run_on = test_locale, FIXTURE},
	{"v128", .run_on = test_v128, FIXTURE},
	{"references", .run_on = test_references, FIXTURE},
	{"counts", .run_on = test_counts, FIXTURE},
	{"params_text", .run_on = test_params_text, FIXTURE},
	{"describe_module", .run_on = test_describe_module, FIXTURE},
};

HARNESS_MAIN(tests)
