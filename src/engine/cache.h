/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled code on disk. It is code that this process will execute: the directory must belong to this user and be
 * writable by nobody else, a file is written under a temporary name and renamed, and what is damaged is not used.
 */
#ifndef CURFEW_ENGINE_CACHE_H
#define CURFEW_ENGINE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew.h"

/* Makes the directory (0700, parents too) if it is missing; false, and a line in failure, if it is not safe. */
bool curfew__cache_prepare(const char *folder, curfew_failure *failure);
/* A key of this directory, made once: what is authenticated with it was made by this user. False: there is none. */
bool curfew__cache_key(const char *folder, uint8_t key[32]);
/* The name of an entry: what is compiled, for what and by what. CPU features are checked by Wasmtime itself. */
#define CURFEW__CACHE_NAME 65
void curfew__cache_name(const char *flavour, const void *bytes, size_t length, char name[CURFEW__CACHE_NAME]);
/* Reads an entry whose checksum is right; NULL if there is none. Free with free. */
void *curfew__cache_read(const char *folder, const char *name, size_t *length);
/* The same as files: an entry open for reading, as it was kept, -1 if there is none; and a file whose bytes are one. */
int curfew__cache_open(const char *folder, const char *name);
void curfew__cache_keep(const char *folder, const char *name, int file);
/* Keeps an entry; a failure only means that it will be made again. */
void curfew__cache_write(const char *folder, const char *name, const void *bytes, size_t length);

/* All entries together; what was not used for longest goes when another one is kept. */
#define CURFEW__CACHE_BYTES_MOST ((uint64_t)2 << 30)
/* Removes entries until what is left takes at most so many bytes. */
void curfew__cache_trim(const char *folder, uint64_t bytes_most);

#endif
