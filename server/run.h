/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as the server keeps it: from its acceptance to its report. All of this is used under the server's lock, except
 * where it says otherwise.
 */
#ifndef CURFEW_SERVER_RUN_H
#define CURFEW_SERVER_RUN_H

#include "server.h"
#include "store.h"
#include "text.h"

/* A new ULID; those of one process ascend. Threads: any. */
void run_make_id(char id[ID_ROOM]);
bool run_is_id(const char *id);

/* A run with a new id and one reference, known to nobody; NULL: out of memory. Needs no lock. */
run *run_create(account *owner);
void run_ref(run *r);
/* Drops a reference. */
void run_unref(server *s, run *r);

/* Makes it findable by id and idempotency key; the table holds a reference. */
void run_register(server *s, run *r);
void run_unregister(server *s, run *r);
run *run_find(server *s, const char *id);
run *run_find_key(server *s, const account *owner, const char *key);

/* Whether an account may see it. */
bool run_is_visible(const run *r, const account *who);

/* Moves it on and tells those who watch. */
void run_set_state(server *s, run *r, run_state state);
/* Adds an event, data owned by the caller; drops the oldest where there are too many. */
void run_add_event(server *s, run *r, event_kind kind, blob *data);

/*
 * Its end: the report (one reference, taken over) and the outcome. A durable run is shown as done when the store has
 * it. Gives back its place, so that others are started.
 */
void run_end(server *s, run *r, curfew_outcome outcome, blob *report);
/* Ends a run that no worker has a report of: cancelled in the queue, crashed with the server. */
void run_end_without_worker(server *s, run *r, curfew_outcome outcome, const char *message);
/* The store has its end (or never will): it is done, and those who wait are told. */
void run_publish(server *s, run *r);

/* Cancels it, whatever its state. */
void run_cancel(server *s, run *r);

/* Submits what was chosen to the pool. Without the lock. */
void run_launch(server *s, run *r);

/* The run as the interface shows it. */
void run_fill_view(run_view *view, const run *r);
void run_write_view(text *out, const run_view *view);

/* Limits that are set, as lines "name=value", and back. The text is free with free; NULL: out of memory. */
char *run_limits_to_text(const curfew_limits *limits);
bool run_limits_from_text(curfew_limits *limits, const char *words);

#endif
