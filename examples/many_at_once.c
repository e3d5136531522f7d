/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a hundred runs of one program at once. Ten of them never end by themselves. A run that only waits holds no
 * thread, so two threads are enough for all. Each run is isolated from the others, and has its own limits.
 */
#include "curfew.h"

#include <stdio.h>
#include <string.h>

enum { RUNS = 100 };

/* Each waits for 100 ms. Every tenth then loops for ever. */
static const char text[] = "export default async number => {\n"
						   "	await new Promise(done => setTimeout(done, 100));\n"
						   "	while (number % 10 === 0);\n"
						   "	return number * number;\n"
						   "}\n";

static int start(curfew_program *program, int number, curfew_run **run)
{
	char params[16];
	int length = snprintf(params, sizeof params, "[%d]", number);
	curfew_limits limits = {.size = sizeof limits};
	/*
	 * Limit the CPU time instead of the wall time, because a deadline also counts while a run waits for a busy thread.
	 */
	limits.cpu_ns = 50 * UINT64_C(1000000);
	curfew_run_options options = {
		.size = sizeof options, .limits = &limits, .params = params, .params_length = (size_t)length};
	return curfew_run_start(program, &options, run, NULL) == CURFEW_OK ? 0 : 1;
}

/* Waits for every run and counts the outcomes. */
static void finish(curfew_run *runs[RUNS])
{
	unsigned counts[CURFEW_OUTCOME_COUNT] = {0};
	for (int i = 0; i < RUNS; i++) {
		if (runs[i] != NULL)
			counts[curfew_run_wait(runs[i])->outcome]++;
		curfew_run_destroy(runs[i]);
	}
	printf("%d runs:", RUNS);
	for (int outcome = 0, listed = 0; outcome < CURFEW_OUTCOME_COUNT; outcome++) {
		if (counts[outcome] > 0)
			printf("%s %u %s", listed++ > 0 ? "," : "", counts[outcome], curfew_outcome_name((curfew_outcome)outcome));
	}
	printf("\n");
}

int main(void)
{
	curfew_source source = {.size = sizeof source, .name = "square.js", .text = text, .text_length = strlen(text)};
	curfew_engine_options options = {.size = sizeof options, .threads = 2};
	curfew_engine *engine = NULL;
	curfew_program *program = NULL;
	curfew_run *runs[RUNS] = {NULL};
	curfew_failure failure = {.message = ""};
	int failed = curfew_engine_create(&options, &engine, &failure) != CURFEW_OK ||
	             curfew_program_create(engine, &source, &program, &failure) != CURFEW_OK ||
	             curfew_program_compile(program, NULL, NULL, &failure) != CURFEW_OK;
	for (int i = 0; i < RUNS && !failed; i++)
		failed = start(program, i, &runs[i]);
	if (!failed)
		finish(runs);
	else
		fprintf(stderr, "%s\n", failure.message);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return failed;
}
