/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input of a JavaScript program, as an operation of its run: read a chunk at a time, when the guest asks for
 * it, and never before. A thread of its own waits for it and reads, since nobody can say how long either takes.
 */
#ifndef CURFEW_HOST_INPUT_H
#define CURFEW_HOST_INPUT_H

#include "host/operations.h"

/*
 * Starts reading of an open file, which is duplicated; -1: of nothing, which ends at once. Its id, or 0 where it cannot
 * be one of the run's operations. What comes is in guest/abi.h.
 */
uint32_t curfew__input_start(curfew__operations *operations, int file);

#endif
