/* SPDX-License-Identifier: Apache-2.0 */
/* Submits a run without a waiting request: the turn of a schedule. */
#ifndef CURFEW_SERVER_RUN_ROUTES_H
#define CURFEW_SERVER_RUN_ROUTES_H

#include "server.h"

enum { RUN_WHY_SIZE = 320 };

typedef struct run_turn {
	const char *schedule;
	int64_t turn_us, next_us; /* of the wall clock: this time and the one after it */
} run_turn;

typedef enum run_taken {
	RUN_TAKEN,
	RUN_LATER,    /* there is no capacity now */
	RUN_NOT_TAKEN /* it is impossible: the program is gone, or the grants no longer suffice */
} run_taken;

/* Without the lock: does what POST /v1/runs does with this body. The same turn is accepted once, however often this is
 * called. */
run_taken run_take_turn(server *s, account *who, const char *body, size_t length, const run_turn *turn,
                        char why[RUN_WHY_SIZE]);

#endif
