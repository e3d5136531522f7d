/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON writer and the JSON checker (RFC 8259). For each open bracket the checker stores one bit (object or array)
 * instead of a call frame. The rest of its state is its position.
 */
#include "common/json.h"

#include "common/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Writer ---------------------------------------------------------------------------------------------- */

void curfew__json_init(curfew__json_writer *writer, curfew__buffer *buffer)
{
	writer->buffer = buffer;
	writer->comma = false;
}

static bool has_room(const curfew__buffer *buffer, size_t length)
{
	return buffer->capacity - buffer->length > length;
}

static void add_byte(curfew__buffer *buffer, char byte)
{
	if (!has_room(buffer, 1)) {
		curfew__buffer_add(buffer, &byte, 1);
		return;
	}
	buffer->data[buffer->length++] = byte;
	buffer->data[buffer->length] = '\0';
}

static void begin_value(curfew__json_writer *writer)
{
	if (writer->comma)
		add_byte(writer->buffer, ',');
	writer->comma = true;
}

static void open_bracket(curfew__json_writer *writer, char bracket)
{
	begin_value(writer);
	add_byte(writer->buffer, bracket);
	writer->comma = false;
}

static void close_bracket(curfew__json_writer *writer, char bracket)
{
	add_byte(writer->buffer, bracket);
	writer->comma = true;
}

void curfew__json_begin_object(curfew__json_writer *writer)
{
	open_bracket(writer, '{');
}

void curfew__json_end_object(curfew__json_writer *writer)
{
	close_bracket(writer, '}');
}

void curfew__json_begin_array(curfew__json_writer *writer)
{
	open_bracket(writer, '[');
}

void curfew__json_end_array(curfew__json_writer *writer)
{
	close_bracket(writer, ']');
}

/* The escape of a character that a JSON string cannot contain directly; NULL if it can. */
static const char *short_escape(unsigned char byte)
{
	switch (byte) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\f': return "\\f";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	default: return NULL;
	}
}

static void add_escape(curfew__buffer *buffer, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char *escape = short_escape(byte);
	const char number[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
	if (escape != NULL)
		curfew__buffer_add_text(buffer, escape);
	else
		curfew__buffer_add(buffer, number, sizeof number); /* much faster than formatting */
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

/* Adds a short string of plain ASCII in one pass, if it is one and there is room. Most keys and values are. */
static bool add_short_string(curfew__buffer *buffer, const char *text, size_t length)
{
	enum { SHORT_BYTES = 128 };
	if (length > SHORT_BYTES || !has_room(buffer, length + 2))
		return false;
	char *to = buffer->data + buffer->length;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte >= 0x80 || !is_plain(byte))
			return false;
		to[i + 1] = (char)byte;
	}
	to[0] = to[length + 1] = '"';
	to[length + 2] = '\0';
	buffer->length += length + 2;
	return true;
}

static void add_string(curfew__buffer *buffer, const char *text, size_t length)
{
	if (add_short_string(buffer, text, length))
		return;
	add_byte(buffer, '"');
	size_t at = 0;
	while (at < length) {
		size_t start = at;
		unsigned char all = 0;
		for (; at < length && is_plain((unsigned char)text[at]); at++)
			all |= (unsigned char)text[at];
		/* ASCII, which most texts are, needs no second look. */
		if (all < 0x80)
			curfew__buffer_add(buffer, text + start, at - start);
		else
			curfew__utf8_add_clean(buffer, text + start, at - start);
		if (at < length)
			add_escape(buffer, (unsigned char)text[at++]);
	}
	add_byte(buffer, '"');
}

void curfew__json_key(curfew__json_writer *writer, const char *key)
{
	begin_value(writer);
	add_string(writer->buffer, key, strlen(key));
	add_byte(writer->buffer, ':');
	writer->comma = false;
}

void curfew__json_string(curfew__json_writer *writer, const char *text, size_t length)
{
	begin_value(writer);
	add_string(writer->buffer, text, length);
}

