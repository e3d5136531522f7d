/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recurring times in the form of cron: five fields (minute, hour, day of the month, month, weekday), in a time zone.
 * Each local time that they name occurs once. When clocks are put forward, a time that is skipped becomes the next
 * instant that exists. When clocks are put back, a time that occurs twice means its first occurrence. Plain data,
 * without a clock.
 */
#ifndef CURFEW_SERVER_CRON_H
#define CURFEW_SERVER_CRON_H

#include <stdbool.h>
#include <stdint.h>

enum { CRON_WHY_SIZE = 160, CRON_WORDS_MAX = 256 };
#define CRON_NEVER INT64_MAX

typedef struct cron {
	uint64_t minutes; /* a bit for each */
	uint32_t hours, days, months;
	uint32_t weekdays; /* bit 0: Sunday */
	/* If one of the two day fields begins with "*", both must match; otherwise one of them is enough. */
	bool any_day, any_weekday;
} cron;

/*
 * Parses text. Each field has numbers, ranges ("1-5"), steps ("*" or a range or a number, "/", and a step), and lists
 * of these. Months and weekdays may also be the first three letters of their English names; Sunday is 0 and 7.
 * "@hourly", "@daily",
 * "@midnight", "@weekly", "@monthly", "@yearly" and "@annually" are supported. False, and why: one line that names the
 * field and the value.
 */
bool cron_parse(cron *c, const char *words, char why[CRON_WHY_SIZE]);

/* The first such time after this one, both in seconds since 1970. CRON_NEVER: there is no such zone. */
int64_t cron_next(const cron *c, const char *zone, int64_t after);

#endif
