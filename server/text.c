/* SPDX-License-Identifier: Apache-2.0 */
/* Growing texts with a cap, and JSON written into them. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_init(text *t, size_t most)
{
	*t = (text){.most = most};
}

void text_finish(text *t)
{
	free(t->data);
	*t = (text){.failed = true};
}

/* Room for more bytes and a NUL. */
static bool reserve(text *t, size_t more)
{
	if (t->failed || more > t->most - t->len) {
		t->failed = true;
		return false;
	}
	if (t->room > t->len + more)
		return true;
	size_t room = t->room < 256 ? 256 : t->room * 2;
	if (room <= t->len + more)
		room = t->len + more + 1;
	char *data = realloc(t->data, room);
	if (data == NULL) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->room = room;
	return true;
}

void text_add(text *t, const char *data, size_t len)
{
	if (len == 0 || !reserve(t, len))
		return;
	memcpy(t->data + t->len, data, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void text_say(text *t, const char *words)
{
	text_add(t, words, strlen(words));
}

void text_print(text *t, const char *format, ...)
{
	va_list arguments;
	char small[512];
	va_start(arguments, format);
	int len = vsnprintf(small, sizeof small, format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len < sizeof small) {
		if (len < 0)
			t->failed = true;
		else
			text_add(t, small, (size_t)len);
		return;
	}
	if (!reserve(t, (size_t)len))
		return;
	va_start(arguments, format);
	(void)vsnprintf(t->data + t->len, (size_t)len + 1, format, arguments);
	va_end(arguments);
	t->len += (size_t)len;
}

/* How many bytes the UTF-8 sequence at data has, or 0 if there is none. */
static size_t sequence_length(const unsigned char *data, size_t len)
{
	static const struct {
		unsigned char mask, lead;
		size_t length;
		uint32_t least;
	} kinds[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if ((data[0] & kinds[i].mask) != kinds[i].lead)
			continue;
		if (kinds[i].length > len)
			return 0;
		uint32_t code = data[0] & (unsigned char)~kinds[i].mask;
		for (size_t k = 1; k < kinds[i].length; k++) {
			if ((data[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (data[k] & 0x3f);
		}
		bool good = code >= kinds[i].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
		return good ? kinds[i].length : 0;
	}
	return 0;
}

static void add_escaped(text *t, unsigned char c)
{
	static const char letters[] = "btnvfr";
	if (c == '"' || c == '\\')
		text_print(t, "\\%c", c);
	else if (c >= '\b' && c <= '\r' && c != '\v')
		text_print(t, "\\%c", letters[c - '\b']);
	else
		text_print(t, "\\u%04x", c);
}

void text_add_json(text *t, const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	size_t plain = 0; /* bytes before i that can be taken as they are */
	text_add(t, "\"", 1);
	for (size_t i = 0; i < len;) {
		size_t length = sequence_length(at + i, len - i);
		bool escape = at[i] < 0x20 || at[i] == '"' || at[i] == '\\' || at[i] == 0x7f;
		if (length > 0 && !escape) {
			i += length;
			continue;
		}
		text_add(t, data + plain, i - plain);
		if (length == 0)
			text_say(t, "\xef\xbf\xbd");
		else
			add_escaped(t, at[i]);
		plain = ++i;
	}
	text_add(t, data + plain, len - plain);
	text_add(t, "\"", 1);
}

void text_say_json(text *t, const char *words)
{
	if (words == NULL)
		text_say(t, "null");
	else
		text_add_json(t, words, strlen(words));
}

void text_say_time(text *t, int64_t wall_us)
{
	if (wall_us <= 0) {
		text_say(t, "null");
		return;
	}
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm parts;
	char words[32];
	if (gmtime_r(&seconds, &parts) == NULL || strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
		text_say(t, "null");
		return;
	}
	text_print(t, "\"%s.%03dZ\"", words, (int)(wall_us / 1000 % 1000));
}

char *text_take(text *t, size_t *len)
{
	if (t->failed || !reserve(t, 0)) {
		text_finish(t);
		return NULL;
	}
	if (t->len == 0)
		t->data[0] = '\0';
	if (len != NULL)
		*len = t->len;
	char *data = t->data;
	*t = (text){.failed = true};
	return data;
}

char *text_copy(const char *data, size_t len)
{
	char *copy = malloc(len + 1);
	if (copy == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}
