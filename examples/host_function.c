/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives programs two host functions: one that returns at once, and one that a thread answers later, while the program
 * waits without holding a thread.
 */
#include "curfew.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void add(void *context, curfew_host_call *call)
{
	const curfew_value *values = curfew_host_call_get_values(call);
	curfew_value sum = {.f64 = values[0].f64 + values[1].f64};
	(void)context;
	curfew_host_call_return_values(call, &sum);
}

static void *look_up(void *call)
{
	const char *row = "{\"name\": \"Ada\"}";
	usleep(10 * 1000);
	curfew_host_call_return(call, row, strlen(row));
	return NULL;
}

static void query(void *context, curfew_host_call *call)
{
	pthread_t thread;
	(void)context;
	if (pthread_create(&thread, NULL, look_up, call) != 0)
		curfew_host_call_throw(call, "the database is busy");
	else
		pthread_detach(thread);
}

static const curfew_host_function functions[] = {
	{.size = sizeof(curfew_host_function), .name = "add", .type = "FF->F", .call = add},
	{.size = sizeof(curfew_host_function), .name = "query", .flags = CURFEW_HOST_ASYNC, .call = query},
};

int main(void)
{
	const char *text = "export default async (id) => [host.add(id, 0.5), (await host.query(id)).name]";
	curfew_source source = {.size = sizeof source, .name = "rows.js", .text = text, .text_length = strlen(text)};
	curfew_engine *engine = NULL;
	curfew_program *program = NULL;
	curfew_result *result = NULL;
	curfew_failure failure;
	if (curfew_engine_create(NULL, &engine, &failure) == CURFEW_OK &&
	    curfew_program_create(engine, &source, &program, &failure) == CURFEW_OK &&
	    curfew_program_set_functions(program, functions, 2, &failure) == CURFEW_OK &&
	    curfew_execute(program, NULL, "[7]", "ann", NULL, NULL, &result, &failure) == CURFEW_OK)
		printf("%s: %s\n", result->status, result->value != NULL ? result->value : "no value");
	else
		fprintf(stderr, "%s\n", failure.message);
	curfew_result_destroy(result);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return result == NULL;
}
