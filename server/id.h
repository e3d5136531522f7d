/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of runs: ULIDs, those of one process in ascending order. */
#ifndef CURFEW_SERVER_ID_H
#define CURFEW_SERVER_ID_H

#include "common/id.h"

/* With its NUL. */
enum { ID_ROOM = CURFEW__ID_LENGTH + 1 };
/* Of a hash as hexadecimal, and of what names a token. */
enum { SHA256_ROOM = 65, TOKEN_ID_ROOM = 17, TOKEN_NAME_ROOM = 65 };

/* A new one. Threads: any. */
void id_create(char id[ID_ROOM]);
/* The first one that can be of a time of the wall clock. */
void id_first_of(int64_t wall_us, char id[ID_ROOM]);

/* Whether somebody may name a program or a schedule so: letters and digits, then "._-" as well, at most NAME_MAX_BYTES.
 */
enum { NAME_MAX_BYTES = 128 };
bool id_is_name(const char *name);

#endif
