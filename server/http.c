/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and requests: their limits, how they wait, and how long they may take. */
#include "http.h"

#include "addresses.h"
#include "common/clock.h"
#include "helpers.h"
#include "http_check.h"
#include "log.h"
#include "programs.h"
#include "scheduler.h"
#include "tls.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FETCHES_AT_ONCE = 65536,     /* requests of runs */
	REFUSALS_AT_ONCE = 64,       /* connections above the limit that get an answer */
	OWN_FILES = 512,             /* descriptors for everything else */
	SPARE_FILES = 12,            /* the minimum of these, in addition to those open at the start */
	CONNECTION_FILES_MIN = 8,    /* with fewer for connections there is no service */
	CONNECTION_BYTES = 32 << 10, /* libmicrohttpd's memory for each, which it clears for every request */
	HEADER_BYTES_MAX = 16 << 10,
	BODY_BYTES_USUAL = 64 << 10, /* limit of a body that is not expected */
	PING_EVERY_US = 10000000,
	WATCHED_AFTER_US = 100000, /* a request that is answered sooner is not watched */
	ENDS_AT_ONCE = 64,
	DISCARDED_MAX = 64 << 20,  /* of the body of a request that is refused */
	IDLE_CROWDED_US = 2000000, /* for a connection without a request, if most places are taken */
};

typedef enum phase { PHASE_NEW, PHASE_IDLE, PHASE_RECEIVING, PHASE_WAITING, PHASE_REPLYING, PHASE_STREAMING } phase;

/* One connection. The HTTP thread writes its times, and the sweep reads them. */
typedef struct peer {
	int fd;
	address *from; /* all connections of its address; HTTP thread only */
	bool refused;
	bool is_evicted; /* it is being closed to make space for another one */
	bool is_watched; /* http_notice_ends watches for its end; guarded by the server's lock, like is_gone */
	bool is_gone;
	_Atomic phase phase;
	_Atomic int64_t since_us;
	curfew__link link; /* in peers */
} peer;

struct http {
	server *server;
	http_find find;
	struct MHD_Daemon *daemon;
	int listener; /* after quiescing */
	int ends;     /* an epoll of connections whose requests wait, because libmicrohttpd does not poll these */
	atomic_size_t connections;
	uint64_t connections_max, refusals_max; /* refusals_max: further connections that get an answer */
	size_t body_bytes;                      /* HTTP thread only */
	curfew__list peers;                     /* under the server's lock */
	curfew__list streams;
	size_t stream_count;
	curfew__list suspended;
	int64_t pinged_us;
	addresses addresses; /* HTTP thread only */
};

static peer *peer_of(curfew__link *link)
{
	return CURFEW__OWNER(link, peer, link);
}

static peer *next_peer(const struct http *h, const peer *p)
{
	return peer_of(curfew__list_next(&h->peers, &p->link));
}

static request *stream_of(curfew__link *link)
{
	return CURFEW__OWNER(link, request, stream);
}

static request *next_stream(const struct http *h, const request *q)
{
	return stream_of(curfew__list_next(&h->streams, &q->stream));
}

static request *first_suspended(const struct http *h)
{
	return CURFEW__OWNER(curfew__list_first(&h->suspended), request, suspended);
}

static request *next_suspended(const struct http *h, const request *q)
{
	return CURFEW__OWNER(curfew__list_next(&h->suspended, &q->suspended), request, suspended);
}

size_t http_count_connections(const struct http *h)
{
	return atomic_load_explicit(&h->connections, memory_order_relaxed);
}

static void set_phase(peer *p, phase now)
{
	if (p == NULL)
		return;
	atomic_store_explicit(&p->since_us, clock_now_us(), memory_order_relaxed);
	atomic_store_explicit(&p->phase, now, memory_order_relaxed);
}

/* ---- Connections ----------------------------------------------------------------------------------------- */

/* Whether a is closed before b when a place is needed: first those of the address with most connections, then the one
 * that has been idle longest. */
