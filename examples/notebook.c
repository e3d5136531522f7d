/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A notebook: cells of JavaScript that share one state, each with its own limit. One of them never ends. It is stopped,
 * and the next cell continues with the existing state.
 */
#include "curfew.h"

#include <stdio.h>
#include <string.h>

static const char *const cells[] = {
	"const words = new Map(); let turns = 0;\n"
	"const count = (text) => text.split(' ').forEach(w => words.set(w, (words.get(w) ?? 0) + 1));",

	"count('to be or not to be'); words.get('be')",

	"function search() {\n"
	"    for (;;) turns++;\n"
	"}\n"
	"search()",

	"[...words.keys(), turns > 0]",
};

static void print(size_t number, const char *text, const curfew_report *report)
{
	printf("In [%zu]: %.*s...\n", number, (int)strcspn(text, "\n;("), text);
	if (report->outcome == CURFEW_OUTCOME_FINISHED)
		printf("Out[%zu]: %s\n", number, report->value != NULL ? report->value : "undefined");
	else if (report->frame_count > 0)
		printf("Out[%zu]: %s, in %s of %s, line %u\n", number, report->error_message, report->frames[0].function,
		       report->frames[0].file, report->frames[0].line);
}

static int run_cells(curfew_session *session)
{
	curfew_limits each = {.size = sizeof each, .timeout_ns = 200 * UINT64_C(1000000)};
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		curfew_report *report = NULL;
		if (!curfew_session_is_usable(session)) {
			printf("the state was lost: starting anew\n");
			curfew_session_reset(session, NULL);
		}
		if (curfew_session_eval(session, NULL, cells[i], strlen(cells[i]), &each, &report, NULL) != CURFEW_OK)
			return 1;
		print(i + 1, cells[i], report);
		curfew_report_destroy(report);
	}
	return 0;
}

int main(void)
{
	/* All cells together may use ten seconds of CPU time. */
	curfew_limits all = {.size = sizeof all, .cpu_ns = 10 * UINT64_C(1000000000)};
	curfew_run_options options = {.size = sizeof options, .limits = &all};
	curfew_source source = {.size = sizeof source, .name = "notebook"};
	curfew_engine *engine = NULL;
	curfew_program *program = NULL;
	curfew_session *session = NULL;
	int failed = curfew_engine_create(NULL, &engine, NULL) != CURFEW_OK ||
	             curfew_program_create(engine, &source, &program, NULL) != CURFEW_OK ||
	             curfew_session_create(program, &options, &session, NULL) != CURFEW_OK || run_cells(session);
	curfew_session_destroy(session);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return failed;
}
