/* SPDX-License-Identifier: Apache-2.0 */
/* Internals of following a run: follow.c has connections and threads, follow_events.c interprets the events. */
#ifndef CURFEW_CLI_FOLLOW_PRIVATE_H
#define CURFEW_CLI_FOLLOW_PRIVATE_H

#include "events.h"
#include "follow.h"
#include "watch.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct follow {
	const cli_follow_options *options;
	cli_followed *followed;
	cli_watch watch;
	int cancel_fd; /* readable: cancel the run */
	int leave_fd;  /* readable: end */
	atomic_bool signalled;
	int code; /* exit code after an error was reported; CLI_GO_ON: none */
	/* Why it was given up, to be reported once the live line is gone. */
	bool has_failed;
	cli_http_result result;
	cli_http_answer answer;

	/* Used by the reading thread. */
	cli_http *http;
	cli_events events;
	uint64_t last; /* number of the last event; 0: none yet */
	int64_t attempt;
	bool has_run, was_done;
	bool has_gap;     /* the beginning of the output is missing */
	bool from_report; /* the run has ended, and its output is not all in the stream but in its report */
	bool is_lost, is_reported;
	uint64_t lost_ms;
	size_t passed[2];      /* bytes of stdout and stderr */
	uint64_t output_bytes; /* bytes of output at the start; used with `once` */

	curfew__mutex mutex; /* guards what follows */
	curfew_run_usage usage;
	uint64_t usage_ms; /* time of that usage */
	bool is_running;
} follow;

/* Prints a message while the live line may be shown: it takes the way of the run's stderr. */
void follow_report(follow *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether only the output so far is wanted. */
bool follow_ends_now(const follow *f);
/* Handles an event of the stream. False: nothing more is wanted. */
bool follow_take_event(void *context, uint64_t number, const char *kind, span data);
/* Handles the report of a run whose stream no longer has it. */
void follow_take_report(follow *f, span json);

/* Reads the usage of the run from its JSON, and formats it for the live line. */
void follow_take_usage(follow *f, span run);
void follow_get_usage(void *context, curfew_run_usage *usage);

/* Reads a number of JSON, 0 if it is not a number. */
uint64_t follow_number_of(span object, const char *key);

#endif
