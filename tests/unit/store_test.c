/* SPDX-License-Identifier: Apache-2.0 */
/* The store without a server: the data that it is given, its callbacks, and what exists after a restart. */
#include "../harness.h"
#include "server/store.h"

#include <pthread.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA2 "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Plays the server: the lock that it holds during calls, and the notifications that it received. */
typedef struct client {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned told, failed, forgot;
	char problem[128];
	blob *output[4];
	size_t output_count;
	uint64_t event_count;
	blob *checkpoint;
	char news_of[ID_SIZE];
} client;

typedef struct fixture {
	char directory[HARNESS_PATH];
	const char *place; /* the directory, or CURFEW_TEST_STORE; then the command CURFEW_TEST_RESET empties it */
	store *st;
	uint64_t node; /* 0: the database is not shared */
	client client;
} fixture;

static void enter(void *context)
{
	(void)pthread_mutex_lock(&((client *)context)->lock);
}

static void leave(void *context)
{
	(void)pthread_mutex_unlock(&((client *)context)->lock);
}

static void collect(void *context, store_news *into)
{
	client *c = context;
	stored_event events[4];
	const stored_news news = {
		.id = c->news_of, .events = events, .count = c->output_count, .checkpoint = c->checkpoint};
	for (size_t i = 0; i < c->output_count; i++)
		events[i] = (stored_event){++c->event_count, EVENT_OUTPUT, c->output[i]};
	if (c->news_of[0] != '\0')
		CHECK(store_add_news(into, &news));
	c->news_of[0] = '\0';
}

static void forget_sources(void *context)
{
	((client *)context)->forgot++;
}

static void on_done(void *context, const char *problem)
{
	client *c = context;
	/* Called under the lock that enter acquired. */
	CHECK(pthread_mutex_trylock(&c->lock) != 0);
	c->told++;
	c->failed += problem != NULL;
	(void)snprintf(c->problem, sizeof c->problem, "%s", problem != NULL ? problem : "");
	(void)pthread_cond_signal(&c->changed);
}

static void wait_for(client *c, unsigned told)
{
	(void)pthread_mutex_lock(&c->lock);
	while (c->told < told)
		(void)pthread_cond_wait(&c->changed, &c->lock);
	(void)pthread_mutex_unlock(&c->lock);
}

static void open_it(fixture *f)
{
	curfew_failure failure = {0};
	f->st = store_open(f->place, STORE_SERVER, &failure);
	if (f->st == NULL)
		harness_fail("%s", failure.message);
	CHECK(store_claim(f->st, &failure));
	if (store_is_shared(f->st) && !store_join(f->st, &(store_member){5000000, 4, "test"}, &failure))
		harness_fail("%s", failure.message);
	f->node = store_node(f->st);
}

static void begin(fixture *f, uint64_t age_us, uint64_t bytes)
{
	const store_listener listener = {
		.context = &f->client, .enter = enter, .leave = leave, .collect = collect, .forget_sources = forget_sources};
	CHECK(store_start(f->st, &listener, &(store_retention){age_us, bytes}));
}

static void start(fixture *f, uint64_t age_us, uint64_t bytes)
{
	open_it(f);
	begin(f, age_us, bytes);
}

static void stop(fixture *f)
{
	store_stop(f->st);
	store_close(f->st);
	f->st = NULL;
}

#define FOR_EVER (UINT64_C(1) << 60)

static void *set_up(void)
{
	fixture *f = calloc(1, sizeof *f);
	CHECK(f != NULL);
	(void)pthread_mutex_init(&f->client.lock, NULL);
	(void)pthread_cond_init(&f->client.changed, NULL);
	harness_directory(f->directory, "store");
	f->place = getenv("CURFEW_TEST_STORE") != NULL ? getenv("CURFEW_TEST_STORE") : f->directory;
	CHECK(f->place == f->directory || system(getenv("CURFEW_TEST_RESET")) == 0);
	start(f, FOR_EVER, FOR_EVER);
	return f;
}

static void tear_down(void *state)
{
	fixture *f = state;
	char command[128];
	if (f->st != NULL)
		stop(f);
	(void)snprintf(command, sizeof command, "rm -rf %s", f->directory);
	CHECK_EQUAL(system(command), 0);
	free(f);
}

static const char *id_of(unsigned number, char id[ID_SIZE])
{
	(void)snprintf(id, ID_SIZE, "01ARZ3NDEKTSV4RRFFQ69G%04u", number);
	return id;
}

