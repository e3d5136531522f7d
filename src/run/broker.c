/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of host/remote.c. A broker executes what a run in another process requests, with the same code and the
 * same checks as for a run in this process. Each operation of that run has a counterpart here, under the same number.
 */
#include "run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../guest/abi.h"
#include "base/copy_in.h"
#include "base/refuse.h"
#include "common/clock.h"

/* A run learns of so much CPU time at once, if no event tells it before. */
#define REPORT_CPU_NS CURFEW__MILLISECOND

static const curfew__operation_event only_cpu = {.kind = CURFEW__MESSAGE_CPU};

_Static_assert(CURFEW_REQUEST_BYTES >= sizeof(curfew__message) + CURFEW__FETCH_REQUEST_BYTES &&
                   CURFEW_REQUEST_BYTES >= sizeof(curfew__message) + CURFEW_FETCH_CHUNK_BYTES,
               "the largest message");

struct curfew_broker {
	curfew__operations *operations;
	curfew__fetch_session *fetch; /* NULL: the run may not fetch */
	uint64_t fetches_left;        /* the rest of its host calls */
	char *import_dir;             /* resolved path, or NULL */
	void (*on_ready)(void *context);
	void *context;
	void *imported; /* an answer that was not taken yet, or NULL */
	size_t imported_length;
	void *message; /* the message that was taken last */
};

/* ---- Making and ending it --------------------------------------------------------------------------------- */

curfew_status curfew_network_create(curfew_network **network, curfew_failure *failure)
{
	curfew_failure inner = {.message = ""};

	if (!network)
		return curfew__refuse(failure, CURFEW_INVALID, "network is NULL");
	*network = (curfew_network *)curfew__fetcher_create(&inner);
	return curfew__refuse(failure, *network ? CURFEW_OK : CURFEW_SYSTEM, inner.message);
}

void curfew_network_destroy(curfew_network *network)
{
	curfew__fetcher_destroy((curfew__fetcher *)network);
}

static curfew_status allow_fetch(curfew_broker *broker, const curfew_broker_options *options, size_t bytes_limit,
                                 curfew_failure *failure)
{
	if (!options->allow_fetch_count)
		return CURFEW_OK;
	curfew__fail(failure, "allow_fetch or network is NULL");
	if (!options->allow_fetch || !options->network)
		return CURFEW_INVALID;
	curfew__allow_list *list = curfew__allow_list_create(options->allow_fetch, options->allow_fetch_count, failure);
	if (!list)
		return CURFEW_INVALID;
	curfew__secret_headers *headers;
	curfew_status status = curfew__secret_headers_create(options->secret_for, options->secret_for_count,
	                                                     options->secrets, options->secret_count, &headers, failure);
	if (status != CURFEW_OK) {
		curfew__allow_list_destroy(list);
		return status;
	}
	broker->fetch = curfew__fetch_session_create((curfew__fetcher *)options->network, list, headers, bytes_limit);
	curfew__fail(failure, "out of memory");
	return broker->fetch ? CURFEW_OK : CURFEW_NO_MEMORY;
}

static curfew_status allow_imports(curfew_broker *broker, const curfew_broker_options *options, curfew_failure *failure)
{
	if (!options->import_dir || (broker->import_dir = realpath(options->import_dir, NULL)))
		return CURFEW_OK;
	curfew__fail(failure, "import directory %.150s: %s", options->import_dir, strerror(errno));
	return CURFEW_INVALID;
}

static void notify_ready(void *context)
{
	curfew_broker *broker = context;
	broker->on_ready(broker->context);
}

static curfew_status fill(curfew_broker *broker, const curfew_broker_options *options, const curfew_limits *limits,
                          curfew_failure *failure)
{
	broker->fetches_left = limits->host_calls;
	broker->on_ready = options->on_ready;
	broker->context = options->context;
	broker->operations = curfew__operations_create(notify_ready, broker);
	if (!broker->operations) {
		curfew__fail(failure, "out of memory");
		return CURFEW_NO_MEMORY;
	}
	curfew__operations_wake_for_cpu(broker->operations, REPORT_CPU_NS);
	curfew_status status = allow_fetch(broker, options, (size_t)limits->memory_bytes, failure);
	return status == CURFEW_OK ? allow_imports(broker, options, failure) : status;
}

curfew_status curfew_broker_create(const curfew_broker_options *given, curfew_broker **broker, curfew_failure *failure)
{
	curfew_broker_options options;
	curfew_limits limits;
	curfew_failure inner = {.message = ""};

	if (!given || !broker || !curfew__copy_in(&options, sizeof options, given) || options.reserved || !options.on_ready)
		return curfew__refuse(failure, CURFEW_INVALID, "options, its size, on_ready or broker is missing");
	*broker = NULL;
	curfew_status status = curfew_limits_resolve(options.limits, &limits, failure);
	if (status != CURFEW_OK)
		return status;
	curfew_broker *made = calloc(1, sizeof *made);
	if (!made)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	status = fill(made, &options, &limits, &inner);
	if (status != CURFEW_OK) {
		curfew_broker_destroy(made);
		return curfew__refuse(failure, status, inner.message);
	}
	*broker = made;
	return curfew__refuse(failure, CURFEW_OK, "");
}