static bool goes_before(const peer *a, const peer *b)
{
	if (b == NULL || a->from->count != b->from->count)
		return b == NULL || a->from->count > b->from->count;
	return atomic_load_explicit(&a->since_us, memory_order_relaxed) <
	       atomic_load_explicit(&b->since_us, memory_order_relaxed);
}

/* Closes an idle connection, of one address or (NULL) of any. Under the lock. False: there is none. */
static bool evict(const struct http *h, const peer *newcomer, const address *from)
{
	peer *chosen = NULL;
	for (peer *p = peer_of(curfew__list_first(&h->peers)); p != NULL; p = next_peer(h, p)) {
		phase now = atomic_load_explicit(&p->phase, memory_order_relaxed);
		bool is_idle = (now == PHASE_NEW || now == PHASE_IDLE) && !p->is_evicted && p->fd >= 0 && p->from != NULL;
		if (is_idle && p != newcomer && (from == NULL || p->from == from) && goes_before(p, chosen))
			chosen = p;
	}
	if (chosen == NULL)
		return false;
	chosen->is_evicted = true;
	(void)shutdown(chosen->fd, SHUT_RDWR);
	return true;
}

static bool waits_for_run(const request *q)
{
	return q->run != NULL && q->wants_report && !q->is_stream && !q->is_gone;
}

static bool has_tenants(const server *s)
{
	size_t count = 0;
	for (const account *a = s->accounts; a != NULL; a = a->next)
		count += !a->is_over;
	return count > 1;
}

/* Whether a gives up its wait rather than b: it belongs to the token that has most of them, because that one could keep
 * all others out. Of one token's, it can be answered at once, and its run survives that. */
static bool yields_before(const request *a, const request *b)
{
	if (b == NULL || a->who != b->who)
		return b == NULL || a->who->waits > b->who->waits;
	if (a->run->accepted != b->run->accepted)
		return a->run->accepted;
	return a->run->durable && !b->run->durable;
}

/* All connections are in use: one request that waits for the end of a run is answered, without a report, and its
 * connection is closed. Under the lock. */
static void yield_wait(const struct http *h)
{
	request *chosen = NULL;
	if (!has_tenants(h->server))
		return;
	for (request *q = first_suspended(h); q != NULL; q = next_suspended(h, q)) {
		if (waits_for_run(q))
			q->who->waits = 0;
	}
	for (request *q = first_suspended(h); q != NULL; q = next_suspended(h, q)) {
		if (waits_for_run(q))
			q->who->waits++;
	}
	for (request *q = first_suspended(h); q != NULL; q = next_suspended(h, q)) {
		if (waits_for_run(q) && yields_before(q, chosen))
			chosen = q;
	}
	if (chosen == NULL)
		return;
	chosen->has_yielded = chosen->is_gone = true;
	http_wake(chosen);
}

/* Makes space for a new connection, if necessary by closing an idle one. Under the lock. */
static void take_place(struct http *h, peer *p, size_t count)
{
	const config *c = h->server->config;
	bool is_share_full = p->from == NULL || p->from->count > c->address_connections_max;
	if (is_share_full)
		p->refused = p->from == NULL || !evict(h, p, p->from);
	else if (count > h->connections_max)
		p->refused = !evict(h, p, NULL);
	if (p->refused)
		yield_wait(h);
}

static void open_peer(struct http *h, struct MHD_Connection *connection, void **place)
{
	peer *p = calloc(1, sizeof *p);
	size_t count = atomic_fetch_add_explicit(&h->connections, 1, memory_order_relaxed) + 1;
	*place = p;
	if (p == NULL)
		return;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	p->fd = info != NULL ? info->connect_fd : -1;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	p->from = addresses_enter(&h->addresses, info != NULL ? info->client_addr : NULL);
	set_phase(p, PHASE_NEW);
	server_lock(h->server);
	curfew__list_add_first(&h->peers, &p->link);
	take_place(h, p, count);
	server_unlock(h->server);
}

