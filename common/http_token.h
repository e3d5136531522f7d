/* SPDX-License-Identifier: Apache-2.0 */
/* The names of HTTP: methods and headers (RFC 9110, section 5.6.2). */
#ifndef CURFEW_COMMON_HTTP_TOKEN_H
#define CURFEW_COMMON_HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Whether these bytes are a token. */
static inline bool curfew__http_is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool is_letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
		if (!is_letter && (!text[i] || !strchr("0123456789!#$%&'*+-.^_`|~", text[i])))
			return false;
	}
	return length > 0;
}

#endif
