/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a zone are an asset: a line of names, then "SECONDS:OFFSET" in base 36 for each time from which another
 * offset applies, separated by ",". If the table ends before 2038, later years follow those of a similar calendar year.
 */
#include "js/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"
#include "js/assets.h"

enum { RULES_BYTES_MAX = 16 << 10, LIKE_YEARS = 28, LAST_YEAR = 2037 };

/* Removes one row of the table from the text. False: there is none. */
static bool take_row(char **text, int64_t *from, int32_t *offset)
{
	char *at = *text;

	if (!*at || *at == '\n')
		return false;
	*from = *at == ':' ? INT64_MIN : strtoll(at, &at, 36);
	at += *at == ':';
	*offset = (int32_t)strtol(at, &at, 36);
	at += *at == '+';
	at += *at == ',';
	if (at == *text)
		return false;
	*text = at;
	return true;
}

static int64_t year_of(int64_t seconds)
{
	int64_t year;
	unsigned month, day;

	calendar_date(calendar_floor(seconds, CALENDAR_DAY_S), &year, &month, &day);
	return year;
}

/* After the end of the table: the same time in a year that the table has, which begins on the same weekday and is as
 * long. */
static int64_t within_table(int64_t last_from, int64_t seconds)
{
	int64_t last = year_of(last_from), year = year_of(seconds), begin = calendar_days(year, 1, 1);

	if (last < LAST_YEAR || year <= last)
		return seconds;
	for (int64_t other = last; other > last - LIKE_YEARS; other--) {
		int64_t days = begin - calendar_days(other, 1, 1);
		if (calendar_is_leap(other) == calendar_is_leap(year) && days % 7 == 0)
			return seconds - days * CALENDAR_DAY_S;
	}
	return seconds;
}

static int32_t offset_at(char *rows, int64_t seconds)
{
	int64_t from = INT64_MIN, last = INT64_MIN;
	int32_t offset = 0, found = 0;

	for (char *at = rows; take_row(&at, &from, &offset);)
		last = from;
	if (last != INT64_MIN)
		seconds = within_table(last, seconds);
	for (char *at = rows; take_row(&at, &from, &offset) && from <= seconds;)
		found = offset;
	return found;
}

bool curfew__zone_offset(const char *name, int64_t seconds, int32_t *offset)
{
	char path[128], rules[RULES_BYTES_MAX];
	int length = snprintf(path, sizeof path, "zone/%s", name);
	const curfew__asset_entry *asset = length < (int)sizeof path ? curfew__asset_find(path, (size_t)length) : NULL;

	if (!asset || asset->length >= sizeof rules || !curfew__asset_read(asset, rules))
		return false;
	rules[asset->length] = 0;
	char *line_end = strchr(rules, '\n');
	*offset = line_end ? offset_at(line_end + 1, seconds) : 0;
	return true;
}
