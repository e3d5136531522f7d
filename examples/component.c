/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a component a host function. Its world, in the language of wit-bindgen:
 *   import acme:store/rows: interface { price: func(id: u32) -> result<f64, string>; }
 *   export twice: func(id: u32) -> result<f64, string>;
 *
 * The component is written by hand, as text, in the form that such a tool makes. Prices are passed as JSON. An error
 * that the host throws becomes the err of the result.
 */
#include "curfew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRICE "(func (param \"id\" u32) (result (result f64 (error string))))"

static const char component[] =
	"(component"
	" (import \"acme:store/rows@1.0.0\" (instance $rows (export \"price\" " PRICE ")))"
	/* Values are passed in a memory: a result at 0, its value or message at 8. */
	" (core module $memory (memory (export \"memory\") 1)"
	"  (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 64)))"
	" (core instance $m (instantiate $memory))"
	" (alias core export $m \"memory\" (core memory $memory))"
	" (alias core export $m \"realloc\" (core func $realloc))"
	" (core func $price (canon lower (func $rows \"price\") (memory $memory) (realloc $realloc)))"
	" (core module $main (import \"rows\" \"price\" (func $price (param i32 i32))) (import \"m\" \"memory\" (memory 1))"
	"  (func (export \"twice\") (param $id i32) (result i32)"
	"   (call $price (local.get $id) (i32.const 0))"
	"   (if (i32.eqz (i32.load8_u (i32.const 0)))"
	"    (then (f64.store (i32.const 8) (f64.mul (f64.const 2) (f64.load (i32.const 8))))))"
	"   (i32.const 0)))"
	" (core instance $i (instantiate $main (with \"m\" (instance $m))"
	"  (with \"rows\" (instance (export \"price\" (func $price))))))"
	" (alias core export $i \"twice\" (core func $twice))"
	" (func (export \"twice\") (param \"id\" u32) (result (result f64 (error string)))"
	"  (canon lift (core func $twice) (memory $memory) (realloc $realloc))))";

/* The parameters are a JSON array: [7]. */
static void price(void *context, curfew_host_call *call)
{
	unsigned long id = strtoul(curfew_host_call_get_params(call, NULL) + 1, NULL, 10);
	const char *prices[] = {"2.5", "10"};
	(void)context;
	if (id < sizeof prices / sizeof *prices)
		curfew_host_call_return(call, prices[id], strlen(prices[id]));
	else
		curfew_host_call_throw(call, "no such row");
}

static const curfew_host_function functions[] = {
	{.size = sizeof(curfew_host_function), .module = "acme:store/rows", .name = "price", .call = price},
};

static void call(curfew_program *program, const char *params)
{
	curfew_result *result = NULL;
	curfew_failure failure;
	if (curfew_execute(program, "twice", params, NULL, NULL, NULL, &result, &failure) != CURFEW_OK)
		fprintf(stderr, "%s\n", failure.message);
	else
		printf("%s: %s\n", result->status, result->value != NULL ? result->value : result->error_message);
	curfew_result_destroy(result);
}

int main(void)
{
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_WAT,
	                        .name = "twice.wat",
	                        .text = component,
	                        .text_length = strlen(component)};
	curfew_engine *engine = NULL;
	curfew_program *program = NULL;
	curfew_failure failure;
	bool made = curfew_engine_create(NULL, &engine, &failure) == CURFEW_OK &&
	            curfew_program_create(engine, &source, &program, &failure) == CURFEW_OK &&
	            curfew_program_set_functions(program, functions, 1, &failure) == CURFEW_OK;
	if (made) {
		call(program, "[0]");
		call(program, "[2]");
	} else {
		fprintf(stderr, "%s\n", failure.message);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return !made;
}
