/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to and from WebAssembly's values. A number is an integer if it has no point and no exponent and fits into 64
 * bits, and a double otherwise; -0 is a double too.
 */
#include "wasm/json_values.h"

#include "base/refuse.h"
#include "common/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to here every integer has a double of its own. */
#define EXACT 9007199254740992.0

/* ---- Messages -------------------------------------------------------------------------------------------- */

bool curfew__message_take(curfew_failure *failure, curfew__buffer *buffer)
{
	size_t most = sizeof failure->message - 1;
	if (buffer->data == NULL)
		curfew__fail(failure, "out of memory");
	else if (buffer->length <= most)
		curfew__fail(failure, "%s", buffer->data);
	else
		curfew__fail(failure, "%.*s...", (int)curfew__utf8_cut(buffer->data, buffer->length, most - 3), buffer->data);
	curfew__buffer_finish(buffer);
	return false;
}

/* Reads a number. True: it is a 64-bit integer. Otherwise it is *value. */
static bool read_number(curfew__json_reader *reader, int64_t *integer, double *value)
{
	enum { LONGEST = 20 };
	char copy[LONGEST + 1];
	size_t length = 0;
	const char *text = curfew__json_number_text(reader, &length);
	if (length <= LONGEST && !(length == 2 && memcmp(text, "-0", 2) == 0)) {
		memcpy(copy, text, length);
		copy[length] = '\0';
		errno = 0;
		*integer = strtoll(copy, NULL, 10);
		if (errno != ERANGE && strpbrk(copy, ".eE") == NULL)
			return true;
	}
	*value = curfew__json_number(text, length);
	return false;
}

void curfew__text_describe(const char *text, size_t length, curfew__buffer *buffer)
{
	enum { SHOWN = 40 };
	size_t shown = curfew__utf8_cut(text, length, SHOWN);
	curfew__json_writer writer;
	curfew__json_init(&writer, buffer);
	curfew__json_string(&writer, text, shown);
	if (shown < length)
		curfew__buffer_printf(buffer, "... (%zu bytes)", length);
}

static void describe_string(curfew__json_reader *reader, curfew__buffer *buffer)
{
	curfew__buffer text;
	curfew__buffer_init(&text, reader->length);
	(void)curfew__json_read_string(reader, &text);
	curfew__text_describe(text.data != NULL ? text.data : "", text.length, buffer);
	curfew__buffer_finish(&text);
}

static void describe_number(curfew__json_reader *reader, curfew__buffer *buffer)
{
	curfew__json_writer writer;
	int64_t integer = 0;
	double value = 0;
	curfew__json_init(&writer, buffer);
	if (read_number(reader, &integer, &value))
		curfew__buffer_printf(buffer, "%" PRId64, integer);
	else
		curfew__json_double(&writer, value);
}

void curfew__json_describe(const curfew__json_reader *reader, size_t at, curfew__buffer *buffer)
{
	static const char *const words[] = {"null", "false", "true"};
	curfew__json_reader copy = *reader;
	copy.at = at;
	copy.piece_end = at;
	curfew__json_kind kind = curfew__json_next_kind(&copy);
	switch (kind) {
	case CURFEW__JSON_STRING: describe_string(&copy, buffer); break;
	case CURFEW__JSON_NUMBER: describe_number(&copy, buffer); break;
	case CURFEW__JSON_ARRAY: curfew__buffer_printf(buffer, "an array of %zu", curfew__json_count(&copy)); break;
	case CURFEW__JSON_OBJECT: curfew__buffer_add_text(buffer, "an object"); break;
	default: curfew__buffer_add_text(buffer, words[kind]);
	}
}

/* ---- Reading the text ------------------------------------------------------------------------------------ */

static bool refuse_text(const char *what, const char *why, size_t offset, curfew_failure *failure)
{
	return curfew__fail(failure, "%s: %s (at byte %zu)", what, why, offset);
}

