/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What values of core modules and components share: the JSON text of parameters, numbers in both directions, and how
 * messages name a given value. A message is one line.
 */
#ifndef CURFEW_WASM_JSON_VALUES_H
#define CURFEW_WASM_JSON_VALUES_H

#include "common/bytes.h"
#include "common/json.h"
#include "common/json_reader.h"
#include "curfew.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Checks JSON text, in pieces between which it checks stop (may be NULL), and makes a reader of it. False: the message
 * says what is wrong, and where (what: the name of the text in the message).
 */
bool curfew__json_open(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop,
                       const char *what, curfew_failure *failure);
/* The same for the parameters of a call: an array. */
bool curfew__params_open(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop,
                         const char *what, curfew_failure *failure);

/* An integer type, by the values that it accepts. */
typedef struct curfew__integer_type {
	const char *name;
	int64_t least;
	uint64_t most;
	unsigned bits; /* 8, 16, 32 or 64 */
} curfew__integer_type;

/*
 * All that read a value pass it only if it is of their kind; to describe it, keep where it began. Reads a whole number
 * (1.0 and 1e3 are some, too), of a type with 64 bits also one written as a decimal string. A number with a point or an
 * exponent counts up to 2^53 only: beyond, it need not be the one that was meant. *value is the number in two's
 * complement. False: it is none, or out of range.
 */
bool curfew__integer_read(curfew__json_reader *reader, const curfew__integer_type *type, uint64_t *value);
/* Describes such a type: "u8 (0 to 255)". */
void curfew__integer_expected(const curfew__integer_type *type, curfew__buffer *buffer);

/* Reads a number, or one of the strings "NaN", "Infinity" and "-Infinity". Nothing finite becomes infinite as f32. */
bool curfew__double_read(curfew__json_reader *reader, double *value);
bool curfew__float_read(curfew__json_reader *reader, float *value);
/* Reads a string of at most `most` bytes into text[most + 1], NUL-terminated. */
bool curfew__short_text_read(curfew__json_reader *reader, char *text, size_t most, size_t *length);
/* The text that follows the name of such a type: " (a number, "NaN"...". */
void curfew__floating_expected(bool single, curfew__buffer *buffer);

/* Writes numbers so that they read back the same, as short as that goes: beyond +-2^53 integers are strings, and NaN
 * and the infinities are in any case. */
void curfew__json_signed(curfew__json_writer *writer, int64_t value);
void curfew__json_unsigned(curfew__json_writer *writer, uint64_t value);
void curfew__json_double(curfew__json_writer *writer, double value);
void curfew__json_float(curfew__json_writer *writer, float value);

/* Describes the value that begins here, short enough for a message: null, 3, "text", an array of 2. */
void curfew__json_describe(const curfew__json_reader *reader, size_t at, curfew__buffer *buffer);
/* Writes a string as curfew__json_describe does. */
void curfew__text_describe(const char *text, size_t length, curfew__buffer *buffer);

/* Copies a buffer's text to failure, cut between characters if it is too long, and finishes the buffer. Returns false.
 */
bool curfew__message_take(curfew_failure *failure, curfew__buffer *buffer);

#endif
