/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of the database as records again. */
#ifndef CURFEW_SERVER_RESTORE_H
#define CURFEW_SERVER_RESTORE_H

#include "server.h"
#include "store.h"

/* For store_load_runs; context is the server. A run that was in progress when the server ended waits again, or is
 * closed. */
bool restore_left(void *context, const stored_run *row);

/* For a shared database; under the lock. Whether the token of a run is known here. */
bool restore_knows(const server *s, const char *owner);
/* Begins or closes a run that this node took. False: out of memory. */
bool restore_taken(server *s, const stored_run *row);
/* Returns a record, with a reference, of a run that is only shown here. NULL: out of memory. */
run *restore_foreign(server *s, const stored_run *row);
/* Notes that a run that is only shown has begun. Its event gets the number that it has on its own node. */
void restore_show_begun(run *r, uint64_t epoch);

#endif
