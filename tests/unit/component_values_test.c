/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values and types of components, through real calls: a function for each type, which returns its argument. Its
 * parameter is a tuple of the value and 16 bytes, so that it always goes through memory: the core function receives the
 * address of the tuple, and returns it as the address of the result.
 */
#include "../harness.h"
#include "wasm/component_values.h"
#include "wasm/json_values.h"
#include "wasm/shape.h"
#include "wasm/types.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, LIMIT = 64 * MIB };

/* ---- Components ------------------------------------------------------------------------------------------ */

/* Memory that grows on demand, and is free again after each call. */
#define CORE                                                                                                           \
	"(core module $m (memory (export \"memory\") 1)"                                                                   \
	" (global $next (mut i32) (i32.const 64))"                                                                         \
	" (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32) (local $end i32)"                \
	"  (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))"                     \
	"   (i32.sub (i32.const 0) (local.get 2))))"                                                                       \
	"  (local.set $end (i32.add (local.get $at) (local.get 3)))"                                                       \
	"  (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))"                                         \
	"   (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u"                                                    \
	"    (i32.sub (local.get $end) (i32.shl (memory.size) (i32.const 16))) (i32.const 16)))))))"                       \
	"  (global.set $next (local.get $end)) (local.get $at))"                                                           \
	" (func (export \"echo\") (param i32) (result i32) (local.get 0))"                                                 \
	" (func (export \"g\") (param i32 i32 i32 i32 i32) (result i32) (i32.const 16))"                                   \
	" (func (export \"reset\") (param i32) (global.set $next (i32.const 64))))"                                        \
	"(core instance $i (instantiate $m))"                                                                              \
	"(alias core export $i \"memory\" (core memory $memory))"                                                          \
	"(alias core export $i \"realloc\" (core func $realloc))"                                                          \
	"(alias core export $i \"echo\" (core func $echo))"                                                                \
	"(alias core export $i \"g\" (core func $g))"                                                                      \
	"(alias core export $i \"reset\" (core func $reset))"

#define PADS " u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8"
#define ZEROES ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"

/* A type that gets a name by being exported: $name. */
#define NAMED(name, type) "(type $" name "_ " type ") (export $" name " \"" name "\" (type $" name "_))"

typedef struct world {
	wasm_engine_t *engine;
	wasmtime_component_t *component;
	wasmtime_store_t *store;
	wasmtime_context_t *context;
	wasmtime_component_instance_t instance;
} world;

static void compile(world *w, const char *text)
{
	wasm_byte_vec_t binary;
	wasmtime_error_t *error = wasmtime_wat2wasm(text, strlen(text), &binary);
	if (error == NULL) {
		error = wasmtime_component_new(w->engine, (const uint8_t *)binary.data, binary.size, &w->component);
		wasm_byte_vec_delete(&binary);
	}
	if (error == NULL)
		return;
	wasm_name_t message;
	wasmtime_error_message(error, &message);
	(void)fprintf(stderr, "%.*s\n%s\n", (int)message.size, message.data, text);
	_exit(1);
}

static void instantiate(world *w)
{
	w->store = wasmtime_store_new(w->engine, NULL, NULL);
	w->context = wasmtime_store_context(w->store);
	wasmtime_component_linker_t *linker = wasmtime_component_linker_new(w->engine);
	CHECK(wasmtime_component_linker_instantiate(linker, w->context, w->component, &w->instance) == NULL);
	wasmtime_component_linker_delete(linker);
}

static void unload(world *w)
{
	if (w->store != NULL)
		wasmtime_store_delete(w->store);
	wasmtime_component_delete(w->component);
	w->store = NULL;
}

static void *make_world(void)
{
	world *w = calloc(1, sizeof *w);
	wasm_config_t *config = wasm_config_new();
	wasmtime_config_wasm_component_model_async_set(config, false);
	w->engine = wasm_engine_new_with_config(config);
	return w;
}

static void end_world(void *state)
{
	world *w = state;
	wasm_engine_delete(w->engine);
	free(w);
}

static wasmtime_component_func_t find(world *w, const char *name)
{
	wasmtime_component_func_t func;
	wasmtime_component_export_index_t *index = wasmtime_component_instance_get_export_index(&w->instance, w->context,
	                                                                                        NULL, name, strlen(name));
	CHECK(index != NULL);
	CHECK(wasmtime_component_instance_get_func(&w->instance, w->context, index, &func));
	wasmtime_component_export_index_delete(index);
	return func;
}

static curfew__signature *signature_of(world *w, const wasmtime_component_func_t *func, const char *name,
                                       curfew_failure *failure)
{
	wasmtime_component_func_type_t *type = wasmtime_component_func_type(func, w->context);
	curfew__signature *signature = curfew__signature_create(name, type, failure);
	wasmtime_component_func_type_delete(type);
	return signature;
}

static void make_call(world *w, const wasmtime_component_func_t *func, curfew__component_call *call,
                      curfew__buffer *buffer)
{
	wasmtime_error_t *error = wasmtime_component_func_call(func, w->context, call->params, call->param_count,
	                                                       call->results, call->result_count);
	if (error != NULL) {
		wasm_name_t message;
		wasmtime_error_message(error, &message);
		curfew__buffer_printf(buffer, "failed: %.*s", (int)message.size, message.data);
		wasm_byte_vec_delete(&message);
		wasmtime_error_delete(error);
	} else if (!curfew__component_call_result(call, buffer)) {
		curfew__buffer_add_text(buffer, " as an error");
	}
}

