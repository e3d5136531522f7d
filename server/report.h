/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what reports say, and writes the reports of runs that no worker could report. */
#ifndef CURFEW_SERVER_REPORT_H
#define CURFEW_SERVER_REPORT_H

#include "server.h"

/* The parts of a report that are counted. */
typedef struct report_facts {
	bool was_stopped;
	int64_t start_us;
	run_summary summary;
} report_facts;

void report_read(const curfew_report *report, report_facts *facts);
/* Under the lock. */
void report_count(run_figures *f, const report_facts *facts);

/*
 * Makes the report of a run that was cancelled before it started, or lost with its worker or the server. output is what
 * it had printed, a JSON array of output events; may be NULL. NULL: out of memory.
 */
blob *report_make(const run *r, curfew_outcome outcome, const char *message, const char *output);

#endif