void curfew__json_text(curfew__json_writer *writer, const char *text)
{
	if (text == NULL)
		curfew__json_null(writer);
	else
		curfew__json_string(writer, text, strlen(text));
}

void curfew__json_u64(curfew__json_writer *writer, uint64_t number)
{
	char digits[20];
	size_t first = sizeof digits;
	begin_value(writer);
	do
		digits[--first] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	curfew__buffer_add(writer->buffer, digits + first, sizeof digits - first);
}

void curfew__json_bool(curfew__json_writer *writer, bool value)
{
	begin_value(writer);
	curfew__buffer_add_text(writer->buffer, value ? "true" : "false");
}

void curfew__json_null(curfew__json_writer *writer)
{
	begin_value(writer);
	curfew__buffer_add_text(writer->buffer, "null");
}

void curfew__json_raw(curfew__json_writer *writer, const char *json, size_t length)
{
	begin_value(writer);
	size_t start = 0;
	for (size_t at = 0; at < length; at++) {
		if (json[at] != '\n' && json[at] != '\r')
			continue;
		curfew__buffer_add(writer->buffer, json + start, at - start);
		start = at + 1;
	}
	curfew__buffer_add(writer->buffer, json + start, length - start);
}

/* ---- Checker --------------------------------------------------------------------------------------------- */

/* How much text is checked between two checks for a stop. It takes tens of microseconds. */
enum { PIECE_BYTES = 64 << 10 };

typedef struct checker {
	const char *text;
	size_t length;
	size_t at;
	size_t piece_end;        /* at most length: where the next check is due */
	const atomic_uint *stop; /* may be NULL */
	bool stopped;
	const char *why;
	size_t depth;
	unsigned char in_object[CURFEW__JSON_DEPTH / 8 + 1]; /* one bit for each open bracket */
} checker;

static bool refuse(checker *c, const char *why)
{
	c->why = why;
	return false;
}

/*
 * Called at the end of a piece. Returns the next byte, or -1 at the end of the text. If the check is to stop, the text
 * ends here.
 */
static int peek_beyond(checker *c)
{
	if (c->at == c->length)
		return -1;
	if (c->stop != NULL && atomic_load(c->stop) != 0) {
		c->stopped = true;
		c->length = c->at;
		return -1;
	}
	c->piece_end = c->length - c->at > PIECE_BYTES ? c->at + PIECE_BYTES : c->length;
	return (unsigned char)c->text[c->at];
}

/* The next byte, or -1 at the end. */
static int peek(checker *c)
{
	return c->at < c->piece_end ? (unsigned char)c->text[c->at] : peek_beyond(c);
}

static bool accept(checker *c, char byte)
{
	if (peek(c) != (unsigned char)byte)
		return false;
	c->at++;
	return true;
}

static void skip_space(checker *c)
{
	for (int byte = peek(c); byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; byte = peek(c))
		c->at++;
}

