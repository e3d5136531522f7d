/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON that curfew__json_check has accepted, value by value, without a tree of it: what a text costs is what its
 * reader makes of it. A reader stands before a value. It looks at a stop word after every 64 KiB; once that is set the
 * text ends there, `stopped` is true, and nothing that was read since means anything.
 */
#ifndef CURFEW_COMMON_JSON_READER_H
#define CURFEW_COMMON_JSON_READER_H

#include "common/bytes.h"

#include <stdatomic.h>
#include <stdint.h>

typedef enum curfew__json_kind {
	CURFEW__JSON_NULL,
	CURFEW__JSON_FALSE,
	CURFEW__JSON_TRUE,
	CURFEW__JSON_NUMBER,
	CURFEW__JSON_STRING,
	CURFEW__JSON_ARRAY,
	CURFEW__JSON_OBJECT,
} curfew__json_kind;

typedef struct curfew__json_reader {
	const char *text; /* borrowed */
	size_t length;
	size_t at;
	size_t piece_end;        /* where the next look at stop is due */
	const atomic_uint *stop; /* may be NULL */
	bool stopped;
} curfew__json_reader;

/* Stands before the text's value. */
void curfew__json_reader_init(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop);
/* The next byte that is no white space, which the reader then stands before; -1 at the end of the text. */
int curfew__json_peek(curfew__json_reader *reader);
/* What the value is that comes next. */
curfew__json_kind curfew__json_next_kind(curfew__json_reader *reader);
/* Passes a value, whatever it is. */
void curfew__json_skip(curfew__json_reader *reader);
/* Goes into the array or object that comes next. */
void curfew__json_enter(curfew__json_reader *reader);
/* In one, before each element or key: whether there is another; if not, its end has been passed. */
bool curfew__json_has_next(curfew__json_reader *reader);
/* How many elements or members the array or object has that comes next; the reader stays before it. */
size_t curfew__json_count(curfew__json_reader *reader);
/* Passes a number, and answers its text. */
const char *curfew__json_number_text(curfew__json_reader *reader, size_t *length);
/*
 * The character that the escape at the beginning of this text stands for; half of a surrogate pair where the other half
 * does not follow. The text was checked, but may end within the escape. *used: its bytes, 12 for a pair.
 */
uint32_t curfew__json_unescape(const char *text, size_t length, size_t *used);
/*
 * Passes a string, and adds what it means to a buffer as UTF-8. False: it has half of a surrogate pair, which becomes
 * U+FFFD, or it did not fit.
 */
bool curfew__json_read_string(curfew__json_reader *reader, curfew__buffer *text);
/* The same for a key, with the colon behind it. */
bool curfew__json_read_key(curfew__json_reader *reader, curfew__buffer *key);

#endif
