/* SPDX-License-Identifier: Apache-2.0 */
/* The work of a node in a cluster: taking runs, handling requests about its own runs, and showing those of other nodes.
 */
#include "cluster.h"

#include "accounts.h"
#include "common/clock.h"
#include "common/text.h"
#include "log.h"
#include "record.h"
#include "restore.h"
#include "service.h"
#include "store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
	LOOK_EVERY_US = 500000,
	ASK_EVERY_US = 50000, /* interval of asking the others for capacity, while runs wait here */
	HELD_MAX_US = 100000, /* how long runs wait here while others wait without an owner */
	REFRESH_EVERY_US = 500000,
	USES_EVERY_US = 10000000,
	COUNT_EVERY_US = 1000000,
	REJOIN_AFTER_US = 200000,
	MISSED_MAX = 6,
	STRAYS_MAX = 64
};

/* Runs that belong to this node in the database, but are unknown to it. */
typedef struct strays {
	size_t count;
	char ids[STRAYS_MAX][ID_SIZE];
} strays;

enum { CHANGES_MAX = 512 };

/* The state of the thread that listens to the others. */
typedef struct listening {
	server *server;
	int64_t looked_us;
	bool has_more; /* more runs have changed than were noted */
	size_t count;  /* number of noted runs */
	char changed[CHANGES_MAX][ID_SIZE];
} listening;

/* ---- Joining --------------------------------------------------------------------------------------------- */

bool cluster_join(server *s, curfew_failure *failure)
{
	store_member member = {
		.lease_us = s->config->lease_us, .capacity = s->scheduler.concurrency, .address = s->address};
	if (!store_join(s->store, &member, failure))
		return false;
	log_event(LOG_INFO, "joined", (log_field[]){{"node", NULL, (int64_t)store_node(s->store)}, {0}});
	return true;
}

/* Handles that this node was considered dead: others have its runs now, and it continues under a new number. */
static void join_anew(server *s)
{
	server_lock(s);
	service_lose_all(s);
	server_unlock(s);
	log_say(LOG_ERROR, "cluster", "the lease of this node has expired: other nodes have its runs, and it joins again");
	curfew_failure failure = {0};
	if (!cluster_join(s, &failure))
		log_say(LOG_ERROR, "cluster", "%s", failure.message);
}

/* ---- Taking runs ----------------------------------------------------------------------------------------- */

static bool take_run(void *context, const stored_run *row)
{
	server *s = context;
	server_lock(s);
	bool known = restore_knows(s, row->owner);
	server_unlock(s);
	if (!known)
		accounts_refresh(s); /* its token may be new */
	server_lock(s);
	bool good = restore_taken(s, row);
	server_unlock(s);
	if (!good)
		log_say(LOG_ERROR, "cluster", "out of memory: run %s begins later", row->id);
	return true;
}

/*
 * Under the lock: the runs that may wait here because they will begin soon, within the memory limit. A node that can
 * begin none leaves the others a moment to take them.
 */
static store_capacity find_capacity(const server *s, bool may_wait)
{
	const scheduler *all = &s->scheduler;
	size_t busy = all->running + all->queued, ahead = 2 * s->pace > all->queued ? 2 * s->pace - all->queued : 0;
	if (all->memory_bytes > all->memory_budget / 2 || (busy >= all->concurrency && !may_wait))
		ahead = 0;
	store_capacity room = {
		.runs = busy < all->concurrency ? all->concurrency - busy : 0,
		.ahead = ahead < all->concurrency ? ahead : all->concurrency,
		.memory_bytes = all->memory_bytes < all->memory_budget ? all->memory_budget - all->memory_bytes : 0,
		.memory_max = all->memory_budget};
	return room;
}

/* Under the lock: whether this node may take runs. */
static bool may_take(const server *s, const store_capacity *room)
{
	return s->launching && s->left_count == 0 && room->runs + room->ahead > 0 && store_node(s->store) != 0;
}

