/* SPDX-License-Identifier: Apache-2.0 */
/* curfew run --isolate process: one program, once, in a confined process. */
#ifndef CURFEW_CLI_ISOLATE_H
#define CURFEW_CLI_ISOLATE_H

#include "files.h"
#include "watch.h"
#include "worker/pool.h"

typedef struct cli_isolated {
	worker_pool *pool;
	worker_program *program;
	worker_run *run;
	int input;             /* the worker's standard input; 0: none */
	uint32_t engine_flags; /* CURFEW_ENGINE_*, set by the caller */
	cli_watch *watch;
	curfew_report *parsed;
	curfew_report report; /* a copy of it, with the fields that JSON does not have; parsed owns every pointer */
} cli_isolated;

/* For worker_job; cli_isolated_run sets the context. */
void cli_isolated_on_event(void *context, curfew_event_kind kind, const char *data, size_t length);

/* Runs the program according to the job (program, context and on_done are set here), and fills report. */
curfew_status cli_isolated_run(cli_isolated *isolated, const cli_source *source, curfew_language language,
                               const worker_job *job, cli_watch *watch, curfew_failure *failure);
void cli_isolated_finish(cli_isolated *isolated);

#endif
