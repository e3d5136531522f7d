/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers that share a PostgreSQL database. Each is a node with a number, a lease that a separate thread renews,
 * and a fence: a row that every writing transaction locks, and that is deleted when the lease has expired. So a node's
 * write comes before that, or not at all. Only the database's clock counts.
 */
#include "common/clock.h"
#include "store_postgres.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RENEWALS = 5, TURN_US = 100000, CLOCK_NOISE_US = 500000, EVENTS_AT_ONCE = 2000 };

/* ---- The lease ----------------------------------------------------------------------------------------------- */

/* Ignore a difference that may only be the latency of the answer. */
static void note_clock(pg_store *st, int64_t offset_us)
{
	bool is_same = offset_us > -CLOCK_NOISE_US && offset_us < CLOCK_NOISE_US;
	atomic_store(&st->clock_offset_us, is_same ? 0 : offset_us);
}

/* False: the query failed. */
static bool renew(pg_store *st)
{
	unsigned long long node = atomic_load(&st->node);
	pg_params p = {0};
	pg_number(&p, (int64_t)node);
	pg_number(&p, (int64_t)st->lease_us);
	pg_number(&p, (int64_t)atomic_load(&st->running));
	pg_words(&p, atomic_load(&st->is_draining) ? "t" : "f");
	pg_number(&p, st->schema);
	int64_t before_us = clock_wall_us();
	PGresult *done = pg_run(st, &st->keeper,
	                        "UPDATE nodes SET lease_until_us=clock_us()+$2::bigint, running=$3, is_draining=$4 WHERE "
	                        "number=$1 AND NOT is_over AND (SELECT coalesce(max(oldest), 0) FROM schema_version)<=$5 "
	                        "RETURNING clock_us() AS now_us",
	                        &p, "the lease", NULL);
	char reason[sizeof st->reason];
	pg_copy_reason(st, reason);
	store_note_health(&st->base, done != NULL, reason);
	if (done == NULL)
		return false; /* a failed query does not end the lease */
	if (PQntuples(done) == 1)
		note_clock(st, pg_get_number(done, 0, "now_us") - (before_us + clock_wall_us()) / 2);
	else
		(void)atomic_compare_exchange_strong(&st->node, &node, 0);
	PQclear(done);
	return true;
}

/*
 * Ends the leases of others. While the database was unavailable nobody could renew. So a node that could not renew for
 * the time of a lease gives the others as long.
 */
static void expire(pg_store *st)
{
	if (clock_now_us() - st->renewed_since_us >= (int64_t)st->lease_us)
		PQclear(pg_run(st, &st->keeper, "SELECT expire()", &(pg_params){0}, "the leases of others", NULL));
}

static bool has_ended(pg_store *st)
{
	(void)pthread_mutex_lock(&st->lock);
	bool ends = st->ends;
	(void)pthread_mutex_unlock(&st->lock);
	return ends;
}

static void *keep_lease(void *argument)
{
	pg_store *st = argument;
	int64_t next_us = 0;
	for (st->renewed_since_us = clock_now_us(); !has_ended(st); (void)usleep(TURN_US)) {
		int64_t now_us = clock_now_us();
		if (now_us < next_us || atomic_load(&st->node) == 0)
			continue;
		/* If this node itself slept, it cannot judge the others. */
		if (next_us != 0 && now_us - next_us > (int64_t)st->lease_us / 2)
			st->renewed_since_us = now_us;
		next_us = now_us + (int64_t)st->lease_us / RENEWALS;
		if (renew(st))
			expire(st);
		else
			st->renewed_since_us = clock_now_us();
	}
	return NULL;
}

static void name_node(char *name, size_t room)
{
	char host[128] = "";
	(void)gethostname(host, sizeof host - 1);
	(void)snprintf(name, room, "%s, process %ld", host[0] != '\0' ? host : "?", (long)getpid());
}

/* A newer version may have made the database one that this program cannot use. */
static bool is_allowed(pg_store *st, curfew_failure *failure)
{
	PGresult *rows = pg_run(st, &st->cluster,
	                        "SELECT coalesce(max(version), 0)::bigint AS version, coalesce(max(oldest), 0)::bigint AS "
	                        "oldest FROM schema_version",
	                        &(pg_params){0}, "the database cannot be joined", failure);
	if (rows == NULL)
		return false;
	int64_t version = pg_get_number(rows, 0, "version"), oldest = pg_get_number(rows, 0, "oldest");
	PQclear(rows);
	if (oldest <= st->schema)
		return true;
	(void)pg_refuse_newer(st, version, oldest, failure);
	store_note_health(&st->base, false, failure->message);
	return false;
}