/* Takes runs until nothing more waits, or there is no capacity. */
static void take_runs(server *s, bool may_wait)
{
	for (bool is_full = true; is_full; may_wait = false) {
		server_lock(s);
		store_capacity room = find_capacity(s, may_wait);
		bool may = may_take(s, &room);
		if (may)
			s->has_work = false;
		server_unlock(s);
		if (!may)
			return;
		int taken = store_take_runs(s->store, &room, take_run, s);
		server_lock(s);
		is_full = taken > 0 && (size_t)taken >= room.runs + room.ahead;
		if (taken >= 0)
			s->has_backlog = is_full;
		service_dispatch(s);
		server_unlock(s);
		service_launch(s);
	}
}

/* Takes the runs of dead nodes, to close them. */
static void take_lost(server *s)
{
	server_lock(s);
	bool may = s->launching && store_node(s->store) != 0;
	s->has_lost = s->has_lost && !may;
	server_unlock(s);
	if (may)
		(void)store_take_lost(s->store, take_run, s);
}

/* ---- Runs that wait here --------------------------------------------------------------------------------------- */

/* Under the lock: gives back runs that have waited here too long, at most so many. Returns their number. */
static uint64_t give_back_waiting(server *s, uint64_t most, int64_t waited_us)
{
	uint64_t count = 0;
	int64_t before_us = clock_now_us() - waited_us;
	for (size_t i = 0; i < RUN_BUCKETS && count < most && s->scheduler.queued > 0; i++) {
		for (run *r = s->runs[i]; r != NULL && count < most; r = r->chain) {
			if (r->state == RUN_QUEUED && !r->launched && !r->is_taken && r->held_us <= before_us)
				count += service_give_back(s, r);
		}
	}
	return count;
}

/* Another node has reported capacity: it gets the runs that wait here, and those that come in the next moment. */
static void on_capacity(void *context, uint64_t runs)
{
	listening *l = context;
	server *s = l->server;
	int64_t now_us = clock_now_us();
	server_lock(s);
	if (now_us - s->elsewhere_capacity_us > SERVICE_CAPACITY_US)
		s->elsewhere_capacity = 0;
	s->elsewhere_capacity_us = now_us;
	s->elsewhere_capacity += runs;
	s->elsewhere_capacity -= give_back_waiting(s, s->elsewhere_capacity, 0);
	server_unlock(s);
}

/* Runs wait on another node, and this node may have capacity for them. */
static void offer_capacity(server *s)
{
	server_lock(s);
	store_capacity room = find_capacity(s, false);
	bool may = may_take(s, &room) && !s->has_backlog && !s->has_work && !s->stopping;
	server_unlock(s);
	if (may)
		store_offer_capacity(s->store, room.runs);
}

/*
 * A run that does not get its turn here soon may find capacity elsewhere. If others wait without an owner, runs that
 * wait here lose their owner before long, so that the tokens of all take turns.
 */
static void look_after_waiting(server *s)
{
	server_lock(s);
	if (s->has_backlog)
		(void)give_back_waiting(s, UINT64_MAX, HELD_MAX_US);
	bool is_slow = s->scheduler.queued * SERVICE_PACE_US > s->pace * HELD_MAX_US;
	server_unlock(s);
	if (is_slow && store_node(s->store) != 0)
		store_ask_for_capacity(s->store);
}

/* ---- What others ask of this node's runs ------------------------------------------------------------------- */

typedef struct orders {
	server *server;
	const strays *before; /* NULL: unknown runs are left alone */
	strays now;
	bool is_sure; /* the unknown runs are certain */
} orders;

static bool has_stray(const strays *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->ids[i], id) == 0)
			return true;
	}
	return false;
}

/*
 * The write of taking a run succeeded, but its answer never came, so nobody has begun the run. It is given back when it
 * is unknown for the second time; at first it may become known in a moment.
 */
