/* SPDX-License-Identifier: Apache-2.0 */
/* Counters. Counting is done under the server's lock. */
#ifndef CURFEW_SERVER_METRICS_H
#define CURFEW_SERVER_METRICS_H

#include "server.h"

/* Why a request was refused. X(NAME, "label") */
#define REFUSAL_LIST(X)                                                                                                \
	X(QUEUE_FULL, "queue_full")                                                                                        \
	X(QUOTA, "quota")                                                                                                  \
	X(SHARE, "share")                                                                                                  \
	X(CONNECTIONS, "connections")                                                                                      \
	X(STREAMS, "streams")                                                                                              \
	X(REQUEST, "request")                                                                                              \
	X(BODY, "body")                                                                                                    \
	X(ACCESS, "access")                                                                                                \
	X(STORE, "store")                                                                                                  \
	X(WORKER, "worker")                                                                                                \
	X(MEMORY, "memory")                                                                                                \
	X(STOPPING, "stopping")

typedef enum refusal {
#define X(name, label) REFUSAL_##name,
	REFUSAL_LIST(X)
#undef X
		REFUSALS
} refusal;

/* A request was answered; method and pattern are in static memory. */
void metrics_add_answer(metrics *m, const char *method, const char *pattern, unsigned status);

void metrics_add_time(histogram *h, int64_t us);
/* Counts a run that has ended, after this time. */
void metrics_add_end(run_figures *f, curfew_outcome outcome);
/* The average number of runs that ended in each of the last seconds, without the present one. */
double metrics_rate(const run_figures *f, unsigned seconds);

/* Upper bounds of the buckets of a histogram; the last bucket has none. */
size_t metrics_bounds(const int64_t **us);

#endif
