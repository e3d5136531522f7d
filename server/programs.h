/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources that runs are made of. Those that are the same are held once, and stay ready for a while after their last
 * run. Nothing here looks into them.
 */
#ifndef CURFEW_SERVER_PROGRAMS_H
#define CURFEW_SERVER_PROGRAMS_H

#include "server.h"

/* The owner under which an account stores programs: "" (everybody's) for an administrator. */
const char *program_owner(const account *who);

/* What a program of that name is, and how many there are of it. */
typedef struct program_search {
	char sha256[SHA256_ROOM];
	curfew_language language;
	unsigned found;
	bool has_failed; /* the database could not be read */
} program_search;

/*
 * Without the lock: one of the account's own, or else of everybody's; for an administrator also the one that any token
 * has of that name. False: there is none, or several.
 */
bool program_find(store *st, const account *who, const char *name, program_search *search);

/* SHA-256 as hexadecimal. */
void program_hash(const void *bytes, size_t length, char sha256[SHA256_ROOM]);

/* Under the lock: the program of a source, with a reference; NULL: out of memory. */
program *program_get(server *s, const char *sha256, curfew_language language, const char *name);
void program_unref(server *s, program *p);
/*
 * The same in two steps. Its run has ended, and is kept to be looked at: that takes no more than the program's name and
 * sum, so that what is ready may go. Then that run is forgotten as well.
 */
void program_rest(server *s, program *p);
void program_drop(server *s, program *p);
/* The store is about to drop sources that no run on disk has: they have to be given to it again. */
void programs_forget_stored(server *s);

/*
 * Without the lock: what the pool needs, with a reference. bytes may be NULL; it is then read from the store if it is
 * needed. NULL, and why; *is_unread, unless that is NULL: whether the store did not give it.
 */
worker_program *program_make_ready(server *s, program *p, const void *bytes, size_t length, bool *is_unread,
                                   curfew_failure *failure);

/* As many stay ready as take at most so many descriptors of this process. Answers how many they may take. */
size_t programs_allow_files(server *s, size_t files);

void programs_finish(server *s);

#endif
