/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing thread. Requests that arrive while it writes wait in a list, and that whole list is its next transaction.
 * If a transaction fails, its writes are tried one by one, so that only the one at fault is refused.
 */
#include "common/clock.h"
#include "log.h"
#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STUCK_US = 3000000,
	FAILED_US = 5000000,
	DOUBT_MAX_US = 5000000,
	NEWS_EVERY_US = 20000,
	TRY_AGAIN_US = 500000,
	CLEAN_EVERY_US = 10000000,
	PAUSE_MIN_US = 2000,
	GATHER_MIN = 8,
	GATHER_US = 400
};

const char STORE_KEY_TAKEN[] = "another run has the key";

void store_init(store *st, const store_backend *backend)
{
	pthread_condattr_t monotonic;
	st->backend = backend;
	st->wanted = 1;
	st->stats.healthy = true;
	(void)pthread_mutex_init(&st->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&st->work, &monotonic);
	(void)pthread_cond_init(&st->cleaning, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

void store_finish(store *st)
{
	(void)pthread_mutex_destroy(&st->lock);
	(void)pthread_cond_destroy(&st->work);
	(void)pthread_cond_destroy(&st->cleaning);
}

static void enter_listener(store *st)
{
	st->listener.enter(st->listener.context);
}

static void leave_listener(store *st)
{
	st->listener.leave(st->listener.context);
}

/* ---- Writes that wait -------------------------------------------------------------------------------------- */

/* The space for texts, after the write that they belong to. */
typedef struct packer {
	size_t room; /* counted first */
	char *at;    /* NULL: still counting */
} packer;

static void pack(packer *p, const char **words, size_t length)
{
	if (*words == NULL)
		return;
	if (p->at == NULL) {
		p->room += length + 1;
		return;
	}
	memcpy(p->at, *words, length);
	p->at[length] = '\0';
	*words = p->at;
	p->at += length + 1;
}

static void pack_words(packer *p, const char **words)
{
	pack(p, words, *words != NULL ? strlen(*words) : 0);
}

static void pack_run(packer *p, stored_run *r)
{
	const char **words[] = {&r->id,          &r->owner,    &r->sha256,   &r->name,       &r->program,
	                        &r->call,        &r->user,     &r->key,      &r->wasi,       &r->allow_fetch,
	                        &r->body_sha256, &r->schedule, &r->hook_url, &r->hook_secret};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		pack_words(p, words[i]);
	pack(p, &r->params, r->params_length);
}

static void pack_program(packer *p, stored_program *program)
{
	const char **words[] = {&program->owner, &program->name, &program->kind, &program->exports};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		pack_words(p, words[i]);
}

static void pack_schedule(packer *p, stored_schedule *schedule)
{
	const char **words[] = {&schedule->owner, &schedule->name,     &schedule->cron,
	                        &schedule->zone,  &schedule->last_run, &schedule->problem};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		pack_words(p, words[i]);
	pack(p, &schedule->body, schedule->body_length);
}

static void pack_turn(packer *p, stored_turn *turn)
{
	pack_words(p, &turn->owner);
	pack_words(p, &turn->name);
	pack_words(p, &turn->problem);
}

/* Visits all texts of a write, in a fixed order. */
static void pack_op(packer *p, write_op *op)
{
	switch (op->kind) {
	case WRITE_RUN:
	case WRITE_NO_RUN: pack_run(p, &op->run); break;
	case WRITE_START: pack_words(p, &op->start.id); break;
	case WRITE_END: pack_words(p, &op->end.id); break;
	case WRITE_BACK: pack_words(p, &op->start.id); break;
	case WRITE_NEWS: break;
	case WRITE_PROGRAM:
	case WRITE_NO_PROGRAM: pack_program(p, &op->program); break;
	case WRITE_TOKEN_USE: pack_words(p, &op->use.id); break;
	case WRITE_SCHEDULE:
	case WRITE_NO_SCHEDULE: pack_schedule(p, &op->schedule); break;
	case WRITE_TURN: pack_turn(p, &op->turn); break;
	case WRITE_ATTEMPT:
		pack_words(p, &op->attempt.id);
		pack_words(p, &op->attempt.problem);
		break;
	}
	pack(p, &op->source, op->source_length);
}

static void free_news(run_news *first)
{
	while (first != NULL) {
		run_news *next = first->next;
		for (size_t i = 0; i < first->count; i++)
			blob_unref(first->events[i].data);
		blob_unref(first->checkpoint);
		free(first);
		first = next;
	}
}

static void free_op(write_op *op)
{
	if (op->kind == WRITE_END)
		blob_unref(op->end.report);
	if (op->kind == WRITE_NEWS)
		free_news(op->news);
	free(op);
}

static void append(store *st, write_op *op)
{
	(void)pthread_mutex_lock(&st->lock);
	*(st->last != NULL ? &st->last->next : &st->first) = op;
	st->last = op;
	if (++st->count == st->wanted)
		(void)pthread_cond_signal(&st->work);
	(void)pthread_mutex_unlock(&st->lock);
}

/* Copies a write together with everything that it points to. */
static bool submit(store *st, const write_op *given, store_done done, void *context)
{
	packer p = {0};
	write_op counted = *given;
	pack_op(&p, &counted);
	write_op *op = malloc(sizeof *op + p.room);
	if (op == NULL)
		return false;
	*op = *given;
	op->next = NULL;
	op->done = done;
	op->context = context;
	op->asked_us = clock_now_us();
	p.at = op->texts;
	pack_op(&p, op);
	if (op->kind == WRITE_END)
		(void)blob_ref(op->end.report);
	append(st, op);
	return true;
}

bool store_insert_run(store *st, const stored_run *r, const char *source, size_t source_length, store_done done,
                      void *context)
{
	return submit(st, &(write_op){.kind = WRITE_RUN, .run = *r, .source = source, .source_length = source_length}, done,
	              context);
}

bool store_start_run(store *st, const stored_start *start, store_done done, void *context)
{
	return submit(st, &(write_op){.kind = WRITE_START, .start = *start}, done, context);
}

bool store_end_run(store *st, const stored_end *end, store_done done, void *context)
{
	return submit(st, &(write_op){.kind = WRITE_END, .end = *end, .until_it_works = true}, done, context);
}

bool store_give_back(store *st, const char *id, unsigned attempt, uint64_t node)
{
	return submit(st, &(write_op){.kind = WRITE_BACK, .start = {.id = id, .attempt = attempt, .node = node}}, NULL,
	              NULL);
}

bool store_put_program(store *st, const stored_program *p, const void *source, store_done done, void *context)
{
	write_op op = {.kind = WRITE_PROGRAM, .program = *p, .source = source, .source_length = (size_t)p->size_bytes};
	return submit(st, &op, done, context);
}

bool store_delete_program(store *st, const char *owner, const char *name, store_done done, void *context)
{
	return submit(st, &(write_op){.kind = WRITE_NO_PROGRAM, .program = {.owner = owner, .name = name}}, done, context);
}

bool store_use_token(store *st, const char *id, int64_t used_us)
{
	return submit(st, &(write_op){.kind = WRITE_TOKEN_USE, .use = {id, used_us}}, NULL, NULL);
}

bool store_put_schedule(store *st, const stored_schedule *schedule, store_done done, void *context)
{
	return submit(st, &(write_op){.kind = WRITE_SCHEDULE, .schedule = *schedule}, done, context);
}

stored_schedule *store_copy_schedule(const stored_schedule *schedule)
{
	packer p = {0};
	stored_schedule counted = *schedule;
	pack_schedule(&p, &counted);
	stored_schedule *copy = malloc(sizeof *copy + p.room);
	if (copy == NULL)
		return NULL;
	*copy = *schedule;
	p.at = (char *)(copy + 1);
	pack_schedule(&p, copy);
	return copy;
}

bool store_delete_schedule(store *st, const char *owner, const char *name, store_done done, void *context)
{
	return submit(st, &(write_op){.kind = WRITE_NO_SCHEDULE, .schedule = {.owner = owner, .name = name}}, done,
	              context);
}

bool store_pass_turn(store *st, const stored_turn *turn)
{
	return submit(st, &(write_op){.kind = WRITE_TURN, .turn = *turn}, NULL, NULL);
}

bool store_note_attempt(store *st, const stored_attempt *attempt)
{
	return submit(st, &(write_op){.kind = WRITE_ATTEMPT, .attempt = *attempt}, NULL, NULL);
}

/* ---- News of runs ------------------------------------------------------------------------------------------ */

void store_expect_news(store *st)
{
	(void)pthread_mutex_lock(&st->lock);
	if (!st->has_news)
		(void)pthread_cond_signal(&st->work);
	st->has_news = true;
	(void)pthread_mutex_unlock(&st->lock);
}

static run_news *copy_news(const stored_news *given)
{
	run_news *n = calloc(1, sizeof *n + given->count * sizeof n->events[0]);
	if (n == NULL)
		return NULL;
	(void)snprintf(n->id, sizeof n->id, "%s", given->id);
	for (; n->count < given->count; n->count++) {
		n->events[n->count] = given->events[n->count];
		(void)blob_ref(n->events[n->count].data);
	}
	n->checkpoint = blob_ref(given->checkpoint);
	n->is_watched = given->is_watched;
	return n;
}

bool store_add_news(store_news *into, const stored_news *news)
{
	run_news *n = copy_news(news);
	if (n == NULL)
		return false;
	n->next = into->first;
	into->first = n;
	return true;
}

bool store_write_news(store *st, const stored_news *news)
{
	run_news *n = copy_news(news);
	if (n != NULL && submit(st, &(write_op){.kind = WRITE_NEWS, .news = n}, NULL, NULL))
		return true;
	free_news(n);
	return false;
}

/* ---- Transactions ------------------------------------------------------------------------------------------ */

static void note_writing(store *st, bool begins)
{
	(void)pthread_mutex_lock(&st->lock);
	st->writing_us = begins ? clock_now_us() : 0;
	(void)pthread_mutex_unlock(&st->lock);
}

/* Executes the writes of these lists in one transaction. */
static store_status write_together(store *st, const write_op *ops, const write_op *end, const run_news *news)
{
	st->is_key_taken = false;
	note_writing(st, true);
	store_status status = st->backend->begin(st);
	for (; ops != end && status == STORE_OK; ops = ops->next)
		status = st->backend->write(st, ops);
	for (; news != NULL && status == STORE_OK; news = news->next)
		status = st->backend->write_news(st, news);
	if (status == STORE_OK)
		status = st->backend->commit(st);
	note_writing(st, false);
	return status;
}

static void note_result(store *st, store_status status, uint64_t writes)
{
	(void)pthread_mutex_lock(&st->lock);
	store_stats *stats = &st->stats;
	bool was_healthy = stats->healthy;
	/* If a single write is refused, the next one may still succeed. */
	stats->healthy = status <= STORE_REFUSED;
	if (!stats->healthy)
		st->failed_us = clock_now_us();
	if (status == STORE_OK) {
		stats->commits++;
		stats->writes += writes;
	} else {
		stats->failures++;
		memcpy(stats->problem, st->reason, sizeof stats->problem);
	}
	(void)pthread_mutex_unlock(&st->lock);
	if (status == STORE_OK && !was_healthy)
		log_say(LOG_INFO, "store", "writing works again");
	else if (status != STORE_OK && was_healthy)
		log_say(LOG_ERROR, "store", "writing failed: %s", st->reason);
}

static bool is_ending(store *st)
{
	(void)pthread_mutex_lock(&st->lock);
	bool ending = st->ending;
	(void)pthread_mutex_unlock(&st->lock);
	return ending;
}

static void count_doubt(store *st, bool begins)
{
	(void)pthread_mutex_lock(&st->lock);
	st->doubts += begins ? 1 : (size_t)-1;
	(void)pthread_mutex_unlock(&st->lock);
}

/* It is unknown whether these were written. Until that is known, nobody is notified of success. */
static void note_doubts(store *st, write_op *ops, const write_op *end)
{
	for (; ops != end; ops = ops->next) {
		if (ops->kind != WRITE_RUN || ops->is_in_doubt)
			continue;
		ops->is_in_doubt = true;
		count_doubt(st, true);
	}
}

/*
 * A run that was refused, but may have been written, would never be executed. The database removes it, or gives it to
 * another node if that may have answered with it.
 */
static void settle_doubt(store *st, write_op *op, store_status status)
{
	if (!op->is_in_doubt)
		return;
	if (status == STORE_OK) {
		op->is_in_doubt = false;
		count_doubt(st, false);
	} else {
		op->kind = WRITE_NO_RUN;
		op->until_it_works = true;
	}
}

/*
 * Whether a failed write is tried again before anybody is notified. That is so for a run that may have been written,
 * under the same id, and in a shared database for the end of a run, which does not count before it is written.
 */
static bool is_worth_waiting(store *st, const write_op *op, store_status status)
{
	if (status == STORE_OK || op->told || is_ending(st))
		return false;
	if (op->until_it_works && store_is_shared(st))
		return true;
	return op->is_in_doubt && status != STORE_REFUSED && clock_now_us() - op->asked_us < DOUBT_MAX_US;
}

/* Between enter and leave: reports the result of one write. Writes that must succeed are tried again later. */
static void finish_op(store *st, write_op *op, store_status status, write_op **again)
{
	if (is_worth_waiting(st, op, status)) {
		op->next = *again;
		*again = op;
		return;
	}
	if (op->done != NULL && !op->told)
		op->done(op->context, status == STORE_OK                            ? NULL
		                      : status == STORE_REFUSED && st->is_key_taken ? STORE_KEY_TAKEN
		                                                                    : st->reason);
	op->told = true;
	settle_doubt(st, op, status);
	if (status != STORE_OK && op->until_it_works && !is_ending(st)) {
		op->next = *again;
		*again = op;
		return;
	}
	free_op(op);
}

/* Where it is the database that fails, the others would only wait for the same. */
static void write_one_by_one(store *st, write_op *ops, write_op **again)
{
	bool fails = false;
	for (write_op *op = ops, *next; op != NULL; op = next) {
		next = op->next;
		store_status status = fails ? STORE_FAILED : write_together(st, op, next, NULL);
		fails = status > STORE_REFUSED;
		if (status == STORE_UNKNOWN)
			note_doubts(st, op, next);
		note_result(st, status, 1);
		enter_listener(st);
		finish_op(st, op, status, again);
		leave_listener(st);
	}
}

/* Writes a list, together or else one by one. Returns the writes that have to be tried again. */
static write_op *write_list(store *st, write_op *ops, run_news *news)
{
	write_op *again = NULL;
	uint64_t count = 0;
	store_status status = write_together(st, ops, NULL, news);

	if (status == STORE_UNKNOWN)
		note_doubts(st, ops, NULL);
	free_news(news);
	if (status != STORE_OK && ops != NULL && (ops->next != NULL || news != NULL)) {
		note_result(st, status, 0);
		write_one_by_one(st, ops, &again);
		return again;
	}

	for (const write_op *op = ops; op != NULL; op = op->next)
		count++;
	note_result(st, status, count);
	if (ops == NULL)
		return NULL;
	enter_listener(st);
	for (write_op *op = ops, *next; op != NULL; op = next) {
		next = op->next;
		finish_op(st, op, status, &again);
	}

	leave_listener(st);
	return again;
}

/* ---- The thread -------------------------------------------------------------------------------------------- */

/* Drops what is too old or too much. */
typedef struct cleaner {
	store *st;
	int64_t next_us, reported_us;
	int64_t dropped;    /* runs, since that was last reported */
	bool drops_sources; /* drop sources next */
} cleaner;

typedef struct writer {
	store *st;
	cleaner cleaner; /* unless the backend cleans aside */
	write_op *again; /* to be tried again */
	int64_t again_us, news_us;
	size_t last_count; /* number of writes of the last transaction */
} writer;

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Under the lock: waits a moment for more writes, if many came together last time. Each transaction costs as much as
 * several writes, so on a fast disk a server would otherwise spend its time on many small ones.
 */
static void gather(writer *w)
{
	store *st = w->st;
	int64_t until_us = clock_now_us() + GATHER_US;
	struct timespec at = {until_us / 1000000, until_us % 1000000 * 1000};
	st->wanted = w->last_count / 4 * 3;
	while (w->last_count >= GATHER_MIN && st->count < st->wanted && !st->ending) {
		if (pthread_cond_timedwait(&st->work, &st->lock, &at) != 0)
			break;
	}
	st->wanted = 1;
}

/* Waits for work. False: nothing is left, and nothing will come. */
static bool wait_for_work(writer *w)
{
	store *st = w->st;
	bool goes_on = true;
	(void)pthread_mutex_lock(&st->lock);
	for (;;) {
		int64_t now_us = clock_now_us(), until_us = w->cleaner.next_us;
		if (w->again != NULL)
			until_us = earlier(until_us, w->again_us);
		if (st->has_news)
			until_us = earlier(until_us, w->news_us);
		if (st->ending)
			goes_on = st->first != NULL || st->has_news || w->again != NULL;
		if (st->first != NULL || st->ending || now_us >= until_us)
			break;
		struct timespec at = {until_us / 1000000, until_us % 1000000 * 1000};
		(void)pthread_cond_timedwait(&st->work, &st->lock, &at);
	}
	if (st->first != NULL)
		gather(w);
	(void)pthread_mutex_unlock(&st->lock);
	return goes_on;
}

static void add_again(writer *w, write_op *list)
{
	while (list != NULL) {
		write_op *next = list->next;
		list->next = w->again;
		w->again = list;
		list = next;
	}
	w->again_us = clock_now_us() + TRY_AGAIN_US;
}

/* Takes the waiting writes. At the same instant the server is notified that writes after these must include their
 * sources. */
static write_op *take_work(writer *w, run_news **news, bool *ending)
{
	store *st = w->st;
	store_news collected = {NULL};
	int64_t now_us = clock_now_us();
	bool wants_news = false, forgets = w->cleaner.drops_sources;

	(void)pthread_mutex_lock(&st->lock);
	*ending = st->ending;
	if (st->has_news && (now_us >= w->news_us || st->ending)) {
		wants_news = true;
		st->has_news = false;
		w->news_us = now_us + NEWS_EVERY_US;
	}

	(void)pthread_mutex_unlock(&st->lock);
	if (wants_news || forgets)
		enter_listener(st);
	if (wants_news)
		st->listener.collect(st->listener.context, &collected);
	if (forgets)
		st->listener.forget_sources(st->listener.context);
	(void)pthread_mutex_lock(&st->lock);
	write_op *ops = st->first;
	st->first = st->last = NULL;
	w->last_count = st->count;
	st->count = 0;
	(void)pthread_mutex_unlock(&st->lock);
	if (wants_news || forgets)
		leave_listener(st);
	*news = collected.first;
	return ops;
}

/* One line for many pieces. */
static void note_dropped(cleaner *c, int dropped, uint64_t bytes, int64_t now_us)
{
	c->dropped += dropped > 0 ? dropped : 0;
	if (c->dropped == 0 || (dropped > 0 && now_us < c->reported_us + CLEAN_EVERY_US))
		return;
	log_event(LOG_INFO, "retention",
	          (log_field[]){{"dropped", NULL, c->dropped}, {"bytes", NULL, (int64_t)bytes}, {0}});
	c->dropped = 0;
	c->reported_us = now_us;
}

static void clean(cleaner *c)
{
	store *st = c->st;
	int64_t now_us = clock_now_us();
	if (now_us < c->next_us)
		return;
	store_cleaning done = st->backend->clean(st);
	int64_t end_us = clock_now_us(), pause_us = (end_us - now_us) / 2;
	note_dropped(c, done.dropped, done.bytes, end_us);
	c->drops_sources = done.has_sources;
	/* As long as there is more, a third of the time is for those alone who wait to be written. */
	bool has_more = done.has_more || done.has_sources;
	c->next_us = has_more ? end_us + (pause_us > PAUSE_MIN_US ? pause_us : PAUSE_MIN_US) : now_us + CLEAN_EVERY_US;
	(void)pthread_mutex_lock(&st->lock);
	st->stats.bytes = done.bytes;
	(void)pthread_mutex_unlock(&st->lock);
}

static void drop_sources(cleaner *c)
{
	c->drops_sources = false;
	c->st->backend->drop_sources(c->st);
}

static void *write_thread(void *argument)
{
	writer w = {.st = argument, .cleaner.st = argument};
	store *st = w.st;
	if (st->backend->cleans_aside)
		w.cleaner.next_us = INT64_MAX;

	while (wait_for_work(&w)) {
		bool ending, drops = w.cleaner.drops_sources;
		run_news *news;
		write_op *ops = take_work(&w, &news, &ending), *again = NULL;
		if (w.again != NULL && (clock_now_us() >= w.again_us || ending)) {
			again = w.again;
			w.again = NULL;
		}
		if (again != NULL)
			add_again(&w, write_list(st, again, NULL));
		if (ops != NULL || news != NULL)
			add_again(&w, write_list(st, ops, news));
		if (drops)
			drop_sources(&w.cleaner);
		clean(&w.cleaner);
	}

	return NULL;
}

/* False: the store is being stopped. */
static bool wait_to_clean(const cleaner *c)
{
	store *st = c->st;
	(void)pthread_mutex_lock(&st->lock);
	while (!st->ending && clock_now_us() < c->next_us) {
		struct timespec at = {c->next_us / 1000000, c->next_us % 1000000 * 1000};
		(void)pthread_cond_timedwait(&st->cleaning, &st->lock, &at);
	}
	bool goes_on = !st->ending;
	(void)pthread_mutex_unlock(&st->lock);
	return goes_on;
}

/* What is dropped by this thread was unused for a while, so writes that wait do not rely on these sources. */
static void *clean_thread(void *argument)
{
	cleaner c = {.st = argument};
	while (wait_to_clean(&c)) {
		if (c.drops_sources) {
			enter_listener(c.st);
			c.st->listener.forget_sources(c.st->listener.context);
			leave_listener(c.st);
			drop_sources(&c);
		}
		clean(&c);
	}
	return NULL;
}

bool store_start(store *st, const store_listener *listener, const store_retention *retention)
{
	st->listener = *listener;
	st->retention = *retention;
	st->ending = false;
	st->running = pthread_create(&st->thread, NULL, write_thread, st) == 0;
	bool cleans = st->running && st->backend->cleans_aside;
	st->has_cleaner = cleans && pthread_create(&st->cleaner, NULL, clean_thread, st) == 0;
	return st->running && st->has_cleaner == cleans;
}

void store_stop(store *st)
{
	if (!st->running)
		return;
	(void)pthread_mutex_lock(&st->lock);
	st->ending = true;
	(void)pthread_cond_signal(&st->work);
	(void)pthread_cond_signal(&st->cleaning);
	(void)pthread_mutex_unlock(&st->lock);
	(void)pthread_join(st->thread, NULL);
	if (st->has_cleaner)
		(void)pthread_join(st->cleaner, NULL);
	st->has_cleaner = false;
	st->running = false;
}

void store_get_stats(store *st, store_stats *stats)
{
	(void)pthread_mutex_lock(&st->lock);
	*stats = st->stats;
	(void)pthread_mutex_unlock(&st->lock);
	if (stats->healthy && store_is_stuck(st)) {
		stats->healthy = false;
		(void)snprintf(stats->problem, sizeof stats->problem, "it has not answered for a while");
	}
}

bool store_is_stuck(store *st)
{
	(void)pthread_mutex_lock(&st->lock);
	bool is_stuck = st->writing_us != 0 && clock_now_us() - st->writing_us > STUCK_US;
	(void)pthread_mutex_unlock(&st->lock);
	return is_stuck;
}

/* ---- What is not dropped ----------------------------------------------------------------------------------- */

/* The bucket of a run. The last characters differ most. */
static curfew__list *holds_of(store *st, const char *id)
{
	unsigned index = 0;
	for (size_t length = strlen(id), i = length > 4 ? length - 4 : 0; i < length; i++)
		index = index * 33 + (unsigned char)id[i];
	return &st->holds[index % STORE_HOLD_BUCKETS];
}

static bool is_held(store *st, const char *id)
{
	const curfew__list *list = holds_of(st, id);
	for (curfew__link *at = curfew__list_first(list); at != NULL; at = curfew__list_next(list, at)) {
		if (strcmp(CURFEW__OWNER(at, store_hold, link)->id, id) == 0)
			return true;
	}
	return false;
}

static bool is_being_dropped(const store *st, const char *id)
{
	size_t i = 0;
	while (i < st->dropping_count && strcmp(st->dropping[i], id) != 0)
		i++;
	return i < st->dropping_count;
}

bool store_hold_run(store *st, store_hold *hold, const char *id)
{
	(void)snprintf(hold->id, sizeof hold->id, "%s", id);
	(void)pthread_mutex_lock(&st->lock);
	bool may = !is_being_dropped(st, id);
	if (may)
		curfew__list_add_last(holds_of(st, id), &hold->link);
	(void)pthread_mutex_unlock(&st->lock);
	return may;
}

void store_release_run(store *st, store_hold *hold)
{
	(void)pthread_mutex_lock(&st->lock);
	curfew__list_remove(&hold->link);
	(void)pthread_mutex_unlock(&st->lock);
}

bool store_may_drop(store *st, const char *id)
{
	(void)pthread_mutex_lock(&st->lock);
	bool may = st->dropping_count < STORE_DROP_MAX && !is_held(st, id);
	if (may)
		(void)snprintf(st->dropping[st->dropping_count++], ID_SIZE, "%s", id);
	(void)pthread_mutex_unlock(&st->lock);
	return may;
}

void store_end_drop(store *st)
{
	(void)pthread_mutex_lock(&st->lock);
	st->dropping_count = 0;
	(void)pthread_mutex_unlock(&st->lock);
}

/* ---- To the database --------------------------------------------------------------------------------------- */

void store_note_health(store *st, bool is_healthy, const char *reason)
{
	(void)pthread_mutex_lock(&st->lock);
	bool was_healthy = st->stats.healthy;
	if (!is_healthy)
		(void)snprintf(st->stats.problem, sizeof st->stats.problem, "%s", reason);
	/* That it answers does not mean that it can be written. */
	if (is_healthy && st->failed_us != 0 && clock_now_us() - st->failed_us < FAILED_US)
		is_healthy = was_healthy;
	st->stats.healthy = is_healthy;
	(void)pthread_mutex_unlock(&st->lock);
	if (was_healthy != is_healthy)
		log_say(is_healthy ? LOG_INFO : LOG_ERROR, "store", "%s", is_healthy ? "the database answers again" : reason);
}

void store_close(store *st)
{
	if (st != NULL)
		st->backend->close(st);
}

bool store_claim(store *st, curfew_failure *failure)
{
	return st->backend->claim(st, failure);
}

uint64_t store_begin_life(store *st)
{
	return st->backend->begin_life(st);
}

bool store_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
                     void *context)
{
	return st->backend->read_runs(st, filter, show, context);
}

blob *store_read_part(store *st, int64_t report_number, size_t part)
{
	return st->backend->read_part(st, report_number, part);
}

blob *store_read_report(store *st, int64_t report_number, size_t length)
{
	if (length > STORE_REPORT_MAX)
		return NULL;
	if (length <= STORE_PART_BYTES)
		return store_read_part(st, report_number, 0);
	blob *whole = blob_reserve(length);
	if (whole == NULL)
		return NULL;
	whole->len = 0;
	for (size_t part = 0; whole->len < length; part++) {
		blob *one = store_read_part(st, report_number, part);
		if (one == NULL || one->len == 0 || one->len > length - whole->len) {
			blob_unref(one);
			blob_unref(whole);
			return NULL;
		}
		memcpy(whole->data + whole->len, one->data, one->len);
		whole->len += one->len;
		blob_unref(one);
	}

	whole->data[length] = '\0';
	return whole;
}

bool store_has_doubts(store *st)
{
	(void)pthread_mutex_lock(&st->lock);
	bool is_in_doubt = st->doubts > 0;
	(void)pthread_mutex_unlock(&st->lock);
	return is_in_doubt;
}

int store_find_key(store *st, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE])
{
	return store_has_doubts(st) ? -1 : st->backend->find_key(st, owner, key, id, body_sha256);
}

