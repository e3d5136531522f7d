/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to runs. All of this is used under the server's lock, except service_launch: after any of these calls,
 * the caller calls it once it has unlocked.
 */
#ifndef CURFEW_SERVER_SERVICE_H
#define CURFEW_SERVER_SERVICE_H

#include "server.h"
#include "store.h"

/* How long another node's report of its capacity is valid, and the period over which ended runs are counted. */
enum { SERVICE_CAPACITY_US = 100000, SERVICE_PACE_US = 50000 };

/*
 * Accepts a run: it waits, and is written if it is durable, with its source unless the store has that. The run's fields
 * accepted and refused show the result. False: out of memory.
 */
bool service_accept(server *s, run *r, const void *source, size_t source_length);

/* Makes a run wait until it is due and has its turn. False: out of memory. */
bool service_enqueue(server *s, run *r);
/* Queues the runs whose time has come. Returns when the next one is due, or INT64_MAX. */
int64_t service_wake(server *s, int64_t now_us);
/* Chooses as many runs as may run at once. A run that must be written first starts after that. */
void service_dispatch(server *s);
/* Without the lock: starts the chosen runs. */
void service_launch(server *s);

/* Cancels a run in any state. */
void service_cancel(server *s, run *r);

/* What the store calls while it writes; context is the server. */
void service_enter_store(void *context) CURFEW__UNCHECKED;
void service_leave_store(void *context) CURFEW__UNCHECKED;
void service_collect_news(void *context, store_news *into);
void service_forget_sources(void *context);
/* Cancels the runs of an account that wait for their turn or their time. */
void service_cancel_waiting(server *s, const account *who);

/*
 * Ends a run with its report (one reference, owned) and the outcome. A durable run is shown as done when the store has
 * it. Releases its place, so that others are started.
 */
void service_end(server *s, run *r, curfew_outcome outcome, blob *report);
/* Ends a run without a worker's report: cancelled in the queue, or crashed with the server. */
void service_end_without_worker(server *s, run *r, curfew_outcome outcome, const char *message);

/*
 * For a shared database. service_watch: another node shows a run of this one. service_lose_all: this node was
 * considered dead, and others have its runs. service_give_back: gives a run to another node, if it has not begun here
 * or may be repeated; false: it is not given.
 */
void service_watch(server *s, run *r);
void service_lose_all(server *s);
bool service_give_back(server *s, run *r);

#endif
