/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run in the server, from its acceptance to its report: plain data, which starts nothing and waits for nothing.
 * Others listen to its changes. All of this is used under the server's lock.
 */
#ifndef CURFEW_SERVER_RECORD_H
#define CURFEW_SERVER_RECORD_H

#include "server.h"

/* A larger report of a durable run is in memory only until it is written. */
enum { RUN_REPORT_SMALL = 1 << 20 };
/*
 * What a run may take of the server's memory, for each byte of its output limit: its output and its checkpoint as they
 * arrive (3), and at its end its report (7, because JSON may take six times the size of a text) and what that is
 * checked with (2). Every run has a default output limit, for which the server's own memory is enough.
 */
enum { RUN_OUTPUT_FACTOR = 12, RUN_OUTPUT_FREE = 1 << 20 };

/* Creates a run with a new id and one reference, which is in no table yet. NULL: out of memory. Needs no lock. */
run *run_create(account *owner);
void run_ref(run *r);
/* Drops a reference. */
void run_unref(server *s, run *r);

/* Makes it findable by id and idempotency key; the table holds a reference. */
void run_register(server *s, run *r);
void run_unregister(server *s, run *r);
run *run_find(server *s, const char *id);
run *run_find_key(server *s, const account *owner, const char *key);
/* Sets whether another node has the run, and it is only shown here. */
void run_set_foreign(server *s, run *r, bool is_foreign);
/* Keeps an ended run for a while, for clients that come late or reconnect. */
void run_keep(server *s, run *r);
void run_forget(server *s, run *r);
/* Forgets an ended run, first of all one with a large report. False: none is left. */
bool run_make_room(server *s);

/* What a run with these limits counts for in the memory budget, of which it never needs more than all. */
uint64_t run_count_memory(const server *s, const curfew_limits *limits);
/* Drops the report of an ended run from memory, if it is large; the store has it. */
void run_drop_report(run *r);

/* Whether an account may see the run. */
bool run_is_visible(const run *r, const account *who);

/* Moves the run to another state, which must be legal, and notifies listeners. */
void run_move(run *r, run_state state);
/* Adds an event; the caller keeps its data. Drops the oldest events if there are too many. */
void run_add_event(run *r, event_kind kind, blob *data);
/* Raises the number of the next event to at least this one. */
void run_skip_events(run *r, uint64_t number);
/* Whether an event of this number or a later one exists, and the first such one. */
bool run_has_event(const run *r, uint64_t number);
const event *run_get_event(const run *r, uint64_t number);

/* A listener holds a reference while it listens. It is called under the lock, and may wake somebody. */
void run_listen(run *r, run_listener *l);
void run_unlisten(server *s, run *r, run_listener *l);
void run_notify(run *r, run_news news);

void run_fill_view(run_view *view, const run *r);

#endif