bool pg_join(store *base, const store_member *member, curfew_failure *failure)
{
	pg_store *st = pg_of(base);
	char name[160];
	pg_params p = {0};

	if (!is_allowed(st, failure))
		return false;
	name_node(name, sizeof name);
	st->lease_us = member->lease_us;
	pg_words(&p, name);
	pg_words(&p, curfew_version());
	pg_words(&p, member->address);
	pg_number(&p, (int64_t)member->capacity);
	pg_number(&p, (int64_t)member->lease_us);
	int64_t before_us = clock_wall_us();
	PGresult *rows = pg_run(
		st, &st->cluster,
		"WITH n AS (INSERT INTO nodes(name, version, address, capacity, started_us, lease_until_us) "
		"VALUES($1, $2, $3, $4, clock_us(), clock_us()+$5::bigint) RETURNING number), "
		"f AS (INSERT INTO fences SELECT number FROM n) SELECT number, clock_us() AS now_us FROM n",
		&p, "the database cannot be joined", failure);
	if (rows == NULL)
		return false;
	note_clock(st, pg_get_number(rows, 0, "now_us") - (before_us + clock_wall_us()) / 2);
	atomic_store(&st->node, (unsigned long long)pg_get_number(rows, 0, "number"));
	PQclear(rows);
	if (!st->has_thread)
		st->has_thread = pthread_create(&st->thread, NULL, keep_lease, st) == 0;
	if (!st->has_thread && failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "no thread can be started");
	return st->has_thread;
}

void pg_leave(pg_store *st)
{
	pg_params p = {0};
	(void)pthread_mutex_lock(&st->lock);
	st->ends = true;
	(void)pthread_mutex_unlock(&st->lock);
	if (st->has_thread)
		(void)pthread_join(st->thread, NULL);
	if (atomic_load(&st->node) == 0)
		return;
	pg_number(&p, (int64_t)atomic_load(&st->node));
	PQclear(
		pg_run(st, &st->admin, "UPDATE nodes SET lease_until_us=clock_us()-1 WHERE number=$1", &p, "the lease", NULL));
	PQclear(pg_run(st, &st->admin, "SELECT expire()", &(pg_params){0}, "the lease", NULL));
}

uint64_t pg_node(store *base)
{
	return atomic_load(&pg_of(base)->node);
}

void pg_publish_load(store *base, uint64_t running, bool is_draining)
{
	atomic_store(&pg_of(base)->running, running);
	atomic_store(&pg_of(base)->is_draining, is_draining);
}

bool pg_read_nodes(store *base, void (*show)(void *context, const stored_node *node), void *context)
{
	PGresult *rows = pg_read_rows(base, "SELECT *, lease_until_us - clock_us() AS lease_us FROM nodes ORDER BY number",
	                              &(pg_params){0}, "nodes", NULL);
	for (int i = 0; i < pg_count(rows); i++) {
		stored_node node = {.number = (uint64_t)pg_get_number(rows, i, "number"),
		                    .name = pg_get(rows, i, "name"),
		                    .version = pg_get(rows, i, "version"),
		                    .address = pg_get(rows, i, "address"),
		                    .capacity = (uint64_t)pg_get_number(rows, i, "capacity"),
		                    .running = (uint64_t)pg_get_number(rows, i, "running"),
		                    .is_draining = pg_get_number(rows, i, "is_draining") != 0,
		                    .is_over = pg_get_number(rows, i, "is_over") != 0,
		                    .started_us = pg_local_time(pg_of(base), pg_get_number(rows, i, "started_us")),
		                    .lease_us = pg_get_number(rows, i, "lease_us")};
		show(context, &node);
	}
	return pg_end(rows);
}

/* ---- Runs that are taken --------------------------------------------------------------------------------------- */

/* Returns their number; -1: the query failed. */
static int take_rows(pg_store *st, PGresult *rows, bool is_lost, bool (*take)(void *context, const stored_run *r),
                     void *context)
{
	int count = rows != NULL ? PQntuples(rows) : -1;
	for (int i = 0; i < count; i++) {
		stored_run run;
		pg_fill_run(st, &run, rows, i);
		char *output = is_lost ? pg_load_output(&st->base, run.id) : NULL;
		run.output = output;
		run.is_lost = is_lost;
		bool more = take(context, &run);
		free(output);
		if (!more)
			break;
	}
	PQclear(rows);
	return count;
}