bool store_read_programs(store *st, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
                         void *context)
{
	return st->backend->read_programs(st, filter, show, context);
}

uint64_t store_count_program_bytes(store *st, const char *owner)
{
	return st->backend->count_program_bytes(st, owner);
}

void *store_read_source(store *st, const char *sha256, curfew_language language, size_t *length)
{
	return st->backend->read_source(st, sha256, language, length);
}

bool store_read_schedules(store *st, const char *owner, const char *name,
                          void (*show)(void *context, const stored_schedule *schedule), void *context)
{
	return st->backend->read_schedules(st, owner, name, show, context);
}

bool store_take_schedules(store *st, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                          void *context)
{
	return st->backend->take_schedules(st, max, show, context);
}

bool store_take_deliveries(store *st, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                           void *context)
{
	return st->backend->take_deliveries(st, max, max_each, show, context);
}

bool store_load_runs(store *st, bool (*add)(void *context, const stored_run *r), void *context, curfew_failure *failure)
{
	return st->backend->load_runs(st, add, context, failure);
}

bool store_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                       curfew_failure *failure)
{
	return st->backend->read_tokens(st, show, context, failure);
}

bool store_add_token(store *st, const stored_token *token, curfew_failure *failure)
{
	return st->backend->add_token(st, token, failure);
}

