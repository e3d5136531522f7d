/* SPDX-License-Identifier: Apache-2.0 */
/* The log. A line is built completely and written with one call, so that lines of several threads do not mix. */
#include "log.h"

#include "common/mutex.h"
#include "common/clock.h"
#include "common/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_LENGTH_MAX = 4096, SELDOM_EACH_SECOND = 20, SELDOM_FIELDS = 12 };

static bool use_json;
static _Atomic log_level min_level = LOG_INFO;
static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_set_level(log_level least)
{
	atomic_store(&min_level, least);
}

log_level log_level_of(const char *name)
{
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
		if (strcmp(name, level_names[i]) == 0)
			return (log_level)i;
	}
	return LOG_INFO;
}

void log_use_json(bool json)
{
	use_json = json;
}

static bool is_plain(const char *words)
{
	return *words != '\0' && strpbrk(words, " \"\\=\t\r\n") == NULL;
}

static void add_field(text *line, const log_field *field)
{
	if (use_json) {
		text_say(line, ",");
		text_say_json(line, field->name);
		text_say(line, ":");
	} else {
		text_print(line, " %s=", field->name);
	}
	if (field->text == NULL)
		text_print(line, "%lld", (long long)field->number);
	else if (use_json || !is_plain(field->text))
		text_say_json(line, field->text);
	else
		text_say(line, field->text);
}

static void begin_line(text *line, log_level level, const char *event)
{
	text_init(line, LINE_LENGTH_MAX);
	text time;
	text_init(&time, 64);
	text_say_time(&time, clock_wall_us());
	const char *stamp = time.failed ? "\"\"" : time.data;
	if (use_json)
		text_print(line, "{\"time\":%s,\"level\":\"%s\",\"event\":\"%s\"", stamp, level_names[level], event);
	else
		text_print(line, "%.*s %s %s", (int)strlen(stamp) - 2, stamp + 1, level_names[level], event);
	text_finish(&time);
}

static void end_line(text *line)
{
	text_say(line, use_json ? "}\n" : "\n");
	if (line->failed)
		text_finish(line);
	else if (write(STDERR_FILENO, line->data, line->length) < 0)
		text_finish(line); /* nobody reads the log: continue without it */
	else
		text_finish(line);
}

void log_event(log_level level, const char *event, const log_field *fields)
{
	text line;
	if (level < atomic_load(&min_level))
		return;
	begin_line(&line, level, event);
	for (; fields->name != NULL; fields++)
		add_field(&line, fields);
	end_line(&line);
}

void log_event_seldom(log_level level, const char *event, const log_field *fields)
{
	static curfew__mutex lock = {PTHREAD_MUTEX_INITIALIZER};
	static int64_t second, said, unsaid;
	log_field all[SELDOM_FIELDS + 1] = {{0}};
	size_t count = 0;
	int64_t now = clock_now_us() / 1000000, left_out = 0;

	curfew__mutex_lock(&lock);
	if (second != now) {
		second = now;
		said = 0;
	}
	bool says = said < SELDOM_EACH_SECOND;
	if (says) {
		said++;
		left_out = unsaid;
	}
	unsaid = says ? 0 : unsaid + 1;
	curfew__mutex_unlock(&lock);
	if (!says)
		return;

	while (fields[count].name != NULL && count < SELDOM_FIELDS - 1) {
		all[count] = fields[count];
		count++;
	}
	if (left_out > 0)
		all[count] = (log_field){"unsaid", NULL, left_out};
	log_event(level, event, all);
}

void log_say(log_level level, const char *event, const char *format, ...)
{
	char words[1024];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	log_event(level, event, (log_field[]){{"message", words, 0}, {0}});
}
