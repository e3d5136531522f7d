/* SPDX-License-Identifier: Apache-2.0 */
/* What following a run is made of: follow.c has its connections and threads, story.c makes sense of what comes. */
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
	int leave_fd;  /* readable: it is over */
	atomic_bool signalled;
	int code; /* exit code after an error was said; CLI_GO_ON: none */
	/* Why it was given up, to be said when no live line is in the way. */
	bool has_failed;
	cli_http_result result;
	cli_http_answer answer;

	/* Of the reading thread. */
	cli_http *http;
	cli_events events;
	uint64_t last; /* number of the last event; 0: none yet */
	int64_t attempt;
	bool has_run, was_done;
	bool has_gap;     /* the beginning of the output is missing */
	bool from_report; /* the run has ended, and its output is not all in the stream but in its report */
	bool is_lost, is_told;
	uint64_t lost_ms;
	size_t passed[2];      /* bytes of stdout and stderr */
	uint64_t output_bytes; /* that there were at the start; for once */

	curfew__mutex mutex; /* guards what follows */
	curfew_run_usage usage;
	uint64_t usage_ms; /* when that was so */
	bool is_running;
} follow;

/* Says something while the live line may be there: on the way that the run's stderr takes. */
void follow_tell(follow *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether only what there is now is wanted. */
bool follow_ends_now(const follow *f);
/* An event of the stream; false: nothing more is wanted. */
bool follow_take_event(void *context, uint64_t number, const char *kind, span data);
/* The report of a run whose stream no longer has it. */
void follow_take_report(follow *f, span json);

/* What the run has used, of its JSON; and as the live line shows it. */
void follow_take_usage(follow *f, span run);
void follow_get_usage(void *context, curfew_run_usage *usage);

/* A number of JSON, 0 where it is none. */
uint64_t follow_number_of(span object, const char *key);

#endif
