/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run asks of a broker in another process, and the messages between them. A request over HTTP is an operation of
 * the run like one that is carried out here: the guest sees no difference. An import is waited for.
 */
#ifndef CURFEW_HOST_REMOTE_H
#define CURFEW_HOST_REMOTE_H

#include "curfew.h"
#include "host/operations.h"

/* A message: this, and what guest/abi.h says that the kind has. */
typedef struct curfew__message {
	uint32_t id; /* of the operation in its run; of an import: which one */
	uint32_t kind;
} curfew__message;

/* Beside what guest and host say to each other about a request, which goes through as it is. */
enum {
	/* From the run. */
	CURFEW__MESSAGE_FETCH = 16, /* the request */
	CURFEW__MESSAGE_CANCEL = 17,
	CURFEW__MESSAGE_IMPORT = 18, /* the name */
	/* To it. */
	CURFEW__MESSAGE_IMPORTED = 18, /* int32_t: as curfew__import_open answers; and the text */
};

typedef struct curfew__remote curfew__remote;

/* The requests that go on at once stay below bytes_limit. NULL: out of memory. */
curfew__remote *curfew__remote_create(curfew_message_callback send, void *context, size_t bytes_limit);
/* Nothing of the run goes on any more. */
void curfew__remote_destroy(curfew__remote *remote);

/* As curfew__fetch_start. */
uint32_t curfew__remote_fetch(curfew__remote *remote, curfew__operations *operations, const char *request,
                              size_t length);
/* As curfew__import_open; gives up once *stop is not 0, as if there were no such file. */
char *curfew__remote_import(curfew__remote *remote, const char *name, size_t length, const atomic_uint *stop,
                            int32_t *answer);
/* What the broker sent. operations may be NULL. False: it is malformed, or memory is short. Any thread. */
bool curfew__remote_receive(curfew__remote *remote, curfew__operations *operations, const void *message, size_t length);

#endif
