/* SPDX-License-Identifier: Apache-2.0 */
/* Parses server-sent events from a stream that arrives in pieces. */
#ifndef CURFEW_CLI_EVENTS_H
#define CURFEW_CLI_EVENTS_H

#include "common/json_scan.h"
#include "common/text.h"

/* The present event. Initialise it with zeros; it must be finished. */
typedef struct cli_events {
	text line; /* the part of the line so far */
	text kind, data;
	uint64_t number;
	bool failed; /* a line was too long, or memory ran out */
} cli_events;

/* False: no more events are wanted. */
typedef bool (*cli_events_handler)(void *context, uint64_t number, const char *kind, span data);

/* Takes the next piece. False: nothing more is wanted, or it failed. */
bool cli_events_feed(cli_events *events, const char *data, size_t length, cli_events_handler handler, void *context);
/* Begins another stream. */
void cli_events_restart(cli_events *events);
void cli_events_finish(cli_events *events);

#endif
