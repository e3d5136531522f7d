/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/runs: read and checked, but not yet accepted. */
#ifndef CURFEW_SERVER_SUBMISSION_H
#define CURFEW_SERVER_SUBMISSION_H

#include "cron.h"
#include "fields.h"
#include "server.h"
#include "store.h"

/* Why JavaScript programs may not have these. */
#define SUBMISSION_NOT_WASI "args are for WASI programs; JavaScript has params"
/* Why WebAssembly programs may not have these. */

typedef struct submission {
	json_t *body;        /* the texts below are borrowed from this */
	const char *program; /* NULL: the source is submitted */
	void *source;        /* owned */
	size_t source_length;
	curfew_language language;
	const char *call, *user;
	char *allow_fetch; /* owned; hosts with spaces between; NULL: none */
	char *wasi;        /* owned; as in wasi.h; NULL: none */
	bool has_args;
	const char *params; /* borrowed from the request's body */
	size_t params_length;
	curfew_limits limits; /* resolved, within the ceilings */
	uint32_t flags;
	uint64_t delay_us;
	unsigned priority, retry;
	const char *schedule; /* cron's fields, parsed into times; NULL: not recurring */
	cron times;
	const char *zone;
	schedule_overlap overlap;
	bool is_paused;
	const char *hook_url, *hook_secret; /* NULL: no webhook; not signed */
	bool wait, durable;
	bool forbidden; /* it failed because of missing grants */
	fields fields;  /* the failure, if any */
} submission;

/* Reads a submission. False: fields.pointer and fields.detail say what is wrong. It must be finished in any case. */
bool submission_read(submission *sub, const char *body, size_t length, const account *who, const server *s);
void submission_finish(submission *sub);

/* Reads "js", "mjs", "wasm", "wat", "ts", "mts" or "tar" (a bundle). False: it is none of these. */
bool submission_language(const char *name, curfew_language *language);

/* Reads the host and port of a webhook, in the form of --allow-webhook. False: the URL is invalid. */
enum { SUBMISSION_HOST_SIZE = 300 };
bool submission_read_target(const char *url, char target[SUBMISSION_HOST_SIZE]);

/* Indexed by schedule_overlap. */
extern const char *const submission_overlaps[OVERLAPS];

#endif
