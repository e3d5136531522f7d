/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of checked JSON. It stores no stack, because the caller knows the nesting. */
#include "common/json_reader.h"

#include "common/utf8.h"

#include <stdint.h>
#include <string.h>

enum { PIECE_BYTES = 64 << 10 };

/* ---- Bytes ----------------------------------------------------------------------------------------------- */

/* Called at the end of a piece. Returns the next byte, or -1 at the end of the text. */
static int peek_beyond(curfew__json_reader *r)
{
	if (r->at >= r->length)
		return -1;
	if (r->stop != NULL && atomic_load(r->stop) != 0) {
		r->stopped = true;
		r->length = r->at;
		return -1;
	}
	r->piece_end = r->length - r->at > PIECE_BYTES ? r->at + PIECE_BYTES : r->length;
	return (unsigned char)r->text[r->at];
}

static int peek(curfew__json_reader *r)
{
	return r->at < r->piece_end ? (unsigned char)r->text[r->at] : peek_beyond(r);
}

static void skip_space(curfew__json_reader *r)
{
	for (int byte = peek(r); byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; byte = peek(r))
		r->at++;
}

void curfew__json_reader_init(curfew__json_reader *reader, const char *text, size_t length, const atomic_uint *stop)
{
	*reader = (curfew__json_reader){.text = text, .length = length, .stop = stop};
	skip_space(reader);
}

int curfew__json_peek(curfew__json_reader *reader)
{
	skip_space(reader);
	return peek(reader);
}

curfew__json_kind curfew__json_next_kind(curfew__json_reader *reader)
{
	switch (peek(reader)) {
	case '[': return CURFEW__JSON_ARRAY;
	case '{': return CURFEW__JSON_OBJECT;
	case '"': return CURFEW__JSON_STRING;
	case 't': return CURFEW__JSON_TRUE;
	case 'f': return CURFEW__JSON_FALSE;
	case 'n':
	case -1: return CURFEW__JSON_NULL;
	default: return CURFEW__JSON_NUMBER;
	}
}

/* ---- Skipping values -------------------------------------------------------------------------------------- */

static void skip_string(curfew__json_reader *r)
{
	r->at++;
	for (int byte = peek(r); byte != -1 && byte != '"'; byte = peek(r))
		r->at += byte == '\\' ? 2 : 1;
	if (peek(r) == '"')
		r->at++;
}

/* Skips a number or a literal. */
static void skip_plain(curfew__json_reader *r)
{
	for (int byte = peek(r); byte != -1 && strchr(",]} \t\n\r", byte) == NULL; byte = peek(r))
		r->at++;
}

void curfew__json_skip(curfew__json_reader *reader)
{
	size_t depth = 0;
	do {
		skip_space(reader);
		int byte = peek(reader);
		if (byte == -1)
			return;
		if (byte == '"') {
			skip_string(reader);
		} else if (strchr("[{]},:", byte) == NULL) {
			skip_plain(reader);
		} else {
			depth += byte == '[' || byte == '{';
			depth -= byte == ']' || byte == '}';
			reader->at++;
		}
	} while (depth > 0);
}

void curfew__json_enter(curfew__json_reader *reader)
{
	reader->at++;
}

bool curfew__json_has_next(curfew__json_reader *reader)
{
	skip_space(reader);
	int byte = peek(reader);
	if (byte == -1)
		return false;
	if (byte == ',' || byte == ']' || byte == '}')
		reader->at++;
	if (byte == ',')
		skip_space(reader);
	return byte != ']' && byte != '}';
}

size_t curfew__json_count(curfew__json_reader *reader)
{
	size_t start = reader->at;
	size_t count = 0;
	bool is_object = peek(reader) == '{';
	curfew__json_enter(reader);
	while (curfew__json_has_next(reader)) {
		if (is_object) {
			skip_string(reader);
			skip_space(reader);
			reader->at++; /* the colon */
		}
		curfew__json_skip(reader);
		count++;
	}
	reader->at = start;
	return count;
}

const char *curfew__json_number_text(curfew__json_reader *reader, size_t *length)
{
	size_t start = reader->at;
	skip_plain(reader);
	*length = reader->at - start;
	return reader->text + start;
}

/* ---- Strings --------------------------------------------------------------------------------------------- */

static uint32_t hex_value(const char *text, size_t length)
{
	uint32_t value = 0;
	for (size_t i = 0; i < 4 && i < length; i++) {
		int byte = (unsigned char)text[i];
		value = value << 4 | (uint32_t)(byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10);
	}
	return value & 0xffff;
}

static bool is_surrogate(uint32_t character)
{
	return character >= 0xd800 && character <= 0xdfff;
}

uint32_t curfew__json_unescape(const char *text, size_t length, size_t *used)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	char letter = length > 1 ? text[1] : '"';
	const char *known = letter != '\0' ? strchr(from, letter) : NULL;

	*used = 2;
	if (letter != 'u')
		return (unsigned char)(known != NULL ? to[known - from] : letter);
	*used = 6;
	uint32_t high = hex_value(text + 2, length - 2);
	bool may_be_pair = high >= 0xd800 && high < 0xdc00 && length >= 12 && text[6] == '\\' && text[7] == 'u';
	uint32_t low = may_be_pair ? hex_value(text + 8, length - 8) : 0;
	if (low < 0xdc00 || low > 0xdfff)
		return high;
	*used = 12;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Reads an escape, beginning with the backslash. False: it was half of a surrogate pair, or did not fit. */
static bool read_escape(curfew__json_reader *r, curfew__buffer *text)
{
	char bytes[4];
	size_t used;
	uint32_t character = curfew__json_unescape(r->text + r->at, r->length - r->at, &used);
	bool whole = !is_surrogate(character);
	r->at += used;
	return curfew__buffer_add(text, bytes, curfew__utf8_encode(whole ? character : 0xfffd, bytes)) && whole;
}

bool curfew__json_read_string(curfew__json_reader *reader, curfew__buffer *text)
{
	bool good = true;
	reader->at++;
	for (int byte = peek(reader); byte != -1 && byte != '"'; byte = peek(reader)) {
		size_t start = reader->at;
		if (byte == '\\') {
			good &= read_escape(reader, text);
			continue;
		}
		while (reader->at < reader->piece_end && reader->text[reader->at] != '"' && reader->text[reader->at] != '\\')
			reader->at++;
		good &= curfew__buffer_add(text, reader->text + start, reader->at - start);
	}
	if (peek(reader) == '"')
		reader->at++;
	return good && !reader->stopped;
}

bool curfew__json_read_key(curfew__json_reader *reader, curfew__buffer *key)
{
	bool good = curfew__json_read_string(reader, key);
	skip_space(reader);
	if (peek(reader) == ':')
		reader->at++;
	skip_space(reader);
	return good;
}
