/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program in one confined process. The report comes back as JSON and is parsed, so that everything after the run is
 * the same as for a run in this process.
 */
#include "isolate.h"

#include <stdio.h>
#include <string.h>

void cli_isolated_on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	const cli_isolated *isolated = context;
	cli_watch_on_event(isolated->watch, kind, data, length);
}

static void on_done(void *context, const worker_result *result)
{
	cli_isolated *isolated = context;
	if (result->report != NULL &&
	    curfew_report_parse(result->report, result->report_length, &isolated->parsed, NULL) == CURFEW_OK) {
		isolated->report = *isolated->parsed;
		isolated->report.exit_code = result->exit_code;
	}
	cli_watch_end(isolated->watch);
}

static void cancel(void *run)
{
	worker_run_cancel(run);
}

static void get_usage(void *run, curfew_run_usage *usage)
{
	worker_run_get_usage(run, usage);
}

static curfew_status start(cli_isolated *isolated, const cli_source *source, curfew_language language,
                           const worker_job *job, curfew_failure *failure)
{
	curfew_limits limits;
	/* The limits were checked one by one as they were parsed. */
	(void)curfew_limits_resolve(job->limits, &limits, NULL);
	worker_pool_options options = {.workers = 1, .threads = 1, .data_bytes = limits.memory_bytes,
	                               .fetches = job->allow_fetch_count > 0};
	worker_source program = {
		.language = language,
		.is_image = source->is_image,
		.once = true,
		.name = source->name,
		.bytes = source->text,
		.length = source->length,
		.import_dir = source->is_image ? NULL : source->import_dir,
	};
	worker_job own = *job;
	curfew_status status = worker_pool_create(&options, &isolated->pool, failure);
	if (status == CURFEW_OK)
		status = worker_program_create(isolated->pool, &program, &isolated->program, failure);
	own.program = isolated->program;
	own.context = isolated;
	own.on_done = on_done;
	return status != CURFEW_OK ? status : worker_pool_submit(isolated->pool, &own, &isolated->run, failure);
}

curfew_status cli_isolated_run(cli_isolated *isolated, const cli_source *source, curfew_language language,
                               const worker_job *job, cli_watch *watch, curfew_failure *failure)
{
	isolated->watch = watch;
	curfew_status status = start(isolated, source, language, job, failure);
	if (status != CURFEW_OK)
		return status;
	/* A signal that came meanwhile is delivered now. */
	watch->cancel = (cli_canceller){cancel, isolated->run};
	cli_signals_catch(watch->cancel);
	cli_watch_until_done(watch, get_usage, isolated->run);
	if (isolated->parsed == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "out of memory for the report");
		return CURFEW_NO_MEMORY;
	}
	if (!source->is_image && curfew_report_set_source(isolated->parsed, source->text, source->length) == CURFEW_OK)
		isolated->report.source_line = isolated->parsed->source_line;
	return CURFEW_OK;
}

void cli_isolated_finish(cli_isolated *isolated)
{
	worker_run_unref(isolated->run);
	worker_program_unref(isolated->program);
	worker_pool_destroy(isolated->pool);
	curfew_report_destroy(isolated->parsed);
}
