/* SPDX-License-Identifier: Apache-2.0 */
/* One call of a function for one user: a run, and the main fields of its report. */
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "base/copy_in.h"
#include "base/refuse.h"

#define STACK_BYTES_MAX ((size_t)1 << 20)

static void fill_limit(curfew_result *result)
{
	const curfew_report *report = result->report;
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);

	for (size_t i = 0; i < count; i++) {
		/* The end of the grace has the outcome of the deadline, so the deadline's row must come first. */
		if (table[i].outcome != report->outcome || result->limit_name)
			continue;
		result->limit_name = table[i].name;
		result->limit = curfew_limits_get(&report->limits, &table[i]);
	}
}

/* Returns the frames as text. NULL: there are no frames, or no memory. */
static char *write_stack(const curfew_report *report)
{
	curfew__buffer text;
	size_t length;

	if (!report->frame_count)
		return NULL;
	curfew__buffer_init(&text, STACK_BYTES_MAX);
	for (size_t i = 0; i < report->frame_count; i++) {
		const curfew_frame *frame = &report->frames[i];
		curfew__buffer_printf(&text, "%sat %s (%s", i ? "\n" : "", frame->function,
		                      frame->file ? frame->file : "native");
		if (frame->line)
			curfew__buffer_printf(&text, ":%u:%u", frame->line, frame->column);
		curfew__buffer_add_text(&text, ")");
	}
	return curfew__buffer_take(&text, &length);
}

static curfew_result *make_result(curfew_report *report)
{
	curfew_result *result = calloc(1, sizeof *result);

	if (!result)
		return NULL;
	*result = (curfew_result){
		.size = sizeof *result,
		.outcome = report->outcome,
		.status = curfew_outcome_name(report->outcome),
		.value = report->value,
		.output = report->stdout_text,
		.output_length = report->stdout_length,
		.error_name = report->has_error ? report->error_name : NULL,
		.error_message = report->has_error ? report->error_message : NULL,
		.is_stopped = report->stop_mode != CURFEW_STOP_NONE,
		.elapsed_ns = report->used.wall_ns,
		.loops = report->used.loops,
		.host_calls = report->used.host_calls,
		.stack = write_stack(report),
		.report = report,
	};
	if (result->is_stopped)
		fill_limit(result);
	return result;
}

curfew_status curfew_execute(curfew_program *program, const char *function, const char *params, const char *user,
                             const curfew_limits *limits, const curfew_run_options *options, curfew_result **result,
                             curfew_failure *failure)
{
	curfew_run_options all = {.size = sizeof all};
	curfew_report *report = NULL;

	if (!program || !result)
		return curfew__refuse(failure, CURFEW_INVALID, "program or result is NULL");
	*result = NULL;
	if (options && !curfew__copy_in(&all, sizeof all, options))
		return curfew__refuse(failure, CURFEW_INVALID, "options.size is not that of a curfew_run_options");
	if (all.call || all.params || all.user || all.limits)
		return curfew__refuse(failure, CURFEW_INVALID, "options.call, params, user and limits must be NULL here");
	all.size = sizeof all;
	all.call = function;
	all.params = params;
	all.params_length = params ? strlen(params) : 0;
	all.user = user;
	all.limits = limits;
	curfew_status status = curfew_program_run(program, &all, &report, failure);
	if (status == CURFEW_OK && !(*result = make_result(report))) {
		curfew_report_destroy(report);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	return status;
}

void curfew_result_destroy(curfew_result *result)
{
	if (!result)
		return;
	curfew_report_destroy((curfew_report *)(uintptr_t)result->report);
	free((char *)(uintptr_t)result->stack);
	free(result);
}
