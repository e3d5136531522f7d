/* SPDX-License-Identifier: Apache-2.0 */
/* Further checks of a request's head, which the library has parsed. */
#include "http_check.h"

#include "common/http_token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Headers of which a request has one, because two of them would contradict each other. */
static const char *const single[] = {MHD_HTTP_HEADER_AUTHORIZATION,
                                     MHD_HTTP_HEADER_CONTENT_ENCODING,
                                     MHD_HTTP_HEADER_CONTENT_TYPE,
                                     MHD_HTTP_HEADER_EXPECT,
                                     "Idempotency-Key",
                                     "Last-Event-ID",
                                     MHD_HTTP_HEADER_ORIGIN,
                                     "Sec-Fetch-Site"};

typedef struct head {
	unsigned hosts, lengths, encodings;
	const char *host, *length, *encoding, *content_encoding, *expect;
	bool lengths_differ, has_nul, has_bad_name, has_control, is_folded, is_repeated;
	unsigned seen; /* a bit for each of the single ones */
} head;

int http_target_has_nul(const char *target)
{
	return strstr(target, "%00") != NULL;
}

static bool is_named(const char *key, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(key, name, length) == 0;
}

static bool has_control(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
			return true;
	}
	return false;
}

static void note_single(head *h, const char *key, size_t length)
{
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
		if (!is_named(key, length, single[i]))
			continue;
		h->is_repeated |= (h->seen & (1U << i)) != 0;
		h->seen |= 1U << i;
	}
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *key, size_t key_length,
                                  const char *value, size_t value_length)
{
	head *h = context;

	h->has_nul |= memchr(key, '\0', key_length) != NULL || (value != NULL && memchr(value, '\0', value_length) != NULL);
	h->has_bad_name |= !curfew__http_is_token(key, key_length);
	note_single(h, key, key_length);
	if (value == NULL)
		return MHD_YES;
	h->has_control |= has_control(value, value_length);
	/* A line that continues the one before is appended to a copy of the name, which is then behind the value. */
	h->is_folded |= (uintptr_t)value < (uintptr_t)key;
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
	if (h.is_folded || h.has_bad_name || h.has_control)
		return bad("header", h.is_folded      ? "a header of the request continues on a second line"
		                     : h.has_bad_name ? "the name of a header has a character that is not allowed there"
		                                      : "a header of the request contains a control character");
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
	if (h.is_repeated)
		return bad("header", "a header that a request has once is given twice");
	if (h.expect != NULL && strcasecmp(h.expect, "100-continue") != 0)
		return (http_fault){MHD_HTTP_EXPECTATION_FAILED, "expect", "the only supported Expect is 100-continue"};
	if (h.content_encoding != NULL && strcasecmp(h.content_encoding, "identity") != 0)
		return (http_fault){MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "content-encoding",
		                    "bodies with a Content-Encoding are not supported"};
	return (http_fault){0};
}
