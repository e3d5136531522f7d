/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session beside fresh runs of the same program, on one thread. Reads one command per line and answers each with one
 * line of JSON: "fresh COUNT" (runs), "call COUNT" (calls of one session), "reset COUNT" (resets of it, each after an
 * uncounted call), "again COUNT" (a reset and the call after it).
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "let calls = 0; export default x => x + 1 + 0 * calls++";

static curfew_program *program;
static curfew_session *session;

static void check(curfew_report *report, size_t expected)
{
	char value[32];

	snprintf(value, sizeof value, "%zu", expected);
	if (report->outcome != CURFEW_OUTCOME_FINISHED || strcmp(report->value, value) != 0)
		bench_die("a call gave a wrong value");
	curfew_report_destroy(report);
}

static void run(size_t i)
{
	char params[32];
	curfew_run_options options = {.size = sizeof options, .params = params};
	curfew_report *report = NULL;
	curfew_failure failure = {0};

	options.params_length = (size_t)snprintf(params, sizeof params, "[%zu]", i);
	bench_check(curfew_program_run(program, &options, &report, &failure), &failure, "run");
	check(report, i + 1);
}

static void call(size_t i)
{
	char params[32];
	curfew_report *report = NULL;
	curfew_failure failure = {0};

	snprintf(params, sizeof params, "[%zu]", i);
	bench_check(curfew_session_call(session, NULL, params, NULL, &report, &failure), &failure, "call");
	check(report, i + 1);
}

static void reset(size_t i)
{
	(void)i;
	curfew_session_reset(session, NULL);
}

static void again(size_t i)
{
	reset(i);
	call(i);
}

/* Measures `what` COUNT times. `before` (may be NULL) is called each time, and not measured. */
static void measure(size_t count, void (*before)(size_t), void (*what)(size_t))
{
	uint64_t *samples_ns = calloc(count, sizeof *samples_ns);

	for (size_t i = 0; samples_ns && i < count; i++) {
		if (before)
			before(i);
		uint64_t start_ns = bench_now_ns();
		what(i);
		samples_ns[i] = bench_now_ns() - start_ns;
	}
	printf("{");
	bench_print_list("samples_ns", samples_ns, count);
	printf("}\n");
	free(samples_ns);
}

static void serve(void *context)
{
	char line[256];
	size_t count;

	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "fresh %zu", &count) == 1)
			measure(count, NULL, run);
		else if (sscanf(line, "call %zu", &count) == 1)
			measure(count, NULL, call);
		else if (sscanf(line, "reset %zu", &count) == 1)
			measure(count, call, reset);
		else if (sscanf(line, "again %zu", &count) == 1)
			measure(count, NULL, again);
		else
			printf("{\"error\": \"unknown command\"}\n");
		fflush(stdout);
	}
}

int main(void)
{
	curfew_limits limits = {.size = sizeof limits};
	curfew_engine *engine = bench_engine_create(1);
	curfew_failure failure = {0};

	program = bench_program_create(engine, "add.mjs", text, sizeof text - 1, 0, &limits);
	bench_check(curfew_session_create(program, NULL, &session, &failure), &failure, "session");
	bench_on_run_stack(engine, serve, NULL);
	curfew_session_destroy(session);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return 0;
}
