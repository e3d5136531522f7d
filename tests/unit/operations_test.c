/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of a run: order, cancelling, closing, and that each ends exactly once, no matter who ends it. */
#include "../harness.h"
#include "host/operations.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

typedef struct work {
	curfew__operation operation;
	unsigned taken, sent;
} work;

static atomic_uint wakes, cancels, destroyed;

static bool on_send(curfew__operation *operation, uint32_t kind, const void *bytes, size_t length)
{
	work *w = (work *)operation;
	w->sent += (unsigned)length;
	return kind == 7 && !memcmp(bytes, "abc", length);
}

static void on_taken(curfew__operation *operation, uint32_t kind)
{
	((work *)operation)->taken += kind;
}

static void on_cancel(curfew__operation *operation)
{
	(void)operation;
	atomic_fetch_add(&cancels, 1);
}

static void on_destroy(curfew__operation *operation)
{
	atomic_fetch_add(&destroyed, 1);
	free(operation);
}

static const curfew__operation_type type = {on_send, on_taken, on_cancel, on_destroy};

static void on_wake(void *context)
{
	(void)context;
	atomic_fetch_add(&wakes, 1);
}

static void *reset(void)
{
	atomic_store(&wakes, 0);
	atomic_store(&cancels, 0);
	atomic_store(&destroyed, 0);
	return NULL;
}

static work *start(curfew__operations *run)
{
	work *w = calloc(1, sizeof *w);
	CHECK(curfew__operation_start(run, &w->operation, &type));
	return w;
}

static void post(work *w, uint32_t kind, bool last, const char *text)
{
	CHECK(curfew__operation_post(&w->operation, kind, last, strdup(text), strlen(text)));
}

static void test_events_come_in_order(void)
{
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run), *b = start(run);
	CHECK_EQUAL(a->operation.id, 1);
	CHECK_EQUAL(b->operation.id, 2);
	CHECK(curfew__operations_next(run) == NULL);
	post(b, 5, false, "one");
	post(a, 6, true, "two");
	CHECK_EQUAL(atomic_load(&wakes), 1); /* no further wake while one is pending */
	CHECK(curfew__operations_ready(run));
	const curfew__operation_event *event = curfew__operations_next(run);
	CHECK_EQUAL(event->id, 2);
	CHECK_TEXT(event->bytes, "one");
	CHECK_EQUAL(b->taken, 5);
	CHECK(curfew__operations_current(run) == event);
	event = curfew__operations_next(run);
	CHECK_EQUAL(event->kind, 6);
	CHECK(event->last);
	CHECK(curfew__operations_next(run) == NULL);
	CHECK(curfew__operations_current(run) == NULL);
	CHECK(!curfew__operation_post(&a->operation, 1, false, NULL, 0)); /* after its last event */
	curfew__operation_unref(&a->operation);
	CHECK_EQUAL(atomic_load(&destroyed), 1);
	post(b, 9, true, "");
	CHECK_EQUAL(atomic_load(&wakes), 2);
	curfew__operation_unref(&b->operation);
	curfew__operations_close(run);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&destroyed), 2);
	CHECK_EQUAL(atomic_load(&cancels), 0);
}

static void test_bytes_go_to_the_operation(void)
{
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run);
	CHECK(curfew__operations_send(run, 1, 7, "abc", 3));
	CHECK(!curfew__operations_send(run, 1, 8, "abc", 3));
	CHECK(!curfew__operations_send(run, 2, 7, "abc", 3));
	CHECK_EQUAL(a->sent, 6);
	curfew__operation_unref(&a->operation);
	curfew__operations_close(run);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&cancels), 1);
	CHECK_EQUAL(atomic_load(&destroyed), 1);
}

static void test_cancel_drops_what_was_posted(void)
{
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run), *b = start(run);
	post(a, 1, false, "a");
	post(b, 2, false, "b");
	post(a, 3, false, "a");
	curfew__operations_cancel(run, a->operation.id);
	curfew__operations_cancel(run, a->operation.id);
	curfew__operations_cancel(run, 77);
	CHECK_EQUAL(atomic_load(&cancels), 1);
	CHECK(!curfew__operation_post(&a->operation, 1, true, strdup("late"), 4));
	post(b, 4, false, "b");
	CHECK_EQUAL(curfew__operations_next(run)->kind, 2);
	CHECK_EQUAL(curfew__operations_next(run)->kind, 4);
	CHECK(curfew__operations_next(run) == NULL);
	curfew__operation_unref(&a->operation);
	curfew__operation_unref(&b->operation);
	curfew__operations_close(run);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&cancels), 2);
	CHECK_EQUAL(atomic_load(&destroyed), 2);
}

