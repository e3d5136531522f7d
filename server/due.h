/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that checks twice a second what is due on disk. */
#ifndef CURFEW_SERVER_DUE_H
#define CURFEW_SERVER_DUE_H

#include "server.h"

typedef struct due due; /* server.due */

/* Starts the thread. NULL: it cannot be started, or out of memory. */
due *due_start(server *s);
/* Ends the thread. Not under the lock. NULL does nothing. */
void due_stop(due *d);

#endif
