/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program in one confined process. The report comes back as JSON and is parsed, so that everything after the run is
 * the same as for a run in this process.
 */
#include "isolate.h"

#include "files.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- Standard input ---------------------------------------------------------------------------------------- */

/* Copies standard input to the pipe. */
static void *pump(void *end)
{
	char bytes[4096];
	int fd = *(int *)end;
	ssize_t got;
	free(end);
	while ((got = read(STDIN_FILENO, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
		if (got > 0 && cli_write(fd, bytes, (size_t)got, NULL) != 0)
			break;
	}
	(void)close(fd);
	return NULL;
}

/* Returns the end of a pipe that a thread fills from standard input, as long as this process lives. -1: it failed. */
static int open_pipe(void)
{
	int ends[2];
	pthread_t thread;
	int *end = malloc(sizeof *end);
	if (end == NULL || pipe2(ends, O_CLOEXEC) != 0) {
		free(end);
		return -1;
	}
	*end = ends[1];
	if (pthread_create(&thread, NULL, pump, end) == 0) {
		(void)pthread_detach(thread);
		return ends[0];
	}
	free(end);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return -1;
}

/*
 * Returns a standard input for the worker that cannot be written to. A terminal is opened again for that. Anything that
 * cannot be opened again, such as a socket, comes through a pipe.
 */
static int open_input(void)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);
	if (flags < 0)
		return 0; /* standard input is closed */
	int fd = (flags & O_ACCMODE) == O_RDONLY ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
	                                         : open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd >= 0 ? fd : open_pipe();
}

static bool reads_input(const worker_job *job)
{
	return (job->flags & CURFEW_RUN_STDIN) != 0;
}

/* ---- The run ------------------------------------------------------------------------------------------------ */

static curfew_status start_pool(cli_isolated *isolated, const cli_source *source, curfew_language language,
                                const worker_job *job, curfew_failure *failure)
{
	curfew_limits limits;

	/* The limits were checked one by one as they were parsed. */
	(void)curfew_limits_resolve(job->limits, &limits, NULL);
	char *cache_dir = cli_cache_dir();
	worker_pool_options options = {.workers = 1,
	                               .threads = 1,
	                               .data_bytes = limits.memory_bytes,
	                               .fetches = job->allow_fetch_count > 0,
	                               .input = isolated->input,
	                               .engine_flags = isolated->engine_flags,
	                               .cache_dir = cache_dir};
	worker_source program = {
		.language = language,
		.is_image = source->is_image,
		.once = true,
		.is_path = source->is_path,
		.has_node = source->has_node,
		.name = source->name,
		.bytes = source->text,
		.length = source->length,
		.import_dir = source->is_image ? NULL : source->import_dir,
		.import_map = source->import_map,
		.import_map_length = source->import_map != NULL ? strlen(source->import_map) : 0,
		.import_map_name = source->import_map_name,
	};

	worker_job own = *job;
	curfew_status status = worker_pool_create(&options, &isolated->pool, failure);
	free(cache_dir);
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
	isolated->input = reads_input(job) ? open_input() : 0;
	if (isolated->input < 0) {
		(void)snprintf(failure->message, sizeof failure->message, "standard input cannot be passed on: %s",
		               strerror(errno));
		return CURFEW_SYSTEM;
	}

	curfew_status status = start_pool(isolated, source, language, job, failure);
	if (status != CURFEW_OK)
		return status;

	/* A signal that arrived meanwhile is delivered now. */
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
	if (isolated->input > 0)
		(void)close(isolated->input);
	curfew_report_destroy(isolated->parsed);
}
