/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads for work that would block the HTTP thread, such as large bodies. */
#ifndef CURFEW_SERVER_HELPERS_H
#define CURFEW_SERVER_HELPERS_H

#include <stdbool.h>

typedef struct helpers helpers;

/* NULL: threads cannot be started, or out of memory. */
helpers *helpers_start(unsigned count);
/* Finishes the queued work, and ends the threads. NULL does nothing. */
void helpers_stop(helpers *h);
/* Queues a call of work(context). Owners, which are only compared, take turns. False: out of memory. */
bool helpers_run(helpers *h, const void *owner, void (*work)(void *context), void *context);

#endif
