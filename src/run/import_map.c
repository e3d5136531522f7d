/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks import maps before a program gets one. The guest works out what an import means by it (guest/node/resolve.js).
 * Browsers ignore parts of a map that they do not understand. Here such a map is refused, because its author meant
 * something by them.
 */
#include "curfew.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/json_reader.h"

#define MAP_BYTES_MAX ((size_t)1 << 20)

/* The part that is checked, and where an error is reported. */
typedef struct checker {
	curfew__json_reader reader;
	curfew__buffer key, value;
	curfew_failure *failure;
} checker;

static bool refuse_map(const checker *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse_map(const checker *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (c->failure) {
		vsnprintf(c->failure->message, sizeof c->failure->message, format, arguments);
		for (char *at = c->failure->message; *at; at++)
			*at = (unsigned char)*at < ' ' ? '?' : *at;
	}
	va_end(arguments);
	return false;
}

static const char *text_of(const curfew__buffer *text)
{
	return text->length ? text->data : "";
}

static bool ends_in_slash(const curfew__buffer *text)
{
	return text->length && text->data[text->length - 1] == '/';
}

/* Whether this is a URL: "scheme:" of at least two letters, or a path that begins with "/", "./" or "../". */
static bool is_url(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

	return text[0] == '/' || !strncmp(text, "./", 2) || !strncmp(text, "../", 3) || (length > 1 && text[length] == ':');
}

static bool read_key(checker *c)
{
	c->key.length = 0;
	return curfew__json_read_key(&c->reader, &c->key) || refuse_map(c, "a key has half of a surrogate pair");
}

static bool check_address(checker *c, const char *where)
{
	const char *key = text_of(&c->key);

	c->value.length = 0;
	if (!c->key.length)
		return refuse_map(c, "%s: a key is empty", where);
	if (curfew__json_next_kind(&c->reader) != CURFEW__JSON_STRING)
		return refuse_map(c, "%s: '%.80s' must be mapped to a string", where, key);
	if (!curfew__json_read_string(&c->reader, &c->value) || !c->value.length ||
	    memchr(c->value.data, 0, c->value.length) || !is_url(c->value.data))
		return refuse_map(
			c, "%s: '%.80s' is mapped to '%.80s', which is not a URL (a path begins with './', '../' or '/')", where,
			key, text_of(&c->value));
	if (ends_in_slash(&c->key) && !ends_in_slash(&c->value))
		return refuse_map(c, "%s: '%.80s' ends in a slash, and '%.80s' must end in one, too", where, key,
		                  c->value.data);
	return true;
}

static bool check_imports(checker *c, const char *where)
{
	if (curfew__json_next_kind(&c->reader) != CURFEW__JSON_OBJECT)
		return refuse_map(c, "%s: must be an object of specifiers and URLs", where);
	curfew__json_enter(&c->reader);
	while (curfew__json_has_next(&c->reader))
		if (!read_key(c) || !check_address(c, where))
			return false;
	return true;
}

static bool check_scopes(checker *c)
{
	char where[128];

	if (curfew__json_next_kind(&c->reader) != CURFEW__JSON_OBJECT)
		return refuse_map(c, "scopes: must be an object of URLs and imports");
	curfew__json_enter(&c->reader);
	while (curfew__json_has_next(&c->reader)) {
		if (!read_key(c))
			return false;
		snprintf(where, sizeof where, "scopes: '%.80s'", text_of(&c->key));
		if (!check_imports(c, where))
			return false;
	}
	return true;
}

static bool check_all(checker *c)
{
	if (curfew__json_next_kind(&c->reader) != CURFEW__JSON_OBJECT)
		return refuse_map(c, "must be a JSON object with imports and scopes");
	curfew__json_enter(&c->reader);
	while (curfew__json_has_next(&c->reader)) {
		if (!read_key(c))
			return false;
		const char *key = text_of(&c->key);
		bool is_imports = !strcmp(key, "imports");
		if (!is_imports && strcmp(key, "scopes") != 0)
			return refuse_map(c, "'%.80s' is unknown: an import map has imports and scopes", key);
		if (!(is_imports ? check_imports(c, "imports") : check_scopes(c)))
			return false;
	}
	return true;
}

curfew_status curfew_import_map_check(const char *text, size_t length, curfew_failure *failure)
{
	checker c = {.failure = failure};
	size_t offset = 0;
	const char *why = "is NULL";
	bool good;

	if (failure)
		failure->message[0] = 0;
	curfew__buffer_init(&c.key, MAP_BYTES_MAX);
	curfew__buffer_init(&c.value, MAP_BYTES_MAX);
	curfew__json_reader_init(&c.reader, text, length, NULL);
	if (length > MAP_BYTES_MAX)
		good = refuse_map(&c, "is larger than 1 MiB");
	else if (!text || !curfew__json_check(text, length, &offset, &why))
		good = refuse_map(&c, "is not JSON: %s at byte %zu", why, offset);
	else
		good = check_all(&c);
	curfew__buffer_finish(&c.key);
	curfew__buffer_finish(&c.value);
	return good ? CURFEW_OK : CURFEW_INVALID;
}