static void test_nothing_after_the_close(void)
{
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run);
	post(a, 1, false, "a");
	unsigned before = atomic_load(&wakes);
	curfew__operations_close(run);
	curfew__operations_close(run);
	curfew__operations_close(NULL);
	CHECK(curfew__operations_next(run) == NULL);
	CHECK(!curfew__operations_ready(run));
	CHECK(!curfew__operation_post(&a->operation, 1, true, NULL, 0));
	CHECK_EQUAL(atomic_load(&wakes), before);
	work late = {0};
	CHECK(!curfew__operation_start(run, &late.operation, &type));
	CHECK_EQUAL(atomic_load(&cancels), 1);
	curfew__operation_unref(&a->operation);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&destroyed), 1);
}

enum { RACES = 2000 };

static void *post_last(void *argument)
{
	work *w = argument;
	curfew__operation_post(&w->operation, 1, true, strdup("x"), 1);
	curfew__operation_unref(&w->operation);
	return NULL;
}

/* One thread posts the last event while another closes: the operation ends once, and is not accessed after its end. */
static void test_last_event_against_close(void)
{
	for (int i = 0; i < RACES; i++) {
		curfew__operations *run = curfew__operations_create(on_wake, NULL);
		work *a = start(run);
		pthread_t thread;
		CHECK_EQUAL(pthread_create(&thread, NULL, post_last, a), 0);
		if (i % 2)
			sched_yield();
		if (i % 3)
			curfew__operations_cancel(run, 1);
		curfew__operations_close(run);
		curfew__operations_unref(run);
		pthread_join(thread, NULL);
		CHECK_EQUAL(atomic_load(&destroyed), i + 1);
	}
	CHECK(atomic_load(&cancels) <= RACES);
}

static void test_many(void)
{
	enum { MANY = 3000 };
	static work *all[MANY];
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	for (int i = 0; i < MANY; i++)
		all[i] = start(run);
	for (int i = 0; i < MANY; i += 2)
		post(all[i], (uint32_t)i, true, "even");
	for (int i = 0; i < MANY; i += 2) {
		const curfew__operation_event *event = curfew__operations_next(run);
		CHECK_EQUAL(event->id, i + 1);
		CHECK_EQUAL(event->kind, i);
	}
	curfew__operations_close(run);
	for (int i = 0; i < MANY; i++)
		curfew__operation_unref(&all[i]->operation);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&cancels), MANY / 2);
	CHECK_EQUAL(atomic_load(&destroyed), MANY);
}

/* Numbers that the caller chooses, and events by number. */
static void test_numbers(void)
{
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	CHECK(curfew__operations_number(run, 7));
	work *a = start(run);
	CHECK_EQUAL(a->operation.id, 7);
	CHECK(!curfew__operations_number(run, 7));
	CHECK(!curfew__operations_number(run, 0));
	CHECK(!curfew__operations_number(run, UINT32_MAX));
	CHECK(!curfew__operations_post(run, 6, 1, false, strdup("x"), 1));
	CHECK(curfew__operations_post(run, 7, 1, false, strdup("abc"), 3));
	CHECK(curfew__operations_post(run, 7, 2, true, NULL, 0));
	CHECK_EQUAL(curfew__operations_next(run)->kind, 1);
	curfew__operations_cancel(run, 7);
	CHECK(curfew__operations_next(run) == NULL);
	curfew__operations_close(run);
	curfew__operation_unref(&a->operation);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&destroyed), 1);
}

/* The events of a guest that never takes them are bounded. */
static void test_events_are_bounded(void)
{
	/* Claim L71. */
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *before = start(run);
	for (int i = 0; i < CURFEW__EVENTS_MAX; i++)
		CHECK(curfew__operations_answer(run, 1, strdup("refused"), 7) != 0);
	work late = {0};
	CHECK_EQUAL(curfew__operations_answer(run, 1, strdup("refused"), 7), 0);
	CHECK(!curfew__operation_start(run, &late.operation, &type));
	/* An operation in progress may still report its end. */
	post(before, 9, true, "done");
	CHECK_EQUAL(curfew__operations_next(run)->kind, 1);
	CHECK_EQUAL(curfew__operations_next(run)->kind, 1);
	CHECK(curfew__operations_answer(run, 1, NULL, 0) != 0);
	curfew__operations_close(run);
	CHECK(curfew__operations_next(run) == NULL);
	curfew__operation_unref(&before->operation);
	curfew__operations_unref(run);
	CHECK_EQUAL(atomic_load(&destroyed), 1);
}

/* The fixture of each test. */
#define FIXTURE .set_up = reset

static const harness_test tests[] = {
	{"events_come_in_order", test_events_come_in_order, FIXTURE},
	{"bytes_go_to_the_operation", test_bytes_go_to_the_operation, FIXTURE},
	{"cancel_drops_what_was_posted", test_cancel_drops_what_was_posted, FIXTURE},
	{"nothing_after_the_close", test_nothing_after_the_close, FIXTURE},
	{"last_event_against_close", test_last_event_against_close, FIXTURE},
	{"many", test_many, FIXTURE},
	{"numbers", test_numbers, FIXTURE},
	{"events_are_bounded", test_events_are_bounded, FIXTURE},
};

HARNESS_MAIN(tests)
