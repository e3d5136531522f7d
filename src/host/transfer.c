/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange. The request is checked, and its host name is looked up. The address of the connection is checked where
 * the socket is made. The response is passed on a chunk at a time, as the guest asks for it. When the buffer is full
 * the transfer is paused, so that the server waits. Bodies are passed on as they were sent: the guest decodes them.
 */
#include "host/transfer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../guest/abi.h"
#include "common/http_token.h"
#include "curfew.h"
#include "host/header.h"

#define URL_BYTES_MAX ((size_t)16 << 10)
#define HEAD_BYTES_MAX ((size_t)64 << 10)
#define INCOMING_BYTES_MAX ((size_t)CURFEW_FETCH_CHUNK_BYTES)
/* The parcels of a body. */
#define BODY_BYTES ((size_t)128 << 10)

/* ---- The request ------------------------------------------------------------------------------------------ */

/* Removes the next line from the text. False: there is none. */
static bool take_line(const char **at, const char *end, const char **line, size_t *length)
{
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));

	if (!stop)
		return false;
	*line = *at;
	*length = (size_t)(stop - *at);
	*at = stop + 1;
	return true;
}

static bool is_one_of(const char *const *names, const char *text, size_t length)
{
	for (; *names; names++)
		if (strlen(*names) == length && !strncasecmp(*names, text, length))
			return true;
	return false;
}

static bool add_header(curfew__transfer *transfer, const char *text)
{
	struct curl_slist *list = curfew__session_curl(transfer->session)->slist_append(transfer->headers, text);

	if (list)
		transfer->headers = list;
	return list != NULL;
}

static const char *parse_header(curfew__transfer *transfer, const char *line, size_t length, char *buffer)
{
	const char *colon = memchr(line, ':', length);
	size_t name = colon ? (size_t)(colon - line) : 0;

	if (!curfew__http_is_token(line, name))
		return "a header's name is malformed";
	if (curfew__header_is_forbidden(line, name)) {
		snprintf(buffer, 256, "the header %.*s cannot be set", (int)(name < 100 ? name : 100), line);
		return buffer;
	}
	char *text = malloc(length + 3);
	if (!text)
		return "out of memory";
	/* Formats a header for libcurl: "name: value", or "name;" for one without a value. */
	memcpy(text, line, name);
	memcpy(text + name, ": ", 2);
	memcpy(text + name + 2, colon + 1, length - name - 1);
	ssize_t value = curfew__header_to_latin(text + name + 2, length - name - 1);
	bool ok = value >= 0;
	if (ok && !value)
		memcpy(text + name, ";", 2);
	else if (ok)
		text[name + 2 + (size_t)value] = 0;
	const char *wrong = !ok                          ? "a header's value has invalid characters"
	                    : add_header(transfer, text) ? NULL
	                                                 : "out of memory";
	free(text);
	return wrong;
}

static const char *parse_method(curfew__transfer *transfer, const char *line, size_t length)
{
	static const char *const refused[] = {"CONNECT", "TRACE", "TRACK", NULL};

	if (length > 64 || !curfew__http_is_token(line, length))
		return "the method is malformed";
	if (is_one_of(refused, line, length))
		return "the method is not allowed";
	transfer->method = strndup(line, length);
	return transfer->method ? NULL : "out of memory";
}

static const char *parse_body(curfew__transfer *transfer, const char *line, size_t length)
{
	transfer->has_body = !(length == 1 && *line == '-');
	transfer->body_length = transfer->has_body ? -1 : 0;
	if (!transfer->has_body || (length == 1 && *line == '?'))
		return NULL;
	if (length == 1 && *line == '^') {
		transfer->upgrades = true;
		return strcmp(transfer->method, "GET") ? "only GET can be upgraded" : NULL;
	}
	transfer->body_length = 0;
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)line[i]) || length > 15)
			return "the body's length is malformed";
		transfer->body_length = transfer->body_length * 10 + (line[i] - '0');
	}
	return NULL;
}

