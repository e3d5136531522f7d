/* SPDX-License-Identifier: Apache-2.0 */
#include "host/header.h"

#include <string.h>
#include <strings.h>

bool curfew__header_is_forbidden(const char *name, size_t length)
{
	static const char *const names[] = {"connection", "content-length",    "expect", "host", "keep-alive", "te",
	                                    "trailer",    "transfer-encoding", "upgrade"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == length && !strncasecmp(names[i], name, length))
			return true;
	return length > 6 && !strncasecmp(name, "proxy-", 6);
}

ssize_t curfew__header_to_latin(char *text, size_t length)
{
	size_t to = 0;

	for (size_t from = 0; from < length; from++) {
		unsigned char c = (unsigned char)text[from];
		if (c == 0xc2 || c == 0xc3) {
			if (from + 1 == length)
				return -1;
			c = (unsigned char)((c & 3) << 6 | (text[++from] & 0x3f));
		} else if (c >= 0x80 || (c < 0x20 && c != '\t') || c == 0x7f) {
			return -1;
		}
		text[to++] = (char)c;
	}
	return (ssize_t)to;
}
