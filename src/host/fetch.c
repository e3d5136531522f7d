/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread: it sleeps on an epoll of libcurl's sockets and of one event descriptor, which is written when
 * the list of transfers that are asked for something stops being empty. All handles of libcurl are touched on this
 * thread only. A transfer lives until the run, the list, a lookup and this thread have let go of it.
 */
#include "host/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../guest/abi.h"
#include "common/clock.h"
#include "host/transfer.h"

#define EVENTS_AT_ONCE 64
/* Requests under way at once, where the process may open enough files (set_bounds). */
#define REQUESTS_MOST 1024
#define REQUESTS_OF_RUN_MOST 32

struct curfew__fetcher {
	atomic_uint references; /* the owner's, and one for each session */
	curfew__curl curl;
	curfew__resolver *resolver;
	pthread_t thread;
	pthread_mutex_t lock;
	curfew__transfer *first, **last; /* asked for something */
	curfew__fetch_session *unwanted; /* to be freed on the thread */
	bool ending;                     /* nothing is put on the lists any more */
	int wakeup;
	int epoll;
	CURLM *multi;
	int64_t timer_ns; /* when libcurl wants to be called */

	/* Requests under way, and those of runs that wait for their turn, one of each run after the other. */
	unsigned active, active_most, active_of_run_most;
	TAILQ_HEAD(, curfew__fetch_session) due;
	atomic_uint sockets; /* connections kept for later among them */
};

/* ---- What libcurl asks of the thread ---------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
	curfew__fetcher *fetcher = context;
	struct epoll_event event = {.data.fd = socket};

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

static void free_session(curfew__fetch_session *session);

/* Under the lock: empties the list, so that a transfer may be put on it anew. */
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
	pthread_mutex_lock(&fetcher->lock);
	char *parcel = transfer->parcel;
	*length = transfer->parcel_length;
	transfer->parcel = NULL;
	pthread_mutex_unlock(&fetcher->lock);
	return parcel;
}

static void serve_asked(curfew__fetcher *fetcher)
{
	pthread_mutex_lock(&fetcher->lock);
	curfew__transfer *transfer = take_asked(fetcher);
	curfew__fetch_session *unwanted = fetcher->unwanted;
	fetcher->unwanted = NULL;
	pthread_mutex_unlock(&fetcher->lock);
	while (transfer) {
		curfew__transfer *next = transfer->next_taken;
		size_t length = 0;
		char *parcel = transfer->taken_asks & CURFEW__ASK_SEND ? take_parcel(fetcher, transfer, &length) : NULL;
		curfew__transfer_serve(transfer, transfer->taken_asks, parcel, length);
		curfew__operation_unref(&transfer->operation);
		transfer = next;
	}
	while (unwanted) {
		curfew__fetch_session *next = unwanted->next;
		free_session(unwanted);
		unwanted = next;
	}
}

/* ---- Turns: so many requests at once for a run, and for all of them together ------------------------------- */

/* A session is due while a request of it waits that may begin as far as its run goes. */
static void update_due(curfew__fetch_session *session)
{
	curfew__fetcher *fetcher = session->fetcher;
	bool is_due = !TAILQ_EMPTY(&session->waiting) && session->active < fetcher->active_of_run_most;

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
	update_due(transfer->session);
}

static void stop_waiting(curfew__transfer *transfer)
{
	if (transfer->is_waiting)
		TAILQ_REMOVE(&transfer->session->waiting, transfer, turn);
	transfer->is_waiting = false;
}

void curfew__transfer_leave(curfew__transfer *transfer)
{
	stop_waiting(transfer);
	transfer->session->active -= transfer->is_active;
	transfer->session->fetcher->active -= transfer->is_active;
	transfer->is_active = false;
	update_due(transfer->session);
}

