/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests for guests. One thread of an engine carries all of them on; a run that waits for one holds no thread.
 * A request is one exchange: redirects are the guest's to follow, by new requests, so that each target is checked
 * alike. What guest and host say to each other about one is in guest/abi.h.
 */
#ifndef CURFEW_HOST_FETCH_H
#define CURFEW_HOST_FETCH_H

#include "host/allow.h"
#include "host/operations.h"

typedef struct curfew__fetcher curfew__fetcher;
typedef struct curfew__fetch_session curfew__fetch_session;

/* Loads libcurl and starts the thread; NULL and a failure if that fails. */
curfew__fetcher *curfew__fetcher_create(curfew_failure *failure);
/* No session may start a request any more; those that go on end. */
void curfew__fetcher_destroy(curfew__fetcher *fetcher);

/*
 * The requests of one run: they share connections, with no other run. What the host keeps for them at once stays
 * below bytes_limit. The list is taken over, also where this fails (NULL: out of memory).
 */
curfew__fetch_session *curfew__fetch_session_create(curfew__fetcher *fetcher, curfew__allow_list *allowed,
                                                    size_t bytes_limit);
void curfew__fetch_session_unref(curfew__fetch_session *session);

/*
 * Starts a request as guest/abi.h has it, on the run's thread; its id, or 0 where it cannot be one of the run's
 * operations, or more has happened than the run takes. Whatever is wrong with the request itself is told by an event.
 */
uint32_t curfew__fetch_start(curfew__fetch_session *session, curfew__operations *operations, const char *request,
                             size_t length);
/* A request that fails at once; in allow.c, also where nothing can be fetched. */
uint32_t curfew__fetch_refuse(curfew__operations *operations, const char *reason);
/* Why a request may be refused. */
#define CURFEW__FETCH_NOT_ALLOWED "the run is not allowed to reach it"
#define CURFEW__FETCH_TOO_LARGE "the request's headers are larger than 128 KiB"
#define CURFEW__FETCH_TOO_MANY "too many requests at once for the run's memory limit"
#define CURFEW__FETCH_REQUEST_BYTES ((size_t)128 << 10)
/* What a request may hold on to: a full buffer, a chunk on its way, and what libcurl has. */
#define CURFEW__FETCH_BYTES ((size_t)192 << 10)

#endif
