/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes for each run: fetched from the system several at a time, and each used once. */
#ifndef CURFEW_BASE_RANDOM_H
#define CURFEW_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Gets at most 64 bytes of getrandom(2). No other thread, and no process made by fork, gets the same ones. False: there
 * are none yet. */
bool curfew__random_few(void *bytes, size_t length);

#endif
