/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of requests: which may be set, and their form. */
#ifndef CURFEW_HOST_HEADER_H
#define CURFEW_HOST_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether nobody but the host may set this header: it manages connections, and only the URL says where a request goes.
 */
bool curfew__header_is_forbidden(const char *name, size_t length);
/* Converts UTF-8 to Latin-1, in place. Returns the new length, or -1 for a control character or one outside Latin-1. */
ssize_t curfew__header_to_latin(char *text, size_t length);

#endif
