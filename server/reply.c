/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: JSON, problems, and the headers that each of them has. */
#include "http.h"

#include "log.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	(void)MHD_add_response_header(response, name, value);
}

void reply_add_headers(struct MHD_Response *response, const char *type)
{
	if (type != NULL)
		add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	add_header(response, "X-Content-Type-Options", "nosniff");
	add_header(response, "Referrer-Policy", "no-referrer");
	add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

void reply_add_data_headers(struct MHD_Response *response, const char *type)
{
	reply_add_headers(response, type);
	add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	add_header(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
}

typedef enum MHD_Result queue_response(struct MHD_Connection *connection, unsigned status,
                                       struct MHD_Response *response);

static queue_response *queue_in_library;

static void find_queue(void)
{
	/* Converts dlsym's object pointer to a function pointer, in the way that POSIX requires. */
	*(void **)&queue_in_library = dlsym(RTLD_NEXT, "MHD_queue_response");
}

static answer queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, find_queue);
	answer done = queue_in_library != NULL ? queue_in_library(connection, status, response) : MHD_NO;
	MHD_destroy_response(response);
	return done;
}

static void count_answer(const request *q, unsigned status)
{
	server_lock(q->server);
	metrics_add_answer(&q->server->metrics, q->route != NULL ? q->route->method : "-",
	                   q->route != NULL ? q->route->path : "-", status);
	server_unlock(q->server);
}

answer reply_queue(request *q, unsigned status, struct MHD_Response *response)
{
	if (q->is_helped) {
		q->noted = response;
		q->noted_status = status;
		return MHD_YES;
	}
	if (response == NULL)
		return MHD_NO;
	if (q->defers) {
		q->late = response;
		q->late_status = status;
		return MHD_YES;
	}
	if (q->has_yielded)
		add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	count_answer(q, status);
	answer done = queue(q->connection, status, response);
	q->answered = true;
	return done;
}

struct MHD_Response *reply_make_open(const request *q, size_t block, MHD_ContentReaderCallback reader, void *context,
                                     MHD_ContentReaderFreeCallback release)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block, reader, context,
	                                                                  release);
	/* Even where the library sends no body, it sends the end of its chunks, which a client takes for its next answer.
	 */
	if (q->is_head && response != NULL)
		(void)MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
	return response;
}

static struct MHD_Response *make(text *body)
{
	size_t length;
	char *data = text_take(body, &length);
	struct MHD_Response *response = data != NULL ? MHD_create_response_from_buffer(length, data, MHD_RESPMEM_MUST_FREE)
	                                             : NULL;
	if (response == NULL)
		free(data);
	return response;
}

answer reply_text(request *q, unsigned status, const char *type, text *body)
{
	struct MHD_Response *response = make(body);
	if (response == NULL)
		return reply_no_memory(q);
	reply_add_data_headers(response, type);
	return reply_queue(q, status, response);
}

answer reply_json(request *q, unsigned status, text *body)
{
	return reply_text(q, status, "application/json", body);
}

static void free_blob(void *shared)
{
	blob_unref(shared);
}

answer reply_blob(request *q, unsigned status, blob *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->data,
	                                                                                       free_blob, body);
	if (response == NULL) {
		blob_unref(body);
		return reply_no_memory(q);
	}
	reply_add_data_headers(response, "application/json");
	return reply_queue(q, status, response);
}

answer reply_nothing(request *q, unsigned status)
{
	static char nothing[] = "";
	struct MHD_Response *response = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	reply_add_data_headers(response, NULL);
	return reply_queue(q, status, response);
}

/* ---- Problems -------------------------------------------------------------------------------------------- */

