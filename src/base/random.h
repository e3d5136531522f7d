/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes for what is made for each run: fetched from the system some at a time, and used once. */
#ifndef CURFEW_BASE_RANDOM_H
#define CURFEW_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* At most 64 bytes of getrandom(2); no other thread, and no process made by fork, gets the same ones. False: there are
 * none yet. */
bool curfew__random_few(void *bytes, size_t length);

#endif