static stored_run make_run(unsigned number, char id[ID_SIZE])
{
	stored_run r = {.id = id_of(number, id),
	                .owner = "alice",
	                .sha256 = SHA,
	                .name = "p.js",
	                .program = "p",
	                .params = "[1]",
	                .params_length = 3,
	                .state = RUN_QUEUED,
	                .priority = 5,
	                .created_us = 1000 + number,
	                .queue_us = -1};
	(void)curfew_limits_resolve(NULL, &r.limits, NULL);
	return r;
}

static bool insert(fixture *f, const stored_run *r)
{
	stored_run own = *r;
	own.node = f->node;
	return store_insert_run(f->st, &own, "1", 1, on_done, &f->client);
}

static void end(fixture *f, unsigned number, curfew_outcome outcome, const char *words, size_t length)
{
	char id[ID_SIZE];
	blob *report = blob_create(words, length);
	stored_end e = {.id = id_of(number, id),
	                .node = f->node,
	                .outcome = outcome,
	                .started_us = 2000,
	                .ended_us = 3000 + number,
	                .queue_us = 7,
	                .last_event = 9,
	                .summary = {11, 12, 13, 14, -1},
	                .params_length = 3,
	                .has_output = true,
	                .report = report};
	CHECK(store_end_run(f->st, &e, on_done, &f->client));
	blob_unref(report);
}

/* ---- What is read -------------------------------------------------------------------------------------------- */

typedef struct seen {
	size_t count;
	char ids[64][ID_SIZE];
	int64_t number;
	size_t length;
	run_summary summary;
	bool has_summary;
	char output[256], params[16], checkpoint[16];
	run_state state;
	unsigned attempt;
} seen;

static bool see(void *context, const run_view *view)
{
	seen *all = context;
	(void)snprintf(all->ids[all->count++], ID_SIZE, "%s", view->id);
	all->number = view->report_number;
	all->length = view->report_length;
	all->summary = view->summary;
	all->has_summary = view->has_summary;
	CHECK(view->report == NULL);
	return all->count < 64;
}

static size_t count_runs(fixture *f, run_filter filter)
{
	filter.states = 1u << RUN_DONE;
	seen all = {0};
	filter.most = filter.most != 0 ? filter.most : 64;
	CHECK(store_read_runs(f->st, &filter, see, &all));
	for (size_t i = 1; i < all.count; i++)
		CHECK(strcmp(all.ids[i - 1], all.ids[i]) > 0);
	return all.count;
}

static bool see_left(void *context, const stored_run *r)
{
	seen *all = context;
	(void)snprintf(all->ids[all->count++], ID_SIZE, "%s", r->id);
	(void)snprintf(all->output, sizeof all->output, "%s", r->output != NULL ? r->output : "");
	(void)snprintf(all->params, sizeof all->params, "%.*s", (int)r->params_length, r->params);
	(void)snprintf(all->checkpoint, sizeof all->checkpoint, "%s", r->checkpoint != NULL ? r->checkpoint : "");
	all->state = r->state;
	all->attempt = r->attempt;
	CHECK(!r->is_unreadable);
	return true;
}

/* ---- Tests --------------------------------------------------------------------------------------------------- */

/* The caller may change its data as soon as the call has returned, because it was copied. */
static void test_copies(void *state)
{
	fixture *f = state;
	curfew_failure failure;
	seen all = {0};
	char id[ID_SIZE], params[] = "[1]";
	stored_run r = make_run(1, id);
	r.params = params;
	(void)pthread_mutex_lock(&f->client.lock); /* nothing is reported before the next line but one */
	CHECK(insert(f, &r));
	memset(params, 'x', 3);
	memset(id, 'x', 26);
	(void)pthread_mutex_unlock(&f->client.lock);
	wait_for(&f->client, 1);
	CHECK_EQUAL(f->client.failed, 0);
	CHECK(store_load_runs(f->st, see_left, &all, &failure));
	CHECK_EQUAL(all.count, 1);
	CHECK_TEXT(all.params, "[1]");
	CHECK_TEXT(all.ids[0], id_of(1, id));
}

typedef struct taken {
	unsigned count, lost, begun;
	char id[8][ID_SIZE];
	unsigned attempt;
	uint64_t node, epoch;
} taken;