static void note_stray(orders *o, const stored_run *order)
{
	if (order->state == RUN_STOPPING || o->before == NULL)
		return; /* the thread that takes lost runs closes it */
	if (o->is_sure && has_stray(o->before, order->id)) {
		unsigned attempt = order->state >= RUN_RUNNING && order->attempt > 0 ? order->attempt - 1 : order->attempt;
		(void)store_give_back(o->server->store, order->id, attempt, order->node);
	} else if (o->now.count < STRAYS_MAX) {
		(void)snprintf(o->now.ids[o->now.count++], ID_SIZE, "%s", order->id);
	}
}

static void carry_out(void *context, const stored_run *order)
{
	orders *o = context;
	server *s = o->server;
	server_lock(s);
	run *r = run_find(s, order->id);
	if (r == NULL || r->is_foreign) {
		note_stray(o, order);
	} else if (r->node == order->node) {
		run_ref(r);
		while (r->cancels < order->cancels && !r->ended)
			service_cancel(s, r);
		if (order->is_watched)
			service_watch(s, r);
		run_unref(s, r);
	}
	server_unlock(s);
}

/* Only the thread that takes runs can decide that a run is unknown. `seen` has those of the last time. */
static void carry_out_orders(server *s, strays *seen)
{
	orders o = {.server = s, .before = seen, .is_sure = seen != NULL && !store_has_doubts(s->store)};
	(void)store_read_orders(s->store, carry_out, &o);
	if (seen != NULL)
		*seen = o.now;
	server_lock(s);
	service_dispatch(s);
	server_unlock(s);
	service_launch(s);
}

/* ---- Runs of others ---------------------------------------------------------------------------------------- */

/* A run that has ended, until all of its earlier events are shown. */
typedef struct ended {
	char id[ID_SIZE];
	blob *report; /* NULL: the report must be read */
	int64_t report_number, started_us, ended_us, queue_us;
	size_t report_length;
	uint64_t last_event;
	unsigned attempt;
	curfew_outcome outcome;
	run_summary summary;
} ended;

/* The runs that are shown, and those of them that have ended. */
typedef struct following {
	server *server;
	size_t count, room;
	const char **ids;
	char (*id_texts)[ID_SIZE];
	uint64_t *after;
	bool *found;
	ended *done;
	size_t done_count;
	run *run; /* a run that a request is about to listen to; this listener keeps it meanwhile */
	run_listener holder;
} following;

static void finish_following(following *f)
{
	for (size_t i = 0; i < f->done_count; i++)
		blob_unref(f->done[i].report);
	free(f->ids);
	free(f->id_texts);
	free(f->after);
	free(f->found);
	free(f->done);
}

static bool start_following(following *f, server *s, size_t room)
{
	*f = (following){.server = s,
	                 .room = room,
	                 .ids = calloc(room, sizeof *f->ids),
	                 .id_texts = calloc(room, sizeof *f->id_texts),
	                 .after = calloc(room, sizeof *f->after),
	                 .found = calloc(room, sizeof *f->found),
	                 .done = calloc(room, sizeof *f->done)};
	if (f->ids != NULL && f->id_texts != NULL && f->after != NULL && f->found != NULL && f->done != NULL)
		return true;
	finish_following(f);
	return false;
}

static void add_followed(following *f, const run *r)
{
	memcpy(f->id_texts[f->count], r->id, ID_SIZE);
	f->ids[f->count] = f->id_texts[f->count];
	f->after[f->count++] = r->next_event - 1;
}

/* Under the lock: returns the run, if it is still only shown here. */
static run *find_followed(server *s, const char *id)
{
	run *r = run_find(s, id);
	return r != NULL && r->is_foreign && r->state != RUN_DONE ? r : NULL;
}

