/* SPDX-License-Identifier: Apache-2.0 */
/* Recurring times: what is parsed, what is refused with which message, and which moment is next. */
#include "../harness.h"
#include "server/cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BERLIN "Europe/Berlin"

static int64_t at(const char *utc)
{
	struct tm parts = {0};
	const char *end = strptime(utc, "%Y-%m-%d %H:%M", &parts);
	CHECK(end != NULL);
	return timegm(&parts);
}

static cron parse(const char *words)
{
	cron c;
	char why[CRON_WHY_SIZE] = "";
	if (!cron_parse(&c, words, why))
		harness_fail("%s: %s", words, why);
	return c;
}

/* Expects these times in UTC, each the next one after the one before it. */
static void expect_times(const char *words, const char *zone, const char *after, const char *const *times)
{
	cron c = parse(words);
	int64_t now = at(after);
	for (; *times != NULL; times++) {
		char shown[32];
		now = cron_next(&c, zone, now);
		time_t seconds = (time_t)now;
		(void)strftime(shown, sizeof shown, "%Y-%m-%d %H:%M", gmtime(&seconds));
		CHECK_TEXT(shown, *times);
	}
}

#define EXPECT(words, zone, after, ...) expect_times(words, zone, after, (const char *const[]){__VA_ARGS__, NULL})

static void fields_go_together(void)
{
	EXPECT("0 3 * * *", "UTC", "2026-11-30 02:59", "2026-11-30 03:00", "2026-12-01 03:00");
	EXPECT("0 3 * * *", "UTC", "2026-11-30 03:00", "2026-12-01 03:00");
	EXPECT("*/20 9-10,17 * * *", "UTC", "2026-11-30 09:30", "2026-11-30 09:40", "2026-11-30 10:00", "2026-11-30 10:20",
	       "2026-11-30 10:40", "2026-11-30 17:00");
	EXPECT("30/10 * * * *", "UTC", "2026-11-30 09:31", "2026-11-30 09:40", "2026-11-30 09:50", "2026-11-30 10:30");
	EXPECT("0 0 1-31/10 * *", "UTC", "2027-02-10 00:00", "2027-02-11 00:00", "2027-02-21 00:00", "2027-03-01 00:00");
	EXPECT("0 0 * Jan,JUN *", "UTC", "2026-06-29 12:00", "2026-06-30 00:00", "2027-01-01 00:00");
	EXPECT("0 0 * * mon-wed", "UTC", "2026-12-01 12:00", "2026-12-02 00:00", "2026-12-07 00:00");
	EXPECT("0 0 * * 5-7", "UTC", "2026-12-04 12:00", "2026-12-05 00:00", "2026-12-06 00:00", "2026-12-11 00:00");
	EXPECT("0 0 ? * 0", "UTC", "2026-12-01 12:00", "2026-12-06 00:00");
	EXPECT("  15\t4  * * *  ", "UTC", "2026-12-01 12:00", "2026-12-02 04:15");
}

static void days_of_month_and_week(void)
{
	/* If both are given, either suffices. */
	EXPECT("0 0 13 * fri", "UTC", "2026-12-05 00:00", "2026-12-11 00:00", "2026-12-13 00:00", "2026-12-18 00:00");
	/* If one begins with "*", both must match. */
	EXPECT("0 0 */2 * sun", "UTC", "2026-12-06 12:00", "2026-12-13 00:00", "2026-12-27 00:00");
	EXPECT("0 0 30 2 mon", "UTC", "2027-02-01 12:00", "2027-02-08 00:00");
}

static void rare_days(void)
{
	EXPECT("0 0 29 2 *", "UTC", "2026-01-01 00:00", "2028-02-29 00:00", "2032-02-29 00:00");
	EXPECT("0 0 29 2 *", "UTC", "2096-03-01 00:00", "2104-02-29 00:00");
	EXPECT("0 0 31 * *", "UTC", "2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00");
}

static void words_for_times(void)
{
	EXPECT("@hourly", "UTC", "2026-12-01 12:30", "2026-12-01 13:00");
	EXPECT("@daily", "UTC", "2026-12-01 12:30", "2026-12-02 00:00");
	EXPECT("@weekly", "UTC", "2026-12-01 12:30", "2026-12-06 00:00");
	EXPECT("@monthly", "UTC", "2026-12-01 12:30", "2027-01-01 00:00");
	EXPECT("@yearly", "UTC", "2026-12-01 12:30", "2027-01-01 00:00");
}

static void zones(void)
{
	EXPECT("0 3 * * *", BERLIN, "2026-12-01 12:00", "2026-12-02 02:00");
	EXPECT("0 3 * * *", BERLIN, "2026-07-01 12:00", "2026-07-02 01:00");
	EXPECT("0 9 * * 1-5", "America/New_York", "2026-12-04 20:00", "2026-12-07 14:00");
	EXPECT("30 0 * * *", "Asia/Kolkata", "2026-12-01 12:00", "2026-12-01 19:00");
	EXPECT("0 0 1 1 *", "Pacific/Kiritimati", "2026-06-01 00:00", "2026-12-31 10:00");
	/* Years after the end of the table of rules. */
	EXPECT("0 3 * * *", BERLIN, "2049-07-01 12:00", "2049-07-02 01:00");
	EXPECT("0 3 * * *", BERLIN, "2049-12-01 12:00", "2049-12-02 02:00");
}

/* On 29 March 2026 clocks go from 02:00 (01:00 UTC) to 03:00. */
static void a_time_that_is_left_out(void)
{
	EXPECT("30 2 * * *", BERLIN, "2026-03-28 12:00", "2026-03-29 01:00", "2026-03-30 00:30");
	EXPECT("*/20 2,3 * * *", BERLIN, "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:20", "2026-03-29 01:40",
	       "2026-03-30 00:00");
	EXPECT("0 12 30 12 *", "Pacific/Apia", "2011-12-01 00:00", "2011-12-30 10:00", "2012-12-29 22:00");
}