static bool take(void *context, const stored_run *r)
{
	taken *t = context;
	(void)snprintf(t->id[t->count++], ID_SIZE, "%s", r->id);
	t->lost += r->is_lost;
	t->begun += r->state == RUN_RUNNING;
	t->attempt = r->attempt;
	t->node = r->node;
	t->epoch = r->epoch;
	return true;
}

static const store_capacity much_capacity = {8, 0, UINT64_C(1) << 40, UINT64_C(1) << 40};

/* A run from its acceptance to its report, with a restart in between. */
static void test_life(void *state)
{
	fixture *f = state;
	curfew_failure failure;
	seen all = {0};
	char id[ID_SIZE];
	stored_run r = make_run(1, id);
	CHECK(insert(f, &r));
	CHECK(store_start_run(f->st, &(stored_start){id, 1, 2000, 7, f->node}, on_done, &f->client));
	wait_for(&f->client, 2);
	f->client.output[0] = blob_create("{\"stream\":\"stdout\",\"text\":\"a\"}", 30);
	f->client.output[1] = blob_create("{\"stream\":\"stdout\",\"text\":\"b\"}", 30);
	f->client.output_count = 2;
	f->client.checkpoint = blob_create("5", 1);
	(void)pthread_mutex_lock(&f->client.lock);
	(void)snprintf(f->client.news_of, sizeof f->client.news_of, "%s", id);
	store_expect_news(f->st);
	(void)pthread_mutex_unlock(&f->client.lock);
	stop(f);
	start(f, FOR_EVER, FOR_EVER);
	CHECK(store_load_runs(f->st, see_left, &all, &failure));
	CHECK_EQUAL(all.count, 1);
	CHECK_EQUAL(all.state, RUN_RUNNING);
	CHECK_EQUAL(all.attempt, 1);
	CHECK_TEXT(all.checkpoint, "5");
	CHECK_TEXT(all.output, "[{\"stream\":\"stdout\",\"text\":\"a\"},{\"stream\":\"stdout\",\"text\":\"b\"}]");
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1}), 0);
	/* In a shared database it belonged to another node, which has ended. */
	taken left = {0};
	if (f->node != 0)
		CHECK_EQUAL(store_take_lost(f->st, take, &left), 1);
	CHECK_EQUAL(left.lost, f->node != 0);
	end(f, 1, CURFEW_OUTCOME_FINISHED, "{}", 2);
	wait_for(&f->client, 3);
	all.count = 0;
	CHECK(store_load_runs(f->st, see_left, &all, &failure));
	CHECK_EQUAL(all.count, 0);
	run_filter filter = {.id = id, .outcome = -1, .most = 1};
	CHECK(store_read_runs(f->st, &filter, see, &all));
	CHECK_EQUAL(all.count, 1);
	CHECK(all.has_summary && all.summary.cpu_us == 12 && all.summary.stop_latency_us == -1);
	blob *report = store_read_report(f->st, all.number, all.length);
	CHECK(report != NULL);
	CHECK_TEXT(report->data, "{}");
	blob_unref(report);
	for (int i = 0; i < 2; i++)
		blob_unref(f->client.output[i]);
	blob_unref(f->client.checkpoint);
}

/* A report of many parts reads the same, as a whole and part by part. */
static void test_parts(void *state)
{
	static const size_t lengths[] = {1, STORE_PART_BYTES - 1, STORE_PART_BYTES, STORE_PART_BYTES + 1,
	                                 5 * STORE_PART_BYTES + 17};
	fixture *f = state;
	char id[ID_SIZE];
	char *words = malloc(6 * STORE_PART_BYTES);
	for (size_t i = 0; i < 6 * STORE_PART_BYTES; i++)
		words[i] = (char)('a' + i % 23 + i / STORE_PART_BYTES % 3);
	for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		stored_run r = make_run(i, id);
		CHECK(insert(f, &r));
		end(f, i, CURFEW_OUTCOME_FINISHED, words, lengths[i]);
	}
	wait_for(&f->client, 10);
	for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		seen all = {0};
		run_filter filter = {.id = id_of(i, id), .outcome = -1, .most = 1};
		CHECK(store_read_runs(f->st, &filter, see, &all));
		CHECK_EQUAL(all.length, lengths[i]);
		blob *whole = store_read_report(f->st, all.number, all.length);
		CHECK(whole != NULL);
		CHECK_EQUAL(whole->len, lengths[i]);
		CHECK_BYTES(whole->data, words, lengths[i]);
		blob_unref(whole);
		CHECK(store_read_part(f->st, all.number, (lengths[i] - 1) / STORE_PART_BYTES + 1) == NULL);
		CHECK(store_read_report(f->st, all.number, lengths[i] + STORE_PART_BYTES + 1) == NULL);
	}
	free(words);
}

