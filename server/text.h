/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing text that is born with a cap, and what is written into it: plain text, formats, JSON. A failed addition
 * (out of memory, or beyond the cap) leaves the text failed, and is seen once, at text_take.
 */
#ifndef CURFEW_SERVER_TEXT_H
#define CURFEW_SERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct text {
	char *data; /* NUL-terminated as soon as there is any */
	size_t len;
	size_t room;
	size_t most; /* the cap, in bytes */
	bool failed;
} text;

void text_init(text *t, size_t most);
void text_finish(text *t);
void text_add(text *t, const char *data, size_t len);
void text_say(text *t, const char *words);
void text_print(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A JSON string, quotes included. What is not UTF-8 becomes U+FFFD. */
void text_add_json(text *t, const char *data, size_t len);
/* A JSON string, or null for NULL. */
void text_say_json(text *t, const char *words);
/* Microseconds of the wall clock as an RFC 3339 JSON string, or null for 0. */
void text_say_time(text *t, int64_t wall_us);

/* The text, free with free; *len may be NULL. NULL if any addition failed. The text is finished. */
char *text_take(text *t, size_t *len);

/* A copy of len bytes and a NUL; NULL: out of memory. */
char *text_copy(const char *data, size_t len);

#endif
