/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest complete embedding: it runs a program under a deadline and prints the outcome. */
#include "curfew.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
	const char *text = "({ answer: 6 * 7 })";
	curfew_source source = {.size = sizeof source, .name = "answer.js", .text = text, .text_length = strlen(text)};
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 1000 * 1000000};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_engine *engine = NULL;
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	curfew_failure failure;
	if (curfew_engine_create(NULL, &engine, &failure) == CURFEW_OK &&
	    curfew_program_create(engine, &source, &program, &failure) == CURFEW_OK &&
	    curfew_program_run(program, &options, &report, &failure) == CURFEW_OK)
		printf("%s: %s\n", curfew_outcome_name(report->outcome), report->value != NULL ? report->value : "no value");
	else
		fprintf(stderr, "%s\n", failure.message);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return report == NULL;
}
