/* SPDX-License-Identifier: Apache-2.0 */
/* Begins the runs of schedules. */
#ifndef CURFEW_SERVER_SCHEDULES_H
#define CURFEW_SERVER_SCHEDULES_H

#include "server.h"

/* Without the lock, on one thread: submits the runs that are due. */
void schedules_look(server *s);

#endif