bool curfew__json_open(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop,
                       const char *what, curfew_failure *failure)
{
	size_t offset = 0;
	const char *why = "";
	if (!curfew__json_check_until(text, length, stop, &offset, &why))
		return refuse_text(what, why, offset, failure);
	curfew__json_reader_init(reader, text, length, stop);
	return true;
}

bool curfew__params_open(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop,
                         const char *what, curfew_failure *failure)
{
	return curfew__json_open(reader, text, length, stop, what, failure) &&
	       (curfew__json_next_kind(reader) == CURFEW__JSON_ARRAY ||
	        refuse_text(what, "must be a JSON array", 0, failure));
}

bool curfew__short_text_read(curfew__json_reader *reader, char *text, size_t most, size_t *length)
{
	curfew__buffer buffer;
	if (curfew__json_next_kind(reader) != CURFEW__JSON_STRING)
		return false;
	curfew__buffer_init(&buffer, most);
	bool good = curfew__json_read_string(reader, &buffer) && !buffer.failed;
	*length = buffer.length;
	if (buffer.length > 0)
		memcpy(text, buffer.data, buffer.length);
	text[buffer.length] = '\0';
	curfew__buffer_finish(&buffer);
	return good;
}

/* ---- Integers -------------------------------------------------------------------------------------------- */

/* Reads a decimal string without anything else in it: "-12". */
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

static bool whole_of(double value, bool *negative, uint64_t *magnitude)
{
	*negative = value < 0;
	if (!(fabs(value) <= EXACT) || value != trunc(value))
		return false;
	*magnitude = (uint64_t)fabs(value);
	return true;
}

/* Reads sign and magnitude of an integer. */
static bool read_whole(curfew__json_reader *reader, const curfew__integer_type *type, bool *negative,
                       uint64_t *magnitude)
{
	enum { DIGITS = 21 };
	char text[DIGITS + 1];
	size_t length = 0;
	int64_t integer = 0;
	double value = 0;
	if (curfew__json_next_kind(reader) != CURFEW__JSON_NUMBER)
		return type->bits == 64 && curfew__short_text_read(reader, text, DIGITS, &length) &&
		       read_decimal(text, length, negative, magnitude);
	if (!read_number(reader, &integer, &value))
		return whole_of(value, negative, magnitude);
	*negative = integer < 0;
	*magnitude = *negative ? -(uint64_t)integer : (uint64_t)integer;
	return true;
}

bool curfew__integer_read(curfew__json_reader *reader, const curfew__integer_type *type, uint64_t *value)
{
	bool negative = false;
	uint64_t magnitude = 0;
	if (!read_whole(reader, type, &negative, &magnitude))
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

bool curfew__double_read(curfew__json_reader *reader, double *value)
{
	enum { LONGEST = sizeof "-Infinity" - 1 };
	const double values[] = {NAN, INFINITY, -INFINITY};
	char text[LONGEST + 1];
	size_t length = 0;
	int64_t integer = 0;
	if (curfew__json_next_kind(reader) == CURFEW__JSON_NUMBER) {
		if (read_number(reader, &integer, value))
			*value = (double)integer;
		return true;
	}
	if (!curfew__short_text_read(reader, text, LONGEST, &length))
		return false;
	for (size_t i = 0; i < 3; i++) {
		*value = values[i];
		if (length == strlen(not_numbers[i]) && memcmp(text, not_numbers[i], length) == 0)
			return true;
	}
	return false;
}

bool curfew__float_read(curfew__json_reader *reader, float *value)
{
	double wide;
	if (!curfew__double_read(reader, &wide))
		return false;
	*value = (float)wide;
	return !isinf(*value) || isinf(wide);
}

void curfew__floating_expected(bool single, curfew__buffer *buffer)
{
	curfew__buffer_printf(buffer, " (a number%s, \"NaN\", \"Infinity\" or \"-Infinity\")",
	                      single ? " up to 3.4028235e38" : "");
}

/* Replace the decimal point of the host's locale by JSON's. */
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

/* Writes a finite number other than zero. Try the shortest text first; `enough` digits are always exact. */
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
