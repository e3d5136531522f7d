/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of runs: ULIDs, those of one process in ascending order. */
#ifndef CURFEW_SERVER_ID_H
#define CURFEW_SERVER_ID_H

#include "common/id.h"

/* Length with the NUL. */
enum { ID_SIZE = CURFEW__ID_LENGTH + 1 };
/* Length of a hash in hexadecimal, and of a token's id. */
enum { SHA256_SIZE = 65, TOKEN_ID_SIZE = 17, TOKEN_NAME_SIZE = 65 };

/* Makes a new id. Threads: any. */
void id_create(char id[ID_SIZE]);
/* The first possible id of a time of the wall clock. */
void id_first_of(int64_t wall_us, char id[ID_SIZE]);

/* Whether this may be the name of a program or a schedule: letters, digits and "._-", beginning with a letter or digit,
 * at most NAME_MAX_BYTES. */
enum { NAME_MAX_BYTES = 128 };
bool id_is_name(const char *name);

#endif
