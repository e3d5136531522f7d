/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input of a JavaScript program, as an operation of its run. A chunk is read when the guest asks for it, and
 * never before. A separate thread waits and reads, because neither has a known limit of time. A program can also
 * read it synchronously, as node:fs does. Then the run's own thread waits.
 */
#ifndef CURFEW_HOST_INPUT_H
#define CURFEW_HOST_INPUT_H

#include "host/operations.h"
#include "js/guest.h"

/*
 * Starts to read an open file, which is duplicated; -1: empty input. Returns the id, or 0 if it cannot be an operation
 * of the run. guest/abi.h defines its events.
 */
uint32_t curfew__input_start(curfew__operations *operations, int file);
/*
 * Executes an operation of guest/abi.h on CURFEW_FILE_INPUT: reads some of an open file, or returns its status; -1:
 * empty input. Waits until there is something to read, or until stop is set. Returns the operation's result, or -errno.
 */
int32_t curfew__input_call(int file, curfew__guest_file *call, const atomic_uint *stop);

#endif
