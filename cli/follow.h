/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a run of a server to its end by its event stream: passes output on, shows a live line, handles signals. If
 * the connection is lost, or the server restarts, it resumes where it was.
 */
#ifndef CURFEW_CLI_FOLLOW_H
#define CURFEW_CLI_FOLLOW_H

#include "client.h"

typedef enum cli_follow_kind {
	CLI_FOLLOW_OUTPUT, /* passes output on */
	CLI_FOLLOW_EVENTS, /* prints each event as a line of JSON */
	CLI_FOLLOW_END,    /* only waits for the report */
} cli_follow_kind;

typedef struct cli_follow_options {
	const cli_server *server;
	const char *id;
	cli_follow_kind kind;
	bool quiet;   /* no live line, nothing about lost connections */
	bool cancels; /* a signal cancels the run, and a second one ends the command; otherwise the first one ends it */
	bool once;    /* only until everything so far was printed */
} cli_follow_options;

typedef struct cli_followed {
	char *json; /* the unchanged report; NULL: the run has not ended, as far as known */
	size_t json_length;
	curfew_report *report; /* the same, parsed */
	bool left;             /* a signal ended the command */
	int output_error;      /* errno of the first failed write */
} cli_followed;

/* CLI_GO_ON, or the exit code after an error was reported. It must be finished in any case. */
int cli_follow(const cli_follow_options *options, cli_followed *followed);
void cli_followed_finish(cli_followed *followed);

/* CLI_GO_ON if all output was written. Otherwise reports the error, and returns the exit code. */
int cli_followed_check(const cli_followed *followed);

#endif
