/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread. It sleeps on an epoll of libcurl's sockets and of one event descriptor, which is written when the
 * list of transfers with requests to the thread becomes non-empty. Only this thread touches libcurl's handles. A
 * transfer lives until the run, the list, a lookup and this thread have dropped their references.
 */
#include "host/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/refuse.h"
#include "../guest/abi.h"
#include "common/mutex.h"
#include "common/clock.h"
#include "common/thread.h"
#include "host/transfer.h"

#define EVENTS_AT_ONCE 64
/* Requests in flight at once, if the process may open enough files (set_bounds). */
#define REQUESTS_MAX 1024
#define REQUESTS_OF_RUN_MAX 32

/* ---- Who pays for it -------------------------------------------------------------------------------------- */

/* Charges a run (NULL: nobody) for the CPU time that this thread has used since the last charge. */
static void charge(curfew__fetcher *fetcher, curfew__operations *payer)
{
	int64_t now = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);

	if (payer && now > fetcher->charged_ns)
		curfew__operations_charge(payer, now - fetcher->charged_ns);
	fetcher->charged_ns = now;
}

static curfew__operations *payer_of_socket(const curfew__fetcher *fetcher, int socket)
{
	return (size_t)socket < fetcher->payer_count ? fetcher->payers[socket] : NULL;
}

/* If there is no memory for it, nobody pays for this socket. */
static void set_payer(curfew__fetcher *fetcher, int socket, curfew__operations *payer)
{
	size_t index = (size_t)socket, count = (index + 1) * 2;

	if (index >= fetcher->payer_count && payer) {
		curfew__operations **grown = realloc(fetcher->payers, count * sizeof(curfew__operations *));
		if (!grown)
			return;
		memset(grown + fetcher->payer_count, 0, (count - fetcher->payer_count) * sizeof(curfew__operations *));
		fetcher->payers = grown;
		fetcher->payer_count = count;
	}
	if (index >= fetcher->payer_count || fetcher->payers[index] == payer)
		return;
	curfew__operations_unref(fetcher->payers[index]);
	fetcher->payers[index] = payer ? curfew__operations_ref(payer) : NULL;
}

/* The transfer of a handle. NULL: the handle is libcurl's own. */
static curfew__transfer *transfer_of(curfew__fetcher *fetcher, CURL *easy)
{
	char *transfer = NULL;

	fetcher->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	return (curfew__transfer *)(void *)transfer;
}

/* ---- What libcurl asks of the thread ---------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
	curfew__fetcher *fetcher = context;
	struct epoll_event event = {.data.fd = socket};
	curfew__transfer *transfer = transfer_of(fetcher, easy);

	/* libcurl does one thing after another: up to here it worked for this transfer. */
	charge(fetcher, transfer ? transfer->operation.run : NULL);
	set_payer(fetcher, socket, transfer && what != CURL_POLL_REMOVE ? transfer->operation.run : NULL);
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(fetcher->epoll, EPOLL_CTL_DEL, socket, NULL);
		return 0;
	}
	if (!known)
		fetcher->curl.multi_assign(fetcher->multi, socket, fetcher);
	if (epoll_ctl(fetcher->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) && errno == ENOENT)
		epoll_ctl(fetcher->epoll, EPOLL_CTL_ADD, socket, &event);
	return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
	curfew__fetcher *fetcher = context;
	fetcher->timer_ns = wait_ms < 0 ? CURFEW__NEVER : clock_now_ns() + wait_ms * CURFEW__MILLISECOND;
	return 0;
}

/* ---- The thread ------------------------------------------------------------------------------------------- */

/* Empties the list, so that transfers may be put on it again. */
static curfew__transfer *take_asked(curfew__fetcher *fetcher) CURFEW__REQUIRES(fetcher->lock);
static curfew__transfer *take_asked(curfew__fetcher *fetcher)
{
	curfew__transfer *list = fetcher->first;

	for (curfew__transfer *at = list; at; at = at->next) {
		at->next_taken = at->next;
		at->taken_asks = at->asks;
		at->asks = 0;
		at->is_asked = false;
	}
	fetcher->first = NULL;
	fetcher->last = &fetcher->first;
	return list;
}

