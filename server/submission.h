/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/runs: read and checked, but not yet accepted. */
#ifndef CURFEW_SERVER_SUBMISSION_H
#define CURFEW_SERVER_SUBMISSION_H

#include "cron.h"
#include "fields.h"
#include "server.h"
#include "store.h"

/* Why a program in JavaScript is refused them. */
#define SUBMISSION_NOT_WASI "args are for WASI programs; JavaScript has params"
/* Why a WebAssembly program is refused them. */
#define SUBMISSION_NOT_JS "files are for JavaScript; a WASI program has stdin"

typedef struct submission {
	json_t *body;        /* what the texts below are borrowed from */
	const char *program; /* NULL: the source is given */
	void *source;        /* owned */
	size_t source_length;
	curfew_language language;
	const char *call, *user;
	char *allow_fetch; /* owned; hosts with blanks between; NULL: none */
	char *wasi;        /* owned; as in wasi.h; NULL: none */
	bool has_args, has_files;
	const char *params; /* borrowed from the request's body */
	size_t params_length;
	curfew_limits limits; /* resolved, below the ceilings */
	uint32_t flags;
	uint64_t delay_us;
	unsigned priority, retry;
	const char *schedule; /* when it comes again, in cron's fields, read into times; NULL: it comes once */
	cron times;
	const char *zone;
	schedule_overlap overlap;
	bool is_paused;
	const char *hook_url, *hook_secret; /* who is told of its end; NULL: nobody, and not signed */
	bool wait, durable;
	bool forbidden; /* what is wrong is no mistake, but more than is granted */
	fields fields;  /* what is wrong, if failed */
} submission;

/* False: fields.pointer and fields.detail say what is wrong. To be finished in any case. */
bool submission_read(submission *sub, const char *body, size_t length, const account *who, const server *s);
void submission_finish(submission *sub);

/* "js", "mjs", "wasm", "wat", "ts", "mts", "tar" (a bundle); false: none of these. */
bool submission_language(const char *name, curfew_language *language);

/* The host and port that a webhook goes to, as --allow-webhook has them; false: it is no such address. */
enum { SUBMISSION_HOST_ROOM = 300 };
bool submission_read_target(const char *url, char target[SUBMISSION_HOST_ROOM]);

/* By schedule_overlap. */
extern const char *const submission_overlaps[OVERLAPS];

#endif
