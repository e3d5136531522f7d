/* SPDX-License-Identifier: Apache-2.0 */
/* What is due in the PostgreSQL database: schedules, and ends of runs to report. */
#include "store_postgres.h"

/* ---- Writing ----------------------------------------------------------------------------------------------- */

void pg_schedule_params(pg_store *st, pg_params *p, const stored_schedule *schedule)
{
	pg_words(p, schedule->owner);
	pg_words(p, schedule->name);
	pg_words(p, schedule->cron);
	pg_words(p, schedule->zone);
	pg_number(p, schedule->overlap);
	pg_number(p, schedule->is_paused);
	pg_bytes(p, schedule->body, schedule->body_length);
	pg_number(p, pg_time(st, schedule->created_us));
	pg_number(p, pg_time(st, schedule->updated_us));
	pg_number(p, schedule->next_us);
}

void pg_turn_params(pg_store *st, pg_params *p, const stored_turn *turn)
{
	(void)st;
	pg_words(p, turn->owner);
	pg_words(p, turn->name);
	pg_number(p, turn->turn_us);
	pg_number(p, turn->next_us);
	pg_words(p, turn->problem);
}

/* The database's clock measures the time until the next attempt. */
void pg_attempt_params(pg_store *st, pg_params *p, const stored_attempt *attempt)
{
	pg_words(p, attempt->id);
	pg_number(p, attempt->state);
	pg_number(p, attempt->attempts);
	pg_number(p, attempt->status);
	pg_number(p, pg_time(st, attempt->at_us));
	pg_words(p, attempt->problem);
	pg_number(p, attempt->state != HOOK_WAITING ? 0 : attempt->wait_us > 0 ? attempt->wait_us : 1);
}

/* ---- Reading ----------------------------------------------------------------------------------------------- */

#define SCHEDULE_COLUMNS                                                                                               \
	"owner, name, cron, zone, overlap, paused, body, created_us, updated_us, next_us, last_us, last_run, problem, "    \
	"runs, skipped, EXISTS(SELECT 1 FROM runs WHERE runs.id=schedules.last_run AND state<>4) AS goes_on"

static bool show_schedules(store *base, PGresult *rows, void (*show)(void *context, const stored_schedule *schedule),
                           void *context)
{
	pg_store *st = pg_of(base);

	for (int i = 0; i < pg_count(rows); i++) {
		stored_schedule schedule = {.owner = pg_get(rows, i, "owner"),
		                            .name = pg_get(rows, i, "name"),
		                            .cron = pg_get(rows, i, "cron"),
		                            .zone = pg_get(rows, i, "zone"),
		                            .overlap = (schedule_overlap)pg_get_number(rows, i, "overlap"),
		                            .is_paused = pg_get_number(rows, i, "paused") != 0,
		                            .body = pg_get(rows, i, "body"),
		                            .body_length = pg_get_length(rows, i, "body"),
		                            .created_us = pg_local_time(st, pg_get_number(rows, i, "created_us")),
		                            .updated_us = pg_local_time(st, pg_get_number(rows, i, "updated_us")),
		                            .next_us = pg_get_number(rows, i, "next_us"),
		                            .last_us = pg_get_number(rows, i, "last_us"),
		                            .last_run = pg_get(rows, i, "last_run"),
		                            .problem = pg_get(rows, i, "problem"),
		                            .runs = (uint64_t)pg_get_number(rows, i, "runs"),
		                            .skipped = (uint64_t)pg_get_number(rows, i, "skipped"),
		                            .last_goes_on = pg_get_number(rows, i, "goes_on") != 0};
		show(context, &schedule);
	}

	return pg_end(rows);
}

bool pg_read_schedules(store *base, const char *owner, const char *name,
                       void (*show)(void *context, const stored_schedule *schedule), void *context)
{
	pg_params p = {0};
	pg_words(&p, owner);
	pg_words(&p, name);
	PGresult *rows = pg_read_rows(base,
	                              "SELECT " SCHEDULE_COLUMNS " FROM schedules WHERE ($1::text IS NULL OR owner=$1) AND "
	                              "($2::text IS NULL OR name=$2) ORDER BY name, owner",
	                              &p, "schedules", NULL);
	return show_schedules(base, rows, show, context);
}

/* ---- What is due ------------------------------------------------------------------------------------------- */

/* Turns are calendar times, and the database's clock decides whether they have come. */
bool pg_take_schedules(store *base, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                       void *context)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	pg_number(&p, STORE_TAKEN_US);
	pg_number(&p, (int64_t)max);
	PGresult *rows = pg_run(st, &st->taker,
	                        "UPDATE schedules SET taken_us=clock_us()+$1::bigint WHERE (owner, name) IN (SELECT owner, "
	                        "name FROM schedules WHERE next_us>0 AND next_us<=clock_us() AND taken_us<clock_us() ORDER "
	                        "BY next_us LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING " SCHEDULE_COLUMNS,
	                        &p, "schedules", NULL);
	return show_schedules(base, rows, show, context);
}

/* The oldest of each owner first; among owners, those with the fewest in flight before them. */
static const char take_deliveries[] =
	"UPDATE runs SET hook_due_us=clock_us()+$1::bigint WHERE number IN (SELECT number FROM runs WHERE number IN (SELECT "
	"number FROM (SELECT number, hook_due_us, row_number() OVER (PARTITION BY owner ORDER BY hook_due_us, number) AS "
	"place FROM runs WHERE hook_due_us>0 AND hook_due_us<=clock_us()) AS due WHERE place<=$3 ORDER BY place, hook_due_us "
	"LIMIT $2) AND hook_due_us<=clock_us() FOR UPDATE SKIP LOCKED) RETURNING *";

bool pg_take_deliveries(store *base, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                        void *context)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	pg_number(&p, STORE_TOLD_US);
	pg_number(&p, (int64_t)max);
	pg_number(&p, (int64_t)max_each);
	PGresult *rows = pg_run(st, &st->taker, take_deliveries, &p, "ends that are to be reported", NULL);
	for (int i = 0; i < pg_count(rows); i++) {
		run_view view;
		pg_fill_view(st, &view, rows, i);
		show(context, &view);
	}
	return pg_end(rows);
}
