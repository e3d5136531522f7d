/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread, the requests of a run, and one request, as seen by fetch_session.c (which request is next),
 * transfer.c (the exchange itself) and fetch.c (the thread).
 */
#ifndef CURFEW_HOST_TRANSFER_H
#define CURFEW_HOST_TRANSFER_H

#include <pthread.h>
#include <sys/queue.h>

#include "common/mutex.h"
#include "common/bytes.h"
#include "host/curl.h"
#include "host/fetch.h"
#include "host/resolver.h"

/* The network thread. */
struct curfew__fetcher {
	atomic_uint references; /* the owner's, and one for each session */
	curfew__curl curl;
	curfew__resolver *resolver;
	pthread_t thread;
	curfew__mutex lock;
	struct curfew__transfer *first, **last; /* transfers that request something of the thread */
	curfew__fetch_session *unwanted;        /* sessions that the thread has to free */
	bool ending;                            /* the lists accept nothing any more */
	int wakeup;
	int epoll;
	CURLM *multi;
	int64_t timer_ns; /* when libcurl wants to be called */

	/* Who pays for the thread's CPU time. Only the thread uses these. */
	curfew__operations **payers; /* [payer_count], by socket: the run that uses it, with a reference, or NULL */
	size_t payer_count;
	int64_t charged_ns; /* the thread's CPU time that was charged, or that nobody pays for */

	/* Requests in flight, and the sessions whose requests wait for their turn. Sessions take turns. */
	unsigned active, active_max, active_of_run_max;
	TAILQ_HEAD(, curfew__fetch_session) due;
	atomic_uint sockets; /* includes connections that are kept for later */
};

struct curfew__fetch_session {
	atomic_uint references;   /* one for the run, and one for each transfer */
	curfew__fetcher *fetcher; /* a reference */
	curfew__allow_list *allowed;
	curfew__secret_headers *secret_headers; /* NULL: none */
	atomic_size_t bytes_kept;
	size_t bytes_limit;
	CURLSH *share; /* shared connections and addresses; network thread only; NULL: not needed yet */
	struct curfew__fetch_session *next;

	/* Only the network thread uses these. */
	unsigned active;                        /* requests in flight */
	TAILQ_HEAD(, curfew__transfer) waiting; /* requests that wait for their turn */
	bool is_due;                            /* it is in the fetcher's list of sessions with a request to begin */
	TAILQ_ENTRY(curfew__fetch_session) due;
};

/* What any thread may request of a transfer. */
enum {
	CURFEW__ASK_START = 1,
	CURFEW__ASK_LOOKED_UP = 2,
	CURFEW__ASK_CHUNK = 4,     /* the guest takes a chunk of the response */
	CURFEW__ASK_SEND = 8,      /* there is a parcel to send */
	CURFEW__ASK_SEND_END = 16, /* there are no more parcels */
	CURFEW__ASK_CANCEL = 32,
};