/* Returns a part of the URL; free it with curl_free. */
static char *part(curfew__transfer *transfer, CURLUPart which, unsigned flags)
{
	char *text = NULL;
	return curfew__session_curl(transfer->session)->url_get(transfer->url, which, &text, flags) ? NULL : text;
}

static bool read_url_parts(curfew__transfer *transfer)
{
	const curfew__curl *curl = curfew__session_curl(transfer->session);
	char *scheme = part(transfer, CURLUPART_SCHEME, 0), *host = part(transfer, CURLUPART_HOST, 0);
	char *port = part(transfer, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	bool ok = scheme && host && *host && port && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));

	if (ok) {
		bool six = *host == '[';
		transfer->host = strndup(host + six, strlen(host) - 2 * six);
		transfer->port = (uint16_t)strtoul(port, NULL, 10);
	}
	curl->free(scheme);
	curl->free(host);
	curl->free(port);
	return ok && transfer->host;
}

static const char *parse_url(curfew__transfer *transfer, const char *line, size_t length)
{
	const curfew__curl *curl = curfew__session_curl(transfer->session);

	if (length > URL_BYTES_MAX)
		return "the URL is longer than 16 KiB";
	for (size_t i = 0; i < length; i++)
		if (line[i] <= ' ' || line[i] > '~')
			return "the URL is malformed";
	char *text = strndup(line, length);
	transfer->url = curl->url();
	bool ok = text && transfer->url &&
	          !curl->url_set(transfer->url, CURLUPART_URL, text, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) &&
	          read_url_parts(transfer);
	free(text);
	if (!ok)
		return "the URL must be http or https, without a user";
	if (!curfew__allow_list_has(transfer->session->allowed, transfer->host, transfer->port))
		return CURFEW__FETCH_NOT_ALLOWED;
	return NULL;
}

/* Whether a line for libcurl ("name: value", or "name;") has this name. */
static bool has_name(const char *line, const char *name)
{
	size_t length = strlen(name);
	return !strncasecmp(line, name, length) && (line[length] == ':' || line[length] == ';');
}

/* The host's header replaces those that the program has set. */
static bool put_header(void *context, const char *name, const char *text)
{
	curfew__transfer *transfer = context;

	for (struct curl_slist **at = &transfer->headers; *at;) {
		struct curl_slist *one = *at;
		if (!has_name(one->data, name)) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		one->next = NULL;
		curfew__session_curl(transfer->session)->slist_free_all(one);
	}
	return add_header(transfer, text);
}

const char *curfew__transfer_parse(curfew__transfer *transfer, const char *text, size_t length, char *buffer)
{
	const char *at = text, *end = text + length, *line, *wrong;
	size_t line_length;

	curfew__buffer_init(&transfer->head, 2 * HEAD_BYTES_MAX); /* each byte of a header may become two */
	if (length > CURFEW__FETCH_REQUEST_BYTES)
		return CURFEW__FETCH_TOO_LARGE;
	if (!take_line(&at, end, &line, &line_length))
		return "the request is malformed";
	if ((wrong = parse_method(transfer, line, line_length)))
		return wrong;
	if (!take_line(&at, end, &line, &line_length))
		return "the request is malformed";
	if ((wrong = parse_url(transfer, line, line_length)))
		return wrong;
	if (!take_line(&at, end, &line, &line_length))
		return "the request is malformed";
	if ((wrong = parse_body(transfer, line, line_length)))
		return wrong;
	while (take_line(&at, end, &line, &line_length))
		if ((wrong = parse_header(transfer, line, line_length, buffer)))
			return wrong;
	if (!curfew__secret_headers_add(transfer->session->secret_headers, transfer->host, transfer->port, put_header,
	                                transfer))
		return "out of memory";
	size_t needed = CURFEW__FETCH_BYTES + (transfer->has_body ? BODY_BYTES : 0);
	if (!curfew__session_charge(transfer->session, needed))
		return CURFEW__FETCH_TOO_MANY;
	transfer->bytes_kept = needed;
	return NULL;
}

/* ---- The end ---------------------------------------------------------------------------------------------- */

