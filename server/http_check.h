/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refuses requests before anybody reads what they ask for: with two lengths, with a NUL, without a host, with a header
 * that is malformed or repeated. If a request is ambiguous here, a proxy in front may have read it in another way, so
 * the connection is closed as well (RFC 9112).
 */
#ifndef CURFEW_SERVER_HTTP_CHECK_H
#define CURFEW_SERVER_HTTP_CHECK_H

#include <microhttpd.h>

/* The fault of a request; kind NULL: none. All texts are static. */
typedef struct http_fault {
	unsigned status;
	const char *kind;
	const char *detail;
} http_fault;

/* Whether a request target contains a NUL, in any form. */
int http_target_has_nul(const char *target);

http_fault http_check_request(struct MHD_Connection *connection, const char *version);

#endif