bool store_revoke_token(store *st, const char *word, int *count, curfew_failure *failure)
{
	return st->backend->revoke_token(st, word, count, failure);
}

bool store_drop_runs(store *st, const store_prune *prune, store_pruned *pruned, curfew_failure *failure)
{
	return st->backend->drop_runs(st, prune, pruned, failure);
}

bool store_back_up(store *st, const char *path, uint64_t *bytes, curfew_failure *failure)
{
	return st->backend->back_up(st, path, bytes, failure);
}

bool store_examine(store *st, store_check *check, curfew_failure *failure)
{
	return st->backend->examine(st, check, failure);
}

/* ---- Many servers on one database -------------------------------------------------------------------------- */

bool store_is_shared(const store *st)
{
	return st->backend->join != NULL;
}

bool store_join(store *st, const store_member *member, curfew_failure *failure)
{
	return st->backend->join(st, member, failure);
}

uint64_t store_node(store *st)
{
	return st->backend->node != NULL ? st->backend->node(st) : 0;
}

void store_publish_load(store *st, uint64_t running, bool is_draining)
{
	st->backend->publish_load(st, running, is_draining);
}

bool store_read_nodes(store *st, void (*show)(void *context, const stored_node *node), void *context)
{
	return st->backend->read_nodes(st, show, context);
}

