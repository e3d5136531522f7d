/* SPDX-License-Identifier: Apache-2.0 */
/* Watches a run in progress. Events arrive on the thread that executes it. Any thread may ask for its usage. */
#include "curfew.h"

#include <stdio.h>
#include <string.h>

static const char text[] = "export default async () => {\n"
						   "	for (let done = 1; done <= 5; done++) {\n"
						   "		await new Promise(go => setTimeout(go, 20));\n"
						   "		curfew.progress({ done, of: 5 });\n"
						   "	}\n"
						   "	return 'all 5 done';\n"
						   "}\n";

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	FILE *out = context;
	if (kind == CURFEW_EVENT_PROGRESS)
		fprintf(out, "progress: %.*s\n", (int)length, data);
}

static int watch(curfew_engine *engine)
{
	curfew_source source = {.size = sizeof source, .name = "steps.js", .text = text, .text_length = strlen(text)};
	curfew_run_options options = {.size = sizeof options, .on_event = on_event, .on_event_context = stdout};
	curfew_program *program = NULL;
	curfew_run *run = NULL;
	int failed = curfew_program_create(engine, &source, &program, NULL) != CURFEW_OK ||
	             curfew_run_start(program, &options, &run, NULL) != CURFEW_OK;
	if (!failed) {
		const curfew_report *report = curfew_run_wait(run);
		curfew_run_usage usage = {.size = sizeof usage};
		curfew_run_get_usage(run, &usage);
		printf("waited for most of %llu ms\n", (unsigned long long)(usage.wall_ns / 1000000));
		printf("%s: %s\n", curfew_outcome_name(report->outcome), report->value != NULL ? report->value : "null");
	}
	curfew_run_destroy(run);
	curfew_program_destroy(program);
	return failed;
}

int main(void)
{
	curfew_engine *engine = NULL;
	int failed = curfew_engine_create(NULL, &engine, NULL) != CURFEW_OK || watch(engine);
	curfew_engine_destroy(engine);
	return failed;
}