/* Releases libcurl's handle, which closes a connection in use. */
static void drop_easy(curfew__transfer *transfer)
{
	const curfew__curl *curl = curfew__session_curl(transfer->session);

	if (!transfer->easy)
		return;
	curl->multi_remove_handle(curfew__session_multi(transfer->session), transfer->easy);
	curl->easy_cleanup(transfer->easy);
	transfer->easy = NULL;
}

static void keep_only(curfew__transfer *transfer, size_t bytes)
{
	if (bytes >= transfer->bytes_kept)
		return;
	curfew__session_refund(transfer->session, transfer->bytes_kept - bytes);
	transfer->bytes_kept = bytes;
}

/* The transfer may be freed by this, unless the caller has a reference. */
static void finish_transfer(curfew__transfer *transfer)
{
	if (transfer->over)
		return;
	transfer->over = true;
	drop_easy(transfer);
	curfew__transfer_leave(transfer);
	keep_only(transfer, 0);
	if (transfer->started)
		curfew__operation_unref(&transfer->operation);
}

static void fail_transfer(curfew__transfer *transfer, const char *reason)
{
	char *copy = strdup(reason);

	curfew__operation_post(&transfer->operation, CURFEW_FETCH_FAILED, true, copy, copy ? strlen(copy) : 0);
	finish_transfer(transfer);
}

void curfew__transfer_finish(curfew__transfer *transfer)
{
	const curfew__curl *curl = curfew__session_curl(transfer->session);

	keep_only(transfer, 0);
	for (struct curl_slist *one = transfer->headers; one && transfer->session->secret_headers; one = one->next)
		explicit_bzero(one->data, strlen(one->data));
	curl->slist_free_all(transfer->headers);
	curl->slist_free_all(transfer->resolve);
	curl->url_cleanup(transfer->url);
	curfew__buffer_finish(&transfer->head);
	free(transfer->parcel);
	free(transfer->host);
	free(transfer->method);
	free(transfer->addresses);
	free(transfer->sending);
	free(transfer->incoming);
}

/* ---- The response's head ---------------------------------------------------------------------------------- */

static bool add_latin(curfew__buffer *buffer, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		char two[2] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
		if (!(c < 0x80 ? curfew__buffer_add(buffer, text + i, 1) : curfew__buffer_add(buffer, two, 2)))
			return false;
	}
	return true;
}

/* A status line, "HTTP/1.1 200 OK". The headers before it belong to an answer that was not the last one. */
static bool start_head(curfew__transfer *transfer, const char *line, size_t length)
{
	const char *blank = memchr(line, ' ', length), *end = line + length;

	curfew__buffer_finish(&transfer->head);
	transfer->status = blank ? strtol(blank + 1, NULL, 10) : 0;
	const char *text = blank ? memchr(blank + 1, ' ', (size_t)(end - blank - 1)) : NULL;
	return curfew__buffer_printf(&transfer->head, "%ld ", transfer->status) &&
	       add_latin(&transfer->head, text ? text + 1 : end, text ? (size_t)(end - text - 1) : 0) &&
	       curfew__buffer_add(&transfer->head, "\n", 1);
}

static bool add_to_head(curfew__transfer *transfer, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);

	/* A line that is not a header is left out, as libcurl does. */
	if (!colon || !curfew__http_is_token(line, (size_t)(colon - line)))
		return true;
	const char *value = colon + 1, *end = line + length;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	/* A header with one of these is invalid, and is left out. */
	if (memchr(value, '\r', (size_t)(end - value)) || memchr(value, 0, (size_t)(end - value)))
		return true;
	return add_latin(&transfer->head, line, (size_t)(colon - line)) && curfew__buffer_add(&transfer->head, ":", 1) &&
	       add_latin(&transfer->head, value, (size_t)(end - value)) && curfew__buffer_add(&transfer->head, "\n", 1);
}

static void post_head(curfew__transfer *transfer)
{
	size_t length;
	char *head = curfew__buffer_take(&transfer->head, &length);

	transfer->head_reported = true;
	curfew__operation_post(&transfer->operation, CURFEW_FETCH_HEAD, false, head, length);
}

