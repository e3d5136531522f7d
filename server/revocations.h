/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens that were revoked while the database could not be written. The file has its full size from the start, so that
 * writing to it needs no space on the disk.
 */
#ifndef CURFEW_SERVER_REVOCATIONS_H
#define CURFEW_SERVER_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { REVOCATIONS_BYTES = 16384 };

typedef struct revocations {
	char lines[REVOCATIONS_BYTES + 1]; /* ids of tokens, one a line, then NULs */
} revocations;

/* Makes the file of a directory if it is missing. Always true: without it only a revocation on a full disk fails. */
bool revocations_prepare(const char *directory);
void revocations_read(const char *directory, revocations *list);
bool revocations_has(const revocations *list, const char *id);
/* False: it could not be written, or is full. */
bool revocations_add(const char *directory, const char *id);

#endif
