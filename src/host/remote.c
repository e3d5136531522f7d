/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run's side of a broker. It already refuses requests that a guest may not make. So a guest alone cannot make its
 * process send anything that the broker would take for an attack.
 */
#include "host/remote.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../guest/abi.h"
#include "common/mutex.h"
#include "common/clock.h"
#include "host/fetch.h"

/* How often a thread that waits for an import checks whether its run is to stop. */
#define LOOK_NS CURFEW__MILLISECOND

struct curfew__remote {
	curfew_message_callback send;
	void *context;
	atomic_size_t bytes_kept;
	size_t bytes_limit;

	curfew__mutex lock; /* guards everything below */
	pthread_cond_t arrived;
	uint32_t import_id; /* the id of the last import */
	bool waiting;
	char *text;
	int32_t answer;
};

/* A request. The guest has at most one chunk in flight in each direction; only its thread checks that. */
typedef struct exchange {
	curfew__operation operation;
	curfew__remote *remote;
	bool chunk_expected, parcel_expected;
} exchange;

curfew__remote *curfew__remote_create(curfew_message_callback send, void *context, size_t bytes_limit)
{
	curfew__remote *remote = calloc(1, sizeof *remote);
	pthread_condattr_t attributes;

	if (!remote)
		return NULL;
	remote->send = send;
	remote->context = context;
	remote->bytes_limit = bytes_limit;
	curfew__mutex_init(&remote->lock);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&remote->arrived, &attributes);
	pthread_condattr_destroy(&attributes);
	return remote;
}

void curfew__remote_destroy(curfew__remote *remote)
{
	if (!remote)
		return;
	curfew__mutex_finish(&remote->lock);
	pthread_cond_destroy(&remote->arrived);
	free(remote->text);
	free(remote);
}

/* False: out of memory, nothing was sent. */
static bool send_message(curfew__remote *remote, uint32_t id, uint32_t kind, const void *bytes, size_t length)
{
	curfew__message head = {id, kind, 0};
	char *message = malloc(sizeof head + length);

	if (!message)
		return false;
	memcpy(message, &head, sizeof head);
	if (length)
		memcpy(message + sizeof head, bytes, length);
	remote->send(remote->context, message, sizeof head + length);
	free(message);
	return true;
}

/* ---- Requests --------------------------------------------------------------------------------------------- */

static bool send_piece(exchange *x, uint32_t kind, const void *bytes, size_t length, bool *expected)
{
	if (*expected || !send_message(x->remote, x->operation.id, kind, bytes, length))
		return false;
	*expected = true;
	return true;
}

static bool on_send(curfew__operation *operation, uint32_t kind, const void *bytes, size_t length)
{
	exchange *x = (exchange *)operation;

	switch (kind) {
	case CURFEW_FETCH_TAKE: return send_piece(x, kind, NULL, 0, &x->chunk_expected);
	case CURFEW_FETCH_BODY:
		return length && length <= CURFEW_FETCH_CHUNK_BYTES && send_piece(x, kind, bytes, length, &x->parcel_expected);
	case CURFEW_FETCH_BODY_END: return send_message(x->remote, operation->id, kind, NULL, 0);
	default: return false;
	}
}

static void on_taken(curfew__operation *operation, uint32_t kind)
{
	exchange *x = (exchange *)operation;

	if (kind == CURFEW_FETCH_CHUNK)
		x->chunk_expected = false;
	else if (kind == CURFEW_FETCH_SENT)
		x->parcel_expected = false;
}

/* If there is no memory for this message, the broker ends the request with the run. */
static void on_cancel(curfew__operation *operation)
{
	(void)send_message(((exchange *)operation)->remote, operation->id, CURFEW__MESSAGE_CANCEL, NULL, 0);
}

static void on_destroy(curfew__operation *operation)
{
	atomic_fetch_sub(&((exchange *)operation)->remote->bytes_kept, CURFEW__FETCH_BYTES);
	free(operation);
}

static const curfew__operation_type type = {on_send, on_taken, on_cancel, on_destroy};