/* One failing write does not affect its neighbours. */
static void test_refusal(void *state)
{
	fixture *f = state;
	char id[ID_SIZE];
	stored_run first = make_run(1, id);
	(void)pthread_mutex_lock(&f->client.lock);
	first.key = "k";
	first.body_sha256 = SHA2;
	for (unsigned i = 0; i < 3; i++) {
		first.id = id_of(10 + i, id); /* one key three times */
		CHECK(insert(f, &first));
	}
	char other[ID_SIZE];
	stored_run second = make_run(2, other);
	CHECK(insert(f, &second));
	(void)pthread_mutex_unlock(&f->client.lock);
	wait_for(&f->client, 4);
	CHECK_EQUAL(f->client.failed, 2);
	store_stats stats;
	store_get_stats(f->st, &stats);
	CHECK(stats.healthy && stats.failures > 0);
	curfew_failure failure;
	seen all = {0};
	CHECK(store_load_runs(f->st, see_left, &all, &failure));
	CHECK_EQUAL(all.count, 2);
}

static void test_filters(void *state)
{
	fixture *f = state;
	char id[ID_SIZE];
	for (unsigned i = 0; i < 40; i++) {
		stored_run r = make_run(i, id);
		r.owner = i % 2 == 0 ? "alice" : "bob";
		r.program = i % 4 == 0 ? "p" : i % 4 == 1 ? "q" : NULL;
		CHECK(insert(f, &r));
		if (i != 39)
			end(f, i, i % 10 == 3 ? CURFEW_OUTCOME_THREW : CURFEW_OUTCOME_FINISHED, "{}", 2);
	}
	wait_for(&f->client, 79);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1}), 39);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .most = 5}), 5);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .owner = "bob"}), 19);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .program = "p"}), 10);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .program = "p", .owner = "bob"}), 0);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = CURFEW_OUTCOME_THREW}), 4);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = CURFEW_OUTCOME_THREW, .owner = "alice"}), 0);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = CURFEW_OUTCOME_FINISHED, .owner = "alice", .program = "p"}), 10);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .after = id_of(10, id)}), 10);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .id = id_of(39, id)}), 0);
}

static void test_keys(void *state)
{
	fixture *f = state;
	char id[ID_SIZE], found[ID_SIZE], hash[SHA256_SIZE];
	stored_run r = make_run(1, id);
	r.key = "k";
	r.body_sha256 = SHA2;
	CHECK(insert(f, &r));
	end(f, 1, CURFEW_OUTCOME_FINISHED, "{}", 2);
	wait_for(&f->client, 2);
	CHECK_EQUAL(store_find_key(f->st, "alice", "k", found, hash), 1);
	CHECK_TEXT(found, id);
	CHECK_TEXT(hash, SHA2);
	CHECK_EQUAL(store_find_key(f->st, "bob", "k", found, hash), 0);
	CHECK_EQUAL(store_find_key(f->st, "alice", "l", found, hash), 0);
	/* Its key outlives the run. */
	curfew_failure failure;
	store_pruned pruned;
	CHECK(store_drop_runs(f->st, &(store_prune){INT64_MAX, UINT64_MAX}, &pruned, &failure));
	CHECK_EQUAL(pruned.runs, 1);
	CHECK_EQUAL(store_find_key(f->st, "alice", "k", found, hash), 1);
}

static bool see_program(void *context, const stored_program *p)
{
	unsigned *count = context;
	*count += 1;
	CHECK_TEXT(p->name, "p");
	CHECK_TEXT(p->exports, "[]");
	return true;
}

