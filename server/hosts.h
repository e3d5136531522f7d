/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of hosts that runs may fetch from. They are stored as text with spaces between, because no host contains a
 * space. */
#ifndef CURFEW_SERVER_HOSTS_H
#define CURFEW_SERVER_HOSTS_H

#include "curfew.h"

/* The hosts of a text, as an array. */
typedef struct hosts {
	char *words;        /* each ended by a NUL */
	const char **items; /* [count] */
	size_t count;
} hosts;

/* Splits a text (NULL: no hosts). False: out of memory. It must be finished in any case. */
bool hosts_split(hosts *h, const char *words);
void hosts_finish(hosts *h);
/* Drops hosts that are not within a ceiling. */
void hosts_keep_within(hosts *h, const hosts *ceiling);
/* Joins the hosts with spaces; free it with free. NULL: out of memory. */
char *hosts_join(const char *const *items, size_t count);

#endif