int store_take_runs(store *st, const store_capacity *room, bool (*take)(void *context, const stored_run *r),
                    void *context)
{
	return st->backend->take_runs(st, room, take, context);
}

int store_take_lost(store *st, bool (*take)(void *context, const stored_run *r), void *context)
{
	return st->backend->take_lost(st, take, context);
}

int64_t store_next_due(store *st)
{
	return st->backend->next_due(st);
}

bool store_cancel_run(store *st, const char *id, void (*take)(void *context, const stored_run *r), void *context)
{
	return st->backend->cancel_run(st, id, take, context);
}

bool store_look_at_run(store *st, const char *id, void (*show)(void *context, const stored_run *r), void *context)
{
	return st->backend->look_at_run(st, id, show, context);
}

bool store_read_orders(store *st, void (*show)(void *context, const stored_run *r), void *context)
{
	return st->backend->read_orders(st, show, context);
}

int store_follow(store *st, const char *const *ids, const uint64_t *after, size_t count, const store_follower *follower)
{
	return st->backend->follow(st, ids, after, count, follower);
}

bool store_count_waiting(store *st, void (*show)(void *context, const store_waiting *w), void *context)
{
	return st->backend->count_waiting(st, show, context);
}

bool store_make_due(store *st, const char *owners)
{
	return st->backend->make_due(st, owners);
}

unsigned store_await(store *st, int64_t max_us, int descriptor, const store_hearer *hearer)
{
	return st->backend->await(st, max_us, descriptor, hearer);
}

void store_offer_capacity(store *st, uint64_t runs)
{
	st->backend->offer_capacity(st, runs);
}

void store_ask_for_capacity(store *st)
{
	st->backend->ask_for_capacity(st);
}