static void test_programs(void *state)
{
	fixture *f = state;
	unsigned count = 0;
	size_t length = 0;
	stored_program p = {
		.owner = "alice", .name = "p", .sha256 = SHA, .kind = "js", .exports = "[]", .size_bytes = 5, .updated_us = 5};
	CHECK(store_put_program(f->st, &p, "a\0b\0c", on_done, &f->client));
	p.owner = "bob";
	CHECK(store_put_program(f->st, &p, "a\0b\0c", on_done, &f->client));
	wait_for(&f->client, 2);
	CHECK(store_read_programs(f->st, &(program_filter){.name = "p"}, see_program, &count));
	CHECK_EQUAL(count, 2);
	CHECK_EQUAL(store_count_program_bytes(f->st, "alice"), 5);
	char *source = store_read_source(f->st, SHA, CURFEW_LANGUAGE_JS, &length);
	CHECK_EQUAL(length, 5);
	CHECK_BYTES(source, "a\0b\0c", 5);
	free(source);
	CHECK(store_read_source(f->st, SHA, CURFEW_LANGUAGE_WASM, &length) == NULL);
	CHECK(store_delete_program(f->st, "alice", "p", on_done, &f->client));
	wait_for(&f->client, 3);
	count = 0;
	CHECK(store_read_programs(f->st, &(program_filter){.owner = "alice"}, see_program, &count));
	CHECK_EQUAL(count, 0);
}

enum { MANY_PROGRAMS = 150 };

typedef struct order_seen {
	unsigned count, most;
	char last[64];
} order_seen;

static bool see_in_order(void *context, const stored_program *p)
{
	order_seen *o = context;
	char words[64];
	(void)snprintf(words, sizeof words, "%s %s", p->owner, p->name);
	CHECK(strcmp(words, o->last) > 0);
	(void)snprintf(o->last, sizeof o->last, "%s", words);
	return ++o->count < o->most;
}

static unsigned count_in_order(fixture *f, const program_filter *filter, unsigned most)
{
	order_seen o = {.most = most};
	CHECK(store_read_programs(f->st, filter, see_in_order, &o));
	return o.count;
}

static void test_many_programs(void *state)
{
	fixture *f = state;
	for (int i = 0; i < MANY_PROGRAMS; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "%c%d", i % 2 != 0 ? 'P' : 'p', i);
		stored_program p = {.owner = i % 3 != 0 ? "bob" : "alice",
		                    .name = name,
		                    .sha256 = SHA,
		                    .kind = "js",
		                    .exports = "[]",
		                    .size_bytes = 5,
		                    .updated_us = 5};
		CHECK(store_put_program(f->st, &p, "a\0b\0c", on_done, &f->client));
	}
	wait_for(&f->client, MANY_PROGRAMS);
	CHECK_EQUAL(count_in_order(f, &(program_filter){0}, UINT_MAX), MANY_PROGRAMS);
	CHECK_EQUAL(count_in_order(f, &(program_filter){.owner = "bob"}, UINT_MAX), MANY_PROGRAMS / 3 * 2);
	CHECK_EQUAL(count_in_order(f, &(program_filter){0}, 70), 70);
	const program_filter rest = {.after_owner = "alice", .after_name = "p99"};
	CHECK_EQUAL(count_in_order(f, &rest, UINT_MAX), MANY_PROGRAMS / 3 * 2);
	const program_filter own_rest = {.owner = "bob", .after_owner = "bob", .after_name = "Z"};
	CHECK_EQUAL(count_in_order(f, &own_rest, UINT_MAX), MANY_PROGRAMS / 3);
}

typedef struct token_seen {
	unsigned count, revoked;
	int64_t used_us;
	uint64_t running_max;
} token_seen;

static void see_token(void *context, const stored_token *token)
{
	token_seen *all = context;
	all->count++;
	all->revoked += token->is_revoked;
	all->used_us = token->used_us;
	all->running_max = token->running_max;
	CHECK_TEXT(token->user, "u");
}

static void test_tokens(void *state)
{
	fixture *f = state;
	curfew_failure failure;
	token_seen all = {0};
	int count = 0;
	stored_token token = {.id = "a1",
	                      .name = "n",
	                      .scopes = 3,
	                      .running_max = 4,
	                      .queued_max = UINT64_MAX,
	                      .per_minute_max = UINT64_MAX,
	                      .programs_bytes_max = UINT64_MAX,
	                      .priority_max = 7,
	                      .user = "u",
	                      .allow_fetch = ""};
	CHECK(store_add_token(f->st, &token, &failure));
	CHECK(!store_add_token(f->st, &token, &failure));
	CHECK(store_use_token(f->st, "a1", 77));
	stop(f);
	start(f, FOR_EVER, FOR_EVER);
	CHECK(store_read_tokens(f->st, see_token, &all, &failure));
	CHECK_EQUAL(all.count, 1);
	CHECK_EQUAL(all.used_us, 77);
	CHECK_EQUAL(all.running_max, 4);
	CHECK_EQUAL(all.revoked, 0);
	CHECK(store_revoke_token(f->st, "n", &count, &failure));
	CHECK_EQUAL(count, 1);
	CHECK(store_revoke_token(f->st, "n", &count, &failure));
	CHECK_EQUAL(count, 0);
	all = (token_seen){0};
	CHECK(store_read_tokens(f->st, see_token, &all, &failure));
	CHECK_EQUAL(all.revoked, 1);
}