static char *take_parcel(curfew__fetcher *fetcher, curfew__transfer *transfer, size_t *length)
{
	curfew__mutex_lock(&fetcher->lock);
	char *parcel = transfer->parcel;
	*length = transfer->parcel_length;
	transfer->parcel = NULL;
	curfew__mutex_unlock(&fetcher->lock);
	return parcel;
}

static void serve_asked(curfew__fetcher *fetcher)
{
	curfew__mutex_lock(&fetcher->lock);
	curfew__transfer *transfer = take_asked(fetcher);
	curfew__fetch_session *unwanted = fetcher->unwanted;
	fetcher->unwanted = NULL;
	curfew__mutex_unlock(&fetcher->lock);
	while (transfer) {
		curfew__transfer *next = transfer->next_taken;
		size_t length = 0;
		char *parcel = transfer->taken_asks & CURFEW__ASK_SEND ? take_parcel(fetcher, transfer, &length) : NULL;
		curfew__transfer_serve(transfer, transfer->taken_asks, parcel, length);
		charge(fetcher, transfer->operation.run);
		curfew__operation_unref(&transfer->operation);
		transfer = next;
	}
	while (unwanted) {
		curfew__fetch_session *next = unwanted->next;
		curfew__session_free(unwanted);
		unwanted = next;
	}
	charge(fetcher, NULL);
}

/* ---- Turns: so many requests at once for a run, and for all of them together ------------------------------- */

/* Begins the first request of the next session that is due. The session then moves behind all others. */
static void take_turn(curfew__fetcher *fetcher, curfew__fetch_session *session)
{
	curfew__transfer *transfer = TAILQ_FIRST(&session->waiting);

	curfew__transfer_stop_waiting(transfer);
	transfer->is_active = true;
	session->active++;
	fetcher->active++;
	TAILQ_REMOVE(&fetcher->due, session, due);
	session->is_due = false;
	curfew__session_update_due(session);
	curfew__operation_ref(&transfer->operation);
	curfew__transfer_begin(transfer);
	charge(fetcher, transfer->operation.run);
	curfew__operation_unref(&transfer->operation);
}

static void serve_turns(curfew__fetcher *fetcher)
{
	curfew__fetch_session *session;

	while (fetcher->active < fetcher->active_max && (session = TAILQ_FIRST(&fetcher->due)))
		take_turn(fetcher, session);
}

/* All runs have a quarter of the files that the process may open, and one run an eighth of these. */
static void set_bounds(curfew__fetcher *fetcher)
{
	struct rlimit files = {.rlim_cur = 1024};

	getrlimit(RLIMIT_NOFILE, &files);
	unsigned most = files.rlim_cur / 4 < REQUESTS_MAX ? (unsigned)(files.rlim_cur / 4) : REQUESTS_MAX;
	fetcher->active_max = most > 8 ? most : 8;
	unsigned of_run = fetcher->active_max / 8;
	fetcher->active_of_run_max = of_run < 4 ? 4 : of_run < REQUESTS_OF_RUN_MAX ? of_run : REQUESTS_OF_RUN_MAX;
}

/* ---- What libcurl has done -------------------------------------------------------------------------------- */

static void serve_done(curfew__fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = fetcher->curl.multi_info_read(fetcher->multi, &left))) {
		CURLcode result = message->data.result;
		curfew__transfer *transfer = transfer_of(fetcher, message->easy_handle);
		curfew__operations *payer = curfew__operations_ref(transfer->operation.run);
		curfew__transfer_done(transfer, result);
		charge(fetcher, payer);
		curfew__operations_unref(payer);
	}
}

