/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers with secrets that the host puts into the requests of a run. The program never has these secrets: it is given
 * a placeholder. The values are in locked memory; a request has a copy until it has ended.
 */
#ifndef CURFEW_HOST_SECRET_HEADERS_H
#define CURFEW_HOST_SECRET_HEADERS_H

#include <stdint.h>

#include "host/secrets.h"

typedef struct curfew__secret_headers curfew__secret_headers;

/*
 * Creates them from entries HOST:HEADER=TEMPLATE or HOST:PORT:HEADER=TEMPLATE. HOST is as in an allow list. A template
 * contains secrets as {NAME}. *headers is NULL if there are no entries. CURFEW_INVALID: one is malformed, it has no
 * secret, there is no such secret, or its value cannot be in a header.
 */
curfew_status curfew__secret_headers_create(const char *const *entries, size_t count, const curfew_secret *secrets,
                                            size_t secret_count, curfew__secret_headers **headers,
                                            curfew_failure *failure);
/* headers may be NULL. With the last reference the values are wiped. */
curfew__secret_headers *curfew__secret_headers_ref(curfew__secret_headers *headers);
void curfew__secret_headers_unref(curfew__secret_headers *headers);

/* Whether the program gets a placeholder for the secret of that name. headers may be NULL. */
bool curfew__secret_headers_have(const curfew__secret_headers *headers, const char *name, size_t length);
/* Writes the placeholder: "[secret NAME]". Returns its length; it is written only if it fits. */
size_t curfew__secret_placeholder(const char *name, size_t length, char *bytes, size_t room);

/* Adds "Name: value" to a request. The text is wiped afterwards. False: out of memory. */
typedef bool (*curfew__add_header)(void *context, const char *name, const char *text);
/* Adds the headers for a request to this host. False: out of memory. headers may be NULL. */
bool curfew__secret_headers_add(const curfew__secret_headers *headers, const char *host, uint16_t port,
                                curfew__add_header add, void *context);

#endif
