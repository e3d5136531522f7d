/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of one run: what they share, how much they may keep, which one is next, and how the network thread is
 * notified. The thread itself is above this file, in fetch.c.
 */
#include "host/fetch.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mutex.h"
#include "common/owner.h"
#include "host/transfer.h"

void curfew__fetcher_unref(curfew__fetcher *fetcher)
{
	if (atomic_fetch_sub(&fetcher->references, 1) != 1)
		return;
	curfew__mutex_finish(&fetcher->lock);
	free(fetcher);
}

void curfew__fetcher_wake(curfew__fetcher *fetcher)
{
	uint64_t one = 1;
	(void)!write(fetcher->wakeup, &one, sizeof one);
}

/* ---- Sessions --------------------------------------------------------------------------------------------- */

curfew__fetch_session *curfew__fetch_session_create(curfew__fetcher *fetcher, curfew__allow_list *allowed,
                                                    curfew__secret_headers *secret_headers, size_t bytes_limit)
{
	curfew__fetch_session *session = calloc(1, sizeof *session);

	if (!session) {
		curfew__allow_list_destroy(allowed);
		curfew__secret_headers_unref(secret_headers);
		return NULL;
	}
	atomic_init(&session->references, 1);
	atomic_fetch_add(&fetcher->references, 1);
	TAILQ_INIT(&session->waiting);
	session->fetcher = fetcher;
	session->allowed = allowed;
	session->secret_headers = secret_headers;
	session->bytes_limit = bytes_limit;
	return session;
}

void curfew__session_free(curfew__fetch_session *session)
{
	if (session->share)
		session->fetcher->curl.share_cleanup(session->share);
	curfew__allow_list_destroy(session->allowed);
	curfew__secret_headers_unref(session->secret_headers);
	curfew__fetcher_unref(session->fetcher);
	free(session);
}

/* The thread closes the session's connections, as long as there is a thread. */
void curfew__fetch_session_unref(curfew__fetch_session *session)
{
	if (!session || atomic_fetch_sub(&session->references, 1) != 1)
		return;
	curfew__fetcher *fetcher = session->fetcher;
	curfew__mutex_lock(&fetcher->lock);
	bool posted = session->share && !fetcher->ending;
	if (posted) {
		session->next = fetcher->unwanted;
		fetcher->unwanted = session;
		/* Write under the lock: so the thread cannot end, nor the descriptor be closed, before this. */
		curfew__fetcher_wake(fetcher);
	}
	curfew__mutex_unlock(&fetcher->lock);
	if (!posted)
		curfew__session_free(session);
}

const curfew__curl *curfew__session_curl(const curfew__fetch_session *session)
{
	return &session->fetcher->curl;
}

CURLM *curfew__session_multi(const curfew__fetch_session *session)
{
	return session->fetcher->multi;
}

CURLSH *curfew__session_share(curfew__fetch_session *session)
{
	const curfew__curl *curl = &session->fetcher->curl;

	if (session->share)
		return session->share;
	if (!(session->share = curl->share_init()))
		return NULL;
	curl->share_setopt(session->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
	curl->share_setopt(session->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	return session->share;
}

bool curfew__session_charge(curfew__fetch_session *session, size_t bytes)
{
	size_t kept = atomic_load(&session->bytes_kept);

	do {
		if (kept > session->bytes_limit || bytes > session->bytes_limit - kept)
			return false;
	} while (!atomic_compare_exchange_weak(&session->bytes_kept, &kept, kept + bytes));
	return true;
}

void curfew__session_refund(curfew__fetch_session *session, size_t bytes)
{
	atomic_fetch_sub(&session->bytes_kept, bytes);
}

/* ---- Turns: so many requests at once for a run, and for all of them together ------------------------------- */

/* A session is due while one of its requests waits and the run's own limit lets it begin. */
void curfew__session_update_due(curfew__fetch_session *session)
{
	curfew__fetcher *fetcher = session->fetcher;
	bool is_due = !TAILQ_EMPTY(&session->waiting) && session->active < fetcher->active_of_run_max;

	if (is_due && !session->is_due)
		TAILQ_INSERT_TAIL(&fetcher->due, session, due);
	else if (!is_due && session->is_due)
		TAILQ_REMOVE(&fetcher->due, session, due);
	session->is_due = is_due;
}

void curfew__transfer_queue(curfew__transfer *transfer)
{
	transfer->started = true;
	curfew__operation_ref(&transfer->operation);
	transfer->is_waiting = true;
	TAILQ_INSERT_TAIL(&transfer->session->waiting, transfer, turn);
	curfew__session_update_due(transfer->session);
}

void curfew__transfer_stop_waiting(curfew__transfer *transfer)
{
	if (transfer->is_waiting)
		TAILQ_REMOVE(&transfer->session->waiting, transfer, turn);
	transfer->is_waiting = false;
}

void curfew__transfer_leave(curfew__transfer *transfer)
{
	curfew__transfer_stop_waiting(transfer);
	transfer->session->active -= transfer->is_active;
	transfer->session->fetcher->active -= transfer->is_active;
	transfer->is_active = false;
	curfew__session_update_due(transfer->session);
}

/* While addresses are tried, a connection may have two open sockets. */
bool curfew__session_is_crowded(const curfew__fetch_session *session, bool extra)
{
	const curfew__fetcher *fetcher = session->fetcher;
	unsigned sockets = atomic_load(&fetcher->sockets);

	return sockets >= (extra ? fetcher->active_max + fetcher->active_max / 2 : fetcher->active_max / 2);
}

void curfew__session_count_socket(const curfew__fetch_session *session, int change)
{
	atomic_fetch_add(&session->fetcher->sockets, (unsigned)change);
}

/* ---- Asking ----------------------------------------------------------------------------------------------- */

void curfew__transfer_ask(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length)
{
	curfew__fetcher *fetcher = transfer->session->fetcher;

	curfew__mutex_lock(&fetcher->lock);
	if (fetcher->ending) {
		curfew__mutex_unlock(&fetcher->lock);
		free(parcel);
		return;
	}
	if (parcel) {
		free(transfer->parcel);
		transfer->parcel = parcel;
		transfer->parcel_length = parcel_length;
	}
	bool was_empty = !fetcher->first;
	transfer->asks |= asks;
	if (!transfer->is_asked) {
		transfer->is_asked = true;
		transfer->next = NULL;
		curfew__operation_ref(&transfer->operation);
		*fetcher->last = transfer;
		fetcher->last = &transfer->next;
	}
	if (was_empty)
		curfew__fetcher_wake(fetcher);
	curfew__mutex_unlock(&fetcher->lock);
}

static curfew__transfer *transfer_of(curfew__lookup *lookup)
{
	return CURFEW__OWNER(lookup, curfew__transfer, lookup);
}

static void on_looked_up(curfew__lookup *lookup, char *addresses, const char *why)
{
	curfew__transfer *transfer = transfer_of(lookup);

	transfer->addresses = addresses;
	transfer->lookup_failure = why;
	curfew__transfer_ask(transfer, CURFEW__ASK_LOOKED_UP, NULL, 0);
	curfew__operation_unref(&transfer->operation);
}

void curfew__transfer_look_up(curfew__transfer *transfer)
{
	curfew__operation_ref(&transfer->operation);
	transfer->lookup.name = transfer->host;
	transfer->lookup.done = on_looked_up;
	curfew__resolver_look_up(transfer->session->fetcher->resolver, &transfer->lookup);
}
