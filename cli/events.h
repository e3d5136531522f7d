/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events out of whatever pieces of their stream come in. */
#ifndef CURFEW_CLI_EVENTS_H
#define CURFEW_CLI_EVENTS_H

#include "common/json_scan.h"
#include "common/text.h"

/* The event that is coming. Zeroed is ready; to be finished. */
typedef struct cli_events {
	text line; /* as far as it has come */
	text kind, data;
	uint64_t number;
	bool failed; /* a line was too long, or there was no memory */
} cli_events;

/* False: no more events are wanted. */
typedef bool (*cli_events_handler)(void *context, uint64_t number, const char *kind, span data);

/* The next piece. False: nothing more is wanted, or it has failed. */
bool cli_events_feed(cli_events *events, const char *data, size_t length, cli_events_handler handler, void *context);
/* Another stream begins. */
void cli_events_restart(cli_events *events);
void cli_events_finish(cli_events *events);

#endif
