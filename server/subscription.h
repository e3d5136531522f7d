/* SPDX-License-Identifier: Apache-2.0 */
/* A request that waits for news of a run. */
#ifndef CURFEW_SERVER_SUBSCRIPTION_H
#define CURFEW_SERVER_SUBSCRIPTION_H

#include "http.h"

/* Under the lock: news of the run wakes the request, until it is answered or ends. */
void subscribe(request *q, run *r);

#endif
