/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as the server keeps it, from its acceptance to its report: plain data, which starts nothing and waits for
 * nothing. Whoever wants to know of it listens. All of this is used under the server's lock.
 */
#ifndef CURFEW_SERVER_RECORD_H
#define CURFEW_SERVER_RECORD_H

#include "server.h"

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
/* It is only shown here from now on, or is this node's. */
void run_set_foreign(server *s, run *r, bool is_foreign);
/* One that has ended stays for a while, for those who come late or again. */
void run_keep(server *s, run *r);

/* Whether an account may see it. */
bool run_is_visible(const run *r, const account *who);

/* Moves it to a state that may follow, and tells those who listen. */
void run_move(run *r, run_state state);
/* Adds an event, data owned by the caller; drops the oldest where there are too many. */
void run_add_event(run *r, event_kind kind, blob *data);
/* The next one has at least this number. */
void run_skip_events(run *r, uint64_t number);
/* Whether one of this number or a later one is there, and the first such one, where there is. */
bool run_has_event(const run *r, uint64_t number);
const event *run_get_event(const run *r, uint64_t number);

/* A listener holds a reference, until it listens no more. It is told by calls under the lock, and may wake somebody. */
void run_listen(run *r, run_listener *l);
void run_unlisten(server *s, run *r, run_listener *l);
void run_notify(run *r, run_news news);

void run_fill_view(run_view *view, const run *r);

#endif
