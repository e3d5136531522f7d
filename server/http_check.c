/* SPDX-License-Identifier: Apache-2.0 */
/* Further checks of a request's head, which the library has parsed. */
#include "http_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct head {
	unsigned hosts, lengths, encodings;
	const char *host, *length, *encoding, *content_encoding, *expect;
	bool lengths_differ, has_nul;
} head;

int http_target_has_nul(const char *target)
{
	return strstr(target, "%00") != NULL;
}

static bool is_named(const char *key, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(key, name, length) == 0;
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *key, size_t key_length,
                                  const char *value, size_t value_length)
{
	head *h = context;

	h->has_nul |= memchr(key, '\0', key_length) != NULL || (value != NULL && memchr(value, '\0', value_length) != NULL);
	if (value == NULL)
		return MHD_YES;
	if (is_named(key, key_length, MHD_HTTP_HEADER_HOST)) {
		h->hosts++;
		h->host = value;
	} else if (is_named(key, key_length, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
		h->lengths_differ |= h->length != NULL && strcmp(h->length, value) != 0;
		h->lengths++;
		h->length = value;
	} else if (is_named(key, key_length, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
		h->encodings++;
		h->encoding = value;
	} else if (is_named(key, key_length, MHD_HTTP_HEADER_CONTENT_ENCODING)) {
		h->content_encoding = value;
	} else if (is_named(key, key_length, MHD_HTTP_HEADER_EXPECT)) {
		h->expect = value;
	}
	return MHD_YES;
}

/* Letters, digits, and the separators of names, addresses and ports. */
static bool is_host(const char *host)
{
	return *host != '\0' && strlen(host) < 300 &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%:[]") == strlen(host);
}

static http_fault bad(const char *kind, const char *detail)
{
	return (http_fault){MHD_HTTP_BAD_REQUEST, kind, detail};
}

http_fault http_check_request(struct MHD_Connection *connection, const char *version)
{
	head h = {0};

	(void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_field, &h);
	if (h.has_nul)
		return bad("nul", "a header of the request contains a NUL");
	if (h.lengths > 0 && h.encodings > 0)
		return bad("framing", "the request has both a Content-Length and a Transfer-Encoding");
	if (h.lengths > 1)
		return bad("framing",
		           h.lengths_differ ? "the request has two Content-Lengths" : "the request repeats its Content-Length");
	if (h.length != NULL && (*h.length == '\0' || strspn(h.length, "0123456789") != strlen(h.length)))
		return bad("framing", "the Content-Length is not a number");
	if (h.encodings > 1 || (h.encoding != NULL && strcasecmp(h.encoding, "chunked") != 0))
		return bad("framing", "the only supported Transfer-Encoding is chunked");
	if (h.hosts > 1 || (h.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0) ||
	    (h.host != NULL && !is_host(h.host)))
		return bad("host", "the request must have one Host, a name or an address with or without a port");
	if (h.expect != NULL && strcasecmp(h.expect, "100-continue") != 0)
		return (http_fault){MHD_HTTP_EXPECTATION_FAILED, "expect", "the only supported Expect is 100-continue"};
	if (h.content_encoding != NULL && strcasecmp(h.content_encoding, "identity") != 0)
		return (http_fault){MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "content-encoding",
		                    "bodies with a Content-Encoding are not supported"};
	return (http_fault){0};
}
