/* SPDX-License-Identifier: Apache-2.0 */
/* A scanner of JSON (RFC 8259), without recursion. */
#include "common/json_scan.h"

#include "common/json_reader.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 10000 };

typedef struct scanner {
	const char *at, *end;
} scanner;

static void skip_space(scanner *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool take(scanner *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool take_escape(scanner *s)
{
	if (s->at == s->end || strchr("\"\\/bfnrtu", *s->at) == NULL || *s->at == '\0')
		return false;
	if (*s->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->at++) {
		if (s->at == s->end || !is_hex(*s->at))
			return false;
	}
	return true;
}

static bool take_string(scanner *s)
{
	if (!take(s, '"'))
		return false;
	while (s->at < s->end && *s->at != '"') {
		char c = *s->at++;
		if ((unsigned char)c < 0x20 || (c == '\\' && !take_escape(s)))
			return false;
	}
	return take(s, '"');
}

static bool take_digits(scanner *s)
{
	const char *start = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start;
}

static bool take_number(scanner *s)
{
	(void)take(s, '-');
	if (!take(s, '0') && !take_digits(s))
		return false;
	if (take(s, '.') && !take_digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			(void)take(s, '-');
		return take_digits(s);
	}
	return true;
}

static bool take_word(scanner *s, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
		return false;
	s->at += length;
	return true;
}

static bool take_plain(scanner *s)
{
	if (s->at == s->end)
		return false;
	switch (*s->at) {
	case '"': return take_string(s);
	case 't': return take_word(s, "true");
	case 'f': return take_word(s, "false");
	case 'n': return take_word(s, "null");
	default: return take_number(s);
	}
}

static bool take_key(scanner *s)
{
	skip_space(s);
	if (!take_string(s))
		return false;
	skip_space(s);
	return take(s, ':');
}

/* Whether the open array or object continues (1), ends (0) or is malformed (-1). */
static int after_value(scanner *s, bool is_object)
{
	skip_space(s);
	if (take(s, ','))
		return !is_object || take_key(s) ? 1 : -1;
	return take(s, is_object ? '}' : ']') ? 0 : -1;
}

/* Opens an array or object: 1 if a value follows, 0 if it is empty, -1 if it is malformed. */
static int open_level(scanner *s, bool is_object)
{
	s->at++;
	skip_space(s);
	if (take(s, is_object ? '}' : ']'))
		return 0;
	return !is_object || take_key(s) ? 1 : -1;
}

static bool take_value(scanner *s)
{
	unsigned char objects[DEPTH_MAX / 8 + 1] = {0}; /* a bit for each level: whether it is an object */
	size_t depth = 0;

	for (;;) {
		skip_space(s);
		bool opens = s->at < s->end && (*s->at == '{' || *s->at == '[');
		if (opens) {
			bool is_object = *s->at == '{';
			int state = open_level(s, is_object);
			if (state < 0 || depth == DEPTH_MAX)
				return false;
			if (state > 0) {
				unsigned char bit = (unsigned char)(1u << depth % 8);
				objects[depth / 8] = (unsigned char)(is_object ? objects[depth / 8] | bit : objects[depth / 8] & ~bit);
				depth++;
				continue;
			}
		} else if (!take_plain(s)) {
			return false;
		}
		int state = 0;
		while (depth > 0 && (state = after_value(s, (objects[(depth - 1) / 8] >> (depth - 1) % 8 & 1) != 0)) == 0)
			depth--;
		if (state < 0)
			return false;
		if (depth == 0)
			return true;
	}
}

bool scan_is_json(const char *data, size_t len)
{
	scanner s = {data, data + len};
	if (!take_value(&s))
		return false;
	skip_space(&s);
	return s.at == s.end;
}

span scan_member(const char *data, size_t len, const char *key)
{
	scanner s = {data, data + len};
	span found = {0};
	size_t key_length = strlen(key);

	skip_space(&s);
	if (!take(&s, '{'))
		return found;
	do {
		skip_space(&s);
		const char *name = s.at;
		if (!take_key(&s))
			return found;
		bool wanted = (size_t)(s.at - name) > key_length + 1 && memcmp(name + 1, key, key_length) == 0 &&
		              name[1 + key_length] == '"';
		skip_space(&s);
		const char *start = s.at;
		if (!take_value(&s))
			return found;
		if (wanted)
			found = (span){start, (size_t)(s.at - start)};
		skip_space(&s);
	} while (take(&s, ','));

	return found;
}

bool scan_next_item(span *array, span *item)
{
	scanner s = {array->data, array->data + array->len};
	skip_space(&s);
	if (!take(&s, '[') && !take(&s, ','))
		return false;
	skip_space(&s);
	const char *start = s.at;
	if (!take_value(&s))
		return false;
	*item = (span){start, (size_t)(s.at - start)};
	*array = (span){s.at, (size_t)(s.end - s.at)};
	return true;
}

/* ---- Objects --------------------------------------------------------------------------------------------- */

scan_object scan_begin(const char *data, size_t len)
{
	return (scan_object){.data = data, .len = len};
}

/* Reads the comma before the next member, or the end. 1: a member follows; 0: the end; -1: neither. */
static int next_member(scan_object *object, scanner *s)
{
	skip_space(s);
	if (!object->is_open) {
		object->is_open = true;
		if (!take(s, '{'))
			return -1;
		skip_space(s);
		if (!take(s, '}'))
			return 1;
	} else if (take(s, ',')) {
		return 1;
	} else if (!take(s, '}')) {
		return -1;
	}
	skip_space(s);
	return s->at == s->end ? 0 : -1;
}

int scan_next(scan_object *object, span *key, span *value)
{
	scanner s = {object->data + object->at, object->data + object->len};
	int more = next_member(object, &s);

	if (more == 1) {
		skip_space(&s);
		const char *start = s.at;
		more = take_string(&s) ? 1 : -1;
		*key = (span){start, (size_t)(s.at - start)};
	}

	if (more == 1) {
		skip_space(&s);
		more = take(&s, ':') ? 1 : -1;
	}

	if (more == 1) {
		skip_space(&s);
		const char *start = s.at;
		more = take_value(&s) ? 1 : -1;
		*value = (span){start, (size_t)(s.at - start)};
	}

	object->at = (size_t)(s.at - object->data);
	return more;
}

/* ---- Strings --------------------------------------------------------------------------------------------- */

bool scan_decode(span string, char *out, size_t *out_len)
{
	const char *at = string.data + 1, *end = string.data + string.len - 1;
	*out_len = 0;
	while (at < end) {
		uint32_t character;
		size_t used;
		if (*at == '\\')
			character = curfew__json_unescape(at, (size_t)(end - at), &used);
		else
			used = curfew__utf8_decode(at, (size_t)(end - at), &character);
		if (used == 0 || (character >= 0xd800 && character <= 0xdfff))
			return false;
		*out_len += curfew__utf8_encode(character, out + *out_len);
		at += used;
	}
	return true;
}

char *scan_copy(span value, size_t *length)
{
	if (value.len < 2 || value.data[0] != '"')
		return NULL;
	char *copy = malloc(value.len);
	if (copy == NULL || !scan_decode(value, copy, length)) {
		free(copy);
		return NULL;
	}
	copy[*length] = '\0';
	return copy;
}

bool scan_is_name(span string, const char *name)
{
	char decoded[256];
	size_t length;
	/* An escaped character takes at most six bytes. */
	if (string.len > sizeof decoded || string.len > strlen(name) * 6 + 2)
		return false;
	return scan_decode(string, decoded, &length) && length == strlen(name) && memcmp(decoded, name, length) == 0;
}
