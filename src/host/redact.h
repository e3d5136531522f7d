/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking secrets out of what leaves a run: each value becomes "[secret NAME]", also where it comes in pieces. Found are
 * values of at least CURFEW__REDACT_LEAST bytes: as they are; as JSON and the console write them in a string and
 * frames in a name; and, if they are not long, percent-encoded (encodeURIComponent) and in base64, wherever in the
 * encoded bytes they begin. The longer lines of a value of several count as values. Of secrets that overlap nothing is
 * left, and the longest gives the name.
 */
#ifndef CURFEW_HOST_REDACT_H
#define CURFEW_HOST_REDACT_H

#include "base/buffer.h"
#include "curfew.h"

/* Shorter values would be found in innocent text. */
#define CURFEW__REDACT_LEAST 4
/* Longer ones are looked for as they are and as JSON and the console have them. */
#define CURFEW__REDACT_ENCODED_MOST 1024

/* What to look for: made once, then only read, by any number of streams. In locked memory, wiped at the end. */
typedef struct curfew__redactor curfew__redactor;

/* The names stay the caller's. NULL: out of memory. */
curfew__redactor *curfew__redactor_create(const curfew_secret *secrets, size_t count);
void curfew__redactor_destroy(curfew__redactor *redactor);

/* Takes what may pass; false: no more is wanted. */
typedef bool (*curfew__redact_sink)(void *context, const char *bytes, size_t length);

/* Where a secret is in a text. */
typedef struct curfew__redact_match {
	uint64_t start;
	uint64_t end;
	uint32_t pattern; /* that names it */
} curfew__redact_match;

/* More secrets than this inside the beginning of another one count as one, with what is between them. */
#define CURFEW__REDACT_MATCHES 8

/*
 * A text that comes in pieces. What may yet become a secret is held back: as a place in the redactor, so that a stream
 * needs no memory of its own and no finishing.
 */
typedef struct curfew__redact_stream {
	const curfew__redactor *redactor;
	curfew__redact_sink sink;
	void *context;
	uint32_t state;
	bool refused;      /* the sink wants no more */
	uint64_t position; /* read up to here, from the start of the text as all of these */
	uint64_t settled;  /* passed on or swallowed up to here */
	curfew__redact_match matches[CURFEW__REDACT_MATCHES]; /* not settled, in order, apart from each other */
	uint32_t match_count;
	const char *found; /* name of the secret found last; NULL: none was */
} curfew__redact_stream;

void curfew__redact_init(curfew__redact_stream *stream, const curfew__redactor *redactor, curfew__redact_sink sink,
                         void *context);
/* Both answer false once the sink has. */
bool curfew__redact_write(curfew__redact_stream *stream, const char *bytes, size_t length);
/* The text is over. If it was cut, the beginning of a secret at its end counts as one. */
bool curfew__redact_end(curfew__redact_stream *stream, bool cut);

/* A whole text, appended to the buffer; false: it did not fit or memory ran out. */
bool curfew__redact_text(const curfew__redactor *redactor, curfew__buffer *buffer, const char *text, size_t length,
                         bool cut);
/*
 * The same for JSON that curfew__json_check accepts; what comes out is JSON too. Strings are looked at as what they
 * mean; a number that holds a secret becomes a string; and where a secret goes across several parts of the text (it is
 * JSON itself), the label takes the place of all of it.
 */
bool curfew__redact_json(const curfew__redactor *redactor, curfew__buffer *buffer, const char *json, size_t length);

#endif