/* On 25 October 2026 clocks go from 03:00 (01:00 UTC) to 02:00. */
static void a_time_that_comes_twice(void)
{
	EXPECT("30 2 * * *", BERLIN, "2026-10-24 12:00", "2026-10-25 00:30", "2026-10-26 01:30");
	EXPECT("0,30 2,3 * * *", BERLIN, "2026-10-24 23:59", "2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 02:00");
	/* Also if the search starts within the hour that is repeated. */
	EXPECT("30 2 * * *", BERLIN, "2026-10-25 01:10", "2026-10-26 01:30");
	EXPECT("30 2 * * *", BERLIN, "2026-10-25 00:10", "2026-10-25 00:30");
}

/* Every time that is found matches the fields, and none was skipped, according to a walk through all minutes. */
static void none_is_passed_over(void)
{
	static const char *const words[] = {"7 2,14 * * *", "*/15 1-3 * 3,10 0", "0 0 28-31 * *"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		cron c = parse(words[i]);
		int64_t now = at("2026-01-01 00:00"), end = at("2027-01-01 00:00"),
				next = cron_next(&c, "Australia/Lord_Howe", now);
		while (next < end) {
			CHECK(next > now);
			/* The next time is the same from any moment before it. */
			CHECK_EQUAL(cron_next(&c, "Australia/Lord_Howe", next - 1), next);
			CHECK_EQUAL(cron_next(&c, "Australia/Lord_Howe", now + (next - now) / 2), next);
			now = next;
			next = cron_next(&c, "Australia/Lord_Howe", now);
		}
	}
}

static void refusals(void)
{
	static const char *const cases[][2] = {
		{"", "\"\" must have five fields: minute, hour, day of the month, month, weekday"},
		{"0 3 * *", "\"0 3 * *\" must have five fields"},
		{"0 0 3 * * *", "\"0 0 3 * * *\" must have five fields"},
		{"60 * * * *", "minute \"60\": must be from 0 to 59"},
		{"* 24 * * *", "hour \"24\": must be from 0 to 23"},
		{"* * 0 * *", "day of the month \"0\": must be from 1 to 31"},
		{"* * * 13 *", "month \"13\": must be from 1 to 12"},
		{"* * * * 8", "weekday \"8\": must be from 0 to 7"},
		{"* * * foo *", "month \"foo\": is neither a number nor a name"},
		{"* * * janu *", "month \"janu\": is neither a number nor a name"},
		{"x * * * *", "minute \"x\": is not a number"},
		{"1,,2 * * * *", "minute \"1,,2\": an item of the list is empty"},
		{"1, * * * *", "minute \"1,\": an item of the list is empty"},
		{"5-1 * * * *", "minute \"5-1\": the range ends before it begins"},
		{"5- * * * *", "minute \"5-\": the range has no end"},
		{"*/0 * * * *", "minute \"*/0\": the step must be a number that fits the field"},
		{"* */25 * * *", "hour \"*/25\": the step must be a number that fits the field"},
		{"*/ * * * *", "minute \"*/\": the step must be"},
		{"99999999999 * * * *", "minute \"99999999999\": is not understood"},
		{"-1 * * * *", "minute \"-1\": is not a number"},
		{"* * L * *", "day of the month \"L\": is not a number"},
		{"* * * * mon#2", "weekday \"mon#2\": is not understood"},
		{"0 0 31 2,4 *", "day of the month \"31\": there is no such day in these months"},
		{"@never", "\"@never\" is not one of @hourly"},
		{"@every 5m", "\"@every 5m\" is not one of"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cron c;
		char why[CRON_WHY_SIZE] = "";
		if (cron_parse(&c, cases[i][0], why))
			harness_fail("\"%s\" is taken", cases[i][0]);
		if (strncmp(why, cases[i][1], strlen(cases[i][1])) != 0)
			harness_fail("\"%s\": %s", cases[i][0], why);
	}
}

/* Any text leads to a message of one line, or to a future time. */
static void any_text(void)
{
	static const char letters[] = "0123456789 */,-?abcjanfeb@\t\n\x80#L";
	srand(4711);
	for (int i = 0; i < 20000; i++) {
		char words[24], why[CRON_WHY_SIZE] = "";
		size_t length = (size_t)rand() % sizeof words;
		cron c;
		for (size_t j = 0; j < length; j++)
			words[j] = letters[(size_t)rand() % (sizeof letters - 1)];
		words[length < sizeof words ? length : sizeof words - 1] = '\0';
		if (cron_parse(&c, words, why))
			CHECK(cron_next(&c, "UTC", 1800000000) > 1800000000);
		else
			CHECK(why[0] != '\0' && strpbrk(why, "\n\t") == NULL);
	}
}

static void unknown_zone(void)
{
	cron c = parse("0 3 * * *");
	CHECK_EQUAL(cron_next(&c, "Europe/Atlantis", 0), CRON_NEVER);
}

static const harness_test tests[] = {
	{"fields_go_together", fields_go_together},
	{"days_of_month_and_week", days_of_month_and_week},
	{"rare_days", rare_days},
	{"words_for_times", words_for_times},
	{"zones", zones},
	{"a_time_that_is_left_out", a_time_that_is_left_out},
	{"a_time_that_comes_twice", a_time_that_comes_twice},
	{"none_is_passed_over", none_is_passed_over},
	{"refusals", refusals},
	{"any_text", any_text},
	{"unknown_zone", unknown_zone},
};

HARNESS_MAIN(tests)
