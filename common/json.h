/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text: a writer on top of the limited buffer, and a checker for untrusted JSON. Neither recurses, so deeply
 * nested text cannot exhaust our stack.
 */
#ifndef CURFEW_COMMON_JSON_H
#define CURFEW_COMMON_JSON_H

#include "common/bytes.h"

#include <stdatomic.h>
#include <stdint.h>

/* The maximum nesting that curfew__json_check accepts. */
#define CURFEW__JSON_DEPTH 100000

/*
 * Writes one JSON text. It adds commas automatically. The caller matches begin and end, and checks the buffer's
 * `failed` flag at the end.
 */
typedef struct curfew__json_writer {
	curfew__buffer *buffer;
	bool comma; /* a value was written, so a comma must precede the next one */
} curfew__json_writer;

void curfew__json_init(curfew__json_writer *writer, curfew__buffer *buffer);
void curfew__json_begin_object(curfew__json_writer *writer);
void curfew__json_end_object(curfew__json_writer *writer);
void curfew__json_begin_array(curfew__json_writer *writer);
void curfew__json_end_array(curfew__json_writer *writer);
/* The key of the value written next. */
void curfew__json_key(curfew__json_writer *writer, const char *key);
/* Ill-formed UTF-8 becomes U+FFFD. Control characters, including NUL, are escaped. */
void curfew__json_string(curfew__json_writer *writer, const char *text, size_t length);
/* Writes a NUL-terminated string, or null for NULL. */
void curfew__json_text(curfew__json_writer *writer, const char *text);
void curfew__json_u64(curfew__json_writer *writer, uint64_t number);
void curfew__json_bool(curfew__json_writer *writer, bool value);
void curfew__json_null(curfew__json_writer *writer);
/*
 * Writes a JSON text that was checked before, in one line. Line breaks in it can only be white space, so they are
 * replaced.
 */
void curfew__json_raw(curfew__json_writer *writer, const char *json, size_t length);

/*
 * Checks that the text is one JSON value in the sense of RFC 8259: UTF-8, no number beyond a double's range, nesting of
 * at most CURFEW__JSON_DEPTH. Lone surrogates are accepted as escapes, because JSON.stringify writes them. If the check
 * fails, *error_offset and *why (a phrase in static memory) are set. Both pointers may be NULL.
 */
bool curfew__json_check(const char *text, size_t length, size_t *error_offset, const char **why);
/*
 * The same in pieces of 64 KiB. Between them it checks `stop` (may be NULL): once that is not 0, the result is false.
 */
bool curfew__json_check_until(const char *text, size_t length, const atomic_uint *stop, size_t *error_offset,
                              const char **why);

/* The double nearest to a number that was checked, independent of the locale. */
double curfew__json_number(const char *text, size_t length);

/* Whether a text that curfew__json_check accepts is an array. */
bool curfew__json_is_array(const char *text, size_t length);

#endif
