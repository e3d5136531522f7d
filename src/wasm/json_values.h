/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core modules and components share of values: the parameters' JSON text as a tree, numbers in and out, and how
 * messages name what was given. A message is one line of at most CURFEW__VALUE_MESSAGE bytes, its NUL included.
 */
#ifndef CURFEW_WASM_JSON_VALUES_H
#define CURFEW_WASM_JSON_VALUES_H

#include "base/buffer.h"
#include "base/json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURFEW__VALUE_MESSAGE = 256 };

/*
 * JSON text nested at most 2,048 deep, without lone surrogates and without a key twice in an object. Free with
 * json_decref. NULL: the message says what is wrong with it (what: how the message calls it) and where.
 */
json_t *curfew__json_read(const char *text, size_t length, const char *what, char *message);
/* The parameters of a call: an array of that sort. */
json_t *curfew__params_read(const char *text, size_t length, char *message);

/* An integer type, by what it may be given as. */
typedef struct curfew__integer_type {
	const char *name;
	int64_t least;
	uint64_t most;
	unsigned bits; /* 8, 16, 32 or 64 */
} curfew__integer_type;

/*
 * Reads a whole number (1.0 and 1e3 are some, too), of a type with 64 bits also one written as a decimal string. A
 * number with a point or an exponent counts up to 2^53 only: beyond, it need not be the one that was meant.
 * *value is the number in two's complement. False: it is none, or out of range.
 */
bool curfew__integer_read(const json_t *json, const curfew__integer_type *type, uint64_t *value);
/* What such a type is given as: "u8 (0 to 255)". */
void curfew__integer_expected(const curfew__integer_type *type, curfew__buffer *buffer);

/* Reads a number, or one of the strings "NaN", "Infinity" and "-Infinity". Nothing finite becomes infinite as f32. */
bool curfew__double_read(const json_t *json, double *value);
bool curfew__float_read(const json_t *json, float *value);
/* What follows the name of such a type: " (a number, "NaN"...". */
void curfew__floating_expected(bool single, curfew__buffer *buffer);

/* Writes numbers so that they read back the same, as short as that goes: beyond +-2^53 integers are strings, and NaN
 * and the infinities are in any case. */
void curfew__json_signed(curfew__json_writer *writer, int64_t value);
void curfew__json_unsigned(curfew__json_writer *writer, uint64_t value);
void curfew__json_double(curfew__json_writer *writer, double value);
void curfew__json_float(curfew__json_writer *writer, float value);

/* What was given, short enough for a message: null, 3, "text", an array of 2. */
void curfew__json_describe(const json_t *json, curfew__buffer *buffer);

/* Puts a buffer's text into a message, cut between characters if it is too long, and finishes the buffer. False. */
bool curfew__message_take(char *message, curfew__buffer *buffer);

#endif
