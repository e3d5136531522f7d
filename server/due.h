/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that looks twice a second what has come due on disk. */
#ifndef CURFEW_SERVER_DUE_H
#define CURFEW_SERVER_DUE_H

#include "server.h"

typedef struct due due; /* server.due */

/* NULL: no thread, or no memory. */
due *due_start(server *s);
/* Not under the lock. NULL does nothing. */
void due_stop(due *d);

#endif
