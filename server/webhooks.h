/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling of the end of runs: a request to the address that a submission named, signed as the Standard Webhooks
 * specification has it, and tried again over some days. What makes the request is a program of ours in a worker,
 * so that it has the limits and the rules for addresses that any run has.
 */
#ifndef CURFEW_SERVER_WEBHOOKS_H
#define CURFEW_SERVER_WEBHOOKS_H

#include "server.h"

typedef struct webhooks webhooks; /* server.webhooks */

/* NULL: no memory, or the pool does not take the program. */
webhooks *webhooks_open(server *s);
/* When the pool is gone. NULL does nothing. */
void webhooks_close(webhooks *w);
/* The program's reference is the pool's: before that ends. NULL does nothing. */
void webhooks_drop_program(webhooks *w);

/* Without the lock, by one thread: begins with what is due. */
void webhooks_look(server *s);

#endif
