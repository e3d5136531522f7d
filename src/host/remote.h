/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run requests of a broker in another process, and the messages between them. An HTTP request is an operation of
 * the run like one in this process: the guest sees no difference. The run waits for an import.
 */
#ifndef CURFEW_HOST_REMOTE_H
#define CURFEW_HOST_REMOTE_H

#include "curfew.h"
#include "host/operations.h"

/* A message: this head, and the contents that guest/abi.h defines for its kind. */
typedef struct curfew__message {
	uint32_t id; /* the operation's id in its run, or the number of the import */
	uint32_t kind;
	uint32_t cpu_us; /* to the run: the broker's CPU time for it since the last message */
} curfew__message;

/* Kinds in addition to those between guest and host, which are passed through unchanged. */
enum {
	/* From the run. */
	CURFEW__MESSAGE_FETCH = 16, /* the request */
	CURFEW__MESSAGE_CANCEL = 17,
	CURFEW__MESSAGE_IMPORT = 18, /* the name */
	/* To it. */
	CURFEW__MESSAGE_IMPORTED = 18, /* int32_t, the result of curfew__import_open; and the text */
	CURFEW__MESSAGE_CPU = 19,      /* only the head's cpu_us is new */
};

typedef struct curfew__remote curfew__remote;

/* Requests in progress stay below bytes_limit together. NULL: out of memory. */
curfew__remote *curfew__remote_create(curfew_message_callback send, void *context, size_t bytes_limit);
/* Call it when nothing of the run is in progress any more. */
void curfew__remote_destroy(curfew__remote *remote);

/* Like curfew__fetch_start. */
uint32_t curfew__remote_fetch(curfew__remote *remote, curfew__operations *operations, const char *request,
                              size_t length);
/* Like curfew__import_open. Once *stop is not 0, it gives up as if there were no such file. */
char *curfew__remote_import(curfew__remote *remote, const char *name, size_t length, const atomic_uint *stop,
                            int32_t *answer);
/* Takes a message of the broker's. operations may be NULL. False: it is malformed, or memory ran out. Any thread. */
bool curfew__remote_receive(curfew__remote *remote, curfew__operations *operations, const void *message, size_t length);

#endif
