/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of runs. Equal sources are stored once, and stay ready for a while after their last run. Nothing here parses
 * them.
 */
#ifndef CURFEW_SERVER_PROGRAMS_H
#define CURFEW_SERVER_PROGRAMS_H

#include "server.h"

/* The owner under which an account stores programs: "" (everybody's) for an administrator. */
const char *program_owner(const account *who);

/* The program of a name, and how many there are. */
typedef struct program_search {
	char sha256[SHA256_SIZE];
	curfew_language language;
	unsigned found;
	bool has_failed; /* the database could not be read */
} program_search;

/*
 * Without the lock: finds one of the account's own programs, or else one of everybody's; for an administrator also the
 * only one of that name of any token. False: there is none, or there are several.
 */
bool program_find(store *st, const account *who, const char *name, program_search *search);

/* SHA-256 as hexadecimal. */
void program_hash(const void *bytes, size_t length, char sha256[SHA256_SIZE]);

/* Under the lock: returns the program of a source, with a reference. NULL: out of memory. */
program *program_get(server *s, const char *sha256, curfew_language language, const char *name);
void program_unref(server *s, program *p);
/*
 * Releases a program in two steps. First its run has ended, and is only kept to be shown: that needs just the program's
 * name and hash, so the pool's program may be dropped. Later the run is dropped as well.
 */
void program_rest(server *s, program *p);
void program_drop(server *s, program *p);
/* Notes that the store will drop sources that no run on disk has, so they have to be written again. */
void programs_forget_stored(server *s);

/*
 * Without the lock: returns the program for the pool, with a reference. bytes may be NULL; they are then read from the
 * store if necessary. NULL, and why; *is_unread (may be NULL) says whether the store could not read it.
 */
worker_program *program_make_ready(server *s, program *p, const void *bytes, size_t length, bool *is_unread,
                                   curfew_failure *failure);

/* Limits the ready programs to those that need at most this many descriptors of this process. Returns the limit. */
size_t programs_allow_files(server *s, size_t files);

void programs_finish(server *s);

#endif
