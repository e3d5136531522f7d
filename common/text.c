/* SPDX-License-Identifier: Apache-2.0 */
/* Growing texts with a limit, and writing JSON to them. */
#include "common/text.h"

#include "common/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_init(text *t, size_t limit)
{
	curfew__buffer_init(t, limit);
}

void text_finish(text *t)
{
	curfew__buffer_finish(t);
	*t = (text){.failed = true};
}

void text_add(text *t, const char *data, size_t length)
{
	if (t->failed || length > t->limit - t->length)
		t->failed = true;
	else
		(void)curfew__buffer_add(t, data, length);
}

void text_say(text *t, const char *words)
{
	text_add(t, words, strlen(words));
}

void text_print(text *t, const char *format, ...)
{
	va_list arguments;
	if (t->failed)
		return;
	va_start(arguments, format);
	(void)curfew__buffer_vprintf(t, format, arguments);
	va_end(arguments);
}

void text_add_json(text *t, const char *data, size_t length)
{
	curfew__json_writer writer;
	if (t->failed)
		return;
	curfew__json_init(&writer, t);
	curfew__json_string(&writer, data, length);
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

char *text_take(text *t, size_t *length)
{
	char *data = t->failed ? NULL : curfew__buffer_take(t, length);
	text_finish(t);
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
