/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of hosts that runs may fetch from, kept as text with blanks between them: no host has one inside. */
#ifndef CURFEW_SERVER_HOSTS_H
#define CURFEW_SERVER_HOSTS_H

#include "curfew.h"

/* The hosts of a text, one by one. */
typedef struct hosts {
	char *words;        /* with a NUL behind each */
	const char **items; /* [count] */
	size_t count;
} hosts;

/* NULL is none. False: out of memory. To be finished in any case. */
bool hosts_split(hosts *h, const char *words);
void hosts_finish(hosts *h);
/* Drops those that are not within a ceiling. */
void hosts_keep_within(hosts *h, const hosts *ceiling);
/* With blanks between; NULL: out of memory. Free with free. */
char *hosts_join(const char *const *items, size_t count);

#endif
