/* SPDX-License-Identifier: Apache-2.0 */
/* A run's record, without a server around it: its events, who listens, and which state may follow which. */
#include "server/record.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static server *new_server(account *owner)
{
	server *s = calloc(1, sizeof *s);
	assert_non_null(s);
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

/* However many there were, the last ones are there under their numbers. */
static void test_events(void **state)
{
	account owner;
	char words[16];
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	counter c = {.listener.notify = count_news};
	(void)state;
	run_listen(r, &c.listener);
	for (unsigned number = 1; number <= 25000; number++) {
		add_number(r, number);
		assert_true(r->event_count <= 10000);
	}
	assert_int_equal(c.events, 25000);
	assert_int_equal(r->first_event, 15001);
	for (uint64_t number = r->first_event; number < r->first_event + r->event_count; number++) {
		(void)snprintf(words, sizeof words, "%u", (unsigned)number);
		assert_string_equal(run_get_event(r, number)->data->data, words);
	}
	run_unlisten(s, r, &c.listener);
	add_number(r, 0);
	assert_int_equal(c.events, 25000);
	run_unref(s, r);
	free(s);
}

/* Of a run of another node some numbers are missing: what is there is found from any number on. */
static void test_missing_events(void **state)
{
	account owner;
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	(void)state;
	assert_false(run_has_event(r, 1));
	add_number(r, 1);
	for (uint64_t number = 10; number <= 1000; number += 10) {
		run_skip_events(r, number);
		add_number(r, (unsigned)number);
	}
	run_skip_events(r, 5000);
	assert_int_equal(run_get_event(r, 0)->number, 1);
	assert_int_equal(run_get_event(r, 2)->number, 10);
	assert_int_equal(run_get_event(r, 500)->number, 500);
	assert_int_equal(run_get_event(r, 501)->number, 510);
	assert_true(run_has_event(r, 1000));
	assert_false(run_has_event(r, 1001));
	run_unref(s, r);
	free(s);
}

/* A few large ones push out many small ones, and the last one stays however large it is. */
static void test_event_bytes(void **state)
{
	account owner;
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	char *large = malloc(6 << 20);
	(void)state;
	memset(large, 'x', 6 << 20);
	for (unsigned number = 0; number < 100; number++)
		add_number(r, number);
	blob *data = blob_create(large, 3 << 20);
	run_add_event(r, EVENT_OUTPUT, data);
	assert_int_equal(r->event_count, 101);
	run_add_event(r, EVENT_OUTPUT, data);
	assert_int_equal(r->event_count, 1);
	blob *larger = blob_create(large, 6 << 20);
	run_add_event(r, EVENT_OUTPUT, larger);
	assert_int_equal(r->event_count, 1);
	assert_int_equal(r->first_event, 103);
	assert_ptr_equal(run_get_event(r, 103)->data, larger);
	/* The report pushes out nothing: it is kept as the run's. */
	run_add_event(r, EVENT_OUTPUT, data);
	run_add_event(r, EVENT_REPORT, larger);
	assert_int_equal(r->event_count, 2);
	assert_int_equal(r->event_bytes, data->len);
	blob_unref(data);
	blob_unref(larger);
	free(large);
	run_unref(s, r);
	free(s);
}

static void test_listeners(void **state)
{
	account owner;
	server *s = new_server(&owner);
	run *r = run_create(&owner);
	counter c[3] = {{.listener.notify = count_news}, {.listener.notify = count_news}, {.listener.notify = count_news}};
	(void)state;
	for (int i = 0; i < 3; i++)
		run_listen(r, &c[i].listener);
	run_notify(r, NEWS_CHANGE);
	run_unlisten(s, r, &c[1].listener);
	run_move(r, RUN_QUEUED);
	run_unref(s, r); /* the listeners hold it */
	run_notify(r, NEWS_CHANGE);
	assert_int_equal(c[0].changes, 2);
	assert_int_equal(c[1].changes, 1);
	assert_int_equal(c[2].events, 1);
	run_unlisten(s, r, &c[0].listener);
	run_unlisten(s, r, &c[2].listener);
	free(s);
}

/* Whether a run may go that way; it is tried in another process, which an assertion ends. */
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
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void test_states(void **state)
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
	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (may_go(ways[i].way, ways[i].count) != ways[i].may)
			fail_msg("way %zu", i);
	}
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),    cmocka_unit_test(test_missing_events), cmocka_unit_test(test_event_bytes),
		cmocka_unit_test(test_listeners), cmocka_unit_test(test_states),
	};
	if (count == 2)
		cmocka_set_test_filter(words[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
