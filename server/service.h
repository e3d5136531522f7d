/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to runs. All of this is used under the server's lock but service_launch, which whoever has called one of
 * these calls after unlocking.
 */
#ifndef CURFEW_SERVER_SERVICE_H
#define CURFEW_SERVER_SERVICE_H

#include "server.h"
#include "store.h"

/* So long what another node has said of its room is believed; over so long it is counted how many runs end. */
enum { SERVICE_ROOM_US = 100000, SERVICE_PACE_US = 50000 };

/*
 * Accepts a run: it waits, and is written if it is durable, with its source unless the store has that. The run says by
 * accepted or refused what became of it. False: out of memory.
 */
bool service_accept(server *s, run *r, const void *source, size_t source_length);

/* Has a run wait, until it is due and it has its turn. False: out of memory. */
bool service_enqueue(server *s, run *r);
/* Moves on those whose time has come; when the next one is due, or INT64_MAX. */
int64_t service_wake(server *s, int64_t now_us);
/* Chooses as many as may run at once. One that is to be written first is started when it is. */
void service_dispatch(server *s);
/* Without the lock: starts what was chosen. */
void service_launch(server *s);

/* Cancels it, whatever its state. */
void service_cancel(server *s, run *r);

/* What the store calls while it writes; context is the server. */
void service_enter_store(void *context) CURFEW__UNCHECKED;
void service_leave_store(void *context) CURFEW__UNCHECKED;
void service_collect_news(void *context, store_news *into);
void service_forget_sources(void *context);
/* Cancels what an account has waiting, for its turn or its time. */
void service_cancel_waiting(server *s, const account *who);

/*
 * Its end: the report (one reference, taken over) and the outcome. A durable run is shown as done when the store has
 * it. Gives back its place, so that others are started.
 */
void service_end(server *s, run *r, curfew_outcome outcome, blob *report);
/* Ends a run that no worker has a report of: cancelled in the queue, crashed with the server. */
void service_end_without_worker(server *s, run *r, curfew_outcome outcome, const char *message);

/*
 * Where many servers share the database. service_watch: another node shows a run of this one. service_lose_all: this
 * node was thought dead, and its runs are others'. service_give_back: one that is not begun here, or that may be
 * carried out again, is carried out by another; false: it is not.
 */
void service_watch(server *s, run *r);
void service_lose_all(server *s);
bool service_give_back(server *s, run *r);

#endif