/* Begins the first request of a session that is due, which then comes behind all others. */
static void take_turn(curfew__fetcher *fetcher, curfew__fetch_session *session)
{
	curfew__transfer *transfer = TAILQ_FIRST(&session->waiting);

	stop_waiting(transfer);
	transfer->is_active = true;
	session->active++;
	fetcher->active++;
	TAILQ_REMOVE(&fetcher->due, session, due);
	session->is_due = false;
	update_due(session);
	curfew__operation_ref(&transfer->operation);
	curfew__transfer_begin(transfer);
	curfew__operation_unref(&transfer->operation);
}

static void serve_turns(curfew__fetcher *fetcher)
{
	curfew__fetch_session *session;

	while (fetcher->active < fetcher->active_most && (session = TAILQ_FIRST(&fetcher->due)))
		take_turn(fetcher, session);
}

/* Two of a connection's sockets may be open at once, while addresses are tried. */
bool curfew__session_is_crowded(const curfew__fetch_session *session, bool extra)
{
	const curfew__fetcher *fetcher = session->fetcher;
	unsigned sockets = atomic_load(&fetcher->sockets);

	return sockets >= (extra ? fetcher->active_most + fetcher->active_most / 2 : fetcher->active_most / 2);
}

void curfew__session_count_socket(const curfew__fetch_session *session, int change)
{
	atomic_fetch_add(&session->fetcher->sockets, (unsigned)change);
}

/* A quarter of the files that the process may open, of which a run has an eighth. */
static void set_bounds(curfew__fetcher *fetcher)
{
	struct rlimit files = {.rlim_cur = 1024};

	getrlimit(RLIMIT_NOFILE, &files);
	unsigned most = files.rlim_cur / 4 < REQUESTS_MOST ? (unsigned)(files.rlim_cur / 4) : REQUESTS_MOST;
	fetcher->active_most = most > 8 ? most : 8;
	unsigned of_run = fetcher->active_most / 8;
	fetcher->active_of_run_most = of_run < 4 ? 4 : of_run < REQUESTS_OF_RUN_MOST ? of_run : REQUESTS_OF_RUN_MOST;
}

/* ---- What libcurl has done -------------------------------------------------------------------------------- */

static void serve_done(curfew__fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = fetcher->curl.multi_info_read(fetcher->multi, &left))) {
		CURLcode result = message->data.result;
		char *transfer = NULL;
		fetcher->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		curfew__transfer_done((curfew__transfer *)(void *)transfer, result);
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
	what |= event->events & EPOLLIN ? CURL_CSELECT_IN : 0;
	what |= event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	fetcher->curl.multi_socket_action(fetcher->multi, event->data.fd, what, &running);
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
	pthread_mutex_lock(&fetcher->lock);
	bool over = fetcher->ending && !fetcher->first && !fetcher->unwanted;
	pthread_mutex_unlock(&fetcher->lock);
	return over;
}

static void *work(void *argument)
{
	curfew__fetcher *fetcher = argument;
	struct epoll_event events[EVENTS_AT_ONCE];
	int running;

	prctl(PR_SET_NAME, "curfew-fetch");
	while (!is_ending(fetcher)) {
		int count = epoll_wait(fetcher->epoll, events, EVENTS_AT_ONCE, milliseconds_until(fetcher->timer_ns));
		for (int i = 0; i < count; i++)
			serve_socket(fetcher, &events[i]);
		serve_asked(fetcher);
		if (fetcher->timer_ns <= clock_now_ns()) {
			fetcher->timer_ns = CURFEW__NEVER;
			fetcher->curl.multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		}
		serve_done(fetcher);
		serve_turns(fetcher);
	}
	return NULL;
}

/* ---- Fetchers --------------------------------------------------------------------------------------------- */

static void unref_fetcher(curfew__fetcher *fetcher)
{
	if (atomic_fetch_sub(&fetcher->references, 1) != 1)
		return;
	pthread_mutex_destroy(&fetcher->lock);
	free(fetcher);
}

static bool start_thread(curfew__fetcher *fetcher)
{
	sigset_t all, before;

	/* Signals of the host program are not for this thread; SIGPIPE is seen as an error of the write. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool ok = !pthread_create(&fetcher->thread, NULL, work, fetcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

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
	/* Of one run: those under way, and those that are kept for its next requests. */
	curl->multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)fetcher->active_of_run_most);
	return start_thread(fetcher);
}

