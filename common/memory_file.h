/* SPDX-License-Identifier: Apache-2.0 */
/* Files in memory that nobody can change any more (memfd_create(2)), and how they are written. */
#ifndef CURFEW_COMMON_MEMORY_FILE_H
#define CURFEW_COMMON_MEMORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Creates an empty file without a name, for the caller to close. name is shown in /proc. -1: it cannot be created. */
int curfew__memory_file(const char *name);

/* Writes all bytes to any file, from this offset on. False: see errno. */
bool curfew__file_write(int file, const void *bytes, size_t length, off_t at);

/* Seals a file in memory against every change, for ever. */
bool curfew__file_seal(int file);

#endif
