/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn of a schedule is one write: its run is written together with the time of the next turn. So a turn has exactly
 * one run, whatever ends the server. Turns that were missed while no server was running count as one turn.
 */
#include "schedules.h"

#include "accounts.h"
#include "cluster.h"
#include "common/clock.h"
#include "cron.h"
#include "log.h"
#include "record.h"
#include "run_routes.h"
#include "service.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAKE_MAX = 64, SECOND_US = 1000000 };

/* ---- One turn -------------------------------------------------------------------------------------------- */

static void skip_turn(server *s, const stored_schedule *one, int64_t next_us, const char *problem)
{
	stored_turn turn = {
		.owner = one->owner, .name = one->name, .turn_us = one->next_us, .next_us = next_us, .problem = problem};
	log_event(LOG_WARN, "schedule",
	          (log_field[]){{"name", one->name, 0},
	                        {"token", one->owner[0] != '\0' ? one->owner : "-", 0},
	                        {"problem", problem, 0},
	                        {0}});
	(void)store_pass_turn(s->store, &turn);
	server_lock(s);
	s->metrics.turns_passed++;
	server_unlock(s);
}

static void cancel_last(server *s, const char *id) CURFEW__UNCHECKED;

static void cancel_last(server *s, const char *id)
{
	run *r;
	/* Not an error: another node may have taken the turn. */
	if (s->is_shared) {
		if (cluster_cancel(s, id, s->anybody, &r) && r != NULL)
			server_unlock(s);
		return;
	}
	server_lock(s);
	r = run_find(s, id);
	if (r != NULL) {
		run_ref(r);
		service_cancel(s, r);
		service_dispatch(s);
		run_unref(s, r);
	}
	server_unlock(s);
	service_launch(s);
}

/* The next time after the present one. 0: there is none. */
static int64_t next_time(const stored_schedule *one)
{
	cron times;
	char why[CRON_WHY_SIZE];
	int64_t now_us = clock_wall_us(), from_us = now_us > one->next_us ? now_us : one->next_us;
	int64_t next = cron_parse(&times, one->cron, why) ? cron_next(&times, one->zone, from_us / SECOND_US) : CRON_NEVER;
	return next == CRON_NEVER ? 0 : next * SECOND_US;
}

static void begin_turn(server *s, const stored_schedule *one)
{
	char why[RUN_WHY_SIZE] = "";
	int64_t next_us = next_time(one);
	run_turn turn = {.schedule = one->name, .turn_us = one->next_us, .next_us = next_us};

	server_lock(s);
	account *who = accounts_find_working(s, one->owner);
	server_unlock(s);
	if (who == NULL) {
		skip_turn(s, one, next_us, "its token may no longer submit runs");
		return;
	}

	if (one->last_goes_on && one->overlap == OVERLAP_SKIP) {
		skip_turn(s, one, next_us, "the previous run had not ended");
		return;
	}

	run_taken taken = run_take_turn(s, who, one->body, one->body_length, &turn, why);
	if (taken == RUN_NOT_TAKEN)
		skip_turn(s, one, next_us, why);
	else if (taken == RUN_LATER)
		log_event(LOG_WARN, "schedule",
		          (log_field[]){{"name", one->name, 0}, {"waits", why, 0}, {0}}); /* it waits until it is taken again */
	else if (one->last_goes_on && one->overlap == OVERLAP_REPLACE)
		cancel_last(s, one->last_run);
}

/* ---- Those that are due ---------------------------------------------------------------------------------- */

typedef struct taken {
	stored_schedule *list[TAKE_MAX];
	size_t count;
} taken;

static void add_due(void *context, const stored_schedule *one)
{
	taken *d = context;
	if (d->count < TAKE_MAX && (d->list[d->count] = store_copy_schedule(one)) != NULL)
		d->count++;
}

void schedules_look(server *s)
{
	taken d = {.count = 0};
	if (!store_take_schedules(s->store, TAKE_MAX, add_due, &d))
		log_say(LOG_ERROR, "schedule", "due entries cannot be read");
	for (size_t i = 0; i < d.count; i++) {
		begin_turn(s, d.list[i]);
		free(d.list[i]);
	}
}