static const struct {
	unsigned status;
	const char *title;
} titles[] = {
	{400, "Bad request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{409, "Conflict"},
	{413, "Content too large"},
	{414, "URI too long"},
	{415, "Unsupported media type"},
	{417, "Expectation failed"},
	{422, "Unprocessable content"},
	{429, "Too many requests"},
	{431, "Request header fields too large"},
	{500, "Internal error"},
	{501, "Not implemented"},
	{503, "Service unavailable"},
	{505, "HTTP version not supported"},
};

static const char *title_of(unsigned status)
{
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

static void write_problem(text *body, unsigned status, const char *kind, const char *detail, const char *pointer)
{
	text_print(body, "{\"type\":\"urn:curfew:problem:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":", kind,
	           title_of(status), status);
	text_say_json(body, detail);
	if (pointer != NULL) {
		text_say(body, ",\"pointer\":");
		text_say_json(body, pointer);
	}
	text_say(body, "}");
}

static struct MHD_Response *make_problem(unsigned status, const char *kind, const char *detail, const char *pointer)
{
	text body;
	text_init(&body, 65536);
	write_problem(&body, status, kind, detail, pointer);
	struct MHD_Response *response = make(&body);
	if (response != NULL)
		reply_add_data_headers(response, "application/problem+json");
	return response;
}

void reply_count(request *q, refusal why)
{
	server_lock(q->server);
	q->server->metrics.refused[why]++;
	server_unlock(q->server);
}

/* The address of the client, as text. */
static void write_client(const request *q, char *words, size_t room)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *from = info != NULL ? info->client_addr : NULL;
	socklen_t length = from != NULL && from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
	                                                               : sizeof(struct sockaddr_in);
	if (from == NULL || getnameinfo(from, length, words, (socklen_t)room, NULL, 0, NI_NUMERICHOST) != 0)
		(void)snprintf(words, room, "-");
}

/* Logs refused access and exceeded limits, but never what was sent. */
static void log_refusal(const request *q, unsigned status, const char *kind)
{
	bool is_access = status == MHD_HTTP_UNAUTHORIZED || status == MHD_HTTP_FORBIDDEN;
	bool is_amount = status == MHD_HTTP_CONTENT_TOO_LARGE || status == MHD_HTTP_TOO_MANY_REQUESTS ||
	                 status == MHD_HTTP_SERVICE_UNAVAILABLE;
	char from[64];
	if (!is_access && !is_amount)
		return;
	write_client(q, from, sizeof from);
	log_event_seldom(is_access ? LOG_WARN : LOG_INFO, "refused",
	                 (log_field[]){{"status", NULL, status},
	                               {"why", kind, 0},
	                               {"method", q->route != NULL ? q->route->method : "-", 0},
	                               {"route", q->route != NULL ? q->route->path : "-", 0},
	                               {"token", q->who != NULL && q->who->id[0] != '\0' ? q->who->id : "-", 0},
	                               {"from", from, 0},
	                               {0}});
}

answer reply_problem(request *q, unsigned status, const char *kind, const char *detail, const char *pointer)
{
	log_refusal(q, status, kind);
	bool is_method = status == MHD_HTTP_METHOD_NOT_ALLOWED; /* pointer is then the list of allowed methods */
	struct MHD_Response *response = make_problem(status, kind, detail, is_method ? NULL : pointer);
	if (status == MHD_HTTP_CONTENT_TOO_LARGE || status == MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE)
		reply_count(q, REFUSAL_BODY);
	if (response != NULL && status == MHD_HTTP_UNAUTHORIZED)
		add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"curfew\"");
	if (response != NULL && is_method)
		add_header(response, MHD_HTTP_HEADER_ALLOW, pointer);
	return reply_queue(q, status, response);
}

answer reply_fault(request *q, unsigned status, const char *kind, const char *detail)
{
	struct MHD_Response *response = make_problem(status, kind, detail, NULL);
	reply_count(q, REFUSAL_REQUEST);
	q->defers = false; /* the end of its body is unknown */
	if (response != NULL)
		add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return reply_queue(q, status, response);
}

answer reply_later(request *q, unsigned status, refusal why, const char *kind, const char *detail, unsigned seconds)
{
	char words[16];
	if (why != REFUSALS) {
		reply_count(q, why);
		log_refusal(q, status, kind);
	}
	struct MHD_Response *response = make_problem(status, kind, detail, NULL);
	(void)snprintf(words, sizeof words, "%u", seconds);
	if (response != NULL)
		add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, words);
	return reply_queue(q, status, response);
}