static void note_end(following *f, const store_change *change)
{
	const run_view *view = &change->view;
	ended *e = &f->done[f->done_count++];
	*e = (ended){.report = view->report != NULL && view->report_length <= RUN_REPORT_SMALL
	                           ? blob_create(view->report, view->report_length)
	                           : NULL,
	             .report_number = view->report_number,
	             .report_length = view->report_length,
	             .last_event = view->last_event,
	             .started_us = view->started_us,
	             .ended_us = view->ended_us,
	             .queue_us = view->queue_us,
	             .attempt = view->attempt,
	             .outcome = change->outcome,
	             .summary = view->summary};
	(void)snprintf(e->id, sizeof e->id, "%s", view->id);
}

static void on_run(void *context, const store_change *change)
{
	following *f = context;
	server *s = f->server;
	const run_view *view = &change->view;
	for (size_t i = 0; i < f->count; i++)
		f->found[i] = f->found[i] || strcmp(f->ids[i], view->id) == 0;
	if (view->state == RUN_DONE && f->done_count < f->room)
		note_end(f, change);
	server_lock(s);
	run *r = find_followed(s, view->id);
	if (r != NULL && view->state != RUN_DONE) {
		r->attempt = view->attempt;
		r->started_wall_us = view->started_us;
		r->queue_us = view->queue_us;
		if (view->state >= RUN_RUNNING && (r->state < RUN_RUNNING || change->epoch > r->epoch))
			restore_show_begun(r, change->epoch);
		r->state = view->state;
	}
	server_unlock(s);
}

static void on_event(void *context, const char *id, uint64_t number, int kind, const char *data, size_t length)
{
	following *f = context;
	server *s = f->server;
	blob *copy = blob_create(data, length);
	server_lock(s);
	run *r = find_followed(s, id);
	if (r != NULL)
		blob_count(copy, &r->owner->tenant.large);
	if (r != NULL && copy != NULL && number >= r->next_event && kind >= 0 && kind < EVENT_REPORT) {
		run_skip_events(r, number);
		run_add_event(r, (event_kind)kind, copy);
		if (kind == EVENT_CHECKPOINT) {
			blob_unref(r->checkpoint);
			r->checkpoint = blob_ref(copy);
		}
	}
	server_unlock(s);
	blob_unref(copy);
}

/* Shows the end of a run as its own node did. */
static void show_end(server *s, const ended *e)
{
	bool is_large = e->report_length > RUN_REPORT_SMALL; /* it stays in the store */
	blob *report = is_large            ? NULL
	               : e->report != NULL ? blob_ref(e->report)
	                                   : store_read_report(s->store, e->report_number, e->report_length);

	if (report == NULL && !is_large)
		return; /* try again next time */
	server_lock(s);
	run *r = find_followed(s, e->id);
	if (r != NULL) {
		run_set_foreign(s, r, false);
		r->report = report;
		r->report_length = e->report_length;
		r->ended = r->written = true;
		r->outcome = e->outcome;
		r->summary = e->summary;
		r->attempt = e->attempt;
		r->started_wall_us = e->started_us;
		r->ended_wall_us = e->ended_us;
		r->queue_us = e->queue_us;
		run_skip_events(r, e->last_event - 1);
		run_move(r, RUN_DONE);
		run_skip_events(r, e->last_event);
		run_add_event(r, EVENT_REPORT, r->report);
		run_notify(r, NEWS_CHANGE);
		run_keep(s, r);
	} else {
		blob_unref(report);
	}
	server_unlock(s);
}

/* A run that does not exist any more is no longer shown. */
static void give_up(server *s, const char *id)
{
	server_lock(s);
	run *r = find_followed(s, id);
	if (r != NULL && ++r->missed >= MISSED_MAX) {
		r->refused = r->ended = true;
		run_notify(r, NEWS_CHANGE);
		run_unregister(s, r);
	}
	server_unlock(s);
}

