/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancels a run from another thread. Any thread or signal handler may fire the handle at any time, even before the run
 * begins and after it has ended.
 */
#include "curfew.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *cancel_soon(void *cancel)
{
	usleep(100 * 1000);
	curfew_cancel_fire(cancel);
	return NULL;
}

static int run_cancelled(curfew_engine *engine, curfew_cancel *cancel)
{
	const char *text = "function spin() {\n\tfor (;;);\n}\nspin();\n";
	curfew_source source = {.size = sizeof source, .name = "spin.js", .text = text, .text_length = strlen(text)};
	curfew_run_options options = {.size = sizeof options, .cancel = cancel};
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	pthread_t thread;
	if (curfew_program_create(engine, &source, &program, NULL) != CURFEW_OK)
		return 1;
	int failed = pthread_create(&thread, NULL, cancel_soon, cancel) != 0 ||
	             curfew_program_run(program, &options, &report, NULL) != CURFEW_OK;
	if (!failed) {
		pthread_join(thread, NULL);
		printf("%s after %llu ms", curfew_outcome_name(report->outcome),
		       (unsigned long long)(report->used.wall_ns / 1000000));
		if (report->frame_count > 0)
			printf(", in %s (line %u)", report->frames[0].function, report->frames[0].line);
		printf("\n");
	}
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return failed;
}

int main(void)
{
	curfew_engine *engine = NULL;
	curfew_cancel *cancel = NULL;
	curfew_failure failure;
	if (curfew_engine_create(NULL, &engine, &failure) != CURFEW_OK) {
		fprintf(stderr, "%s\n", failure.message);
		return 1;
	}
	int failed = curfew_cancel_create(engine, &cancel) != CURFEW_OK || run_cancelled(engine, cancel);
	curfew_cancel_destroy(cancel);
	curfew_engine_destroy(engine);
	return failed;
}
