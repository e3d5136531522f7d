/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef CURFEW_COMMON_UTF8_H
#define CURFEW_COMMON_UTF8_H

#include "common/bytes.h"

#include <stdint.h>

/*
 * Decodes the well-formed sequence at the beginning of the text. Returns its length (1 to 4), or 0 if there is none.
 * length is at least 1.
 */
size_t curfew__utf8_decode(const char *text, size_t length, uint32_t *character);

/* Writes a character that UTF-8 can encode as 1 to 4 bytes, and returns their number. */
size_t curfew__utf8_encode(uint32_t character, char text[4]);

/* The length of the ill-formed bytes at the beginning of text that one U+FFFD replaces (at least 1). */
size_t curfew__utf8_skip(const char *text, size_t length);

/* Whether all of it is well-formed. If not, *error_offset (may be NULL) is the offset of the first ill-formed byte. */
bool curfew__utf8_check(const char *text, size_t length, size_t *error_offset);

/* The longest prefix of at most `most` bytes that does not end inside a character. */
size_t curfew__utf8_cut(const char *text, size_t length, size_t most);

/* Appends the text with every ill-formed part replaced by U+FFFD. */
bool curfew__utf8_add_clean(curfew__buffer *buffer, const char *text, size_t length);

#endif
