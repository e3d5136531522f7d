/* SPDX-License-Identifier: Apache-2.0 */
/* A run's record without a server: its events, its listeners, and the order of its states. */
#include "../harness.h"
#include "server/record.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static server *new_server(account *owner)
{
	server *s = calloc(1, sizeof *s);
	CHECK(s != NULL);
	*owner = (account){.scopes = SCOPE_ALL};
	return s;
}

typedef struct counter {
	run_listener listener;
	unsigned events, changes;
} counter;

static void count_news(run_listener *l, run_news news)
{
	counter *c = (counter *)(void *)l;
	*(news == NEWS_EVENT ? &c->events : &c->changes) += 1;
}

static void add_number(run *r, unsigned number)
{
	char words[16];
	int length = snprintf(words, sizeof words, "%u", number);
	blob *data = blob_create(words, (size_t)length);
	run_add_event(r, EVENT_PROGRESS, data);
	blob_unref(data);
}

/* However many events there were, the last ones are kept with their numbers. */
static void test_events(void)
{
	account owner;
	char words[16];
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	counter c = {.listener.notify = count_news};
	run_listen(r, &c.listener);
	for (unsigned number = 1; number <= 25000; number++) {
		add_number(r, number);
		CHECK(r->event_count <= 10000);
	}
	CHECK_EQUAL(c.events, 25000);
	CHECK_EQUAL(r->first_event, 15001);
	for (uint64_t number = r->first_event; number < r->first_event + r->event_count; number++) {
		(void)snprintf(words, sizeof words, "%u", (unsigned)number);
		CHECK_TEXT(run_get_event(r, number)->data->data, words);
	}
	run_unlisten(s, r, &c.listener);
	add_number(r, 0);
	CHECK_EQUAL(c.events, 25000);
	run_unref(s, r);
	free(s);
}

/* In a run of another node some numbers are missing. The next event is found from any number on. */
static void test_missing_events(void)
{
	account owner;
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	CHECK(!run_has_event(r, 1));
	add_number(r, 1);
	for (uint64_t number = 10; number <= 1000; number += 10) {
		run_skip_events(r, number);
		add_number(r, (unsigned)number);
	}
	run_skip_events(r, 5000);
	CHECK_EQUAL(run_get_event(r, 0)->number, 1);
	CHECK_EQUAL(run_get_event(r, 2)->number, 10);
	CHECK_EQUAL(run_get_event(r, 500)->number, 500);
	CHECK_EQUAL(run_get_event(r, 501)->number, 510);
	CHECK(run_has_event(r, 1000));
	CHECK(!run_has_event(r, 1001));
	run_unref(s, r);
	free(s);
}

/* A few large events displace many small ones, and the last one is kept, whatever its size. */
static void test_event_bytes(void)
{
	account owner;
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	char *large = malloc(6 << 20);
	memset(large, 'x', 6 << 20);
	for (unsigned number = 0; number < 100; number++)
		add_number(r, number);
	blob *data = blob_create(large, 3 << 20);
	run_add_event(r, EVENT_OUTPUT, data);
	CHECK_EQUAL(r->event_count, 101);
	run_add_event(r, EVENT_OUTPUT, data);
	CHECK_EQUAL(r->event_count, 1);
	blob *larger = blob_create(large, 6 << 20);
	run_add_event(r, EVENT_OUTPUT, larger);
	CHECK_EQUAL(r->event_count, 1);
	CHECK_EQUAL(r->first_event, 103);
	CHECK((run_get_event(r, 103)->data) == larger);
	/* The report displaces nothing: it is stored with the run. */
	run_add_event(r, EVENT_OUTPUT, data);
	run_add_event(r, EVENT_REPORT, larger);
	CHECK_EQUAL(r->event_count, 2);
	CHECK_EQUAL(r->event_bytes, data->len);
	blob_unref(data);
	blob_unref(larger);
	free(large);
	run_unref(s, r);
	free(s);
}

static void test_listeners(void)
{
	account owner;
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	counter c[3] = {{.listener.notify = count_news}, {.listener.notify = count_news}, {.listener.notify = count_news}};
	for (int i = 0; i < 3; i++)
		run_listen(r, &c[i].listener);
	run_notify(r, NEWS_CHANGE);
	run_unlisten(s, r, &c[1].listener);
	run_move(r, RUN_QUEUED);
	run_unref(s, r); /* the listeners hold it */
	run_notify(r, NEWS_CHANGE);
	CHECK_EQUAL(c[0].changes, 2);
	CHECK_EQUAL(c[1].changes, 1);
	CHECK_EQUAL(c[2].events, 1);
	run_unlisten(s, r, &c[0].listener);
	run_unlisten(s, r, &c[2].listener);
	free(s);
}

