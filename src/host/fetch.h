/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests for guests. One thread of an engine makes all of them; a run that waits for one holds no thread. A
 * request is one exchange. The guest follows redirects by new requests, so that each target is checked in the same way.
 * guest/abi.h defines what guest and host send to each other about a request.
 */
#ifndef CURFEW_HOST_FETCH_H
#define CURFEW_HOST_FETCH_H

#include "host/allow.h"
#include "host/operations.h"
#include "host/secret_headers.h"

typedef struct curfew__fetcher curfew__fetcher;
typedef struct curfew__fetch_session curfew__fetch_session;

/* Loads libcurl and starts the thread; NULL and a failure if that fails. */
curfew__fetcher *curfew__fetcher_create(curfew_failure *failure);
/* Ends all requests. No session may start another one. */
void curfew__fetcher_destroy(curfew__fetcher *fetcher);

/*
 * The requests of one run. They share connections, but with no other run. What the host keeps for them at once stays
 * below bytes_limit. Takes ownership of the list, and the reference of the headers, even if it fails (NULL: out of
 * memory).
 */
curfew__fetch_session *curfew__fetch_session_create(curfew__fetcher *fetcher, curfew__allow_list *allowed,
                                                    curfew__secret_headers *secret_headers, size_t bytes_limit);
void curfew__fetch_session_unref(curfew__fetch_session *session);

/*
 * Starts a request in the form of guest/abi.h, on the run's thread, and returns its id. 0: it cannot be an operation of
 * the run, or too many events wait. An error of the request itself is reported by an event.
 */
uint32_t curfew__fetch_start(curfew__fetch_session *session, curfew__operations *operations, const char *request,
                             size_t length);
/* Starts a request that fails at once. It is in allow.c, because a library without fetch needs it too. */
uint32_t curfew__fetch_refuse(curfew__operations *operations, const char *reason);
/* Why a request may be refused. */
#define CURFEW__FETCH_NOT_ALLOWED "the run is not allowed to reach it"
#define CURFEW__FETCH_TOO_LARGE "the request's headers are larger than 128 KiB"
#define CURFEW__FETCH_TOO_MANY "too many requests at once for the run's memory limit"
#define CURFEW__FETCH_REQUEST_BYTES ((size_t)128 << 10)
/* Memory of a request: a full buffer, a chunk in flight, and libcurl's. */
#define CURFEW__FETCH_BYTES ((size_t)192 << 10)

#endif