/* Excess data is dropped from the owner that has most of it, no more than necessary, and none that is held. */
static void test_retention(void *state)
{
	fixture *f = state;
	char id[ID_SIZE];
	static char large[200000];
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (char)('!' + random() % 90); /* data that cannot be compressed */
	stop(f);
	start(f, FOR_EVER, 4 << 20);
	f->client.told = 0;
	for (unsigned i = 0; i < 40; i++) {
		stored_run r = make_run(i, id);
		r.owner = i < 2 ? "bob" : "alice";
		CHECK(insert(f, &r));
		end(f, i, CURFEW_OUTCOME_FINISHED, large, sizeof large);
	}
	wait_for(&f->client, 80);
	stop(f);
	store_hold hold = {.id = ""}, late = {.id = ""};
	open_it(f);
	CHECK(store_hold_run(f->st, &hold, id_of(2, id)));
	begin(f, FOR_EVER, 4 << 20);
	size_t left = 0;
	for (int i = 0; i < 1200 && (left = count_runs(f, (run_filter){.outcome = -1})) > 20; i++)
		(void)usleep(50000);
	CHECK(left <= 20 && left >= 12);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .owner = "bob"}), 2);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .id = id_of(39, id)}), 1);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .id = id_of(2, id)}), 1);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1, .id = id_of(3, id)}), 0);
	CHECK(store_hold_run(f->st, &late, id_of(2, id))); /* by a second one */
	store_release_run(f->st, &late);
	store_release_run(f->st, &hold);
	store_release_run(f->st, &hold);
}

static void test_prune(void *state)
{
	fixture *f = state;
	curfew_failure failure;
	store_pruned pruned;
	char id[ID_SIZE];
	for (unsigned i = 0; i < 40; i++) {
		stored_run r = make_run(i, id);
		CHECK(insert(f, &r));
		if (i != 0)
			end(f, i, CURFEW_OUTCOME_FINISHED, "{}", 2);
	}
	wait_for(&f->client, 79);
	CHECK(store_drop_runs(f->st, &(store_prune){3010, UINT64_MAX}, &pruned, &failure));
	CHECK_EQUAL(pruned.runs, 9);
	CHECK_EQUAL(count_runs(f, (run_filter){.outcome = -1}), 30);
	CHECK(store_drop_runs(f->st, &(store_prune){INT64_MIN, 0}, &pruned, &failure));
	CHECK_EQUAL(pruned.runs, 30);
	seen all = {0};
	CHECK(store_load_runs(f->st, see_left, &all, &failure));
	CHECK_EQUAL(all.count, 1);
}

static void test_back_up_and_check(void *state)
{
	fixture *f = state;
	curfew_failure failure;
	char id[ID_SIZE], path[96], copy[128];
	uint64_t bytes = 0;
	store_check check;
	if (f->place != f->directory)
		harness_skip("it has its own means");
	for (unsigned i = 0; i < 3; i++) {
		stored_run r = make_run(i, id);
		CHECK(insert(f, &r));
	}
	end(f, 0, CURFEW_OUTCOME_FINISHED, "{}", 2);
	wait_for(&f->client, 4);
	(void)snprintf(path, sizeof path, "%s/copy", f->directory);
	CHECK_EQUAL(mkdir(path, 0700), 0);
	(void)snprintf(copy, sizeof copy, "%s/curfew.db", path);
	CHECK(store_back_up(f->st, copy, &bytes, &failure));
	CHECK(bytes > 0);
	CHECK(!store_back_up(f->st, copy, &bytes, &failure));
	struct stat info;
	CHECK_EQUAL(stat(copy, &info), 0);
	CHECK_EQUAL(info.st_mode & 0777, 0600);
	store *second = store_open(path, STORE_VISITOR, &failure);
	CHECK(second != NULL);
	CHECK(store_examine(second, &check, &failure));
	CHECK_TEXT(check.problem, "");
	CHECK_EQUAL(check.runs, 3);
	CHECK_EQUAL(check.waiting, 2);
	CHECK_EQUAL(check.lacking + check.unreadable + check.reportless, 0);
	store_close(second);
}

