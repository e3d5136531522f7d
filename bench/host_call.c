/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time of one call of a synchronous host function and its return, from JavaScript, modules and components. */
#include "common.h"

#include <stdio.h>
#include <string.h>

#define CALLS 1000000
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static void add(void *context, curfew_host_call *call)
{
	const curfew_value *values = curfew_host_call_get_values(call);
	curfew_value sum = {.i32 = values[0].i32 + values[1].i32};
	(void)context;
	curfew_host_call_return_values(call, &sum);
}

static void echo(void *context, curfew_host_call *call)
{
	size_t length;
	const char *params = curfew_host_call_get_params(call, &length);
	(void)context;
	curfew_host_call_return(call, params, length);
}

static const curfew_host_function functions[] = {
	{.size = sizeof(curfew_host_function), .name = "add", .type = "ii->i", .call = add},
	{.size = sizeof(curfew_host_function), .name = "echo", .module = "acme:host/api", .call = echo},
};

static const char wat[] =
	"(module (import \"host\" \"add\" (func $add (param i32 i32) (result i32))) (func (export \"_start\") (local $i i32)"
	"(loop $l (br_if $l (i32.lt_s (local.tee $i (call $add (local.get $i) (i32.const 1))) (i32.const " TEXT(
		CALLS) "))))))";

#define LOOP(call)                                                                                                     \
	"(local $i i32) (loop $l " call "(br_if $l (i32.lt_s"                                                              \
	"(local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const " TEXT(CALLS) "))))"

static const char numbers[] =
	"(component (import \"add\" (func $add (param \"a\" s32) (param \"b\" s32) (result s32)))"
	"(core func $lowered (canon lower (func $add)))"
	"(core module $m (import \"host\" \"add\" (func $add (param i32 i32) (result i32)))"
	" (func (export \"run\") (result i32) " LOOP(
		"(drop (call $add (local.get $i) (i32.const 1)))") " (i32.const 0)))"
														   "(core instance $i (instantiate $m (with \"host\" (instance (export \"add\" (func $lowered))))))"
														   "(func $run (result (result)) (canon lift (core func $i \"run\")))"
														   "(instance $run (export \"run\" (func $run))) (export \"wasi:cli/run@0.2.0\" (instance $run)))";

/* JSON of the same kind that JavaScript passes: a number and an object with a string. */
static const char json[] =
	"(component (import \"acme:host/api\" (instance $api"
	" (type $t_ (record (field \"name\" string))) (export \"t\" (type $t (eq $t_)))"
	" (export \"echo\" (func (param \"id\" u32) (param \"row\" $t) (result (tuple u32 $t))))))"
	"(core module $memory (memory (export \"memory\") 1) (data (i32.const 0) \"Ada\")"
	" (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 64)))"
	"(core instance $m (instantiate $memory)) (alias core export $m \"memory\" (core memory $memory))"
	"(alias core export $m \"realloc\" (core func $realloc))"
	"(core func $lowered (canon lower (func $api \"echo\") (memory $memory) (realloc $realloc)))"
	"(core module $c (import \"host\" \"echo\" (func $echo (param i32 i32 i32 i32)))"
	" (func (export \"run\") (result i32) " LOOP(
		"(call $echo (local.get $i) (i32.const 0) (i32.const 3) (i32.const 128))") " (i32.const 0)))"
																				   "(core instance $i (instantiate $c (with \"host\" (instance (export \"echo\" (func $lowered))))))"
																				   "(func $run (result (result)) (canon lift (core func $i \"run\")))"
																				   "(instance $run (export \"run\" (func $run))) (export \"wasi:cli/run@0.2.0\" (instance $run)))";

static void measure(curfew_engine *engine, const char *what, curfew_language language, const char *text)
{
	curfew_source source = {
		.size = sizeof source, .language = language, .name = "calls", .text = text, .text_length = strlen(text)};
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = CURFEW_UNLIMITED, .host_calls = CURFEW_UNLIMITED};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_program *program = NULL;
	uint64_t best = UINT64_MAX;
	curfew_failure failure;
	bench_check(curfew_program_create(engine, &source, &program, &failure), &failure, "program");
	bench_check(curfew_program_set_functions(program, functions, 2, &failure), &failure, "functions");
	for (int i = 0; i < 3; i++) {
		curfew_report *report = NULL;
		bench_check(curfew_program_run(program, &options, &report, &failure), &failure, "run");
		if (report->outcome != CURFEW_OUTCOME_FINISHED)
			bench_die("%s: %s", curfew_outcome_name(report->outcome), report->error_message);
		if (report->used.cpu_ns < best)
			best = report->used.cpu_ns;
		curfew_report_destroy(report);
	}
	printf("%-24s %6.0f ns\n", what, (double)best / CALLS);
	curfew_program_destroy(program);
}

int main(void)
{
	curfew_engine *engine = bench_engine_create(1);
	measure(engine, "WebAssembly, numbers", CURFEW_LANGUAGE_WAT, wat);
	measure(engine, "component, numbers", CURFEW_LANGUAGE_WAT, numbers);
	measure(engine, "component, JSON", CURFEW_LANGUAGE_WAT, json);
	measure(engine, "JavaScript, numbers", CURFEW_LANGUAGE_JS,
	        "for (let i = 0; i < " TEXT(CALLS) "; i++) host.add(i, 1)");
	measure(engine, "JavaScript, JSON", CURFEW_LANGUAGE_JS,
	        "for (let i = 0; i < " TEXT(CALLS) "; i++) host.echo(i, {name: 'Ada'})");
	curfew_engine_destroy(engine);
	return 0;
}