static bool follow(following *f)
{
	const store_follower follower = {.context = f, .on_run = on_run, .on_event = on_event};
	int more = f->count > 0 ? store_follow(f->server->store, f->ids, f->after, f->count, &follower) : 0;
	for (size_t i = 0; i < f->done_count && more == 0; i++)
		show_end(f->server, &f->done[i]);
	for (size_t i = 0; i < f->count && more >= 0; i++) {
		if (!f->found[i])
			give_up(f->server, f->ids[i]);
	}
	return more >= 0;
}

/* Under the lock: collects the runs that a request shows. The others are no longer shown. */
static void find_followed_runs(server *s, following *f)
{
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i], *next; r != NULL; r = next) {
			next = r->chain;
			if (!r->is_foreign || !r->accepted || r->state == RUN_DONE)
				continue;
			if (r->listeners != NULL && f->count < f->room)
				add_followed(f, r);
			else if (r->listeners == NULL && !r->is_left)
				run_unregister(s, r);
		}
	}
}

/* Notes that a run has changed, as its node reported. */
static void on_change(void *context, const char *id)
{
	listening *l = context;
	server_lock(l->server);
	const run *r = find_followed(l->server, id);
	if (r != NULL && r->accepted && l->count < CHANGES_MAX)
		(void)snprintf(l->changed[l->count++], ID_SIZE, "%s", id);
	else if (r != NULL && r->accepted)
		l->has_more = true;
	server_unlock(l->server);
}

/* Updates the runs that were reported as changed. */
static void follow_changed(listening *l)
{
	following f;
	server *s = l->server;
	if (l->count == 0 || !start_following(&f, s, l->count))
		return;
	server_lock(s);
	for (size_t i = 0; i < l->count; i++) {
		const run *r = find_followed(s, l->changed[i]);
		if (r != NULL)
			add_followed(&f, r);
	}
	server_unlock(s);
	(void)follow(&f);
	finish_following(&f);
}

static void follow_all(server *s)
{
	following f;
	server_lock(s);
	size_t count = s->foreign_count;
	if (count == 0 || !start_following(&f, s, count)) {
		server_unlock(s);
		return;
	}
	find_followed_runs(s, &f);
	server_unlock(s);
	(void)follow(&f);
	finish_following(&f);
}

/* ---- How much waits ------------------------------------------------------------------------------------------ */

typedef struct counting {
	server *server;
	bool has_begun;
	bool has_backlog; /* of tokens without a limit of concurrent runs */
} counting;

static void forget_counts(account *a)
{
	a->elsewhere_queued = a->elsewhere_scheduled = a->elsewhere_held = a->elsewhere_bytes = 0;
	a->running_anywhere = a->last_minute = 0;
}

/* Locks. The counts from before hold until the database has answered: without them every quota would be open. */
static void begin_counts(counting *c) CURFEW__UNCHECKED;
static void begin_counts(counting *c)
{
	server *s = c->server;
	if (c->has_begun)
		return;
	c->has_begun = true;
	server_lock(s);
	s->elsewhere_queued = s->elsewhere_scheduled = s->elsewhere_held = s->elsewhere_bytes = 0;
	forget_counts(s->anybody);
	for (account *a = s->accounts; a != NULL; a = a->next)
		forget_counts(a);
}

static void take_count(void *context, const store_waiting *w) CURFEW__UNCHECKED;
static void take_count(void *context, const store_waiting *w)
{
	counting *c = context;
	server *s = c->server;

	begin_counts(c);
	s->elsewhere_queued += w->queued;
	s->elsewhere_scheduled += w->scheduled;
	s->elsewhere_held += w->held;
	s->elsewhere_bytes += w->bytes;
	if (w->nodes > 0)
		s->elsewhere_nodes = w->nodes;
	account *a = w->owner[0] == '\0' ? s->anybody : s->accounts;
	while (a != NULL && strcmp(a->id, w->owner) != 0)
		a = a->next;
	if (a != NULL) {
		a->elsewhere_queued += w->queued;
		a->elsewhere_scheduled += w->scheduled;
		a->elsewhere_held += w->held;
		a->elsewhere_bytes += w->bytes;
		a->running_anywhere += w->running;
		a->last_minute += w->last_minute;
	}

	c->has_backlog = c->has_backlog || (w->queued > 0 && (a == NULL || a->tenant.running_max == UINT64_MAX));
}

