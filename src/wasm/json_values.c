/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON on its way to and from WebAssembly. The tree is jansson's, whose integers have 64 bits and whose other numbers
 * are doubles. Two kinds of integers it does not keep as they are, -0 and those beyond 64 bits: they get an exponent
 * before it reads them, which makes them doubles.
 */
#include "wasm/json_values.h"

#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to here every whole number is a double of its own. */
#define EXACT 9007199254740992.0

/* ---- Messages -------------------------------------------------------------------------------------------- */

bool curfew__message_take(char *message, curfew__buffer *buffer)
{
	if (buffer->data == NULL)
		(void)snprintf(message, CURFEW__VALUE_MESSAGE, "out of memory");
	else if (buffer->length < CURFEW__VALUE_MESSAGE)
		memcpy(message, buffer->data, buffer->length + 1);
	else {
		size_t length = curfew__utf8_cut(buffer->data, buffer->length, CURFEW__VALUE_MESSAGE - 4);
		memcpy(message, buffer->data, length);
		memcpy(message + length, "...", 4);
	}
	curfew__buffer_finish(buffer);
	return false;
}

static void describe_string(const json_t *json, curfew__buffer *buffer)
{
	enum { SHOWN = 40 };
	const char *text = json_string_value(json);
	size_t length = json_string_length(json);
	size_t shown = curfew__utf8_cut(text, length, SHOWN);
	curfew__json_writer writer;
	curfew__json_init(&writer, buffer);
	curfew__json_string(&writer, text, shown);
	if (shown < length)
		curfew__buffer_printf(buffer, "... (%zu bytes)", length);
}

