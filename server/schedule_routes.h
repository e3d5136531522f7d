/* SPDX-License-Identifier: Apache-2.0 */
/* A schedule that is submitted like a run: POST /v1/runs with "schedule". */
#ifndef CURFEW_SERVER_SCHEDULE_ROUTES_H
#define CURFEW_SERVER_SCHEDULE_ROUTES_H

#include "http.h"
#include "submission.h"

/* On a thread that may read the store. key: the Idempotency-Key, or NULL. */
answer schedule_post(request *q, const submission *sub, const char *key);
/* On such a thread: whether the token has a schedule that was submitted with this key. -1: the database failed. */
int schedule_has_key(request *q, const char *key);

#endif