/* The result as JSON, or the message; free it. */
static char *call_within(world *w, const char *name, curfew__json_reader *params, size_t limit_bytes)
{
	curfew_failure failure = {.message = ""};
	curfew__component_call call;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	wasmtime_component_func_t func = find(w, name);
	curfew__signature *signature = signature_of(w, &func, name, &failure);
	if (signature != NULL && curfew__component_call_init(&call, signature, params, limit_bytes, &failure)) {
		make_call(w, &func, &call, &buffer);
		curfew__component_call_finish(&call, w->context);
	} else {
		curfew__buffer_add_text(&buffer, failure.message);
	}
	curfew__signature_destroy(signature);
	return curfew__buffer_take(&buffer, NULL);
}

static char *call_limited(world *w, const char *name, const char *text, size_t limit_bytes)
{
	curfew_failure failure = {.message = ""};
	curfew__json_reader params;
	if (!curfew__params_open(&params, text, strlen(text), NULL, "params", &failure))
		return strdup(failure.message);
	return call_within(w, name, &params, limit_bytes);
}

static char *call_text(world *w, const char *name, const char *text)
{
	return call_limited(w, name, text, LIMIT);
}

static void expect_call(world *w, const char *name, const char *params, const char *expected)
{
	char *result = call_text(w, name, params);
	CHECK_TEXT(result, expected);
	free(result);
}

/* ---- Every type there and back --------------------------------------------------------------------------- */

static void load_identity(world *w, const char *named, const char *type)
{
	curfew__buffer text;
	curfew__buffer_init(&text, SIZE_MAX);
	curfew__buffer_printf(&text,
	                      "(component " CORE " %s (type $w (tuple %s" PADS "))"
	                      " (func $f (param \"v\" $w) (result $w)"
	                      "  (canon lift (core func $echo) (memory $memory) (realloc $realloc) (post-return "
	                      "$reset)))"
	                      " (export \"echo\" (func $f)))",
	                      named, type);
	compile(w, text.data);
	curfew__buffer_finish(&text);
	instantiate(w);
}

/* Passes the value to the function. The result is the value again, or the message after its first part; free it. */
static char *echo(world *w, const char *json)
{
	static const char where[] = "parameter 1, at [0]";
	curfew__buffer params;
	curfew__buffer_init(&params, SIZE_MAX);
	curfew__buffer_printf(&params, "[[%s" ZEROES "]]", json);
	char *result = call_text(w, "echo", params.data);
	curfew__buffer_finish(&params);
	size_t length = strlen(result);
	if (result[0] == '[') {
		CHECK_TEXT(result + length - strlen(ZEROES "]"), ZEROES "]");
		result[length - strlen(ZEROES "]")] = '\0';
		memmove(result, result + 1, strlen(result));
	} else if (strncmp(result, where, strlen(where)) == 0) {
		memmove(result, result + strlen(where), length - strlen(where) + 1);
	}
	return result;
}

typedef struct example {
	const char *given;
	const char *expected; /* NULL: the same */
} example;

static void expect_echo(world *w, const char *named, const char *type, const example *examples)
{
	load_identity(w, named, type);
	for (; examples->given != NULL; examples++) {
		char *result = echo(w, examples->given);
		CHECK_TEXT(result, examples->expected != NULL ? examples->expected : examples->given);
		free(result);
	}
	unload(w);
}

#define EXPECT_ECHO(named, type, ...) expect_echo(state, named, type, (const example[]){__VA_ARGS__, {NULL}})

static void test_bool(void *state)
{
	EXPECT_ECHO("", "bool", {"true"}, {"false"}, {"0", ": expected bool (true or false), got 0"},
	            {"null", ": expected bool (true or false), got null"});
}

static void test_integers(void *state)
{
	EXPECT_ECHO("", "s8", {"-128"}, {"127"}, {"1.0", "1"}, {"-129", ": expected s8 (-128 to 127), got -129"},
	            {"128", ": expected s8 (-128 to 127), got 128"});
	EXPECT_ECHO("", "u8", {"0"}, {"255"}, {"-1", ": expected u8 (0 to 255), got -1"},
	            {"256", ": expected u8 (0 to 255), got 256"}, {"\"1\"", ": expected u8 (0 to 255), got \"1\""});
	EXPECT_ECHO("", "s16", {"-32768"}, {"32767"}, {"-32769", ": expected s16 (-32768 to 32767), got -32769"},
	            {"32768", ": expected s16 (-32768 to 32767), got 32768"});
	EXPECT_ECHO("", "u16", {"0"}, {"65535"}, {"65536", ": expected u16 (0 to 65535), got 65536"},
	            {"-1", ": expected u16 (0 to 65535), got -1"});
	EXPECT_ECHO("", "s32", {"-2147483648"}, {"2147483647"},
	            {"-2147483649", ": expected s32 (-2147483648 to 2147483647), got -2147483649"},
	            {"2147483648", ": expected s32 (-2147483648 to 2147483647), got 2147483648"});
	EXPECT_ECHO("", "u32", {"0"}, {"4294967295"}, {"4294967296", ": expected u32 (0 to 4294967295), got 4294967296"},
	            {"-1", ": expected u32 (0 to 4294967295), got -1"});
#define S64 ": expected s64 (-9223372036854775808 to 9223372036854775807; beyond 2^53 as a string), got "
	EXPECT_ECHO("", "s64", {"\"-9223372036854775808\""}, {"\"9223372036854775807\""}, {"-9007199254740992"},
	            {"\"9223372036854775808\"", S64 "\"9223372036854775808\""},
	            {"\"-9223372036854775809\"", S64 "\"-9223372036854775809\""}, {"0.5", S64 "0.5"});
#define U64 ": expected u64 (0 to 18446744073709551615; beyond 2^53 as a string), got "
	EXPECT_ECHO("", "u64", {"\"18446744073709551615\""}, {"9007199254740992"},
	            {"9223372036854775807", "\"9223372036854775807\""},
	            {"\"18446744073709551616\"", U64 "\"18446744073709551616\""}, {"\"-1\"", U64 "\"-1\""},
	            {"18446744073709551615", U64 "1.8446744073709552e+19"});
}

