/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that wait: for their time, in a heap; or for their turn, in lanes. A lane holds the runs of one owner and user at
 * one priority; the highest priority goes first, and within it the lanes take turns, so that nobody waits longer
 * because another asks for more. All of this is used under the server's lock.
 */
#ifndef CURFEW_SERVER_QUEUE_H
#define CURFEW_SERVER_QUEUE_H

#include "server.h"

/* Takes a run (one reference), which waits until due_us if that is in the future. False: out of memory. */
bool queue_add(server *s, run *r);
/* Takes one out before its turn. */
void queue_remove(server *s, run *r);
/* Moves what is due from the heap to the lanes; the time when the next one is due, or INT64_MAX. */
int64_t queue_wake(server *s, int64_t now_us);
/* Starts as many as may run at once. A run that is to be written first is launched when it is. */
void queue_dispatch(server *s);
/* It is written that this run starts: the pool gets it when the lock is given back. */
void queue_launch(server *s, run *r);

#endif
