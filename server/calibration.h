/* SPDX-License-Identifier: Apache-2.0 */
/* Fuel per millisecond of CPU time on this machine, as curfew calibrate measures it. It is kept in the data directory,
 * and measured on request. */
#ifndef CURFEW_SERVER_CALIBRATION_H
#define CURFEW_SERVER_CALIBRATION_H

#include "server.h"
#include "common/text.h"

/* Under the lock: measures, unless a measurement is in progress. False: no thread can be started. */
bool calibration_measure(server *s);
/* Under the lock: reads a kept result. If it is of another machine or version, measures again. */
void calibration_recall(server *s);
/* Under the lock: {state, problem, calibration}. */
void calibration_write(const server *s, text *out);
/* Without the lock, at the end: stops a measurement in progress. */
void calibration_finish(server *s);

#endif