static void test_floats(void *state)
{
	EXPECT_ECHO("", "f32", {"0.1"}, {"-0.0"}, {"\"NaN\""}, {"\"-Infinity\""},
	            {"1e39", ": expected f32 (a number up to 3.4028235e38, \"NaN\", \"Infinity\" or \"-Infinity\"), "
	                     "got 1e+39"});
	EXPECT_ECHO("", "f64", {"0.1"}, {"-0.0"}, {"1e+100"}, {"\"Infinity\""}, {"5e-324"},
	            {"\"x\"", ": expected f64 (a number, \"NaN\", \"Infinity\" or \"-Infinity\"), got \"x\""});
}

static void test_char(void *state)
{
	EXPECT_ECHO("", "char", {"\"a\""}, {"\"\\u0000\""}, {"\"\xc3\xa9\""}, {"\"\xe2\x82\xac\""},
	            {"\"\xf0\x9f\x98\x80\""}, {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""}, {"\"\xf4\x8f\xbf\xbf\""},
	            {"\"\"", ": expected char (a string of one character), got \"\""},
	            {"\"ab\"", ": expected char (a string of one character), got \"ab\""},
	            {"97", ": expected char (a string of one character), got 97"});
}

static void test_string(void *state)
{
	EXPECT_ECHO("", "string", {"\"\""}, {"\"h\xc3\xa9llo \\u0000\\n\\\"\""}, {"1", ": expected string, got 1"},
	            {"\"\\udfff\"", ": expected string, got \"\xef\xbf\xbd\""});
}

static void test_list(void *state)
{
	EXPECT_ECHO("", "(list u16)", {"[]"}, {"[1,65535]"}, {"{}", ": expected list<u16> (an array), got an object"},
	            {"[1,2,-1]", "[2]: expected u16 (0 to 65535), got -1"});
	EXPECT_ECHO("", "(list (list string))", {"[[],[\"a\",\"b\"],[\"\"]]"},
	            {"[[],[\"a\",null]]", "[1][1]: expected string, got null"});
}

static void test_tuple(void *state)
{
	EXPECT_ECHO("", "(tuple bool string)", {"[true,\"x\"]"},
	            {"[true]", ": expected tuple<bool, string> (an array of 2), got an array of 1"},
	            {"[true,\"x\",1]", ": expected tuple<bool, string> (an array of 2), got an array of 3"},
	            {"[1,\"x\"]", "[0]: expected bool (true or false), got 1"});
}

static void test_record(void *state)
{
	EXPECT_ECHO(
		NAMED("r", "(record (field \"name\" string) (field \"age\" u8))"), "$r", {"{\"name\":\"A\",\"age\":3}"},
		{"{\"age\":3,\"name\":\"A\"}", "{\"name\":\"A\",\"age\":3}"},
		{"[]", ": expected record {name: string, age: u8} (an object), got an array of 0"},
		{"{\"name\":\"A\"}", ": missing field \"age\" in record {name: string, age: u8}"},
		{"{\"name\":\"A\",\"age\":3,\"x\\n\":1}", ": there is no field \"x\\n\" in record {name: string, age: u8}"},
		{"{\"name\":\"A\",\"age\":3,\"name\":\"A\"}",
	     ": given twice: field \"name\" in record {name: string, age: u8}"},
		{"{\"name\":\"A\",\"age\":-3}", ".age: expected u8 (0 to 255), got -3"});
}

static void test_variant(void *state)
{
#define VARIANT "variant {none, one(u8), more(list<u8>)}"
	EXPECT_ECHO(NAMED("v", "(variant (case \"none\") (case \"one\" u8) (case \"more\" (list u8)))"), "$v", {"\"none\""},
	            {"{\"one\":1}"}, {"{\"more\":[1,2]}"}, {"\"two\"", ": there is no case \"two\" in " VARIANT},
	            {"{\"two\":2}", ": there is no case \"two\" in " VARIANT},
	            {"\"one\"", ": case \"one\" takes a value: {\"one\": value}, in " VARIANT},
	            {"{\"none\":1}", ": case \"none\" takes no value: \"none\", in " VARIANT},
	            {"{\"one\":1,\"more\":[]}", ": expected " VARIANT " ({\"case\": value} or \"case\"), got an "
	                                        "object"},
	            {"1", ": expected " VARIANT " ({\"case\": value} or \"case\"), got 1"},
	            {"{\"more\":[300]}", ".more[0]: expected u8 (0 to 255), got 300"});
}

static void test_enum(void *state)
{
	EXPECT_ECHO(NAMED("e", "(enum \"red\" \"green\")"), "$e", {"\"red\""}, {"\"green\""},
	            {"\"blue\"", ": expected enum {red, green} (a string), got \"blue\""},
	            {"\"red\\u0000\"", ": expected enum {red, green} (a string), got \"red\\u0000\""},
	            {"0", ": expected enum {red, green} (a string), got 0"});
}

static void test_flags(void *state)
{
	EXPECT_ECHO(NAMED("f", "(flags \"r\" \"w\" \"x\")"), "$f", {"[]"}, {"[\"r\",\"w\",\"x\"]"},
	            {"[\"x\",\"r\"]", "[\"r\",\"x\"]"}, {"[\"y\"]", ": there is no flag \"y\" in flags {r, w, x}"},
	            {"[\"r\",\"r\"]", ": given twice: flag \"r\" in flags {r, w, x}"},
	            {"[1]", ": expected flags {r, w, x} (an array of names), got 1"},
	            {"\"r\"", ": expected flags {r, w, x} (an array of names), got \"r\""});
}