static void serve_socket(curfew__fetcher *fetcher, const struct epoll_event *event)
{
	int running, what = 0;
	uint64_t count;

	if (event->data.fd == fetcher->wakeup) {
		(void)!read(fetcher->wakeup, &count, sizeof count);
		return;
	}
	curfew__operations *payer = payer_of_socket(fetcher, event->data.fd);
	if (payer)
		curfew__operations_ref(payer);
	what |= event->events & EPOLLIN ? CURL_CSELECT_IN : 0;
	what |= event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	fetcher->curl.multi_socket_action(fetcher->multi, event->data.fd, what, &running);
	charge(fetcher, payer);
	curfew__operations_unref(payer);
}

static int milliseconds_until(int64_t when_ns)
{
	if (when_ns == CURFEW__NEVER)
		return -1;
	int64_t wait = when_ns - clock_now_ns();
	return wait <= 0 ? 0 : (int)((wait + CURFEW__MILLISECOND - 1) / CURFEW__MILLISECOND);
}

static bool is_ending(curfew__fetcher *fetcher)
{
	curfew__mutex_lock(&fetcher->lock);
	bool over = fetcher->ending && !fetcher->first && !fetcher->unwanted;
	curfew__mutex_unlock(&fetcher->lock);
	return over;
}

static void *network_main(void *argument)
{
	curfew__fetcher *fetcher = argument;
	struct epoll_event events[EVENTS_AT_ONCE];
	int running;

	prctl(PR_SET_NAME, "curfew-fetch");
	while (!is_ending(fetcher)) {
		int count = epoll_wait(fetcher->epoll, events, EVENTS_AT_ONCE, milliseconds_until(fetcher->timer_ns));
		charge(fetcher, NULL);
		for (int i = 0; i < count; i++)
			serve_socket(fetcher, &events[i]);
		serve_asked(fetcher);
		if (fetcher->timer_ns <= clock_now_ns()) {
			fetcher->timer_ns = CURFEW__NEVER;
			fetcher->curl.multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
			charge(fetcher, NULL);
		}
		serve_done(fetcher);
		serve_turns(fetcher);
	}
	return NULL;
}

/* ---- Fetchers --------------------------------------------------------------------------------------------- */

static bool set_up(curfew__fetcher *fetcher)
{
	const curfew__curl *curl = &fetcher->curl;
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fetcher->wakeup};

	if (fetcher->epoll < 0 || fetcher->wakeup < 0 || !fetcher->multi || !fetcher->resolver ||
	    epoll_ctl(fetcher->epoll, EPOLL_CTL_ADD, fetcher->wakeup, &event))
		return false;
	curl->multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl->multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl->multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl->multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	/* Connections of one run: those in use, and those that are kept for its next requests. */
	curl->multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)fetcher->active_of_run_max);
	return thread_start(&fetcher->thread, NULL, network_main, fetcher);
}

/* Frees what the thread used, once it has ended or if it did not start. */
static void close_up(curfew__fetcher *fetcher)
{
	curfew__resolver_destroy(fetcher->resolver);
	if (fetcher->multi)
		fetcher->curl.multi_cleanup(fetcher->multi);
	for (size_t i = 0; i < fetcher->payer_count; i++)
		curfew__operations_unref(fetcher->payers[i]);
	free(fetcher->payers);
	if (fetcher->epoll >= 0)
		close(fetcher->epoll);
	if (fetcher->wakeup >= 0)
		close(fetcher->wakeup);
	curfew__fetcher_unref(fetcher);
}

curfew__fetcher *curfew__fetcher_create(curfew_failure *failure)
{
	curfew__fetcher *fetcher = calloc(1, sizeof *fetcher);

	if (!fetcher) {
		curfew__fail(failure, "out of memory");
		return NULL;
	}
	if (!curfew__curl_load(&fetcher->curl, failure)) {
		free(fetcher);
		return NULL;
	}
	atomic_init(&fetcher->references, 1);
	curfew__mutex_init(&fetcher->lock);
	fetcher->last = &fetcher->first;
	TAILQ_INIT(&fetcher->due);
	set_bounds(fetcher);
	fetcher->timer_ns = CURFEW__NEVER;
	fetcher->epoll = epoll_create1(EPOLL_CLOEXEC);
	fetcher->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fetcher->multi = fetcher->curl.multi_init();
	fetcher->resolver = curfew__resolver_create();
	if (set_up(fetcher))
		return fetcher;
	curfew__fail(failure, "the network thread cannot be started");
	close_up(fetcher);
	return NULL;
}

