/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on libmicrohttpd: one thread and epoll. A request that has to wait is suspended, holds no thread, and is woken
 * when there is news. Then its function `go_on` is called.
 */
#ifndef CURFEW_SERVER_HTTP_H
#define CURFEW_SERVER_HTTP_H

#include "metrics.h"
#include "server.h"
#include "store.h"
#include "common/list.h"
#include "common/text.h"

#include <microhttpd.h>

typedef enum MHD_Result answer;

struct route;
struct peer;

enum { REQUEST_BODY_SMALL = 64 << 10 }; /* the work on a larger one is another thread's, and it is freed early */

struct request {
	server *server;
	struct MHD_Connection *connection;
	struct peer *peer;
	const struct route *route;
	char parameter[160]; /* the name or id in the path */
	account *who;
	text body;
	size_t body_counted; /* its part of the bytes that all requests hold */
	bool is_head;
	bool answered;
	bool has_begun;
	/*
	 * The request is refused because of its head, and has a body. The answer is held until the body has been read and
	 * discarded, because a client that still writes would see the connection's end instead of the answer.
	 */
	bool defers;
	struct MHD_Response *late;
	unsigned late_status;
	size_t discarded;
	bool target_has_nul;

	answer (*go_on)(request *q);
	curfew__link suspended; /* linked while it is suspended */
	/* Another thread uses the request. It is not woken until then, because libmicrohttpd frees what it resumes if the
	 * client has left. */
	bool is_held;
	/* Set while a helper works on the request (http_help): answers and waits are noted, and the HTTP thread performs
	 * them. */
	bool is_helped;
	answer (*help)(request *q);
	answer (*after_help)(request *q);
	struct MHD_Response *noted; /* NULL: none */
	unsigned noted_status;
	bool is_gone;     /* its client has closed the connection while it waited */
	bool has_yielded; /* it ends early because its token has most of what others need, too */

	/* What it waits for: news of a run (subscription.h), or the result of its own operation. */
	run *run;
	run_listener listener;
	store_hold hold;
	void (*leave)(request *q); /* called without the lock when it no longer waits for that */
	bool notices_end;          /* it is woken when its client has closed the connection */
	bool is_stream;
	bool wants_report;
	bool is_done;
	char problem[256];

	/* A stream: the next event, and the chunk that is being sent. */
	uint64_t next_event;
	char *chunk;
	size_t chunk_length, chunk_sent;
	bool wants_ping;
	curfew__link stream; /* linked if it is a stream */

	void *work; /* data of the route, freed with free_work */
	void (*free_work)(server *s, void *work);
};

typedef struct route {
	const char *path; /* "*" stands for one name */
	const char *method;
	unsigned scopes; /* one of them is needed; 0: none */
	answer (*handle)(request *q);
	bool takes_body;
	const char *arguments; /* the names of those that it has, with spaces between; NULL: any, and they mean nothing */
} route;

/* Finds the route of a request and checks its access. False: the request is answered already. */
typedef bool (*http_find)(request *q, const char *url, const char *method, answer *result);

/* Starts to serve on a listening socket, and takes ownership of it. NULL, and why. */
struct http *http_start(server *s, int listening, http_find find, curfew_failure *failure);
/* Accepts no new connections. Open ones continue. */
void http_quiesce(struct http *h);
/* Closes all connections. Not under the lock. */
void http_stop(struct http *h);
/* Under the lock: wakes all requests that wait, for the last time; server.closing is set. */
void http_wake_all(struct http *h);
/* Whether an answer is still being sent. */
bool http_is_busy(struct http *h);
size_t http_count_connections(const struct http *h);
/* Under the lock, each second: closes connections that are too slow, and makes streams notice whether anybody listens.
 */
void http_sweep(struct http *h, int64_t now_us);
/* Under the lock, several times a second: wakes requests with notices_end whose client has closed the connection
 * (is_gone). */
void http_notice_ends(struct http *h, int64_t now_us);

/* On the HTTP thread: frees the body of a request that needs it no more. */
void http_drop_body(request *q);
/* Under the lock: suspends the request. go_on is called when it is woken. */
void http_suspend(request *q, answer (*go_on)(request *q));
void http_wake(request *q);
/* Between the two, another thread may use the request, and nothing wakes it. Both under the lock. */
void http_hold(request *q);
/* Wakes it, if it is suspended. It must not be used afterwards. */
void http_release(request *q);
/*
 * Calls work(q) on another thread, because it reads from disk, and answers with its result. work may reply, suspend or
 * subscribe as on the HTTP thread. Not under the lock.
 */
answer http_help(request *q, answer (*work)(request *q));
/* Notes progress of the answer: the time to send it starts again. */
void http_note_progress(request *q);
/* Under the lock: counts and pings the request as a stream, until it ends. */
void http_add_stream(request *q);
size_t http_count_streams(const struct http *h);
/* Under the lock: ends a stream of the account that has most of them, for one of an account that has fewer. False: no
 * account has at least two more than this one. */
bool http_yield_stream(struct http *h, const account *who);
/* Under the lock: ends the streams of an account; h may be NULL. */
void http_end_streams(struct http *h, const account *who);

/* A header of the request, or NULL. */
const char *http_header(const request *q, const char *name);
const char *http_argument(const request *q, const char *name);
/* Whether its Content-Type is JSON. */
bool http_has_json_type(const request *q);

/* ---- Answers (reply.c): all take over what they are given ---------------------------------------------------- */

answer reply_text(request *q, unsigned status, const char *type, text *body);
answer reply_json(request *q, unsigned status, text *body);
answer reply_blob(request *q, unsigned status, blob *body);
/* A response whose length is unknown when it begins. NULL: out of memory. */
struct MHD_Response *reply_make_open(const request *q, size_t block, MHD_ContentReaderCallback reader, void *context,
                                     MHD_ContentReaderFreeCallback release);
answer reply_nothing(request *q, unsigned status);

/*
 * Answers with a problem (RFC 9457). kind is its name ("queue-full"); detail is one sentence; pointer is the JSON
 * pointer of the invalid field or NULL. For status 405, pointer is the list of allowed methods.
 */
answer reply_problem(request *q, unsigned status, const char *kind, const char *detail, const char *pointer);
/* The same with Retry-After. Counts the refusal, unless it is REFUSALS. */
answer reply_later(request *q, unsigned status, refusal why, const char *kind, const char *detail, unsigned seconds);
/* 503: the database cannot be read. */
answer reply_unreadable(request *q);
/* Counts a refusal without answering. */
void reply_count(request *q, refusal why);
/* Answers with a problem of the request's form, and then closes the connection. */
answer reply_fault(request *q, unsigned status, const char *kind, const char *detail);
answer reply_no_memory(request *q);
/* Answers 401. */
answer reply_no_token(request *q);
/* Answers 415, if http_has_json_type is false. */
answer reply_not_json(request *q);

/* Adds the headers of every answer; type NULL: no Content-Type. */
void reply_add_headers(struct MHD_Response *response, const char *type);
/* The same for data that is never shown as a page. */
void reply_add_data_headers(struct MHD_Response *response, const char *type);
answer reply_queue(request *q, unsigned status, struct MHD_Response *response);

#endif