static void test_option(void *state)
{
	EXPECT_ECHO("", "(option u8)", {"null"}, {"5"}, {"\"x\"", ": expected u8 (0 to 255), got \"x\""});
	EXPECT_ECHO("", "(option (option u8))", {"null"}, {"{\"some\":null}"}, {"{\"some\":5}"},
	            {"5", ": expected option<option<u8>> (null or {\"some\": value}), got 5"},
	            {"{\"none\":5}", ": expected option<option<u8>> (null or {\"some\": value}), got an object"});
	EXPECT_ECHO("", "(option (option (option u8)))", {"null"}, {"{\"some\":null}"}, {"{\"some\":{\"some\":null}}"},
	            {"{\"some\":{\"some\":5}}"});
	EXPECT_ECHO("", "(option (list (option string)))", {"null"}, {"[null,\"a\"]"});
}

static void test_result(void *state)
{
	EXPECT_ECHO("", "(result u8 (error string))", {"{\"ok\":5}"}, {"{\"err\":\"bad\"}"},
	            {"{\"ok\":\"x\"}", ".ok: expected u8 (0 to 255), got \"x\""},
	            {"{\"no\":5}", ": expected result<u8, string> ({\"ok\": value} or {\"err\": value}), got an "
	                           "object"},
	            {"5", ": expected result<u8, string> ({\"ok\": value} or {\"err\": value}), got 5"});
	EXPECT_ECHO("", "(result)", {"{\"ok\":null}"}, {"{\"err\":null}"},
	            {"{\"ok\":1}", ": expected result ({\"ok\": value} or {\"err\": value}), got an object"});
	EXPECT_ECHO("", "(result (error u8))", {"{\"ok\":null}"}, {"{\"err\":1}"},
	            {"{\"err\":null}", ".err: expected u8 (0 to 255), got null"},
	            {"null", ": expected result<_, u8> ({\"ok\": value} or {\"err\": value}), got null"});
	EXPECT_ECHO("", "(result u8)", {"{\"ok\":3}"}, {"{\"err\":null}"});
}

/* A long type is truncated in the message, so that the value fits. */
static void test_long_type(void *state)
{
	EXPECT_ECHO("",
	            "(tuple string string string string string string string string string string string string "
	            "string)",
	            {"7", ": expected tuple<string, string, string, string, string, string, string, string, string, "
	                  "st... "
	                  "(an array of 13), got 7"});
}

/* ---- Random values --------------------------------------------------------------------------------------- */

enum { TYPES = 100, VALUES_OF_EACH = 10, DEPTH = 4 };

static unsigned pick(unsigned count)
{
	return (unsigned)rand() % count;
}

static uint64_t random_bits(void)
{
	uint64_t bits = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
	return bits >> pick(64);
}

/* Writes a type into `type`. Types that need a name are defined in `named` first. */
static void random_type(curfew__buffer *named, curfew__buffer *type, unsigned depth, unsigned *names)
{
	static const char *const simple[] = {"bool", "s8",  "u8",  "s16", "u16",  "s32",   "u32",
	                                     "s64",  "u64", "f32", "f64", "char", "string"};
	static const char *const heads[] = {"(list ",   "(option ",  "(tuple ", "(result ",
	                                    "(record ", "(variant ", "(enum",   "(flags"};
	if (depth == 0 || pick(4) == 0) {
		curfew__buffer_add_text(type, simple[pick(13)]);
		return;
	}
	unsigned head = pick(8);
	unsigned members = head < 2 ? 1 : head == 3 ? 2 : 1 + pick(4);
	curfew__buffer text;
	curfew__buffer_init(&text, SIZE_MAX);
	curfew__buffer_add_text(&text, heads[head]);
	for (unsigned i = 0; i < members; i++) {
		if (head == 4 || head == 5)
			curfew__buffer_printf(&text, "(%s \"m%u\" ", head == 4 ? "field" : "case", i);
		if (head == 3 && i == 1)
			curfew__buffer_add_text(&text, " (error ");
		if (head >= 6)
			curfew__buffer_printf(&text, " \"m%u\"", i);
		else if (head != 5 || pick(3) != 0)
			random_type(named, &text, depth - 1, names);
		curfew__buffer_add_text(&text, head == 4 || head == 5 || (head == 3 && i == 1) ? ")" : " ");
	}
	curfew__buffer_add_text(&text, ")");
	if (head < 4) {
		curfew__buffer_add_text(type, text.data);
	} else {
		unsigned name = (*names)++;
		curfew__buffer_printf(named, "(type $t%u_ %s) (export $t%u \"t%u\" (type $t%u_)) ", name, text.data, name, name,
		                      name);
		curfew__buffer_printf(type, "$t%u", name);
	}
	curfew__buffer_finish(&text);
}

static void random_string(curfew__json_writer *json, unsigned characters)
{
	static const char *const some[] = {
		"a", "\"", "\\", "\n", "\x7f", "\xc3\xa9", "\xe2\x80\xa8", "\xef\xbf\xbf", "\xf0\x9f\x98\x80", " "};
	curfew__buffer text;
	curfew__buffer_init(&text, SIZE_MAX);
	curfew__buffer_add_text(&text, "");
	for (unsigned i = 0; i < characters; i++)
		curfew__buffer_add_text(&text, some[pick(10)]);
	curfew__json_string(json, text.data != NULL ? text.data : "", text.length);
	curfew__buffer_finish(&text);
}

static void random_float(curfew__json_writer *json, bool single)
{
	uint64_t bits = random_bits() << pick(64);
	double wide;
	float narrow;
	memcpy(&wide, &bits, sizeof wide);
	memcpy(&narrow, &bits, sizeof narrow);
	if (single)
		curfew__json_float(json, narrow);
	else
		curfew__json_double(json, wide);
}

static void random_value(curfew__json_writer *json, const curfew__shape *shape);

