/* SPDX-License-Identifier: Apache-2.0 */
/* What begins the runs of schedules. */
#ifndef CURFEW_SERVER_SCHEDULES_H
#define CURFEW_SERVER_SCHEDULES_H

#include "server.h"

/* Without the lock, by one thread: submits the runs whose time has come. */
void schedules_look(server *s);

#endif
