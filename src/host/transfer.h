/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread, the requests of a run, and one of them, as fetch_session.c (who asks for what), transfer.c (the
 * exchange itself) and fetch.c (the thread) see them.
 */
#ifndef CURFEW_HOST_TRANSFER_H
#define CURFEW_HOST_TRANSFER_H

#include <pthread.h>
#include <sys/queue.h>
#include <zlib.h>

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
	struct curfew__transfer *first, **last; /* asked for something */
	curfew__fetch_session *unwanted;        /* to be freed on the thread */
	bool ending;                            /* nothing is put on the lists any more */
	int wakeup;
	int epoll;
	CURLM *multi;
	int64_t timer_ns; /* when libcurl wants to be called */

	/* Requests under way, and those of runs that wait for their turn, one of each run after the other. */
	unsigned active, active_most, active_of_run_most;
	TAILQ_HEAD(, curfew__fetch_session) due;
	atomic_uint sockets; /* connections kept for later among them */
};

struct curfew__fetch_session {
	atomic_uint references;   /* the run's, and one for each transfer */
	curfew__fetcher *fetcher; /* a reference */
	curfew__allow_list *allowed;
	atomic_size_t bytes_kept;
	size_t bytes_limit;
	CURLSH *share; /* of connections and addresses; network thread; NULL: not needed yet */
	struct curfew__fetch_session *next;

	/* The network thread's alone. */
	unsigned active;                        /* requests under way */
	TAILQ_HEAD(, curfew__transfer) waiting; /* those that wait for their turn */
	bool is_due;                            /* it is in the fetcher's list of sessions with a request to begin */
	TAILQ_ENTRY(curfew__fetch_session) due;
};

/* What a transfer is asked for, from any thread. */
enum {
	CURFEW__ASK_START = 1,
	CURFEW__ASK_LOOKED_UP = 2,
	CURFEW__ASK_CHUNK = 4,     /* the guest takes a chunk of the response */
	CURFEW__ASK_SEND = 8,      /* there is a parcel to send */
	CURFEW__ASK_SEND_END = 16, /* there will be no more */
	CURFEW__ASK_CANCEL = 32,
};

typedef struct curfew__transfer {
	curfew__operation operation;
	curfew__fetch_session *session; /* a reference */
	curfew__lookup lookup;

	/* Asked for, under the fetcher's lock. */
	struct curfew__transfer *next;
	bool is_asked;
	unsigned asks;
	char *parcel;
	size_t parcel_length;

	/* The run's thread alone: the guest has one chunk on its way in each direction, and no more. */
	bool chunk_expected, parcel_expected;

	/* The request; not changed once it started. */
	CURLU *url;
	char *host; /* an IPv6 address without its brackets */
	uint16_t port;
	char *method;
	struct curl_slist *headers;
	bool has_body;
	int64_t body_length; /* -1: not known */

	/* All else belongs to the network thread. */
	TAILQ_ENTRY(curfew__transfer) turn;
	bool is_waiting; /* for its turn, with a reference */
	bool is_active;  /* it counts as under way */
	struct curfew__transfer *next_taken;
	unsigned taken_asks;
	char *addresses; /* looked up: set before CURFEW__ASK_LOOKED_UP */
	const char *lookup_failure;
	struct curl_slist *resolve;
	CURL *easy;
	char details[CURL_ERROR_SIZE];
	char refused[64];    /* the address it was not to be connected to */
	bool is_crowded_out; /* there were too many sockets to make one */
	size_t bytes_kept;   /* its part of the session's */
	int64_t body_given;  /* bytes of the request's body so far */
	char *sending;       /* what of it was given and not yet sent */
	size_t sending_length, sent;
	bool sending_ended, send_paused;
	curfew__buffer head;
	size_t head_bytes; /* received, all lines and answers before the last one included */
	long status;
	bool head_told;
	char *incoming; /* what has arrived of the response, as it arrived */
	size_t incoming_length, incoming_capacity;
	bool receive_paused, chunk_wanted, received;                      /* received: all of it */
	bool is_compressed, is_deflate, more_inflated, inflated, damaged; /* inflated: to the end */
	z_stream *inflater;
	bool upgrades; /* asks the server for another protocol, which its body is then */
	int socket;    /* of an upgrade, to see its end */
	bool started;  /* this thread has a reference, until it is over */
	bool over;     /* its last event was posted, or it was cancelled */
} curfew__transfer;

/* ---- fetch_session.c -------------------------------------------------------------------------------------- */

void curfew__fetcher_unref(curfew__fetcher *fetcher);
/* Has the network thread look at what it is asked for. */
void curfew__fetcher_wake(curfew__fetcher *fetcher);
/* On the network thread, or when there is none any more. */
void curfew__session_free(curfew__fetch_session *session);
/* On the network thread: a request has come to wait, or may begin. A session is due while one that waits may. */
void curfew__session_update_due(curfew__fetch_session *session);
void curfew__transfer_stop_waiting(curfew__transfer *transfer);

const curfew__curl *curfew__session_curl(const curfew__fetch_session *session);
CURLM *curfew__session_multi(const curfew__fetch_session *session);
/* The share, made at first need; NULL: out of memory. */
CURLSH *curfew__session_share(curfew__fetch_session *session);
/* Counts bytes that the host keeps; false if they would be too many. */
bool curfew__session_charge(curfew__fetch_session *session, size_t bytes);
void curfew__session_refund(curfew__fetch_session *session, size_t bytes);
/* Has the network thread look at a transfer. parcel (may be NULL) is taken over. */
void curfew__transfer_ask(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length);
void curfew__transfer_look_up(curfew__transfer *transfer);
/* On the network thread: begins a transfer (curfew__transfer_begin) once its run and the fetcher may have one more. */
void curfew__transfer_queue(curfew__transfer *transfer);
/* On the network thread: it is under way no more, and waits for nothing. */
void curfew__transfer_leave(curfew__transfer *transfer);
/* On the network thread: whether there are so many sockets that none is to be kept for later, or made (extra). */
bool curfew__session_is_crowded(const curfew__fetch_session *session, bool extra);
/* On the network thread: a socket was made (+1) or closed (-1). */
void curfew__session_count_socket(const curfew__fetch_session *session, int change);

/* ---- transfer.c ------------------------------------------------------------------------------------------- */

/* Reads a request; NULL, or what is wrong with it (static text, or in buffer[256]). */
const char *curfew__transfer_parse(curfew__transfer *transfer, const char *text, size_t length, char *buffer);
/* Frees what it holds; the network thread has let go of it. */
void curfew__transfer_finish(curfew__transfer *transfer);
/* On the network thread: its turn has come. */
void curfew__transfer_begin(curfew__transfer *transfer);
/* On the network thread: does what it was asked for. */
void curfew__transfer_serve(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length);
/* On the network thread: libcurl is through with it. */
void curfew__transfer_done(curfew__transfer *transfer, CURLcode result);

#endif