static void count_elsewhere(server *s) CURFEW__UNCHECKED;
static void count_elsewhere(server *s)
{
	counting c = {.server = s};
	if (!store_count_waiting(s->store, take_count, &c))
		return;
	begin_counts(&c);
	s->has_backlog = c.has_backlog;
	server_unlock(s);
}

/* ---- The thread that takes runs ------------------------------------------------------------------------------ */

typedef struct times {
	int64_t looked_us, refreshed_us, used_us, counted_us, count_every_us, due_us, asked_us, paced_us;
	uint64_t ended; /* runs that had ended then */
	strays strays;
} times;

/*
 * Runs of revoked or expired tokens that wait for their time in the database are made due: the node that takes such a
 * run cancels it.
 */
static void hasten_over(server *s)
{
	text owners;
	text_init(&owners, SIZE_MAX / 2);
	server_lock(s);
	for (const account *a = s->accounts; a != NULL; a = a->next) {
		if (a->is_over && !a->is_hastened)
			text_print(&owners, "%s%s", owners.length > 0 ? "," : "", a->id);
	}
	server_unlock(s);

	/* Between the two only this thread makes a token one that is over. */
	if (owners.length > 0 && !owners.failed && store_make_due(s->store, owners.data)) {
		server_lock(s);
		for (account *a = s->accounts; a != NULL; a = a->next)
			a->is_hastened = a->is_over;
		s->has_work = true;
		server_unlock(s);
	}
	text_finish(&owners);
}

static void keep_accounts(server *s, times *t, int64_t now_us)
{
	if (now_us - t->refreshed_us >= REFRESH_EVERY_US) {
		accounts_refresh(s);
		hasten_over(s);
		t->refreshed_us = now_us;
	}
	if (now_us - t->used_us >= USES_EVERY_US) {
		accounts_note_uses(s);
		t->used_us = now_us;
	}
	if (now_us - t->counted_us >= t->count_every_us) {
		count_elsewhere(s);
		t->counted_us = now_us;
		/* If very many runs wait, counting takes a while. */
		int64_t took_us = clock_now_us() - now_us;
		t->count_every_us = 20 * took_us > COUNT_EVERY_US ? 20 * took_us : COUNT_EVERY_US;
	}
}

/* Waits until there is work. */
static void await_nudge(server *s, const times *t)
{
	uint64_t count;
	int64_t now_us = clock_now_us(), next_us = t->looked_us + LOOK_EVERY_US;
	server_lock(s);
	if ((s->scheduler.queued > 0 || s->has_work) && t->asked_us + ASK_EVERY_US < next_us)
		next_us = t->asked_us + ASK_EVERY_US;
	server_unlock(s);
	if (t->due_us < next_us)
		next_us = t->due_us;
	struct pollfd wait = {.fd = s->nudge, .events = POLLIN};
	(void)poll(&wait, 1, next_us > now_us ? (int)((next_us - now_us) / 1000) + 1 : 0);
	(void)!read(s->nudge, &count, sizeof count);
}

/* Under the lock: measures how many runs end here. */
static void note_pace(server *s, times *t, int64_t now_us)
{
	uint64_t count = 0;
	if (now_us - t->paced_us < SERVICE_PACE_US)
		return;
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++)
		count += s->metrics.runs.outcomes[i];
	s->pace = (count - t->ended) * SERVICE_PACE_US / (uint64_t)(now_us - t->paced_us);
	t->ended = count;
	t->paced_us = now_us;
}

