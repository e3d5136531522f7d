/* SPDX-License-Identifier: Apache-2.0 */
/* Days of the Gregorian calendar as numbers: day 0 is 1 January 1970. */
#ifndef CURFEW_COMMON_CALENDAR_H
#define CURFEW_COMMON_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CALENDAR_DAY_S = 86400,
	CALENDAR_ERA_DAYS = 146097
}; /* an era has 400 years, after which the calendar repeats */

static inline int64_t calendar_floor(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The day number of a date. Month and day count from 1. */
static inline int64_t calendar_days(int64_t year, unsigned month, unsigned day)
{
	/* A year that begins in March has its leap day at the end. */
	int64_t from_march = year - (month <= 2), era = calendar_floor(from_march, 400), of_era = from_march - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
	return era * CALENDAR_ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The date of a day number. */
static inline void calendar_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t shifted = days + 719468, era = calendar_floor(shifted, CALENDAR_ERA_DAYS);
	int64_t of_era = shifted - era * CALENDAR_ERA_DAYS;
	int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100), from_march = (5 * of_year + 2) / 153;
	*day = (unsigned)(of_year - (153 * from_march + 2) / 5 + 1);
	*month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
	*year = years + era * 400 + (*month <= 2);
}

/* 0: Sunday. */
static inline unsigned calendar_weekday(int64_t days)
{
	return (unsigned)(days + 4 - calendar_floor(days + 4, 7) * 7);
}

static inline bool calendar_is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

#endif
