/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many servers on one database are one service: each takes runs that wait there when it has room, ends those of nodes
 * that have died, and shows those of others. One thread takes runs, another one listens to what others tell; that only
 * makes them look sooner.
 */
#ifndef CURFEW_SERVER_CLUSTER_H
#define CURFEW_SERVER_CLUSTER_H

#include "server.h"

/* Joins the others. False, and why. */
bool cluster_join(server *s, curfew_failure *failure);
/* Begins to take runs. False, and why. */
bool cluster_start(server *s, curfew_failure *failure);
/* Ends the threads. */
void cluster_stop(server *s);
/* Under the lock, at the end: what is not begun is given back. */
void cluster_give_back(server *s);

/*
 * On a thread that may wait, not under the lock: finds a run that has not ended, wherever it is, and that an account
 * may see. *r: NULL if there is none; else the lock is held, so that it can be listened to. False: the database failed.
 */
bool cluster_find(server *s, const char *id, const account *who, run **r) CURFEW__UNCHECKED;
/* The same, and asks for its end. */
bool cluster_cancel(server *s, const char *id, const account *who, run **r) CURFEW__UNCHECKED;

#endif
