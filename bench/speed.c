/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The speed of programs under different limits. Reads one command per line and answers each with one line of JSON.
 * "speed VARIANT FILE" runs a compiled program once. VARIANT: none (every limit at its maximum), deadline (and a
 * timeout), fuel (and a fuel limit).
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char path[1024];
	curfew_program *program;
};

static curfew_engine *engine;
static struct entry entries[64];
static size_t entry_count;

static bool variant_limits(const char *variant, curfew_limits *limits)
{
	bench_limits_widest(limits);
	if (strcmp(variant, "deadline") == 0)
		limits->timeout_ns = 60000000000u;
	else if (strcmp(variant, "fuel") == 0)
		limits->fuel = 1000000000000000u;
	else
		return strcmp(variant, "none") == 0;
	return true;
}

/* A program, parsed once. The variants limit its runs. */
static curfew_program *program_get(const char *path)
{
	curfew_limits limits;
	size_t length;
	char *text;

	for (size_t i = 0; i < entry_count; i++)
		if (strcmp(entries[i].path, path) == 0)
			return entries[i].program;
	if (entry_count == sizeof entries / sizeof entries[0])
		bench_die("too many programs");
	text = bench_file_read(path, &length);
	bench_limits_widest(&limits);
	snprintf(entries[entry_count].path, sizeof entries[0].path, "%s", path);
	entries[entry_count].program = bench_program_create(engine, path, text, length, 0, &limits);
	free(text);
	return entries[entry_count++].program;
}

static void speed(const char *variant, const char *path)
{
	curfew_limits limits;
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_report *report = NULL;
	curfew_failure failure = {0};
	curfew_program *program;
	uint64_t start_ns, elapsed_ns;

	if (!variant_limits(variant, &limits))
		bench_die("%s: no such variant", variant);
	program = program_get(path);
	start_ns = bench_now_ns();
	bench_check(curfew_program_run(program, &options, &report, &failure), &failure, path);
	elapsed_ns = bench_now_ns() - start_ns;
	if (report->outcome == CURFEW_OUTCOME_FINISHED)
		printf("{\"ns\": %" PRIu64 ", \"run_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 ", \"value\": \"%s\"}\n",
		       elapsed_ns, report->used.run_ns, report->used.cpu_ns, report->value ? report->value : "null");
	else
		printf("{\"error\": \"%s\"}\n", curfew_outcome_name(report->outcome));
	curfew_report_destroy(report);
}

static void serve(void *context)
{
	char line[1024], variant[16];
	int path_at;

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		path_at = 0;
		if (sscanf(line, "speed %15s %n", variant, &path_at) == 1 && path_at > 0)
			speed(variant, line + path_at);
		else
			printf("{\"error\": \"unknown command\"}\n");
		fflush(stdout);
	}
}

int main(void)
{
	engine = bench_engine_create(1);
	bench_on_run_stack(engine, serve, NULL);
	for (size_t i = 0; i < entry_count; i++)
		curfew_program_destroy(entries[i].program);
	curfew_engine_destroy(engine);
	return 0;
}
