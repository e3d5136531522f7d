/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones for Date and Intl. A zone's rules are an asset: the English names of its standard and its summer time,
 * separated by "|"; a line break; and "SECONDS:OFFSET" in base 36 for each time from which another offset holds,
 * followed by "+" for summer time. For years after the table's end, an equivalent year of the table is used, if the
 * table reaches 2037.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define NAME_BYTES 64
#define DAY_MS 86400000
#define ZONES_KEPT 16

typedef struct transition {
	int64_t from;   /* seconds since 1970; INT64_MIN: always */
	int32_t offset; /* seconds ahead of UTC */
	bool is_summer;
} transition;

typedef struct zone {
	char name[NAME_BYTES];
	char *standard, *summer; /* the English names; NULL: there is none */
	transition *list;
	size_t count;
} zone;

static zone kept[ZONES_KEPT];
static size_t kept_count;

/* ---- Reading ---------------------------------------------------------------------------------------------- */

static void read_names(zone *to, char *line)
{
	char *bar = strchr(line, '|');

	if (bar)
		*bar = 0;
	to->standard = *line ? line : NULL;
	to->summer = bar ? bar + 1 : to->standard;
}

static void read_transitions(zone *to, char *text)
{
	size_t room = 1;

	for (const char *at = text; *at; at++)
		room += *at == ',';
	to->list = calloc(room, sizeof *to->list);
	if (!to->list)
		host_stop(CURFEW_STOP_MEMORY);
	while (to->count < room && *text && *text != '\n') {
		transition *next = &to->list[to->count++];
		next->from = *text == ':' ? INT64_MIN : strtoll(text, &text, 36);
		text += *text == ':';
		next->offset = (int32_t)strtol(text, &text, 36);
		next->is_summer = *text == '+';
		text += next->is_summer;
		text += *text == ',';
	}
}

/* The zone of that name. NULL: there is none. */
static const zone *find(const char *name, size_t length)
{
	char path[NAME_BYTES + 8];
	size_t bytes;

	if (!length || length >= NAME_BYTES)
		return NULL;
	for (size_t i = 0; i < kept_count; i++)
		if (strlen(kept[i].name) == length && !memcmp(kept[i].name, name, length))
			return &kept[i];
	snprintf(path, sizeof path, "zone/%.*s", (int)length, name);
	char *text = curfew_assets_read(path, &bytes);
	if (!text)
		return NULL;
	if (kept_count == ZONES_KEPT) { /* remove the oldest, but not the program's own */
		free(kept[1].list);
		memmove(&kept[1], &kept[2], (ZONES_KEPT - 2) * sizeof *kept);
		kept_count--;
	}
	zone *made = &kept[kept_count++];
	memset(made, 0, sizeof *made);
	memcpy(made->name, name, length);
	char *line_end = strchr(text, '\n');
	if (line_end) {
		*line_end = 0;
		read_names(made, text);
		read_transitions(made, line_end + 1);
	}
	return made;
}

/* ---- Looking up ------------------------------------------------------------------------------------------- */

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days from 1970 to the first day of a year. */
static int64_t days_to(int64_t year)
{
	int64_t before = year - 1;

	return 365 * (year - 1970) + floor_divide(before, 4) - floor_divide(before, 100) + floor_divide(before, 400) - 477;
}

static int64_t year_of(int64_t seconds)
{
	int64_t days = floor_divide(seconds, 86400);
	int64_t year = 1970 + floor_divide(days * 400, 146097);

	while (days_to(year + 1) <= days)
		year++;
	while (days_to(year) > days)
		year--;
	return year;
}

/*
 * For a time after the table's end: the same time in a year of the table that begins on the same weekday and has the
 * same length.
 */
static int64_t within_table(const zone *of, int64_t seconds)
{
	int64_t last = year_of(of->list[of->count - 1].from), year = year_of(seconds);

	if (last < 2037 || year <= last)
		return seconds;
	for (int64_t other = last; other > last - 28; other--) {
		bool is_as_long = days_to(year + 1) - days_to(year) == days_to(other + 1) - days_to(other);
		if (is_as_long && (days_to(year) - days_to(other)) % 7 == 0)
			return seconds - (days_to(year) - days_to(other)) * 86400;
	}
	return seconds;
}

static const transition *at_time(const zone *of, int64_t seconds)
{
	size_t low = 0, high;

	if (of->count > 1)
		seconds = within_table(of, seconds);
	high = of->count;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (of->list[middle].from <= seconds)
			low = middle;
		else
			high = middle;
	}
	return &of->list[low];
}

static const transition *at_ms(const zone *of, int64_t ms)
{
	return at_time(of, floor_divide(ms, 1000));
}

/* ---- For Date --------------------------------------------------------------------------------------------- */

/* The program's own zone. NULL: UTC. */
static const zone *own_zone(void)
{
	if (!curfew_control.timezone)
		return NULL;
	const zone *own = find((const char *)(uintptr_t)curfew_control.timezone, curfew_control.timezone_length);
	return own && own->count ? own : NULL;
}

int64_t curfew_zone_offset(int64_t ms)
{
	const zone *own = own_zone();
	return own ? (int64_t)at_ms(own, ms)->offset * 1000 : 0;
}

/*
 * A local time that occurs twice means its first occurrence. A skipped local time is read with the offset before the
 * change. ECMAScript requires both.
 */
int64_t curfew_zone_offset_of_local(int64_t ms)
{
	const zone *own = own_zone();

	if (!own)
		return 0;
	int64_t before = (int64_t)at_ms(own, ms - DAY_MS)->offset * 1000,
			after = (int64_t)at_ms(own, ms + DAY_MS)->offset * 1000;
	if (before == after || (int64_t)at_ms(own, ms - before)->offset * 1000 == before)
		return before;
	return (int64_t)at_ms(own, ms - after)->offset * 1000 == after ? after : before;
}

void curfew_zone_describe(int64_t ms, char *to, size_t room)
{
	const zone *own = own_zone();

	if (!own) {
		snprintf(to, room, "Coordinated Universal Time");
		return;
	}
	const transition *now = at_ms(own, ms);
	const char *name = now->is_summer ? own->summer : own->standard;
	int minutes = abs(now->offset) / 60;
	if (name)
		snprintf(to, room, "%s", name);
	else
		snprintf(to, room, "GMT%c%02d:%02d", now->offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

bool curfew_zone_at(const char *name, size_t length, double ms, int32_t *offset, bool *is_summer)
{
	const zone *of = find(name, length);

	if (!of || !of->count || !(ms >= -8.64e15 && ms <= 8.64e15))
		return false;
	const transition *now = at_ms(of, (int64_t)ms);
	*offset = now->offset;
	*is_summer = now->is_summer;
	return true;
}
