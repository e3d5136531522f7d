/* SPDX-License-Identifier: Apache-2.0 */
/* How much fuel a millisecond is on this machine, as curfew calibrate says: kept in the data directory, measured when
 * asked. */
#ifndef CURFEW_SERVER_CALIBRATION_H
#define CURFEW_SERVER_CALIBRATION_H

#include "server.h"
#include "common/text.h"

/* Under the lock: measures, unless that goes on already. False: no thread can be started. */
bool calibration_measure(server *s);
/* Under the lock: reads what was kept, if anything was; measures again what is of another machine or version. */
void calibration_recall(server *s);
/* Under the lock: {state, problem, calibration}. */
void calibration_write(const server *s, text *out);
/* Without the lock, at the end: stops what goes on. */
void calibration_finish(server *s);

#endif