static void close_peer(struct http *h, peer *p)
{
	(void)atomic_fetch_sub_explicit(&h->connections, 1, memory_order_relaxed);
	if (p == NULL)
		return;
	server_lock(h->server);
	if (p->is_watched)
		(void)epoll_ctl(h->ends, EPOLL_CTL_DEL, p->fd, NULL);
	curfew__list_remove(&p->link);
	server_unlock(h->server);
	addresses_leave(&h->addresses, p->from);
	free(p);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_peer(context, connection, place);
	else
		close_peer(context, *place);
}

void http_sweep(struct http *h, int64_t now_us)
{
	int64_t max_us = (int64_t)h->server->config->request_timeout_us;
	bool is_crowded = http_count_connections(h) > h->connections_max / 8 * 7;
	int64_t idle_us = is_crowded ? IDLE_CROWDED_US : max_us * 10;
	int64_t new_us = is_crowded && IDLE_CROWDED_US < max_us ? IDLE_CROWDED_US : max_us;

	for (peer *p = peer_of(curfew__list_first(&h->peers)); p != NULL; p = next_peer(h, p)) {
		phase now = atomic_load_explicit(&p->phase, memory_order_relaxed);
		int64_t passed_us = now_us - atomic_load_explicit(&p->since_us, memory_order_relaxed);
		/* If places are scarce, a connection that has sent no request is closed sooner than one between two requests.
		 */
		bool is_slow = passed_us > (now == PHASE_IDLE ? idle_us : now == PHASE_NEW ? new_us : max_us);
		if (is_slow && p->fd >= 0 && (now <= PHASE_RECEIVING || now == PHASE_REPLYING))
			(void)shutdown(p->fd, SHUT_RDWR); /* the HTTP thread notices the end */
	}

	if (now_us - h->pinged_us < PING_EVERY_US)
		return;
	h->pinged_us = now_us;
	for (request *q = stream_of(curfew__list_first(&h->streams)); q != NULL; q = next_stream(h, q)) {
		q->wants_ping = true;
		http_wake(q);
	}
}

/* ---- The library's loop ---------------------------------------------------------------------------------- */

/*
 * libmicrohttpd asks for up to 128 events at a time. When it gets exactly as many, it asks for more before it handles
 * these, and with its full timeout, so 128 clients that send at the same instant waited until something else happened.
 * This function stands before the system's for this process: after a full batch the next call does not wait.
 */
__attribute__((visibility("default"))) int epoll_wait(int set, struct epoll_event *events, int max, int timeout);

int epoll_wait(int set, struct epoll_event *events, int max, int timeout)
{
	static _Thread_local bool was_full;
	int count = epoll_pwait(set, events, max, was_full ? 0 : timeout, NULL);
	was_full = count == max;
	return count;
}

/* ---- Waiting --------------------------------------------------------------------------------------------- */

static void suspend(request *q, answer (*go_on)(request *q))
{
	struct http *h = q->server->http;
	q->go_on = go_on;
	curfew__list_add_first(&h->suspended, &q->suspended);
	if (!q->is_stream)
		set_phase(q->peer, PHASE_WAITING);
	MHD_suspend_connection(q->connection);
}

void http_suspend(request *q, answer (*go_on)(request *q))
{
	if (q->is_helped)
		q->after_help = go_on;
	else
		suspend(q, go_on);
}

void http_wake(request *q)
{
	if (q->is_held || !curfew__link_is_listed(&q->suspended))
		return;
	curfew__list_remove(&q->suspended);
	MHD_resume_connection(q->connection);
}

void http_wake_all(struct http *h)
{
	for (request *q = first_suspended(h), *next; q != NULL; q = next) {
		next = next_suspended(h, q);
		http_wake(q);
	}
}

void http_hold(request *q)
{
	q->is_held = true;
}

void http_release(request *q)
{
	q->is_held = false;
	http_wake(q);
}

static void hold_for_help(request *q, bool is_helped)
{
	server_lock(q->server);
	q->is_helped = q->is_held = is_helped;
	server_unlock(q->server);
}