int pg_take_runs(store *base, const store_capacity *room, bool (*take)(void *context, const stored_run *r),
                 void *context)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	pg_number(&p, (int64_t)atomic_load(&st->node));
	pg_number(&p, (int64_t)room->runs);
	pg_number(&p, (int64_t)room->ahead);
	pg_number(&p, room->memory_bytes < INT64_MAX ? (int64_t)room->memory_bytes : INT64_MAX);
	pg_number(&p, room->memory_max < INT64_MAX ? (int64_t)room->memory_max : INT64_MAX);
	PGresult *rows = pg_run(st, &st->cluster, "SELECT * FROM choose($1, $2, $3, $4, $5)", &p, "runs", NULL);
	return take_rows(st, rows, false, take, context);
}

int pg_take_lost(store *base, bool (*take)(void *context, const stored_run *r), void *context)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	pg_number(&p, (int64_t)atomic_load(&st->node));
	PGresult *rows = pg_run(st, &st->cluster, "SELECT * FROM take_lost($1)", &p, "runs", NULL);
	return take_rows(st, rows, true, take, context);
}

int64_t pg_next_due(store *base)
{
	pg_store *st = pg_of(base);
	PGresult *rows = pg_run(st, &st->cluster,
	                        "SELECT min(due_us) - clock_us() AS due_us FROM runs WHERE state=0 AND node=0",
	                        &(pg_params){0}, "runs", NULL);
	int64_t due_us = rows != NULL && pg_get(rows, 0, "due_us") != NULL ? pg_get_number(rows, 0, "due_us") : INT64_MAX;
	PQclear(rows);
	return due_us;
}

bool pg_make_due(store *base, const char *owners)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	pg_words(&p, owners);
	return pg_end(pg_run(st, &st->cluster,
	                     "UPDATE runs SET due_us=clock_us() WHERE state=0 AND node=0 AND due_us>clock_us() AND "
	                     "owner=ANY(string_to_array($1, ','))",
	                     &p, "runs", NULL));
}

static bool show_rows(store *base, PGresult *rows, void (*show)(void *context, const stored_run *r), void *context)
{
	for (int i = 0; i < pg_count(rows); i++) {
		stored_run run;
		pg_fill_run(pg_of(base), &run, rows, i);
		show(context, &run);
	}
	return pg_end(rows);
}

bool pg_cancel_run(store *base, const char *id, void (*take)(void *context, const stored_run *r), void *context)
{
	pg_params p = {0};
	pg_number(&p, (int64_t)atomic_load(&pg_of(base)->node));
	pg_words(&p, id);
	return show_rows(base, pg_read_rows(base, "SELECT * FROM cancel($1, $2)", &p, "a run", NULL), take, context);
}

bool pg_look_at_run(store *base, const char *id, void (*show)(void *context, const stored_run *r), void *context)
{
	pg_params p = {0};
	pg_words(&p, id);
	return show_rows(base, pg_read_rows(base, "SELECT * FROM look_at($1)", &p, "a run", NULL), show, context);
}

bool pg_read_orders(store *base, void (*show)(void *context, const stored_run *r), void *context)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	pg_number(&p, (int64_t)atomic_load(&st->node));
	PGresult *rows = pg_read_rows(
		base, "SELECT id, state, attempt, cancels, watched, node FROM runs WHERE node=$1 AND state<>4 AND node<>0", &p,
		"orders", NULL);
	for (int i = 0; i < pg_count(rows); i++) {
		stored_run run = {.id = pg_get(rows, i, "id"),
		                  .state = (run_state)pg_get_number(rows, i, "state"),
		                  .attempt = (unsigned)pg_get_number(rows, i, "attempt"),
		                  .cancels = (unsigned)pg_get_number(rows, i, "cancels"),
		                  .is_watched = pg_get_number(rows, i, "watched") != 0,
		                  .node = (uint64_t)pg_get_number(rows, i, "node")};
		show(context, &run);
	}
	return pg_end(rows);
}

/* ---- Runs of others ---------------------------------------------------------------------------------------------- */

static int show_events(const PGresult *rows, const store_follower *follower)
{
	int count = PQntuples(rows);
	for (int i = 0; i < count; i++)
		follower->on_event(follower->context, pg_get(rows, i, "run"), (uint64_t)pg_get_number(rows, i, "number"),
		                   (int)pg_get_number(rows, i, "kind"), pg_get(rows, i, "data"),
		                   pg_get_length(rows, i, "data"));
	return count == EVENTS_AT_ONCE;
}