typedef struct curfew__transfer {
	curfew__operation operation;
	curfew__fetch_session *session; /* a reference */
	curfew__lookup lookup;

	/* Requests, guarded by the fetcher's lock. */
	struct curfew__transfer *next;
	bool is_asked;
	unsigned asks;
	char *parcel;
	size_t parcel_length;

	/* Only the run's thread uses these. The guest has at most one chunk in flight in each direction. */
	bool chunk_expected, parcel_expected;

	/* The request. It does not change after the start. */
	CURLU *url;
	char *host; /* an IPv6 address without its brackets */
	uint16_t port;
	char *method;
	struct curl_slist *headers;
	bool has_body;
	int64_t body_length; /* -1: not known */

	/* Only the network thread uses the rest. */
	TAILQ_ENTRY(curfew__transfer) turn;
	bool is_waiting; /* it waits for its turn, with a reference */
	bool is_active;  /* it counts as in flight */
	struct curfew__transfer *next_taken;
	unsigned taken_asks;
	char *addresses; /* the result of the lookup, set before CURFEW__ASK_LOOKED_UP */
	const char *lookup_failure;
	struct curl_slist *resolve;
	CURL *easy;
	char details[CURL_ERROR_SIZE];
	char refused[64];    /* the address that was refused */
	bool is_crowded_out; /* no socket could be made, because there were too many */
	size_t bytes_kept;   /* its part of the session's bytes_kept */
	int64_t body_given;  /* bytes of the request's body so far */
	char *sending;       /* the parcel that is not completely sent yet */
	size_t sending_length, sent;
	bool sending_ended, send_paused;
	curfew__buffer head;
	size_t head_bytes; /* bytes of all heads so far, including those of earlier answers */
	long status;
	bool head_reported;
	char *incoming; /* the part of the response that has arrived and was not passed on */
	size_t incoming_length, incoming_capacity;
	bool receive_paused, chunk_wanted, received; /* received: the response is complete */
	bool upgrades; /* asks the server for another protocol; the body then has that protocol */
	int socket;    /* of an upgraded connection, to notice its end */
	bool started;  /* the network thread has a reference until the transfer is over */
	bool over;     /* its last event was posted, or it was cancelled */
} curfew__transfer;

/* ---- fetch_session.c -------------------------------------------------------------------------------------- */

void curfew__fetcher_unref(curfew__fetcher *fetcher);
/* Notifies the network thread of requests. */
void curfew__fetcher_wake(curfew__fetcher *fetcher);
/* Only on the network thread, or when that has ended. */
void curfew__session_free(curfew__fetch_session *session);
/* On the network thread: updates whether the session is due, that is, whether one of its waiting requests may begin. */
void curfew__session_update_due(curfew__fetch_session *session);
void curfew__transfer_stop_waiting(curfew__transfer *transfer);

const curfew__curl *curfew__session_curl(const curfew__fetch_session *session);
CURLM *curfew__session_multi(const curfew__fetch_session *session);
/* The share, created at first use. NULL: out of memory. */
CURLSH *curfew__session_share(curfew__fetch_session *session);
/* Charges bytes that the host keeps. False if they exceed the limit. */
bool curfew__session_charge(curfew__fetch_session *session, size_t bytes);
void curfew__session_refund(curfew__fetch_session *session, size_t bytes);
/* Requests something of the network thread for a transfer. Takes ownership of parcel (may be NULL). */
void curfew__transfer_ask(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length);
void curfew__transfer_look_up(curfew__transfer *transfer);
/* On the network thread: begins a transfer (curfew__transfer_begin) as soon as its run and the fetcher may have one
 * more. */
void curfew__transfer_queue(curfew__transfer *transfer);
/* On the network thread: ends the transfer's turn, or its wait for one. */
void curfew__transfer_leave(curfew__transfer *transfer);
/* On the network thread: whether there are too many sockets to keep one for later, or to make one (extra). */
bool curfew__session_is_crowded(const curfew__fetch_session *session, bool extra);
/* On the network thread: a socket was made (+1) or closed (-1). */
void curfew__session_count_socket(const curfew__fetch_session *session, int change);

/* ---- transfer.c ------------------------------------------------------------------------------------------- */

/* Reads a request; NULL, or what is wrong with it (static text, or in buffer[256]). */
const char *curfew__transfer_parse(curfew__transfer *transfer, const char *text, size_t length, char *buffer);
/* Frees a transfer that the network thread no longer uses. */
void curfew__transfer_finish(curfew__transfer *transfer);
/* On the network thread: begins the exchange. */
void curfew__transfer_begin(curfew__transfer *transfer);
/* On the network thread: handles the requests of a transfer. */
void curfew__transfer_serve(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length);
/* On the network thread: libcurl has finished the exchange. */
void curfew__transfer_done(curfew__transfer *transfer, CURLcode result);

#endif
