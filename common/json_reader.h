/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON that curfew__json_check has accepted, value by value, without building a tree. A reader is positioned
 * before a value. After every 64 KiB it checks a stop word. Once that is set, the text ends there, `stopped` is true,
 * and everything read since is meaningless.
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
	size_t piece_end;        /* where the next check of stop is due */
	const atomic_uint *stop; /* may be NULL */
	bool stopped;
} curfew__json_reader;

/* Positions a reader before the text's value. */
void curfew__json_reader_init(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop);
/* Skips white space, and returns the next byte without reading it; -1 at the end of the text. */
int curfew__json_peek(curfew__json_reader *reader);
/* The kind of the next value. */
curfew__json_kind curfew__json_next_kind(curfew__json_reader *reader);
/* Skips a value of any kind. */
void curfew__json_skip(curfew__json_reader *reader);
/* Enters the next array or object. */
void curfew__json_enter(curfew__json_reader *reader);
/*
 * Inside an array or object, before each element or key: whether there is another. If not, the reader has passed its
 * end.
 */
bool curfew__json_has_next(curfew__json_reader *reader);
/* Counts the elements or members of the next array or object. The reader does not move. */
size_t curfew__json_count(curfew__json_reader *reader);
/* Reads a number, and returns its text. */
const char *curfew__json_number_text(curfew__json_reader *reader, size_t *length);
/*
 * The character of the escape at the beginning of this text, or half of a surrogate pair if the other half does not
 * follow. The text was checked, but may end within the escape. *used is the length of the escape, 12 for a pair.
 */
uint32_t curfew__json_unescape(const char *text, size_t length, size_t *used);
/*
 * Reads a string, and adds its decoded value to a buffer as UTF-8. False: it has half of a surrogate pair, which
 * becomes U+FFFD, or it did not fit.
 */
bool curfew__json_read_string(curfew__json_reader *reader, curfew__buffer *text);
/* The same for a key, with the colon after it. */
bool curfew__json_read_key(curfew__json_reader *reader, curfew__buffer *key);

#endif
