/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking secrets out of what leaves a run: each value becomes "[secret NAME]", also where it comes in pieces. Found are
 * values of at least CURFEW__REDACT_LEAST bytes: as they are; as the encoders of the web platform, JSON and the console
 * write them, in any combination (redact_fold.h); in base64, wherever in the encoded bytes they begin, and in
 * hexadecimal. The longer lines of a value of several count as values. Of a text that was cut, the beginning of a
 * secret at its end counts as one. Of secrets that overlap nothing is left, and the longest gives the name.
 */
#ifndef CURFEW_HOST_REDACT_H
#define CURFEW_HOST_REDACT_H

#include <stdatomic.h>

#include "common/bytes.h"
#include "curfew.h"
#include "host/redact_fold.h"

/* Shorter values would be found in innocent text. */
#define CURFEW__REDACT_LEAST 4

/* ---- What to look for ------------------------------------------------------------------------------------- */

/*
 * A set of secrets as a table to search with. It is shared by all runs that have the same set at one time, built once,
 * in pieces, by whichever of them needs it, and wiped with the last one. It is kept in locked memory.
 */
typedef struct curfew__redactor curfew__redactor;

/* Where tables are shared; it outlives them. */
typedef struct curfew__redactors curfew__redactors;

/* NULL: out of memory. */
curfew__redactors *curfew__redactors_create(void);
void curfew__redactors_destroy(curfew__redactors *redactors);
/* How many sets are in use. */
size_t curfew__redactors_count(curfew__redactors *redactors);

/* The table of these secrets, with a reference for the caller. What is given is copied. NULL: out of memory. */
curfew__redactor *curfew__redactors_get(curfew__redactors *redactors, const curfew_secret *secrets, size_t count);
void curfew__redactor_unref(curfew__redactor *redactor);

typedef enum curfew__redactor_state {
	CURFEW__REDACTOR_BUILDING,
	CURFEW__REDACTOR_READY,
	CURFEW__REDACTOR_FAILED, /* out of memory */
} curfew__redactor_state;

/* Builds another piece of it, for some milliseconds at most, unless it is there. From any thread. */
curfew__redactor_state curfew__redactor_build(curfew__redactor *redactor);
bool curfew__redactor_is_ready(const curfew__redactor *redactor);

/* ---- Streams ---------------------------------------------------------------------------------------------- */

/* Takes what may pass; false: no more is wanted. */
typedef bool (*curfew__redact_sink)(void *context, const char *bytes, size_t length);

/* Where a secret is in a text. */
typedef struct curfew__redact_match {
	uint64_t start;
	uint64_t end;
	uint32_t weight;
	const char *name;
} curfew__redact_match;

/* More secrets than this inside the beginning of another one count as one, with what is between them. */
#define CURFEW__REDACT_MATCHES 8

/* A byte of the folded text that may yet be part of a secret. */
typedef struct curfew__redact_place {
	uint64_t start;
	uint64_t left_out; /* bytes that were left out before it */
} curfew__redact_place;

/* The beginning of a secret that ended without the rest: it counts if the text says that it was cut there. */
typedef struct curfew__redact_beginning {
	uint64_t start, end;
	uint64_t failed_at; /* the byte that did not fit */
	uint32_t weight;
	const char *name; /* NULL: there is none */
} curfew__redact_beginning;

/* A text that comes in pieces. What may yet become a secret is held back, in memory that is wiped. */
typedef struct curfew__redact_stream {
	const curfew__redactor *redactor;
	const struct curfew__redact_table *table;
	curfew__redact_sink sink;
	void *context;
	const atomic_uint *stop; /* NULL: none; once this is not 0, nothing more is read */
	bool refused;            /* the sink wants no more, memory has run out, or it was stopped */
	uint64_t position;       /* read up to here, from the start of the text as all of these */
	uint64_t settled;        /* passed on or swallowed up to here */
	char *held;              /* the text from `settled` to `position`, between two writes */
	size_t held_begin, held_length, held_capacity;

	uint32_t plain_state;
	curfew__fold fold;
	uint32_t folded_state;
	curfew__redact_place *places; /* a ring, of as many as the longest folded pattern has bytes; NULL: not needed yet */
	size_t place_mask;
	uint64_t folded_count, left_out;
	uint64_t folded_end;                    /* of the last byte that was not left out */
	uint32_t absorb;                        /* so many bytes that are left out still belong to the last match */
	unsigned char swallow;                  /* curfew__pattern_kind of the last match, while its alphabet goes on */
	curfew__redact_beginning beginnings[2]; /* plain, folded */

	curfew__redact_match matches[CURFEW__REDACT_MATCHES]; /* not settled, in order, apart from each other */
	uint32_t match_count;
	const char *found; /* name of the secret found last; NULL: none was */
} curfew__redact_stream;

/* The redactor is ready. */
void curfew__redact_init(curfew__redact_stream *stream, const curfew__redactor *redactor, curfew__redact_sink sink,
                         void *context);
/* Both answer false once the stream has refused. What is written is read in pieces, between which it looks at `stop`.
 */
bool curfew__redact_write(curfew__redact_stream *stream, const char *bytes, size_t length);
/* The text is over. If it was cut, the beginning of a secret at its end counts as one. Another one may follow. */
bool curfew__redact_end(curfew__redact_stream *stream, bool cut);
/* Wipes what was held back. A stream that is zero, too. */
void curfew__redact_finish(curfew__redact_stream *stream);

/* ---- Whole texts ------------------------------------------------------------------------------------------ */

/* A whole text, appended to the buffer; false: it did not fit or memory ran out. */
bool curfew__redact_text(const curfew__redactor *redactor, curfew__buffer *buffer, const char *text, size_t length,
                         bool cut);
/*
 * The same for JSON that curfew__json_check accepts; what comes out is JSON too. Strings are looked at as what they
 * mean; a number that holds a secret becomes a string; and where a secret goes across several parts of the text (it is
 * JSON itself), the label takes the place of all of it. stop (may be NULL): once it is not 0, the answer is false.
 */
bool curfew__redact_json(const curfew__redactor *redactor, curfew__buffer *buffer, const char *json, size_t length,
                         const atomic_uint *stop);

#endif
