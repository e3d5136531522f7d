/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of a run: order, cancelling, closing, and that each ends exactly once whoever ends it. */
#include "host/operations.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static int reset(void **state)
{
	(void)state;
	atomic_store(&wakes, 0);
	atomic_store(&cancels, 0);
	atomic_store(&destroyed, 0);
	return 0;
}

static work *start(curfew__operations *run)
{
	work *w = calloc(1, sizeof *w);
	assert_true(curfew__operation_start(run, &w->operation, &type));
	return w;
}

static void post(work *w, uint32_t kind, bool last, const char *text)
{
	assert_true(curfew__operation_post(&w->operation, kind, last, strdup(text), strlen(text)));
}

static void test_events_come_in_order(void **state)
{
	(void)state;
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run), *b = start(run);
	assert_int_equal(a->operation.id, 1);
	assert_int_equal(b->operation.id, 2);
	assert_null(curfew__operations_next(run));
	post(b, 5, false, "one");
	post(a, 6, true, "two");
	assert_int_equal(atomic_load(&wakes), 1); /* none while there is one already */
	assert_true(curfew__operations_ready(run));
	const curfew__operation_event *event = curfew__operations_next(run);
	assert_int_equal(event->id, 2);
	assert_string_equal(event->bytes, "one");
	assert_int_equal(b->taken, 5);
	assert_ptr_equal(curfew__operations_current(run), event);
	event = curfew__operations_next(run);
	assert_int_equal(event->kind, 6);
	assert_true(event->last);
	assert_null(curfew__operations_next(run));
	assert_null(curfew__operations_current(run));
	assert_false(curfew__operation_post(&a->operation, 1, false, NULL, 0)); /* after its last */
	curfew__operation_unref(&a->operation);
	assert_int_equal(atomic_load(&destroyed), 1);
	post(b, 9, true, "");
	assert_int_equal(atomic_load(&wakes), 2);
	curfew__operation_unref(&b->operation);
	curfew__operations_close(run);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&destroyed), 2);
	assert_int_equal(atomic_load(&cancels), 0);
}

static void test_bytes_go_to_the_operation(void **state)
{
	(void)state;
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run);
	assert_true(curfew__operations_send(run, 1, 7, "abc", 3));
	assert_false(curfew__operations_send(run, 1, 8, "abc", 3));
	assert_false(curfew__operations_send(run, 2, 7, "abc", 3));
	assert_int_equal(a->sent, 6);
	curfew__operation_unref(&a->operation);
	curfew__operations_close(run);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&cancels), 1);
	assert_int_equal(atomic_load(&destroyed), 1);
}

static void test_cancel_drops_what_was_posted(void **state)
{
	(void)state;
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run), *b = start(run);
	post(a, 1, false, "a");
	post(b, 2, false, "b");
	post(a, 3, false, "a");
	curfew__operations_cancel(run, a->operation.id);
	curfew__operations_cancel(run, a->operation.id);
	curfew__operations_cancel(run, 77);
	assert_int_equal(atomic_load(&cancels), 1);
	assert_false(curfew__operation_post(&a->operation, 1, true, strdup("late"), 4));
	post(b, 4, false, "b");
	assert_int_equal(curfew__operations_next(run)->kind, 2);
	assert_int_equal(curfew__operations_next(run)->kind, 4);
	assert_null(curfew__operations_next(run));
	curfew__operation_unref(&a->operation);
	curfew__operation_unref(&b->operation);
	curfew__operations_close(run);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&cancels), 2);
	assert_int_equal(atomic_load(&destroyed), 2);
}

static void test_nothing_after_the_close(void **state)
{
	(void)state;
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *a = start(run);
	post(a, 1, false, "a");
	unsigned before = atomic_load(&wakes);
	curfew__operations_close(run);
	curfew__operations_close(run);
	curfew__operations_close(NULL);
	assert_null(curfew__operations_next(run));
	assert_false(curfew__operations_ready(run));
	assert_false(curfew__operation_post(&a->operation, 1, true, NULL, 0));
	assert_int_equal(atomic_load(&wakes), before);
	work late = {0};
	assert_false(curfew__operation_start(run, &late.operation, &type));
	assert_int_equal(atomic_load(&cancels), 1);
	curfew__operation_unref(&a->operation);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&destroyed), 1);
}