answer reply_unreadable(request *q)
{
	return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STORE, "store", "the database cannot be read", 5);
}

answer reply_not_json(request *q)
{
	return reply_problem(q, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "media-type", "the Content-Type must be application/json",
	                     NULL);
}

answer reply_no_token(request *q)
{
	return reply_problem(q, MHD_HTTP_UNAUTHORIZED, "no-token", "a valid token is needed: Authorization: Bearer TOKEN",
	                     NULL);
}

answer reply_no_memory(request *q)
{
	static char body[] = "{\"type\":\"urn:curfew:problem:no-memory\",\"title\":\"Service unavailable\",\"status\":503,"
						 "\"detail\":\"the server is out of memory\"}";
	struct MHD_Response *response = MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);
	reply_count(q, REFUSAL_MEMORY);
	if (response == NULL)
		return MHD_NO;
	reply_add_data_headers(response, "application/problem+json");
	add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	return reply_queue(q, MHD_HTTP_SERVICE_UNAVAILABLE, response);
}

/* ---- What the library answers by itself ------------------------------------------------------------------ */

static const struct {
	unsigned status;
	const char *kind, *detail;
} own_answers[] = {
	{413, "body-too-large", "the body of the request is too large"},
	{414, "address-too-long", "the address of the request is too long"},
	{431, "headers-too-large", "the headers of the request are too large"},
	{501, "not-implemented", "the server does not support that"},
	{505, "version", "HTTP/1.1 and HTTP/1.0 are served, and no other version"},
	{500, "internal", "the request could not be answered"},
	{400, "malformed", "this is not an HTTP request"}, /* also for all other statuses */
};

/* Whether the library could not read the length of the body. It then sends the head of its answer twice. */
static bool has_bad_length(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (length == NULL)
		return false;
	errno = 0;
	return *length == '\0' || length[strspn(length, "0123456789")] != '\0' ||
	       (strtoull(length, NULL, 10) == ULLONG_MAX && errno == ERANGE);
}

static enum MHD_Result write_field(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	text_print(context, "%s: %s\r\n", key, value);
	return MHD_YES;
}

/* Sends an answer past the library, which has sent everything before it. The connection is to be closed. */
static void send_problem(struct MHD_Connection *connection, unsigned status, const char *kind, const char *detail)
{
	struct MHD_Response *problem = make_problem(status, kind, detail, NULL);
	text body, all;
	if (problem == NULL)
		return;
	text_init(&body, 1 << 10);
	text_init(&all, 4 << 10);
	write_problem(&body, status, kind, detail, NULL);
	text_print(&all, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status,
	           MHD_get_reason_phrase_for(status), body.length);
	(void)MHD_get_response_headers(problem, write_field, &all);
	text_say(&all, "\r\n");
	text_add(&all, body.data, body.length);
	const union MHD_ConnectionInfo *session = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const union MHD_ConnectionInfo *socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!all.failed && session != NULL && session->tls_session != NULL)
		(void)gnutls_record_send(session->tls_session, all.data, all.length);
	else if (!all.failed && socket != NULL)
		(void)send(socket->connect_fd, all.data, all.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	text_finish(&all);
	text_finish(&body);
	MHD_destroy_response(problem);
}

/*
 * libmicrohttpd answers malformed requests by itself, with a page, and has no setting for that. It queues those answers
 * with the function that its users call. This function stands before it, so that they become problems like all others.
 * Our own answers do not come here.
 */
__attribute__((visibility("default"))) enum MHD_Result
MHD_queue_response(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response);

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned int status,
                                   struct MHD_Response *response)
{
	size_t i = 0;
	(void)response; /* its creator destroys it */
	while (i + 1 < sizeof own_answers / sizeof own_answers[0] && own_answers[i].status != status)
		i++;
	if (has_bad_length(connection)) {
		send_problem(connection, status, own_answers[i].kind, own_answers[i].detail);
		return MHD_NO; /* the library closes the connection */
	}
	struct MHD_Response *problem = make_problem(status, own_answers[i].kind, own_answers[i].detail, NULL);
	return problem != NULL ? queue(connection, status, problem) : MHD_NO;
}
