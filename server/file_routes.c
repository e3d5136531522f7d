/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the console and the descriptions of the interface. They are kept as gzip, and sent like this to clients
 * that accept it (RFC 9110, section 12.5.3). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "embedded.h"
#include "routes.h"

static const embedded_file *find_file(const char *url)
{
	const char *path = strcmp(url, "/") == 0 ? "/index.html" : url;
	const embedded_file *file = embedded_files;
	while (file->path != NULL && (strcmp(file->path, path) != 0 || strcmp(path, "/list") == 0))
		file++;
	return file->path != NULL ? file : NULL;
}

bool file_exists(const char *url)
{
	return find_file(url) != NULL;
}

/* Whether a list such as "gzip;q=0.8, br" has gzip with a weight other than 0. */
static bool accepts_gzip(const char *list)
{
	while (list != NULL && *list != '\0') {
		list += strspn(list, " \t,");
		size_t length = strcspn(list, ","), name = strcspn(list, " \t,;");
		if (name == 4 && strncasecmp(list, "gzip", 4) == 0) {
			const char *weight = memchr(list, '=', length);
			return weight == NULL || strtod(weight + 1, NULL) > 0;
		}
		list += length;
	}
	return false;
}

/* NULL: no memory. */
static void *unpack(const embedded_file *file)
{
	z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)file->packed, .avail_in = (uInt)file->packed_length};
	void *bytes = malloc(file->length);
	if (bytes == NULL || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
		free(bytes);
		return NULL;
	}
	stream.next_out = bytes;
	stream.avail_out = (uInt)file->length;
	bool good = inflate(&stream, Z_FINISH) == Z_STREAM_END;
	(void)inflateEnd(&stream);
	if (good)
		return bytes;
	free(bytes);
	return NULL;
}

static answer send_response(request *q, const embedded_file *file, unsigned status, struct MHD_Response *response)
{
	if (response == NULL)
		return reply_no_memory(q);
	reply_add_headers(response, status == MHD_HTTP_OK ? file->type : NULL);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, file->etag);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	(void)MHD_add_response_header(response, "Content-Security-Policy",
	                              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	                              "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	                              "require-trusted-types-for 'script'; trusted-types 'none'");
	(void)MHD_add_response_header(response, "X-Frame-Options", "DENY");
	(void)MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
	return reply_queue(q, status, response);
}

static answer send_plain(request *q)
{
	const embedded_file *file = find_file(q->parameter);
	void *bytes = unpack(file);
	struct MHD_Response *response = NULL;
	if (bytes != NULL)
		response = MHD_create_response_from_buffer(file->length, bytes, MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		free(bytes);
	return send_response(q, file, MHD_HTTP_OK, response);
}

answer route_get_file(request *q)
{
	const embedded_file *file = find_file(q->parameter);
	const char *known = http_header(q, MHD_HTTP_HEADER_IF_NONE_MATCH);
	bool is_known = known != NULL && strstr(known, file->etag + 2) != NULL; /* without the mark of a weak one */
	if (!is_known && !accepts_gzip(http_header(q, MHD_HTTP_HEADER_ACCEPT_ENCODING)))
		return http_help(q, send_plain);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		is_known ? 0 : file->packed_length, (void *)(uintptr_t)file->packed, MHD_RESPMEM_PERSISTENT);
	if (response != NULL && !is_known)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return send_response(q, file, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