enum { RACES = 2000 };

static void *post_last(void *argument)
{
	work *w = argument;
	curfew__operation_post(&w->operation, 1, true, strdup("x"), 1);
	curfew__operation_unref(&w->operation);
	return NULL;
}

/* Someone posts the last event while another closes: it ends once, and nothing is touched after its end. */
static void test_last_event_against_close(void **state)
{
	(void)state;
	for (int i = 0; i < RACES; i++) {
		curfew__operations *run = curfew__operations_create(on_wake, NULL);
		work *a = start(run);
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, post_last, a), 0);
		if (i % 2)
			sched_yield();
		if (i % 3)
			curfew__operations_cancel(run, 1);
		curfew__operations_close(run);
		curfew__operations_unref(run);
		pthread_join(thread, NULL);
		assert_int_equal(atomic_load(&destroyed), i + 1);
	}
	assert_true(atomic_load(&cancels) <= RACES);
}

static void test_many(void **state)
{
	(void)state;
	enum { MANY = 3000 };
	static work *all[MANY];
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	for (int i = 0; i < MANY; i++)
		all[i] = start(run);
	for (int i = 0; i < MANY; i += 2)
		post(all[i], (uint32_t)i, true, "even");
	for (int i = 0; i < MANY; i += 2) {
		const curfew__operation_event *event = curfew__operations_next(run);
		assert_int_equal(event->id, i + 1);
		assert_int_equal(event->kind, i);
	}
	curfew__operations_close(run);
	for (int i = 0; i < MANY; i++)
		curfew__operation_unref(&all[i]->operation);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&cancels), MANY / 2);
	assert_int_equal(atomic_load(&destroyed), MANY);
}

/* Numbers that somebody else gives, and events by number. */
static void test_numbers(void **state)
{
	(void)state;
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	assert_true(curfew__operations_number(run, 7));
	work *a = start(run);
	assert_int_equal(a->operation.id, 7);
	assert_false(curfew__operations_number(run, 7));
	assert_false(curfew__operations_number(run, 0));
	assert_false(curfew__operations_number(run, UINT32_MAX));
	assert_false(curfew__operations_post(run, 6, 1, false, strdup("x"), 1));
	assert_true(curfew__operations_post(run, 7, 1, false, strdup("abc"), 3));
	assert_true(curfew__operations_post(run, 7, 2, true, NULL, 0));
	assert_int_equal(curfew__operations_next(run)->kind, 1);
	curfew__operations_cancel(run, 7);
	assert_null(curfew__operations_next(run));
	curfew__operations_close(run);
	curfew__operation_unref(&a->operation);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&destroyed), 1);
}

/* A guest that never looks at what has happened cannot have more and more of it happen. */
static void test_events_are_bounded(void **state)
{
	/* Claim L71. */
	(void)state;
	curfew__operations *run = curfew__operations_create(on_wake, NULL);
	work *before = start(run);
	for (int i = 0; i < CURFEW__EVENTS_MOST; i++)
		assert_int_not_equal(curfew__operations_answer(run, 1, strdup("refused"), 7), 0);
	work late = {0};
	assert_int_equal(curfew__operations_answer(run, 1, strdup("refused"), 7), 0);
	assert_false(curfew__operation_start(run, &late.operation, &type));
	/* What goes on may say so. */
	post(before, 9, true, "done");
	assert_int_equal(curfew__operations_next(run)->kind, 1);
	assert_int_equal(curfew__operations_next(run)->kind, 1);
	assert_int_not_equal(curfew__operations_answer(run, 1, NULL, 0), 0);
	curfew__operations_close(run);
	assert_null(curfew__operations_next(run));
	curfew__operation_unref(&before->operation);
	curfew__operations_unref(run);
	assert_int_equal(atomic_load(&destroyed), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_events_come_in_order, reset),
		cmocka_unit_test_setup(test_bytes_go_to_the_operation, reset),
		cmocka_unit_test_setup(test_cancel_drops_what_was_posted, reset),
		cmocka_unit_test_setup(test_nothing_after_the_close, reset),
		cmocka_unit_test_setup(test_last_event_against_close, reset),
		cmocka_unit_test_setup(test_many, reset),
		cmocka_unit_test_setup(test_numbers, reset),
		cmocka_unit_test_setup(test_events_are_bounded, reset),
	};
	return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
