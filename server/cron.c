/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the five fields, and finds the next time: first the day, then the time of that day. */
#include "cron.h"

#include "common/calendar.h"
#include "curfew.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FIELDS = 5, TEXT_MAX = 40, MINUTE_S = 60, YEARS_MAX = 9 };

/* ---- Reading --------------------------------------------------------------------------------------------- */

typedef struct field {
	const char *name;
	unsigned least, most;
	const char *names; /* three letters for each value, beginning with the minimum; NULL: no names */
} field;

static const field fields[FIELDS] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of the month", 1, 31, NULL},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"weekday", 0, 7, "sunmontuewedthufrisat"},
};

/* The message shows the refused text, without characters that would break the line. */
static bool say_on_one_line(char why[CRON_WHY_SIZE])
{
	for (char *c = why; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return false;
}

static bool refuse_field(char why[CRON_WHY_SIZE], const field *f, const char *value, const char *reason)
{
	(void)snprintf(why, CRON_WHY_SIZE, "%s \"%.*s\": %s", f->name, TEXT_MAX, value, reason);
	return say_on_one_line(why);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Reads a number or a name at *at, and moves *at after it. */
static bool take_value(const field *f, const char **at, unsigned *value)
{
	const char *from = *at;
	if (is_letter(*from)) {
		for (unsigned i = 0; f->names != NULL && f->names[(size_t)3 * i] != '\0'; i++) {
			if (strncasecmp(from, f->names + (size_t)3 * i, 3) != 0 || is_letter(from[3]))
				continue;
			*value = f->least + i;
			*at = from + 3;
			return true;
		}
		return false;
	}
	*value = 0;
	for (; **at >= '0' && **at <= '9' && *at - from < 4; (*at)++)
		*value = *value * 10 + (unsigned)(**at - '0');
	return *at > from;
}

/* Reads one item of a list: "*", "a" or "a-b", each optionally with "/n". */
static bool take_item(const field *f, const char *item, uint64_t *bits, char why[CRON_WHY_SIZE])
{
	const char *at = item;
	unsigned from = f->least, to = f->most, every = 1;
	bool is_all = *at == '*' || *at == '?';

	if (is_all)
		at++;
	else if (!take_value(f, &at, &from))
		return refuse_field(why, f, item, f->names != NULL ? "is neither a number nor a name" : "is not a number");
	bool is_range = !is_all && *at == '-';
	if (is_range) {
		at++;
		if (!take_value(f, &at, &to))
			return refuse_field(why, f, item, "the range has no end");
	}

	if (*at == '/') {
		at++;
		if (!take_value(&(field){.name = f->name}, &at, &every) || every == 0 || every > f->most)
			return refuse_field(why, f, item, "the step must be a number that fits the field");
	} else if (!is_all && !is_range) {
		to = from;
	}
	if (*at != '\0')
		return refuse_field(why, f, item, "is not understood");
	if (from < f->least || from > f->most || to > f->most) {
		char reason[48];
		(void)snprintf(reason, sizeof reason, "must be from %u to %u", f->least, f->most);
		return refuse_field(why, f, item, reason);
	}

	if (from > to)
		return refuse_field(why, f, item, "the range ends before it begins");
	for (unsigned i = from; i <= to; i += every)
		*bits |= UINT64_C(1) << i;
	return true;
}

static bool take_field(const field *f, const char *words, uint64_t *bits, char why[CRON_WHY_SIZE])
{
	char item[TEXT_MAX + 1];
	*bits = 0;
	for (const char *at = words;; at++) {
		size_t length = strcspn(at, ",");
		if (length == 0 || length >= sizeof item)
			return refuse_field(why, f, words, length == 0 ? "an item of the list is empty" : "an item is too long");
		memcpy(item, at, length);
		item[length] = '\0';
		if (!take_item(f, item, bits, why))
			return false;
		at += length;
		if (*at == '\0')
			return true;
	}
}

static const char *expand(const char *words)
{
	static const char *const known[][2] = {
		{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
		{"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(words, known[i][0]) == 0)
			return known[i][1];
	}
	return words;
}

/* Splits a text into fields, each ended by a NUL. Returns their number. */
static size_t split(char *words, char *parts[FIELDS + 1])
{
	size_t count = 0;
	for (char *save = NULL, *part = strtok_r(words, " \t", &save); part != NULL && count <= FIELDS;
	     part = strtok_r(NULL, " \t", &save))
		parts[count++] = part;
	return count;
}

static bool is_any(const char *part)
{
	return part[0] == '*' || part[0] == '?';
}

/* Whether such a day exists in some year. */
static bool has_day(const cron *c)
{
	static const unsigned lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	for (unsigned month = 1; month <= 12; month++) {
		uint32_t there = (uint32_t)((UINT64_C(2) << lengths[month]) - 2);
		if ((c->months >> month & 1) != 0 && (c->days & there) != 0)
			return true;
	}
	return false;
}

bool cron_parse(cron *c, const char *words, char why[CRON_WHY_SIZE])
{
	char copy[CRON_WORDS_MAX];
	char *parts[FIELDS + 1];
	uint64_t bits[FIELDS];

	if (words[0] == '@' && expand(words) == words) {
		(void)snprintf(why, CRON_WHY_SIZE, "\"%.*s\" is not one of @hourly @daily @weekly @monthly @yearly", TEXT_MAX,
		               words);
		return say_on_one_line(why);
	}

	int length = snprintf(copy, sizeof copy, "%s", expand(words));
	size_t count = length < (int)sizeof copy ? split(copy, parts) : 0;
	if (count != FIELDS) {
		(void)snprintf(why, CRON_WHY_SIZE,
		               "\"%.*s\" must have five fields: minute, hour, day of the month, month, weekday", TEXT_MAX,
		               words);
		return say_on_one_line(why);
	}

	for (size_t i = 0; i < FIELDS; i++) {
		if (!take_field(&fields[i], parts[i], &bits[i], why))
			return false;
	}

	*c = (cron){.minutes = bits[0],
	            .hours = (uint32_t)bits[1],
	            .days = (uint32_t)bits[2],
	            .months = (uint32_t)bits[3],
	            .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
	            .any_day = is_any(parts[2]),
	            .any_weekday = is_any(parts[4])};

	/* If weekdays are given as well, their days exist. */
	if ((c->any_day || c->any_weekday) && !has_day(c))
		return refuse_field(why, &fields[2], parts[2], "there is no such day in these months");
	return true;
}

/* ---- Going on -------------------------------------------------------------------------------------------- */

static bool is_day(const cron *c, int64_t number)
{
	int64_t year;
	unsigned month, day;
	calendar_date(number, &year, &month, &day);
	bool by_day = (c->days >> day & 1) != 0, by_weekday = (c->weekdays >> calendar_weekday(number) & 1) != 0;
	bool fits = c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday;
	return fits && (c->months >> month & 1) != 0;
}

/* The zone was checked before. */
static int64_t offset_at(const char *zone, int64_t time)
{
	int32_t offset = 0;
	(void)curfew_timezone_offset(zone, time, &offset, NULL);
	return offset;
}

/* The instant at which clocks that show less than `local` show it or more. */
static int64_t skip_gap(const char *zone, int64_t local, int64_t before, int64_t after)
{
	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;
		if (middle + offset_at(zone, middle) < local)
			before = middle;
		else
			after = middle;
	}
	return after;
}

/* The first instant at which clocks show a local time, or the next instant if that time is skipped. */
static int64_t instant_of(const char *zone, int64_t local)
{
	int64_t before = offset_at(zone, local - CALENDAR_DAY_S), after = offset_at(zone, local + CALENDAR_DAY_S);
	int64_t early = before > after ? before : after, late = before > after ? after : before;
	/* The further a zone is ahead of UTC, the earlier is the instant. */
	if (offset_at(zone, local - early) == early)
		return local - early;
	if (offset_at(zone, local - late) == late)
		return local - late;
	return skip_gap(zone, local, local - early - 1, local - late);
}

/* The first time of a day after `after`, at or after this many seconds of the day. CRON_NEVER: none. */
static int64_t next_of_day(const cron *c, const char *zone, int64_t day, int64_t from, int64_t after)
{
	for (int64_t minute = from / MINUTE_S; minute < CALENDAR_DAY_S / MINUTE_S; minute++) {
		if ((c->hours >> (minute / 60) & 1) == 0 || (c->minutes >> (minute % 60) & 1) == 0)
			continue;
		int64_t at = instant_of(zone, day * CALENDAR_DAY_S + minute * MINUTE_S);
		if (at > after)
			return at;
	}
	return CRON_NEVER;
}

int64_t cron_next(const cron *c, const char *zone, int64_t after)
{
	int32_t offset;
	if (curfew_timezone_offset(zone, after, &offset, NULL) != CURFEW_OK)
		return CRON_NEVER;
	/* Clocks showed the present local time first at this instant or before, so no earlier local time is still to come.
	 */
	int64_t local = after + offset, today = calendar_floor(local, CALENDAR_DAY_S);
	for (int64_t day = today; day < today + (int64_t)YEARS_MAX * 366; day++) {
		if (!is_day(c, day))
			continue;
		int64_t at = next_of_day(c, zone, day, day == today ? local - day * CALENDAR_DAY_S : 0, after);
		if (at != CRON_NEVER)
			return at;
	}
	return CRON_NEVER;
}