/* Whether a run may pass through these states. It is tried in another process, because an assertion ends that. */
static bool may_go(const run_state *way, size_t count)
{
	account owner;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		(void)new_server(&owner);
		run *r = run_create(&owner);
		for (size_t i = 0; i < count; i++)
			run_move(r, way[i]);
		_exit(0);
	}
	int status = -1;
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void test_states(void)
{
	static const struct {
		run_state way[5];
		size_t count;
		bool may;
	} ways[] = {
		{{RUN_QUEUED, RUN_RUNNING, RUN_STOPPING, RUN_DONE}, 4, true},
		{{RUN_SCHEDULED, RUN_QUEUED, RUN_RUNNING, RUN_DONE}, 4, true},
		{{RUN_QUEUED, RUN_RUNNING, RUN_QUEUED, RUN_RUNNING}, 4, true},
		{{RUN_SCHEDULED, RUN_DONE}, 2, true},
		{{RUN_RUNNING}, 1, false},
		{{RUN_QUEUED, RUN_STOPPING}, 2, false},
		{{RUN_QUEUED, RUN_DONE, RUN_DONE}, 3, false},
		{{RUN_DONE, RUN_QUEUED}, 2, false},
		{{RUN_QUEUED, RUN_RUNNING, RUN_STOPPING, RUN_QUEUED}, 4, false},
	};
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (may_go(ways[i].way, ways[i].count) != ways[i].may)
			harness_fail("way %zu", i);
	}
}

/* Ended runs leave the memory, the oldest first; but not one that the store does not have, and it keeps no other. */
static void test_kept(void)
{
	enum { COUNT = 5000, MAX = 4096 };
	account owner;
	server *s = new_server(&owner);
	char first[ID_SIZE] = "";
	s->scheduler.memory_budget = UINT64_MAX;
	for (unsigned i = 0; i < COUNT; i++) {
		run *r = run_create(&owner);
		r->report = blob_create("null", 4);
		r->report_length = 4;
		r->written = i > 0;
		if (i == 0)
			memcpy(first, r->id, sizeof first);
		run_register(s, r);
		run_keep(s, r);
		run_unref(s, r);
	}
	CHECK_EQUAL(s->kept.count, MAX);
	run *unwritten = run_find(s, first);
	CHECK(unwritten != NULL && s->kept.oldest == unwritten);
	while (s->kept.oldest != NULL)
		run_forget(s, s->kept.oldest);
	CHECK_EQUAL(s->kept.count + s->kept.bytes, 0);
	free(s);
}

/* Runs that the store does not have take no time at the end of others. */
static void test_kept_for_ever(void)
{
	enum { COUNT = 100000, UNWRITTEN = 20000 };
	account owner;
	server *s = new_server(&owner);
	s->scheduler.memory_budget = UINT64_MAX;
	for (unsigned i = 0; i < COUNT; i++) {
		run *r = run_create(&owner);
		r->report = blob_create("null", 4);
		r->report_length = 4;
		r->written = i >= UNWRITTEN;
		run_register(s, r);
		run_keep(s, r);
		run_unref(s, r);
	}
	CHECK_EQUAL(s->kept.count, UNWRITTEN);
	CHECK(s->kept.next_to_forget == NULL);
	while (s->kept.oldest != NULL)
		run_forget(s, s->kept.oldest);
	CHECK_EQUAL(s->kept.count + s->kept.bytes, 0);
	free(s);
}

/* Large reports that are nowhere else are kept as far as they fit; the last one in any case. Others go before and after
 * them as ever. */
static void test_kept_large(void)
{
	enum { LENGTH = 2 << 20, ROOM = 4, COUNT = 10 };
	account owner;
	server *s = new_server(&owner);
	s->scheduler.memory_budget = 8 * ROOM * (LENGTH + 1);
	for (unsigned i = 0; i < COUNT; i++) {
		for (unsigned large = 0; large < 2; large++) {
			run *r = run_create(&owner);
			r->report = blob_reserve(large ? LENGTH : 4);
			r->report_length = r->report->len;
			r->written = true;
			run_register(s, r);
			run_keep(s, r);
			CHECK(run_find(s, r->id) == r);
			run_unref(s, r);
		}
	}
	CHECK_EQUAL(s->kept.count, COUNT);
	CHECK_EQUAL(s->kept_large.count, ROOM);

	run *larger = run_create(&owner);
	larger->report = blob_reserve((size_t)s->scheduler.memory_budget);
	larger->written = true;
	run_register(s, larger);
	run_keep(s, larger);
	CHECK_EQUAL(s->kept_large.count, 1);
	CHECK(run_make_room(s) && s->kept_large.count + s->kept_large.bytes == 0 && s->kept.count == COUNT);
	run_unref(s, larger);
	while (run_make_room(s)) {
	}
	CHECK_EQUAL(s->kept.count + s->kept.bytes, 0);
	free(s);
}

static const harness_test tests[] = {
	{"events", test_events},           {"missing_events", test_missing_events},
	{"event_bytes", test_event_bytes}, {"listeners", test_listeners},
	{"states", test_states},           {"kept", test_kept},
	{"kept_large", test_kept_large},   {"unwritten_runs_take_no_time", test_kept_for_ever},
};

HARNESS_MAIN(tests)