void curfew__json_describe(const json_t *json, curfew__buffer *buffer)
{
	curfew__json_writer writer;
	curfew__json_init(&writer, buffer);
	switch (json_typeof(json)) {
	case JSON_STRING:
		describe_string(json, buffer);
		break;
	case JSON_INTEGER:
		curfew__buffer_printf(buffer, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		break;
	case JSON_REAL:
		curfew__json_double(&writer, json_real_value(json));
		break;
	case JSON_ARRAY:
		curfew__buffer_printf(buffer, "an array of %zu", json_array_size(json));
		break;
	case JSON_OBJECT:
		curfew__buffer_add_text(buffer, "an object");
		break;
	default:
		curfew__buffer_add_text(buffer, json_is_null(json) ? "null" : json_is_true(json) ? "true" : "false");
	}
}

/* ---- Reading the text ------------------------------------------------------------------------------------ */

/* Whether jansson would refuse the integer or lose its sign. */
static bool needs_exponent(const char *number, size_t length)
{
	enum { ALWAYS_FIT = 18, LONGEST = 20 };
	if (length == 2 && memcmp(number, "-0", 2) == 0)
		return true;
	if (length <= ALWAYS_FIT)
		return false;
	char text[LONGEST + 1];
	if (length > LONGEST)
		return true;
	memcpy(text, number, length);
	text[length] = '\0';
	errno = 0;
	(void)strtoll(text, NULL, 10);
	return errno == ERANGE;
}

static size_t string_length(const char *text, size_t length)
{
	size_t at = 1;
	while (at < length && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < length ? at + 1 : length;
}

static size_t number_length(const char *text, size_t length, bool *integer)
{
	size_t at = 0;
	*integer = true;
	while (at < length && memchr("0123456789+-.eE", text[at], 15) != NULL) {
		*integer = *integer && memchr(".eE", text[at], 3) == NULL;
		at++;
	}
	return at;
}

/* Copies JSON text, with an exponent behind each integer that needs one. */
static void adapt_numbers(const char *text, size_t length, curfew__buffer *adapted)
{
	size_t kept = 0;
	size_t at = 0;
	while (at < length) {
		bool integer = false;
		size_t number = number_length(text + at, length - at, &integer);
		if (number == 0) {
			at += text[at] == '"' ? string_length(text + at, length - at) : 1;
			continue;
		}
		if (integer && needs_exponent(text + at, number)) {
			curfew__buffer_add(adapted, text + kept, at + number - kept);
			curfew__buffer_add(adapted, "e0", 2);
			kept = at + number;
		}
		at += number;
	}
	curfew__buffer_add(adapted, text + kept, length - kept);
}

static json_t *refuse_text(const char *what, const char *why, size_t offset, char *message)
{
	(void)snprintf(message, CURFEW__VALUE_MESSAGE, "%s: %s (at byte %zu)", what, why, offset);
	return NULL;
}

/* What jansson alone refuses: it says itself what is near. */
static json_t *load(const curfew__buffer *text, const char *what, char *message)
{
	json_error_t error;
	size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
	json_t *value = json_loadb(text->data, text->length, flags, &error);
	if (value == NULL)
		(void)snprintf(message, CURFEW__VALUE_MESSAGE, "%s: %s", what, error.text);
	return value;
}

json_t *curfew__json_read(const char *text, size_t length, const char *what, char *message)
{
	size_t offset = 0;
	const char *why = "";
	if (!curfew__json_check(text, length, &offset, &why))
		return refuse_text(what, why, offset, message);
	curfew__buffer adapted;
	curfew__buffer_init(&adapted, SIZE_MAX);
	adapt_numbers(text, length, &adapted);
	(void)snprintf(message, CURFEW__VALUE_MESSAGE, "out of memory");
	json_t *value = adapted.failed ? NULL : load(&adapted, what, message);
	curfew__buffer_finish(&adapted);
	return value;
}

json_t *curfew__params_read(const char *text, size_t length, char *message)
{
	json_t *params = curfew__json_read(text, length, "params", message);
	if (params == NULL || json_is_array(params))
		return params;
	json_decref(params);
	return refuse_text("params", "must be a JSON array", 0, message);
}

/* ---- Integers -------------------------------------------------------------------------------------------- */

/* A decimal string without anything else in it: "-12". */
static bool read_decimal(const char *text, size_t length, bool *negative, uint64_t *magnitude)
{
	enum { DIGITS = 20 };
	*negative = length > 0 && text[0] == '-';
	size_t sign = *negative ? 1 : 0;
	size_t digits = length - sign;
	if (digits == 0 || digits > DIGITS || strspn(text + sign, "0123456789") != digits)
		return false;
	errno = 0;
	*magnitude = strtoull(text + sign, NULL, 10);
	return errno == 0;
}

/* Sign and magnitude of a value that is a whole number. */
static bool read_whole(const json_t *json, const curfew__integer_type *type, bool *negative, uint64_t *magnitude)
{
	if (json_is_integer(json)) {
		json_int_t value = json_integer_value(json);
		*negative = value < 0;
		*magnitude = *negative ? -(uint64_t)value : (uint64_t)value;
		return true;
	}
	if (json_is_real(json)) {
		double value = json_real_value(json);
		*negative = value < 0;
		if (!(fabs(value) <= EXACT) || value != trunc(value))
			return false;
		*magnitude = (uint64_t)fabs(value);
		return true;
	}
	return type->bits == 64 && json_is_string(json) &&
	       read_decimal(json_string_value(json), json_string_length(json), negative, magnitude);
}

bool curfew__integer_read(const json_t *json, const curfew__integer_type *type, uint64_t *value)
{
	bool negative = false;
	uint64_t magnitude = 0;
	if (!read_whole(json, type, &negative, &magnitude))
		return false;
	if (magnitude > (negative ? -(uint64_t)type->least : type->most))
		return false;
	*value = negative ? -magnitude : magnitude;
	return true;
}

void curfew__integer_expected(const curfew__integer_type *type, curfew__buffer *buffer)
{
	curfew__buffer_printf(buffer, "%s (%" PRId64 " to %" PRIu64 "%s)", type->name, type->least, type->most,
	                      type->bits == 64 ? "; beyond 2^53 as a string" : "");
}

void curfew__json_signed(curfew__json_writer *writer, int64_t value)
{
	char text[24];
	bool exact = value <= (int64_t)EXACT && value >= -(int64_t)EXACT;
	int length = snprintf(text, sizeof text, "%" PRId64, value);
	if (exact)
		curfew__json_raw(writer, text, (size_t)length);
	else
		curfew__json_string(writer, text, (size_t)length);
}

void curfew__json_unsigned(curfew__json_writer *writer, uint64_t value)
{
	char text[24];
	int length = snprintf(text, sizeof text, "%" PRIu64, value);
	if (value <= (uint64_t)EXACT)
		curfew__json_raw(writer, text, (size_t)length);
	else
		curfew__json_string(writer, text, (size_t)length);
}

/* ---- Floating point -------------------------------------------------------------------------------------- */

static const char *const not_numbers[] = {"NaN", "Infinity", "-Infinity"};

bool curfew__double_read(const json_t *json, double *value)
{
	if (json_is_number(json)) {
		*value = json_number_value(json);
		return true;
	}
	const double values[] = {NAN, INFINITY, -INFINITY};
	for (size_t i = 0; json_is_string(json) && i < 3; i++) {
		if (strcmp(json_string_value(json), not_numbers[i]) != 0)
			continue;
		*value = values[i];
		return json_string_length(json) == strlen(not_numbers[i]);
	}
	return false;
}

bool curfew__float_read(const json_t *json, float *value)
{
	double wide;
	if (!curfew__double_read(json, &wide))
		return false;
	*value = (float)wide;
	return !isinf(*value) || isinf(wide);
}

void curfew__floating_expected(bool single, curfew__buffer *buffer)
{
	curfew__buffer_printf(buffer, " (a number%s, \"NaN\", \"Infinity\" or \"-Infinity\")",
	                      single ? " up to 3.4028235e38" : "");
}

/* The decimal point of the host's locale becomes that of JSON. */
static size_t use_point(char *text)
{
	size_t length = 0;
	for (const char *from = text; *from != '\0'; from++) {
		bool plain = memchr("0123456789+-e", *from, 13) != NULL;
		if (plain || length == 0 || text[length - 1] != '.')
			text[length++] = plain ? *from : '.';
	}
	text[length] = '\0';
	return length;
}

static bool reads_back(const char *text, double value, bool single)
{
	double read = strtod(text, NULL);
	return single ? (float)read == (float)value : read == value;
}

/* A finite number but zero. With `enough` digits every shorter text shows, but for the numbers near zero. */
static void write_finite(curfew__json_writer *writer, double value, bool single)
{
	char text[40];
	int most = single ? 9 : 17;
	int enough = single ? 6 : 15;
	int digits = fabs(value) < (single ? 1e-37 : 1e-307) ? 1 : enough;
	for (; digits <= most; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, value);
		if (reads_back(text, value, single))
			break;
	}
	curfew__json_raw(writer, text, use_point(text));
}

static void write_floating(curfew__json_writer *writer, double value, bool single)
{
	if (!isfinite(value))
		curfew__json_text(writer, not_numbers[isnan(value) ? 0 : value > 0 ? 1 : 2]);
	else if (value == trunc(value) && fabs(value) < 1e15 && value != 0 && !single)
		curfew__json_signed(writer, (int64_t)value);
	else if (value == 0)
		curfew__json_raw(writer, signbit(value) ? "-0.0" : "0", signbit(value) ? 4 : 1);
	else
		write_finite(writer, value, single);
}

void curfew__json_double(curfew__json_writer *writer, double value)
{
	write_floating(writer, value, false);
}

void curfew__json_float(curfew__json_writer *writer, float value)
{
	write_floating(writer, (double)value, true);
}
