/* SPDX-License-Identifier: Apache-2.0 */
/* A run as the interface shows it, from memory or from disk. Texts are borrowed for the call that shows it. */
#ifndef CURFEW_SERVER_VIEW_H
#define CURFEW_SERVER_VIEW_H

#include "curfew.h"
#include "common/text.h"

/* The values are stored on disk, so they never change. */
typedef enum run_state {
	RUN_SCHEDULED = 0,
	RUN_QUEUED = 1,
	RUN_RUNNING = 2,
	RUN_STOPPING = 3,
	RUN_DONE = 4,
	RUN_STATES
} run_state;

/* The values are explicit, because nodes of other versions read them in a shared database. */
typedef enum event_kind {
	EVENT_STATE = 0,
	EVENT_PROGRESS = 1,
	EVENT_CHECKPOINT = 2,
	EVENT_OUTPUT = 3,
	EVENT_REPORT = 4,
	EVENT_KINDS
} event_kind;

extern const char *const run_state_names[RUN_STATES];

/* What a run has used in total, by its report. */
typedef struct run_summary {
	int64_t wall_us, cpu_us, memory_peak_bytes, output_bytes;
	int64_t stop_latency_us; /* -1: it was not stopped */
} run_summary;

/* The values are explicit, because they are on disk. */
typedef enum hook_state { HOOK_WAITING = 0, HOOK_DELIVERED = 1, HOOK_GIVEN_UP = 2, HOOK_STATES } hook_state;

/* The webhook of a run, and its state. */
typedef struct run_hook {
	const char *url;    /* NULL: nobody */
	const char *secret; /* name of the user's secret that it is signed with; NULL: it is not signed */
	hook_state state;
	unsigned attempts, status; /* status: of the last answer over HTTP; 0: there was none */
	int64_t last_us, due_us;   /* of the last attempt and the next; 0: none */
	const char *problem;       /* of the last attempt; NULL: none */
} run_hook;

typedef struct run_view {
	const char *id, *owner, *program, *sha256, *call, *user;
	const char *allow_fetch; /* NULL: none */
	const char *schedule;    /* the schedule that it belongs to; NULL: none */
	run_hook hook;
	run_state state;
	curfew_language language;
	unsigned priority, retry, attempt;
	bool durable;
	int64_t created_us, due_us, started_us, ended_us, queue_us;
	const char *outcome; /* NULL until done */
	const char *checkpoint;
	const char *report;
	size_t report_length;
	int64_t report_number; /* its number in the store, if it is not in memory */
	uint64_t last_event;
	curfew_limits limits; /* resolved */
	bool has_usage;
	curfew_run_usage usage; /* so far */
	bool has_summary;
	run_summary summary;
} run_view;

/* Writes all of it; a report that is not in memory is null. */
void view_write(text *out, const run_view *view);
/* The same up to the report. The report and "}" follow. */
void view_write_head(text *out, const run_view *view);
/* The same up to the checkpoint, which follows. */
void view_write_start(text *out, const run_view *view);

#endif
