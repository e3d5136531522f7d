/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on libmicrohttpd: one thread and epoll. A request that has to wait for something is suspended, holds no thread,
 * and is woken when there is news; its function `go_on` is then called.
 */
#ifndef CURFEW_SERVER_HTTP_H
#define CURFEW_SERVER_HTTP_H

#include "metrics.h"
#include "server.h"
#include "common/list.h"
#include "common/text.h"

#include <microhttpd.h>

typedef enum MHD_Result answer;

struct route;
struct peer;

struct request {
	server *server;
	struct MHD_Connection *connection;
	struct peer *peer;
	const struct route *route;
	char parameter[160]; /* the name or id in the path */
	account *who;
	text body;
	size_t body_counted; /* of the bytes that all requests hold */
	bool answered;
	bool has_begun;
	/*
	 * It is refused by its head, and has a body: the answer is kept until that has been read and thrown away, since a
	 * client that still writes would see the connection's end in place of it.
	 */
	bool defers;
	struct MHD_Response *late;
	unsigned late_status;
	size_t discarded;
	bool target_has_nul;

	answer (*go_on)(request *q);
	curfew__link suspended; /* while it is */
	/* While one of the helpers has it (http_help): what it answers or waits for is noted, and done by the HTTP thread.
	 */
	bool is_helped;
	answer (*help)(request *q);
	answer (*after_help)(request *q);
	struct MHD_Response *held; /* NULL: none */
	unsigned held_status;
	bool is_gone; /* its client has closed the connection while it waited */

	/* What it waits for: news of a run (subscription.h), or of something that it asked for. */
	run *run;
	run_listener listener;
	void (*leave)(request *q); /* when it waits for that no more; without the lock */
	bool notices_end;          /* it is woken when its client has gone */
	bool is_stream;
	bool wants_report;
	bool is_done;
	char problem[256];

	/* A stream: what comes next, and what is being sent. */
	uint64_t next_event;
	char *chunk;
	size_t chunk_length, chunk_sent;
	bool wants_ping;
	curfew__link stream; /* where it is one */

	void *work; /* of the route, freed with free_work */
	void (*free_work)(server *s, void *work);
};

typedef struct route {
	const char *path; /* "*" stands for one name */
	const char *method;
	unsigned scopes; /* one of them is needed; 0: none */
	answer (*handle)(request *q);
	bool takes_body;
} route;

/* Finds what answers a request and whether it may be asked; false: it is answered already. */
typedef bool (*http_find)(request *q, const char *url, const char *method, answer *result);

/* Starts serving on a listening socket, which it takes over. NULL, and why. */
struct http *http_start(server *s, int listening, http_find find, curfew_failure *failure);
/* No new connections; those that are open go on. */
void http_quiesce(struct http *h);
/* Ends everything that is open. Not under the lock. */
void http_stop(struct http *h);
/* Under the lock: wakes everything that waits, once and for all; server.closing is set. */
void http_wake_all(struct http *h);
/* Whether an answer is still on its way. */
bool http_is_busy(struct http *h);
size_t http_count_connections(const struct http *h);
/* Under the lock, each second: ends connections that are too slow, and lets streams see whether anybody listens. */
void http_sweep(struct http *h, int64_t now_us);
/* Under the lock, a few times a second: wakes requests that notice the end (notices_end) and whose client has gone
 * (is_gone). */
void http_notice_ends(struct http *h, int64_t now_us);

/* Under the lock: the request waits, and go_on is called when it is woken. */
void http_suspend(request *q, answer (*go_on)(request *q));
void http_wake(request *q);
/*
 * Has work(q) called on another thread, since it reads from disk, and answers what that answers. It may reply, suspend
 * or subscribe as on the HTTP thread. Not under the lock.
 */
answer http_help(request *q, answer (*work)(request *q));
/* A part of the answer is ready to be sent: the next one has as much time again. */
void http_note_progress(request *q);
/* Under the lock: counted and pinged as a stream, until it ends. */
void http_add_stream(request *q);
size_t http_count_streams(const struct http *h);
/* Under the lock: ends the streams of an account; h may be NULL. */
void http_end_streams(struct http *h, const account *who);

/* A header of the request, or NULL. */
const char *http_header(const request *q, const char *name);
const char *http_argument(const request *q, const char *name);
/* Whether its body says that it is JSON. */
bool http_has_json_type(const request *q);

/* ---- Answers (reply.c): all take over what they are given ---------------------------------------------------- */

answer reply_text(request *q, unsigned status, const char *type, text *body);
answer reply_json(request *q, unsigned status, text *body);
answer reply_blob(request *q, unsigned status, blob *body);
answer reply_nothing(request *q, unsigned status);

/*
 * A problem (RFC 9457). kind is its name ("queue-full"); detail is one sentence; pointer is the JSON pointer of the bad
 * field or NULL; of status 405 the methods that are allowed.
 */
answer reply_problem(request *q, unsigned status, const char *kind, const char *detail, const char *pointer);
/* The same with Retry-After; counts the refusal, unless it is REFUSALS. */
answer reply_later(request *q, unsigned status, refusal why, const char *kind, const char *detail, unsigned seconds);
/* Counts a refusal that another answer tells, or none. */
void reply_count(request *q, refusal why);
/* A problem with how the request is made, after which the connection ends. */
answer reply_fault(request *q, unsigned status, const char *kind, const char *detail);
answer reply_no_memory(request *q);
/* 415: not http_has_json_type. */
answer reply_not_json(request *q);

/* Headers that every answer has; type NULL: none. */
void reply_add_headers(struct MHD_Response *response, const char *type);
/* The same of what is data, and never shown as a page. */
void reply_add_data_headers(struct MHD_Response *response, const char *type);
answer reply_queue(request *q, unsigned status, struct MHD_Response *response);

#endif
