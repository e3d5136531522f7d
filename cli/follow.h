/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following a run of a server to its end by its event stream: output to where it belongs, a live line, signals. Where
 * the connection is lost, or the server is started anew, it goes on where it was.
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
	bool cancels; /* a signal cancels the run, a second one leaves; else the first one leaves */
	bool once;    /* until all is told that there is now */
} cli_follow_options;

typedef struct cli_followed {
	char *json; /* the report as it came; NULL: it has not ended, as far as is known */
	size_t json_length;
	curfew_report *report; /* the same */
	bool left;             /* by a signal */
	int output_error;      /* errno of the first failed write */
} cli_followed;

/* CLI_GO_ON, or the exit code after an error was said. To be finished in any case. */
int cli_follow(const cli_follow_options *options, cli_followed *followed);
void cli_followed_finish(cli_followed *followed);

/* The exit code where output could not be written, after saying so; CLI_GO_ON: all was written. */
int cli_followed_check(const cli_followed *followed);

#endif
