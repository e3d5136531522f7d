/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled code on disk. This process will execute that code, so the directory must belong to this user and be writable
 * by nobody else. A file is written under a temporary name and renamed, and a damaged one is not used.
 */
#ifndef CURFEW_ENGINE_CACHE_H
#define CURFEW_ENGINE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew.h"

/* Makes the directory (0700, parents too) if it is missing; false, and a line in failure, if it is not safe. */
bool curfew__cache_prepare(const char *directory, curfew_failure *failure);
/* The key of this directory, made once. Data that it authenticates was made by this user. False: there is none. */
bool curfew__cache_key(const char *directory, uint8_t key[32]);
/* The name of an entry: what is compiled, for what and by what. CPU features are checked by Wasmtime itself. */
#define CURFEW__CACHE_NAME 65
void curfew__cache_name(const char *flavour, const void *bytes, size_t length, char name[CURFEW__CACHE_NAME]);
/* Reads an entry with a valid checksum; free it with free. NULL if there is none. */
void *curfew__cache_read(const char *directory, const char *name, size_t *length);
/* The same with files: returns an entry open for reading, or -1; and stores the bytes of a file as an entry. */
int curfew__cache_open(const char *directory, const char *name);
void curfew__cache_keep(const char *directory, const char *name, int file);
/* Stores an entry. A failure only means that it will be made again. */
void curfew__cache_write(const char *directory, const char *name, const void *bytes, size_t length);

/* The limit of all entries together. Storing another one removes the least recently used. */
#define CURFEW__CACHE_BYTES_MAX ((uint64_t)2 << 30)
/* Removes entries until the rest takes at most this many bytes. */
void curfew__cache_trim(const char *directory, uint64_t bytes_max);

#endif