static void look_once(server *s, times *t)
{
	int64_t now_us = clock_now_us();
	bool is_time = now_us - t->looked_us >= LOOK_EVERY_US, is_due = now_us >= t->due_us;

	server_lock(s);
	bool wants_runs = s->has_backlog || s->has_work || s->elsewhere_queued > 0 || is_time || is_due;
	note_pace(s, t, now_us);
	bool wants_lost = s->has_lost || is_time, is_turn = now_us - t->asked_us >= ASK_EVERY_US;
	bool may_ask = is_turn && s->scheduler.queued > 0;
	store_publish_load(s->store, s->scheduler.running, s->stopping);
	server_unlock(s);
	if (is_time)
		carry_out_orders(s, &t->strays);
	if (wants_lost)
		take_lost(s);
	if (wants_runs)
		take_runs(s, is_turn);
	if (may_ask)
		look_after_waiting(s);
	if (is_turn)
		t->asked_us = now_us;
	if (is_time || is_due) {
		int64_t due_us = store_next_due(s->store);
		t->due_us = due_us < LOOK_EVERY_US ? clock_now_us() + (due_us > 0 ? due_us : 1000) : INT64_MAX;
	}

	if (is_time)
		t->looked_us = now_us;
	keep_accounts(s, t, now_us);
}

static bool must_continue(server *s)
{
	server_lock(s);
	bool ends = s->cluster_ends;
	server_unlock(s);
	return !ends;
}

static void *take_always(void *argument)
{
	server *s = argument;
	times t = {.count_every_us = COUNT_EVERY_US, .due_us = INT64_MAX};
	while (must_continue(s)) {
		await_nudge(s, &t);
		if (store_node(s->store) == 0 && must_continue(s)) {
			join_anew(s);
			if (store_node(s->store) == 0)
				(void)usleep(REJOIN_AFTER_US);
		}
		look_once(s, &t);
	}
	return NULL;
}

/* ---- The thread that listens to the others ------------------------------------------------------------------- */

static void note_work(server *s, unsigned news)
{
	server_lock(s);
	s->has_work = true;
	s->has_lost = s->has_lost || (news & STORE_NEWS_LOST) != 0;
	server_unlock(s);
	server_nudge(s);
}

/* Does the work that is due, by notifications of others or by time. */
static void heed(listening *l, unsigned news)
{
	server *s = l->server;
	int64_t now_us = clock_now_us();
	bool is_time = now_us - l->looked_us >= LOOK_EVERY_US;
	if ((news & STORE_NEWS_WORK) != 0)
		note_work(s, news);
	if ((news & STORE_NEWS_ORDER) != 0)
		carry_out_orders(s, NULL);
	if (is_time || l->has_more || (news & STORE_NEWS_CHANGE) != 0)
		follow_all(s);
	else
		follow_changed(l);
	if ((news & STORE_NEWS_WAITING) != 0)
		offer_capacity(s);
	if (is_time)
		l->looked_us = now_us;
	l->count = 0;
	l->has_more = false;
}

static void *listen_always(void *argument)
{
	listening *l = argument;
	const store_hearer hearer = {.context = l, .on_change = on_change, .on_capacity = on_capacity};
	while (must_continue(l->server)) {
		int64_t left_us = l->looked_us + LOOK_EVERY_US - clock_now_us();
		heed(l, store_await(l->server->store, left_us, l->server->over, &hearer));
	}
	free(l);
	return NULL;
}

bool cluster_start(server *s, curfew_failure *failure)
{
	listening *l = calloc(1, sizeof *l);
	if (l != NULL) {
		l->server = s;
		s->has_listener = pthread_create(&s->listener, NULL, listen_always, l) == 0;
	}
	if (!s->has_listener)
		free(l);
	s->has_taker = s->has_listener && pthread_create(&s->taker, NULL, take_always, s) == 0;
	if (!s->has_taker)
		(void)snprintf(failure->message, sizeof failure->message, "start: no thread can be started");
	return s->has_taker;
}