/* What the thread used, once it has ended or did not start. */
static void close_up(curfew__fetcher *fetcher)
{
	curfew__resolver_destroy(fetcher->resolver);
	if (fetcher->multi)
		fetcher->curl.multi_cleanup(fetcher->multi);
	if (fetcher->epoll >= 0)
		close(fetcher->epoll);
	if (fetcher->wakeup >= 0)
		close(fetcher->wakeup);
	unref_fetcher(fetcher);
}

curfew__fetcher *curfew__fetcher_create(char *message)
{
	curfew__fetcher *fetcher = calloc(1, sizeof *fetcher);

	if (!fetcher) {
		snprintf(message, 256, "out of memory");
		return NULL;
	}
	if (!curfew__curl_load(&fetcher->curl, message)) {
		free(fetcher);
		return NULL;
	}
	atomic_init(&fetcher->references, 1);
	pthread_mutex_init(&fetcher->lock, NULL);
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
	snprintf(message, 256, "the network thread cannot be started");
	close_up(fetcher);
	return NULL;
}

static void wake(curfew__fetcher *fetcher)
{
	uint64_t one = 1;
	(void)!write(fetcher->wakeup, &one, sizeof one);
}

void curfew__fetcher_destroy(curfew__fetcher *fetcher)
{
	if (!fetcher)
		return;
	pthread_mutex_lock(&fetcher->lock);
	fetcher->ending = true;
	pthread_mutex_unlock(&fetcher->lock);
	wake(fetcher);
	pthread_join(fetcher->thread, NULL);
	close_up(fetcher);
}

/* ---- Sessions --------------------------------------------------------------------------------------------- */

curfew__fetch_session *curfew__fetch_session_create(curfew__fetcher *fetcher, curfew__allow_list *allowed,
                                                    size_t bytes_limit)
{
	curfew__fetch_session *session = calloc(1, sizeof *session);

	if (!session) {
		curfew__allow_list_destroy(allowed);
		return NULL;
	}
	atomic_init(&session->references, 1);
	atomic_fetch_add(&fetcher->references, 1);
	TAILQ_INIT(&session->waiting);
	session->fetcher = fetcher;
	session->allowed = allowed;
	session->bytes_limit = bytes_limit;
	return session;
}

static void free_session(curfew__fetch_session *session)
{
	if (session->share)
		session->fetcher->curl.share_cleanup(session->share);
	curfew__allow_list_destroy(session->allowed);
	unref_fetcher(session->fetcher);
	free(session);
}

/* Its connections are closed on the thread, while there is one. */
void curfew__fetch_session_unref(curfew__fetch_session *session)
{
	if (!session || atomic_fetch_sub(&session->references, 1) != 1)
		return;
	curfew__fetcher *fetcher = session->fetcher;
	pthread_mutex_lock(&fetcher->lock);
	bool posted = session->share && !fetcher->ending;
	if (posted) {
		session->next = fetcher->unwanted;
		fetcher->unwanted = session;
		/* The thread cannot end before the lock is given back, nor the descriptor be closed. */
		wake(fetcher);
	}
	pthread_mutex_unlock(&fetcher->lock);
	if (!posted)
		free_session(session);
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

/* ---- Asking ----------------------------------------------------------------------------------------------- */

void curfew__transfer_ask(curfew__transfer *transfer, unsigned asks, char *parcel, size_t parcel_length)
{
	curfew__fetcher *fetcher = transfer->session->fetcher;

	pthread_mutex_lock(&fetcher->lock);
	if (fetcher->ending) {
		pthread_mutex_unlock(&fetcher->lock);
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
		wake(fetcher);
	pthread_mutex_unlock(&fetcher->lock);
}

static curfew__transfer *transfer_of(curfew__lookup *lookup)
{
	return (curfew__transfer *)(void *)((char *)lookup - offsetof(curfew__transfer, lookup));
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
