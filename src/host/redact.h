/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes secrets from what leaves a run: each value becomes "[secret NAME]", also if it comes in pieces. Values of at
 * least CURFEW__REDACT_MIN bytes are found in these forms: as they are; as the encoders of the web platform, JSON and
 * the console write them, in any combination (redact_fold.h); in base64, wherever in the encoded bytes they begin; and
 * in hexadecimal. The longer lines of a value of several lines count as values. At the end of a text that was cut, the
 * beginning of a secret counts as one. If secrets overlap, nothing of them is left, and the longest gives the name.
 */
#ifndef CURFEW_HOST_REDACT_H
#define CURFEW_HOST_REDACT_H

#include <stdatomic.h>

#include "common/bytes.h"
#include "curfew.h"
#include "host/redact_fold.h"

/* Shorter values would be found in innocent text. */
#define CURFEW__REDACT_MIN 4

/* ---- What to look for ------------------------------------------------------------------------------------- */

/*
 * A set of secrets as a search table. All concurrent runs that have the same set share it. It is built once, in pieces,
 * by whichever of them needs it, and wiped with the last one. It is kept in locked memory.
 */
typedef struct curfew__redactor curfew__redactor;

/* The registry of shared tables; it outlives them. */
typedef struct curfew__redactors curfew__redactors;

/* NULL: out of memory. */
curfew__redactors *curfew__redactors_create(void);
void curfew__redactors_destroy(curfew__redactors *redactors);
/* The number of sets in use. */
size_t curfew__redactors_count(curfew__redactors *redactors);

/* Returns the table of these secrets, which are copied, with a reference for the caller. NULL: out of memory. */
curfew__redactor *curfew__redactors_get(curfew__redactors *redactors, const curfew_secret *secrets, size_t count);
void curfew__redactor_unref(curfew__redactor *redactor);

typedef enum curfew__redactor_state {
	CURFEW__REDACTOR_BUILDING,
	CURFEW__REDACTOR_READY,
	CURFEW__REDACTOR_FAILED, /* out of memory */
} curfew__redactor_state;

/* Builds another piece of the table, for at most some milliseconds, unless it is complete. From any thread. */
curfew__redactor_state curfew__redactor_build(curfew__redactor *redactor);
bool curfew__redactor_is_ready(const curfew__redactor *redactor);

/* ---- Streams ---------------------------------------------------------------------------------------------- */

/* Takes the text that may pass. False: no more is wanted. */
typedef bool (*curfew__redact_sink)(void *context, const char *bytes, size_t length);

/* The position of a secret in a text. */
typedef struct curfew__redact_match {
	uint64_t start;
	uint64_t end;
	uint32_t weight;
	const char *name;
} curfew__redact_match;

/* If the beginning of a secret contains more secrets than this, they count as one, together with the text between them.
 */
#define CURFEW__REDACT_MATCHES 8

/* A byte of the folded text that may still become part of a secret. */
typedef struct curfew__redact_place {
	uint64_t start;
	uint64_t left_out; /* bytes that were left out before it */
} curfew__redact_place;

/* The beginning of a secret without the rest. It counts if the text says that it was cut there. */
typedef struct curfew__redact_beginning {
	uint64_t start, end;
	uint64_t failed_at; /* the byte that did not fit */
	uint32_t weight;
	const char *name; /* NULL: there is none */
} curfew__redact_beginning;

/* A text that comes in pieces. The part that may still become a secret is held back, in memory that is wiped. */
typedef struct curfew__redact_stream {
	const curfew__redactor *redactor;
	const struct curfew__redact_table *table;
	curfew__redact_sink sink;
	void *context;
	const atomic_uint *stop; /* once this is not 0, nothing more is read; may be NULL */
	bool refused;            /* the sink wants no more, memory ran out, or it was stopped */
	uint64_t position;       /* read up to here; like all positions, from the start of the text */
	uint64_t settled;        /* passed on or swallowed up to here */
	char *held;              /* the text from `settled` to `position`, between two writes */
	size_t held_begin, held_length, held_capacity;

	uint32_t plain_state;
	curfew__fold fold;
	uint32_t folded_state;
	curfew__redact_place *places; /* a ring, of as many as the longest folded pattern has bytes; NULL: not needed yet */
	size_t place_mask;
	uint64_t folded_count, left_out;
	uint64_t folded_end;   /* the end of the last byte that was not left out */
	uint32_t absorb;       /* this many bytes that are left out still belong to the last match */
	unsigned char swallow; /* curfew__pattern_kind of the last match, while characters of its alphabet follow */
	curfew__redact_beginning beginnings[2]; /* plain, folded */

	curfew__redact_match matches[CURFEW__REDACT_MATCHES]; /* matches that are not settled, in order, without overlap */
	uint32_t match_count;
	const char *found; /* the name of the secret that was found last, or NULL */
} curfew__redact_stream;

/* Starts a stream. The redactor must be ready. */
void curfew__redact_init(curfew__redact_stream *stream, const curfew__redactor *redactor, curfew__redact_sink sink,
                         void *context);
/* Both return false once the stream has refused. The text is read in pieces, between which the stream checks `stop`. */
bool curfew__redact_write(curfew__redact_stream *stream, const char *bytes, size_t length);
/* Ends the text. If it was cut, the beginning of a secret at its end counts as one. Another text may follow. */
bool curfew__redact_end(curfew__redact_stream *stream, bool cut);
/* Wipes what was held back. The stream may be all zeros. */
void curfew__redact_finish(curfew__redact_stream *stream);

/* ---- Whole texts ------------------------------------------------------------------------------------------ */

/* Appends a whole text, without secrets, to the buffer. False: it did not fit, or memory ran out. */
bool curfew__redact_text(const curfew__redactor *redactor, curfew__buffer *buffer, const char *text, size_t length,
                         bool cut);
/*
 * The same for JSON that curfew__json_check accepts; the result is JSON too. Strings are searched with their escapes
 * decoded. A number that contains a secret becomes a string. If a secret spans several parts of the text (it is JSON
 * itself), the label replaces the whole text. stop (may be NULL): once it is not 0, the result is false.
 */
bool curfew__redact_json(const curfew__redactor *redactor, curfew__buffer *buffer, const char *json, size_t length,
                         const atomic_uint *stop);

#endif