/* On a helper's thread. */
static void run_help(void *context)
{
	request *q = context;
	server *s = q->server;
	(void)q->help(q);
	server_lock(s);
	q->is_helped = false;
	http_release(q);
	server_unlock(s);
}

static answer resume_helped(request *q)
{
	server_lock(q->server);
	bool waits = q->is_helped;
	if (waits)
		suspend(q, resume_helped);
	server_unlock(q->server);
	if (waits)
		return MHD_YES;
	struct MHD_Response *noted = q->noted;
	q->noted = NULL;
	if (noted != NULL)
		return reply_queue(q, q->noted_status, noted);
	return q->after_help != NULL ? q->after_help(q) : MHD_NO;
}

answer http_help(request *q, answer (*work)(request *q))
{
	if (q->is_helped)
		return work(q);
	q->help = work;
	q->after_help = NULL;
	hold_for_help(q, true);
	if (helpers_run(q->server->helpers, q->who, run_help, q))
		return resume_helped(q);
	hold_for_help(q, false);
	return work(q);
}

void http_note_progress(request *q)
{
	set_phase(q->peer, PHASE_REPLYING);
}

static void watch_end(struct http *h, peer *p, int64_t now_us)
{
	struct epoll_event wanted = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = p};
	bool is_time = now_us - atomic_load_explicit(&p->since_us, memory_order_relaxed) >= WATCHED_AFTER_US;
	if (is_time && !p->is_watched)
		p->is_watched = epoll_ctl(h->ends, EPOLL_CTL_ADD, p->fd, &wanted) == 0;
}

void http_notice_ends(struct http *h, int64_t now_us)
{
	struct epoll_event events[ENDS_AT_ONCE];
	for (request *q = first_suspended(h); q != NULL; q = next_suspended(h, q)) {
		if (q->notices_end)
			watch_end(h, q->peer, now_us);
	}
	for (int count; (count = epoll_wait(h->ends, events, ENDS_AT_ONCE, 0)) > 0;) {
		for (int i = 0; i < count; i++)
			((peer *)events[i].data.ptr)->is_gone = true;
	}
	for (request *q = first_suspended(h), *next; q != NULL; q = next) {
		next = next_suspended(h, q);
		if (!q->notices_end || !q->peer->is_gone)
			continue;
		q->is_gone = true;
		http_wake(q);
	}
}

void http_add_stream(request *q)
{
	struct http *h = q->server->http;
	h->stream_count++;
	q->who->streams++;
	curfew__list_add_first(&h->streams, &q->stream);
}

bool http_yield_stream(struct http *h, const account *who)
{
	request *chosen = NULL;
	for (request *q = stream_of(curfew__list_first(&h->streams)); q != NULL; q = next_stream(h, q)) {
		if (!q->is_gone && (chosen == NULL || q->who->streams > chosen->who->streams))
			chosen = q;
	}
	if (chosen == NULL || chosen->who->streams <= who->streams + 1)
		return false;
	chosen->who->streams--;
	chosen->has_yielded = chosen->is_gone = true;
	http_wake(chosen);
	return true;
}

void http_end_streams(struct http *h, const account *who)
{
	for (request *q = h != NULL ? stream_of(curfew__list_first(&h->streams)) : NULL; q != NULL; q = next_stream(h, q)) {
		if (q->who != who)
			continue;
		q->is_gone = true;
		http_wake(q);
	}
}

size_t http_count_streams(const struct http *h)
{
	return h->stream_count;
}

/* Under the lock. */
static void leave_streams(request *q)
{
	struct http *h = q->server->http;
	h->stream_count--;
	if (!q->has_yielded)
		q->who->streams--;
	curfew__list_remove(&q->stream);
}

/* ---- Requests -------------------------------------------------------------------------------------------- */

