/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input of a JavaScript program, as an operation of its run. A chunk is read when the guest asks for it, and
 * never before. A separate thread waits and reads, because nobody can say how long either takes.
 */
#ifndef CURFEW_HOST_INPUT_H
#define CURFEW_HOST_INPUT_H

#include "host/operations.h"

/*
 * Starts to read an open file, which is duplicated; -1: empty input. Returns the id, or 0 if it cannot be an operation
 * of the run. guest/abi.h defines its events.
 */
uint32_t curfew__input_start(curfew__operations *operations, int file);

#endif
