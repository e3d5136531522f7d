/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads for work that would hold up the one that serves HTTP: large bodies. */
#ifndef CURFEW_SERVER_HELPERS_H
#define CURFEW_SERVER_HELPERS_H

#include <stdbool.h>

typedef struct helpers helpers;

/* NULL: no threads, or no memory. */
helpers *helpers_start(unsigned count);
/* Does what is still to be done, and ends. NULL does nothing. */
void helpers_stop(helpers *h);
/* Has one of them call work(context), in the order of asking. False: out of memory. */
bool helpers_run(helpers *h, void (*work)(void *context), void *context);

#endif