const char *http_header(const request *q, const char *name)
{
	return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

const char *http_argument(const request *q, const char *name)
{
	return MHD_lookup_connection_value(q->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool http_has_json_type(const request *q)
{
	const char *type = http_header(q, MHD_HTTP_HEADER_CONTENT_TYPE);
	return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
	       (type[16] == '\0' || strchr("; \t", type[16]) != NULL);
}

static enum MHD_Result add_length(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	*(size_t *)context += strlen(key) + (value != NULL ? strlen(value) : 0) + 4;
	return MHD_YES;
}

static request *make_request(struct http *h, struct MHD_Connection *connection)
{
	request *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->server = h->server;
	q->connection = connection;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	q->peer = info != NULL ? info->socket_context : NULL;
	text_init(&q->body, h->server->config->body_bytes_max);
	return q;
}

/* Whether the headers show that the request cannot be served. It is then answered. */
static bool refuse_early(request *q, answer *result)
{
	size_t header_bytes = 0;
	(void)MHD_get_connection_values(q->connection, MHD_HEADER_KIND, add_length, &header_bytes);
	const char *length = http_header(q, MHD_HTTP_HEADER_CONTENT_LENGTH);
	size_t most = q->route->takes_body ? q->server->config->body_bytes_max : BODY_BYTES_USUAL;
	if (header_bytes > HEADER_BYTES_MAX)
		*result = reply_problem(q, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large",
		                        "the headers of the request are larger than 16 KiB", NULL);
	else if (length != NULL && strtoull(length, NULL, 10) > most)
		*result = reply_problem(q, MHD_HTTP_CONTENT_TOO_LARGE, "body-too-large", "the body of the request is too large",
		                        NULL);
	else
		return false;
	return true;
}

/* Whether a body certainly follows the head. A client that asks first (Expect) is answered at once. */
static bool has_body(const request *q)
{
	const char *length = http_header(q, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (http_header(q, MHD_HTTP_HEADER_EXPECT) != NULL)
		return false;
	if (length == NULL)
		return http_header(q, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
	unsigned long long bytes = strtoull(length, NULL, 10);
	return bytes > 0 && bytes <= DISCARDED_MAX;
}

static answer begin_request(struct http *h, request *q, const char *url, const char *method, const char *version)
{
	answer result = MHD_YES;
	http_fault fault = q->target_has_nul
	                       ? (http_fault){MHD_HTTP_BAD_REQUEST, "nul", "the address of the request contains a NUL"}
	                       : http_check_request(q->connection, version);
	server_lock(h->server);
	h->server->metrics.requests++;
	server_unlock(h->server);
	q->defers = has_body(q);
	if (q->peer == NULL || q->peer->refused)
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_CONNECTIONS, "too-many-connections",
		                   "too many connections are open", 1);
	if (fault.kind != NULL)
		return reply_fault(q, fault.status, fault.kind, fault.detail);
	if (!h->find(q, url, method, &result) || refuse_early(q, &result))
		return result;
	return MHD_YES;
}

/*
 * Whether the memory for bodies has place for more of this one. All tokens together may hold --max-queue-size, and
 * each of them half of what the others leave free, so that none keeps the bodies of all others out. One body of a
 * token at a time may be larger.
 */
static bool has_body_place(const struct http *h, const request *q, size_t length)
{
	uint64_t max = h->server->config->queue_bytes_max;
	if (h->body_bytes + length > max)
		return false;
	bool is_tenant = q->who != NULL && q->who->id[0] != '\0';
	return !is_tenant || !q->route->takes_body || q->who->body_bytes == q->body_counted ||
	       scheduler_has_share(max, h->body_bytes, q->who->body_bytes, length);
}

static void drop_body(struct http *h, request *q)
{
	h->body_bytes -= q->body_counted;
	if (q->who != NULL)
		q->who->body_bytes -= q->body_counted;
	q->body_counted = 0;
	text_finish(&q->body);
}

void http_drop_body(request *q)
{
	drop_body(q->server->http, q);
}

/* The rest of the body is read and discarded before the answer. */
static answer refuse_body(struct http *h, request *q, bool is_full)
{
	drop_body(h, q);
	q->defers = true;
	answer result = is_full ? reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_BODY, "too-many-bodies",
	                                      "the bodies of all requests are too large together", 1)
	                        : reply_later(q, MHD_HTTP_TOO_MANY_REQUESTS, REFUSAL_SHARE, "share",
	                                      "the bodies of this token's requests are too large together", 1);
	q->defers = false;
	return result;
}

static answer take_body(struct http *h, request *q, const char *data, size_t *size)
{
	size_t length = *size;

	*size = 0;
	if (q->late != NULL) {
		q->discarded += length;
		return q->discarded > DISCARDED_MAX ? MHD_NO : MHD_YES;
	}

	if (q->answered)
		return MHD_YES;
	size_t most = q->route->takes_body ? h->server->config->body_bytes_max : BODY_BYTES_USUAL;
	if (length > most - q->body.length) {
		/* Once the body has begun, no answer can be sent before its end, so discard the rest. */
		q->body.failed = true;
		return MHD_YES;
	}

	if (!has_body_place(h, q, length))
		return refuse_body(h, q, h->body_bytes + length > h->server->config->queue_bytes_max);

	h->body_bytes += length;
	q->body_counted += length;
	if (q->who != NULL)
		q->who->body_bytes += length;
	text_add(&q->body, data, length);
	return MHD_YES;
}

static answer on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                         const char *version, const char *data, size_t *size, void **place)
{
	struct http *h = context;
	request *q = *place;

	if (q == NULL)
		return MHD_NO; /* out of memory */
	if (!q->has_begun) {
		q->has_begun = true;
		answer begun = begin_request(h, q, url, method, version);
		q->defers = false;
		return begun;
	}

	if (*size > 0)
		return take_body(h, q, data, size);
	if (q->late != NULL) {
		struct MHD_Response *late = q->late;
		q->late = NULL;
		set_phase(q->peer, PHASE_REPLYING);
		return reply_queue(q, q->late_status, late);
	}

	if (q->answered)
		return MHD_YES;
	if (q->go_on != NULL) {
		answer (*go_on)(request *) = q->go_on;
		q->go_on = NULL;
		answer result = go_on(q);
		if (q->answered)
			set_phase(q->peer, q->is_stream ? PHASE_STREAMING : PHASE_REPLYING);
		return result;
	}

	if (q->body.failed)
		return reply_problem(q, MHD_HTTP_CONTENT_TOO_LARGE, "body-too-large", "the body of the request is too large",
		                     NULL);
	/* Its token may be over since its head was read. */
	answer result = q->who != NULL && q->who->is_over ? reply_no_token(q) : q->route->handle(q);
	if (q->answered)
		set_phase(q->peer, q->is_stream ? PHASE_STREAMING : PHASE_REPLYING);
	return result;
}

/* Called with the request line, before anything else is read. The time of the request counts from here. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	request *q = make_request(context, connection);
	if (q == NULL)
		return NULL;
	q->target_has_nul = http_target_has_nul(target);
	set_phase(q->peer, PHASE_RECEIVING);
	return q;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **place,
                         enum MHD_RequestTerminationCode code)
{
	struct http *h = context;
	request *q = *place;

	if (q == NULL)
		return;
	if (q->leave != NULL)
		q->leave(q);
	server_lock(h->server);
	if (q->is_stream)
		leave_streams(q);
	if (q->free_work != NULL)
		q->free_work(h->server, q->work);
	server_unlock(h->server);
	drop_body(h, q);
	free(q->chunk);
	if (q->late != NULL)
		MHD_destroy_response(q->late);
	if (q->noted != NULL)
		MHD_destroy_response(q->noted);
	set_phase(q->peer, PHASE_IDLE);
	free(q);
	*place = NULL;
}

/* ---- Start and end --------------------------------------------------------------------------------------- */

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"

/* The number of open descriptors; 0: unknown. */
static size_t count_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;
	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		(void)closedir(directory);
	return count;
}

/*
 * Each connection needs a descriptor, and so does each request of a run; the workers and files need some more. If the
 * system allows fewer, the limit of connections is lowered, because one for which no descriptor is left would wait
 * unnoticed. False: there are too few to serve.
 */
static bool raise_files(struct http *h, curfew_failure *failure)
{
	struct rlimit limit;
	const config *c = h->server->config;
	bool fetches = c->allow_fetch[0] != '\0' || c->allow_webhook[0] != '\0';
	rlim_t programs = programs_allow_files(h->server, SIZE_MAX);
	rlim_t wanted = c->connections_max + REFUSALS_AT_ONCE + OWN_FILES + (fetches ? FETCHES_AT_ONCE : 0) + programs;

	h->connections_max = c->connections_max;
	h->refusals_max = REFUSALS_AT_ONCE;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return true;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	rlim_t used = count_files() + SPARE_FILES;
	if (limit.rlim_cur < used + CONNECTION_FILES_MIN) {
		(void)snprintf(failure->message, sizeof failure->message,
		               "start: the system allows %llu descriptors (ulimit -n), and %llu are needed",
		               (unsigned long long)limit.rlim_cur, (unsigned long long)used + CONNECTION_FILES_MIN);
		return false;
	}

	rlim_t left = limit.rlim_cur - used;
	left -= programs_allow_files(h->server, left / 4);
	if (left >= h->connections_max + h->refusals_max)
		return true;
	h->refusals_max = left / 4 < REFUSALS_AT_ONCE ? left / 4 : REFUSALS_AT_ONCE;
	h->connections_max = left - h->refusals_max < c->connections_max ? left - h->refusals_max : c->connections_max;
	log_say(LOG_WARN, "start", "the system allows %llu descriptors (ulimit -n): at most %llu connections at once",
	        (unsigned long long)limit.rlim_cur, (unsigned long long)h->connections_max);
	return true;
}

static bool start_daemon(struct http *h, int listener, curfew_failure *failure)
{
	const config *c = h->server->config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
	bool is_tls = c->tls_cert[0] != '\0';
	struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)tls_choose},
	                               {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
	                               {MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	if (is_tls)
		flags |= MHD_USE_TLS;
	h->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)(h->connections_max + h->refusals_max), MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)(c->request_timeout_us / 1000000), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_ARRAY, is_tls ? tls : none, MHD_OPTION_END);
	if (h->daemon == NULL)
		(void)snprintf(failure->message, sizeof failure->message,
		               is_tls ? "HTTPS cannot be served" : "HTTP cannot be served");
	return h->daemon != NULL;
}