uint32_t curfew__remote_fetch(curfew__remote *remote, curfew__operations *operations, const char *request,
                              size_t length)
{
	if (length > CURFEW__FETCH_REQUEST_BYTES)
		return curfew__fetch_refuse(operations, CURFEW__FETCH_TOO_LARGE);
	if (atomic_load(&remote->bytes_kept) + CURFEW__FETCH_BYTES > remote->bytes_limit)
		return curfew__fetch_refuse(operations, CURFEW__FETCH_TOO_MANY);
	exchange *x = calloc(1, sizeof *x);
	if (!x)
		return 0;
	x->remote = remote;
	if (!curfew__operation_start(operations, &x->operation, &type)) {
		free(x);
		return 0;
	}

	atomic_fetch_add(&remote->bytes_kept, CURFEW__FETCH_BYTES);
	uint32_t id = x->operation.id;

	/* The run executes, so only this thread can end the request before it was sent. */
	if (!send_message(remote, id, CURFEW__MESSAGE_FETCH, request, length)) {
		curfew__operations_cancel(operations, id);
		id = 0;
	}

	curfew__operation_unref(&x->operation);
	return id;
}

/* ---- Imports ---------------------------------------------------------------------------------------------- */

static void wait_for_import(curfew__remote *remote, const atomic_uint *stop) CURFEW__REQUIRES(remote->lock);
static void wait_for_import(curfew__remote *remote, const atomic_uint *stop)
{
	while (remote->waiting && !atomic_load(stop)) {
		int64_t until = clock_now_ns() + LOOK_NS;
		struct timespec time = {until / CURFEW__SECOND, until % CURFEW__SECOND};
		curfew__mutex_wait_until(&remote->lock, &remote->arrived, &time);
	}
}

char *curfew__remote_import(curfew__remote *remote, const char *name, size_t length, const atomic_uint *stop,
                            int32_t *answer)
{
	*answer = -1; /* no such file */
	/* After giving up on an import the run must not request another: the broker serves one at a time. */
	if (length > CURFEW__FETCH_REQUEST_BYTES || atomic_load(stop))
		return NULL;
	curfew__mutex_lock(&remote->lock);
	uint32_t id = ++remote->import_id;
	remote->waiting = true;
	curfew__mutex_unlock(&remote->lock);
	bool sent = send_message(remote, id, CURFEW__MESSAGE_IMPORT, name, length);
	curfew__mutex_lock(&remote->lock);
	if (sent)
		wait_for_import(remote, stop);
	char *text = remote->waiting ? NULL : remote->text;
	if (!remote->waiting)
		*answer = remote->answer;
	remote->waiting = false;
	remote->text = NULL;
	curfew__mutex_unlock(&remote->lock);
	return text;
}

static bool take_import(curfew__remote *remote, uint32_t id, const char *bytes, size_t length)
{
	int32_t answer;

	if (length < sizeof answer)
		return false;
	memcpy(&answer, bytes, sizeof answer);
	length -= sizeof answer;
	char *text = answer >= 0 && (size_t)answer == length ? malloc(length + 1) : NULL;
	if (answer >= 0 && !text)
		return false;
	if (text)
		memcpy(text, bytes + sizeof answer, length);
	curfew__mutex_lock(&remote->lock);
	/* Nobody waits for it any more, so drop it. */
	if (remote->waiting && remote->import_id == id) {
		remote->waiting = false;
		remote->answer = answer;
		remote->text = text;
		text = NULL;
		pthread_cond_signal(&remote->arrived);
	}
	curfew__mutex_unlock(&remote->lock);
	free(text);
	return true;
}

/* ---- What arrives ----------------------------------------------------------------------------------------- */

static bool take_event(curfew__operations *operations, curfew__message head, const char *bytes, size_t length)
{
	bool last = head.kind == CURFEW_FETCH_END || head.kind == CURFEW_FETCH_FAILED;
	char *copy = malloc(length + 1);

	if (!copy || head.kind < CURFEW_FETCH_HEAD || head.kind > CURFEW_FETCH_FAILED) {
		free(copy);
		return false;
	}
	memcpy(copy, bytes, length);
	/* Drop events of a request that was cancelled meanwhile. */
	curfew__operations_post(operations, head.id, head.kind, last, copy, length);
	return true;
}

bool curfew__remote_receive(curfew__remote *remote, curfew__operations *operations, const void *message, size_t length)
{
	curfew__message head;

	if (length < sizeof head)
		return false;
	memcpy(&head, message, sizeof head);
	const char *bytes = (const char *)message + sizeof head;
	if (operations)
		curfew__operations_charge(operations, head.cpu_us * CURFEW__MICROSECOND);
	if (head.kind == CURFEW__MESSAGE_CPU)
		return length == sizeof head;
	if (head.kind == CURFEW__MESSAGE_IMPORTED)
		return take_import(remote, head.id, bytes, length - sizeof head);
	return !operations || take_event(operations, head, bytes, length - sizeof head);
}
