/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing text with a limit, to which plain text, formatted text and JSON can be added. If an addition fails (out of
 * memory, or beyond the limit), it and all later ones are left out. The caller has to check that only once, at
 * text_take.
 */
#ifndef CURFEW_COMMON_TEXT_H
#define CURFEW_COMMON_TEXT_H

#include "common/bytes.h"

#include <stdint.h>

typedef curfew__buffer text;

void text_init(text *t, size_t limit);
void text_finish(text *t);
void text_add(text *t, const char *data, size_t len);
void text_say(text *t, const char *words);
void text_print(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a JSON string with quotes. Ill-formed UTF-8 becomes U+FFFD. */
void text_add_json(text *t, const char *data, size_t len);
/* Writes a JSON string, or null for NULL. */
void text_say_json(text *t, const char *words);
/* Writes microseconds of the wall clock as an RFC 3339 JSON string, or null for 0. */
void text_say_time(text *t, int64_t wall_us);

/* Takes the text; free it with free. *length may be NULL. NULL: an addition failed. Afterwards the text is finished. */
char *text_take(text *t, size_t *length);

/* A copy of len bytes and a NUL. NULL: out of memory. */
char *text_copy(const char *data, size_t len);

#endif
