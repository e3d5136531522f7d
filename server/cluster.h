/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many servers on one database form one service. Each takes runs that wait there when it has capacity, takes over those
 * of nodes that have died, and shows those of others. One thread takes runs; another one listens to notifications,
 * which only make the nodes query the database sooner.
 */
#ifndef CURFEW_SERVER_CLUSTER_H
#define CURFEW_SERVER_CLUSTER_H

#include "server.h"

/* Joins the cluster. False, and why. */
bool cluster_join(server *s, curfew_failure *failure);
/* Begins to take runs. False, and why. */
bool cluster_start(server *s, curfew_failure *failure);
/* Ends the threads. */
void cluster_stop(server *s);
/* Under the lock, at the end: gives back the runs that have not begun. */
void cluster_give_back(server *s);

/*
 * On a thread that may wait, without the lock: finds a run that has not ended, on any node, and that an account may
 * see. *r is NULL if there is none; otherwise the lock is held on return, so that the caller can listen to it. False:
 * the database failed.
 */
bool cluster_find(server *s, const char *id, const account *who, run **r) CURFEW__UNCHECKED;
/* The same, and requests its end. */
bool cluster_cancel(server *s, const char *id, const account *who, run **r) CURFEW__UNCHECKED;

#endif
