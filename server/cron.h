/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times that come again, as cron has them: five fields (minute, hour, day of the month, month, weekday), in a time
 * zone. Each local time that they name comes once: one that a clock put forward leaves out is the next instant that
 * there is, and of one that a clock put back shows twice the first one is meant. Plain data, without a clock.
 */
#ifndef CURFEW_SERVER_CRON_H
#define CURFEW_SERVER_CRON_H

#include <stdbool.h>
#include <stdint.h>

enum { CRON_WHY_ROOM = 160, CRON_WORDS_MAX = 256 };
#define CRON_NEVER INT64_MAX

typedef struct cron {
	uint64_t minutes; /* a bit for each */
	uint32_t hours, days, months;
	uint32_t weekdays; /* bit 0: Sunday */
	/* Which day it is goes by both fields where one of them begins with "*", else either of them will do. */
	bool any_day, any_weekday;
} cron;

/*
 * From text: in each field numbers, ranges ("1-5"), steps ("*" or a range or a number, "/", every so many), and lists
 * of these; months and weekdays also by the first three letters of their English names, Sunday is 0 and 7. "@hourly",
 * "@daily", "@midnight", "@weekly", "@monthly", "@yearly" and "@annually" are what they say. False, and why: one line
 * that names the field and the value.
 */
bool cron_parse(cron *c, const char *words, char why[CRON_WHY_ROOM]);

/* The first such time after this one, both in seconds since 1970; CRON_NEVER: there is no such zone. */
int64_t cron_next(const cron *c, const char *zone, int64_t after);

#endif
