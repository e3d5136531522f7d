/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost of pages of both sizes: the CPU time of a program that touches memory, and how late a program is stopped
 * that touches memory all the time. Reads one command per line and answers each with one line of JSON. "touch
 * small|huge MIB": the CPU time of a run that grows by that much and touches each page of it. "late small|huge": how
 * late a run is stopped that repeats this for ever.
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL, HUGE, SIZES };

static const char touch_text[] =
	"(mib) => { const bytes = new Uint8Array(mib << 20); for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1; return mib; }";
static const char late_text[] =
	"for (;;) { const bytes = new Uint8Array(200 << 20); for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1; }";

static curfew_engine *engines[SIZES];
static curfew_program *touch_programs[SIZES], *late_programs[SIZES];

static void prepare(int size)
{
	curfew_engine_options options = {
		.size = sizeof options, .threads = 1, .flags = size == HUGE ? CURFEW_ENGINE_HUGE_PAGES : 0};
	curfew_limits limits = {.size = sizeof limits};
	curfew_failure failure = {0};

	bench_check(curfew_engine_create(&options, &engines[size], &failure), &failure, "engine");
	touch_programs[size] = bench_program_create(engines[size], "touch.js", touch_text, sizeof touch_text - 1, 0,
	                                            &limits);
	late_programs[size] = bench_program_create(engines[size], "late.js", late_text, sizeof late_text - 1, 0, &limits);
}

static void touch(int size, unsigned mib)
{
	char params[32];
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 60000000000u, .memory_bytes = (uint64_t)1 << 30};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .params = params};
	curfew_report *report = NULL;
	curfew_failure failure = {0};

	options.params_length = (size_t)snprintf(params, sizeof params, "[%u]", mib);
	bench_check(curfew_program_run(touch_programs[size], &options, &report, &failure), &failure, "touch");
	if (report->outcome != CURFEW_OUTCOME_FINISHED)
		bench_die("touch: %s", curfew_outcome_name(report->outcome));
	printf("{\"cpu_ns\": %" PRIu64 "}\n", report->used.cpu_ns);
	curfew_report_destroy(report);
}

static void late(int size)
{
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 100000000u, .memory_bytes = (uint64_t)1 << 30};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_report *report = NULL;
	curfew_failure failure = {0};

	bench_check(curfew_program_run(late_programs[size], &options, &report, &failure), &failure, "late");
	printf("{\"expected\": %s, \"late_ns\": %" PRIu64 "}\n",
	       report->outcome == CURFEW_OUTCOME_DEADLINE ? "true" : "false", report->stop_latency_ns);
	curfew_report_destroy(report);
}

static void serve(void *context)
{
	char line[256], size[16];
	unsigned mib;
	(void)context;

	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "touch %15s %u", size, &mib) == 2 && mib > 0 && mib < 1000)
			touch(strcmp(size, "huge") == 0, mib);
		else if (sscanf(line, "late %15s", size) == 1)
			late(strcmp(size, "huge") == 0);
		else
			printf("{\"error\": \"unknown command\"}\n");
		fflush(stdout);
	}
}

int main(void)
{
	for (int size = 0; size < SIZES; size++)
		prepare(size);
	bench_on_run_stack(engines[SMALL], serve, NULL);
	for (int size = 0; size < SIZES; size++) {
		curfew_program_destroy(touch_programs[size]);
		curfew_program_destroy(late_programs[size]);
		curfew_engine_destroy(engines[size]);
	}
	return 0;
}
