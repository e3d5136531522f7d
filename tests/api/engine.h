/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers for tests of the library that use an engine. They use only include/curfew.h. */
#ifndef ENGINE_H
#define ENGINE_H

#include "../harness.h"
#include "curfew.h"

static inline curfew_engine *harness_engine(uint32_t threads)
{
	curfew_engine_options options = {.size = sizeof options, .threads = threads};
	curfew_engine *engine = NULL;
	curfew_failure failure;
	curfew_status status = curfew_engine_create(&options, &engine, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "engine: %s\n", failure.message);
	CHECK_OK(status);
	CHECK(engine != NULL);
	return engine;
}

static inline curfew_program *harness_program(curfew_engine *engine, const char *text)
{
	curfew_source source = {.size = sizeof source, .name = "test.js", .text = text, .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK(program != NULL);
	return program;
}

/* Runs with these limits and returns the report. options and limits may be NULL. */
static inline curfew_report *harness_run(curfew_program *program, const curfew_limits *limits)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits};
	curfew_report *report = NULL;
	curfew_failure failure = {.message = ""};
	curfew_status status = curfew_program_run(program, &options, &report, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "run: %s\n", failure.message);
	CHECK_OK(status);
	CHECK(report != NULL);
	return report;
}

/* Starts a program whose answers arrive after 5 ms, and cancels it at about that time, again and again. */
static inline void harness_cancel_often(curfew_program *program, const curfew_run_options *options)
{
	for (unsigned i = 0; i < harness_count(100); i++) {
		curfew_run *started = NULL;
		CHECK_OK(curfew_run_start(program, options, &started, NULL));
		harness_sleep_us(4900 + i * 5);
		curfew_run_cancel(started);
		CHECK_EQUAL(curfew_run_wait(started)->outcome, CURFEW_OUTCOME_CANCELLED);
		curfew_run_destroy(started);
	}
}

/* Runs a text once and expects this outcome and value (NULL: any). */
static inline void harness_expect(curfew_engine *engine, const char *text, const curfew_limits *limits,
                                  curfew_outcome outcome, const char *value)
{
	curfew_program *program = harness_program(engine, text);
	curfew_report *report = harness_run(program, limits);
	if (report->outcome != outcome)
		(void)fprintf(stderr, "%.80s: %s: %s\n", text, curfew_outcome_name(report->outcome),
		              report->error_message != NULL ? report->error_message : "-");
	CHECK_EQUAL(report->outcome, outcome);
	if (value != NULL)
		CHECK_TEXT(report->value, value);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
}

/* No run is in progress, and none holds memory. */
static inline void harness_check_idle(curfew_engine *engine)
{
	curfew_engine_stats stats = {.size = sizeof stats};
	curfew_engine_get_stats(engine, &stats);
	CHECK_EQUAL(stats.runs_active, 0);
	CHECK_EQUAL(stats.regions_in_use, 0);
}

#endif