/* A reader creates nothing, and a second server is refused. */
static void test_openings(void *state)
{
	fixture *f = state;
	curfew_failure failure;
	char path[96];
	if (f->place != f->directory)
		harness_skip("this database has no such thing");
	(void)snprintf(path, sizeof path, "%s/none", f->directory);
	CHECK(store_open(path, STORE_VISITOR, &failure) == NULL);
	CHECK(strstr(failure.message, "there is no database") != NULL);
	CHECK_EQUAL(access(path, F_OK), -1);
	store *second = store_open(f->directory, STORE_SERVER, &failure);
	CHECK(second != NULL);
	CHECK(!store_claim(second, &failure));
	CHECK(strstr(failure.message, "another server") != NULL);
	store_close(second);
	if (f->node != 0)
		harness_skip("it counts otherwise");
	CHECK_EQUAL(store_begin_life(f->st), 1);
	CHECK_EQUAL(store_begin_life(f->st), 2);
}

/* ---- Shared databases ------------------------------------------------------------------------------------------ */

/*
 * A run that waits without a node is taken once, in turns of its owners. A node that lost its number writes nothing any
 * more.
 */
static void test_taking(void *state)
{
	fixture *f = state;
	char id[ID_SIZE];
	taken first = {0}, second = {0};
	if (f->node == 0)
		harness_skip("this database has no such thing");
	uint64_t node = f->node;
	f->node = 0;
	for (unsigned i = 0; i < 4; i++) {
		stored_run r = make_run(i, id);
		r.state = RUN_QUEUED;
		r.owner = i == 2 ? "bob" : "alice";
		CHECK(insert(f, &r));
	}
	wait_for(&f->client, 4);
	f->node = node;
	const store_capacity two = {2, 0, UINT64_C(1) << 40, UINT64_C(1) << 40};
	const store_capacity one_and_one = {1, 1, UINT64_C(1) << 40, UINT64_C(1) << 40};
	CHECK_EQUAL(store_take_runs(f->st, &two, take, &first), 2);
	CHECK_EQUAL(first.count, 2);
	CHECK_EQUAL(first.begun, 2);
	CHECK(strcmp(first.id[0], id_of(2, id)) == 0 || strcmp(first.id[1], id_of(2, id)) == 0);
	CHECK_EQUAL(first.node, node);
	CHECK_EQUAL(first.epoch, 1);
	CHECK_EQUAL(store_take_runs(f->st, &one_and_one, take, &second), 2);
	CHECK_EQUAL(second.begun, 1);
	CHECK_EQUAL(store_take_runs(f->st, &much_capacity, take, &second), 0);

	/* With another number, the runs of the first are not its own. */
	curfew_failure failure;
	CHECK(store_join(f->st, &(store_member){5000000, 4, "test"}, &failure));
	CHECK(store_node(f->st) != node);
	end(f, 2, CURFEW_OUTCOME_FINISHED, "{}", 2);
	wait_for(&f->client, 5);
	seen ended = {0};
	CHECK(store_read_runs(f->st, &(run_filter){.outcome = -1, .most = 9, .states = 1u << RUN_DONE}, see, &ended));
	CHECK_EQUAL(ended.count, 0);
}

/* The fixture of each test. */
#define FIXTURE .set_up = set_up, .tear_down = tear_down

static const harness_test tests[] = {
	{"copies", .run_on = test_copies, FIXTURE},
	{"life", .run_on = test_life, FIXTURE},
	{"parts", .run_on = test_parts, FIXTURE},
	{"refusal", .run_on = test_refusal, FIXTURE},
	{"filters", .run_on = test_filters, FIXTURE},
	{"keys", .run_on = test_keys, FIXTURE},
	{"taking", .run_on = test_taking, FIXTURE},
	{"programs", .run_on = test_programs, FIXTURE},
	{"many_programs", .run_on = test_many_programs, FIXTURE},
	{"tokens", .run_on = test_tokens, FIXTURE},
	{"retention", .run_on = test_retention, FIXTURE},
	{"prune", .run_on = test_prune, FIXTURE},
	{"back_up_and_check", .run_on = test_back_up_and_check, FIXTURE},
	{"openings", .run_on = test_openings, FIXTURE},
};

HARNESS_MAIN(tests)