static bool is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(int byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool check_escape(checker *c)
{
	int byte = peek(c);
	if (byte == -1)
		return refuse(c, "the text ends inside a string");
	if (byte != 'u') {
		if (byte == 0 || strchr("\"\\/bfnrt", byte) == NULL)
			return refuse(c, "unknown escape in a string");
		c->at++;
		return true;
	}
	c->at++;
	for (int i = 0; i < 4; i++, c->at++) {
		if (!is_hex(peek(c)))
			return refuse(c, "\\u needs four hexadecimal digits");
	}
	return true;
}

/* Checks a string, from its opening quote. */
static bool check_string(checker *c)
{
	c->at++;
	for (;;) {
		int byte = peek(c);
		if (byte == -1)
			return refuse(c, "the text ends inside a string");
		if (byte < 0x20)
			return refuse(c, "a control character in a string must be escaped");
		if (accept(c, '"'))
			return true;
		if (accept(c, '\\')) {
			if (!check_escape(c))
				return false;
			continue;
		}
		uint32_t character;
		size_t step = curfew__utf8_decode(c->text + c->at, c->length - c->at, &character);
		if (step == 0)
			return refuse(c, "invalid UTF-8");
		c->at += step;
	}
}

/* The first 800 digits, and whether a further digit is not 0, determine the nearest double. */
enum { KEPT_DIGITS = 800 };

/* A decimal number: its significant digits, and the exponent of ten of the first digit, plus 1. */
typedef struct decimal {
	char digits[KEPT_DIGITS + sizeof "1e-9223372036854775808"];
	size_t kept;
	bool dropped; /* a digit other than 0 did not fit */
	bool negative;
	long long magnitude;
} decimal;

static void read_digit(decimal *number, char digit, bool after_point)
{
	bool significant = number->kept > 0 || digit != '0';
	if (significant && number->kept < KEPT_DIGITS)
		number->digits[number->kept++] = digit;
	else if (digit != '0')
		number->dropped = true;
	if (significant && !after_point)
		number->magnitude++;
	if (!significant && after_point)
		number->magnitude--;
}

static bool check_digits(checker *c, decimal *number, bool after_point)
{
	if (!is_digit(peek(c)))
		return refuse(c, "a digit is missing in a number");
	for (int byte = peek(c); is_digit(byte); byte = peek(c)) {
		read_digit(number, (char)byte, after_point);
		c->at++;
	}
	return true;
}

/* Reads a number, from its sign or first digit on. */
static bool check_exponent(checker *c, decimal *number)
{
	const long long huge = 1000000000000; /* far greater than every length in memory, far from overflow */
	long long exponent = 0;
	bool negative = accept(c, '-');
	if (!negative)
		accept(c, '+');
	if (!is_digit(peek(c)))
		return refuse(c, "a digit is missing in a number");
	for (int byte = peek(c); is_digit(byte); byte = peek(c)) {
		exponent = exponent < huge ? exponent * 10 + (byte - '0') : exponent;
		c->at++;
	}
	number->magnitude += negative ? -exponent : exponent;
	return true;
}

static bool check_decimal(checker *c, decimal *number)
{
	number->kept = 0;
	number->magnitude = 0;
	number->dropped = false;
	number->negative = accept(c, '-');
	if (accept(c, '0')) {
		if (is_digit(peek(c)))
			return refuse(c, "a number must not begin with 0");
	} else if (!check_digits(c, number, false)) {
		return false;
	}
	if (accept(c, '.') && !check_digits(c, number, true))
		return false;
	return (!accept(c, 'e') && !accept(c, 'E')) || check_exponent(c, number);
}

/* Converts it as an integer with an exponent, because a decimal point would depend on the locale. */
static double value_of(decimal *number)
{
	if (number->kept == 0)
		return number->negative ? -0.0 : 0.0;
	size_t kept = number->kept;
	long long exponent = number->magnitude - (long long)kept;
	if (number->dropped) {
		number->digits[kept++] = '1'; /* the number is greater than the kept digits */
		exponent--;
	}
	(void)snprintf(number->digits + kept, sizeof number->digits - kept, "e%lld", exponent);
	double value = strtod(number->digits, NULL);
	return number->negative ? -value : value;
}

/* Whether a well-formed number is finite as a double. The magnitude decides that, except next to the limit. */
static bool number_fits(decimal *number)
{
	if (number->kept == 0 || number->magnitude != 309)
		return number->kept == 0 || number->magnitude < 309;
	return isfinite(value_of(number));
}

static bool check_number(checker *c)
{
	decimal number;
	size_t start = c->at;
	if (!check_decimal(c, &number))
		return false;
	if (!number_fits(&number)) {
		c->at = start;
		return refuse(c, "a number is out of range");
	}
	return true;
}

static bool check_word(checker *c, const char *word)
{
	size_t length = strlen(word);
	if (c->length - c->at < length || memcmp(c->text + c->at, word, length) != 0)
		return refuse(c, "unexpected character");
	c->at += length;
	return true;
}

static bool in_object(const checker *c)
{
	size_t top = c->depth - 1;
	return (c->in_object[top / 8] >> (top % 8) & 1) != 0;
}

static bool open_nesting(checker *c, bool object)
{
	if (c->depth == CURFEW__JSON_DEPTH)
		return refuse(c, "nested too deeply");
	unsigned char bit = (unsigned char)(1u << (c->depth % 8));
	unsigned char *byte = &c->in_object[c->depth / 8];
	if (c->depth % 8 == 0)
		*byte = 0;
	*byte = (unsigned char)(object ? *byte | bit : *byte & ~bit);
	c->depth++;
	c->at++;
	return true;
}

/* Checks a key and its colon. */
static bool check_key(checker *c)
{
	skip_space(c);
	if (peek(c) != '"')
		return refuse(c, peek(c) == -1 ? "the text ends inside an object" : "a key must be a string");
	if (!check_string(c))
		return false;
	skip_space(c);
	return accept(c, ':') || refuse(c, "a colon is missing after a key");
}

/*
 * Checks one value (*complete is true) or its opening bracket (*complete is false). After an opening bracket a value
 * follows, unless the bracket is closed at once.
 */
static bool check_value(checker *c, bool *complete)
{
	*complete = true;
	skip_space(c);
	int byte = peek(c);
	if (byte == '"')
		return check_string(c);
	if (byte == '-' || is_digit(byte))
		return check_number(c);
	if (byte == 't')
		return check_word(c, "true");
	if (byte == 'f')
		return check_word(c, "false");
	if (byte == 'n')
		return check_word(c, "null");
	if (byte != '{' && byte != '[')
		return refuse(c, byte == -1 ? "the text ends where a value must be" : "unexpected character");
	if (!open_nesting(c, byte == '{'))
		return false;
	skip_space(c);
	if (accept(c, byte == '{' ? '}' : ']')) {
		c->depth--;
		return true;
	}

	*complete = false;
	return byte == '[' || check_key(c);
}

/* Checks the text after a complete value: closing brackets, then a comma (*more) or the end of the outermost value. */
static bool check_after_value(checker *c, bool *more)
{
	*more = false;
	while (c->depth > 0) {
		skip_space(c);
		bool object = in_object(c);
		if (accept(c, ',')) {
			*more = true;
			return !object || check_key(c);
		}
		if (!accept(c, object ? '}' : ']')) {
			if (peek(c) == -1)
				return refuse(c, object ? "the text ends inside an object" : "the text ends inside an array");
			return refuse(c, "a comma or a closing bracket is missing");
		}
		c->depth--;
	}
	return true;
}

static bool check_text(checker *c)
{
	bool more = true;
	while (more) {
		bool complete;
		if (!check_value(c, &complete))
			return false;
		if (complete && !check_after_value(c, &more))
			return false;
	}
	skip_space(c);
	return c->at == c->length || refuse(c, "something follows the value");
}

/* The bits of the brackets are not initialised: each is written when its bracket opens. */
static void begin_check(checker *c, const char *text, size_t length, const atomic_uint *stop)
{
	c->text = text;
	c->length = length;
	c->at = 0;
	c->piece_end = 0;
	c->stop = stop;
	c->stopped = false;
	c->why = NULL;
	c->depth = 0;
}

bool curfew__json_check_until(const char *text, size_t length, const atomic_uint *stop, size_t *error_offset,
                              const char **why)
{
	checker c;
	begin_check(&c, text, length, stop);
	if (check_text(&c) && !c.stopped)
		return true;
	if (error_offset != NULL)
		*error_offset = c.at;
	if (why != NULL)
		*why = c.stopped ? "the run is being stopped" : c.why;
	return false;
}

bool curfew__json_check(const char *text, size_t length, size_t *error_offset, const char **why)
{
	return curfew__json_check_until(text, length, NULL, error_offset, why);
}

double curfew__json_number(const char *text, size_t length)
{
	checker c;
	decimal number;
	begin_check(&c, text, length, NULL);
	(void)check_decimal(&c, &number);
	return value_of(&number);
}

bool curfew__json_is_array(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
		at++;
	return at < length && text[at] == '[';
}