void curfew__fetcher_destroy(curfew__fetcher *fetcher)
{
	if (!fetcher)
		return;
	curfew__mutex_lock(&fetcher->lock);
	fetcher->ending = true;
	curfew__mutex_unlock(&fetcher->lock);
	curfew__fetcher_wake(fetcher);
	pthread_join(fetcher->thread, NULL);
	close_up(fetcher);
}

/* ---- As an operation -------------------------------------------------------------------------------------- */

static curfew__transfer *as_transfer(curfew__operation *operation)
{
	return (curfew__transfer *)operation;
}

static bool send_parcel(curfew__transfer *transfer, const void *bytes, size_t length)
{
	char *copy;

	if (transfer->parcel_expected || !length || length > CURFEW_FETCH_CHUNK_BYTES || !(copy = malloc(length)))
		return false;
	memcpy(copy, bytes, length);
	transfer->parcel_expected = true;
	curfew__transfer_ask(transfer, CURFEW__ASK_SEND, copy, length);
	return true;
}

static bool on_send(curfew__operation *operation, uint32_t kind, const void *bytes, size_t length)
{
	curfew__transfer *transfer = as_transfer(operation);

	switch (kind) {
	case CURFEW_FETCH_TAKE:
		if (transfer->chunk_expected)
			return false;
		transfer->chunk_expected = true;
		curfew__transfer_ask(transfer, CURFEW__ASK_CHUNK, NULL, 0);
		return true;
	case CURFEW_FETCH_BODY: return send_parcel(transfer, bytes, length);
	case CURFEW_FETCH_BODY_END: curfew__transfer_ask(transfer, CURFEW__ASK_SEND_END, NULL, 0); return true;
	default: return false;
	}
}

static void on_taken(curfew__operation *operation, uint32_t kind)
{
	curfew__transfer *transfer = as_transfer(operation);

	if (kind == CURFEW_FETCH_CHUNK)
		transfer->chunk_expected = false;
	else if (kind == CURFEW_FETCH_SENT)
		transfer->parcel_expected = false;
}

static void on_cancel(curfew__operation *operation)
{
	curfew__transfer *transfer = as_transfer(operation);

	atomic_store(&transfer->lookup.abandoned, true);
	curfew__transfer_ask(transfer, CURFEW__ASK_CANCEL, NULL, 0);
}

static void on_destroy(curfew__operation *operation)
{
	curfew__transfer *transfer = as_transfer(operation);
	curfew__fetch_session *session = transfer->session;

	curfew__transfer_finish(transfer);
	free(transfer);
	curfew__fetch_session_unref(session);
}

static const curfew__operation_type type = {on_send, on_taken, on_cancel, on_destroy};

uint32_t curfew__fetch_start(curfew__fetch_session *session, curfew__operations *operations, const char *request,
                             size_t length)
{
	char buffer[256];

	curfew__transfer *transfer = calloc(1, sizeof *transfer);
	if (!transfer)
		return 0;
	transfer->session = session;
	atomic_fetch_add(&session->references, 1);
	const char *wrong = curfew__transfer_parse(transfer, request, length, buffer);
	if (wrong || !curfew__operation_start(operations, &transfer->operation, &type)) {
		on_destroy(&transfer->operation);
		return wrong ? curfew__fetch_refuse(operations, wrong) : 0;
	}
	uint32_t id = transfer->operation.id;
	curfew__transfer_ask(transfer, CURFEW__ASK_START, NULL, 0);
	curfew__operation_unref(&transfer->operation);
	return id;
}