static bool is_upgraded(const curfew__transfer *transfer)
{
	return transfer->upgrades && transfer->status == 101;
}

/* Called by libcurl for each line, including the empty one. */
static size_t on_header(char *line, size_t one, size_t size, void *context)
{
	curfew__transfer *transfer = context;
	size_t length = size;

	if (size > HEAD_BYTES_MAX - transfer->head_bytes) {
		transfer->head.failed = true;
		return 0;
	}
	transfer->head_bytes += size;
	while (length && strchr("\r\n \t", line[length - 1]))
		length--;
	if (transfer->head_reported) /* a trailer */
		return size;
	if (length >= 5 && !strncmp(line, "HTTP/", 5))
		return start_head(transfer, line, length) ? size : 0;
	if (length)
		return add_to_head(transfer, line, length) ? size : 0;
	if (transfer->status >= 200 || is_upgraded(transfer))
		post_head(transfer);
	return size;
}

/* ---- The response's body ---------------------------------------------------------------------------------- */

static bool reserve_space(curfew__transfer *transfer, size_t size)
{
	size_t needed = transfer->incoming_length + size;
	size_t capacity = transfer->incoming_capacity ? transfer->incoming_capacity : 4096;

	if (needed <= transfer->incoming_capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	char *grown = realloc(transfer->incoming, capacity);
	if (!grown)
		return false;
	transfer->incoming = grown;
	transfer->incoming_capacity = capacity;
	return true;
}

/* Resumes libcurl in each direction that is paused and may continue. */
static void resume(curfew__transfer *transfer)
{
	bool receive = transfer->receive_paused && transfer->incoming_length < INCOMING_BYTES_MAX / 2;
	bool send = transfer->send_paused && (transfer->sending || transfer->sending_ended);

	if (!transfer->easy || (!receive && !send))
		return;
	transfer->receive_paused &= !receive;
	transfer->send_paused &= !send;
	int mask = (transfer->receive_paused ? CURLPAUSE_RECV : 0) | (transfer->send_paused ? CURLPAUSE_SEND : 0);
	curfew__session_curl(transfer->session)->easy_pause(transfer->easy, mask);
}

/* Passes on all that has arrived, if a chunk is wanted. */
static void deliver_chunk(curfew__transfer *transfer)
{
	size_t length = transfer->incoming_length;
	char *chunk = transfer->incoming;

	if (!transfer->chunk_wanted || !length)
		return;
	transfer->incoming = NULL;
	transfer->incoming_length = transfer->incoming_capacity = 0;
	transfer->chunk_wanted = false;
	curfew__operation_post(&transfer->operation, CURFEW_FETCH_CHUNK, false, chunk, length);
}

/* Called by libcurl with data. Passes on a chunk if one is wanted. If the buffer is full, the server has to wait. */
static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
	curfew__transfer *transfer = context;

	if (transfer->incoming_length && size > INCOMING_BYTES_MAX - transfer->incoming_length) {
		transfer->receive_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (!reserve_space(transfer, size))
		return 0;
	memcpy(transfer->incoming + transfer->incoming_length, bytes, size);
	transfer->incoming_length += size;
	deliver_chunk(transfer);
	return size;
}

/* Does what is possible for the guest now. The transfer may be freed by this, unless the caller has a reference. */
static void deliver(curfew__transfer *transfer)
{
	if (transfer->over || !transfer->head_reported)
		return;
	deliver_chunk(transfer);
	if (transfer->received && !transfer->incoming_length) {
		curfew__operation_post(&transfer->operation, CURFEW_FETCH_END, true, NULL, 0);
		finish_transfer(transfer);
		return;
	}
	resume(transfer);
}

/* ---- The request's body ----------------------------------------------------------------------------------- */

static size_t on_send(char *to, size_t one, size_t room, void *context)
{
	curfew__transfer *transfer = context;
	size_t left = transfer->sending_length - transfer->sent, size = left < room ? left : room;

	/* Do not send yet: a server that has not agreed to another protocol would take the bytes for a request. */
	if (transfer->upgrades && !(transfer->head_reported && is_upgraded(transfer))) {
		transfer->send_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	if (!transfer->sending) {
		transfer->send_paused = !transfer->sending_ended;
		return transfer->sending_ended ? 0 : CURL_READFUNC_PAUSE;
	}
	memcpy(to, transfer->sending + transfer->sent, size);
	transfer->sent += size;
	if (size == left) {
		free(transfer->sending);
		transfer->sending = NULL;
		transfer->sending_length = transfer->sent = 0;
		curfew__operation_post(&transfer->operation, CURFEW_FETCH_SENT, false, NULL, 0);
	}
	return size;
}

/* ---- The connection --------------------------------------------------------------------------------------- */

static curl_socket_t make_socket(curfew__transfer *transfer, const struct curl_sockaddr *address)
{
	int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	if (made >= 0)
		curfew__session_count_socket(transfer->session, 1);
	transfer->socket = made;
	return made;
}

/* A connection may outlive the transfer that made it, but not its run's session. */
static int on_close_socket(void *context, curl_socket_t socket)
{
	curfew__session_count_socket(context, -1);
	return close(socket);
}

/* The only place where sockets are made, so every address is checked before it is connected to. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	curfew__transfer *transfer = context;
	const struct sockaddr *to = &address->addr;

	if (curfew__session_is_crowded(transfer->session, true)) {
		transfer->is_crowded_out = true;
		return CURL_SOCKET_BAD;
	}
	if (curfew__allow_list_has_address(transfer->session->allowed, transfer->host, transfer->port, to))
		return make_socket(transfer, address);
	const void *bytes = to->sa_family == AF_INET6
	                        ? (const void *)&((const struct sockaddr_in6 *)(const void *)to)->sin6_addr
	                        : (const void *)&((const struct sockaddr_in *)(const void *)to)->sin_addr;
	if (!inet_ntop(to->sa_family, bytes, transfer->refused, sizeof transfer->refused))
		snprintf(transfer->refused, sizeof transfer->refused, "of another kind");
	return CURL_SOCKET_BAD;
}

/*
 * Called by libcurl regularly. If a connection sends for ever, libcurl does not report that the other end has closed
 * it. The data that was read by then has been passed on.
 */
static int on_progress(void *context, curl_off_t all_in, curl_off_t in, curl_off_t all_out, curl_off_t out)
{
	curfew__transfer *transfer = context;
	char byte;

	return transfer->head_reported && !transfer->receive_paused &&
	       recv(transfer->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool is_method(const curfew__transfer *transfer, const char *method)
{
	return !strcmp(transfer->method, method);
}

static void set_method(curfew__transfer *transfer)
{
	__typeof__(&curl_easy_setopt) set = curfew__session_curl(transfer->session)->easy_setopt;
	CURL *easy = transfer->easy;

	if (transfer->has_body) {
		set(easy, CURLOPT_UPLOAD, 1L);
		set(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->body_length);
		set(easy, CURLOPT_READFUNCTION, on_send);
		set(easy, CURLOPT_READDATA, transfer);
	} else if (is_method(transfer, "HEAD")) {
		set(easy, CURLOPT_NOBODY, 1L);
	}
	set(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
}

static void set_options(curfew__transfer *transfer, CURLSH *share)
{
	__typeof__(&curl_easy_setopt) set = curfew__session_curl(transfer->session)->easy_setopt;
	CURL *easy = transfer->easy;

	set(easy, CURLOPT_PRIVATE, transfer);
	set(easy, CURLOPT_ERRORBUFFER, transfer->details);
	set(easy, CURLOPT_SHARE, share);
	set(easy, CURLOPT_CURLU, transfer->url);
	set(easy, CURLOPT_PATH_AS_IS, 1L);
	set(easy, CURLOPT_RESOLVE, transfer->resolve);
	set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	/* Each exchange in flight has its own connection, so that ending the exchange can close it. */
	set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set(easy, CURLOPT_PROXY, "");
	set(easy, CURLOPT_NOSIGNAL, 1L);
	set(easy, CURLOPT_FOLLOWLOCATION, 0L);
	set(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	set(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	set(easy, CURLOPT_OPENSOCKETDATA, transfer);
	set(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	set(easy, CURLOPT_CLOSESOCKETDATA, transfer->session);
	set(easy, CURLOPT_FORBID_REUSE, curfew__session_is_crowded(transfer->session, false) ? 1L : 0L);
	set(easy, CURLOPT_HEADERFUNCTION, on_header);
	set(easy, CURLOPT_HEADERDATA, transfer);
	set(easy, CURLOPT_WRITEFUNCTION, on_body);
	set(easy, CURLOPT_WRITEDATA, transfer);
	set(easy, CURLOPT_USERAGENT, "curfew/" CURFEW_VERSION);
	set(easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (transfer->upgrades) {
		set(easy, CURLOPT_FORBID_REUSE, 1L);
		set(easy, CURLOPT_FRESH_CONNECT, 1L);
		set(easy, CURLOPT_NOPROGRESS, 0L);
		set(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
		set(easy, CURLOPT_XFERINFODATA, transfer);
	}
	set_method(transfer);
}

/* libcurl accepts the addresses of a name in this form: "name:port:address,address". */
static bool set_addresses(curfew__transfer *transfer)
{
	curfew__buffer text;

	if (!transfer->addresses)
		return true;
	curfew__buffer_init(&text, 8192);
	bool ok = curfew__buffer_printf(&text, "%s:%u:%s", transfer->host, transfer->port, transfer->addresses);
	transfer->resolve = ok ? curfew__session_curl(transfer->session)->slist_append(NULL, text.data) : NULL;
	curfew__buffer_finish(&text);
	return transfer->resolve != NULL;
}

/* "Expect:" keeps libcurl from adding that header. */
static bool add_own_headers(curfew__transfer *transfer)
{
	/* "Transfer-Encoding:" removes libcurl's own header: the body is sent unchanged. */
	if (transfer->upgrades)
		return add_header(transfer, "Expect:") && add_header(transfer, "Transfer-Encoding:") &&
		       add_header(transfer, "Connection: Upgrade") && add_header(transfer, "Upgrade: websocket");
	return add_header(transfer, "Expect:");
}

static void connect_transfer(curfew__transfer *transfer)
{
	const curfew__curl *curl = curfew__session_curl(transfer->session);
	CURLSH *share = curfew__session_share(transfer->session);

	if (!share || !add_own_headers(transfer) || !set_addresses(transfer) || !(transfer->easy = curl->easy_init())) {
		fail_transfer(transfer, "out of memory");
		return;
	}
	set_options(transfer, share);
	if (curl->multi_add_handle(curfew__session_multi(transfer->session), transfer->easy))
		fail_transfer(transfer, "out of memory");
}

/* Addresses need no lookup, and libcurl resolves "localhost" itself. */
static bool needs_lookup(const curfew__transfer *transfer)
{
	uint8_t address[16];
	return inet_pton(AF_INET, transfer->host, address) != 1 && inet_pton(AF_INET6, transfer->host, address) != 1 &&
	       strcasecmp(transfer->host, "localhost") != 0;
}

static void after_lookup(curfew__transfer *transfer)
{
	char reason[256];

	if (transfer->addresses) {
		connect_transfer(transfer);
		return;
	}
	snprintf(reason, sizeof reason, "its address cannot be found: %s", transfer->lookup_failure);
	fail_transfer(transfer, reason);
}

void curfew__transfer_begin(curfew__transfer *transfer)
{
	if (needs_lookup(transfer))
		curfew__transfer_look_up(transfer);
	else
		connect_transfer(transfer);
}

/*
 * Checks that the body has exactly the declared length. Bytes after it on the connection would be a request of the
 * guest's own making, with any head that it likes. Returns NULL if it has.
 */
static const char *refuse_body(const curfew__transfer *transfer, size_t parcel_length, bool ends)
{
	int64_t given = transfer->body_given + (int64_t)parcel_length;

	if (transfer->sending_ended && (parcel_length || ends))
		return "its body continues after its end";
	if (transfer->body_length < 0)
		return NULL;
	if (given > transfer->body_length)
		return "its body is longer than was declared";
	return ends && given < transfer->body_length ? "its body is shorter than was declared" : NULL;
}

/* Takes ownership of the parcel (NULL: none). False: the transfer has failed. */
static bool take_body(curfew__transfer *transfer, char *parcel, size_t parcel_length, bool ends)
{
	const char *wrong = refuse_body(transfer, parcel ? parcel_length : 0, ends);

	if (wrong) {
		free(parcel);
		fail_transfer(transfer, wrong);
		return false;
	}
	if (parcel) {
		free(transfer->sending);
		transfer->sending = parcel;
		transfer->sending_length = parcel_length;
		transfer->sent = 0;
		transfer->body_given += (int64_t)parcel_length;
	}
	transfer->sending_ended |= ends;
	return true;
}

void curfew__transfer_serve(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length)
{
	if (asks & CURFEW__ASK_CANCEL)
		finish_transfer(transfer);
	if (transfer->over) {
		free(parcel);
		return;
	}
	if (asks & CURFEW__ASK_START)
		curfew__transfer_queue(transfer);
	if (!transfer->over && asks & CURFEW__ASK_LOOKED_UP)
		after_lookup(transfer);
	if (!transfer->over && !take_body(transfer, parcel, parcel_length, asks & CURFEW__ASK_SEND_END))
		return;
	transfer->chunk_wanted |= (asks & CURFEW__ASK_CHUNK) != 0;
	if (!transfer->over && asks & (CURFEW__ASK_SEND | CURFEW__ASK_SEND_END))
		resume(transfer);
	deliver(transfer);
}

/* ---- What libcurl says in the end -------------------------------------------------------------------------- */

static void fail_to_connect(curfew__transfer *transfer)
{
	const curfew__curl *curl = curfew__session_curl(transfer->session);
	char reason[256];
	long error = 0;

	curl->easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);
	if (transfer->is_crowded_out)
		snprintf(reason, sizeof reason, "there are too many connections already");
	else if (transfer->refused[0])
		snprintf(reason, sizeof reason, "its address %s is not public and was not allowed itself", transfer->refused);
	else
		snprintf(reason, sizeof reason, "cannot connect to it%s%s", error ? ": " : "",
		         error ? strerrordesc_np((int)error) : "");
	fail_transfer(transfer, reason);
}

static const char *reason_of(const curfew__transfer *transfer, CURLcode result)
{
	switch (result) {
	case CURLE_GOT_NOTHING: return "the server closed the connection without an answer";
	case CURLE_PARTIAL_FILE: return "the server closed the connection in the middle of the body";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return "the answer is not HTTP";
	case CURLE_OUT_OF_MEMORY: /* also for one line of 100 KiB and more */
		return transfer->head_reported ? "out of memory" : "a header of the answer is too large, or memory ran out";
	case CURLE_WRITE_ERROR:
		return transfer->head.failed ? "the answer's headers are larger than 64 KiB" : "out of memory";
	default: break;
	}
	return transfer->details[0] ? transfer->details : curfew__session_curl(transfer->session)->easy_strerror(result);
}

void curfew__transfer_done(curfew__transfer *transfer, CURLcode result)
{
	if (result == CURLE_ABORTED_BY_CALLBACK && transfer->upgrades)
		result = CURLE_OK; /* the other end has closed it: see on_progress */
	if (result == CURLE_COULDNT_CONNECT) {
		fail_to_connect(transfer);
	} else if (result != CURLE_OK) {
		fail_transfer(transfer, reason_of(transfer, result));
	} else if (!transfer->head_reported) {
		fail_transfer(transfer, "the answer is not HTTP");
	} else {
		drop_easy(transfer);
		curfew__transfer_leave(transfer);
		transfer->received = true;
		keep_only(transfer, transfer->incoming_length);
		deliver(transfer);
	}
}