/* Read rows before events, so that a run that has ended has all of its events. */
static int follow(store *base, const char *ids, const char *after, const store_follower *follower)
{
	pg_params one = {0}, both = {0};

	pg_words(&one, ids);
	pg_words(&both, ids);
	pg_words(&both, after);
	pg_number(&both, EVENTS_AT_ONCE);
	PGresult *rows = pg_read_rows(base,
	                              "SELECT r.*, p.data FROM runs r LEFT JOIN reports p ON p.run=r.number AND p.part=0 "
	                              "AND r.state=4 WHERE r.id = ANY($1::text[])",
	                              &one, "runs", NULL);
	if (rows == NULL)
		return -1;
	for (int i = 0; i < PQntuples(rows); i++) {
		store_change change = {.epoch = (uint64_t)pg_get_number(rows, i, "epoch"),
		                       .outcome = (curfew_outcome)pg_get_number(rows, i, "outcome")};
		pg_fill_view(pg_of(base), &change.view, rows, i);
		if (pg_get(rows, i, "data") != NULL && pg_get_length(rows, i, "data") == change.view.report_length)
			change.view.report = pg_get(rows, i, "data");
		follower->on_run(follower->context, &change);
	}

	PQclear(rows);
	rows = pg_read_rows(
		base,
		"SELECT o.* FROM unnest($1::text[], $2::bigint[]) AS f(id, after) JOIN output o ON o.run=f.id AND "
		"o.number>f.after ORDER BY o.run, o.number LIMIT $3",
		&both, "events", NULL);
	int more = rows != NULL ? show_events(rows, follower) : -1;
	PQclear(rows);
	return more;
}

int pg_follow(store *base, const char *const *ids, const uint64_t *after, size_t count, const store_follower *follower)
{
	text names, numbers;
	text_init(&names, SIZE_MAX / 2);
	text_init(&numbers, SIZE_MAX / 2);
	text_say(&names, "{");
	text_say(&numbers, "{");
	for (size_t i = 0; i < count; i++) {
		text_print(&names, "%s%s", i > 0 ? "," : "", ids[i]);
		text_print(&numbers, "%s%llu", i > 0 ? "," : "", (unsigned long long)after[i]);
	}
	text_say(&names, "}");
	text_say(&numbers, "}");
	char *some = text_take(&names, NULL), *others = text_take(&numbers, NULL);
	int more = some != NULL && others != NULL ? follow(base, some, others, follower) : -1;
	free(some);
	free(others);
	return more;
}

/*
 * Ids begin with the time of some node's clock. Those of the last minute are among those of the last ten minutes,
 * unless clocks differ by more.
 */
bool pg_count_waiting(store *base, void (*show)(void *context, const store_waiting *w), void *context)
{
	pg_store *st = pg_of(base);
	pg_params p = {0};
	char first[ID_SIZE];

	id_first_of(clock_wall_us() - INT64_C(600000000), first);
	pg_words(&p, first);
	pg_number(&p, (int64_t)atomic_load(&st->node));
	PGresult *rows = pg_run(
		st, &st->cluster,
		"SELECT (SELECT count(*) FROM fences) AS nodes, owner, count(*) FILTER (WHERE state=1 AND node=0) AS queued, count(*) FILTER (WHERE state=0 AND node=0) "
		"AS scheduled, coalesce(sum(length(params)) FILTER (WHERE node=0), 0)::bigint AS bytes, count(*) FILTER (WHERE "
		"node<>0 AND state<>1) AS running, count(*) FILTER (WHERE state=1 AND node NOT IN (0, $2::bigint)) AS held, 0::bigint "
		"AS last_minute FROM runs WHERE state IN (0, 1, 2, 3) AND state<>4 GROUP BY owner UNION ALL SELECT 0, t.id, 0, 0, 0, 0, 0, (SELECT count(*) FROM runs r WHERE r.owner=t.id AND r.id>$1 AND r.created_us>clock_us()-60000000) FROM "
		"tokens t WHERE t.per_minute IS NOT NULL AND t.revoked_us=0",
		&p, "runs", NULL);
	for (int i = 0; i < pg_count(rows); i++) {
		store_waiting w = {.owner = pg_get(rows, i, "owner"),
		                   .queued = (uint64_t)pg_get_number(rows, i, "queued"),
		                   .scheduled = (uint64_t)pg_get_number(rows, i, "scheduled"),
		                   .bytes = (uint64_t)pg_get_number(rows, i, "bytes"),
		                   .running = (uint64_t)pg_get_number(rows, i, "running"),
		                   .nodes = (uint64_t)pg_get_number(rows, i, "nodes"),
		                   .held = (uint64_t)pg_get_number(rows, i, "held"),
		                   .last_minute = (uint64_t)pg_get_number(rows, i, "last_minute")};
		show(context, &w);
	}

	return pg_end(rows);
}

