/* SPDX-License-Identifier: Apache-2.0 */
/* Submitting a run where nobody waits for an answer: the turn of a schedule. */
#ifndef CURFEW_SERVER_RUN_ROUTES_H
#define CURFEW_SERVER_RUN_ROUTES_H

#include "server.h"

enum { RUN_WHY_ROOM = 320 };

typedef struct run_turn {
	const char *schedule;
	int64_t turn_us, next_us; /* of the wall clock: this time and the one after it */
} run_turn;

typedef enum run_taken {
	RUN_TAKEN,
	RUN_LATER,    /* there is no room now */
	RUN_NOT_TAKEN /* it cannot be: the program is gone, or more is asked for than is granted by now */
} run_taken;

/* Without the lock: what POST /v1/runs does with this body. The same turn is taken once, however often it is asked for.
 */
run_taken run_take_turn(server *s, account *who, const char *body, size_t length, const run_turn *turn,
                        char why[RUN_WHY_ROOM]);

#endif