void cluster_stop(server *s)
{
	uint64_t one = 1;
	if (!s->has_listener)
		return;
	server_lock(s);
	s->cluster_ends = true;
	server_unlock(s);
	server_nudge(s);
	(void)!write(s->over, &one, sizeof one);
	if (s->has_taker)
		(void)pthread_join(s->taker, NULL);
	(void)pthread_join(s->listener, NULL);
	s->has_taker = s->has_listener = false;
}

void cluster_give_back(server *s)
{
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i]; r != NULL; r = r->chain) {
			if (!r->launched)
				(void)service_give_back(s, r);
		}
	}
}

/* ---- What requests ask for ------------------------------------------------------------------------------------ */

static bool see_state(void *context, const run_view *view)
{
	*(int *)context = view->state;
	return false;
}

static void ignore_news(run_listener *l, run_news news)
{
	(void)l;
	(void)news;
}

/* Hold it, because a run that nobody listens to is no longer shown. */
static void hold(following *f, run *r)
{
	if (f->run != NULL)
		return;
	f->run = r;
	f->holder.notify = ignore_news;
	run_listen(r, &f->holder);
}

static void show_here(void *context, const stored_run *row)
{
	following *f = context;
	server *s = f->server;
	server_lock(s);
	run *r = row->state < RUN_DONE ? restore_foreign(s, row) : NULL;
	if (r != NULL) {
		f->count = 0;
		add_followed(f, r);
		hold(f, r);
		run_unref(s, r);
	}
	server_unlock(s);
}

/* A run without an owner belongs to this node now, which has to end it. */
static void take_cancelled(void *context, const stored_run *row)
{
	following *f = context;
	server *s = f->server;
	if (row->node == 0 || row->node != store_node(s->store) || row->state >= RUN_RUNNING) {
		show_here(context, row);
		return;
	}
	server_lock(s);
	(void)restore_taken(s, row);
	run *r = run_find(s, row->id);
	if (r != NULL)
		hold(f, r);
	service_dispatch(s);
	server_unlock(s);
}

/* Load everything that is known of the run before a request listens to it. */
static bool show_run(server *s, const char *id, run **r,
                     bool (*ask)(store *st, const char *id, void (*show)(void *context, const stored_run *row),
                                 void *context)) CURFEW__UNCHECKED;

static bool show_run(server *s, const char *id, run **r,
                     bool (*ask)(store *st, const char *id, void (*show)(void *context, const stored_run *row),
                                 void *context))
{
	following f;
	*r = NULL;
	if (!start_following(&f, s, 1))
		return false;
	bool good = ask(s->store, id, take_cancelled, &f) && follow(&f);
	finish_following(&f);
	server_lock(s);
	*r = good ? run_find(s, id) : NULL;
	if (f.run != NULL)
		run_unlisten(s, f.run, &f.holder);
	if (*r == NULL)
		server_unlock(s);
	return good;
}

/* Reads the state of a run that an account may see; -1: there is none. False: the database failed. */
static bool read_state(server *s, const char *id, const account *who, int *state)
{
	run_filter filter = {.id = id, .outcome = -1, .most = 1};
	if ((who->scopes & SCOPE_ADMIN) == 0)
		filter.owner = who->id;
	*state = -1;
	return store_read_runs(s->store, &filter, see_state, state);
}

bool cluster_find(server *s, const char *id, const account *who, run **r)
{
	int state;
	*r = NULL;
	if (!read_state(s, id, who, &state))
		return false;
	return state < 0 || state == RUN_DONE || show_run(s, id, r, store_look_at_run);
}

bool cluster_cancel(server *s, const char *id, const account *who, run **r)
{
	int state;
	*r = NULL;
	if (!read_state(s, id, who, &state))
		return false;
	return state < 0 || state == RUN_DONE || show_run(s, id, r, store_cancel_run);
}
