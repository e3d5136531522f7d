/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program that cannot finish in its time, and keeps its partial results: partial_results sync_items.js. The
 * program passes each step to curfew.checkpoint. When its time is up, it has a grace in which to end by itself.
 */
#include "curfew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *length)
{
	static char text[64 << 10];
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	*length = fread(text, 1, sizeof text, file);
	fclose(file);
	return text;
}

static const char *mode_of(const curfew_report *report)
{
	return report->stop_mode == CURFEW_STOP_COOPERATIVE ? "cooperative" : "stopped";
}

static int run(curfew_engine *engine, const char *text, size_t length)
{
	curfew_source source = {.size = sizeof source, .name = "sync_items.js", .text = text, .text_length = length};
	curfew_limits limits = {.size = sizeof limits};
	limits.timeout_ns = 500 * UINT64_C(1000000);
	limits.grace_ns = 500 * UINT64_C(1000000);
	limits.host_calls = 10000; /* a checkpoint is one */
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	int failed = curfew_program_create(engine, &source, &program, NULL) != CURFEW_OK ||
	             curfew_program_run(program, &options, &report, NULL) != CURFEW_OK;
	if (!failed) {
		/* The last checkpoint, as JSON: {"synced":N,"of":1000}. It is there, whatever the outcome. */
		const char *synced = report->partial != NULL ? strchr(report->partial, ':') : NULL;
		printf("%s (%s): %ld of 1000 items synced\n", curfew_outcome_name(report->outcome), mode_of(report),
		       synced != NULL ? strtol(synced + 1, NULL, 10) : 0);
	}
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return failed;
}

int main(int count, char **words)
{
	size_t length = 0;
	const char *text = count == 2 ? read_file(words[1], &length) : NULL;
	curfew_engine *engine = NULL;
	if (text == NULL) {
		fprintf(stderr, "usage: partial_results sync_items.js\n");
		return 2;
	}
	int failed = curfew_engine_create(NULL, &engine, NULL) != CURFEW_OK || run(engine, text, length);
	curfew_engine_destroy(engine);
	return failed;
}
