/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost of secrets for a run: CPU time for 1 MiB of output that is searched, and for a run that does nothing. Prints
 * one line for each, "WHAT N us": without secrets, with three, and with the maximum number of a run.
 */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 7

enum { MANY = 250, MANY_BYTES = 1024 };

static const curfew_secret few[] = {
	{"A", "sk-live-4f9a8b7c6d5e", 20},
	{"B", "correct horse battery staple", 28},
	{"C", "postgres://app:p@ss w0rd!@db/main", 33},
};
static char names[MANY][16], values[MANY][MANY_BYTES];
static curfew_secret many[MANY];

/* Makes values of characters that encoders change, because the forms of such a value differ most. */
static void make_many(void)
{
	uint32_t random = 1;

	for (int i = 0; i < MANY; i++) {
		for (int at = 0; at < MANY_BYTES; at++) {
			random = random * 1664525 + 1013904223;
			values[i][at] = "\"\\\n%&{}<>$"[(random >> 16) % 10];
		}
		(void)snprintf(names[i], sizeof names[i], "S%d", i);
		many[i] = (curfew_secret){names[i], values[i], MANY_BYTES};
	}
}

static uint64_t min_cpu_ns(curfew_program *program, const curfew_secret *secrets, size_t count)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		curfew_limits limits = {.size = sizeof limits};
		bench_limits_widest(&limits);
		limits.output_bytes = (uint64_t)16 << 20;
		curfew_run_options options = {
			.size = sizeof options, .limits = &limits, .secrets = secrets, .secret_count = count};
		curfew_report *report = NULL;
		curfew_failure failure = {0};
		bench_check(curfew_program_run(program, &options, &report, &failure), &failure, "run");
		if (report->outcome != CURFEW_OUTCOME_FINISHED)
			bench_die("secrets: the run ended with %s", curfew_outcome_name(report->outcome));
		least = report->used.cpu_ns < least ? report->used.cpu_ns : least;
		curfew_report_destroy(report);
	}
	return least;
}

static void measure(curfew_program *program, const char *what)
{
	printf("%s without secrets  %llu us\n", what, (unsigned long long)min_cpu_ns(program, NULL, 0) / 1000);
	printf("%s with 3 secrets  %llu us\n", what, (unsigned long long)min_cpu_ns(program, few, 3) / 1000);
	printf("%s with 250 secrets of 1 KiB  %llu us\n", what, (unsigned long long)min_cpu_ns(program, many, MANY) / 1000);
}

static curfew_program *make(curfew_engine *engine, const char *text)
{
	return bench_program_create(engine, "secrets.js", text, strlen(text), 0, NULL);
}

int main(void)
{
	static const char words[] = "const line = 'the quick brown fox of the log says: all is well, 12:34:56.789\\n';"
								"console.log(line.repeat(Math.ceil(1048576 / line.length)))";
	static const char json[] =
		"const item = JSON.stringify({ id: 17, name: 'user \"x\" of\\nmany', url: 'https://a.example/%20?q=%C3%A9' });"
		"console.log(item.repeat(Math.ceil(1048576 / item.length)))";
	curfew_engine *engine = bench_engine_create(1);
	curfew_program *programs[] = {make(engine, "1"), make(engine, words), make(engine, json)};
	static const char *const what[] = {"nothing", "1 MiB of text", "1 MiB of JSON"};

	make_many();
	for (int i = 0; i < 3; i++) {
		measure(programs[i], what[i]);
		curfew_program_destroy(programs[i]);
	}
	curfew_engine_destroy(engine);
	return 0;
}
