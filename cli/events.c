/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of an event stream; each event here has one line of data, as curfew serve sends them. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_LENGTH_MAX = 320 << 20 };

static void set_text(text *t, const char *words, size_t length)
{
	text_finish(t);
	text_init(t, LINE_LENGTH_MAX);
	text_add(t, words, length);
}

void cli_events_restart(cli_events *events)
{
	set_text(&events->line, "", 0);
	set_text(&events->kind, "", 0);
	set_text(&events->data, "", 0);
}

void cli_events_finish(cli_events *events)
{
	text_finish(&events->line);
	text_finish(&events->kind);
	text_finish(&events->data);
}

/* The text after "name:" and a space, or NULL. */
static const char *field_of(const text *line, const char *name)
{
	size_t length = strlen(name);
	if (line->length <= length || memcmp(line->data, name, length) != 0 || line->data[length] != ':')
		return NULL;
	const char *value = line->data + length + 1;
	return value + (*value == ' ');
}

static bool end_event(cli_events *events, cli_events_handler handler, void *context)
{
	bool more = events->kind.length == 0 || events->data.length == 0 ||
	            handler(context, events->number, events->kind.data, (span){events->data.data, events->data.length});
	set_text(&events->kind, "", 0);
	set_text(&events->data, "", 0);
	return more;
}

/* Handles a line, without its line break. False: nothing more is wanted. */
static bool take_line(cli_events *events, cli_events_handler handler, void *context)
{
	text *line = &events->line;
	const char *value;
	if (line->length > 0 && line->data[line->length - 1] == '\r')
		line->data[--line->length] = '\0';
	const char *end = line->data + line->length;
	if (line->length == 0)
		return end_event(events, handler, context);
	if ((value = field_of(line, "id")) != NULL)
		events->number = strtoull(value, NULL, 10);
	else if ((value = field_of(line, "event")) != NULL)
		set_text(&events->kind, value, (size_t)(end - value));
	else if ((value = field_of(line, "data")) != NULL)
		set_text(&events->data, value, (size_t)(end - value));
	return true;
}

bool cli_events_feed(cli_events *events, const char *data, size_t length, cli_events_handler handler, void *context)
{
	while (length > 0) {
		const char *end = memchr(data, '\n', length);
		size_t part = end != NULL ? (size_t)(end - data) : length;
		text_add(&events->line, data, part);
		if (end != NULL && !events->line.failed) {
			bool more = take_line(events, handler, context);
			set_text(&events->line, "", 0);
			if (!more)
				return false;
			part++;
		}
		events->failed = events->line.failed || events->kind.failed || events->data.failed;
		if (events->failed)
			return false;
		data += part;
		length -= part;
	}
	return true;
}
