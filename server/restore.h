/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of the database as records again. */
#ifndef CURFEW_SERVER_RESTORE_H
#define CURFEW_SERVER_RESTORE_H

#include "server.h"
#include "store.h"

/* Of store_load_runs, context is the server: what was going on when it ended waits again, or is closed. */
bool restore_left(void *context, const stored_run *row);

/* Where many servers share the database; under the lock. Whether the token of a run is known here. */
bool restore_knows(const server *s, const char *owner);
/* This node took it: it begins, or is closed. False: out of memory. */
bool restore_taken(server *s, const stored_run *row);
/* It is only shown here, if this node has no record of it; with a reference. NULL: out of memory. */
run *restore_foreign(server *s, const stored_run *row);
/* One that is only shown has begun, where it was not known yet: its event has the number that it has there. */
void restore_show_begun(run *r, uint64_t epoch);

#endif