void curfew_broker_destroy(curfew_broker *broker)
{
	if (!broker)
		return;
	curfew__operations_close(broker->operations);
	curfew__operations_unref(broker->operations);
	curfew__fetch_session_unref(broker->fetch);
	free(broker->import_dir);
	free(broker->imported);
	free(broker->message);
	free(broker);
}

/* ---- From the run ----------------------------------------------------------------------------------------- */

/* Creates a message of so many bytes, with the CPU time that was used meanwhile. NULL: out of memory. */
static char *make_message(curfew_broker *broker, uint32_t id, uint32_t kind, size_t length)
{
	int64_t cpu_us = curfew__operations_take_cpu(broker->operations) / CURFEW__MICROSECOND;
	curfew__message head = {id, kind, cpu_us < UINT32_MAX ? (uint32_t)cpu_us : UINT32_MAX};
	char *message = malloc(sizeof head + length);

	if (message)
		memcpy(message, &head, sizeof head);
	return message;
}

static curfew_status on_fetch(curfew_broker *broker, uint32_t id, const char *request, size_t length)
{
	if (!broker->fetches_left || !curfew__operations_number(broker->operations, id))
		return CURFEW_INVALID;
	broker->fetches_left--;
	uint32_t started = broker->fetch ? curfew__fetch_start(broker->fetch, broker->operations, request, length)
	                                 : curfew__fetch_refuse(broker->operations, CURFEW__FETCH_NOT_ALLOWED);
	return started ? CURFEW_OK : CURFEW_NO_MEMORY;
}

/* Makes a message of the answer and the text. */
static bool answer_import(curfew_broker *broker, uint32_t id, int32_t answer, const char *text)
{
	size_t length = text ? (size_t)answer : 0;
	char *message = make_message(broker, id, CURFEW__MESSAGE_IMPORTED, sizeof answer + length);

	if (!message)
		return false;
	memcpy(message + sizeof(curfew__message), &answer, sizeof answer);
	if (length)
		memcpy(message + sizeof(curfew__message) + sizeof answer, text, length);
	broker->imported = message;
	broker->imported_length = sizeof(curfew__message) + sizeof answer + length;
	return true;
}

/* A run waits for the answer before its next import, so a second request here is a violation. */
static curfew_status on_import(curfew_broker *broker, uint32_t id, const char *name, size_t length)
{
	int32_t answer;

	if (!broker->import_dir || broker->imported)
		return CURFEW_INVALID;
	char *text = curfew__import_open(broker->import_dir, name, length, CURFEW__MODULE_BYTES_MAX, &answer);
	bool ok = answer_import(broker, id, answer, text);
	free(text);
	if (ok)
		notify_ready(broker);
	return ok ? CURFEW_OK : CURFEW_NO_MEMORY;
}

static curfew_status dispatch_message(curfew_broker *broker, curfew__message head, const char *bytes, size_t length)
{
	switch (head.kind) {
	case CURFEW__MESSAGE_FETCH: return on_fetch(broker, head.id, bytes, length);
	case CURFEW__MESSAGE_IMPORT: return on_import(broker, head.id, bytes, length);
	case CURFEW__MESSAGE_CANCEL:
		curfew__operations_cancel(broker->operations, head.id);
		return length ? CURFEW_INVALID : CURFEW_OK;
	case CURFEW_FETCH_TAKE:
	case CURFEW_FETCH_BODY:
	case CURFEW_FETCH_BODY_END:
		/* Ignore the result, because the operation may have ended meanwhile. */
		curfew__operations_send(broker->operations, head.id, head.kind, bytes, length);
		return CURFEW_OK;
	default: return CURFEW_INVALID;
	}
}

curfew_status curfew_broker_receive(curfew_broker *broker, const void *message, size_t length, curfew_failure *failure)
{
	curfew__message head;

	if (!broker || !message || length < sizeof head || length > CURFEW_REQUEST_BYTES)
		return curfew__refuse(failure, CURFEW_INVALID,
		                      "broker or message is NULL, or the length is not that of a message");
	memcpy(&head, message, sizeof head);
	curfew_status status = dispatch_message(broker, head, (const char *)message + sizeof head, length - sizeof head);
	return curfew__refuse(failure, status, status == CURFEW_OK ? "" : "a request that no run sends");
}

/* ---- To the run ------------------------------------------------------------------------------------------- */

const void *curfew_broker_next(curfew_broker *broker, size_t *length)
{
	free(broker->message);
	broker->message = broker->imported;
	*length = broker->imported_length;
	broker->imported = NULL;
	if (broker->message)
		return broker->message;
	const curfew__operation_event *event = curfew__operations_next(broker->operations);
	if (!event && curfew__operations_cpu(broker->operations) < REPORT_CPU_NS)
		return NULL;
	if (!event)
		event = &only_cpu;
	char *message = broker->message = make_message(broker, event->id, event->kind, event->length);
	if (message && event->length)
		memcpy(message + sizeof(curfew__message), event->bytes, event->length);
	*length = sizeof(curfew__message) + event->length;
	return message;
}