static void free_http(struct http *h)
{
	(void)close(h->ends);
	addresses_finish(&h->addresses);
	tls_finish();
	free(h);
}

struct http *http_start(server *s, int listening, http_find find, curfew_failure *failure)
{
	struct http *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->server = s;
	h->listener = -1;
	h->find = find;
	h->ends = epoll_create1(EPOLL_CLOEXEC);
	h->pinged_us = clock_now_us();
	s->http = h;
	bool has_files = raise_files(h, failure), wants_tls = s->config->tls_cert[0] != '\0';
	if (has_files && wants_tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		(void)snprintf(failure->message, sizeof failure->message,
		               "tls-cert: this curfew was built without TLS; use a proxy that terminates TLS");
	else if (has_files && (!wants_tls || tls_load(s->config->tls_cert, s->config->tls_key, failure)) &&
	         start_daemon(h, listening, failure))
		return h;
	(void)close(listening);
	free_http(h);
	s->http = NULL;
	return NULL;
}

void http_quiesce(struct http *h)
{
	h->listener = MHD_quiesce_daemon(h->daemon);
	if (h->listener >= 0)
		(void)close(h->listener);
}

bool http_is_busy(struct http *h)
{
	bool busy = false;
	server_lock(h->server);
	for (peer *p = peer_of(curfew__list_first(&h->peers)); p != NULL; p = next_peer(h, p))
		busy = busy || atomic_load_explicit(&p->phase, memory_order_relaxed) > PHASE_RECEIVING;
	server_unlock(h->server);
	return busy;
}

void http_stop(struct http *h)
{
	if (h == NULL)
		return;
	MHD_stop_daemon(h->daemon);
	free_http(h);
}
