/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request must not be before anybody looks at what it asks: framed in two ways, cut by a NUL, for no host. What
 * is ambiguous here a proxy in front may have read otherwise, so that it is refused and the connection ends (RFC 9112).
 */
#ifndef CURFEW_SERVER_HTTP_CHECK_H
#define CURFEW_SERVER_HTTP_CHECK_H

#include <microhttpd.h>

/* What is wrong with a request; kind NULL: nothing. All texts are static. */
typedef struct http_fault {
	unsigned status;
	const char *kind;
	const char *detail;
} http_fault;

/* Whether a request target has a NUL, however it is written. */
int http_target_has_nul(const char *target);

http_fault http_check_request(struct MHD_Connection *connection, const char *version);

#endif
