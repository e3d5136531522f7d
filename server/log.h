/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line for each event, on stderr, as text or as JSON. It never has a secret, a token or anything that a
 * guest wrote.
 */
#ifndef CURFEW_SERVER_LOG_H
#define CURFEW_SERVER_LOG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level;

/* One named value of a line: text, or a number if text is NULL. */
typedef struct log_field {
	const char *name;
	const char *text;
	int64_t number;
} log_field;

/* Leaves out lines below this level from now on. Threads: any. */
void log_set_level(log_level least);
/* "debug", "info", "warn" or "error"; anything else is LOG_INFO. */
log_level log_level_of(const char *name);

/* Writes all following lines as JSON instead of text. Not while other threads log. */
void log_use_json(bool json);

/* Writes a line: fields end with one that has no name. Threads: any. */
void log_event(log_level level, const char *event, const log_field *fields);

/*
 * The same for events that clients can cause as often as they like: at most so many lines a second, and the first line
 * after that says how many were left out ("unsaid"). Fields: at most 11.
 */
void log_event_seldom(log_level level, const char *event, const log_field *fields);

/* Writes a line with one text, formatted as by printf. */
void log_say(log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
