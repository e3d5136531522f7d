/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: checking those that workers write, and writing those of runs that no worker could report. */
#ifndef CURFEW_SERVER_REPORT_H
#define CURFEW_SERVER_REPORT_H

#include "server.h"

/* What is counted of a report. */
typedef struct report_facts {
	bool was_stopped;
	int64_t start_us;
	run_summary summary;
} report_facts;

/* Whether this is a report; the worker that wrote it may have been taken over. */
bool report_check(const char *words, size_t length, report_facts *facts);
/* Under the lock. */
void report_count(run_figures *f, const report_facts *facts);

/*
 * The report of a run that was cancelled before it started, or lost with its worker or the server. output is what it
 * had printed, a JSON array of output events; may be NULL. NULL: out of memory.
 */
blob *report_make(const run *r, curfew_outcome outcome, const char *message, const char *output);

#endif