static void random_pair(curfew__json_writer *json, const char *key, const curfew__member *member)
{
	curfew__json_begin_object(json);
	curfew__json_key(json, key);
	if (member->typed)
		random_value(json, &member->shape);
	else
		curfew__json_null(json);
	curfew__json_end_object(json);
}

static void random_members(curfew__json_writer *json, const curfew__shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (shape->kind == WASMTIME_COMPONENT_VALTYPE_RECORD)
			curfew__json_key(json, shape->members[i].name);
		random_value(json, &shape->members[i].shape);
	}
}

static void random_value(curfew__json_writer *json, const curfew__shape *shape)
{
	const curfew__member *member = shape->count > 0 ? &shape->members[pick((unsigned)shape->count)] : NULL;
	switch (shape->kind) {
	case WASMTIME_COMPONENT_VALTYPE_BOOL: curfew__json_bool(json, pick(2) != 0); break;
	case WASMTIME_COMPONENT_VALTYPE_S8: curfew__json_signed(json, (int8_t)random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_S16: curfew__json_signed(json, (int16_t)random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_S32: curfew__json_signed(json, (int32_t)random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_S64: curfew__json_signed(json, (int64_t)(random_bits() << pick(64))); break;
	case WASMTIME_COMPONENT_VALTYPE_U8: curfew__json_unsigned(json, (uint8_t)random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_U16: curfew__json_unsigned(json, (uint16_t)random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_U32: curfew__json_unsigned(json, (uint32_t)random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_U64: curfew__json_unsigned(json, random_bits()); break;
	case WASMTIME_COMPONENT_VALTYPE_F32:
	case WASMTIME_COMPONENT_VALTYPE_F64: random_float(json, shape->kind == WASMTIME_COMPONENT_VALTYPE_F32); break;
	case WASMTIME_COMPONENT_VALTYPE_CHAR: random_string(json, 1); break;
	case WASMTIME_COMPONENT_VALTYPE_STRING: random_string(json, pick(20)); break;
	case WASMTIME_COMPONENT_VALTYPE_LIST:
		curfew__json_begin_array(json);
		for (unsigned i = pick(6); i > 0; i--)
			random_value(json, &member->shape);
		curfew__json_end_array(json);
		break;
	case WASMTIME_COMPONENT_VALTYPE_TUPLE:
		curfew__json_begin_array(json);
		random_members(json, shape);
		curfew__json_end_array(json);
		break;
	case WASMTIME_COMPONENT_VALTYPE_RECORD:
		curfew__json_begin_object(json);
		random_members(json, shape);
		curfew__json_end_object(json);
		break;
	case WASMTIME_COMPONENT_VALTYPE_OPTION:
		if (pick(3) == 0)
			curfew__json_null(json);
		else if (member->shape.kind == WASMTIME_COMPONENT_VALTYPE_OPTION)
			random_pair(json, "some", member);
		else
			random_value(json, &member->shape);
		break;
	case WASMTIME_COMPONENT_VALTYPE_VARIANT:
	case WASMTIME_COMPONENT_VALTYPE_ENUM:
		if (member->typed)
			random_pair(json, member->name, member);
		else
			curfew__json_text(json, member->name);
		break;
	case WASMTIME_COMPONENT_VALTYPE_RESULT: random_pair(json, member->name, member); break;
	default:
		CHECK_EQUAL(shape->kind, WASMTIME_COMPONENT_VALTYPE_FLAGS);
		curfew__json_begin_array(json);
		for (size_t i = 0; i < shape->count; i++)
			if (pick(2) != 0)
				curfew__json_text(json, shape->members[i].name);
		curfew__json_end_array(json);
	}
}

static void echo_random_values(world *w)
{
	wasmtime_component_func_t func = find(w, "echo");
	wasmtime_component_func_type_t *type = wasmtime_component_func_type(&func, w->context);
	wasmtime_component_valtype_t result;
	curfew__shape shape;
	size_t budget = CURFEW__SHAPE_BUDGET;
	CHECK(wasmtime_component_func_type_result(type, &result));
	CHECK(curfew__shape_init(&shape, &result, NULL, &budget));
	for (int i = 0; i < VALUES_OF_EACH; i++) {
		curfew__buffer given;
		curfew__json_writer json;
		curfew__buffer_init(&given, SIZE_MAX);
		curfew__json_init(&json, &given);
		random_value(&json, &shape.members[0].shape);
		char *got = echo(w, given.data);
		CHECK_TEXT(got, given.data);
		free(got);
		curfew__buffer_finish(&given);
	}
	curfew__shape_finish(&shape);
	wasmtime_component_valtype_delete(&result);
	wasmtime_component_func_type_delete(type);
}

static void test_random_values(void *state)
{
	world *w = state;
	srand(7);
	for (int i = 0; i < TYPES; i++) {
		curfew__buffer named;
		curfew__buffer type;
		unsigned names = 0;
		curfew__buffer_init(&named, SIZE_MAX);
		curfew__buffer_init(&type, SIZE_MAX);
		curfew__buffer_add(&named, " ", 1);
		random_type(&named, &type, DEPTH, &names);
		load_identity(w, named.data, type.data);
		echo_random_values(w);
		unload(w);
		curfew__buffer_finish(&named);
		curfew__buffer_finish(&type);
	}
}

/* ---- Sizes ----------------------------------------------------------------------------------------------- */

/* [[value, 0...]]; free it. */
static char *params_of(const char *value)
{
	curfew__buffer text;
	curfew__buffer_init(&text, SIZE_MAX);
	curfew__buffer_printf(&text, "[[%s" ZEROES "]]", value);
	return curfew__buffer_take(&text, NULL);
}

static void expect_within(world *w, const char *value, size_t limit_bytes, const char *expected)
{
	char *params = params_of(value);
	char *result = call_limited(w, "echo", params, limit_bytes);
	if (expected != NULL)
		CHECK_TEXT(result, expected);
	else
		CHECK_EQUAL(result[0], '[');
	free(result);
	free(params);
}

static void expect_list(world *w, size_t count, size_t limit_bytes, const char *expected)
{
	char *list = malloc(2 * count + 3);
	list[0] = '[';
	for (size_t i = 0; i < count; i++)
		memcpy(list + 1 + 2 * i, "1,", 2);
	memcpy(list + (count > 0 ? 2 * count : 1), "]", 2);
	expect_within(w, list, limit_bytes, expected);
	free(list);
}

static void test_limit(void *state)
{
	world *w = state;
	/* The parameter, and 17 values in it. */
	size_t fixed = 18 * sizeof(wasmtime_component_val_t);
	load_identity(w, "", "(list u8)");
	expect_list(w, 100, fixed + 3200, NULL);
	expect_list(w, 100, fixed + 3199, "parameter 1, at [0]: a list of 100 takes 3200 bytes, more than is left of 3775");
	expect_list(w, 3000000, LIMIT,
	            "parameter 1, at [0]: a list of 3000000 takes 96000000 bytes, more than is left of 67108864");
	expect_list(w, 0, fixed - 1, "parameter 1: a tuple of 17 takes 544 bytes, more than is left of 575");
	expect_list(w, 0, 0, "parameter 1: a value of 1 takes 32 bytes, more than is left of 0");
	expect_list(w, MIB, LIMIT, NULL);
	unload(w);
	load_identity(w, "", "string");
	expect_within(w, "\"0123456789\"", fixed + 10, NULL);
	expect_within(w, "\"0123456789\"", fixed + 9,
	              "parameter 1, at [0]: a string of 10 takes 10 bytes, more than is left of 585");
	unload(w);
}

static void test_large_string(void *state)
{
	world *w = state;
	size_t length = 10 * MIB;
	char *text = malloc(length + 3);
	text[0] = '"';
	for (size_t i = 0; i < length; i += 2)
		memcpy(text + 1 + i, "\xc3\xa9", 2);
	memcpy(text + 1 + length, "\"", 2);
	load_identity(w, "", "string");
	char *params = params_of(text);
	char *result = call_text(w, "echo", params);
	CHECK_EQUAL(result[0], '[');
	CHECK_BYTES(result + 1, text, length + 2);
	CHECK_TEXT(result + 1 + length + 2, ZEROES "]");
	free(result);
	free(params);
	unload(w);
	free(text);
}

/* Half of a surrogate pair is valid JSON, but not valid text. */
static void test_not_utf8(void *state)
{
	static const char *const bad[] = {"\"\\ud800\"", "\"a\\udc00\"", "\"\\ud800\\ud800\"", "\"\\udfffx\""};
	world *w = state;
	load_identity(w, "", "string");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *result = echo(w, bad[i]);
		CHECK_BYTES(result, ": expected string, got ", 23);
		free(result);
	}
	unload(w);
	load_identity(w, "", "char");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *result = echo(w, bad[i]);
		CHECK_BYTES(result, ": expected char ", 16);
		free(result);
	}
	unload(w);
}

/* A stop is noticed within a piece of text, whatever is being read. */
static void test_stopped(void *state)
{
	static const char *const types[][2] = {
		{"(list u8)", "1"}, {"(list string)", "\"abc\""}, {"(list (list u8))", "[[[7]]]"}};
	world *w = state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		curfew_failure failure = {.message = ""};
		curfew__buffer text;
		curfew__json_reader params;
		atomic_uint stop = 0;
		curfew__buffer_init(&text, SIZE_MAX);
		curfew__buffer_add_text(&text, "[[[");
		for (int n = 0; n < 200000; n++)
			curfew__buffer_printf(&text, "%s%s", n > 0 ? "," : "", types[i][1]);
		curfew__buffer_add_text(&text, "]" ZEROES "]]");
		load_identity(w, "", types[i][0]);
		CHECK(curfew__params_open(&params, text.data, text.length, &stop, "params", &failure));
		atomic_store(&stop, 1);
		char *result = call_within(w, "echo", &params, LIMIT);
		CHECK(params.stopped && params.length < text.length / 2);
		free(result);
		CHECK(!curfew__params_open(&params, text.data, text.length, &stop, "params", &failure));
		curfew__buffer_finish(&text);
		unload(w);
	}
}

/* ---- Functions ------------------------------------------------------------------------------------------- */

static void test_counts_and_outcomes(void *state)
{
	world *w = state;
	compile(w, "(component (core module $m (memory (export \"memory\") 1)"
	           "  (func (export \"none\")) (func (export \"two\") (param i32 i32) (result i32) (local.get 1))"
	           "  (func (export \"one\") (param i32)) (func (export \"pass\") (param i32) (result i32) "
	           "(local.get 0))"
	           "  (func (export \"err\") (result i32) (i32.store8 (i32.const 16) (i32.const 1))"
	           "   (i32.store8 (i32.const 20) (i32.const 7)) (i32.const 16))"
	           "  (func (export \"wild\") (result i32) (i32.const -16)))"
	           " (core instance $i (instantiate $m))"
	           " (alias core export $i \"memory\" (core memory $memory))"
	           " (func (export \"none\") (canon lift (core func $i \"none\")))"
	           " (func (export \"wild\") (result (tuple u8 u8)) (canon lift (core func $i \"wild\") (memory "
	           "$memory)))"
	           " (func (export \"one\") (param \"a\" u8) (canon lift (core func $i \"one\")))"
	           " (func (export \"two\") (param \"a\" u8) (param \"b\" s32) (result s32) (canon lift (core func "
	           "$i \"two\")))"
	           " (func (export \"outcome\") (param \"failed\" bool) (result (result)) (canon lift (core func $i "
	           "\"pass\")))"
	           " (func (export \"err\") (result (result u8 (error u32)))"
	           "  (canon lift (core func $i \"err\") (memory $memory))))");
	instantiate(w);
	expect_call(w, "none", "[]", "null");
	expect_call(w, "two", "[1,-5]", "-5");
	expect_call(w, "none", "[1]", "none takes no parameters, got 1");
	expect_call(w, "one", "[]", "one takes 1 parameter (u8), got 0");
	expect_call(w, "two", "[1]", "two takes 2 parameters (u8, s32), got 1");
	expect_call(w, "two", "[1,\"x\"]", "parameter 2: expected s32 (-2147483648 to 2147483647), got \"x\"");
	expect_call(w, "outcome", "[false]", "null");
	expect_call(w, "outcome", "[true]", "null as an error");
	expect_call(w, "err", "[]", "7 as an error");
	/* The function returns an address beyond its memory. */
	char *result = call_text(w, "wild", "[]");
	CHECK_BYTES(result, "failed: ", 8);
	free(result);
	unload(w);
}

/* A core module that creates things (a resource whose destructor counts) and pairs of them. */
static const char things[] =
	"(component"
	" (core module $c (global $drops (mut i32) (i32.const 0))"
	"  (func (export \"drop\") (param i32) (global.set $drops (i32.add (global.get $drops) (local.get 0))))"
	"  (func (export \"drops\") (result i32) (global.get $drops)))"
	" (core instance $c (instantiate $c))"
	" (alias core export $c \"drop\" (core func $drop))"
	" (type $thing_ (resource (rep i32) (dtor (core func $drop))))"
	" (export $thing \"thing\" (type $thing_))"
	" (core func $new (canon resource.new $thing_))"
	" (core module $m (import \"\" \"new\" (func $new (param i32) (result i32))) (memory (export \"memory\") 1)"
	"  (func (export \"make\") (result i32) (call $new (i32.const 7)))"
	"  (func (export \"use\") (param i32) (result i32) (local.get 0))"
	"  (func (export \"take\") (param i32 i32 i32))"
	"  (func (export \"pair\") (result i32) (i32.store (i32.const 16) (call $new (i32.const 100)))"
	"   (i32.store8 (i32.const 20) (i32.const 1)) (i32.store (i32.const 24) (call $new (i32.const 1000))) "
	"(i32.const 16)))"
	" (core instance $i (instantiate $m (with \"\" (instance (export \"new\" (func $new))))))"
	" (alias core export $i \"memory\" (core memory $memory))"
	" (func (export \"make\") (result (own $thing)) (canon lift (core func $i \"make\")))"
	" (func (export \"pair\") (result (tuple (own $thing) (option (own $thing))))"
	"  (canon lift (core func $i \"pair\") (memory $memory)))"
	" (func (export \"drops\") (result u32) (canon lift (core func $c \"drops\")))"
	" (func (export \"use\") (param \"t\" (borrow $thing)) (result u32) (canon lift (core func $i \"use\")))"
	" (func (export \"take\") (param \"n\" u32) (param \"t\" (option (own $thing)))"
	"  (canon lift (core func $i \"take\"))))";

static void test_resources(void *state)
{
	world *w = state;
	compile(w, things);
	instantiate(w);
	expect_call(w, "make", "[]", "{\"resource\":1}");
	expect_call(w, "drops", "[]", "7");
	expect_call(w, "pair", "[]", "[{\"resource\":1},{\"resource\":2}]");
	expect_call(w, "drops", "[]", "1107");
	expect_call(w, "use", "[1]", "use cannot be called: parameter 1 has the type borrow, which JSON cannot give");
	expect_call(w, "take", "[1, null]",
	            "take cannot be called: parameter 2 has the type own, which JSON cannot "
	            "give");
	unload(w);
}

/* Types for which the C API has no values: the function can be inspected, but not called. */
static void test_foreign_types(void *state)
{
	world *w = state;
	world other = {0};
	wasm_config_t *config = wasm_config_new();
	wasmtime_config_wasm_component_model_async_set(config, true);
	wasmtime_config_wasm_component_model_map_set(config, true);
	other.engine = wasm_engine_new_with_config(config);
	compile(&other, "(component (core module $m (memory (export \"memory\") 1)"
	                "  (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 64))"
	                "  (func (export \"in\") (param i32)) (func (export \"out\") (result i32) (i32.const 16))"
	                "  (func (export \"map\") (param i32 i32)))"
	                " (core instance $i (instantiate $m))"
	                " (alias core export $i \"memory\" (core memory $memory))"
	                " (alias core export $i \"realloc\" (core func $realloc))"
	                " (func (export \"future\") (param \"f\" (future u8)) (canon lift (core func $i \"in\")))"
	                " (func (export \"stream\") (result (option (stream u8)))"
	                "  (canon lift (core func $i \"out\") (memory $memory)))"
	                " (func (export \"map\") (param \"m\" (map string u8))"
	                "  (canon lift (core func $i \"map\") (memory $memory) (realloc $realloc))))");
	instantiate(&other);
	expect_call(&other, "future", "[1]",
	            "future cannot be called: parameter 1 has the type future, which JSON "
	            "cannot give");
	expect_call(&other, "stream", "[]",
	            "stream cannot be called: its result has the type stream, which JSON "
	            "cannot take");
	expect_call(&other, "map", "[{}]",
	            "map cannot be called: parameter 1 has the type map, which JSON cannot "
	            "give");
	curfew__buffer text;
	curfew__buffer_init(&text, SIZE_MAX);
	curfew__component_describe(other.component, other.engine, &text);
	CHECK_TEXT(text.data, "{\"imports\":[],\"exports\":["
	                      "{\"name\":\"future\",\"kind\":\"function\",\"type\":\"func(f: future<u8>)\"},"
	                      "{\"name\":\"stream\",\"kind\":\"function\",\"type\":\"func() -> "
	                      "option<stream<u8>>\"},"
	                      "{\"name\":\"map\",\"kind\":\"function\",\"type\":\"func(m: map<string, "
	                      "u8>)\"}]}");
	curfew__buffer_finish(&text);
	unload(&other);
	wasm_engine_delete(other.engine);
	(void)w;
}

/* A type whose members double 17 times. */
static void test_large_type(void *state)
{
	world *w = state;
	curfew__buffer types;
	curfew__buffer_init(&types, SIZE_MAX);
	curfew__buffer_add_text(&types, "(type $t0 (tuple u8 u8))");
	for (int i = 1; i < 17; i++)
		curfew__buffer_printf(&types, "(type $t%d (tuple $t%d $t%d))", i, i - 1, i - 1);
	load_identity(w, types.data, "$t16");
	expect_call(w, "echo", "[1]", "echo cannot be called: its type is too large");
	unload(w);
	curfew__buffer_finish(&types);
}

/* ---- Types ----------------------------------------------------------------------------------------------- */

static void test_describe(void *state)
{
	world *w = state;
	compile(w, "(component"
	           " (import \"example:logs/log@1.0.0\" (instance"
	           "  (type $l_ (enum \"info\" \"bad\")) (export \"level\" (type $l (eq $l_)))"
	           "  (export \"line\" (type $line (sub resource)))"
	           "  (export \"write\" (func (param \"at\" $l) (param \"to\" (borrow $line)) (result (result string "
	           "(error $l)))))))"
	           " (import \"now\" (func (result u64)))" CORE
	           " (type $r_ (record (field \"a\" u8) (field \"b\" (option string)))) (export $r \"pair\" (type $r_))"
	           " (type $n (list u32)) (export \"numbers\" (type $n))"
	           " (type $v_ (variant (case \"none\") (case \"some\" $r))) (export $v \"maybe\" (type $v_))"
	           " (type $f_ (flags \"x\" \"y\")) (export $f \"marks\" (type $f_))"
	           " (func (export \"g\") (param \"a\" (list $r)) (param \"b\" $f) (param \"c\" (list u32))"
	           "  (result (result (tuple $v char) (error string)))"
	           "  (canon lift (core func $g) (memory $memory) (realloc $realloc))))");
	curfew__buffer text;
	curfew__buffer_init(&text, SIZE_MAX);
	curfew__component_describe(w->component, w->engine, &text);
	CHECK_TEXT(text.data, "{\"imports\":[{\"name\":\"example:logs/log@1.0.0\",\"kind\":\"instance\",\"exports\":["
	                      "{\"name\":\"level\",\"kind\":\"type\",\"type\":\"enum {info, bad}\"},"
	                      "{\"name\":\"line\",\"kind\":\"resource\",\"type\":\"resource\"},"
	                      "{\"name\":\"write\",\"kind\":\"function\",\"type\":\"func(at: level, to: borrow<line>) "
	                      "-> result<string, level>\"}]},"
	                      "{\"name\":\"now\",\"kind\":\"function\",\"type\":\"func() -> u64\"}],\"exports\":["
	                      "{\"name\":\"pair\",\"kind\":\"type\",\"type\":\"record {a: u8, b: option<string>}\"},"
	                      "{\"name\":\"numbers\",\"kind\":\"type\",\"type\":\"list<u32>\"},"
	                      "{\"name\":\"maybe\",\"kind\":\"type\",\"type\":\"variant {none, some(pair)}\"},"
	                      "{\"name\":\"marks\",\"kind\":\"type\",\"type\":\"flags {x, y}\"},"
	                      "{\"name\":\"g\",\"kind\":\"function\",\"type\":\"func(a: list<pair>, b: marks, c: "
	                      "list<u32>) -> result<tuple<maybe, char>, string>\"}]}");
	curfew__buffer_finish(&text);
	curfew__buffer_init(&text, 100);
	curfew__component_describe(w->component, w->engine, &text);
	CHECK(text.failed);
	curfew__buffer_finish(&text);
	unload(w);
}

/* The fixture of each test. */
#define FIXTURE .set_up = make_world, .tear_down = end_world

static const harness_test tests[] = {
	{"bool", .run_on = test_bool, FIXTURE},
	{"integers", .run_on = test_integers, FIXTURE},
	{"floats", .run_on = test_floats, FIXTURE},
	{"char", .run_on = test_char, FIXTURE},
	{"string", .run_on = test_string, FIXTURE},
	{"list", .run_on = test_list, FIXTURE},
	{"tuple", .run_on = test_tuple, FIXTURE},
	{"record", .run_on = test_record, FIXTURE},
	{"variant", .run_on = test_variant, FIXTURE},
	{"enum", .run_on = test_enum, FIXTURE},
	{"flags", .run_on = test_flags, FIXTURE},
	{"option", .run_on = test_option, FIXTURE},
	{"result", .run_on = test_result, FIXTURE},
	{"long_type", .run_on = test_long_type, FIXTURE},
	{"random_values", .run_on = test_random_values, FIXTURE},
	{"limit", .run_on = test_limit, FIXTURE},
	{"large_string", .run_on = test_large_string, FIXTURE},
	{"not_utf8", .run_on = test_not_utf8, FIXTURE},
	{"stopped", .run_on = test_stopped, FIXTURE},
	{"counts_and_outcomes", .run_on = test_counts_and_outcomes, FIXTURE},
	{"resources", .run_on = test_resources, FIXTURE},
	{"foreign_types", .run_on = test_foreign_types, FIXTURE},
	{"large_type", .run_on = test_large_type, FIXTURE},
	{"describe", .run_on = test_describe, FIXTURE},
};

HARNESS_MAIN(tests)
