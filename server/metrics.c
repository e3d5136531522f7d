/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms. */
#include "metrics.h"

#include "common/clock.h"

#include <string.h>

/* Upper bounds of the buckets; the last bucket has none. */
static const int64_t bounds_us[] = {10,      25,      50,       100,      250,      500,      1000,   2500,
                                    5000,    10000,   25000,    50000,    100000,   250000,   500000, 1000000,
                                    2500000, 5000000, 10000000, 30000000, 60000000, 300000000};

enum { BOUNDS = sizeof bounds_us / sizeof bounds_us[0], SECONDS = 64 };

_Static_assert(BOUNDS < sizeof(((histogram *)0)->counts) / sizeof(uint64_t), "a bucket for each bound and one above");

void metrics_add_time(histogram *h, int64_t us)
{
	size_t i = 0;
	while (i < BOUNDS && us > bounds_us[i])
		i++;
	h->counts[i]++;
	h->count++;
	h->sum_us += (double)us;
}

/* Clears the entries of seconds that the ring has passed. */
static void turn_seconds(run_figures *f, int64_t second)
{
	if (second - f->ended_second >= SECONDS)
		memset(f->ended_in, 0, sizeof f->ended_in);
	else
		for (int64_t i = f->ended_second + 1; i <= second; i++)
			f->ended_in[i % SECONDS] = 0;
	f->ended_second = second;
}

void metrics_add_end(run_figures *f, curfew_outcome outcome)
{
	int64_t second = clock_now_us() / 1000000;
	if (second != f->ended_second)
		turn_seconds(f, second);
	f->ended_in[second % SECONDS]++;
	f->outcomes[outcome]++;
}

double metrics_rate(const run_figures *f, unsigned seconds)
{
	int64_t now = clock_now_us() / 1000000;
	uint64_t sum = 0;
	for (int64_t at = now - seconds; at < now; at++) {
		if (at <= f->ended_second && at > f->ended_second - SECONDS && at >= 0)
			sum += f->ended_in[at % SECONDS];
	}
	return (double)sum / seconds;
}

/* ---- Answers --------------------------------------------------------------------------------------------- */

void metrics_add_answer(metrics *m, const char *method, const char *pattern, unsigned status)
{
	size_t i = 0;
	while (i < m->answer_kinds &&
	       (m->answers[i].pattern != pattern || m->answers[i].method != method || m->answers[i].status != status))
		i++;
	if (i == m->answer_kinds) {
		if (i == ANSWER_KINDS_MAX)
			return;
		m->answers[m->answer_kinds++] = (answer_count){method, pattern, status, 0};
	}
	m->answers[i].count++;
}

/* ---- Their bounds ---------------------------------------------------------------------------------------- */

size_t metrics_bounds(const int64_t **us)
{
	*us = bounds_us;
	return BOUNDS;
}
