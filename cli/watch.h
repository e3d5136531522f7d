/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches one run from the main thread: its output to stdout and stderr, the live line, signals. The run's own thread
 * only appends to a queue, so that a slow reader cannot block the run.
 */
#ifndef CURFEW_CLI_WATCH_H
#define CURFEW_CLI_WATCH_H

#include "curfew.h"
#include "common/mutex.h"

#include <pthread.h>

/* Cancels the watched run; async-signal-safe. */
typedef struct cli_canceller {
	void (*fire)(void *handle);
	void *handle;
} cli_canceller;

/* Reads what the run has used so far. */
typedef void (*cli_get_usage)(void *run, curfew_run_usage *usage);

typedef struct cli_watch {
	curfew__mutex mutex; /* guards what follows, up to failed */
	char *queue;         /* chunks: see watch.c */
	size_t length;
	size_t capacity;
	char progress[512]; /* last progress, made safe for a terminal */
	char state[64];     /* shown in place of figures while the run is not running; "": it is */
	bool done;
	bool failed;           /* out of memory: output was lost */
	pthread_cond_t passed; /* the queue was taken, or the run is being stopped */
	bool waits;            /* the run waits while much is queued; its on_stop must then be cli_watch_on_stop */
	bool stopped;

	int wake[2];           /* a pipe that wakes the main thread */
	cli_canceller cancel;  /* set before cli_watch_until_done */
	const char *cancelled; /* text of the live line after a signal */
	uint64_t timeout_ns;   /* for the live line; CURFEW_UNLIMITED: none */
	bool live;             /* a live line may be shown */
	bool live_shown;
	bool at_line_start; /* state of the terminal, as far as curfew wrote to it */
	int output_error;   /* errno of the first failed write to stdout or stderr */
} cli_watch;

/* live: whether a live line is wanted; shown only if stderr is a terminal. */
bool cli_watch_init(cli_watch *watch, uint64_t timeout_ns, bool live);
void cli_watch_finish(cli_watch *watch);

/* For curfew_run_options; the context is the watch. */
void cli_watch_on_event(void *context, curfew_event_kind kind, const char *data, size_t length);
void cli_watch_on_done(void *context, curfew_run *run);
void cli_watch_on_stop(void *context, curfew_outcome cause);
/* The same for a run that is not one of the library's in this process. */
void cli_watch_end(cli_watch *watch);

/* Sets the text that the live line shows in place of figures; "": the figures. Any thread. */
void cli_watch_set_state(cli_watch *watch, const char *state);

/* Passes output on until the run has ended and all of it is written. */
void cli_watch_until_done(cli_watch *watch, cli_get_usage get_usage, void *run);

/* Blocks SIGINT and SIGTERM until cli_signals_catch. */
void cli_signals_hold(void);
/* From now on these signals cancel the run instead of ending the process. */
void cli_signals_catch(cli_canceller cancel);
/* Call it before the handle is destroyed. */
void cli_signals_release(void);

#endif