/* ---- News of others ------------------------------------------------------------------------------------------ */

/*
 * A notification is a letter and its subject: w [lost], o [NODE], d [ID...], q NODE, h NODE RUNS. One without a subject
 * means all.
 */
static unsigned hear_changes(const char *ids, const store_hearer *hearer)
{
	char id[ID_SIZE];
	if (*ids == '\0')
		return STORE_NEWS_CHANGE;
	for (; strlen(ids) >= ID_SIZE; ids += ID_SIZE) {
		(void)snprintf(id, sizeof id, "%.*s", ID_SIZE - 1, ids + 1);
		hearer->on_change(hearer->context, id);
	}
	return STORE_NEWS_HEARD;
}

/* Handles one notification, unless this node sent it. */
static unsigned hear(pg_store *st, const char *notice, const store_hearer *hearer)
{
	char *end = NULL;
	const char *about = notice[0] != '\0' ? notice + 1 : notice;
	unsigned long long node = strtoull(about, &end, 10);
	bool is_own = node == atomic_load(&st->node);
	switch (notice[0]) {
	case 'w': return *about != '\0' ? STORE_NEWS_WORK | STORE_NEWS_LOST : STORE_NEWS_WORK;
	case 'o': return *about == '\0' || is_own ? STORE_NEWS_ORDER : 0;
	case 'd': return hear_changes(about, hearer);
	case 'q': return is_own ? 0 : STORE_NEWS_WAITING;
	case 'h':
		if (!is_own)
			hearer->on_capacity(hearer->context, strtoull(end, NULL, 10));
		return STORE_NEWS_HEARD;
	default: return 0;
	}
}

/* Reads new notifications. If the connection is a new one, some may have been missed. */
static unsigned read_notices(pg_store *st, const store_hearer *hearer)
{
	unsigned news = 0;
	PGnotify *notice;
	(void)PQconsumeInput(st->listener.conn);
	while ((notice = PQnotifies(st->listener.conn)) != NULL) {
		news |= hear(st, notice->extra, hearer);
		PQfreemem(notice);
	}
	return news;
}

static bool listen_anew(pg_store *st)
{
	bool good = pg_end(pg_run(st, &st->listener, "LISTEN curfew", NULL, "the database", NULL));
	st->listener.is_new = st->listener.is_new && !good;
	return good;
}

unsigned pg_await(store *base, int64_t max_us, int descriptor, const store_hearer *hearer)
{
	pg_store *st = pg_of(base);
	unsigned news = 0;
	/* The function that offers room may have reconnected it, which does not listen. */
	if (st->listener.conn == NULL || st->listener.is_new || PQstatus(st->listener.conn) != CONNECTION_OK)
		news = listen_anew(st) ? STORE_NEWS_WORK | STORE_NEWS_LOST | STORE_NEWS_ORDER | STORE_NEWS_CHANGE : 0;
	bool listens = !st->listener.is_new && st->listener.conn != NULL && PQstatus(st->listener.conn) == CONNECTION_OK;
	if (listens)
		news |= read_notices(st, hearer);
	if (news != 0)
		return news;
	struct pollfd waits[2] = {{.fd = descriptor, .events = POLLIN},
	                          {.fd = listens ? PQsocket(st->listener.conn) : -1, .events = POLLIN}};
	(void)poll(waits, 2, max_us > 0 ? (int)(max_us / 1000) + 1 : 0);
	return listens && waits[1].revents != 0 ? read_notices(st, hearer) : 0;
}

static void notify_nodes(pg_store *st, pg_link *link, const char *notice)
{
	pg_params p = {0};
	pg_words(&p, notice);
	PQclear(pg_run(st, link, "SELECT pg_notify('curfew', $1::text)", &p, "the database", NULL));
}

void pg_offer_capacity(store *base, uint64_t runs)
{
	pg_store *st = pg_of(base);
	char notice[64];
	(void)snprintf(notice, sizeof notice, "h %llu %llu", (unsigned long long)atomic_load(&st->node),
	               (unsigned long long)runs);
	notify_nodes(st, &st->listener, notice);
}

void pg_ask_for_capacity(store *base)
{
	pg_store *st = pg_of(base);
	char notice[32];
	(void)snprintf(notice, sizeof notice, "q %llu", (unsigned long long)atomic_load(&st->node));
	notify_nodes(st, &st->cluster, notice);
}
