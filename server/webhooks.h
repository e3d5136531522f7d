/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports the ends of runs: a request to the URL that a submission named, signed according to the Standard Webhooks
 * specification, and repeated over some days. A program of ours makes the request in a worker, under the same limits
 * and rules for addresses as any run.
 */
#ifndef CURFEW_SERVER_WEBHOOKS_H
#define CURFEW_SERVER_WEBHOOKS_H

#include "server.h"

typedef struct webhooks webhooks; /* server.webhooks */

/* NULL: out of memory, or the pool refuses the program. */
webhooks *webhooks_open(server *s);
/* Call it when the pool is gone. NULL does nothing. */
void webhooks_close(webhooks *w);
/* Drops the program, which belongs to the pool. Call it before the pool ends. NULL does nothing. */
void webhooks_drop_program(webhooks *w);

/* Without the lock, by one thread: begins the deliveries that are due. */
void webhooks_look(server *s);

#endif
